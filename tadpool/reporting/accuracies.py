"""How far outcomes are from what each fit expects: root mean square errors, in sample and leave-one-out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tadpool import accuracy
from tadpool.reporting.fits import Fit, draws, families
from tadpool.reporting.formatting import MISSING, listed, number, scaled

MOST_CELLS = 40_000_000
HEADINGS = ("Model", "Outcome", "In sample", "Leave-one-out", "Pareto k too high", "Predictive draws")


@dataclass(frozen=True)
class Row:
    """The errors of one fit for one outcome. left_out: None where there is no log likelihood for every draw."""

    fit: Fit
    outcome: str
    inside: accuracy.Error
    left_out: accuracy.Error | None
    unreliable: str
    draws: int

    @property
    def cells(self) -> list[str]:
        errors = [_shown(error) if error else MISSING for error in (self.inside, self.left_out)]
        return [self.fit.label, self.outcome, *errors, self.unreliable, str(self.draws)]


@dataclass(frozen=True)
class Accuracies:
    """rows: one per fit and outcome. sentences: what they show. units: of the outcomes, in words."""

    rows: list[Row]
    sentences: list[str]
    units: list[str]


def accuracies(all_fits: Sequence[Fit]) -> Accuracies | None:
    """The errors of every fit that did not fail; None where no outcome has a mean on its own scale."""
    rows = [row for fit in all_fits if not fit.failed for row in _rows(fit)]
    if not rows:
        return None
    outcomes = list(dict.fromkeys(row.outcome for row in rows))
    data = rows[0].fit.results.data
    units = [f"{outcome} in {data[outcome].attrs['units']}" for outcome in outcomes if data[outcome].attrs.get("units")]
    sentences = [
        words for outcome in outcomes for words in _sentences(outcome, [row for row in rows if row.outcome == outcome])
    ]
    return Accuracies(rows, sentences, units)


def _rows(fit: Fit) -> Iterator[Row]:
    kinds = families(fit.results, fit.entry)
    outcomes = [name for name in fit.results.config["outcomes"] if accuracy.has_numeric_mean(kinds.get(name, ""))]
    if not outcomes:
        return
    predictive = draws(fit.results, fit.entry, "posterior_predictive", outcomes)
    for outcome in outcomes:
        if outcome in predictive and predictive[outcome].size <= MOST_CELLS:
            yield _row(fit, outcome, predictive[outcome])


def _row(fit: Fit, outcome: str, predicted: xr.DataArray) -> Row:
    unit, data = fit.results.config["unit"], fit.results.data
    rest = [dim for dim in data[outcome].dims if dim != unit]
    values = predicted.transpose("chain", "draw", unit, *rest).values.astype(float)
    observed = data[outcome].transpose(unit, *rest).values.astype(float)
    gate = fit.results.config["only_where"].get(outcome)
    counts = np.broadcast_to(_counts(data, gate, observed.ndim), observed.shape)
    inside = accuracy.root_mean_square_error(observed[counts], values[:, :, counts])
    scores = _log_likelihood(fit, predicted["draw"].values)
    left_out = None
    if scores is not None:
        weights = accuracy.leave_one_out_log_weights(scores)
        weights = np.broadcast_to(weights.reshape(*weights.shape, *[1] * len(rest)), values.shape)
        left_out = accuracy.root_mean_square_error(observed[counts], values[:, :, counts], weights[:, :, counts])
    return Row(fit, outcome, inside, left_out, _unreliable(fit), values.shape[0] * values.shape[1])


def _counts(data: xr.Dataset, gate: str | None, ndim: int) -> np.ndarray:
    """Which units count: those where the variable `gate` is not 0."""
    if gate is None:
        return np.ones([1] * ndim, bool)
    return (data[gate].values != 0).reshape(-1, *[1] * (ndim - 1))


def _log_likelihood(fit: Fit, kept: np.ndarray) -> np.ndarray | None:
    """(chain, draw, unit) at the draws that the predictions were made from; None where it was not stored."""
    found = draws(fit.results, fit.entry, "log_likelihood")
    for variable in found.data_vars.values():
        ordered = variable.transpose("chain", "draw", fit.results.config["unit"])
        return ordered.sel(draw=kept).values.astype(float)
    return None


def _unreliable(fit: Fit) -> str:
    tree = fit.results.loo(fit.entry)
    if "loo" not in tree.children:
        return MISSING
    loo = tree["loo"].to_dataset()
    return f"{int((loo['pareto_k'] > loo['total_good_k']).sum())} of {loo['pareto_k'].size}"


def _shown(error: accuracy.Error) -> str:
    """The error and its Monte Carlo error, to two digits of the latter."""
    digits = error.mcse * 10 or error.rmse
    return f"{scaled(error.rmse, digits)} ± {scaled(error.mcse, digits)}"


def _sentences(outcome: str, rows: Sequence[Row]) -> Iterator[str]:
    inside = [(row.fit.label, row.inside) for row in rows]
    left_out = [(row.fit.label, row.left_out) for row in rows if row.left_out]
    yield from _ranked(f"In sample, {outcome}", inside)
    yield from _ranked(f"Where its row is left out, {outcome}", left_out)
    growth = [
        (row.left_out.rmse / row.inside.rmse - 1, row.fit.label) for row in rows if row.left_out and row.inside.rmse
    ]
    if len(growth) > 1:
        (least, first), (most, last) = min(growth), max(growth)
        yield (
            f"Leaving the row out raises the error by {number(100 * least, 1)} % with {first} and by "
            f"{number(100 * most, 1)} % with {last}: the more a model bends to single rows, the more."
        )


def _ranked(what: str, errors: Sequence[tuple[str, accuracy.Error]]) -> Iterator[str]:
    if not errors:
        return
    ordered = sorted(errors, key=lambda pair: pair[1].rmse)
    (label, best), others = ordered[0], ordered[1:]
    sizes = [f"{scaled(error.rmse, error.mcse * 10 or error.rmse)} with {name}" for name, error in ordered]
    yield f"{what} is off by {listed(sizes)} (root mean square)."
    near = [name for name, error in others if error.rmse - best.rmse < 2 * float(np.hypot(error.mcse, best.mcse))]
    if near:
        yield f"Between {listed([label, *near])} the difference is not larger than its Monte Carlo error allows to tell."
