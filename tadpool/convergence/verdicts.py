"""Convergence verdicts: pass, warn or fail, with reasons. A statistic that is missing or not finite
is a failure.

The records of `tadpool.convergence.diagnostics` say what is judged by which thresholds. What is
found also decides which remedies a fit gets (`tadpool.convergence.remedies`). A finding is a code
with values; `tadpool.convergence.sentences` makes a sentence of it where it is shown.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats

from tadpool.convergence.diagnostics import BY_CODE, DEFAULTS, DIAGNOSTICS, Finding, judge, loosened
from tadpool.elements import element_labels, element_name
from tadpool.intervals import HIGH, LOW
from tadpool.magnitude import power_of_two
from tadpool.sweep_axes import POINT, SAMPLER, kind, short

ACCEPTANCE_SHORTFALL = 0.1
NAMED = 3
POINTS_NAMED = 5
# A parameter so many times larger or smaller than 1 may be why chains disagree.
FAR = 1e4

ORDER = ("pass", "warn", "fail")
PER_PARAMETER = tuple(diagnostic.code for diagnostic in DIAGNOSTICS if diagnostic.per_parameter)


def verdict(found: list[Finding]) -> str:
    """The worst severity among findings; pass where there are none."""
    return max((finding.severity for finding in found), key=ORDER.index, default="pass")


def check(tree: xr.DataTree, own: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Judge one fit.

    Args:
        tree: As in its file, dims (chain, draw). The last of its `attempts` has the target
            acceptance; without one the acceptance rate is not judged.
        own: Thresholds that differ from the defaults. They stand in the result, and with a loosened
            one a fit warns at best.

    Returns:
        Verdict, reasons (findings, the worst first), diagnostics and parameters, ready for JSON.
    """
    status = tree.attrs["status"]
    without = Finding("fail", "status", {"status": status, "reason": tree.attrs.get("reason", "")})
    if status == "crashed":
        return _report([without], {}, [])
    posterior, stats = tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()
    thresholds = {**DEFAULTS, **(own or {})}
    found = [Finding("warn", "thresholds", {"loosened": looser})] if (looser := loosened(thresholds)) else []
    found += [without] if status != "ok" else []
    rows = [row for name in posterior.data_vars for row in _parameters(posterior[name])]
    found += _modes(rows)
    found += [finding for row in rows for finding in _judge(row, posterior.sizes["chain"], thresholds)]
    diagnostics = sampler_diagnostics(stats, thresholds["bfmi_warn"])
    found += _judge_sampler(diagnostics, _target_accept(tree), thresholds)
    diagnostics |= _worst(rows)
    return _report(found, diagnostics, rows, own)


def _target_accept(tree: xr.DataTree) -> float | None:
    attempts = json.loads(tree.attrs.get("attempts", "[]"))
    return attempts[-1]["settings"].get("target_accept") if attempts else None


def _report(
    found: list[Finding], diagnostics: dict, rows: list[dict], own: Mapping[str, float] | None = None
) -> dict[str, Any]:
    return {
        **({"thresholds": dict(own)} if own else {}),
        "verdict": verdict(found),
        "reasons": [asdict(finding) for finding in sorted(found, key=lambda each: -ORDER.index(each.severity))],
        "diagnostics": diagnostics,
        "parameters": rows,
    }


def _parameters(variable: xr.DataArray) -> Iterator[dict]:
    """Mean, sd, interval, R-hat, ESS and MCSE of every element of a variable."""
    rest = [dim for dim in variable.dims if dim not in ("chain", "draw")]
    values = variable.transpose(*rest, "chain", "draw").values
    flat = values.reshape(-1, *values.shape[-2:]).astype(float)
    columns = statistics(flat)
    for row, labels in enumerate(element_labels(variable)):
        yield {
            "parameter": element_name(str(variable.name), labels),
            "site": variable.name,
            "labels": list(labels),
            "kind": variable.attrs.get("site", "latent"),
            **{k: _plain(v[row]) for k, v in columns.items()},
        }


