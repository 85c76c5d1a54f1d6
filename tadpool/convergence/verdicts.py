"""Convergence verdicts: pass, warn or fail, with reasons. A statistic that is missing or not finite is a failure.

Its thresholds (`tadpool.convergence.thresholds`) also decide which remedies a fit gets (`tadpool.convergence.remedies`).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats

from tadpool.convergence import thresholds
from tadpool.convergence.thresholds import DEFAULTS, Thresholds
from tadpool.elements import element_labels, element_name
from tadpool.sweep_axes import POINT, SAMPLER, kind, short

RHAT_FAIL = DEFAULTS.rhat_fail
ESS_WARN_PER_CHAIN, ESS_FAIL_PER_CHAIN = DEFAULTS.ess_warn, DEFAULTS.ess_fail
DIVERGING_FAIL = DEFAULTS.diverging_fail
BFMI_WARN, BFMI_FAIL = DEFAULTS.bfmi_warn, DEFAULTS.bfmi_fail
ACCEPTANCE_SHORTFALL = 0.1
NAMED = 3

ORDER = ("pass", "warn", "fail")


@dataclass(frozen=True)
class Reason:
    """One finding: its severity, the statistic, the parameter it concerns ("" for the whole fit), and a sentence."""

    severity: str
    statistic: str
    parameter: str
    sentence: str


def verdict(reasons: list[Reason]) -> str:
    """The worst severity among the reasons; pass where there are none."""
    return max((reason.severity for reason in reasons), key=ORDER.index, default="pass")


def check(tree: xr.DataTree, own: Mapping[str, float] | None = None) -> dict:
    """The verdict on one fit (dims chain, draw): verdict, reasons, diagnostics and parameters, ready for JSON.

    own: thresholds that are not the defaults. They stand in the result, and with a loosened one no fit passes: it warns.
    The target acceptance is that of the last of the tree's `attempts`; without one the acceptance rate is not judged.
    """
    status = tree.attrs["status"]
    if status == "crashed":
        reasons = [Reason("fail", "status", "", f"It crashed: {tree.attrs['reason']}.")]
        return _report(reasons, {}, [])
    posterior, stats = tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()
    limits = Thresholds(**(own or {}))
    reasons = list(_loosened(limits))
    if status != "ok":
        reasons.append(Reason("fail", "status", "", f"Sampling failed: {tree.attrs['reason']}."))
    rows = [row for name in posterior.data_vars for row in _parameters(posterior[name])]
    reasons += _modes([row["parameter"] for row in rows if row["separate_modes"]])
    reasons += [reason for row in rows for reason in _judge(row, posterior.sizes["chain"], limits)]
    diagnostics = sampler_diagnostics(stats, limits.bfmi_warn)
    reasons += _judge_sampler(diagnostics, _target_accept(tree), limits)
    diagnostics |= _worst(rows)
    return _report(reasons, diagnostics, rows, own)


def _loosened(limits: Thresholds) -> Iterator[Reason]:
    words = list(thresholds.loosened(limits))
    if words:
        yield Reason(
            "warn", "thresholds", "", f"The verdict is one under thresholds of the study's own: {', '.join(words)}."
        )


def _target_accept(tree: xr.DataTree) -> float | None:
    attempts = json.loads(tree.attrs.get("attempts", "[]"))
    return attempts[-1]["settings"].get("target_accept") if attempts else None


def _report(reasons: list[Reason], diagnostics: dict, rows: list[dict], own: Mapping[str, float] | None = None) -> dict:
    return {
        **({"thresholds": dict(own)} if own else {}),
        "verdict": verdict(reasons),
        "reasons": [asdict(reason) for reason in sorted(reasons, key=lambda r: -ORDER.index(r.severity))],
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
    """Summaries of parameters' draws (parameter, chain, draw), each (parameter,); NaN where one cannot be computed."""
    finite = np.isfinite(draws).all(axis=(1, 2))
    constant = finite & (draws == draws[:, :1, :1]).all(axis=(1, 2))
    moving = finite & ~constant
    draws = np.where(finite[:, None, None], draws, np.nan)
    low, median, high = np.quantile(draws, [0.055, 0.5, 0.945], axis=(1, 2))
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
            columns[name][moving] = function(draws[moving], chain_axis=-2, draw_axis=-1, **options)
    apart = (columns["rhat"] > RHAT_FAIL) & (columns["stuck_chains"] == 0)
    columns["separate_modes"] = np.zeros(len(draws), bool)
    if apart.any():
        columns["separate_modes"][apart] = _mixed_within(draws[apart])
    return columns


