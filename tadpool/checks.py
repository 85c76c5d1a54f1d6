"""Convergence verdicts: pass, warn or fail, with reasons. A statistic that is missing or not finite is a failure.

Thresholds follow Vehtari et al. (2021), Bayesian Analysis 16:667-718 (R-hat, ESS) and Betancourt (2016), arXiv:1604.00695
(E-BFMI).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats

from tadpool.errors import UserError

RHAT_WARN, RHAT_FAIL = 1.01, 1.05
ESS_WARN_PER_CHAIN, ESS_FAIL_PER_CHAIN = 100, 25
DIVERGING_FAIL = 0.005
TREE_DEPTH_WARN = 0.01
BFMI_WARN, BFMI_FAIL = 0.3, 0.1

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


def check(tree: xr.DataTree) -> dict:
    """The verdict on one fit (dims chain, draw): verdict, reasons, diagnostics, parameters and attempts, ready for JSON."""
    status = tree.attrs["status"]
    if status == "crashed":
        reasons = [Reason("fail", "status", "", f"It crashed: {tree.attrs['reason']}.")]
        return _report(reasons, {}, [])
    posterior, stats = tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()
    reasons = []
    if status != "ok":
        reasons.append(Reason("fail", "status", "", f"Sampling failed: {tree.attrs['reason']}."))
    rows = [row for name in posterior.data_vars for row in _parameters(posterior[name])]
    reasons += [reason for row in rows for reason in _judge(row, posterior.sizes["chain"])]
    diagnostics = sampler_diagnostics(stats)
    reasons += _judge_sampler(diagnostics)
    diagnostics |= _worst(rows)
    return _report(reasons, diagnostics, rows)


def _report(reasons: list[Reason], diagnostics: dict, rows: list[dict]) -> dict:
    return {
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
    for row, index in enumerate(np.ndindex(values.shape[: len(rest)])):
        labels = [
            str(variable[dim].values[i] if dim in variable.coords else i) for dim, i in zip(rest, index, strict=True)
        ]
        name = f"{variable.name}[{', '.join(labels)}]" if rest else str(variable.name)
        kind = variable.attrs.get("site", "latent")
        yield {
            "parameter": name,
            "site": variable.name,
            "kind": kind,
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
    return columns


def _judge(row: dict, chains: int) -> Iterator[Reason]:
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
        yield from _judge_numbers(row, name, chains)


def _judge_numbers(row: dict, name: str, chains: int) -> Iterator[Reason]:
    if row["rhat"] > RHAT_FAIL:
        yield Reason("fail", "rhat", name, f"R-hat of {name} is {row['rhat']:.3f}: the chains disagree.")
    elif row["rhat"] > RHAT_WARN:
        yield Reason("warn", "rhat", name, f"R-hat of {name} is {row['rhat']:.3f}: draw more.")
    for statistic, part in (("ess_bulk", "Bulk"), ("ess_tail", "Tail")):
        if row[statistic] < ESS_WARN_PER_CHAIN * chains:
            severity = "fail" if row[statistic] < ESS_FAIL_PER_CHAIN * chains else "warn"
            yield Reason(
                severity,
                statistic,
                name,
                f"{part} ESS of {name} is {row[statistic]:.0f}, below {ESS_WARN_PER_CHAIN * chains} "
                f"({ESS_WARN_PER_CHAIN} for each of {chains} chains).",
            )


def sampler_diagnostics(stats: xr.Dataset) -> dict[str, float | int | None]:
    """Divergences, saturated trees, E-BFMI, acceptance and leapfrog steps of a fit (dims chain, draw, maybe others)."""
    bfmi = np.atleast_1d(array_stats.bfmi(stats["energy"].transpose(..., "chain", "draw").values))
    numbers = {
        "chains": stats.sizes["chain"],
        "draws": stats.sizes["draw"],
        "transitions": stats["diverging"].size,
        "diverging": int(stats["diverging"].sum()),
        "reached_max_treedepth": int(stats["reached_max_treedepth"].sum()),
        "bfmi_min": float(bfmi.min()),
        "acceptance_rate": float(stats["acceptance_rate"].mean()),
        "n_steps_mean": float(stats["n_steps"].mean()),
    }
    return {name: value if np.isfinite(value) else None for name, value in numbers.items()}


def _judge_sampler(numbers: dict) -> Iterator[Reason]:
    total = numbers["transitions"]
    if numbers["chains"] < 2:
        yield Reason("fail", "chains", "", "One chain alone cannot be checked.")
    if numbers["diverging"]:
        severity = "fail" if numbers["diverging"] > DIVERGING_FAIL * total else "warn"
        yield Reason(severity, "diverging", "", f"{numbers['diverging']} of {total} transitions diverged.")
    if numbers["reached_max_treedepth"] > TREE_DEPTH_WARN * total:
        share = numbers["reached_max_treedepth"] / total
        yield Reason("warn", "tree_depth", "", f"{share:.0%} of trajectories reached the largest tree depth.")
    bfmi = numbers["bfmi_min"]
    if bfmi is None or bfmi < BFMI_FAIL:
        yield Reason("fail", "bfmi", "", f"E-BFMI is {'missing' if bfmi is None else format(bfmi, '.2f')}.")
    elif bfmi < BFMI_WARN:
        yield Reason("warn", "bfmi", "", f"E-BFMI is {bfmi:.2f}, below {BFMI_WARN}: energies are explored slowly.")
    if numbers["acceptance_rate"] is None:
        yield Reason("fail", "acceptance_rate", "", "The acceptance rate is missing.")


def _worst(rows: list[dict]) -> dict[str, float | None]:
    def extreme(statistic, choose):
        values = [row[statistic] for row in rows if row.get(statistic) is not None]
        return choose(values) if values else None

    return {
        "rhat_max": extreme("rhat", max),
        "ess_bulk_min": extreme("ess_bulk", min),
        "ess_tail_min": extreme("ess_tail", min),
    }


def check_points(tree: xr.DataTree, dim: str, whole: bool = False) -> dict:
    """Verdicts of all points of a sweep, or of fits to separate groups: the worst one, and a report for each point.

    Only latent sites are judged at each point: the others are functions of them, and there are many points. whole: report
    on all points together too, as on one fit.
    """
    together = check(tree) if whole or tree.attrs["status"] == "crashed" else {"reasons": []}
    if tree.attrs["status"] == "crashed":
        return together | {"points": []}
    points = []
    for position, value in enumerate(tree["posterior"][dim].values):
        groups = {name: tree[name].to_dataset().isel({dim: position}) for name in ("posterior", "sample_stats")}
        groups["posterior"] = groups["posterior"].filter_by_attrs(site="latent").drop_vars(dim)
        point = xr.DataTree.from_dict(groups)
        point.attrs.update(status="ok")
        points.append({dim: value.item(), **check(point)})
    reasons = _counted(points, dim)
    if tree.attrs["status"] != "ok":
        reasons.insert(0, Reason("fail", "status", "", f"Sampling failed: {tree.attrs['reason']}."))
    return {
        **together,
        "verdict": verdict(reasons),
        "reasons": [asdict(reason) for reason in reasons],
        "points": points,
    }


def _counted(points: list[dict], dim: str) -> list[Reason]:
    """One reason for all points of each severity, the first few of them named."""
    reasons = []
    for severity in ("fail", "warn"):
        named = [str(point[dim]) for point in points if point["verdict"] == severity]
        if named:
            shown = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
            verb = severity if len(named) > 1 else f"{severity}s"
            sentence = f"{len(named)} of {len(points)} fits by {dim} {verb}: {shown}."
            reasons.append(Reason(severity, "points", "", sentence))
    return reasons


MENDS = {
    "rhat": "Draw more, or look for separate modes.",
    "ess_bulk": "Draw more.",
    "ess_tail": "Draw more.",
    "diverging": "Raise target_accept, or reparametrize the model.",
    "points": "Look at the points that failed.",
}


def gate(reports: list[dict], expected: dict[str, dict], others: Mapping[str, str] | None = None) -> dict[str, str]:
    """The verdicts by "study/entry". Raises UserError that lists fits that are worse, or better, than expected.

    others: path -> why it has no numbers, of results beside the fits, such as predictions.
    """
    problems, failed = [], []
    for report in reports:
        name, found = f"{report['study']}/{report['entry']}", report["verdict"]
        failed += [name] if found == "fail" else []
        if name not in expected and found == "fail":
            reason = report["reasons"][0]
            mend = MENDS.get(reason["statistic"], "Mend the model or its data.")
            problems.append(f"results/{name} failed: {reason['sentence']} {mend}")
        elif name in expected and found != expected[name]["verdict"]:
            problems.append(
                f"results/{name}: the verdict is {found}, the study expects {expected[name]['verdict']}; "
                "mend the fit or the study's `expect`"
            )
    for path, why in (others or {}).items():
        if not any(path.startswith(f"results/{name}/") for name in failed):
            problems.append(f"{path} has no numbers: {why}")
    if problems:
        raise UserError("\n".join(problems))
    return {f"{report['study']}/{report['entry']}": report["verdict"] for report in reports}
