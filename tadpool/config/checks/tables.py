"""What a described table says that does not fit together, found before the table is read."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from tadpool.config.parsed_values import Problem, shown
from tadpool.config.schema.study import Study
from tadpool.config.schema.table import Column, Table
from tadpool.errors import did_you_mean
from tadpool.files import plugins
from tadpool.loading import sources
from tadpool.loading.sources import ROLES
from tadpool.modelling.families import NUMBERS

READABLE = (".csv", ".tsv", ".txt", ".nc", *sources.PARQUET)
LABELLED = ("binary", "ordered", "categorical")
OBSERVABLE = (*NUMBERS, "binary", "ordered")
# Key of a column -> kinds of columns that may have it, kinds of the column that it names.
LINKS = {
    "trials": (("count",), ("count",)),
    "exposure": (("count",), ("number", "count", "integer")),
    "offset": (OBSERVABLE, ("number",)),
    "standard_error": (("number",), ("number",)),
    "within": (("group",), ("group",)),
    "per": (OBSERVABLE, ("group",)),
}


def check(study: Study) -> Iterator[Problem]:
    """Problems of a study whose dataset is a table; the study may have None where a value is invalid."""
    table = study.dataset
    yield from _file(table)
    if study.arguments:
        mend = "leave them out"
        yield Problem(("arguments",), "a table that the study describes takes no arguments", mend)
    for name, column in table.columns.items():
        yield from _column(("dataset", "columns", name), name, column, study)
    for name in _nested_in_themselves(table.columns):
        yield Problem(("dataset", "columns", name, "within"), f"{name} is nested in itself", "name an outer group")
    for name in study.outcomes or ():
        yield from _kind(("outcomes",), name, OBSERVABLE, table.columns)
        if name in table.columns and table.columns[name].per:
            yield Problem(("outcomes",), f"{shown(name)} has one value per {table.columns[name].per}", "remove `per`")
    if study.unit is None:
        return
    for name in study.groups or ():
        if name != study.unit:
            yield from _kind(("groups",), name, ("group",), table.columns)
    yield from _unit(study)


def needed(place: tuple, study: Study, model: str, signature: plugins.Signature) -> Iterator[Problem]:
    """Arguments of a model that the described table does not give."""
    if study.unit is None:
        return
    dumped = _plain(study.dataset)
    dims = sources.dims(dumped, study.unit)
    known = [name for name, _ in sources.names(dumped, study.unit) if name not in dims]
    known += [f"n_{dim}" for dim in dims]
    absent = [name for name in signature.variables if name not in known]
    if absent:
        what = f"{model} needs {', '.join(map(repr, absent))}, which the table does not give"
        yield Problem(place, what, did_you_mean(absent[0], known).removeprefix("; "))


def _file(table: Table) -> Iterator[Problem]:
    place, given = ("dataset", "table"), table.table
    ending = PurePosixPath(given).suffix.lower()
    if PurePosixPath(given).is_absolute() or PureWindowsPath(given).is_absolute():
        yield Problem(place, f"{shown(given)} is not relative", "give the path from the working directory")
    elif ending not in READABLE:
        yield Problem(place, f"{shown(given)} is no table that can be read", f"give one of {', '.join(READABLE)}")
    elif not os.path.isfile(given):  # an unusable name is no file, where pathlib raises
        beside = sorted(str(path) for path in Path("data").glob("*") if path.suffix in READABLE)
        yield Problem(place, f"there is no file {shown(given)}", did_you_mean(given, beside).removeprefix("; "))
    elif lacking := sources.lacking(given):
        yield Problem(place, *lacking)


def _column(place: tuple, name: str, column: Column, study: Study) -> Iterator[Problem]:
    columns, kind = study.dataset.columns, column.kind
    for key, (having, named) in LINKS.items():
        other = getattr(column, key)
        if other is None:
            continue
        if kind not in having:
            yield Problem((*place, key), f"a {kind} column has no {key}", f"only {_listed(having)} may have it")
        elif other == name:
            yield Problem((*place, key), f"{name} names itself", "name another column")
        else:
            yield from _kind((*place, key), other, named, columns)
            if key in ("within", "per") and other == study.unit:
                yield Problem((*place, key), f"{other} is the unit of the study", "name a group of several rows")
            elif key in ROLES and other in columns and columns[other].per != column.per:
                yield Problem((*place, key), f"{other} and {name} do not have the same `per`", "give both the same")
    if column.levels is not None and kind not in LABELLED:
        yield Problem((*place, "levels"), f"a {kind} column has no levels", f"only {_listed(LABELLED)} may have them")
    elif column.levels is None and kind == "ordered":
        yield Problem((*place, "levels"), "missing", "name the levels from lowest to highest")
    elif column.levels is not None and kind == "binary" and len(column.levels) != 2:
        yield Problem((*place, "levels"), f"{len(column.levels)} levels are given", "a binary column has two")
    if column.missing == "mask":
        roles = [key for other in columns.values() for key in ROLES if getattr(other, key) == name]
        if kind not in NUMBERS:
            mend = "describe empty cells as a level of their own, or declare `missing: drop`"
            yield Problem((*place, "missing"), f"a {kind} column cannot be masked, only {_listed(NUMBERS)}", mend)
        elif name in (study.outcomes or ()) or roles:
            what = f"{name} is {'an outcome' if not roles else f'named as {roles[0]}'}, which applies to every row"
            yield Problem((*place, "missing"), what, "declare `missing: drop`")
    for key in ("at_least", "at_most"):
        if getattr(column, key) is not None and kind not in NUMBERS:
            yield Problem((*place, key), f"a {kind} column has no range", f"only {_listed(NUMBERS)} may have one")
    if column.at_least is not None and column.at_most is not None and column.at_least > column.at_most:
        what = f"at_least ({column.at_least:g}) is above at_most ({column.at_most:g})"
        yield Problem(place, what, "exchange them")


def _kind(place: tuple, name: str, kinds: tuple[str, ...], columns: Mapping[str, Column]) -> Iterator[Problem]:
    """A name that is no column, or a column of another kind."""
    if name not in columns:
        known = [each for each, column in columns.items() if column.kind in kinds]
        mend = f"describe {shown(name)} there as {_listed(kinds)}{did_you_mean(name, known)}"
        yield Problem(place, f"{shown(name)} is not among the columns that the study describes", mend)
    elif columns[name].kind not in kinds:
        yield Problem(place, f"{shown(name)} is a {columns[name].kind} column", f"{_listed(kinds)} is needed here")


def _unit(study: Study) -> Iterator[Problem]:
    columns, unit = study.dataset.columns, study.unit
    if not unit.isidentifier():
        yield Problem(("unit",), f"{shown(unit)} cannot be the name of a dim", "use letters, digits and _")
    elif unit in columns and columns[unit].kind != "group":
        what = f"{shown(unit)} is a {columns[unit].kind} column"
        yield Problem(("unit",), what, "choose another name for the rows, or describe it as group: their labels")
    elif unit in columns and columns[unit].within:
        yield Problem(("unit",), f"{shown(unit)} is nested in {columns[unit].within}", "remove `within` there")
    else:
        first: dict[str, str] = {}
        for name, column in sources.names(_plain(study.dataset), unit):
            if first.setdefault(name, column) != column:
                what = f"the name {shown(name)} is made for {first[name] or 'the unit'} and for {column or 'the unit'}"
                yield Problem(("dataset", "columns"), what, "rename one")


def _nested_in_themselves(columns: Mapping[str, Column]) -> Iterator[str]:
    for name in columns:
        outer, seen = columns[name].within, set()
        while outer in columns and outer not in seen and outer != name:
            seen.add(outer)
            outer = columns[outer].within
        if outer == name and columns[name].within != name:
            yield name


def _plain(table: Table) -> dict[str, Any]:
    return {name: column.model_dump() for name, column in table.columns.items()}


def _listed(words: tuple[str, ...]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
