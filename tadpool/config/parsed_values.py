"""Values as they were parsed: how messages show them, and what no config may contain."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

LARGEST_CONTENT = 20_000
DEEPEST = 30
TEMPLATES = "__use_yte__"


@dataclass(frozen=True)
class Problem:
    """What is wrong at one place of a file.

    Attributes:
        place: Keys and positions from the top of the file to the place.
        what: What is wrong, with the value.
        fix: How to fix it.
        wrong_type: The value, where its type is wrong.
    """

    place: tuple
    what: str
    fix: str = ""
    wrong_type: Any = None

    def __str__(self) -> str:
        where = ".".join(printable(str(part)) for part in self.place)
        return (f"{where}: " if where else "") + self.what + (f"; {self.fix}" if self.fix else "")


class NotReadable(Exception):
    """A file or an overlay that cannot be read: one sentence, without the name of the file."""


def printable(text: str) -> str:
    """The text on one line, with unprintable characters escaped, and shortened."""
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= 100 else text[:97] + "..."


def shown(value: Any) -> str:
    """The value as YAML would write it, shortened."""
    match value:
        case None:
            return "nothing"
        case bool() | float():
            text = {"True": "true", "False": "false", "nan": ".nan", "inf": ".inf", "-inf": "-.inf"}.get(
                repr(value), repr(value)
            )
        case int():
            text = repr(value) if abs(value) < 2**200 else "a number with very many digits"
        case Mapping():
            text = "{" + ", ".join(f"{shown(key)}: ..." for key in list(value)[:3]) + "}"
        case list():
            inner = ["[...]" if isinstance(v, (list, Mapping)) else shown(v) for v in value[:4]]
            text = "[" + ", ".join(inner) + (", ...]" if len(value) > 4 else "]")
        case str():
            text = repr(value)
        case _:
            text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def kind(value: Any) -> str:
    """The type of a value in words."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true/false"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case Mapping():
            return "a set of keys"
    return f"a {type(value).__name__}"


def check(content: Any) -> list[Problem]:
    """Everything in the content that no config may contain, whatever its keys mean.

    Allowed are mappings with text as keys, lists, text, true/false and finite numbers.

    Raises:
        NotReadable: The content is too large or nested too deeply.
    """
    if _size(content, 0, {}, frozenset()) > LARGEST_CONTENT:
        raise NotReadable(f"it has more than {LARGEST_CONTENT:,} values, with aliases written out; shorten it")
    return list(_check((), content))


def _size(value: Any, depth: int, known: dict[int, int], above: frozenset[int]) -> int:
    """The number of values within `value`, with aliases written out."""
    if not isinstance(value, (Mapping, list)):
        return 1
    if id(value) in above:
        raise NotReadable("an alias (*) is used inside the value that it repeats; write the value out")
    if depth > DEEPEST:
        raise NotReadable(f"it is nested more than {DEEPEST} levels deep; reduce the nesting")
    if id(value) not in known:
        inner = value.values() if isinstance(value, Mapping) else value
        known[id(value)] = 1 + sum(_size(each, depth + 1, known, above | {id(value)}) for each in inner)
    return known[id(value)]


def _check(place: tuple, value: Any) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == TEMPLATES:
                yield Problem((*place, key), "templates run code and are not allowed here", "remove the key")
            elif not isinstance(key, str):
                fix = "put it in quotes (no, off, yes and on are true/false in YAML)"
                yield Problem((*place, shown(key)), f"the key {shown(key)} ({kind(key)}) is not text", fix)
            else:
                yield from _check((*place, key), inner)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _check((*place, position), inner)
    elif isinstance(value, float) and not isfinite(value):
        yield Problem(place, f"{shown(value)} is not a finite number", "give a finite number")
    elif isinstance(value, int) and abs(value) >= 2**63:
        yield Problem(place, f"{shown(value)} is too large", "give a number with at most 18 digits")
    elif isinstance(value, str) and not _encodable(value):
        yield Problem(place, f"{shown(value)} contains half a character", "type the text again")
    elif not isinstance(value, (str, bool, int, float, type(None))):
        yield Problem(place, f"{shown(value)} ({kind(value)}) is not allowed", "put it in quotes if it is text")


def _encodable(text: str) -> bool:
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)
