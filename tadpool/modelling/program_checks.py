"""What the program of a model shows before sampling: positions that an array does not have, and
parameters that no outcome depends on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend.core import Literal

CALLS = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint")
GATHERS = ("gather", "scatter", "scatter-add", "scatter_add", "scatter_mul", "scatter_min", "scatter_max")


@dataclass(frozen=True)
class Known:
    """A value that no parameter changes. data: whether it comes from the data, not from constants
    alone. negative: the value before JAX counted its negative elements from the end."""

    value: Any
    data: bool
    negative: Any = None


def outside(program: Any, arguments: Mapping[str, Any], place: Callable[[Any], str | None]) -> Iterator[str]:
    """Sentences about positions, computed from data and constants, that an array does not have: JAX
    takes another element, or none, instead of failing.

    Args:
        program: Made by `hidden_randomness.trace` with these arguments.
        arguments: Arguments of the model, outcomes included.
        place: File and line in the user's files of an equation; None for one that is not from
            there.
    """
    leaves = jax.tree.leaves(dict(arguments))
    types = [variable.aval.dtype for variable in program.jaxpr.invars[-len(leaves) :]]
    given = [Known(np.asarray(value, dtype), True) for value, dtype in zip(leaves, types, strict=True)]
    before = [None] * (len(program.jaxpr.invars) - len(given))
    constants = [Known(value, False) for value in program.consts]
    yield from _outside(program.jaxpr, constants, [*before, *given], place, None)[1]


def _outside(jaxpr, constants, arguments, place, caller) -> tuple[list, list[str]]:
    """The known values of a program's results, and sentences."""
    values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *arguments), strict=True))
    found = []

    def read(variable):
        return Known(variable.val, False) if isinstance(variable, Literal) else values.get(variable)

    for equation in jaxpr.eqns:
        inputs = [read(variable) for variable in equation.invars]
        inner, outputs = _inner(equation), [None] * len(equation.outvars)
        if inner is not None:
            consts = [Known(value, False) for value in inner.consts]
            outputs, more = _outside(inner.jaxpr, consts, inputs, place, place(equation) or caller)
            found += more + _beyond_columns(equation, inputs, place(equation) or caller)
        else:
            found += _sentences(equation, inputs, place(equation) or caller)
            known = all(each is not None for each in inputs) and (inputs or equation.primitive.name == "iota")
            if known and equation.primitive.name not in GATHERS[1:]:
                outputs = _apply(equation, inputs)
        values.update(zip(equation.outvars, outputs, strict=True))
    return [read(variable) for variable in jaxpr.outvars], found


def _apply(equation: Any, inputs: Sequence[Known]) -> list[Known]:
    params = equation.primitive.get_bind_params(equation.params)
    result = equation.primitive.bind(*[each.value for each in inputs], **params)
    results = result if equation.primitive.multiple_results else [result]
    negative = next((each.negative for each in inputs if each.negative is not None), None)
    if equation.primitive.name == "select_n" and len(inputs) == 3 and inputs[1].data:
        chosen, kept, moved = (np.asarray(each.value) for each in inputs)
        if chosen.dtype == bool and np.array_equal(chosen, kept < 0) and _shifted(kept, moved):
            negative = kept if chosen.any() else None
    return [Known(each, any(known.data for known in inputs), negative) for each in results]


def _shifted(kept: np.ndarray, moved: np.ndarray) -> bool:
    """Whether `moved` is `kept` plus one number, as JAX counts positions from the end."""
    return kept.dtype.kind == "i" and kept.shape == moved.shape and np.ptp(moved - kept) == 0 if kept.size else False


def _sentences(equation: Any, inputs: Sequence[Known | None], where: str | None) -> list[str]:
    name = equation.primitive.name
    if where is None:
        return []
    shape = equation.invars[0].aval.shape if equation.invars else ()
    if name in GATHERS and inputs[1] is not None:
        dims = equation.params["dimension_numbers"]
        along = getattr(dims, "start_index_map", None) or getattr(dims, "scatter_dims_to_operand_dims", ())
        sizes = equation.params.get("slice_sizes", (1,) * len(shape))
        pairs = [(inputs[1], np.asarray(inputs[1].value)[..., i], axis) for i, axis in enumerate(along)]
    elif name == "dynamic_slice":
        sizes = equation.params["slice_sizes"]
        pairs = [(each, np.asarray(each.value), axis) for axis, each in enumerate(inputs[1:]) if each is not None]
    else:
        return []
    for known, index, axis in pairs:
        size, last = shape[axis], shape[axis] - sizes[axis]
        if known.data and known.negative is not None and (known.negative < 0).any():
            return [_sentence(where, int(known.negative.min()), size)]
        if index.size and (index.max() > last or index.min() < 0):
            return [_sentence(where, int(index.max() if index.max() > last else index.min()), size)]
    return []


