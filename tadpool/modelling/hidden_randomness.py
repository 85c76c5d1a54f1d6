"""Random numbers in a model that are not sites: two traces of the model with equal arguments show
them.

A number that is the same in every call, such as the first one of a generator with a fixed seed, is
a constant and not found.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpyro import handlers

from tadpool.files import provenance

DRAWS = re.compile(r"\b(random_\w+|threefry2x32|rng_bit_generator|rng_uniform)\[?")
ADDRESS = re.compile(r"0x[0-9a-f]+")


def trace(function: Callable, latents: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """The log densities and deterministic values of a model, given all its latent sites, as a JAX
    program.

    Args:
        function: The model.
        latents: Latent site -> its value, or its shape and type.
        arguments: Arguments of the model, outcomes included.

    Returns:
        The program, a closed jaxpr.
    """

    def densities(latents, arguments):
        sites = handlers.trace(handlers.substitute(function, data=latents)).get_trace(**arguments)
        return [
            site["fn"].log_prob(site["value"]) if site["type"] == "sample" else site["value"]
            for site in sites.values()
            if site["type"] in ("sample", "deterministic")
        ]

    return jax.make_jaxpr(densities)(dict(latents), dict(arguments))


def find(first: Any, second: Any, where: str, path: Path) -> Iterator[str]:
    """Sentences about random numbers that two traces of a model show.

    Args:
        first: A program made by `trace`.
        second: Another one, of the same model with equal arguments.
        where: The model's file, as messages name it.
        path: The model's file.
    """
    equations, again = first.jaxpr.eqns, second.jaxpr.eqns
    for equation in equations:
        if DRAWS.search(str(equation)):
            what = (
                "random numbers are drawn here that are not a site, so the density is not a function of the parameters"
            )
            yield f"{_place(equation, where, path)}: {what}; draw them with numpyro.sample"
            return
    constants = zip(first.jaxpr.constvars, first.consts, second.consts, strict=False)
    changed = [variable for variable, one, other in constants if not np.array_equal(one, other, equal_nan=True)]
    differing = [one for one, other in zip(equations, again, strict=False) if _text(one) != _text(other)]
    differing += [
        equation for equation in equations if any(used is each for used in equation.invars for each in changed)
    ]
    if differing or changed or _text(first.jaxpr) != _text(second.jaxpr):
        place = _place(differing[0], where, path) if differing else where
        yield (
            f"{place}: two calls with equal arguments and parameters give different values; draw random numbers with "
            "numpyro.sample, and use no clock and no counter"
        )


def _text(program: Any) -> str:
    return ADDRESS.sub("", str(program))


def _place(equation: Any, where: str, path: Path) -> str:
    return place(equation, provenance.closure(path)) or where


def place(equation: Any, files: Collection[Path]) -> str | None:
    """The line of one of the files that an equation comes from, None if there is none."""
    traceback = equation.source_info.traceback
    for frame in traceback.frames if traceback else ():
        file = Path(frame.file_name).resolve()
        if file in files:
            return f"{file.parent.name}/{file.name}, line {frame.line_num}"
    return None
