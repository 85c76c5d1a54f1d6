"""Types and rules that the keys of the config share."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from tadpool.convergence.remedies import REMEDIES

RESERVED = ("sweeps", "comparisons", "figures", "calibration", "recovery", "logs", "benchmarks", "verify")
MOST_CHUNKS = 1000
SLUG = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


def broken_rule(what: str, fix: str) -> PydanticCustomError:
    """The error of a rule that no type expresses: what is wrong, and the fix."""
    return PydanticCustomError("rule", "{what}; {fix}", {"what": what, "fix": fix})


def _scalar(value: Any) -> Any:
    if not isinstance(value, (bool, int, float, str)):
        raise PydanticCustomError("scalar_type", "a number, true/false or text")
    return value


def _scalars(value: Any) -> Any:
    return [_scalar(each) for each in value] if isinstance(value, list) else _scalar(value)


def _distinct(values: list) -> list:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise broken_rule(f"{twice[0]!r} is given twice", "give each value once")
    return values


def _unreserved(name: str) -> str:
    if name.lower() in RESERVED:
        raise broken_rule(f"the name {name!r} is reserved for a folder of results", "choose another name")
    return name


def _remedies(value: Any) -> Any:
    if value in ("auto", "none"):
        return value
    if not isinstance(value, list) or not all(name in REMEDIES for name in value):
        raise broken_rule(f"{value!r} is not a valid value", f"write auto, none or a list of {', '.join(REMEDIES)}")
    return _distinct(value)


def _chunks(value: Any) -> Any:
    if value != "auto" and (not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_CHUNKS):
        raise broken_rule(f"{value!r} is not a valid value", f"write auto or a whole number from 1 to {MOST_CHUNKS:,}")
    return value


def colliding(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of names that differ only in upper and lower case: one file on many disks."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(name.lower(), name), name) for name in names]
    return [pair for pair in pairs if pair[0] != pair[1]]


Slug = Annotated[str, Field(pattern=SLUG)]
EntryName = Annotated[Slug, AfterValidator(_unreserved)]
Text = Annotated[str, Field(min_length=1)]
Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": ["number", "boolean", "string"]})]
Scalars = Annotated[Any, AfterValidator(_scalars), WithJsonSchema({"type": ["number", "boolean", "string", "array"]})]
Remedies = Annotated[
    Any,
    AfterValidator(_remedies),
    WithJsonSchema({"anyOf": [{"enum": ["auto", "none"]}, {"type": "array", "items": {"enum": list(REMEDIES)}}]}),
]
Chunks = Annotated[
    Any,
    AfterValidator(_chunks),
    WithJsonSchema({"anyOf": [{"enum": ["auto"]}, {"type": "integer", "minimum": 1, "maximum": MOST_CHUNKS}]}),
]
Distinct = AfterValidator(_distinct)


class Strict(BaseModel):
    """No unknown keys, no conversions (a whole number is a number), no nan or infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