def _plain(value: np.generic) -> bool | float | None:
    """A JSON value: None where a number is not finite."""
    if isinstance(value, np.bool_):
        return bool(value)
    return float(value) if np.isfinite(value) else None


def statistics(draws: np.ndarray) -> dict[str, np.ndarray]:
    """Summarize the draws of parameters.

    Args:
        draws: (parameter, chain, draw).

    Returns:
        Each statistic, (parameter,); NaN where one cannot be computed.
    """
    finite = np.isfinite(draws).all(axis=(1, 2))
    constant = finite & (draws == draws[:, :1, :1]).all(axis=(1, 2))
    moving = finite & ~constant
    draws = np.where(finite[:, None, None], draws, np.nan)
    low, median, high = np.quantile(draws, [LOW, 0.5, HIGH], axis=(1, 2))
    unit = power_of_two(draws.std(axis=(1, 2)))
    of_unit_size = draws / unit[:, None, None]
    columns = {
        "finite": finite,
        "constant": constant,
        "identical_chains": ~constant & (draws.shape[1] > 1) & (draws == draws[:, :1]).all(axis=(1, 2)),
        "stuck_chains": np.where(moving, (draws == draws[:, :, :1]).all(axis=2).sum(axis=1), 0),
        "mean": draws.mean(axis=(1, 2)),
        "sd": draws.std(axis=(1, 2), ddof=1),
        "eti89_low": low,
        "median": median,
        "eti89_high": high,
    }
    for name, function, options in (
        ("rhat", array_stats.rhat, {}),
        ("ess_bulk", array_stats.ess, {"method": "bulk"}),
        ("ess_tail", array_stats.ess, {"method": "tail", "prob": (0.05, 0.95)}),
        ("mcse_mean", array_stats.mcse, {"method": "mean"}),
        ("mcse_sd", array_stats.mcse, {"method": "sd"}),
    ):
        columns[name] = np.full(len(draws), np.nan)
        if moving.any():
            columns[name][moving] = function(of_unit_size[moving], chain_axis=-2, draw_axis=-1, **options)
    columns |= {name: columns[name] * unit for name in ("mcse_mean", "mcse_sd")}
    apart = (columns["rhat"] > DEFAULTS["rhat_fail"]) & (columns["stuck_chains"] == 0)
    columns["separate_modes"] = np.zeros(len(draws), bool)
    if apart.any():
        columns["separate_modes"][apart] = _mixed_within(draws[apart])
    return columns


