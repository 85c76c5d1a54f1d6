"""A study file from a table, `tadpool new NAME --table FILE`: every column with its kind and the
evidence for it, and questions where two readings are possible."""

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tadpool.config import ConfigErrors, read
from tadpool.config.schema.table import Table
from tadpool.errors import FormulaError, UserError
from tadpool.formula import syntax
from tadpool.loading import described_table, table_guesses
from tadpool.loading.column_guesses import Question
from tadpool.loading.table_guesses import TableGuess
from tadpool.workflow import study_text
from tadpool.workflow.new import TO_CORRECT

KINDS = ("number", "integer", "count", "binary", "ordered", "categorical", "group")
KEY = re.compile(r"`(within|trials|missing_values): (\w+|\[[^`]*\])`")
OUTCOME, GROUPS = "outcome", "groups"

Ask = Callable[[str, Question], str]
"""Asks somebody: what it is about, and the question; returns one of its choices."""


@dataclass(frozen=True)
class Chosen:
    """What somebody has said of a table: headings or names of the outcome and the groups, kinds of
    columns, and a formula."""

    outcome: str | None = None
    groups: tuple[str, ...] | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    formula: str | None = None


def of_formula(formula: str) -> tuple[str, tuple[str, ...]]:
    """The outcome and the groups that a formula names. Raises UserError where it has no outcome."""
    left, tilde, right = formula.partition("~")
    first = left.partition("|")[0].strip()
    inside = re.match(r"\w+\(\s*(\w+)", first)  # prop(r, n), log(y)
    outcome = inside[1] if inside else first
    if not tilde or not re.fullmatch(r"\w+", outcome):
        raise UserError(f"--formula {formula!r}: the outcome stands left of ~; write for example 'y ~ x + (1 | group)'")
    terms = re.findall(r"\|\|?([^()|]+)\)", right)
    return outcome, tuple(dict.fromkeys(name for term in terms for name in re.findall(r"\w+", term)))


def _read(formula: str | None) -> syntax.Formula | None:
    """None of a formula that cannot be read, which is said of the study that is written."""
    try:
        return syntax.read(formula) if formula else None
    except FormulaError:
        return None


def _numbers_of(formula: syntax.Formula | None, found: TableGuess) -> dict[str, str]:
    """The columns that may be numbers or levels and that a formula takes as they are, which it
    makes numbers: C(x) asks for levels."""
    either = {name for name, q in found.questions.items() if set(q.choices) == {"categorical", "number"}}
    return dict.fromkeys(either.intersection(formula.columns) - formula.coded.keys(), "number") if formula else {}


def guessed(file: Path, chosen: Chosen, ask: Ask | None) -> tuple[TableGuess, frozenset[str]]:
    """What the table is about; where somebody can be asked, with their answers.

    Args:
        file: The table.
        chosen: What is known.
        ask: None where nobody can be asked.

    Returns:
        The guess, and what was answered: names of columns, "outcome" or "groups".
    """
    description = Table.model_construct().model_dump() | {"table": str(file)}
    outcome, groups, kinds, keys = chosen.outcome, chosen.groups, dict(chosen.kinds), {}
    if chosen.formula:
        own = of_formula(chosen.formula)
        outcome, groups = outcome or own[0], own[1] if groups is None else groups
    asked: dict[tuple[str, str], bool] = {}  # what and its question -> whether the study has the answer
    while True:
        found = table_guesses.read(description, outcome, groups, kinds)
        if numbers := _numbers_of(_read(chosen.formula), found):
            kinds |= numbers
            continue
        still = [name for name in (OUTCOME, GROUPS, *found.columns) if name in found.questions]
        still = [name for name in still if (name, found.questions[name].text) not in asked]
        if not ask or not still:
            for name, own in keys.items():
                found.columns[name].keys.update(own)
            return found, frozenset(name for (name, _), done in asked.items() if done)
        about, question = still[0], found.questions[still[0]]
        answer = ask(about, question)
        asked[about, question.text] = True
        if about == OUTCOME:
            outcome = answer
        elif about == GROUPS:
            groups = () if answer == "none" else (answer,)
        elif answer in KINDS:
            kinds[about] = answer
        elif answer != question.choices[0]:
            written = KEY.search(question.fix)
            keys |= {about: _keys(*written.groups())} if written else {}
            kinds |= {written[2]: "count"} if written and written[1] == "trials" else {}
            asked[about, question.text] = written is not None


