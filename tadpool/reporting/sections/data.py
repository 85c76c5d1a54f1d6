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
    sentence,
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
        return shown(self.data) if is_number else np.array([])

    @property
    def missing(self) -> int:
        """How many of its values are missing."""
        return self.data.size - _finite(self.data.values).size if self.data.dtype.kind == "f" else 0

    @property
    def range(self) -> str:
        values = self.numbers
        ends = [apart(end, values) for end in (values.min().item(), values.max().item())] if values.size else []
        return " to ".join(ends) or MISSING


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
    Column("Unit", lambda it: _unit(it.data), number=False),
    Column(
        "Levels", lambda it: ", ".join(f"{value} = {word}" for value, word in levels(it.data).items()), number=False
    ),
    Column("Range", attrgetter("range")),
    Column("Mean", lambda it: measured(it.numbers.mean(), scale=it.numbers.std()) if it.numbers.size else MISSING),
    Column("SD", lambda it: measured(it.numbers.std(ddof=1)) if it.numbers.size > 1 else MISSING),
    Column("Missing", lambda it: str(it.missing)),
)


def _unit(variable: xr.DataArray) -> str:
    return "level, 1 is the lowest" if first_level(variable) else str(variable.attrs.get("units", ""))


def apart(value: float, values: np.ndarray) -> str:
    """A value with digits that tell it from others."""
    return general(value, digits_for(value, values.std(), 6))


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
    unit = results.config["unit"]
    rows = [
        Variable(part, _role(str(name), roles)) for name, variable in data.items() for part in _parts(variable, unit)
    ]
    return Table(VARIABLE_COLUMNS, rows)


def _parts(variable: xr.DataArray, unit: str) -> list[xr.DataArray]:
    """A variable of each unit and of a few other things, such as settings, as one variable for each
    of these: their mean would be a mean of nothing."""
    rest = [dim for dim in variable.dims if dim != unit]
    if unit not in variable.dims or len(rest) != 1 or variable.sizes[rest[0]] > FEW_LEVELS:
        return [variable]
    (dim,) = rest
    labels = variable[dim].values.tolist() if dim in variable.coords else range(variable.sizes[dim])
    return [variable.isel({dim: at}, drop=True).rename(f"{variable.name}[{label}]") for at, label in enumerate(labels)]


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


def shown(variable: xr.DataArray) -> np.ndarray:
    """Its finite values; levels from 1, as figures show them."""
    return _finite(variable.values) + first_level(variable)


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
    if "imputed" in how:
        empty = listed([f"{heading} ({count})" for heading, count in how["imputed"].items()])
        yield f"Empty cells whose values are not known, and which formulas impute: {empty}."
    if how["unused"]:
        yield f"Columns not used: {first_of(how['unused'], MOST_UNUSED)}."
