"""How a table writes numbers: its decimal and thousands marks.

A mark may be declared. What is not declared is found from all numbers of the table together; where
two readings give different values, the table is refused with both, so that nothing is guessed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tadpool.errors import UserError
from tadpool.formatting import counted
from tadpool.loading.labels import plain_label, visible
from tadpool.loading.table_files import Cells

DECIMALS = {"point": ".", "comma": ","}
# A blank may be one that does not break, or a thin one.
THOUSANDS = {"none": "", "comma": ",", "point": ".", "blank": " \u00a0\u2009\u202f", "apostrophe": "'\u2019"}
WHOLE_KINDS = ("integer", "count")
NUMERIC_KINDS = ("number", *WHOLE_KINDS)
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
DATE = re.compile(
    rf"\d{{4}}[-/]\d\d?([-/]\d\d?)?([T ].*)?|\d\d?([./-])\d\d?\3\d{{2,4}}( .*)?|(\d\d?\W+)?({MONTHS})[a-z]*\W+\d.*",
    re.IGNORECASE,
)
TIME = re.compile(r"\d+:\d\d(:\d\d([.,]\d+)?)?")
MINUS = str.maketrans(dict.fromkeys("\u2212\u2013\u2010\u2011\ufe63\uff0d", "-"))
"""The minus sign and dashes that are written for it."""

MARKED = re.compile(r"[+-]?[\d.,'\u2019\s]*\d[\d.,'\u2019\s]*([eE][+-]?\d+)?")
"""Digits with marks, in whatever order."""

SIGN = re.compile(r"[^\W\d_](.*[^\W\d]|)[^\w]*[23]?|[%‰°\u20a0-\u20cf$¢£¤¥].*")
NOT_A_CELL = re.compile(r"\D*|#[A-Z0/]+[!?]?")
"""Texts without a number, and the errors of spreadsheets (#DIV/0!)."""

NEGATIVE = re.compile(r"\(.*\d.*\)|[\d.,]+-")
WITH_SIGN = re.compile(r"(?P<before>[^\d.,+-]*?)\s*(?P<number>[+-]?[\d.,].*?)\s*(?P<after>(?:[^\d.,'\s]+[23]?)?)")
UNCERTAIN = re.compile(r"[<>=~≈≤≥±?*()\[\]]")
LABELLED = re.compile(r"true|false|yes|no|t|f|y|n", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """A way to read numbers. decimal: a key of DECIMALS. thousands: a key of THOUSANDS."""

    decimal: str
    thousands: str

    @cached_property
    def pattern(self) -> re.Pattern:
        """The numbers that it can read; marks of thousands stand after the first one to three
        digits and before the last three, with two or three between (12,34,567), or nowhere."""
        point, mark = re.escape(DECIMALS[self.decimal]), THOUSANDS[self.thousands]
        grouped = rf"[1-9]\d{{0,2}}([{re.escape(mark)}]\d{{2,3}})*[{re.escape(mark)}]\d{{3}}|" if mark else ""
        return re.compile(rf"[+-]?(({grouped}\d+)({point}\d*)?|{point}\d+)([eE][+-]?\d+)?")

    def fits(self, cell: str, whole: bool) -> bool:
        """Whether it can read a cell, as a whole number where one is needed."""
        return self.pattern.fullmatch(cell) is not None and (not whole or self.value(cell).is_integer())

    def value(self, cell: str) -> float:
        """The number in a cell that it can read."""
        bare = re.sub(f"[{re.escape(mark)}]", "", cell) if (mark := THOUSANDS[self.thousands]) else cell
        return float(bare.replace(DECIMALS[self.decimal], "."))

    @property
    def words(self) -> str:
        """The keys that declare it."""
        return f"`decimal: {self.decimal}`" + ("" if self.thousands == "none" else f", `thousands: {self.thousands}`")


def sign_of(column: Mapping[str, Any]) -> str | None:
    """The sign beside the numbers of a column, if one is declared."""
    return "%" if column["percent"] else column["sign"]


def bare(cells: Iterable[str], column: Mapping[str, Any]) -> list[str]:
    """Cells without the column's `sign`, or without the per cent sign that `percent` asks for, with
    a hyphen for a minus sign, and without invisible characters."""
    return [_bare(visible(cell).translate(MINUS), sign_of(column)) for cell in cells]


def _bare(cell: str, sign: str | None) -> str:
    if not sign:
        return cell
    minus = "-" if cell.startswith(f"-{sign}") else ""
    return minus + cell.removeprefix(minus).removeprefix(sign).removesuffix(sign).strip()


def reading(cells: Cells, columns: Mapping[str, Mapping[str, Any]], description: Mapping[str, Any]) -> Reading:
    """How the numbers of a table are read.

    Args:
        cells: The remaining rows.
        columns: The described columns, each with its heading as `column`.
        description: Its `decimal` and `thousands` are declared marks, or None.

    Returns:
        The reading that fits all numbers; if none does, the one that fits most.

    Raises:
        UserError: Two readings fit all numbers and give different values.
    """
    numeric = [column for column in columns.values() if column["kind"] in NUMERIC_KINDS]
    grouped = any(_grouped_by_points(bare(cells.columns[each["column"]], each), each) for each in numeric)
    candidates = _candidates(cells, description, grouped)
    distinct = [
        (column, cell, text)
        for column in numeric
        for cell, text in _distinct(cells.columns[column["column"]], column).items()
    ]
    fitting = [[c.fits(text, column["kind"] in WHOLE_KINDS) for column, _, text in distinct] for c in candidates]
    counts = [sum(own) for own in fitting]
    chosen, *others = [c for c, count in zip(candidates, counts, strict=True) if count == max(counts)]
    if max(counts) == len(distinct):
        for other in others:
            for column, cell, text in distinct:
                if (one := chosen.value(text)) != (another := other.value(text)):
                    place = cells.place(column["column"], int(np.argmax(cells.columns[column["column"]] == cell)))
                    raise UserError(
                        f"{place}: {cell!r} may be {one:.15g} ({chosen.words}) or {another:.15g} ({other.words}), and so "
                        "may all numbers of the table; declare one of them beside `table`"
                    )
    return chosen


def _grouped_by_points(texts: Sequence[str], column: Mapping[str, Any]) -> bool:
    """Whether the points of a column may be between thousands in a table separated by commas:
    beside numbers of up to three digits, in whole numbers, or before a decimal comma."""
    pointed = [text for text in texts if "." in text]
    others = [text.lstrip("+-") for text in texts if text and "." not in text]
    unlike = any(text.isdigit() and len(text) > 3 for text in others)
    commas = any("," in text for text in pointed)
    return bool(pointed) and not unlike and (commas or bool(others) or column["kind"] in WHOLE_KINDS)


def _candidates(cells: Cells, description: Mapping[str, Any], grouped: bool) -> list[Reading]:
    """Readings that are possible where the declared marks hold, the plainest first.

    In a table with commas between cells a point is not a mark of thousands unless a column looks
    so, and cells that were numbers before they became text are plain.
    """
    decimal, thousands = description["decimal"], description["thousands"]
    guessed = bool(cells.dialect)
    decimals = [decimal] if decimal else list(DECIMALS) if guessed else ["point"]
    marks = [thousands] if thousands else list(THOUSANDS) if guessed else ["none"]
    if not thousands and cells.dialect.get("separator") == "comma" and not grouped:
        marks.remove("point")
    return [Reading(d, t) for t in marks for d in decimals if DECIMALS[d] != THOUSANDS[t]] or [
        Reading(decimals[0], marks[0])
    ]


def _distinct(cells: np.ndarray, column: Mapping[str, Any]) -> dict[str, str]:
    """The distinct cells of a column that are not empty, each without its sign."""
    found = [cell for cell in dict.fromkeys(cells) if cell]
    return dict(zip(found, bare(found, column), strict=True))


def advice(
    cell: str, column: Mapping[str, Any], read: Reading, cells: Sequence[str], missing: Sequence[str] = ()
) -> str:
    """What to do about a cell that is not a number, so that what it says is not lost.

    column: its description. read: how the table is read. cells: all of the column. missing: texts
    that count as empty in it.
    """
    own = f"for the column {column['column']}"
    filled = [other for other in dict.fromkeys(cells) if other]
    if LABELLED.fullmatch(cell):
        return f"if these are levels, write `kind: binary` and `levels` {own}"
    if DATE.fullmatch(cell):
        return "a date is not a number: make a column of the year, or of the days since a date, and describe that one"
    if TIME.fullmatch(cell):
        return "a time is not a number: make a column of the hours, minutes or seconds, and describe that one"
    if NOT_A_CELL.fullmatch(cell):
        words = [other for other in filled if NOT_A_CELL.fullmatch(other)]
        if len(filled) > 1 and len(words) == len(filled):
            return f"if these are labels, write `kind: categorical` {own}"
        said = ", ".join(map(repr, [*missing, *words]))
        which = "it stands for an empty one" if len(words) == 1 else "these stand for empty ones"
        return f"correct the table, or write `missing_values: [{said}]` {own} if {which}"
    return _advice_about_sign(cell, column, filled, own) or _advice_about_marks(cell, read)


def _advice_about_sign(cell: str, column: Mapping[str, Any], filled: Sequence[str], own: str) -> str | None:
    """What to do about a cell whose sign is not declared, or that lacks the declared one."""
    declared = sign_of(column)
    sign = declared or sign_of_cell(cell)
    if not sign or NEGATIVE.fullmatch(cell):
        return None
    numbers = [other for other in filled if not NOT_A_CELL.fullmatch(other)]
    if column["percent"] and not any(sign in other for other in numbers):
        return f"write % in all cells {own}, or leave out `percent` if they are no per cents"
    if declared and sign in cell:
        return None
    if declared or any(sign_of_cell(other) != sign for other in numbers):
        return f"give all cells of the column {column['column']} one unit, with {sign} in each or in none"
    if sign == "%":
        return f"write `percent: true` {own} to divide by 100, or `sign: '%'` to leave the sign out"
    return f"write `sign: {sign!r}` {own} to leave the sign out"


def sign_of_cell(cell: str) -> str | None:
    """The currency or unit beside the number of a cell."""
    parts = WITH_SIGN.fullmatch(cell)
    sign = parts and (parts["before"].strip() or parts["after"])
    return sign if sign and SIGN.fullmatch(sign) and MARKED.fullmatch(parts["number"].translate(MINUS)) else None


def _advice_about_marks(cell: str, read: Reading) -> str:
    if MARKED.fullmatch(cell):
        return (
            "correct the table, all of whose numbers need the same marks, or declare these with `decimal` and `thousands` "
            f"(read with {read.words})"
        )
    negative = "; a negative one begins with a minus sign" if NEGATIVE.fullmatch(cell) else ""
    return f"correct the table, so that the cell is one number{negative}"


def labels_advice(labels: Sequence[str]) -> str:
    """What to do about levels that were not declared, in a column with these distinct labels."""
    if len(labels) == 2:
        return f"declare `levels: [{', '.join(map(repr, labels))}]`; the second level counts as 1"
    if len(labels) == 1:
        return f"declare both `levels`, of which {labels[0]!r} is one"
    fix = "list in `missing_values` what stands for an empty one, and declare `levels`"
    return f"the column has {counted(len(labels), 'label')}: write each of two levels in one way, {fix}"


def level_advice(cell: str, levels: Sequence[str], kind: str) -> str:
    """What to do about a label that is not one of the declared levels."""
    for level in levels:
        if plain_label(level) == plain_label(cell):
            return f"write {level!r} in the table, or {cell!r} in `levels`"
    if kind == "binary":
        return "correct the table, or list it in `missing_values` if it stands for an empty one"
    return "correct the table, or add it to `levels`"
