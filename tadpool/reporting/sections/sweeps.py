"""What a sweep shows: the score of each point, the best one, and the posterior it is compared
with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from tadpool import sweep_axes
from tadpool.evaluation import sweep_scores
from tadpool.files.results import StudyResults
from tadpool.formatting import among, counted, difference, general, listed, number, scaled, span, whole
from tadpool.reporting.html.tables import Cell, Column, Table
from tadpool.reporting.sections import convergence

NAMED = 3


def _unreliable(point: Mapping[str, Any]) -> Cell:
    return Cell(among(point["unreliable"], point["units"]), "warn" if point["unreliable"] else "")


COLUMNS = (
    Column("Verdict", lambda point: Cell(point["verdict"], badge=point["verdict"]), number=False),
    Column("elpd", lambda point: number(point["elpd"])),
    Column("SE", lambda point: number(point["se"])),
    Column("MCSE", lambda point: number(point["mcse"])),
    Column("Unreliable", _unreliable),
    *(Column(it.heading, lambda point, it=it: it.cell(point["check"])) for it in convergence.DIAGNOSTIC_COLUMNS),
)


@dataclass(frozen=True)
class Sweep:
    """A sweep: what varies, its verdict, its points, and what it shows in sentences."""

    name: str
    axes: list[str]
    over: str
    entry_label: str
    check: Mapping[str, Any]
    points: list[dict[str, Any]]
    sentences: list[str]
    doubtful: bool

    @property
    def table(self) -> Table:
        """A row for each point."""
        axes = (
            Column(axis, lambda point, at=at: general(point["values"][at], 4), own=True)
            for at, axis in enumerate(self.axes)
        )
        return Table((*axes, *COLUMNS), self.points, failed=lambda point: point["verdict"] == "fail")


def sweep(results: StudyResults, name: str) -> Sweep:
    """The sweep of that name, read from its check.json and loo.nc."""
    config = results.config["sweeps"][name]
    over, names = config["over"], sweep_axes.axes(config["over"])
    check, tree = results.sweep_check(name), results.sweep_loo(name)
    loo = tree["loo"].to_dataset() if "loo" in tree.children else None
    scores = None if loo is None else sweep_scores.table(loo, over, check["points"])
    points = [_point(point, names, scores) for point in check["points"]]
    sentences, doubtful = _findings(over, scores, points)
    sentences += _refitted(over, loo) if loo is not None and sweep_axes.compared(over) else []
    if overlay := config["overlay"]:
        sentences += _overlay(results, overlay)
    words = " and ".join(names)
    return Sweep(name, names, words, results.label(config["entry"]), check, points, sentences, doubtful)


def _point(point: Mapping[str, Any], names: list[str], scores: pd.DataFrame | None) -> dict[str, Any]:
    row = {"values": [point[axis] for axis in names], "name": point_name(names, [point[axis] for axis in names])}
    row |= {"verdict": point["verdict"], "reasons": point["reasons"], "check": point}
    nothing = {"elpd": None, "se": None, "mcse": None, "unreliable": 0, "units": 0}
    if scores is None or point["verdict"] == "fail":
        return row | nothing
    here = scores[(scores[names] == row["values"]).all(axis=1)]
    if here.empty:
        return row | nothing
    (own,) = here.to_dict("records")
    return (
        row
        | {key: own[key] for key in ("elpd", "se", "mcse")}
        | {"unreliable": own["untrusted"], "units": own["n_units"]}
    )


def point_name(names: list[str], values: list[float]) -> str:
    """`sigma = 1` or `sigma = 1, tau = 2`."""
    return ", ".join(f"{name} = {general(value, 4)}" for name, value in zip(names, values, strict=True))


def _findings(
    over: sweep_axes.Over, scores: pd.DataFrame | None, points: list[dict[str, Any]]
) -> tuple[list[str], bool]:
    usable = None if scores is None else scores[~scores["failed"]]
    words = " and ".join(sweep_axes.axes(over))
    if usable is None or usable.empty:
        return [f"No value of {words} can be called best: no point has usable numbers."], True
    sentences, doubtful = _best(over, usable) if sweep_axes.compared(over) else _not_compared(words, usable)
    failed = [point["name"] for point in points if point["verdict"] == "fail"]
    if len(failed) > NAMED:
        sentences.append(f"The fits at {len(failed)} of {counted(len(points), 'point')} failed and are left out.")
    elif failed:
        sentences.append(f"The fits at {listed(failed)} failed and are left out.")
    return sentences, doubtful


def _not_compared(words: str, usable: pd.DataFrame) -> tuple[list[str], bool]:
    low, high = ((usable["elpd"] / usable["n_units"]).agg(end) for end in ("min", "max"))
    return [
        f"New data are simulated at each value of {words}, so scores are not compared between points and none is "
        f"best; the elpd per unit is {number(low)} to {number(high)}."
    ], False


def _best(over: sweep_axes.Over, usable: pd.DataFrame) -> tuple[list[str], bool]:
    names = sweep_axes.axes(over)
    (best,) = usable[usable["best"]].to_dict("records")
    ties = usable[usable["tie"]]
    doubtful = best["untrusted"] > 0
    sentences = [
        f"{'At face value, the' if doubtful else 'The'} elpd is largest, {difference(best['elpd'], best['se'])}, at "
        f"{point_name(names, [best[axis] for axis in names])}. {_region(names, ties, len(usable))} ({sweep_scores.TIE})."
    ]
    if len(sweep_axes.of_kind(over, sweep_axes.SAMPLER)) == len(names):
        sentences.append(
            "Settings of the sampler change how well it samples, not the model, so all scores should agree."
        )
    if doubtful:
        sentences.append(
            f"At that point the scores of {best['untrusted']} of {counted(best['n_units'], 'unit')} are unreliable, and so is "
            "the location of the optimum."
        )
    return sentences, doubtful


def _region(names: list[str], ties: pd.DataFrame, count: int) -> str:
    spans = [span(float(ties[axis].min()), float(ties[axis].max()), 4) for axis in names]
    if len(ties) == 1:
        return "All other values predict worse"
    if len(names) == 1:
        return f"Values from {spans[0]} are about equal to it, or too close to call"
    within = listed([f"{axis} from {each}" for axis, each in zip(names, spans, strict=True)])
    return f"{len(ties)} of {counted(count, 'point')} are about equal to it, or too close to call, with {within}"


def _refitted(over: sweep_axes.Over, loo: xr.Dataset) -> list[str]:
    """Where PSIS alone would have put the optimum."""
    refits = int((loo["method"] != "psis").sum())
    if not refits:
        return []
    psis = loo["elpd_psis"].sum([dim for dim in loo["elpd_psis"].dims if dim not in loo["total_elpd"].dims])
    here = loo.isel({sweep_axes.dim(over): int(psis.values.argmax())})
    at = point_name(sweep_axes.axes(over), [here[axis].item() for axis in sweep_axes.axes(over)])
    excess = float((psis - loo["total_elpd"]).max())
    return [
        f"{counted(refits, 'score')} of {whole(loo['pareto_k'].size)} come from refits without the unit. PSIS alone would "
        f"overestimate the elpd by up to {number(excess, 1)} and would put the optimum at {at}."
    ]


def _overlay(results: StudyResults, overlay: Mapping[str, Any]) -> list[str]:
    check, label = results.check(overlay["entry"]), results.label(overlay["entry"])
    found = {row["parameter"]: row for row in check["parameters"]}
    sites = sweep_axes.axes(overlay["site"])
    if check["verdict"] == "fail" or not set(sites) <= set(found):
        return [f"{label} has no usable posterior of {listed(sites)} to compare with."]
    sentences = []
    for site in sites:
        row = found[site]
        mean, low, high = (scaled(row[key], row["sd"]) for key in ("mean", "eti89_low", "eti89_high"))
        sentences.append(f"The posterior of {site} in {label} has mean {mean} and 89 % interval {low} to {high}.")
    return sentences
