"""Compute once what does not change from one call to the next.

A log density has terms that depend on the data alone, such as the log factorials of a binomial. XLA
leaves them inside the sampler's loops and branches, where they cost a third of the time; `hoisted`
evaluates them before the loop.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.extend.core import Literal

UNKNOWN = object()


def compiler_options(skip_optimization: bool) -> dict[str, int] | None:
    """Options of XLA. skip_optimization: compile in a third of the time, for functions that run for
    less time than their compilation takes."""
    return {"xla_backend_optimization_level": 0} if skip_optimization else None


def hoisted(function: Callable, example: Any) -> Callable:
    """A function with everything computed in advance that does not depend on its argument.

    Args:
        function: A function of one pytree of arrays. It may close over traced values, if this is
            called while tracing; what depends on these alone is computed at the place of this call.
        example: A pytree with the shapes and types of its argument.

    Returns:
        A function with the same values, up to rounding.
    """
    closed, shape = jax.make_jaxpr(function, return_shape=True)(example)
    structure = jax.tree.structure(shape)
    done: dict[tuple[int, ...], list] = {}
    _evaluate(closed.jaxpr, closed.consts, [UNKNOWN] * len(closed.jaxpr.invars), done, (), known=True)

    def rest(argument):
        leaves = jax.tree.leaves(argument)
        return jax.tree.unflatten(structure, _evaluate(closed.jaxpr, closed.consts, leaves, done, (), known=False))

    return rest


def independent(function: Callable, example: Any) -> Any:
    """The values of a function that are the same for every argument.

    Args:
        function: A function of one pytree of arrays.
        example: A pytree with the shapes and types of its argument.

    Returns:
        The pytree that the function returns, as NumPy arrays, with None for each array that depends
            on the argument.
    """
    closed, shape = jax.make_jaxpr(function, return_shape=True)(example)
    unknown, known = [UNKNOWN] * len(closed.jaxpr.invars), []

    def values(constants):
        found = _evaluate(closed.jaxpr, constants, unknown, {}, (), known=True)
        known[:] = [value is not UNKNOWN for value in found]
        return [value for value in found if value is not UNKNOWN]

    # Together they compile in the time that one operation takes alone.
    computed = iter(jax.jit(values, compiler_options=compiler_options(skip_optimization=True))(closed.consts))
    return jax.tree.unflatten(jax.tree.structure(shape), [np.asarray(next(computed)) if own else None for own in known])


def _evaluate(jaxpr, constants: list, arguments: list, done: dict, path: tuple[int, ...], known: bool) -> list:
    """Interpret a program. path: its address within the outermost one.

    known: Evaluate what needs no unknown value, and keep the results in `done`; otherwise take
    these from `done` and evaluate the rest.
    """
    values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *arguments), strict=True))

    def read(variable):
        return variable.val if isinstance(variable, Literal) else values[variable]

    for number, equation in enumerate(jaxpr.eqns):
        place = (*path, number)
        inputs = [read(variable) for variable in equation.invars]
        unknown = any(value is UNKNOWN for value in inputs)
        if place in done:
            outputs = done[place]
        elif known and not unknown:
            outputs = done[place] = _apply(equation, inputs)
        elif equation.primitive.name in ("jit", "pjit"):
            inner = equation.params["jaxpr"]
            outputs = _evaluate(inner.jaxpr, inner.consts, inputs, done, place, known)
        elif known:
            outputs = [UNKNOWN] * len(equation.outvars)
        else:
            outputs = _apply(equation, inputs)
        values.update(zip(equation.outvars, outputs, strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def _apply(equation, inputs: list) -> list:
    outputs = equation.primitive.bind(*inputs, **equation.primitive.get_bind_params(equation.params))
    return outputs if equation.primitive.multiple_results else [outputs]