def _keys(key: str, value: str) -> dict[str, Any]:
    """What an answer adds to the description of a column."""
    return {key: [value.strip("[]")], "missing": "drop"} if key == "missing_values" else {key: value}


def written(name: str, folder: Path, file: Path, chosen: Chosen, ask: Ask | None) -> tuple[list[Path], list[str]]:
    """Write the study of a table; the table is copied to `data/` unless it is in the folder.

    Args:
        name: Of the study.
        folder: Where it is written.
        file: The table.
        chosen: What is known of the table.
        ask: None where nobody can be asked.

    Returns:
        The files that were written, and sentences: questions that remain, and what has to be
            corrected before the study can run.

    Raises:
        UserError: The table cannot be read, or there is such a file.
    """
    found, answered = guessed(file, chosen, ask)
    inside = file.resolve().is_relative_to(folder.resolve())
    table = file.resolve().relative_to(folder.resolve()) if inside else Path("data") / file.name
    made = {folder / "config" / "studies" / f"{name}.yaml": None} | ({} if inside else {folder / table: None})
    for path in made:
        if path.exists() or path.is_symlink():
            raise UserError(f"{path} exists and is not overwritten; choose another name, or move the file")
    study, *copied = made
    formula = _read(chosen.formula)
    used = formula.names if formula else found.columns.keys()
    unasked = answered | (found.columns.keys() - used)
    questions = {about: each for about, each in found.questions.items() if about not in unasked}
    try:
        for path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
        for path in copied:
            shutil.copyfile(file, path)
        study.write_text(
            "\n".join(study_text.lines(name, table, found, questions, chosen.formula, used)) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}; choose a folder that is writable") from error
    asked = [f"{about}: {each.text} Taken: {each.choices[0]}." for about, each in questions.items()]
    if not chosen.outcome and not chosen.formula and OUTCOME not in found.questions:
        asked.insert(0, f"{OUTCOME}: {found.outcome}, by its name. For another one, change `outcomes`.")
    return list(made), [*asked, *_mistakes(name, folder)]


def _mistakes(name: str, folder: Path) -> Iterator[str]:
    """What keeps the study from running: in the study file, or else in the table."""
    with contextlib.chdir(folder):
        try:
            study = read({"studies": [name]}).studies[name]
            described_table.load(study.source())
        except ConfigErrors as errors:
            yield from (f"{TO_CORRECT}{problem}" for problem in errors.problems)
        except UserError as error:
            yield from (f"{TO_CORRECT}{problem}" for problem in str(error).splitlines())


def ask_on_terminal(about: str, question: Question, prompt: Callable[[str], str] = input) -> str:
    """Ask until the answer is one of the choices; an empty one takes the first."""
    shown = ", ".join(question.choices)
    while True:
        answer = prompt(f"{about}: {question.text}\n  {shown} [{question.choices[0]}] ").strip()
        matching = [choice for choice in question.choices if choice.casefold() == answer.casefold()]
        if matching or not answer:
            return (matching or question.choices)[0]
        print(f"  {answer!r} is none of them.")


def kinds_given(texts: Sequence[str]) -> dict[str, str]:
    """`COLUMN=KIND` as a mapping. Raises UserError for anything else."""
    kinds = {}
    for text in texts:
        name, mark, kind = text.rpartition("=")
        if not mark or not name or kind not in KINDS:
            raise UserError(f"--kind {text!r} is not COLUMN=KIND; the kinds are {', '.join(KINDS)}")
        kinds[name] = kind
    return kinds
