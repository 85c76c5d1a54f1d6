"""What a column of a table probably holds, with the evidence, judged by its cells and its heading.

A kind that may as well be another one comes with a question.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tadpool.loading import headings
from tadpool.loading.described_table import LONGEST_LABEL, natural
from tadpool.loading.number_formats import DATE, MARKED, MINUS, TIME, sign_of_cell
from tadpool.loading.table_remarks import CODE

FEW, MANY = 6, 5
MOSTLY_EMPTY = 0.5
WORD = re.compile(r"[^\W\d_][^\d]{2,}")
"""What may stand for an empty cell among numbers: absent, not measured; not X or 12b."""
FEW_WORDS, RARE, MANY_NUMBERS = 3, 0.1, 10
ORDERS = (
    ("very low", "low", "medium", "high", "very high"),
    ("low", "moderate", "high"),
    ("l", "m", "h"),
    ("small", "medium", "large"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("poor", "fair", "good", "very good", "excellent"),
    ("none", "mild", "moderate", "severe"),
    ("none", "some", "marked"),
)
SPAN = re.compile(
    r"\D{0,2}(\d+(\.\d+)?)\s*([-\u2013]|to)\s*\d+.*|[<>\u2264\u2265]?\s*\d+(\.\d+)?\s*\+.*|[<>\u2264\u2265]\s*\d+.*"
)
LIKE_MEMBERS = "are these members that resemble each other, or conditions with effects of their own?"
YES = ("yes", "y", "true", "t", "1", "survived", "success", "positive", "present", "dead", "died", "case")


@dataclass(frozen=True)
class Question:
    """Two readings of a column. text: what is not known. choices: what may be answered, the one
    that was taken first. fix: what to write for the other."""

    text: str
    choices: tuple[str, ...]
    fix: str


@dataclass(frozen=True)
class Guess:
    """A column of a table.

    Attributes:
        heading: Its heading.
        name: Its name in the study.
        kind: What it holds, or "" where it is not used.
        evidence: Why, in words.
        keys: Further keys of its description.
        question: What is not known of it.
        values: Its numbers (rows,), nan where empty; None for labels.
        labels: Its distinct labels, sorted.
    """

    heading: str
    name: str
    kind: str
    evidence: str
    keys: dict[str, Any] = field(default_factory=dict)
    question: Question | None = None
    values: np.ndarray | None = None
    labels: tuple[str, ...] = ()

    @property
    def words(self) -> set[str]:
        return headings.words(self.heading)

    @property
    def whole(self) -> bool:
        """Whether all its values are whole numbers of at least 0."""
        return self.values is not None and bool(
            np.all((known := self.values[~np.isnan(self.values)]) % 1 == 0) and known.min() >= 0
        )

    def unused(self, why: str) -> "Guess":
        return replace(self, kind="", evidence=why, question=None, keys={})

    def changed(self, kind: str) -> "Guess":
        """The same column as another kind, which somebody chose."""
        keys = {name: value for name, value in self.keys.items() if name != "levels"}
        if kind in ("binary", "ordered") and set(self.labels) != {"0", "1"}:
            keys["levels"] = list(self.labels)
        return replace(self, kind=kind, keys=keys, question=None)


def guess(heading: str, cells: np.ndarray, name: str, position: int) -> Guess:
    """What a column probably holds.

    Args:
        heading: Its heading.
        cells: (rows,) of str, "" where empty.
        name: Its name in the study.
        position: Of the column, from 0.

    Returns:
        Its kind with the evidence.
    """
    filled = [str(cell) for cell in cells if cell]
    labels = tuple(sorted(dict.fromkeys(filled), key=natural))
    empty = 1 - len(filled) / max(len(cells), 1)
    column = Guess(heading, name, "", "", labels=labels)
    if not heading:
        return column.unused("it has no heading")
    if empty > MOSTLY_EMPTY:
        return column.unused("all its cells are empty" if empty == 1 else f"{empty:.0%} of its cells are empty")
    if len(labels) == 1:
        return column.unused(f"it has one value in all rows, {labels[0]}")
    if all(DATE.fullmatch(label) or TIME.fullmatch(label) for label in labels):
        return column.unused("it holds dates or times, which are no numbers")
    if empty:
        count = len(cells) - len(filled)
        column = replace(column, keys={"missing": "drop"}, evidence=f"{count} empty cell{'s' * (count > 1)}; ")
    values, keys = _numbers(cells, labels)
    if values is None and (texts := _for_empty(filled, labels)):
        found = guess(heading, np.where(np.isin(cells, texts), "", cells), name, position)
        if found.kind:
            return _with_texts(found, texts)
    kind = _numeric if values is not None else _labelled
    found = kind(replace(column, values=values, keys=column.keys | keys), len(filled), position)
    sign = keys.get("sign", "")
    units = headings.units(heading) or (sign if sign.casefold() in headings.UNITS else "")
    if found.kind == "number" and units:
        found = replace(found, keys=found.keys | {"units": units})
    return found if not found.kind else replace(found, evidence=column.evidence + found.evidence)


def _for_empty(filled: Sequence[str], labels: Sequence[str]) -> list[str]:
    """The words that stand in a few cells of a column of many numbers."""
    words = [label for label in labels if WORD.fullmatch(label)]
    numbers = [label for label in labels if MARKED.fullmatch(label)]
    few = len(words) <= FEW_WORDS and sum(map(filled.count, words)) <= RARE * len(filled)
    return words if words and few and len(numbers) >= MANY_NUMBERS and len(words) + len(numbers) == len(labels) else []


def _with_texts(found: Guess, texts: list[str]) -> Guess:
    """A column of numbers in which words stand for empty cells."""
    words = " and ".join(map(repr, texts))
    stand = f"does {words} stand for an empty cell?" if len(texts) == 1 else f"do {words} stand for empty cells?"
    question = found.question or Question(stand, ("yes", "no"), "correct the table")
    keys = found.keys | {"missing_values": texts}
    return replace(found, keys=keys, question=question, evidence=f"{words} taken as empty; {found.evidence}")


def _numbers(cells: np.ndarray, labels: tuple[str, ...]) -> tuple[np.ndarray | None, dict[str, Any]]:
    """The numbers (rows,) of a column, None where some cells are none, and keys that say how they
    are written."""
    signs = {sign_of_cell(label) for label in labels}
    (sign,) = signs if len(signs) == 1 else (None,)
    if sign and sign[0].isalpha() and any(label.startswith(sign) for label in labels):
        sign = None  # P1, P2, ... are labels
    keys = {} if sign is None else {"percent": True} if sign == "%" else {"sign": sign}
    bare = [str(cell).replace(sign or "", "").strip().translate(MINUS) for cell in cells]
    if not all(MARKED.fullmatch(text) for text in bare if text):
        return None, {}
    return np.array([_value(text) for text in bare]), keys


def _value(text: str) -> float:
    """About the number of a cell: how the whole table writes numbers is found when it is read."""
    plain = re.sub(r"[\s'\u2019]", "", text)
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        return float(plain.replace(",", "")) if plain else float("nan")
    except ValueError:
        return float("nan")


def _numeric(column: Guess, rows: int, position: int) -> Guess:
    known = column.values[~np.isnan(column.values)]
    distinct = np.unique(known)
    each = len(distinct) == rows
    whole = bool(np.all(known % 1 == 0))
    span = f"from {distinct[0]:.6g} to {distinct[-1]:.6g}"
    from_one = whole and np.array_equal(distinct, np.arange(1, len(distinct) + 1))
    if each and whole and (column.heading.casefold() in headings.ROWS or (from_one and position == 0)):
        return column.unused("it numbers the rows")
    if np.array_equal(distinct, [0, 1]):
        return replace(column, kind="binary", evidence="0 and 1")
    named = bool(column.words & headings.GROUPS) and not column.words & headings.SUMMARIES
    if whole and named and not column.keys.keys() - {"missing"}:
        if each:
            return column.unused("it has another value in each row")
        return _named_group(column, rows)
    if len(distinct) == 2 and whole:
        return replace(column.changed("binary"), evidence=f"two values, {column.labels[0]} and {column.labels[1]}")
    numbers = replace(column, kind="number", evidence=f"{'whole ' * whole}numbers {span}")
    if code := _code(distinct):
        fix = f"write `missing_values: [{code}]` and `missing: drop` there"
        return replace(numbers, question=Question(f"does {code} stand for an empty cell?", ("no", "yes"), fix))
    few = whole and len(distinct) <= FEW and rows >= 3 * len(distinct) and not column.words & headings.MEASURED
    if few and from_one:
        question = Question(
            "are these levels, or a number with a slope?", ("categorical", "number"), "write `kind: number`"
        )
        return replace(column, kind="categorical", evidence=f"codes {span}", question=question)
    if few:
        question = Question(
            "is this a number with a slope, or levels?", ("number", "categorical"), "write `kind: categorical`"
        )
        return replace(numbers, question=question)
    coded = whole and len(distinct) > FEW and rows >= 2 * len(distinct)
    if coded and known.min() >= 0 and not column.words & (headings.MEASURED | headings.PREDICTORS):
        question = Question(
            "is this a number, or are these members of a group?", ("number", "group"), "write `kind: group`"
        )
        return replace(numbers, question=question)
    return numbers


def _code(distinct: np.ndarray) -> str:
    """A number of nines that is further from all others than these are from each other; or ""."""
    for code, others, nearest in ((distinct[0], distinct[1:], 0), (distinct[-1], distinct[:-1], -1)):
        text = f"{code:.15g}"
        if len(others) > 1 and CODE.fullmatch(text) and abs(code - others[nearest]) > np.ptp(others):
            return text
    return ""


def _labelled(column: Guess, rows: int, position: int) -> Guess:
    labels, count = column.labels, len(column.labels)
    if any(len(label) > LONGEST_LABEL for label in labels):
        return column.unused("it holds texts, not labels")
    if count == 2:
        levels = sorted(labels, key=lambda label: label.casefold() in YES)
        found = replace(column.changed("binary"), evidence=f"two labels; {levels[1]!r} counts as 1")
        return replace(found, keys=found.keys | {"levels": levels})
    if order := _order(labels):
        found = replace(column.changed("ordered"), evidence=f"{count} labels that have an order")
        return replace(found, keys=found.keys | {"levels": order})
    if count == rows:
        return replace(column.unused("it has another label in each row"), labels=labels)
    named = bool(column.words & headings.GROUPS)
    if count > rows / 2 and not named:
        return column.unused(f"{count} different texts in {rows} rows")
    if not named and (column.words & headings.CONDITIONS or count < MANY):
        return replace(column, kind="categorical", evidence=f"{count} labels")
    if named:
        return _named_group(column, rows)
    found = replace(column, kind="group", evidence=_members(column, rows))
    return replace(found, question=Question(LIKE_MEMBERS, ("group", "categorical"), "write `kind: categorical`"))


def _named_group(column: Guess, rows: int) -> Guess:
    """A column with the heading of a group; it may be a condition where it has few labels."""
    found = replace(column, kind="group", evidence=f"{_members(column, rows)}, named like a group")
    if len(column.labels) >= MANY:
        return found
    return replace(found, question=Question(LIKE_MEMBERS, ("group", "categorical"), "write `kind: categorical`"))


def _members(column: Guess, rows: int) -> str:
    return f"{len(column.labels)} members in {rows} rows"


def _order(labels: tuple[str, ...]) -> list[str]:
    """Labels from lowest to highest, where they are words or ranges that have an order; or none."""
    known = {label.casefold(): label for label in labels}
    for order in ORDERS:
        if len(known) > 2 and known.keys() <= set(order):
            return [known[word] for word in order if word in known]
    if len(labels) > 2 and all(SPAN.fullmatch(label) for label in labels):
        return sorted(labels, key=_beginning)
    return []


def _beginning(label: str) -> tuple[float, bool]:
    """Where a range begins; one below a number comes before one from it."""
    return float(re.search(r"\d+(\.\d+)?", label)[0]), label[0] not in "<\u2264"
