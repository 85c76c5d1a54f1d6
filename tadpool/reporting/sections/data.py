"""What a page says of a study's data: its design, its outcomes, and its outcomes by group."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from tadpool.files import plugins
from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING, counted, first_of, general, listed, number, sentence, whole
from tadpool.loading.sources import ROLES
from tadpool.reporting.html import docstrings

FEW_LEVELS = 6
MOST_UNUSED = 12
SUMMARY = ("count", "mean", "sd", "variance", "min", "25 %", "median", "75 %", "max", "variance / mean")
BY_LEVEL = ("count", "min", "median", "max", "mean", "variance")


@dataclass(frozen=True)
class ByLevel:
    """An outcome by the levels of a group or a categorical variable; one row of text per level."""

    outcome: str
    by: str
    rows: list[list[str]]


def dimensions(results: StudyResults) -> list[tuple[str, str, int]]:
    """Name, role and size of each dim."""
    roles = dict.fromkeys(results.config["groups"], "group")
    unit = results.config["unit"]
    roles[unit] = "unit and group" if unit in roles else "unit"
    return [(str(name), roles.get(str(name), ""), size) for name, size in results.data.sizes.items()]


def variables(results: StudyResults) -> list[list[str]]:
    """Name, meaning, role, dims, unit, levels, range, mean, sd and missing values of each variable."""
    data, outcomes = results.data, results.config["outcomes"]
    named = {data[outcome].attrs[role]: role for outcome in outcomes for role in ROLES if role in data[outcome].attrs}
    roles = {**named, **dict.fromkeys(outcomes, "outcome")}
    return [_variable(variable, roles.get(str(name), "").replace("_", " ")) for name, variable in data.items()]


def _variable(variable: xr.DataArray, role: str | None) -> list[str]:
    name = str(variable.name)
    role = role or ("index" if name.endswith("_index") else "predictor")
    meaning = str(variable.attrs.get("long_name", name.replace("_", " ")))
    dims = " × ".join(map(str, variable.dims)) or "one value"
    words = ", ".join(f"{value} = {word}" for value, word in levels(variable).items())
    first = [name, meaning, role, dims, str(variable.attrs.get("units", "")), words]
    if variable.dtype.kind not in "iufb" or role == "index":
        return [*first, *[MISSING] * 3, "0"]
    values = _finite(variable.values)
    if not values.size:
        return [*first, *[MISSING] * 3, str(variable.size)]
    span = f"{general(values.min().item())} to {general(values.max().item())}"
    spread = values.std(ddof=1) if values.size > 1 else None
    return [*first, span, number(values.mean(), 3), number(spread, 3), str(variable.size - values.size)]


def levels(variable: xr.DataArray) -> dict[int, str]:
    """Value -> word of a variable with CF flags."""
    if "flag_meanings" not in variable.attrs:
        return {}
    words = [word.replace("_", " ") for word in variable.attrs["flag_meanings"].split()]
    return dict(zip(np.ravel(variable.attrs["flag_values"]).tolist(), words, strict=False))


def _finite(values: np.ndarray) -> np.ndarray:
    flat = np.ravel(values).astype(float) if values.dtype.kind == "f" else np.ravel(values)
    return flat[np.isfinite(flat)]


def outcome_summaries(results: StudyResults) -> list[list[str]]:
    """One row per outcome: its name and the statistics of SUMMARY."""
    return [[name, *_summary(_finite(results.data[name].values))] for name in results.config["outcomes"]]


def _summary(values: np.ndarray) -> list[str]:
    low, first, median, third, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
    mean, variance = values.mean(), values.var(ddof=1) if values.size > 1 else np.nan
    is_count = values.dtype.kind in "iu" and low >= 0 and mean > 0
    return [
        whole(values.size), number(mean, 3), number(np.sqrt(variance), 3), number(variance, 3),
        *(general(value) for value in (low, first, median, third, high)), number(variance / mean, 3) if is_count else MISSING,
    ]  # fmt: skip


def outcomes_by_level(results: StudyResults) -> list[ByLevel]:
    """Every outcome by every group that has more than one row in some member, and by every categorical variable."""
    data = results.data
    return [
        ByLevel(outcome, by, _rows(data[outcome], along, words))
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


def _rows(outcome: xr.DataArray, along: xr.DataArray, words: dict[int, str]) -> list[list[str]]:
    dim = along.dims[0]
    rows = []
    for value, word in words.items():
        found = _finite(outcome.isel({dim: np.flatnonzero(along.values == value)}).values)
        if not found.size:
            rows.append([word, "0", *[MISSING] * (len(BY_LEVEL) - 1)])
            continue
        low, median, high = (general(value) for value in np.quantile(found, [0, 0.5, 1]).tolist())
        variance = found.var(ddof=1) if found.size > 1 else None
        rows.append([word, whole(found.size), low, median, high, number(found.mean(), 3), number(variance, 3)])
    return rows


def description(results: StudyResults) -> tuple[str, list[docstrings.Paragraph]]:
    """What the dataset's file says of it, or how the table that the study describes was read."""
    dataset, how = results.config["dataset"], results.table
    if how is None:
        return docstrings.docstring(plugins.find("datasets", dataset))
    about = dataset["about"] or f"The table {how['file']}."
    return about, [docstrings.Paragraph(False, (" ".join(_reading(how)),))]


def _reading(how: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about how a described table was read."""
    yield f"Read from {how['file']}, {counted(how['rows'], 'row')}."
    if how["dialect"]:
        yield sentence(", ".join(f"{name}: {word}" for name, word in how["dialect"].items())) + "."
    dropped = how["dropped"]
    if dropped["rows"]:
        empty = listed([f"{heading} ({count})" for heading, count in dropped["empty"].items()])
        yield f"Left out for empty cells: {counted(dropped['rows'], 'row')}; empty are {empty}."
    if "masked" in how:
        empty = listed([f"{heading} ({count})" for heading, count in how["masked"].items()])
        yield f"Empty cells that say that a predictor does not apply: {empty}."
    if how["unused"]:
        yield f"Columns that are not used: {first_of(how['unused'], MOST_UNUSED)}."
