"""The text of a study file that is written from a table: columns with the evidence for their kinds,
and questions as comments."""

import json
import re
import textwrap
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tadpool import ROOT
from tadpool.formatting import plural
from tadpool.loading.column_guesses import Guess, Question
from tadpool.loading.table_guesses import TableGuess

PLAIN = re.compile(r"[A-Za-z][\w./-]*( [\w./-]+)*")


def lines(
    name: str,
    table: Path,
    found: TableGuess,
    questions: Mapping[str, Question],
    formula: str | None,
    used: Collection[str],
) -> Iterator[str]:
    """The lines of the study file.

    Args:
        name: Of the study.
        table: The table, as the study names it.
        found: What it is about.
        questions: Those that are open: name of a column, "outcome" or "groups" -> question.
        formula: The model, where somebody gave one.
        used: The columns that it names; all without one.
    """
    yield f"# yaml-language-server: $schema={(ROOT / 'config' / 'study.schema.json').resolve().as_uri()}"
    yield "#"
    yield f"# Written from {table.name}: what each column probably holds, and why. Correct what is wrong."
    if questions:
        yield "# After a question mark stands a question: another reading is possible."
    yield "# Every key is in config/README.md of tadpool."
    yield f"title: {_text(name)}"
    yield f"question: {_text(_question(found))}"
    yield "dataset:"
    yield f"  table: {_text(table.as_posix())}"
    if found.missing_values != ["NA"]:
        yield f"  missing_values: [{', '.join(map(_text, found.missing_values))}]"
    yield "  columns:"
    for column in found.columns.values():
        yield from _column(column, questions.get(column.name), column.name in used)
    yield from _asked(questions, "outcome", "")
    yield f"outcomes: [{found.outcome}]"
    yield f"unit: {_unit(found)}"
    yield from (f"# {note}" for note in found.notes)
    yield from _asked(questions, "groups", "")
    if found.groups:
        yield f"groups: [{', '.join(found.groups)}]"
    yield from _models(found, formula)


def _column(column: Guess, question: Question | None, used: bool) -> Iterator[str]:
    if not column.kind:
        line = f"Not used: {column.heading or 'a column without a heading'}; {column.evidence}."
        yield f"    # {' '.join(line.split())}"  # also of a heading that has several lines
        return
    evidence = f"{column.evidence[:1].upper()}{column.evidence[1:]}."
    evidence += "" if used else " The formula does not name it; remove the # to use it."
    yield from textwrap.wrap(evidence, 100, initial_indent="    # ", subsequent_indent="    # ")
    if question and used:
        yield from _asked({column.name: question}, column.name, "    ")
    keys = {"column": column.heading} if column.heading != column.name else {}
    keys |= {"kind": column.kind} | column.keys
    yield f"    {'' if used else '# '}{column.name}: {{{', '.join(f'{key}: {_value(value)}' for key, value in keys.items())}}}"


def _asked(questions: Mapping[str, Question], about: str, indent: str) -> Iterator[str]:
    if about in questions:
        each = questions[about]
        others = f" (or {', '.join(each.choices[1:])})" if len(each.choices) > 1 else ""
        line = f"? {each.text[:1].upper()}{each.text[1:]} Taken: {each.choices[0]}{others}. Otherwise {each.fix}."
        yield from textwrap.wrap(line, 110, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ")


def _models(found: TableGuess, formula: str | None) -> Iterator[str]:
    if formula:
        yield f"models:\n  main: {{formula: {json.dumps(formula, ensure_ascii=False)}}}"
    elif found.groups:
        yield "models: ladder  # from one value for all groups to separate ones; every other column is a predictor"
        if found.predictors:
            yield "# Without the # only these predict; leave out what is itself an outcome:"
            yield f"# design: {{predictors: [{', '.join(found.predictors)}]}}"
    else:
        yield "# Without groups there is nothing to pool, so the model is a formula; (1 | g) adds a group g."
        terms = " + ".join(found.predictors) or "1"
        yield f"models:\n  main: {{formula: {json.dumps(f'{found.outcome} ~ {terms}')}}}"


def _question(found: TableGuess) -> str:
    if found.groups:
        return f"How much does {found.outcome} differ between {plural(found.groups[0])}?"
    return f"How does {found.outcome} depend on the other columns?"


def _unit(found: TableGuess) -> str:
    """A word for what a row is that no column has as its name."""
    return next(word for word in ("row", "observation", "case_of_table") if word not in found.columns)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(json.dumps(each, ensure_ascii=False) for each in value)}]"
    return str(value).lower() if isinstance(value, bool) else _text(value)


def _text(text: str) -> str:
    """A text as YAML, in quotes where it needs them."""
    plain = PLAIN.fullmatch(text) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)
