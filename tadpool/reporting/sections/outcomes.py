"""Outcomes as they were observed: over all rows, and by the levels of groups and predictors."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import xarray as xr

from tadpool.figures._style import first_level
from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING, measured, number, whole
from tadpool.reporting.html.tables import Column, Table
from tadpool.reporting.sections.data import FEW_LEVELS, apart, levels, shown


@dataclass(frozen=True)
class Values:
    """The finite values of an outcome in rows that have a name. counts: whether whole numbers are
    counts, not yes and no, levels, or successes of different numbers of trials."""

    name: str
    values: np.ndarray
    counts: bool = True

    @property
    def mean(self) -> float | None:
        return self.values.mean() if self.values.size else None

    @property
    def variance(self) -> float | None:
        return self.values.var(ddof=1) if self.values.size > 1 else None

    @property
    def dispersion(self) -> float | None:
        """Variance / mean of counts; None of other outcomes."""
        if self.values.dtype.kind not in "iu" or self.variance is None or self.values.min() < 0 or not self.mean:
            return None
        if not self.counts:
            return None
        return self.variance / self.mean


def _quantile(heading: str, share: float) -> Column:
    return Column(
        heading, lambda it: apart(np.quantile(it.values, share).item(), it.values) if it.values.size else MISSING
    )


COUNT = Column("count", lambda it: whole(it.values.size))


MEAN = Column("mean", lambda it: measured(it.mean, scale=it.values.std() if it.values.size else None))


VARIANCE = Column("variance", lambda it: measured(it.variance))


MINIMUM, MEDIAN, MAXIMUM = _quantile("min", 0.0), _quantile("median", 0.5), _quantile("max", 1.0)


OUTCOME_COLUMNS = (
    Column("Outcome", attrgetter("name"), number=False),
    COUNT,
    MEAN,
    Column("sd", lambda it: measured(None if it.variance is None else np.sqrt(it.variance))),
    VARIANCE,
    MINIMUM,
    _quantile("25 %", 0.25),
    MEDIAN,
    _quantile("75 %", 0.75),
    MAXIMUM,
    Column("variance / mean", lambda it: number(it.dispersion, 3)),
)


LEVEL_COLUMNS = (COUNT, MINIMUM, MEDIAN, MAXIMUM, MEAN, VARIANCE)


@dataclass(frozen=True)
class ByLevel:
    """An outcome by the levels of a group or a categorical variable; one row per level."""

    outcome: str
    by: str
    table: Table


def _observed(results: StudyResults, outcome: str) -> xr.DataArray:
    """An outcome where it is defined: only where its gate, if it has one, is not 0."""
    gate, values = results.config["observed_where"].get(outcome), results.data[outcome]
    if gate is None:
        return values
    defined, full = xr.broadcast(results.data[gate] != 0, values)
    kept = full.values[defined.transpose(*full.dims).values]
    return xr.DataArray(kept, dims=["value"], attrs=values.attrs, name=outcome)


def _where(results: StudyResults, outcome: str) -> str:
    gate = results.config["observed_where"].get(outcome)
    return outcome if gate is None else f"{outcome} where {gate} is not 0"


def _is_count(results: StudyResults, outcome: str) -> bool:
    """Whether an outcome may be a count without an upper limit: not 0 or 1, not levels, and without
    a variable that it is never above (as successes are of trials)."""
    variable = results.data[outcome]
    values = variable.values
    if variable.dtype.kind not in "iu" or first_level(variable) or np.isin(values, (0, 1)).all():
        return False
    others = [other for name, other in results.data.items() if name not in results.config["outcomes"]]
    return not any(
        other.dims == variable.dims and other.dtype.kind in "iu" and not str(other.name).endswith("_index")
        and (other.values >= values).all()
        for other in others
    )  # fmt: skip


def any_counts(results: StudyResults) -> bool:
    """Whether an outcome is a count."""
    return any(_is_count(results, name) for name in results.config["outcomes"])


def outcome_summaries(results: StudyResults) -> Table:
    """One row per outcome, with its values of all rows."""
    rows = [
        Values(_where(results, name), shown(_observed(results, name)), _is_count(results, name))
        for name in results.config["outcomes"]
    ]
    return Table(OUTCOME_COLUMNS, rows)


def outcomes_by_level(results: StudyResults) -> list[ByLevel]:
    """Every outcome by every group that has more than one row in some member, and by every
    categorical variable."""
    data = results.data
    return [
        ByLevel(outcome, by, _table(by, data[outcome], along, words))
        for outcome in results.config["outcomes"]
        for by, along, words in _groupings(data, results.config["outcomes"])
        if along.dims[0] in data[outcome].dims
    ]


def _groupings(data: xr.Dataset, outcomes: list[str]) -> Iterator[tuple[str, xr.DataArray, dict[int, str]]]:
    """Name, the value of each row (one dim), and the name of each value."""
    for name, variable in data.items():
        name = str(name)
        if name in outcomes or variable.ndim != 1 or variable.dtype.kind not in "iub":
            continue
        group = name.removesuffix("_index")
        if name.endswith("_index") and group in data.coords:
            yield group, variable, dict(enumerate(map(str, data[group].values)))
        elif not name.endswith("_index") and len(values := np.unique(variable.values)) <= FEW_LEVELS:
            words = {value: str(value) for value in values.tolist()} | levels(variable)
            yield str(variable.attrs.get("long_name", name)), variable, words


def _table(by: str, outcome: xr.DataArray, along: xr.DataArray, words: dict[int, str]) -> Table:
    dim = along.dims[0]
    rows = [
        Values(word, shown(outcome.isel({dim: np.flatnonzero(along.values == value)}))) for value, word in words.items()
    ]
    return Table((Column(by, attrgetter("name"), number=False), *LEVEL_COLUMNS), rows)