def _mixed_within(draws: np.ndarray) -> np.ndarray:
    """Whether every chain of a parameter (parameter, chain, draw) alone has mixed: bool
    (parameter,).

    Chains that disagree although each has the ESS that a chain should have, and halves that agree,
    have settled in separate modes. Chains that only move slowly fail one or the other.
    """
    parameters, chains, length = draws.shape
    alone = draws.reshape(parameters * chains, 1, length)
    halves = alone[:, :, : 2 * (length // 2)].reshape(parameters * chains, 2, length // 2)
    with np.errstate(invalid="ignore", divide="ignore"):  # a chain that jumps once is constant before and after
        ess = array_stats.ess(alone, chain_axis=-2, draw_axis=-1, method="bulk")
        rhat = array_stats.rhat(halves, chain_axis=-2, draw_axis=-1)
    return ((ess >= DEFAULTS["ess_warn"]) & (rhat <= DEFAULTS["rhat_fail"])).reshape(parameters, chains).all(axis=1)


def _modes(rows: list[dict]) -> Iterator[Finding]:
    """Separate modes, if most parameters whose chains disagree are mixed within each chain: among
    many parameters some look so while the chains are still on their way.

    Names the parameter whose values are farthest from the size of 1, where one is far from it: the
    sampler starts and steps at that size.
    """
    apart = [row for row in rows if (row["rhat"] or 0.0) > DEFAULTS["rhat_fail"]]
    rows = [row for row in rows if row["separate_modes"]]
    if 2 * len(rows) > len(apart):
        names = [row["parameter"] for row in rows]
        far = {row["parameter"]: max(abs(row["median"]), row["sd"]) for row in rows}
        name = max(far, key=lambda name: abs(np.log10(far[name])))
        beyond = not 1 / FAR <= far[name] <= FAR
        scale = {"scale": {"parameter": name, "value": far[name]}} if beyond else {}
        yield Finding("fail", "modes", {"parameters": names[:NAMED], "count": len(names), **scale})


def _judge(row: dict, chains: int, thresholds: Mapping[str, float]) -> Iterator[Finding]:
    place = {"site": row["site"], "labels": row["labels"]}
    if not row["finite"]:
        yield Finding("fail", "finite", **place)
    elif row["constant"] and row["kind"] == "deterministic":
        return
    elif row["constant"]:
        yield Finding("fail", "constant", {"stuck": chains, "chains": chains}, **place)
    elif row["identical_chains"]:
        yield Finding("fail", "identical_chains", **place)
    elif any(row[code] is None for code in PER_PARAMETER):
        yield Finding("fail", "missing", **place)
    else:
        if row["stuck_chains"] and row["kind"] != "deterministic":
            yield Finding("fail", "constant", {"stuck": int(row["stuck_chains"]), "chains": chains}, **place)
        for code in PER_PARAMETER:
            if judged := judge(code, row[code], thresholds, {"chains": chains}):
                severity, limit = judged
                yield Finding(severity, code, {"value": row[code], "limit": limit, "chains": chains}, **place)


def sampler_diagnostics(stats: xr.Dataset, bfmi_warn: float = DEFAULTS["bfmi_warn"]) -> dict[str, float | int | None]:
    """Summarize what the sampler says of a fit.

    Args:
        stats: The group sample_stats, dims (chain, draw) and maybe others.
        bfmi_warn: Threshold of E-BFMI.

    Returns:
        Divergences, trajectories of the largest tree depth, E-BFMI, acceptance and leapfrog steps.
            `bfmi_low` is the
        number of chains whose E-BFMI is below `bfmi_warn`, `acceptance_rate_min` the smallest mean
            of a chain. None
        where a number is not finite.
    """
    bfmi = np.atleast_1d(array_stats.bfmi(stats["energy"].transpose(..., "chain", "draw").values))
    acceptance = stats["acceptance_rate"].mean("draw", skipna=False).values
    numbers = {
        "chains": stats.sizes["chain"],
        "draws": stats.sizes["draw"],
        "transitions": stats["diverging"].size,
        "diverging": int(stats["diverging"].sum()),
        "reached_max_treedepth": int(stats["reached_max_treedepth"].sum()),
        "bfmi_min": float(bfmi.min()),
        "bfmi_low": int((bfmi < bfmi_warn).sum()),
        "acceptance_rate": float(acceptance.mean()),
        "acceptance_rate_min": float(acceptance.min()),
        "n_steps_mean": float(stats["n_steps"].mean()),
    }
    return {name: value if np.isfinite(value) else None for name, value in numbers.items()}


def _judge_sampler(numbers: dict, target_accept: float | None, thresholds: Mapping[str, float]) -> Iterator[Finding]:
    if numbers["chains"] < 2:
        yield Finding("fail", "one_chain")
    scales = {name: numbers[name] for name in ("chains", "transitions")}
    for diagnostic in DIAGNOSTICS:
        if diagnostic.limits and not diagnostic.per_parameter:
            value = numbers[diagnostic.worst]
            if judged := judge(diagnostic.code, value, thresholds, scales):
                severity, limit = judged
                further = {name: numbers[name] for name in diagnostic.further}
                values = {"value": value, "limit": limit, **scales, **further}
                yield Finding(severity, diagnostic.code, values)
    rate = numbers["acceptance_rate_min"]
    if rate is None:
        yield Finding("fail", "acceptance_rate", {"value": None})
    elif target_accept is not None and rate < target_accept - ACCEPTANCE_SHORTFALL:
        yield Finding("warn", "acceptance_rate", {"value": rate, "target": target_accept})


def _worst(rows: list[dict]) -> dict[str, float | None]:
    found = {}
    for diagnostic in (BY_CODE[code] for code in PER_PARAMETER):
        values = [row[diagnostic.code] for row in rows if row.get(diagnostic.code) is not None]
        found[diagnostic.worst] = (min if diagnostic.limits.at_least else max)(values, default=None)
    return found


def report(
    tree: xr.DataTree, dim: str | None = None, whole: bool = False, own: Mapping[str, float] | None = None
) -> dict:
    """Judge a fit's file, by the check of all its draws where the job that made them has left it.

    Args:
        tree: As in its file.
        dim: Dim of the points of a sweep, or of the members of a group; None of one fit.
        whole: As for `check_points`.
        own: As for `check`.

    Returns:
        As of `check` or `check_points`.
    """
    if "check" in tree.attrs:
        return json.loads(tree.attrs["check"])
    return check_points(tree, dim, whole, own) if dim else check(tree, own)


def check_points(tree: xr.DataTree, dim: str, whole: bool = False, own: Mapping[str, float] | None = None) -> dict:
    """Judge every point of a sweep, or the fit to every member of a group.

    Only latent sites are judged at each point: the others are functions of them, and there are many
    points.

    Args:
        tree: As in its file.
        dim: Dim of the points.
        whole: Whether to report on all points together too, as on one fit.
        own: As for `check`.

    Returns:
        The worst verdict, the findings behind it, and as `points` the report of each point.
    """
    together = check(tree, own) if whole or tree.attrs["status"] == "crashed" else {"reasons": []}
    if tree.attrs["status"] == "crashed":
        return together | {"points": []}
    points = []
    along = tree["posterior"].to_dataset().coords
    varied = {str(name): along[name].values.tolist() for name in along if along[name].dims == (dim,)}
    axes = [name for name in varied if name != POINT]
    for position in range(tree["posterior"].sizes[dim]):
        groups = {name: tree[name].to_dataset().isel({dim: position}) for name in ("posterior", "sample_stats")}
        groups["posterior"] = groups["posterior"].filter_by_attrs(site="latent").drop_vars(varied)
        groups["sample_stats"] = groups["sample_stats"].drop_vars(varied)
        point = xr.DataTree.from_dict(groups)
        at = {axis: varied[axis][position] for axis in axes}
        point.attrs.update(status="ok", attempts=_attempts_at(tree, at))
        points.append({**at, **check(point, own)})
    reasons = _counted(points, axes)
    if tree.attrs["reason"]:
        reasons.insert(0, Finding("fail", "status", {"status": tree.attrs["status"], "reason": tree.attrs["reason"]}))
    return {
        **together,
        **({"thresholds": dict(own)} if own else {}),
        "verdict": verdict(reasons),
        "reasons": [asdict(reason) for reason in reasons],
        "points": points,
    }


def _attempts_at(tree: xr.DataTree, at: dict[str, Any]) -> str:
    """The attempts with the settings of the sampler at a point of a sweep over them."""
    changes = {short(axis): value for axis, value in at.items() if kind(str(axis)) == SAMPLER}
    attempts = json.loads(tree.attrs.get("attempts", "[]"))
    return json.dumps([{**attempt, "settings": {**attempt["settings"], **changes}} for attempt in attempts])


def _counted(points: list[dict], axes: list[str]) -> list[Finding]:
    """One finding for all points of each severity, the first few of them named."""
    found = []
    for severity in ("fail", "warn"):
        places = [[str(point[axis]) for axis in axes] for point in points if point["verdict"] == severity]
        if places:
            values = {
                "axes": axes,
                "places": places[:POINTS_NAMED],
                "count": len(places),
                "of": len(points),
                "verdict": severity,
            }
            found.append(Finding(severity, "points", values))
    return found
