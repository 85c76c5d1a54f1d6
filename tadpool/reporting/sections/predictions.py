"""What a page says of predictions: outcomes of stated rows, and effects of a new member of a
group."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np
import xarray as xr

from tadpool.elements import element_names
from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING, general, listed, plural, scaled, sentence, whole
from tadpool.intervals import HIGH, LOW
from tadpool.modelling.references import design_of, formula_of, reference
from tadpool.reliable_means import mean_is_reliable
from tadpool.reporting.fit_view import PRIOR_ALONE, prior_alone
from tadpool.reporting.html.tables import Column, Table
from tadpool.reporting.interval_words import NORMAL_WIDTH, has_expectation, interval
from tadpool.reporting.sections.data import levels
from tadpool.reporting.sections.pooling_scales import Scale

SPOKEN = 4
Covariate = tuple[str, list[str]]


@dataclass(frozen=True)
class Row:
    """One prediction. labels: texts that say of what. values: its draws. expected: whether they are
    known to have an expectation, without which a mean of draws says nothing."""

    labels: list[str]
    values: np.ndarray
    expected: bool = True

    @cached_property
    def _sd(self) -> float:
        return float(self.values.std(ddof=1))

    def scaled(self, value: float) -> str:
        """A number as precise as the standard deviation, or as a third of the 89 % interval."""
        low, high = np.quantile(self.values, [LOW, HIGH])
        if value == round(value) and (self.values == self.values.round()).all():
            return whole(value)
        return scaled(value, self._sd if self._has_mean else (high - low) / NORMAL_WIDTH)

    @cached_property
    def _has_mean(self) -> bool:
        return self.expected and mean_is_reliable(self.values)

    @property
    def mean(self) -> str:
        return self.scaled(self.values.mean()) if self._has_mean else MISSING

    @property
    def sd(self) -> str:
        return self.scaled(self._sd) if self._has_mean else MISSING

    @property
    def median(self) -> str:
        return self.scaled(np.median(self.values))

    @property
    def interval(self) -> str:
        return " to ".join(self.scaled(end) for end in np.quantile(self.values, [LOW, HIGH]))


COLUMNS = (
    Column("Median", attrgetter("median")),
    Column("89 % interval", attrgetter("interval")),
    Column("Mean", attrgetter("mean")),
    Column("SD", attrgetter("sd")),
)


@dataclass(frozen=True)
class Captioned:
    """Predictions under a caption. headings: of the labels of its rows."""

    caption: str
    headings: list[str]
    rows: list[Row]

    @property
    def table(self) -> Table:
        labels = (
            Column(heading, lambda row, at=at: row.labels[at], number=False) for at, heading in enumerate(self.headings)
        )
        return Table((*labels, *COLUMNS), self.rows)


@dataclass(frozen=True)
class Prediction:
    """Predictions of one entry. what: the rows, in words. tables: none where the fit gave no
    numbers, for `reason`."""

    entry: str
    label: str
    what: str
    reason: str
    tables: list[Captioned]
    sentences: list[str]


def prediction(results: StudyResults, entry: str) -> Prediction:
    """The predictions of an entry, read from its predictions.nc."""
    config = results.config["predictions"][entry]
    what = f"a new {config['group']}" if config["group"] else "chosen rows"
    tree, label = results.predictions(entry), results.label(entry)
    reason = tree.attrs.get("reason", "")
    if "predictions" not in tree.children:
        return Prediction(entry, label, what, reason, [], [])
    found = tree["predictions"].to_dataset()
    unit = results.config["unit"]
    given = tree.children.get("predictions_constant_data")
    columns = list(_covariates(results, given.to_dataset(), config)) if given is not None else []
    by_row = [name for name, variable in found.items() if unit in variable.dims]
    outcomes = [name for name in by_row if name in results.config["outcomes"]]
    expected = has_expectation(results, entry)
    tables = [_by_row(found[name], unit, columns, label, expected) for name in by_row if name not in outcomes]
    others = [row for name, variable in found.items() if name not in by_row for row in _elements(variable)]
    if others:
        tables.append(Captioned(f"Effects of {what}, by {label}", ["Effect"], others))
    of_outcomes = {name: _by_row(found[name], unit, columns, label, expected) for name in outcomes}
    tables += of_outcomes.values()
    sentences = [words for name, table in of_outcomes.items() for words in _sentences(results, name, table, label)]
    typical = list(_typical(results, entry, [heading for heading, _ in columns]))
    if config["group"] and prior_alone(results, entry, config["group"]):
        typical.append(f"{PRIOR_ALONE.format(label=sentence(label), target=what)}.")
    return Prediction(entry, label, what, reason, tables, [*of_new_member(results, entry), *sentences, *typical])


def of_new_member(results: StudyResults, entry: str) -> list[str]:
    """The effect of a new member, on the scale of the outcome's mean, in a sentence; only models of
    the ladder have one."""
    group, tree = results.config["predictions"][entry]["group"], results.predictions(entry)
    design = design_of(reference(results.config, entry))
    site = f"alpha_{group}"
    if design is None or group != design.group or site not in tree.get("predictions", {}):
        return []
    scale = Scale(design, results.data[design.outcome])
    values = scale.link(tree["predictions"][site].values.astype(float).ravel())
    return [
        f"The {scale.words} of a new {group} is {interval(values, scale.measured_units, scale.exponential)} under "
        f"{results.label(entry)}; single outcomes vary around it."
    ]


def _typical(results: StudyResults, entry: str, variables: Sequence[str]) -> Iterator[str]:
    """What the rows of a formula or of a model of the ladder have of the variables that the config
    does not say."""
    config = results.config["predictions"][entry]
    said = {config["group"], *(name for row in config["rows"] for name in row)}
    unsaid = [name for name in variables if name not in said]
    model = reference(results.config, entry)
    if unsaid and (formula_of(model) or design_of(model)) is not None:
        yield (
            "Variables that the config does not give have typical values (median, or most frequent category): "
            f"{listed(unsaid)}."
        )


def _covariates(results: StudyResults, given: xr.Dataset, config: Mapping[str, Any]) -> Iterator[Covariate]:
    """Heading and text of each row, for members of groups first, then for each variable."""
    unit = results.config["unit"]
    along = {str(name): variable for name, variable in given.items() if unit in variable.dims}
    for name in sorted(along, key=lambda name: not name.endswith("_index")):
        variable, group = along[name], name.removesuffix("_index")
        if group != name and group == config["group"]:
            yield group, [config["label"] or f"new {group}"] * variable.size
        elif group != name and group in results.data.coords:
            yield group, [general(results.data[group].values[i]) for i in variable.values]
        else:
            yield from _values(variable, unit, levels(results.data[name]) if name in results.data else {})


def _values(variable: xr.DataArray, unit: str, words: Mapping[int, str]) -> Iterator[Covariate]:
    rest = [str(dim) for dim in variable.dims if dim != unit]
    ordered = variable.transpose(*rest, unit).values
    for index in np.ndindex(ordered.shape[:-1]):
        labels = [
            general(variable[dim].values[i].item()) if dim in variable.coords else str(i)
            for dim, i in zip(rest, index, strict=True)
        ]
        texts = [
            f"{general(value)} ({words[value]})" if value in words else general(value)
            for value in ordered[index].tolist()
        ]
        # Words name a column by themselves; numbers need the variable's name.
        joined = ", ".join(labels)
        yield (
            joined
            if rest and _is_words(variable, rest)
            else f"{variable.name}[{joined}]"
            if rest
            else str(variable.name),
            texts,
        )


def _is_words(variable: xr.DataArray, dims: Sequence[str]) -> bool:
    return all(dim in variable.coords and variable[dim].dtype.kind in "UOT" for dim in dims)


def _by_row(variable: xr.DataArray, unit: str, columns: list[Covariate], label: str, expected: bool) -> Captioned:
    rest = [str(dim) for dim in variable.dims if dim not in ("chain", "draw", unit)]
    values = variable.transpose(unit, *rest, "chain", "draw").values
    rows = []
    for index in np.ndindex(values.shape[: 1 + len(rest)]):
        labels = [_label(variable, dim, i) for dim, i in zip([unit, *rest], index, strict=True)]
        given = [texts[index[0]] for _, texts in columns]
        rows.append(Row([*labels, *given], values[index].astype(float), expected))
    headings = [unit, *rest, *(heading for heading, _ in columns)]
    return Captioned(f"{variable.name}, predicted by {label}", headings, rows)


def _elements(variable: xr.DataArray) -> Iterator[Row]:
    rest = [str(dim) for dim in variable.dims if dim not in ("chain", "draw")]
    values = variable.transpose(*rest, "chain", "draw").values
    for index, name in zip(np.ndindex(values.shape[: len(rest)]), element_names(variable), strict=True):
        yield Row([name], values[index].astype(float))


def _label(variable: xr.DataArray, dim: str, position: int) -> str:
    return general(variable[dim].values[position].item() if dim in variable.coords else position + 1)


def _sentences(results: StudyResults, outcome: str, table: Captioned, label: str) -> Iterator[str]:
    """The first few predictions in words."""
    if not 0 < len(table.rows) <= SPOKEN:
        return
    measured = results.data[outcome].attrs if outcome in results.data else {}
    name = measured.get("long_name", outcome.replace("_", " "))
    expected = all(row.expected for row in table.rows)
    units = f" {measured['units']}" if measured.get("units") else ""
    parts = []
    for row in table.rows:
        where = ", ".join(
            f"{heading} {cell}" if not cell.startswith("new ") else cell
            for heading, cell in zip(table.headings[1:], row.labels[1:], strict=True)
        )
        parts.append(
            f"{row.mean if expected else row.median}{units} ({row.interval}){f' for {where}' if where else ''}"
        )
    which = "Mean" if expected else "Median"
    unit = plural(results.config["unit"])
    yield f"{which} of {name} predicted by {label}, with 89 % intervals for single {unit}: {'; '.join(parts)}."
