"""How far outcomes are from what each fit expects: root mean square errors, in sample and
leave-one-out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import xarray as xr

from tadpool.evaluation import loo_predictive, rmse
from tadpool.formatting import MISSING, among, an, decimals_for, listed, number, plural
from tadpool.reporting.fit_view import Fit, draws, families
from tadpool.reporting.html.tables import Column, Table
from tadpool.reporting.sections.conclusions import MANY_UNRELIABLE

MOST_CELLS = 40_000_000


@dataclass(frozen=True)
class Row:
    """The errors of one fit for one outcome. left_out: None where there is no log likelihood for
    every draw. r2: leave-one-out, with its interval; None where the error is not known.

    groups: group -> the error in rows of members that were left out; None where this fit was not
    asked.
    """

    fit: Fit
    outcome: str
    inside: rmse.Error
    left_out: rmse.Error | None
    r2: tuple[float, float, float] | None
    groups: dict[str, rmse.Error | None]
    unreliable: int
    units: int
    draws: int

    @property
    def label(self) -> str:
        failed = len(self.fit.failed_members)
        return f"{self.fit.label} ({failed} of {self.fit.members} separate fits failed)" if failed else self.fit.label


def _cell(error: rmse.Error | None) -> str:
    return _shown(error) if error else MISSING


def _share(r2: tuple[float, float, float] | None) -> str:
    return "{} ({} to {})".format(*(number(each, 2) for each in r2)) if r2 else MISSING


COLUMNS = (
    Column("Model", attrgetter("label"), number=False),
    Column("Outcome", attrgetter("outcome"), number=False),
    Column("In sample", lambda row: _cell(row.inside)),
    Column("Leave-one-out", lambda row: _cell(row.left_out)),
    Column("LOO-R²", lambda row: _share(row.r2)),
)
LAST_COLUMNS = (
    Column("Unreliable units", lambda row: among(row.unreliable, row.units) if row.units else MISSING),
    Column("Predictive draws", lambda row: str(row.draws)),
)


@dataclass(frozen=True)
class Accuracies:
    """rows: one per fit and outcome. sentences: what they show. units: of the outcomes, in
    words."""

    rows: list[Row]
    sentences: list[str]
    units: list[str]

    @property
    def table(self) -> Table:
        """The first two columns are words; each group that was left out has a column."""
        groups = [
            Column(f"New {group}", lambda row, group=group: _cell(row.groups[group])) for group in self.rows[0].groups
        ]
        return Table((*COLUMNS, *groups, *LAST_COLUMNS), self.rows)


def accuracies(all_fits: Sequence[Fit]) -> Accuracies | None:
    """The errors of every fit that did not fail; None where no outcome has a mean on its own scale.

    Separate fits are kept where some of them failed: the rows of these are few, and the table says
    how many they are.
    """
    rows = [row for fit in all_fits if fit.usable and (fit.members or not fit.failed) for row in _rows(fit)]
    if not rows:
        return None
    outcomes = list(dict.fromkeys(row.outcome for row in rows))
    data = rows[0].fit.results.data
    stated = {outcome: str(data[outcome].attrs.get("units", "")) for outcome in outcomes}
    units = [f"{name}{'' if own.startswith('per ') else ' in'} {own}" for name, own in stated.items() if own]
    sentences = [
        words for outcome in outcomes for words in _sentences(outcome, [row for row in rows if row.outcome == outcome])
    ]
    sentences += _trials(rows[0].fit)
    return Accuracies(rows, sentences, units)


def other_best(found: Accuracies | None, entries: Sequence[str], best: str, group: str) -> str:
    """That for rows of new members of a group another of these entries has the smaller error than
    the one of the largest elpd, beyond Monte Carlo error; "" where none has."""
    errors = {
        row.fit.entry: (row.label, row.groups[group])
        for row in (found.rows if found else [])
        if row.fit.entry in entries and row.groups.get(group) and _known(row.groups[group])
    }
    if best not in errors or len({row.outcome for row in found.rows}) > 1:
        return ""
    label, least = min(errors.values(), key=lambda each: each[1].rmse)
    own_label, own = errors[best]
    if own.rmse - least.rmse < 2 * float(np.hypot(own.mcse, least.mcse)) or own is least:
        return ""
    return (
        f"By root mean square error {label} is better ({_rounded(least.rmse, least)} against {_rounded(own.rmse, own)} for "
        f"{own_label}): what {own_label} gains is how wide and how dependent its predictions are, not their means."
    )


def _rows(fit: Fit) -> Iterator[Row]:
    kinds = families(fit.results, fit.entry)
    outcomes = [name for name in fit.results.config["outcomes"] if rmse.has_numeric_mean(kinds.get(name, ""))]
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
    gate = fit.results.config["observed_where"].get(outcome)
    counts = np.broadcast_to(_counts(data, gate, observed.ndim), observed.shape)
    inside = rmse.root_mean_square_error(observed[counts], values[:, :, counts])
    held_out = _leave_one_out(fit, predicted, rest, counts)
    error = rmse.root_mean_square_error(observed[counts], *held_out) if held_out else None
    varies = error is not None and _known(error) and np.ptp(observed[counts]) > 0
    r2 = rmse.leave_one_out_r2(observed[counts], *held_out) if varies else None
    doubtful = _doubtful(fit)
    groups = {group: _leave_group_out(fit, outcome, group, rest, counts) for group in fit.results.groups_left_out}
    return Row(fit, outcome, inside, error, r2, groups, *doubtful, values.shape[0] * values.shape[1])


def _leave_one_out(
    fit: Fit, predicted: xr.DataArray, rest: Sequence[str], counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Draws (chain, draw, values) of outcomes without their unit, and their log weights."""
    loo, stored = fit.results.loo(fit.entry), draws(fit.results, fit.entry, "log_likelihood")
    if "loo" not in loo.children or not stored:
        return None
    (scores,) = stored.data_vars.values()
    unit = fit.results.config["unit"]
    drawn, weights = loo_predictive.leave_one_out(predicted, scores, loo, unit)
    values = drawn.transpose("chain", "draw", unit, *rest).values.astype(float)
    weights = np.moveaxis(weights, 0, 2)
    weights = np.broadcast_to(weights.reshape(*weights.shape, *[1] * len(rest)), values.shape)
    return values[:, :, counts], weights[:, :, counts]


