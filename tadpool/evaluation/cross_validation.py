"""Leave-one-out and leave-one-group-out cross-validation of a fit, written as loo.nc and
logo_<group>.nc.

Units are scored by PSIS. Those whose Pareto k says that PSIS may be off, and those that are all the
data of a member of a group, are scored by a fit of their own without them. Where these cost more
than the budget, only units that PSIS cannot score at all are fitted again, several left out at once
if need be (K-fold). Groups are always left out by fitting again. The cost is counted, in leapfrog
steps x rows, and never timed, so that it decides the same on every machine.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tadpool import seeds, sweep_axes
from tadpool.evaluation import elpd
from tadpool.evaluation.folds import Fold
from tadpool.evaluation.main_fit import MainFit
from tadpool.files import contracts, io
from tadpool.fitting.job import Job
from tadpool.fitting.sampling import thinned
from tadpool.modelling.entry import Entry

EXACT_K = 0.5
"""Above it the importance ratios have no finite variance, and PSIS is off by a bias that few draws
do not show."""

Scored = tuple[dict[str, xr.Dataset], dict[str, Any]]
"""Groups of loo.nc by name, and the plan that was followed."""


def cross_validate(
    job: Job,
    entry: Entry,
    *,
    over: sweep_axes.Over | None,
    budget: float,
    group: str | None = None,
    members: int | None = None,
    folds: int | None = None,
) -> None:
    """Write the scores of a fit, or of every point of a sweep, on held-out data into `job.output`
    (contracts.LOO).

    A fit that failed or crashed gives a file without numbers that says so; values of a sweep that
    failed are left out. A job that samples only a share of the refits writes nothing.

    Args:
        job: Reads `data` and `fit`.
        entry: The entry that was fitted.
        over: What varies, if it was a sweep.
        budget: Leapfrog steps x rows that all refits may cost before several parts are left out at
            once; 0 for no refits of units.
        group: A group whose members are left out in place of units.
        members: How many of them, chosen at random; by default all.
        folds: Number of refits for these; by default one for each, as far as the budget allows.
    """
    tree = io.read(job.fit, contracts.SWEEP if over else contracts.FIT)
    status = {"provenance": job.provenance, "status": tree.attrs["status"], "reason": tree.attrs["reason"]}
    if status["status"] != "ok":
        io.write(job.output, xr.DataTree(xr.Dataset(attrs=status)), contracts.LOO)
        return
    fitted = MainFit(_sampled(tree, sweep_axes.dim(over)) if over else tree, job, entry, over)
    scored = by_group(fitted, budget, group, members, folds) if group else by_unit(fitted, budget)
    if scored is None:
        return
    found, plan = scored
    unscored = int(np.isnan(found["loo"]["elpd"]).sum())
    if unscored:
        of = f"{unscored} of {found['loo']['elpd'].size}"
        status |= {
            "status": "failed",
            "reason": f"{of} fits, each without one {group or entry.unit}, reached values that are not finite",
        }
        found = {}
    result = xr.DataTree.from_dict(found)
    result.attrs = {**status, "plan": io.canonical(plan)}
    io.write(job.output, result, contracts.LOO)


def _sampled(tree: xr.DataTree, dim: str) -> xr.DataTree:
    """A sweep without the points at which a chain could not be sampled: its draws are NaN."""
    posterior = tree["posterior"].to_dataset()
    finite = [np.isfinite(draws).all([other for other in draws.dims if other != dim]) for draws in posterior.values()]
    return tree.isel({dim: np.all(finite, axis=0)})


def by_unit(fitted: MainFit, budget: float) -> Scored | None:
    """Every unit scored: the group loo, with `predictive` of the units that were left out, and the
    plan that was followed.

    None in a job that samples only a share of the refits.
    """
    parts, within = zip(*(_psis(fitted, point) for point in fitted.points), strict=True)
    folds, plan = _folds_of_units(fitted, parts, budget)
    groups = {}
    if folds:
        found = fitted.refit(folds)
        if found is None:
            return None
        for number, fold in enumerate(folds):
            if found.finite[number]:
                without = np.moveaxis(found.scores[number], 2, 0)[: len(fold.rows)]
                own = np.stack([within[fold.point][row] for row in fold.rows])
                _replace(parts[fold.point], fold, without, own, plan["exact"], found, number)
        if not fitted.over:
            groups["predictive"] = _predictive(fitted, folds, found)
    parts = [
        part.assign({f"total_{name}": value for name, value in elpd.totals(part, fitted.draws).items()})
        for part in parts
    ]
    if fitted.over:
        along = fitted.posterior[fitted.dim]
        coords = {axis: (fitted.dim, fitted.posterior[axis].values) for axis in sweep_axes.axes(fitted.over)}
        parts = [xr.concat(parts, dim=along.reset_coords(drop=True)).assign_coords(coords)]
    groups["loo"] = parts[0]
    return groups, plan


def _psis(fitted: MainFit, point: Mapping[str, int]) -> tuple[xr.Dataset, dict[int, np.ndarray]]:
    """PSIS of all units of one point, and the log likelihood (chain, draw) of those that may be
    fitted again, by position."""
    efficiency, alone = elpd.relative_efficiency(fitted.posterior.isel(point)), fitted.alone(point)
    parts, kept, first = [], {}, 0
    for block in fitted.log_likelihood(point):
        parts.append(elpd.psis(block, efficiency))
        values = block.transpose(fitted.entry.unit, "chain", "draw").values
        suspect = (parts[-1]["pareto_k"].values > EXACT_K) | alone[first : first + len(values)]
        kept |= {first + int(row): values[row].astype(float) for row in np.flatnonzero(suspect)}
        first += len(values)
    return xr.concat(parts, dim=fitted.entry.unit), kept


def _folds_of_units(fitted: MainFit, parts: Sequence[xr.Dataset], budget: float) -> tuple[list, dict[str, Any]]:
    """The folds of all points, one for each unit or several units to a fold, and the plan that says
    why."""
    costs = [fitted.cost(point) for point in fitted.points]

    def chosen(threshold: float, alone: Sequence[np.ndarray | bool]) -> tuple[list[np.ndarray], float]:
        rows = [
            np.flatnonzero((part["pareto_k"].values > threshold) | own) for part, own in zip(parts, alone, strict=True)
        ]
        return rows, float(sum(len(own) * cost for own, cost in zip(rows, costs, strict=True)))

    threshold = EXACT_K
    rows, cost = chosen(threshold, [fitted.alone(point) for point in fitted.points])
    if cost > budget:
        threshold = elpd.good_k(fitted.draws)
        rows, cost = chosen(threshold, [False] * len(parts))
    plan = {"budget": budget, "cost": cost, "exact": cost <= budget, "above": float(threshold)}
    if not budget:
        return [], plan | {"folds": 0}
    each = sum(cost for own, cost in zip(rows, costs, strict=True) if len(own))
    folds = []
    for point, own in enumerate(rows):
        if plan["exact"]:
            together = own[:, None]
        else:
            value = fitted.labels[point] if fitted.over else None
            shuffled = seeds.generator(**fitted.entry.address, role="folds", point=value).permutation(own)
            together = _split(shuffled, fitted.separate(shuffled), int(budget // each))
        folds += [Fold(tuple(_labels(fitted, part)), part, np.arange(len(part)), point) for part in together]
    return folds, plan | {"folds": len(folds)}


def _split(rows: np.ndarray, fits: np.ndarray, most: int) -> list[np.ndarray]:
    """The rows in `most` parts, none of which spans several fits; two parts of each fit at
    least."""
    members = np.unique(fits)
    parts = []
    for member in members:
        own = rows[fits == member]
        parts += np.array_split(own, min(max(2, most // len(members)), len(own)))
    return [np.sort(part) for part in parts]


def _labels(fitted: MainFit, rows: np.ndarray) -> list:
    return fitted.dataset[fitted.entry.unit].values[rows].tolist()


def _replace(pointwise: xr.Dataset, fold, without, within, alone: bool, found, number: int) -> None:
    """Put the scores (target, chain, draw) of one fold's units in the place of those by PSIS."""
    scored = elpd.bridged(without, within) if alone else elpd.left_out(without)
    lppd = pointwise["p_loo"].values[fold.rows] + pointwise["elpd"].values[fold.rows]
    scored |= {"p_loo": lppd - scored["elpd"], "method": "refit" if alone else "kfold"}
    scored |= {"rhat": found.rhat[number], "diverging": found.diverging[number]}
    for name, values in scored.items():
        pointwise[name].values[fold.rows] = values


