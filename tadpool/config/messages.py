"""Mistakes in a config as sentences: field, value as parsed, rule and fix."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from math import isfinite
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tadpool.config.parsed_values import Problem, kind, shown
from tadpool.config.schema.design import KINDS, NAMES, Design
from tadpool.config.schema.study import DESCRIBED, ENTRIES
from tadpool.config.schema.sweep import GRID, LISTED, NAMED, SPACED
from tadpool.errors import did_you_mean
from tadpool.modelling.families import FAMILIES

WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a set of `key: value` lines",
    "model_type": "a set of `key: value` lines",
    "scalar_type": "a number, true/false or text",
    "values_type": "a list or {from, to, n}",
    "over_type": "a name, two names or a set of keys with values",
    "site_type": "a name or two names",
    "dataset_type": "the name of a dataset or the keys of a table",
    "models_type": "ladder or a set of `name: {model: ...}` lines",
    "predictors_type": "a list of names or {name: kind}",
    "label_type": "text or a whole number",
}
BRANCHES = (SPACED, LISTED, NAMED, GRID, DESCRIBED, ENTRIES, NAMES, KINDS, "[key]")
RANGES = {
    "greater_than_equal": ("too small", "at least", "ge"),
    "greater_than": ("too small", "more than", "gt"),
    "less_than_equal": ("too large", "at most", "le"),
    "less_than": ("too large", "less than", "lt"),
}


def explain(model: type[BaseModel], error: ValidationError) -> Iterator[Problem]:
    """One problem for each place of the file that breaks the schema.

    Keys that are not text are left to `parsed_values.check`.
    """
    places = set()
    for detail in error.errors():
        if detail["type"] == "invalid_key" or (detail["type"] == "string_type" and detail["loc"][-1] == "[key]"):
            continue
        place = tuple(part for part in detail["loc"] if part not in BRANCHES)
        if place not in places:
            places.add(place)
            what, fix = _explain(detail, place, fields_at(model, place[:-1]))
            yield Problem(place, what, fix, detail["input"] if detail["type"] in WANTED else None)


def _explain(detail: ErrorDetails, place: tuple, fields: Mapping[str, FieldInfo]) -> tuple[str, str]:
    """What is wrong and the fix. fields: the keys that the mapping at this place may have."""
    value, context, name = detail["input"], detail.get("ctx", {}), str(place[-1]) if place else ""
    field = fields.get(name)
    match detail["type"]:
        case "extra_forbidden" if name in Design.model_fields and "design" in fields:
            return "there is no such key", f"write it under `design`: `design: {{{name}: ...}}`"
        case "extra_forbidden":
            return "there is no such key", did_you_mean(name, list(fields)).removeprefix("; ")
        case "missing":
            return "missing", f"add it, for example {_example(name, field)}"
        case "string_pattern_mismatch":
            return (
                f"{shown(value)} is not a valid name",
                "use letters, digits, _ and -, at most 64, starting with a letter or digit",
            )
        case "string_too_short":
            return f"{shown(value)} is empty", "write some text"
        case "too_short":
            return f"{shown(value)} has too few items", f"give at least {context['min_length']}"
        case "too_long":
            return f"{shown(value)} has too many items", f"give at most {context['max_length']}"
        case "literal_error" if name == "family" and (known := _family(str(value).lower().replace(" ", "_"))):
            return f"{shown(value)} is not one of the choices", f"did you mean {known!r}?"
        case "literal_error":
            similar = get_close_matches(str(value), re.findall(r"'([^']*)'", context["expected"]), n=1)
            fix = f"did you mean {similar[0]!r}?" if similar else f"give {context['expected']}"
            return f"{shown(value)} is not one of the choices", fix
        case "rule":
            return context["what"], context["fix"]
        case "finite_number":
            return f"{shown(value)} is not a finite number", "give a finite number"
        case name_of_range if name_of_range in RANGES:
            size, words, key = RANGES[name_of_range]
            return f"{shown(value)} is {size}", f"give {words} {context[key]:.16g}"
        case name_of_type if name_of_type in WANTED:
            fix = how_to_write(name_of_type, value) or (f"for example {_example(name, field)}" if field else "give one")
            return f"{shown(value)} ({kind(value)}) is not {WANTED[name_of_type]}", fix
    return f"{shown(value)}: {detail['msg']}", "correct it"


def _family(alias: str) -> str | None:
    """The family that has this name in other programs."""
    return next((name for name, each in FAMILIES.items() if alias in each.aliases), None)


def how_to_write(wanted: str, value: Any) -> str:
    """How to write a value of the wrong type, or "" where nothing can be suggested.

    Args:
        wanted: The type that is needed, a key of WANTED.
        value: The value as parsed.
    """
    if value is None:
        return "give a value or remove the key"
    number = _number(value) if wanted in ("int_type", "float_type") else None
    if number is not None and (wanted == "float_type" or number.is_integer()):
        return f"write {_written(number) if wanted == 'float_type' else int(number)}"
    if wanted in ("string_type", "label_type") and isinstance(value, bool):
        return "put it in quotes if you mean the word (YAML reads no, off, yes and on as true/false)"
    if wanted in ("string_type", "label_type") and isinstance(value, (int, float)):
        return "put it in quotes"
    if wanted == "list_type" and isinstance(value, (str, int, float)):
        return f"write [{shown(value)}]"
    return "write true or false" if wanted == "bool_type" else ""


def _number(value: Any) -> float | None:
    """The number that a text stands for, such as 1e-3, which YAML 1.1 reads as text."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) and not isinstance(value, bool) else None


def _written(number: float) -> str:
    """A number as YAML 1.1 reads it: an exponent needs a decimal point."""
    mantissa, exponent, power = repr(number).partition("e")
    return mantissa + (".0" if exponent and "." not in mantissa else "") + exponent + power


def _example(name: str, field: FieldInfo) -> str:
    return "`" + yaml.safe_dump({name: field.examples[0]}, default_flow_style=True, width=1000).strip()[1:-1] + "`"


def fields_at(model: Any, place: tuple) -> dict[str, FieldInfo]:
    """The keys that the mapping at a place of the file may have; empty where any key is allowed."""
    for part in place:
        model = _within(model, part)
    models = [member for member in _members(model) if _is_model(member)]
    return {field.alias or name: field for member in models for name, field in member.model_fields.items()}


def _within(annotation: Any, part: str | int) -> Any:
    inner = []
    for member in _members(annotation):
        if get_origin(member) is dict or (get_origin(member) is list and isinstance(part, int)):
            inner.append(get_args(member)[-1])
        elif _is_model(member) and part in (fields := fields_at(member, ())):
            inner.append(fields[part].annotation)
    return Union[tuple(inner)] if inner else Any  # noqa: UP007 (of any number)


def _members(annotation: Any) -> list[Any]:
    """The types that an annotation allows."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [member for argument in get_args(annotation) for member in _members(argument)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
