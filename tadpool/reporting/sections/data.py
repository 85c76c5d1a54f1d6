"""What a page says of a study's data: its design, its outcomes, and its outcomes by group."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np
import xarray as xr

from tadpool.figures._style import first_level
from tadpool.files import plugins
from tadpool.files.results import StudyResults
from tadpool.formatting import (
    MISSING,
    counted,
    digits_for,
    first_of,
    general,
    listed,
    measured,
    number,
    sentence,
    whole,
)
from tadpool.loading.remarks import Remark, of_data
from tadpool.loading.sources import ROLES
from tadpool.reporting.html import docstrings
from tadpool.reporting.html.tables import Column, Table

FEW_LEVELS = 6
MOST_UNUSED = 12


@dataclass(frozen=True)
class Variable:
    """A variable of the data and its role."""

    data: xr.DataArray
    role: str

    @cached_property
    def numbers(self) -> np.ndarray:
        """Its finite values; none of words and of indices."""
        is_number = self.data.dtype.kind in "iufb" and self.role != "index"
        return _shown(self.data) if is_number else np.array([])

    @property
    def missing(self) -> int:
        """How many of its values are missing."""
        return self.data.size - _finite(self.data.values).size if self.data.dtype.kind == "f" else 0

    @property
    def range(self) -> str:
        values = self.numbers
        ends = [_apart(end, values) for end in (values.min().item(), values.max().item())] if values.size else []
        return " to ".join(ends) or MISSING


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


DIMENSION_COLUMNS = (
    Column("Dimension", itemgetter(0), number=False),
    Column("Role", itemgetter(1), number=False),
    Column("Size", lambda row: str(row[2])),
)
VARIABLE_COLUMNS = (
    Column("Variable", lambda it: str(it.data.name), number=False),
    Column("Meaning", lambda it: str(it.data.attrs.get("long_name", it.data.name.replace("_", " "))), number=False),
    Column("Role", attrgetter("role"), number=False),
    Column("One value per", lambda it: " × ".join(map(str, it.data.dims)) or "data set", number=False),
    Column("Unit", lambda it: str(it.data.attrs.get("units", "")), number=False),
    Column(
        "Levels", lambda it: ", ".join(f"{value} = {word}" for value, word in levels(it.data).items()), number=False
    ),
    Column("Range", attrgetter("range")),
    Column("Mean", lambda it: measured(it.numbers.mean(), scale=it.numbers.std()) if it.numbers.size else MISSING),
    Column("SD", lambda it: measured(it.numbers.std(ddof=1)) if it.numbers.size > 1 else MISSING),
    Column("Missing", lambda it: str(it.missing)),
)


def _quantile(heading: str, share: float) -> Column:
    return Column(
        heading, lambda it: _apart(np.quantile(it.values, share).item(), it.values) if it.values.size else MISSING
    )


def _apart(value: float, values: np.ndarray) -> str:
    """A value with digits that tell it from others."""
    return general(value, digits_for(value, values.std(), 6))


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


def dimensions(results: StudyResults) -> Table:
    """Name, role and size of each dim."""
    roles = dict.fromkeys(results.config["groups"], "group")
    unit = results.config["unit"]
    roles[unit] = "unit and group" if unit in roles else "unit"
    rows = [(str(name), roles.get(str(name), ""), size) for name, size in results.data.sizes.items()]
    return Table(DIMENSION_COLUMNS, rows)


def variables(results: StudyResults) -> Table:
    """Name, meaning, role, dims, unit, levels, range, mean, sd and missing values of each
    variable."""
    data, outcomes = results.data, results.config["outcomes"]
    named = {data[outcome].attrs[role]: role for outcome in outcomes for role in ROLES if role in data[outcome].attrs}
    roles = {**named, **dict.fromkeys(outcomes, "outcome")}
    rows = [Variable(variable, _role(str(name), roles)) for name, variable in data.items()]
    return Table(VARIABLE_COLUMNS, rows)


def _role(name: str, roles: Mapping[str, str]) -> str:
    return roles.get(name, "").replace("_", " ") or ("index" if name.endswith("_index") else "predictor")


def levels(variable: xr.DataArray) -> dict[int, str]:
    """Value -> word of a variable with CF flags."""
    if "flag_meanings" not in variable.attrs:
        return {}
    words = [word.replace("_", " ") for word in variable.attrs["flag_meanings"].split()]
    return dict(zip(np.ravel(variable.attrs["flag_values"]).tolist(), words, strict=False))


def _finite(values: np.ndarray) -> np.ndarray:
    flat = np.ravel(values).astype(float) if values.dtype.kind == "f" else np.ravel(values)
    return flat[np.isfinite(flat)]


def _shown(variable: xr.DataArray) -> np.ndarray:
    """Its finite values; levels from 1, as figures show them."""
    return _finite(variable.values) + first_level(variable)


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


def outcome_summaries(results: StudyResults) -> Table:
    """One row per outcome, with its values of all rows."""
    rows = [Values(name, _shown(results.data[name]), _is_count(results, name)) for name in results.config["outcomes"]]
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
        Values(word, _shown(outcome.isel({dim: np.flatnonzero(along.values == value)})))
        for value, word in words.items()
    ]
    return Table((Column(by, attrgetter("name"), number=False), *LEVEL_COLUMNS), rows)


def description(results: StudyResults) -> tuple[str, list[docstrings.Paragraph]]:
    """What the dataset's file says of it, or how the table that the study describes was read."""
    dataset, how = results.config["dataset"], results.table
    if how is None:
        return docstrings.docstring(plugins.find("datasets", dataset))
    about = dataset["about"] or f"The table {how['file']}."
    return about, [docstrings.Paragraph(False, (" ".join(_reading(how)),))]


def remarks(results: StudyResults) -> list[Remark]:
    """The remarks on the data, without questions that the design of an entry answers."""
    designs = [entry["design"] for entry in results.config["models"].values() if entry.get("design")]
    answered = any(design["trials"] or design["exposure"] for design in designs)
    found = of_data(results.data_attributes)
    return [each for each in found if not (answered and each.code == "possible_trials")]


def _reading(how: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about how a described table was read."""
    yield f"Read from {how['file']}, {counted(how['rows'], 'row')}."
    if how["dialect"]:
        yield sentence(", ".join(f"{name}: {word}" for name, word in how["dialect"].items())) + "."
    dropped = how["dropped"]
    if dropped["rows"]:
        empty = listed([f"{heading} ({count})" for heading, count in dropped["empty"].items()])
        yield f"Left out because of empty cells: {counted(dropped['rows'], 'row')}; there are empty cells in {empty}."
    if "masked" in how:
        empty = listed([f"{heading} ({count})" for heading, count in how["masked"].items()])
        yield f"Empty cells, which mean that a predictor does not apply: {empty}."
    if how["unused"]:
        yield f"Columns not used: {first_of(how['unused'], MOST_UNUSED)}."
