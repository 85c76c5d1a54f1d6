"""What a table is probably about: its outcome, groups, trials or exposure, and the other columns.

Whatever may as well be otherwise is a question; nothing is decided silently.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tadpool.errors import UserError, did_you_mean
from tadpool.loading import column_guesses, group_guesses, headings, table_files
from tadpool.loading.column_guesses import Guess, Question
from tadpool.loading.sources import PARQUET, lacking
from tadpool.loading.table_files import Cells
from tadpool.loading.table_remarks import EMPTY

OUTCOME_KINDS = ("number", "count", "integer", "binary", "ordered")
LEVELS = 11


@dataclass(frozen=True)
class TableGuess:
    """What a table is probably about.

    Attributes:
        columns: Name -> column, in the order of the table; those with no kind are not used.
        outcome: Name of the outcome.
        groups: Names of groups; the first is the one whose members the ladder compares.
        missing_values: Texts that count as empty.
        questions: Name of a column, or "outcome" or "groups" -> what is not known.
        notes: How two groups stand to each other, in words.
    """

    columns: dict[str, Guess]
    outcome: str
    groups: list[str]
    missing_values: list[str]
    questions: dict[str, Question]
    notes: list[str]

    @property
    def predictors(self) -> list[str]:
        """Columns that can predict."""
        roles = {self.columns[self.outcome].keys.get(role) for role in ("trials", "exposure")}
        kinds = ("number", "integer", "binary", "categorical", "ordered")
        own = {self.outcome, *self.groups, *roles}
        return [name for name, column in self.columns.items() if column.kind in kinds and name not in own]


def read(
    description: Mapping[str, Any],
    outcome: str | None = None,
    groups: Sequence[str] | None = None,
    kinds: Mapping[str, str] | None = None,
) -> TableGuess:
    """Judge a table by its cells and headings.

    Args:
        description: See `tadpool.loading.sources`, without columns.
        outcome: The outcome's heading or name, where somebody chose it.
        groups: Those of the groups, likewise; no column is one where it is empty.
        kinds: Heading or name of a column -> kind, likewise.

    Raises:
        UserError: The table cannot be read, has no such column or none that can be an outcome.
    """
    every = {heading: {"column": heading, "missing_values": None} for heading in _headings(description["table"])}
    cells = table_files.read({**description, "columns": every})
    cells, missing = _emptied(cells, description["missing_values"])
    columns: dict[str, Guess] = {}
    for position, (heading, values) in enumerate(cells.columns.items()):
        name = headings.name_of(heading, set(columns))
        columns[name] = column_guesses.guess(heading, values, name, position)
    for given, kind in (kinds or {}).items():
        name = _known(given, columns, cells.file)
        columns[name] = columns[name].changed(kind)
    chosen = None if groups is None else [_known(given, columns, cells.file) for given in groups]
    for name, column in columns.items():
        if chosen is not None and (name in chosen or column.kind == "group"):
            columns[name] = column.changed("group" if name in chosen else "categorical")
    return _judged(
        cells, columns, _known(outcome, columns, cells.file) if outcome else None, chosen, missing, set(kinds or ())
    )


def _headings(table: str) -> list[str]:
    """The columns of a table in NetCDF or Parquet, which are read by name.

    None of text, and none of a file that cannot be read: reading it says why.
    """
    suffix = Path(table).suffix.lower()
    if suffix == ".nc":
        with suppress(OSError, ValueError, RuntimeError), xr.open_dataset(table, decode_times=False) as dataset:
            return [str(name) for name, variable in dataset.variables.items() if variable.ndim == 1]
    if suffix in PARQUET and not lacking(table):
        import polars

        with suppress(OSError, polars.exceptions.PolarsError):
            return polars.scan_parquet(table).collect_schema().names()
    return []


def _emptied(cells: Cells, declared: Sequence[str]) -> tuple[Cells, list[str]]:
    """The cells without texts that stand for empty ones in columns of numbers, and these texts."""
    found = [*declared]
    columns = dict(cells.columns)
    for heading, values in columns.items():
        marks = [text for text in dict.fromkeys(values) if text and text.casefold() in EMPTY]
        others = [text for text in dict.fromkeys(values) if text and text not in marks]
        if marks and others and all(re.search(r"\d", text) for text in others):
            columns[heading] = np.where(np.isin(values, marks), "", values).astype(object)
            found += [text for text in marks if text not in found]
    return replace(cells, columns=columns), found


def _known(given: str, columns: Mapping[str, Guess], file: str) -> str:
    names = {column.heading: name for name, column in columns.items()} | {name: name for name in columns}
    if given not in names:
        raise UserError(f"{file} has no column {given!r}{did_you_mean(given, [name for name in names if name])}")
    return names[given]


def _judged(
    cells: Cells,
    columns: dict[str, Guess],
    outcome: str | None,
    groups: list[str] | None,
    missing: list[str],
    decided: set[str],
) -> TableGuess:
    questions: dict[str, Question] = {}
    if outcome is None:
        outcome, question = _outcome(columns, cells.file)
        questions |= {"outcome": question} if question else {}
    columns = _without_derived(columns, outcome)
    if outcome not in decided and columns[outcome].heading not in decided:
        columns[outcome] = _as_outcome(columns[outcome])
    columns = _with_role(columns, outcome)
    if groups is None:
        columns, question = group_guesses.grouped(cells, columns, outcome)
        questions |= {"groups": question} if question else {}
    columns, notes, nested = group_guesses.related(cells, columns, fixed=groups is not None)
    questions |= nested
    found = groups
    if found is None:
        found = [name for name, column in columns.items() if column.kind == "group"]
        found.sort(key=lambda name: -len(columns[name].labels))
    columns = group_guesses.of_members(cells, columns, outcome, found)
    for name, column in columns.items():
        if column.question and name not in questions and name not in (groups or ()):
            questions[name] = column.question
    return TableGuess(columns, outcome, found, missing, questions, notes)


def _outcome(columns: Mapping[str, Guess], file: str) -> tuple[str, Question | None]:
    """The column that is most likely the outcome, and a question where another may be."""
    scores = {}
    possible = [name for name, column in columns.items() if column.kind in OUTCOME_KINDS or _codes(column)]
    for name in possible:
        words = columns[name].words
        known = 3 * bool(words & headings.OUTCOMES) - 2 * bool(words & headings.PREDICTORS)
        edge = name in (possible[0], possible[-1])
        scores[name] = known - 4 * bool(words & headings.COMPLEMENTS) + edge + 0.5 * (name == possible[0])
    if not scores:
        raise UserError(
            f"{file}: no column can be an outcome, which is a number, a count, yes or no, or levels; describe one"
        )
    best, *others = sorted(scores, key=lambda name: -scores[name])
    sure = not others or (scores[best] >= 3 and scores[others[0]] < 3)
    question = Question("which column is the outcome?", (best, *others), "change `outcomes`")
    return best, None if sure else question


def _codes(column: Guess) -> bool:
    return column.kind == "categorical" and column.values is not None


def _as_outcome(column: Guess) -> Guess:
    """The outcome as counts, levels or measured numbers."""
    values = column.values
    if values is None or column.kind == "binary" or {"sign", "percent"} & column.keys.keys():
        return column
    known = values[~np.isnan(values)]
    levels = np.unique(known)
    codes = column.whole and np.array_equal(levels, np.arange(1, len(levels) + 1)) and 3 <= len(levels) <= LEVELS
    span = f"whole numbers from {known.min():.6g} to {known.max():.6g}"
    if codes and len(known) >= 5 * len(levels):
        question = Question(
            "are these levels, or counts?", ("ordered", "count"), "write `kind: count` without `levels`"
        )
        found = replace(column.changed("ordered"), evidence=f"levels from 1 to {len(levels)}")
        return found if column.words & headings.RATINGS else replace(found, question=question)
    if not column.whole:
        code = column.question and {*column.question.choices} == {"no", "yes"}
        return column if code else replace(column, question=None)
    counted, measured = column.words & headings.COUNTED, column.words & headings.MEASURED
    count = replace(column, kind="count", evidence=span, question=None)
    number = replace(column, kind="number", evidence=span, question=None)
    if bool(counted) != bool(measured):
        return count if counted else number
    first, second = (count, number) if known.min() == 0 else (number, count)
    words = "was this counted, or measured and rounded?"
    return replace(first, question=Question(words, (first.kind, second.kind), f"write `kind: {second.kind}`"))


def _without_derived(columns: Mapping[str, Guess], outcome: str) -> dict[str, Guess]:
    """The columns; one that is the outcome divided by another is not used."""
    kept = dict(columns)
    y = kept[outcome].values
    used = {name: c for name, c in kept.items() if c.kind in ("number", "binary") and name != outcome}
    numbers = {name: c for name, c in used.items() if c.values is not None}
    for name, column in numbers.items():
        divisors = [c for c in numbers.values() if c.name != name and np.all(c.values > 0)]
        near = [c for c in divisors if np.allclose(column.values, y / c.values, rtol=1e-3, atol=1e-3)]
        if near and column.kind == "number" and not column.whole:
            kept[name] = column.unused(f"it is {kept[outcome].heading} / {near[0].heading}")
    return kept


def _with_role(columns: Mapping[str, Guess], outcome: str) -> dict[str, Guess]:
    """The columns, where the outcome names its trials or exposure, or asks for them."""
    found, column = dict(columns), columns[outcome]
    if column.kind not in ("count", "number", "ordered") or not column.whole:
        return found
    others = {name: c for name, c in columns.items() if c.kind in ("number", "categorical") and c.values is not None}
    y = column.values
    beside = {name: c for name, c in others.items() if name != outcome and not np.isnan(c.values).any()}
    above = [name for name, c in beside.items() if c.whole and np.all(c.values >= y) and np.any(c.values > y)]
    for name in above:
        if found[name].words & headings.TRIALS:
            return found | _roles(column, "trials", found[name], "never above it")
    if column.kind != "count":
        return found
    for name, other in beside.items():
        if other.words & headings.EXPOSURES and np.all(other.values > 0):
            return found | _roles(column, "exposure", found[name], "its exposure by name")
    rest = [name for name, c in beside.items() if c.words & headings.COMPLEMENTS]
    if rest:
        fix = f"add a column with {outcome} + {rest[0]} to the table, and name it as `trials: ...`"
        question = Question(f"is it out of {outcome} + {rest[0]}?", ("no", "yes"), fix)
        return found | {outcome: replace(column, question=question)}
    possible = [name for name in above if not found[name].words & (headings.PREDICTORS | headings.MEASURED)]
    if possible and column.question is None:
        question = Question(
            f"is it out of {possible[0]}, which it never exceeds?",
            ("no", "yes"),
            f"write `trials: {possible[0]}` there, and `kind: count` for {possible[0]}",
        )
        return found | {outcome: replace(column, question=question)}
    return found


def _roles(outcome: Guess, role: str, other: Guess, why: str) -> dict[str, Guess]:
    keys = {name: value for name, value in outcome.keys.items() if name != "levels"} | {role: other.name}
    counted = replace(outcome, kind="count", keys=keys, question=None, evidence=f"{outcome.evidence}; {why}: {role}")
    kind = "count" if other.whole else "number"
    return {
        outcome.name: replace(counted, evidence=f"{outcome.evidence}, {why}".replace("it", other.heading, 1)),
        other.name: replace(other, kind=kind, question=None, evidence=f"{role} of {outcome.heading}"),
    }