def _leave_group_out(fit: Fit, outcome: str, group: str, rest: Sequence[str], counts: np.ndarray) -> rmse.Error | None:
    """Over the rows of the members that were left out."""
    tree, unit = fit.results.loo_of_group(fit.entry, group), fit.results.config["unit"]
    if tree is None or "predictive" not in tree.children:
        return None
    drawn = tree["predictive"][outcome]
    rows = fit.results.data.get_index(unit).get_indexer(drawn[unit].values)
    observed = fit.results.data[outcome].transpose(unit, *rest).values.astype(float)[rows]
    values = drawn.transpose("chain", "draw", unit, *rest).values.astype(float)
    return rmse.root_mean_square_error(observed[counts[rows]], values[:, :, counts[rows]])


def _counts(data: xr.Dataset, gate: str | None, ndim: int) -> np.ndarray:
    """Which units count: those where the variable `gate` is not 0."""
    if gate is None:
        return np.ones([1] * ndim, bool)
    return (data[gate].values != 0).reshape(-1, *[1] * (ndim - 1))


def _doubtful(fit: Fit) -> tuple[int, int]:
    """How many units have a score that cannot be trusted, and how many there are."""
    tree = fit.results.loo(fit.entry)
    if "loo" not in tree.children:
        return 0, 0
    return tree["loo"]["total_doubtful"].item(), tree["loo"]["elpd"].size


def _known(error: rmse.Error) -> bool:
    """Whether the draws determine it: predictions with heavy tails may have no mean that draws can
    estimate."""
    return error.mcse < error.rmse / 2


def _shown(error: rmse.Error) -> str:
    return "unstable" if not _known(error) else f"{_rounded(error.rmse, error)} ± {_rounded(error.mcse, error)}"


def _rounded(value: float, error: rmse.Error) -> str:
    """To the first digit that its Monte Carlo error changes."""
    return number(value, decimals_for(error.mcse or error.rmse, 1 if error.mcse else 3))


def _sentences(outcome: str, rows: Sequence[Row]) -> Iterator[str]:
    inside = [(row.label, row.inside) for row in rows]
    left_out = [(row.fit.label, row.left_out) for row in rows if row.left_out]
    doubtful = [row for row in rows if row.left_out and row.unreliable > MANY_UNRELIABLE * row.units]
    yield from _ranking(f"In-sample RMSE of {outcome}", inside)
    yield from _ranking(f"Leave-one-out RMSE of {outcome}{', at face value' if doubtful else ''}", left_out)
    for group in rows[0].groups:
        held_out = [(row.fit.label, row.groups[group]) for row in rows if row.groups[group]]
        yield from _ranking(f"RMSE of {outcome} for {plural(group)} held out entirely", held_out)
    if doubtful:
        parts = [f"{among(row.unreliable, row.units)} for {row.fit.label}" for row in doubtful]
        yield f"Too many of these leave-one-out means are unreliable: {listed(parts)}."
        return
    growth = [
        (row.left_out.rmse / row.inside.rmse - 1, row.fit.label) for row in rows if row.left_out and row.inside.rmse
    ]
    fit = rows[0].fit
    if fit.results.config["unit"] in fit.results.config["groups"] and growth:
        unit = fit.results.config["unit"]
        yield (
            f"In sample each {unit}'s own effect is known; held out, the {unit} is a new one, so the error rises by what "
            f"{plural(unit)} differ by. That is no sign of overfitting."
        )
    elif len(growth) > 1:
        (least, first), (most, last) = min(growth), max(growth)
        yield (
            f"Holding each row out raises the RMSE by {number(100 * least, 1)} % ({first}) to {number(100 * most, 1)} % "
            f"({last})."
        )


def _trials(fit: Fit) -> Iterator[str]:
    """That errors of successes are in successes, where numbers of trials differ."""
    name = fit.design.trials if fit.design else None
    if name and np.ptp(fit.results.data[name].values):
        unit = fit.design.unit
        yield f"Errors of {fit.design.outcome} are counts, so {an(unit)} with large {name} weighs more than one with small."


def _ranking(what: str, errors: Sequence[tuple[str, rmse.Error]]) -> Iterator[str]:
    if not errors:
        return
    unknown = listed([name for name, error in errors if not _known(error)])
    if unknown:
        yield f"{what} could not be computed for {unknown}: the predictive draws are too heavy-tailed for a stable mean."
    errors = [(name, error) for name, error in errors if _known(error)]
    if not errors:
        return
    ordered = sorted(errors, key=lambda pair: pair[1].rmse)
    (label, best), others = ordered[0], ordered[1:]
    yield f"{what}: {listed([f'{_rounded(error.rmse, error)} ({name})' for name, error in ordered])}."
    near = [name for name, error in others if error.rmse - best.rmse < 2 * float(np.hypot(error.mcse, best.mcse))]
    if near:
        yield f"The differences between {listed([label, *near])} are within their Monte Carlo error."
