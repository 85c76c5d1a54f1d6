"""Contradictions in the description of a table, found before the table is read."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from tadpool.config.parsed_values import Problem, shown
from tadpool.config.schema.study import Entry, Study
from tadpool.config.schema.table import Column, Table
from tadpool.errors import did_you_mean
from tadpool.files import plugins
from tadpool.formatting import an
from tadpool.loading import sources
from tadpool.loading.sources import ROLES
from tadpool.modelling.families import NUMBERS

READABLE = (".csv", ".tsv", ".txt", ".nc", *sources.PARQUET)
LABELLED = ("binary", "ordered", "categorical")
OBSERVABLE = (*NUMBERS, "binary", "ordered")
IMPUTED = ("number", "integer", "binary")
# Key of a column -> kinds of columns that may have it, kinds of the column that it names.
LINKS = {
    "trials": (("count",), ("count",)),
    "exposure": (("count",), ("number", "count", "integer")),
    "offset": (OBSERVABLE, ("number",)),
    "standard_error": (("number",), ("number",)),
    "censored": (NUMBERS, ("censoring",)),
    "interval_end": (NUMBERS, NUMBERS),
    "within": (("group",), ("group",)),
    "per": (OBSERVABLE, ("group",)),
}


def check(study: Study) -> Iterator[Problem]:
    """Contradictions in the described table of a study, one problem for each."""
    table = study.dataset
    yield from _file(table)
    if study.arguments:
        yield Problem(("arguments",), "a described table takes no arguments", "remove them")
    for name, column in table.columns.items():
        yield from _column(("dataset", "columns", name), name, column, study)
    for name in _nested_in_themselves(table.columns):
        yield Problem(("dataset", "columns", name, "within"), f"{name} is nested in itself", "name an outer group")
    for name in study.outcomes:
        yield from _kind(("outcomes",), name, OBSERVABLE, table.columns)
        if name in table.columns and table.columns[name].per:
            what = f"{shown(name)} has one value per {table.columns[name].per}, but an outcome has one per row"
            yield Problem(("outcomes",), what, "remove `per`")
    for name in study.groups:
        if name != study.unit:
            yield from _kind(("groups",), name, ("group",), table.columns)
    yield from _unit(study)


def needed(place: tuple, study: Study, model: str, signature: plugins.Signature) -> Iterator[Problem]:
    """Arguments of a model that the described table does not provide.

    Args:
        place: Where the name of the model stands in the study.
        study: A study with a described table.
        model: Name of the model.
        signature: Arguments of the model.
    """
    dumped = _plain(study.dataset)
    dims = sources.dims(dumped, study.unit)
    known = [name for name, _ in sources.names(dumped, study.unit) if name not in dims]
    known += [f"n_{dim}" for dim in dims]
    absent = [name for name in signature.variables if name not in known]
    if absent:
        what = f"{model} needs {', '.join(map(repr, absent))}, which the table does not provide"
        yield Problem(place, what, did_you_mean(absent[0], known).removeprefix("; "))


def _file(table: Table) -> Iterator[Problem]:
    place, given = ("dataset", "table"), table.table
    ending = PurePosixPath(given).suffix.lower()
    if PurePosixPath(given).is_absolute() or PureWindowsPath(given).is_absolute():
        yield Problem(place, f"{shown(given)} is an absolute path", "give it relative to the working directory")
    elif ending not in READABLE:
        yield Problem(place, f"{shown(given)} cannot be read as a table", f"give a file in {_listed(READABLE)}")
    elif os.path.exists(given) and not os.path.isfile(given):
        yield Problem(place, f"{shown(given)} is not a regular file", "save the table as a file, and name that")
    elif os.path.islink(given) and not os.path.exists(given):
        what = f"{shown(given)} is a link to {shown(os.readlink(given))}, which leads to no file"
        yield Problem(place, what, "correct the link, or put the table in its place")
    elif not os.path.isfile(given):  # an unusable name is no file, where pathlib raises
        beside = sorted(str(path) for path in Path("data").glob("*") if path.suffix in READABLE and path.is_file())
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
            yield Problem(
                (*place, key), f"{an(kind)} column cannot have `{key}`", f"only {_listed(having)} columns can"
            )
        elif other == name:
            yield Problem((*place, key), f"{name} names itself", "name another column")
        else:
            yield from _kind((*place, key), other, named, columns)
            if key in ("within", "per") and other == study.unit:
                yield Problem((*place, key), f"{other} is the unit of the study", "name a group with several rows")
            elif key in ROLES and other in columns and columns[other].per != column.per:
                yield Problem((*place, key), f"{other} and {name} do not have the same `per`", "give both the same")
    if column.levels is not None and kind not in LABELLED:
        fix = f"only {_listed(LABELLED)} columns can"
        yield Problem((*place, "levels"), f"{an(kind)} column cannot have `levels`", fix)
    elif column.levels is None and kind == "ordered":
        yield Problem((*place, "levels"), "missing", "name the levels from lowest to highest")
    elif column.levels is not None and kind == "binary" and len(column.levels) != 2:
        yield Problem((*place, "levels"), f"a binary column has 2 levels, not {len(column.levels)}", "name two")
    if column.missing in sources.KEPT:
        yield from _kept((*place, "missing"), name, column, study)
    for key in ("at_least", "at_most"):
        if getattr(column, key) is not None and kind not in NUMBERS:
            yield Problem(
                (*place, key), f"{an(kind)} column cannot have `{key}`", f"only {_listed(NUMBERS)} columns can"
            )
    if column.at_least is not None and column.at_most is not None and column.at_least > column.at_most:
        what = f"at_least ({column.at_least:g}) is above at_most ({column.at_most:g})"
        yield Problem(place, what, "swap them")


def _kept(place: tuple, name: str, column: Column, study: Study) -> Iterator[Problem]:
    """A column whose empty cells keep their rows."""
    roles = [key for other in study.dataset.columns.values() for key in ROLES if getattr(other, key) == name]
    kinds, done = (NUMBERS, "masked") if column.missing == "mask" else (IMPUTED, "imputed")
    if column.kind not in kinds:
        fix = "make empty cells a separate level, or write `missing: drop`"
        fix = "write `missing: drop`" if column.kind == "count" else fix
        yield Problem(place, f"{an(column.kind)} column cannot be {done}, only {_listed(kinds)} columns can", fix)
    elif name in study.outcomes or roles:
        what = f"{name} is {'an outcome' if not roles else f'named as {roles[0]}'}, which every row needs"
        yield Problem(place, what, "write `missing: drop`")
    elif column.missing == "impute" and column.per:
        what = f"{name} has one value per {column.per}, and only values of rows are imputed"
        yield Problem(place, what, "write `missing: drop`")
    elif column.missing == "impute" and not any(entry.formula for entry in _entries(study)):
        yield Problem(place, "only formulas impute, and no entry is one", "write a `formula`, or `missing: drop`")


def _entries(study: Study) -> list[Entry]:
    return list(study.models.values()) if isinstance(study.models, dict) else []


def _kind(place: tuple, name: str, kinds: tuple[str, ...], columns: Mapping[str, Column]) -> Iterator[Problem]:
    """A name that is not a column, or is a column of another kind."""
    if name not in columns:
        known = [each for each, column in columns.items() if column.kind in kinds]
        fix = f"describe it as {_listed(kinds)}{did_you_mean(name, known)}"
        yield Problem(place, f"{shown(name)} is not one of the described columns", fix)
    elif columns[name].kind not in kinds:
        fix = f"name {an(_listed(kinds))} column"
        yield Problem(place, f"{shown(name)} is {an(columns[name].kind)} column", fix)


def _unit(study: Study) -> Iterator[Problem]:
    columns, unit = study.dataset.columns, study.unit
    if not unit.isidentifier():
        yield Problem(("unit",), f"{shown(unit)} cannot be the name of a dim", "use letters, digits and _")
    elif unit in columns and columns[unit].kind != "group":
        what = f"{shown(unit)} is {an(columns[unit].kind)} column"
        yield Problem(
            ("unit",), what, "give the unit another name, or write `kind: group` if the column labels the rows"
        )
    elif unit in columns and columns[unit].within:
        what = f"the unit {shown(unit)} cannot be nested in {columns[unit].within}"
        yield Problem(("unit",), what, "remove its `within`")
    else:
        first: dict[str, str] = {}
        for name, column in sources.names(_plain(study.dataset), unit):
            if first.setdefault(name, column) != column:
                what = f"both {first[name] or 'the unit'} and {column or 'the unit'} would be called {shown(name)}"
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