def _beyond_columns(equation: Any, inputs: Sequence[Known | None], where: str | None) -> list[str]:
    """A sentence about a level above the columns of `jax.nn.one_hot`; one below has 0 in all of
    them, as a reference level."""
    if equation.params.get("name") != "_one_hot" or where is None or inputs[0] is None:
        return []
    levels = np.asarray(inputs[0].value)
    columns = equation.outvars[0].aval.size // max(levels.size, 1)
    return [_sentence(where, int(levels.max()), columns)] if levels.size and levels.max() >= columns else []


def _sentence(where: str, index: int, size: int) -> str:
    counted = f"an array of {size}, whose positions are 0 to {size - 1}"
    return (
        f"{where}: position {index} is taken of {counted}; JAX takes another element, or none, without a word; count from 0, "
        "as <group>_index does, and make the array as long as n_<group>"
    )


def _inner(equation: Any) -> Any:
    """The program that an equation calls once with its own arguments; None for other equations."""
    inner = next((equation.params[name] for name in ("jaxpr", "call_jaxpr") if name in equation.params), None)
    called = equation.primitive.name in CALLS and hasattr(inner, "consts")
    return inner if called and len(inner.jaxpr.invars) == len(equation.invars) else None


def dependencies(jaxpr: Any) -> list[set[int]]:
    """The numbers of the arguments that each result of a program depends on."""
    values = {variable: {number} for number, variable in enumerate(jaxpr.invars)}

    def read(variable):
        return set() if isinstance(variable, Literal) else values.get(variable, set())

    for equation in jaxpr.eqns:
        inputs, inner = [read(variable) for variable in equation.invars], _inner(equation)
        if inner is not None:
            outputs = [set().union(*(inputs[i] for i in used)) for used in dependencies(inner.jaxpr)]
        else:
            outputs = [set().union(*inputs)] * len(equation.outvars)
        values.update(zip(equation.outvars, outputs, strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def circular(
    program: Any, latents: Sequence[str], arguments: Sequence[str], sites: Sequence[str], outcomes: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Sites whose distribution depends on an outcome that is drawn later or by the site itself, and
    this outcome.

    Args:
        program: The log densities of the sites, as a function of latent sites, arguments and the
            values of observed sites.
        latents: All latent sites.
        arguments: The arguments of the model.
        sites: The site of each of the program's results, in their order in the model.
        outcomes: The observed sites.
    """
    names = [*sorted(latents), *sorted(arguments)]
    for number, (site, used) in enumerate(zip(sites, dependencies(program.jaxpr), strict=True)):
        yield from ((site, name) for name in outcomes if name in sites[number:] and names.index(name) in used)


def idle(program: Any, latents: Sequence[str], sites: Sequence[str], outcomes: Sequence[str]) -> list[str]:
    """Latent sites that no outcome depends on, in the order of `sites`.

    Not those that are drawn given parameters that outcomes do depend on: they are predictions.

    Args:
        program: Made by `hidden_randomness.trace`.
        latents: All latent sites.
        sites: The site of each of the program's results.
        outcomes: The observed sites.
    """
    names = sorted(latents)
    uses = {
        site: {names[number] for number in used if number < len(names)} - {site}
        for site, used in zip(sites, dependencies(program.jaxpr), strict=True)
    }
    useful = set().union(*(uses[name] for name in outcomes))
    while more := {parent for site in useful for parent in uses[site]} - useful:
        useful |= more
    predicted = set()
    while more := {name for name in names if uses[name] & (useful | predicted)} - useful - predicted:
        predicted |= more
    return [site for site in sites if site in names and site not in useful | predicted]