def by_group(fitted: MainFit, budget: float, group: str, members: int | None, folds: int | None) -> Scored | None:
    """Members of a group scored, each jointly over its rows: the group loo, `predictive` of their
    rows, and the plan.

    None in a job that samples only a share of the refits.
    """
    index, labels = fitted.dataset[f"{group}_index"].values, fitted.dataset[group].values
    # The same for every entry, so that they are compared on the same members.
    common = fitted.entry.address | {"entry": ""}
    shuffled = seeds.generator(**common, role="members", point=group).permutation(len(labels))
    chosen = shuffled[: members or len(labels)]
    each = fitted.cost({})
    plan = {"budget": budget, "cost": each * len(chosen)}
    count = len(chosen)
    if not fitted.entry.by and (folds or plan["cost"] > budget):  # separate fits leave out one member each as they are
        count = min(folds or max(2, int(budget // each)), len(chosen))
    plan |= {"exact": count == len(chosen), "folds": count, "members": len(chosen), "of": len(labels)}
    together = [np.sort(part) for part in np.array_split(chosen, count)]
    rows = [[np.flatnonzero(index == member) for member in part] for part in together]
    targets = [np.repeat(np.arange(len(part)), [len(own) for own in part]) for part in rows]
    left_out = [
        Fold((group, *labels[part].tolist()), np.concatenate(own), target)
        for part, own, target in zip(together, rows, targets, strict=True)
    ]
    found = fitted.refit(left_out)
    if found is None:
        return None
    order = np.concatenate(together)
    within = _joint(fitted, index, order)
    fold_of = np.repeat(np.arange(count), [len(part) for part in together])
    without = np.concatenate(
        [np.moveaxis(found.scores[i], 2, 0)[: len(part)] for i, part in enumerate(together)], axis=0
    )
    scored = elpd.bridged(without, within) if plan["exact"] else elpd.left_out(without)
    bad = ~found.finite[fold_of]
    columns = {
        "elpd": np.where(bad, np.nan, scored["elpd"]),
        "mcse": np.where(bad, np.nan, scored["mcse"]),
        "pareto_k": np.full(len(order), np.nan),
        "p_loo": elpd.lppd(within) - scored["elpd"],
        "method": np.full(len(order), "refit" if plan["exact"] else "kfold"),
        "rhat": found.rhat[fold_of],
        "diverging": found.diverging[fold_of],
        "rows": np.array([len(own) for part in rows for own in part]),
    }
    scores = xr.Dataset({name: (group, values) for name, values in columns.items()}, coords={group: labels[order]})
    scores = scores.isel({group: np.argsort(order)})
    scores = scores.assign({f"total_{name}": value for name, value in elpd.totals(scores, fitted.draws).items()})
    return {"loo": scores, "predictive": _predictive(fitted, left_out, found)}, plan


def _joint(fitted: MainFit, index: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Log likelihood of each member's rows together (member, chain, draw), at the main fit's
    draws."""
    first, total = 0, 0.0
    for block in fitted.log_likelihood({}):
        values = block.transpose(fitted.entry.unit, "chain", "draw").values.astype(float)
        own = index[first : first + len(values)] == members[:, None]
        total = total + np.einsum("mu,ucd->mcd", own.astype(float), values)
        first += len(values)
    return total


def _predictive(fitted: MainFit, folds: Sequence, found) -> xr.Dataset:
    """Predictions of the rows left out (chain, draw, unit, ...), by the fits without them."""
    rows = np.concatenate([fold.rows for fold in folds])
    order = np.argsort(rows)
    settings, unit = fitted.settings, fitted.entry.unit
    variables = {}
    for name, values in found.predictive.items():
        parts = [values[i, :, :, : len(fold.rows)] for i, fold in enumerate(folds)]
        rest = [dim for dim in fitted.dataset[name].dims if dim != unit]
        variables[name] = (("chain", "draw", unit, *rest), np.concatenate(parts, axis=2)[:, :, order])
    coords = {
        "chain": np.arange(settings["chains"]),
        "draw": thinned(settings["draws"], settings["chains"]),
        unit: fitted.dataset[unit].values[rows[order]],
    }
    return xr.Dataset(variables, coords=coords)
