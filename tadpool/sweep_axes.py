"""The names of what a sweep varies, as a study writes them.

`sigma` is a hyperparameter of the entry's model, `arguments.spread` an argument of the study's
simulator, and `sampler.warmup` a setting of the sampler. The dim of the points in files has the
name of what varies; if two vary, it is POINT.
"""

from collections.abc import Mapping, Sequence
from typing import Any

POINT = "sweep_point"
HYPERPARAMETERS, ARGUMENTS, SAMPLER = "hyperparameters", "arguments", "sampler"
SETTINGS = {"warmup": int, "target_accept": float, "max_tree_depth": int}
"""Settings that may differ between points. With others the draws would differ in number or
precision."""

Over = str | Sequence[str] | Mapping[str, Any]


def axes(over: Over) -> list[str]:
    """The names in a sweep's `over`: one, or several."""
    return [over] if isinstance(over, str) else list(over)


def dim(over: Over) -> str:
    """The name of the dim of the points."""
    names = axes(over)
    return names[0] if len(names) == 1 else POINT


def kind(axis: str) -> str:
    """The kind of a name: HYPERPARAMETERS, ARGUMENTS or SAMPLER."""
    first, dot, _ = axis.partition(".")
    return first if dot else HYPERPARAMETERS


def short(axis: str) -> str:
    """The name without its kind."""
    return axis.rpartition(".")[2]


def of_kind(over: Over, which: str) -> list[str]:
    """The names of one kind among what varies."""
    return [axis for axis in axes(over) if kind(axis) == which]


def axis_values(over: Over, point: float | Sequence[float]) -> dict[str, float]:
    """Name -> value at a point, which is a number, or a number for each name."""
    return dict(zip(axes(over), [point] if isinstance(over, str) else point, strict=True))


def values(over: Over, point: float | Sequence[float], which: str) -> dict[str, float]:
    """Short name -> value at a point, for one kind of names. Whole-number settings of the sampler
    are int."""
    chosen = {short(axis): value for axis, value in axis_values(over, point).items() if kind(axis) == which}
    return {name: SETTINGS[name](value) for name, value in chosen.items()} if which == SAMPLER else chosen


def logarithmic(sweep: Mapping[str, Any]) -> list[str]:
    """The names whose values have equal ratios. sweep: the study's sweep as a plain mapping."""
    over = sweep["over"]
    spaced = over if isinstance(over, Mapping) else {str(over): sweep.get("values")}
    return [name for name, each in spaced.items() if isinstance(each, Mapping) and each.get("spacing") == "log"]


def compared(over: Over) -> bool:
    """Whether the scores of the points can be compared, since all have the same data."""
    return not of_kind(over, ARGUMENTS)