def _mixed_within(draws: np.ndarray) -> np.ndarray:
    """Whether every chain of a parameter (parameter, chain, draw) alone has mixed: bool (parameter,).

    Chains that disagree although each has the ESS that a chain should have, and halves that agree, have settled in
    separate modes. Chains that only move slowly fail one or the other.
    """
    parameters, chains, length = draws.shape
    alone = draws.reshape(parameters * chains, 1, length)
    halves = alone[:, :, : 2 * (length // 2)].reshape(parameters * chains, 2, length // 2)
    with np.errstate(invalid="ignore", divide="ignore"):  # a chain that jumps once is constant before and after
        ess = array_stats.ess(alone, chain_axis=-2, draw_axis=-1, method="bulk")
        rhat = array_stats.rhat(halves, chain_axis=-2, draw_axis=-1)
    return ((ess >= ESS_WARN_PER_CHAIN) & (rhat <= RHAT_FAIL)).reshape(parameters, chains).all(axis=1)


def _modes(names: list[str]) -> Iterator[Reason]:
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield Reason(
            "fail",
            "modes",
            "",
            f"The chains settled in separate modes of {', '.join(names[:NAMED])}{more}, each of them well mixed. Nothing "
            "else is tried, because another seed would only hide a mode: look at the model's symmetries.",
        )


def _judge(row: dict, chains: int, limits: Thresholds) -> Iterator[Reason]:
    name = row["parameter"]
    if not row["finite"]:
        yield Reason("fail", "finite", name, f"{name} has draws that are not finite.")
    elif row["constant"] and row["kind"] == "deterministic":
        return
    elif row["constant"]:
        yield Reason("fail", "constant", name, f"{name} never moved.")
    elif row["identical_chains"]:
        yield Reason("fail", "chains", name, f"All chains of {name} are identical.")
    elif any(row[statistic] is None for statistic in ("rhat", "ess_bulk", "ess_tail")):
        yield Reason("fail", "missing", name, f"R-hat or ESS of {name} cannot be computed.")
    else:
        if row["stuck_chains"] and row["kind"] != "deterministic":
            yield Reason(
                "fail", "constant", name, f"{row['stuck_chains']:.0f} of {chains} chains of {name} never moved."
            )
        yield from _judge_numbers(row, name, chains, limits)


def _judge_numbers(row: dict, name: str, chains: int, limits: Thresholds) -> Iterator[Reason]:
    if row["rhat"] > limits.rhat_fail:
        yield Reason("fail", "rhat", name, f"R-hat of {name} is {row['rhat']:.3f}: the chains disagree.")
    elif row["rhat"] > limits.rhat_warn:
        yield Reason("warn", "rhat", name, f"R-hat of {name} is {row['rhat']:.3f}: draw more.")
    for statistic, part in (("ess_bulk", "Bulk"), ("ess_tail", "Tail")):
        if row[statistic] < limits.ess_warn * chains:
            severity = "fail" if row[statistic] < limits.ess_fail * chains else "warn"
            yield Reason(
                severity,
                statistic,
                name,
                f"{part} ESS of {name} is {row[statistic]:.0f}, below {limits.ess_warn * chains:g} "
                f"({limits.ess_warn:g} for each of {chains} chains).",
            )


def sampler_diagnostics(stats: xr.Dataset, bfmi_warn: float = BFMI_WARN) -> dict[str, float | int | None]:
    """Divergences, saturated trees, E-BFMI, acceptance and leapfrog steps of a fit (dims chain, draw, maybe others).

    bfmi_low, acceptance_rate_min: how many chains have an E-BFMI below `bfmi_warn`, and the smallest mean of a chain.
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


def _judge_sampler(numbers: dict, target_accept: float | None, limits: Thresholds) -> Iterator[Reason]:
    total, chains = numbers["transitions"], numbers["chains"]
    if chains < 2:
        yield Reason("fail", "chains", "", "One chain alone cannot be checked.")
    if numbers["diverging"]:
        severity = "fail" if numbers["diverging"] > limits.diverging_fail * total else "warn"
        yield Reason(severity, "diverging", "", f"{numbers['diverging']} of {total} transitions diverged.")
    if numbers["reached_max_treedepth"] > limits.tree_depth_warn * total:
        share = numbers["reached_max_treedepth"] / total
        yield Reason("warn", "tree_depth", "", f"{share:.0%} of trajectories reached the largest tree depth.")
    bfmi = numbers["bfmi_min"]
    if bfmi is None:
        yield Reason("fail", "bfmi", "", "E-BFMI is missing.")
    elif bfmi < limits.bfmi_warn:
        severity = "fail" if bfmi < limits.bfmi_fail else "warn"
        where = f"{numbers['bfmi_low']} of {chains} chains, the smallest"
        yield Reason(
            severity,
            "bfmi",
            "",
            f"E-BFMI is below {limits.bfmi_warn} in {where} {bfmi:.2f}: energies are explored slowly.",
        )
    yield from _judge_acceptance(numbers["acceptance_rate_min"], target_accept)


def _judge_acceptance(rate: float | None, target: float | None) -> Iterator[Reason]:
    if rate is None:
        yield Reason("fail", "acceptance_rate", "", "The acceptance rate is missing.")
    elif target is not None and rate < target - ACCEPTANCE_SHORTFALL:
        sentence = f"The acceptance rate of a chain is {rate:.2f}, well below its target {target:g}: warm up longer."
        yield Reason("warn", "acceptance_rate", "", sentence)


def _worst(rows: list[dict]) -> dict[str, float | None]:
    def extreme(statistic, choose):
        values = [row[statistic] for row in rows if row.get(statistic) is not None]
        return choose(values) if values else None

    return {
        "rhat_max": extreme("rhat", max),
        "ess_bulk_min": extreme("ess_bulk", min),
        "ess_tail_min": extreme("ess_tail", min),
    }


def report(
    tree: xr.DataTree, dim: str | None = None, whole: bool = False, own: Mapping[str, float] | None = None
) -> dict:
    """The verdict on a fit's file: the one that was made of all draws where the file does not keep them.

    dim, whole: of a sweep or of separate fits, own: see `check_points`.
    """
    if "check" in tree.attrs:
        return json.loads(tree.attrs["check"])
    return check_points(tree, dim, whole, own) if dim else check(tree, own)


def check_points(tree: xr.DataTree, dim: str, whole: bool = False, own: Mapping[str, float] | None = None) -> dict:
    """Verdicts of all points of a sweep, or of fits to separate groups: the worst one, and a report for each point.

    Only latent sites are judged at each point: the others are functions of them, and there are many points. whole: report
    on all points together too, as on one fit. own: as for `check`.
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
        reasons.insert(0, Reason("fail", "status", "", f"Sampling failed: {tree.attrs['reason']}."))
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


def _counted(points: list[dict], axes: list[str]) -> list[Reason]:
    """One reason for all points of each severity, the first few of them named."""
    reasons = []
    for severity in ("fail", "warn"):
        found = [[str(point[axis]) for axis in axes] for point in points if point["verdict"] == severity]
        named = [values[0] if len(values) == 1 else f"({', '.join(values)})" for values in found]
        if named:
            shown = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
            verb = severity if len(named) > 1 else f"{severity}s"
            sentence = f"{len(named)} of {len(points)} fits by {' and '.join(axes)} {verb}: {shown}."
            reasons.append(Reason(severity, "points", "", sentence))
    return reasons
