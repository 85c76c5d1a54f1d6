"""What in the answers of a study refers to nothing, or is no expression."""

from collections.abc import Iterator, Mapping

from tadpool import expressions
from tadpool.config.parsed_values import Problem, shown
from tadpool.config.schema.answers import STATEMENTS, Answer
from tadpool.config.schema.study import Study
from tadpool.errors import UserError, did_you_mean
from tadpool.files import plugins

TABLE = "answers"
"""The group of answers.nc beside one for each answer, named after it."""


def check(study: Study, signatures: Mapping[str, plugins.Signature]) -> Iterator[Problem]:
    """One problem for each; signatures: of the entries whose models could be read."""
    if TABLE in study.answers:
        yield Problem(("answers", TABLE), "the table of all answers has this name", "choose another name")
    for name, answer in study.answers.items():
        yield from _check(("answers", name), answer, study, signatures)


def _check(
    place: tuple, answer: Answer, study: Study, signatures: Mapping[str, plugins.Signature]
) -> Iterator[Problem]:
    def known(key: str, value: str, names: list[str], what: str) -> Iterator[Problem]:
        if value not in names:
            fix = did_you_mean(value, names).removeprefix("; ") or "there are none"
            yield Problem((*place, key), f"{shown(value)} is not {what}", fix)

    entries = list(study.models)
    for key, names in (("entry", [answer.entry]), ("also", answer.also or [])):
        for each in names:
            yield from known(key, each, entries, "an entry of this study")
    if answer.entry in study.models and (by := study.models[answer.entry].by) is not None:
        what = f"{shown(answer.entry)} is fitted separately for each {by}"
        yield Problem((*place, "entry"), what, "choose an entry without `by`")
    if answer.outcome is not None:
        yield from known("outcome", answer.outcome, list(study.outcomes), "one of the study's outcomes")
    for key in ("group", "by"):
        if getattr(answer, key) is not None:
            yield from known(key, getattr(answer, key), list(study.groups), "one of the study's groups")
    for key in STATEMENTS:
        yield from _numbers((*place, key), getattr(answer, key))
    expression = answer.value or (answer.rank if answer.rank not in (*study.groups, None) else None)
    if expression:
        key = "value" if answer.value else "rank"
        yield from _expression((*place, key), expression, answer.entry, study, signatures)
    signature = signatures.get(answer.entry)
    if signature is not None:
        variables = [name.removesuffix("_index") for name in signature.variables if not name.startswith("n_")]
        variables = list(dict.fromkeys([*variables, *(o for o in signature.outcomes if o not in study.outcomes)]))
        for key in ("predict", "compare", "where"):
            for each in getattr(answer, key) or ():
                yield from known(key, each, variables, f"a variable that the model of {answer.entry} needs")


def _numbers(place: tuple, given: object) -> Iterator[Problem]:
    for each in given if isinstance(given, list) else [given]:
        if isinstance(each, str):
            try:
                names = expressions.parsed(each).names
            except UserError as error:
                yield Problem(place, str(error), "write a number, or an expression such as log(4)")
            else:
                if names:
                    yield Problem(
                        place, f"{shown(each)} names {names[0]}", "write a number, or an expression of numbers"
                    )


def _expression(
    place: tuple, text: str, entry: str, study: Study, signatures: Mapping[str, plugins.Signature]
) -> Iterator[Problem]:
    try:
        names = expressions.parsed(text).names
    except UserError as error:
        what, _, fix = str(error).partition("; ")
        yield Problem(place, what, fix)
        return
    if not names:
        yield Problem(place, f"{shown(text)} names no parameter", "name one")
    if entry in signatures and not signatures[entry].designed:
        sites = plugins.sites(plugins.find("models", study.models[entry].model))
        for name in names:
            if sites is not None and name not in sites:
                fix = did_you_mean(name, list(sites)).removeprefix("; ") or "there are none"
                yield Problem(place, f"{shown(name)} is not a parameter of {study.models[entry].model}", fix)
