"""What a sweep varies: whether the model, the simulator or the sampler has it, and whether its
values are allowed there."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from tadpool import sweep_axes
from tadpool.config.parsed_values import Problem, kind, shown
from tadpool.config.schema.run import Sampler
from tadpool.config.schema.study import Study
from tadpool.config.schema.sweep import Sweep
from tadpool.config.schema.table import Table
from tadpool.errors import UserError, did_you_mean
from tadpool.files import plugins

SHARED = "which all points of a sweep share"


def check(place: tuple, sweep: Sweep, study: Study, signature: plugins.Signature | None) -> Iterator[Problem]:
    """What a sweep varies that does not exist or cannot be varied.

    Args:
        place: Where the sweep's `over` stands in the study.
        sweep: The sweep.
        study: The study that has it.
        signature: Arguments of the entry's model; None where they cannot be read.
    """
    points = [sweep_axes.axis_values(sweep.over, point) for point in sweep.points()]
    for axis in sweep_axes.axes(sweep.over):
        values = list(dict.fromkeys(point[axis] for point in points))
        match sweep_axes.kind(axis):
            case sweep_axes.HYPERPARAMETERS:
                yield from _hyperparameter(place, axis, study, sweep.entry, signature)
            case sweep_axes.ARGUMENTS:
                yield from _argument(place, sweep_axes.short(axis), values, study)
            case sweep_axes.SAMPLER:
                yield from _setting(place, sweep_axes.short(axis), values)
            case _:
                short = sweep_axes.short(axis)
                fix = f"write {short}, arguments.{short} or sampler.{short}"
                yield Problem(place, f"cannot sweep over {shown(axis)}", fix)


def _hyperparameter(
    place: tuple, name: str, study: Study, entry: str, signature: plugins.Signature | None
) -> Iterator[Problem]:
    if signature is None:
        return
    known = signature.hyperparameters
    if name not in known:
        elsewhere = [f"sampler.{name}"] if name in Sampler.model_fields else []
        elsewhere += [f"arguments.{name}"] if name in (_arguments(study) or ()) else []
        fix = f"write {elsewhere[0]}" if elsewhere else did_you_mean(name, list(known)).removeprefix("; ")
        what = f"{shown(name)} is not a hyperparameter of {study.models[entry].model}"
        yield Problem(place, what, fix or "there are none")
    elif not isinstance(known[name], float):
        default = f"{kind(known[name])} in the model (default {shown(known[name])})"
        what = f"{name!r} is {default} and may change the shapes of arrays, {SHARED}"
        fix = "choose a hyperparameter whose default is a decimal number, such as 1.0, or write an entry for each value"
        yield Problem(place, what, fix)


def _argument(place: tuple, name: str, values: Sequence[float], study: Study) -> Iterator[Problem]:
    known = _arguments(study)
    if known is None:
        source = study.dataset.table if isinstance(study.dataset, Table) else study.dataset
        yield Problem(
            place, f"the data of {source} are not simulated", "sweep over a hyperparameter or a sampler setting"
        )
    elif name not in known:
        fix = did_you_mean(name, list(known)).removeprefix("; ") or "there are none"
        yield Problem(place, f"{shown(name)} is not an argument of simulate() in {study.dataset}.py", fix)
    elif isinstance(known[name], (bool, str)):
        what = f"{name!r} is {kind(known[name])} in the simulator, but a sweep varies numbers"
        yield Problem(place, what, "compare its values in `recovery`")
    elif isinstance(known[name], int):
        yield from _whole_numbers(place, f"arguments.{name}", values)


def _setting(place: tuple, name: str, values: Sequence[float]) -> Iterator[Problem]:
    if name not in sweep_axes.SETTINGS:
        if name in Sampler.model_fields:
            what = f"{name!r} decides the shape or type of the draws, {SHARED}"
            known = ", ".join(sweep_axes.SETTINGS)
            yield Problem(place, what, f"sweep over one of {known}, or write an entry for each value")
        else:
            fix = did_you_mean(name, list(sweep_axes.SETTINGS)).removeprefix("; ")
            yield Problem(place, f"{shown(name)} is not a setting of the sampler", fix)
        return
    if sweep_axes.SETTINGS[name] is int and (problem := next(_whole_numbers(place, f"sampler.{name}", values), None)):
        yield problem
        return
    for value in values:
        try:
            Sampler(**{name: sweep_axes.SETTINGS[name](value)})
        except ValidationError as error:
            yield Problem(place, f"sampler.{name} = {shown(value)}: {error.errors()[0]['msg']}", "give another value")


def _whole_numbers(place: tuple, name: str, values: Sequence[float]) -> Iterator[Problem]:
    for value in values:
        if value != int(value):
            yield Problem(place, f"{name} = {shown(value)} is not a whole number", "give whole numbers")


def _arguments(study: Study) -> dict | None:
    """The arguments of the study's simulator with their defaults; None where there is no simulator,
    or it cannot be read."""
    if not isinstance(study.dataset, str):
        return None
    try:
        path = plugins.find("datasets", study.dataset)
        if not plugins.has_function(path, "simulate"):
            return None
        arguments = list(plugins.defaults(path, "simulate").items())[1:]
    except (UserError, ValueError):
        return None
    return {name: default for name, default in arguments if default is not None}
