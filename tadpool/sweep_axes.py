"""What a sweep varies, by the names that a study gives it.

`sigma` is a hyperparameter of the entry's model, `arguments.spread` an argument of the study's simulator, `sampler.warmup` a
setting of the sampler. One of them is the name of the sweep's dim in its files; the points of two have the dim POINT.
"""

from collections.abc import Mapping, Sequence
from typing import Any

POINT = "sweep_point"
HYPERPARAMETERS, ARGUMENTS, SAMPLER = "hyperparameters", "arguments", "sampler"
SETTINGS = {"warmup": int, "target_accept": float, "max_tree_depth": int}
"""Settings that may differ between points. With others the points would have draws of different number or precision."""

Over = str | Sequence[str] | Mapping[str, Any]


def axes(over: Over) -> list[str]:
    """The names of what varies, of a sweep's `over`: one name, or several."""
    return [over] if isinstance(over, str) else list(over)


def dim(over: Over) -> str:
    """Name of the dim of the points."""
    names = axes(over)
    return names[0] if len(names) == 1 else POINT


def kind(axis: str) -> str:
    """Whether a name is that of a hyperparameter, an argument of the simulator or a setting of the sampler."""
    first, dot, _ = axis.partition(".")
    return first if dot else HYPERPARAMETERS


def short(axis: str) -> str:
    """The name without its kind."""
    return axis.rpartition(".")[2]


def of_kind(over: Over, which: str) -> list[str]:
    """The names of this kind among what varies."""
    return [axis for axis in axes(over) if kind(axis) == which]


def axis_values(over: Over, point: float | Sequence[float]) -> dict[str, float]:
    """What varies, by name, at a point: a number, or one for each name."""
    return dict(zip(axes(over), [point] if isinstance(over, str) else point, strict=True))


def values(over: Over, point: float | Sequence[float], which: str) -> dict[str, float]:
    """Of a point, the values of this kind by their short names; whole settings of the sampler as whole numbers."""
    chosen = {short(axis): value for axis, value in axis_values(over, point).items() if kind(axis) == which}
    return {name: SETTINGS[name](value) for name, value in chosen.items()} if which == SAMPLER else chosen


def logarithmic(sweep: Mapping[str, Any]) -> list[str]:
    """The names whose values have equal ratios. sweep: as the study has it."""
    over = sweep["over"]
    spaced = over if isinstance(over, Mapping) else {str(over): sweep.get("values")}
    return [name for name, found in spaced.items() if isinstance(found, Mapping) and found.get("spacing") == "log"]


def compared(over: Over) -> bool:
    """Whether all points have the same data, so that their scores can be compared."""
    return not of_kind(over, ARGUMENTS)
