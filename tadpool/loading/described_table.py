"""A described table as a dataset: every cell is checked against the description, and mistakes in
all columns are listed."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import xarray as xr

from tadpool.errors import UserError
from tadpool.formatting import listed
from tadpool.loading import number_formats, table_files, table_remarks
from tadpool.loading.number_formats import Reading
from tadpool.loading.remarks import Remark
from tadpool.loading.sources import CENSORED, COMPLETE, KEPT, ROLES
from tadpool.loading.table_files import Cells

WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")
LARGEST_WHOLE = 2**53
LARGEST = 1e100
LONGEST_LABEL = 50
POSITIVE = {"exposure": "exposure", "standard_error": "standard error"}
FIX_EMPTY = "fill it, or write `missing: drop` to remove such rows"


def load(description: Mapping[str, Any]) -> tuple[xr.Dataset, dict[str, Any], list[Remark]]:
    """Read a described table.

    Args:
        description: See `tadpool.loading.sources`.

    Returns:
        The dataset, whose dims and variables `tadpool.config.schema.table.Column` describes;
            remarks on the table; and, between the two, how it was read:
        file, rows (of the table), dialect, dropped (rows, and empty cells in each column that drops
            them), unused (headings)
        and, where there are any, masked (empty cells in each column that masks them).

    Raises:
        UserError: A sentence for each column that breaks its rules: file, row, column, value, rule
            and fix.
    """
    cells = table_files.read(description)
    columns = {name: {**each, "column": each["column"] or name} for name, each in description["columns"].items()}
    problems: list[str] = []
    headings = [column["column"] for column in columns.values()]
    if cells.word == "line" and not any(get_close_matches(each, cells.columns, 1) for each in headings):
        problems.append(_no_heading(cells, headings))
    for column in () if problems else columns.values():
        with _noted(problems):
            cells.column(column["column"])
    used = {column["column"] for column in columns.values()}
    unused = [heading for heading in cells.columns if heading and heading not in used]
    if description["unit"] in unused:
        fix = f"describe it (`{description['unit']}: {{kind: group}}`), or rename the unit"
        problems.append(f"{cells.file}: column {description['unit']} has the name of the study's unit; {fix}")
    _raise(problems)
    remaining, dropped = _dropped(cells, columns)
    reading = number_formats.reading(remaining, columns, description)
    marks = {"decimal mark": reading.decimal}
    marks |= {} if reading.thousands == "none" else {"thousands mark": reading.thousands}
    dialect = {**cells.dialect, **marks} if cells.dialect else {}
    table = _Columns(remaining, columns, description["unit"], reading, [str(v) for v in description["missing_values"]])
    dataset = table.dataset(problems)
    _raise(problems)
    empty = {name: _empty_cells(remaining, columns, way) for name, way in (("masked", "mask"), ("imputed", "impute"))}
    read = {"file": cells.file, "rows": len(cells.rows), "dialect": dialect, "dropped": dropped, "unused": unused}
    remarks = [
        *table_remarks.possible_trials(remaining, columns),
        *table_remarks.similar_labels(remaining, columns),
        *table_remarks.nested_groups(remaining, columns, description["unit"]),
        *table_remarks.repeated_rows(remaining, columns),
        *table_remarks.empty_labels(remaining, columns),
        *table_remarks.codes_of_empty_cells(dataset, columns),
        *table_remarks.rows_of_sums(dataset, columns, description["unit"]),
    ]
    return dataset, read | {name: counts for name, counts in empty.items() if counts}, remarks


def _empty_cells(cells: Cells, columns: Mapping[str, Mapping[str, Any]], missing: str) -> dict[str, int]:
    """Heading -> empty cells, of the columns with that value of `missing` that have any."""
    headings = [column["column"] for column in columns.values() if column["missing"] == missing]
    counts = {heading: int((cells.columns[heading] == "").sum()) for heading in headings}
    return {heading: count for heading, count in counts.items() if count}


def _no_heading(cells: Cells, described: list[str]) -> str:
    """What to do about a first line in which no described column is."""
    found, wanted = ([name[:40] for name in names if name][:5] for names in (cells.columns, described))
    rule = f"it has none of the described columns ({', '.join(wanted)}), but {' | '.join(found) or 'nothing'}"
    fix = f"make it the heading, with cells between separators (read as {cells.dialect['separator']})"
    return f"{cells.file}, line 1: {rule}; {fix}"


@contextmanager
def _noted(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        problems.append(str(error))


def _raise(problems: list[str]) -> None:
    if problems:
        raise UserError("\n".join(dict.fromkeys(problems)))


def _dropped(cells: Cells, columns: Mapping[str, Mapping[str, Any]]) -> tuple[Cells, dict[str, Any]]:
    """The rows that remain after those with an empty cell in a `drop` column are removed, and how
    many were removed."""
    empty = {c["column"]: cells.columns[c["column"]] == "" for c in columns.values() if c["missing"] == "drop"}
    drop = np.any([np.zeros(len(cells.rows), bool), *empty.values()], axis=0)
    if drop.all():
        raise UserError(
            f"{cells.file}: every row has an empty cell in {' or '.join(empty)}, so no row is left; fill cells"
        )
    counts = {heading: int(where.sum()) for heading, where in empty.items() if where.any()}
    return cells.select_rows(~drop), {"rows": int(drop.sum()), "empty": counts}


@dataclass(frozen=True)
class _Columns:
    """The described columns of the remaining rows.

    reading: how numbers are written. missing_values: texts that count as empty cells.
    members: group -> position of each row's member (rows,), and labels of the members.
    """

    cells: Cells
    columns: Mapping[str, Mapping[str, Any]]
    unit: str
    reading: Reading
    missing_values: list[str]
    members: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def dataset(self, problems: list[str]) -> xr.Dataset:
        """All columns as one dataset; sentences about columns that cannot be read are added to
        `problems`."""
        coords: dict[str, Any] = {self.unit: (self.unit, self.cells.rows)}
        variables: dict[str, Any] = {}
        for name, column in self.columns.items():
            with _noted(problems):
                if column["kind"] in ("group", "categorical"):
                    self._add_labels(name, column, variables, coords)
        for name, column in self.columns.items():
            with _noted(problems):
                if column["kind"] not in ("group", "categorical"):
                    self._add_values(name, column, variables, coords)
        for name, column in self.columns.items():
            with _noted(problems):
                self._check_roles(name, column, variables)
        imputed = [f"{name}_known" for name, column in self.columns.items() if column["missing"] == "impute"]
        known = [variables[name][1] for name in imputed if name in variables]
        if known:
            words = {"long_name": f"{listed([name.removesuffix('_known') for name in imputed])} known"}
            variables[COMPLETE] = (self.unit, np.min(known, axis=0), words)
        return xr.Dataset(variables, coords)

    def _add_labels(self, name: str, column: Mapping[str, Any], variables: dict, coords: dict) -> None:
        meaning = {"long_name": _meaning(name, column)}
        positions, labels = self._members(name)
        if name == self.unit:
            first = np.unique(positions, return_index=True)[1]
            again = np.isin(np.arange(len(positions)), first, invert=True)
            rule = f"each {name} must have one row, since it is the study's unit"
            fix = f"if {name} is a group with several rows, set `unit` to another word, such as `row`"
            self.cells.refuse(column["column"], again, rule, fix)
            coords[name] = (name, labels[positions], meaning)
            return
        coords[name] = (name, labels, meaning)
        variables[f"{name}_index"] = (self.unit, positions, meaning)
        outer = column["within"]
        if outer:
            of_members = self._members(outer)[0][np.unique(positions, return_index=True)[1]]
            words = {"long_name": f"{_meaning(outer, self.columns[outer])} of {meaning['long_name']}"}
            variables[f"{outer}_of_{name}"] = (name, of_members, words)

    def _members(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Positions (rows,) of the rows' labels among all labels of a group or categorical column,
        and these labels."""
        if name not in self.members:
            column = self.columns[name]
            cells = self.cells.columns[column["column"]]
            self.cells.refuse(column["column"], cells == "", "every row must have a label", self._fix_empty(column))
            long = np.array([len(cell) > LONGEST_LABEL for cell in cells], bool)
            rule = f"a label has at most {LONGEST_LABEL} characters, so that figures and tables can show it"
            self.cells.refuse(column["column"], long, rule, "shorten it")
            broken = np.array([len(cell.splitlines()) > 1 for cell in cells], bool)
            rule = "a label stands on one line, so that figures and tables can show it"
            self.cells.refuse(column["column"], broken, rule, "put a blank where its line ends")
            if column["levels"] is not None:
                self.members[name] = self._levels(column), np.array([str(level) for level in column["levels"]], object)
            elif column["within"]:
                self.members[name] = self._nested(column["column"], *self._members(column["within"]))
            else:
                self.members[name] = _indexed(cells)
        return self.members[name]

    def _nested(self, heading: str, outer: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Members sorted by the outer member, then by their own label."""
        own, own_labels = _indexed(self.cells.columns[heading])
        pairs, positions = np.unique(np.stack([outer, own]), axis=1, return_inverse=True)
        names = [f"{labels[first]} / {own_labels[second]}" for first, second in pairs.T]
        again = np.array([names.index(name) != number for number, name in enumerate(names)])[positions.ravel()]
        self.cells.refuse(heading, again, "another member has the same two labels with ' / ' between", "rename one")
        return positions.ravel().astype(np.int64), np.array(names, object)

    def _levels(self, column: Mapping[str, Any]) -> np.ndarray:
        """The position of each row's level among the declared levels, int64 (rows,)."""
        levels = [str(level) for level in column["levels"] or (0, 1)]
        cells = self.cells.columns[column["column"]]
        self.cells.refuse(column["column"], cells == "", "every row must have a level", self._fix_empty(column))
        unknown = ~np.isin(cells, levels)
        found = sorted(set(cells), key=natural)
        first = str(cells[np.argmax(unknown)])
        known = number_formats.level_advice(first, levels, column["kind"])
        fix = known if column["levels"] else number_formats.labels_advice(found)
        self.cells.refuse(column["column"], unknown, f"the levels are {', '.join(levels)}", fix)
        return np.array([levels.index(cell) for cell in cells], np.int64)

    def _levels_or_empty(self, column: Mapping[str, Any]) -> np.ndarray:
        """The same as float64 (rows,), nan where the cell is empty."""
        empty = self.cells.columns[column["column"]] == ""
        values = np.full(len(empty), np.nan)
        values[~empty] = replace(self, cells=self.cells.select_rows(~empty))._levels(column)
        return values

    def _add_values(self, name: str, column: Mapping[str, Any], variables: dict, coords: dict) -> None:
        attributes = {"long_name": _meaning(name, column)}
        if column["kind"] in ("binary", "ordered"):
            values = self._levels_or_empty(column) if column["missing"] in KEPT else self._levels(column)
            levels = np.array([str(level) for level in column["levels"] or (0, 1)], object)
            attributes |= {"flag_values": list(range(len(levels))), "flag_meanings": _words(levels)}
            if column["kind"] == "ordered":
                level = {"long_name": f"level of {attributes['long_name']}"}
                coords[f"{name}_level"] = (f"{name}_level", levels, level)
        elif column["kind"] == "censoring":
            values = self._censoring(column)
            attributes |= {"flag_values": list(CENSORED.values()), "flag_meanings": " ".join(CENSORED)}
        else:
            values = self._numbers(column)
        attributes |= {key: column[key] for key in ("units", *ROLES) if column[key]}
        dim = column["per"] or self.unit
        values = self._per(values, column) if column["per"] else values
        if column["missing"] in KEPT:
            attributes["may_be_missing"] = 1
            word = "applies" if column["missing"] == "mask" else "known"
            known = {"long_name": f"{attributes['long_name']} {word}"}
            variables[f"{name}_known"] = (dim, np.isfinite(values).astype(np.int64), known)
        variables[name] = (dim, values, attributes)

    def _censoring(self, column: Mapping[str, Any]) -> np.ndarray:
        """How each row's outcome is censored, int64 (rows,): a value of `sources.CENSORED`."""
        cells, codes = self.cells.columns[column["column"]], CENSORED | {str(code): code for code in CENSORED.values()}
        unknown = ~np.isin(cells, list(codes))
        fix = (
            self._fix_empty(column) if "" in cells else "0 is an outcome that was seen, 1 one that lies above its value"
        )
        self.cells.refuse(column["column"], unknown, "it must be none, left, right or interval, or 0, -1, 1 or 2", fix)
        return np.array([codes[cell] for cell in cells], np.int64)

    def _numbers(self, column: Mapping[str, Any]) -> np.ndarray:
        """The numbers of a column: int64 (rows,) for the kinds of whole numbers, else float64
        (rows,).

        A column that keeps rows with empty cells is always float64, nan where the cell is empty.
        """
        heading, kind = column["column"], column["kind"]
        cells, masked = self.cells.columns[heading], column["missing"] in KEPT
        absent = (cells == "") & masked
        self.cells.refuse(heading, (cells == "") & ~absent, "it must be a number", FIX_EMPTY)
        text = number_formats.bare(cells, column)
        wrong = np.array([not self.reading.pattern.fullmatch(cell) for cell in text], bool) & ~absent
        sign = number_formats.sign_of(column)
        if sign and (column["percent"] or any(sign in cell for cell in cells)):
            wrong |= np.array([sign not in cell for cell in cells], bool) & ~absent
        first, missing = str(cells[np.argmax(wrong)]), self._missing(column)
        advice = number_formats.advice(first, column, self.reading, cells, missing)
        self.cells.refuse(
            heading, wrong, "it must be a per cent" if column["percent"] else "it must be a number", advice
        )
        values = np.array([self.reading.value(cell) if cell else np.nan for cell in text], np.float64)
        values = values / 100 if column["percent"] else values
        self.cells.refuse(heading, ~np.isfinite(values) & ~absent, "it must be a finite number")
        size = np.abs(values)
        beyond = (size > LARGEST) | ((size > 0) & (size < 1 / LARGEST))
        rule = f"numbers must lie between {1 / LARGEST:g} and {LARGEST:g}, or be 0: their squares must be numbers too"
        self.cells.refuse(heading, beyond, rule, "give the column in another unit")
        if kind != "number":
            fix = "correct the table, or write `kind: number`"
            self.cells.refuse(heading, (values != np.floor(values)) & ~absent, "it must be a whole number", fix)
            self.cells.refuse(heading, np.abs(values) > LARGEST_WHOLE, "whole numbers must not exceed 2^53")
        if kind == "count":
            fix = "correct the table, or write `kind: integer`"
            self.cells.refuse(heading, values < 0, "a count cannot be negative", fix)
        if column["at_least"] is not None:
            self.cells.refuse(heading, values < column["at_least"], f"the minimum is {column['at_least']:g}")
        if column["at_most"] is not None:
            self.cells.refuse(heading, values > column["at_most"], f"the maximum is {column['at_most']:g}")
        return values if kind == "number" or masked else values.astype(np.int64)

    def _missing(self, column: Mapping[str, Any]) -> list[str]:
        """The texts that count as empty cells in a column."""
        return self.missing_values if column["missing_values"] is None else list(map(str, column["missing_values"]))

    def _fix_empty(self, column: Mapping[str, Any]) -> str:
        """What to do about an empty cell of labels; a text that counts as empty may be a label."""
        texts = self.cells.marked_missing(column["column"])
        if not texts:
            return FIX_EMPTY
        missing = [value for value in self._missing(column) if value not in texts]
        kept = f"`missing_values: [{', '.join(map(repr, missing))}]`"
        own = f"write {kept} for the column {column['column']}"
        return f"if {' or '.join(map(repr, texts))} is a label, {own}; otherwise {FIX_EMPTY}"

    def _per(self, values: np.ndarray, column: Mapping[str, Any]) -> np.ndarray:
        """The value of each member (members,), which all its rows must share."""
        positions, labels = self._members(column["per"])
        first = np.unique(positions, return_index=True)[1]
        expected = values[first][positions]
        other = (values != expected) & ~(np.isnan(values) & np.isnan(expected))
        if other.any():
            row = int(np.argmax(other))
            cell = self.cells.columns[column["column"]][first[positions[row]]]
            line = f"{self.cells.word} {self.cells.places[first[positions[row]]]}"
            rule = f"{column['per']} {labels[positions[row]]} must have one value, and has {cell!r} in {line}"
            fix = f"correct the table, or leave out `per: {column['per']}`"
            self.cells.refuse(column["column"], other, rule, fix)
        return values[first]

    def _check_roles(self, name: str, column: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        """Counts are at most their trials; exposures and standard errors are positive. Columns with
        mistakes are skipped."""
        trials = column["trials"]
        if trials in variables and name in variables:
            above = self._of_rows(name, variables) > self._of_rows(trials, variables)
            rule = f"it exceeds the number of trials, column {self.columns[trials]['column']}"
            self.cells.refuse(column["column"], above, rule)
        for key, words in POSITIVE.items():
            if (other := column[key]) in variables:
                rule = f"the {words} of {name} must be above 0"
                self.cells.refuse(self.columns[other]["column"], self._of_rows(other, variables) <= 0, rule)

    def _of_rows(self, name: str, variables: Mapping[str, Any]) -> np.ndarray:
        per, values = self.columns[name]["per"], variables[name][1]
        return values[self._members(per)[0]] if per else values


def _indexed(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (rows,) among the sorted labels, and these labels, as whole numbers if all are."""
    whole = all(WHOLE.fullmatch(cell) for cell in cells)
    labels, positions = np.unique(cells.astype(np.int64) if whole else cells, return_inverse=True)
    if not whole:
        order = np.array(sorted(range(len(labels)), key=lambda number: natural(labels[number])))
        labels, positions = labels[order], np.argsort(order)[positions]
    return positions.astype(np.int64), labels


def natural(label: str) -> list[tuple[bool, int, str]]:
    """A key that sorts labels as people count: judge 2 before Judge 10, and day -3 before day 1."""
    parts = re.split(r"((?:(?<!\S)-)?\d+)", label)
    keys = [(i % 2 == 0, int(part) if i % 2 else 0, "" if i % 2 else part.casefold()) for i, part in enumerate(parts)]
    return [*keys, (True, 0, label)]


def _meaning(name: str, column: Mapping[str, Any]) -> str:
    return column["label"] or name.replace("_", " ")


def _words(labels: np.ndarray) -> str:
    """Labels as CF flag meanings, which blanks separate."""
    return " ".join("_".join(str(label).split()) for label in labels)
