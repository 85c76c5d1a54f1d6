"""Table files as cells of text: CSV and similar formats, whose dialect is declared or detected,
NetCDF and Parquet.

Cells stay text until they are read as the study describes them, so that nothing is guessed from
their content.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tadpool.errors import UserError, did_you_mean
from tadpool.loading import sources

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
SAMPLED = 200
BINARY = {b"PK\x03\x04": "a workbook or archive", b"\xd0\xcf\x11\xe0": "a workbook", b"\x1f\x8b": "compressed"}
"""First bytes of files that are no text, and what they are."""


@dataclass(frozen=True)
class Cells:
    """A table as text.

    Attributes:
        file: Its path.
        columns: Heading -> cells (rows,) as str, "" where empty.
        places: Number of each row in the file (rows,): of its line in a text file, else of the row,
            from 1.
        rows: Number of each row (rows,), from 1.
        word: What `places` counts: "line" or "row".
        dialect: What was declared or detected, name -> word; empty for NetCDF and Parquet.
        written: `columns` before cells that count as missing became empty.
    """

    file: str
    columns: dict[str, np.ndarray]
    places: np.ndarray
    rows: np.ndarray
    word: str
    dialect: dict[str, str]
    written: dict[str, np.ndarray] = field(default_factory=dict)

    def column(self, heading: str) -> np.ndarray:
        """The cells of a column. Raises UserError if no column has this heading."""
        if heading not in self.columns:
            hint = did_you_mean(heading, [name for name in self.columns if name])
            raise UserError(f"{self.file} has no column {heading!r}{hint}")
        return self.columns[heading]

    def select_rows(self, keep: np.ndarray) -> "Cells":
        """The rows where `keep` (rows,) is true."""
        columns, written = (
            {heading: cells[keep] for heading, cells in kept.items()} for kept in (self.columns, self.written)
        )
        return replace(self, columns=columns, written=written, places=self.places[keep], rows=self.rows[keep])

    def place(self, heading: str, row: int) -> str:
        """Where a cell is, in words."""
        return f"{self.file}, {self.word} {self.places[row]}, column {heading}"

    def marked_missing(self, heading: str) -> list[str]:
        """The distinct texts of a column that count as empty."""
        empty = self.columns[heading] == ""
        return [text for text in dict.fromkeys(self.written.get(heading, np.array([]))[empty]) if text]

    def refuse(self, heading: str, bad: np.ndarray, rule: str, fix: str = "correct the table") -> None:
        """Raise UserError for the first row where `bad` (rows,) is true."""
        if bad.any():
            first = int(np.argmax(bad))
            others = f" ({int(bad.sum())} rows like this)" if bad.sum() > 1 else ""
            cell = self.columns[heading][first]
            written = cell or self.written.get(heading, self.columns[heading])[first]
            value = f"{cell[:60]!r} is not allowed" if cell else "the cell is empty"
            value = f"{written[:60]!r} counts as empty" if written and not cell else value
            raise UserError(f"{self.place(heading, first)}: {value}: {rule}; {fix}{others}")


def read(description: Mapping[str, Any]) -> Cells:
    """Read the cells of a described table; cells that count as missing become empty.

    Args:
        description: See `tadpool.loading.sources`.

    Raises:
        UserError: The table cannot be read, or has no rows.
    """
    path = Path(description["table"])
    readers = {".nc": _netcdf} | dict.fromkeys(sources.PARQUET, _parquet)
    cells = readers.get(path.suffix.lower(), _separated)(path, description)
    if not len(cells.rows):
        raise UserError(f"{cells.file} has no rows; a study needs at least one")
    missing = dict.fromkeys(cells.columns, description["missing_values"])
    for name, column in description["columns"].items():
        if column["missing_values"] is not None:
            missing[column["column"] or name] = column["missing_values"]
    missing = {name: [str(value) for value in values] for name, values in missing.items()}
    emptied = {name: np.where(np.isin(c, missing[name]), "", c).astype(object) for name, c in cells.columns.items()}
    return replace(cells, columns=emptied, written=cells.columns)


def _separated(path: Path, description: Mapping[str, Any]) -> Cells:
    text = _text(path, description["encoding"])
    declared = "tab" if path.suffix.lower() == ".tsv" else None
    separator = description["separator"] or declared or _separator(path, text)
    header, body, places = [], [], []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=SEPARATORS[separator], strict=True)
    try:
        before = 0
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not header:
                header = [cell.strip() for cell in cells]
            elif cells:
                if len(cells) != len(header):
                    counts = f"it has {len(cells)} cells, but the heading has {len(header)}"
                    fix = f"correct the line, or set `separator` (read as {separator})"
                    raise UserError(f"{path}, line {line}: {counts}; {fix}")
                body.append([cell.strip() for cell in cells])
                places.append(line)
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}; correct the quotes there") from error
    twice = [heading for heading, count in Counter(header).items() if heading and count > 1]
    if twice:
        raise UserError(f"{path}, line 1: the heading {twice[0]!r} is given twice; rename one")
    table = np.array(body, dtype=object).reshape(len(body), len(header))
    columns = {heading: table[:, position] for position, heading in enumerate(header)}
    dialect = {"separator": separator, "encoding": description["encoding"]}
    return Cells(str(path), columns, np.array(places, int), np.arange(1, len(body) + 1), "line", dialect)


def _text(path: Path, encoding: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
    for start, what in BINARY.items():
        if content.startswith(start):
            raise UserError(f"{path} is not text but {what}; save the table as CSV")
    fix = "save the table as UTF-8, or set `encoding`"
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in {encoding} (byte {error.start + 1}); {fix}") from error
    if "\0" in text:
        raise UserError(f"{path} is not text in {encoding} (a character is 0); {fix}")
    return text


def _separator(path: Path, text: str) -> str:
    """The separator with which the first lines all have the same number of cells, more than one.

    If there is none, the one with most cells in the heading, so that the uneven line is reported;
    comma for a single column. Raises UserError if there are several.
    """
    widths = {name: _widths(text, mark) for name, mark in SEPARATORS.items()}
    even = [name for name, counts in widths.items() if len(set(counts)) == 1 and counts[0] > 1]
    if len(even) > 1:
        raise UserError(f"{path} can be read with {' or '.join(even)} as separator; set `separator`")
    return even[0] if even else max(widths, key=lambda name: widths[name][:1])


def _widths(text: str, mark: str) -> list[int]:
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
        return [len(cells) for cells in islice(lines, SAMPLED) if cells]
    except csv.Error:
        return []


def _netcdf(path: Path, description: Mapping[str, Any]) -> Cells:
    """The described columns, which are variables with the same dim; numbers are written so that
    they read as the same."""
    headings = _headings(description)
    try:
        with xr.open_dataset(path, engine="netcdf4", decode_times=False) as dataset:
            variables = {str(name): variable.load() for name, variable in dataset.variables.items()}
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{path} cannot be read as NetCDF ({error}); save it again") from error
    for heading in headings:
        if (
            heading in variables
            and variables[heading].dims != variables[headings[0] if headings[0] in variables else heading].dims
        ):
            what = f"{heading} has the dims {variables[heading].dims}, {headings[0]} has {variables[headings[0]].dims}"
            raise UserError(f"{path}: {what}; give all columns the same dim")
        if heading in variables and variables[heading].ndim != 1:
            raise UserError(f"{path}: {heading} has {variables[heading].ndim} dims; give it one, since it is a column")
    columns = {name: _as_text(variables[name].values) for name in headings if name in variables}
    rows = np.arange(1, len(next(iter(columns.values()), ())) + 1)
    others = {
        name: np.full(len(rows), "", object) for name, v in variables.items() if name not in columns and v.ndim == 1
    }
    return Cells(str(path), columns | others, rows, rows, "row", {})


def _headings(description: Mapping[str, Any]) -> list[str]:
    """The headings of the described columns."""
    return list(dict.fromkeys(column["column"] or name for name, column in description["columns"].items()))


def _parquet(path: Path, description: Mapping[str, Any]) -> Cells:
    """The described columns: nulls are empty, true and false are 1 and 0, dates are text such as
    2026-01-31.

    Raises UserError if one contains lists, structures or bytes.
    """
    if lacking := sources.lacking(str(path)):
        raise UserError(f"{path}: {'; '.join(lacking)}")
    import polars  # late: no other format needs it

    try:
        table = polars.scan_parquet(path)
        schema = table.collect_schema()
        headings = [name for name in _headings(description) if name in schema]
        columns = table.select(headings).collect().to_dict(as_series=False)
        rows = np.arange(1, table.select(polars.len()).collect().item() + 1)
    except (polars.exceptions.PolarsError, OSError) as error:
        what = str(error).splitlines()[0]
        raise UserError(f"{path} cannot be read as Parquet ({what}); save it again") from error
    for name in headings:
        kind = schema[name]
        if kind.is_nested() or kind in (polars.Binary, polars.Object):
            fix = "make a column of each of its values, or save it as text"
            raise UserError(f"{path}: column {name} is {str(kind).lower()}, but a cell is one number or text; {fix}")
    text = {name: _as_text(np.array(values, object)) for name, values in columns.items()}
    others = {name: np.full(len(rows), "", object) for name in schema if name not in text}
    return Cells(str(path), text | others, rows, rows, "row", {})


def _as_text(values: np.ndarray) -> np.ndarray:
    """Values (rows,) as text: whole floats have no point, true and false are 1 and 0, nan and None
    are ""."""
    return np.array([_cell(value) for value in values.tolist()], dtype=object)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case float():
            return "" if value != value else str(int(value)) if value.is_integer() else repr(value)
        case bytes():
            return value.decode()
    return str(value)
