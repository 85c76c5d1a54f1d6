"""Random numbers that a model draws other than by `numpyro.sample`: found in its code, and by tracing it twice."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import jax
import numpy as np
from numpyro import handlers

from tadpool.files import provenance

SOURCES = ("numpy.random", "random", "jax.random", "jax._src.random", "secrets")
DRAWS = re.compile(r"\b(random_\w+|threefry2x32|rng_bit_generator|rng_uniform)\[?")
ADDRESS = re.compile(r"0x[0-9a-f]+")
FIX = "what a model draws has to be a site: use numpyro.sample"


def named(function: Callable, path: Path) -> Iterator[str]:
    """Places of the plug-in at `path` where the function, or one beside it that it calls, names a source of random numbers."""
    start = function.func if isinstance(function, partial) else function
    files = provenance.closure(path)
    for file, line, words in _named(getattr(start, "__wrapped__", start), files, set()):
        yield f"{file.parent.name}/{file.name}, line {line}: {words}"


def _named(function: FunctionType, files: set[Path], seen: set) -> Iterator[tuple[Path, int, str]]:
    code = getattr(function, "__code__", None)
    if code is None or code in seen or Path(code.co_filename).resolve() not in files:
        return
    seen.add(code)
    file = Path(code.co_filename).resolve()
    for node in ast.walk(_definition(file, function)):
        found = _objects(node, function.__globals__)
        for source in filter(None, map(_source, [*_imported(node), *map(_module, found)])):
            yield file, node.lineno, f"{function.__name__}() uses {source}"
        for other in found:
            if isinstance(other, FunctionType):
                yield from _named(other, files, seen)


def _definition(file: Path, function: FunctionType) -> ast.AST:
    for node in ast.walk(_parsed(file)):
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)]) if _is_function(node) else 0
        if first == function.__code__.co_firstlineno:
            return node
    return ast.Module([], [])


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))


def _imported(node: ast.AST) -> list[str]:
    """Names of what an import within a function imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []


def _objects(node: ast.AST, known: Mapping[str, Any]) -> list[Any]:
    """What a dotted name stands for; nothing where that is known only at a call."""
    if isinstance(node, ast.Name):
        return [known[node.id]] if node.id in known else []
    if isinstance(node, ast.Attribute):
        return [getattr(each, node.attr) for each in _objects(node.value, known) if hasattr(each, node.attr)]
    return []


def _module(found: Any) -> str:
    """The module that an object is, or comes from."""
    if isinstance(found, ModuleType):
        return found.__name__
    return str(getattr(found, "__module__", None) or type(found).__module__)


def _source(module: str) -> str | None:
    """The source of random numbers that a module, or what stands in it, is; None for any other."""
    named = (source for source in SOURCES if module == source or module.startswith(f"{source}."))
    return next((source.replace("_src.", "") for source in named), None)


def program(function: Callable, latents: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """The log densities and deterministic values of a model as JAX traces them, given all of its latent sites."""

    def densities(latents, arguments):
        trace = handlers.trace(handlers.substitute(function, data=latents)).get_trace(**arguments)
        return [
            site["fn"].log_prob(site["value"]) if site["type"] == "sample" else site["value"]
            for site in trace.values()
            if site["type"] in ("sample", "deterministic")
        ]

    return jax.make_jaxpr(densities)(dict(latents), dict(arguments))


def found(first: Any, second: Any) -> Iterator[str]:
    """What two traces of one model with equal arguments say of random numbers in it."""
    text, again = (ADDRESS.sub("", str(each.jaxpr)) for each in (first, second))
    if DRAWS.search(text):
        yield "the model draws random numbers with a key of its own, so that its density is not a function of its parameters"
    same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first.consts, second.consts, strict=False))
    if text != again or len(first.consts) != len(second.consts) or not same:
        yield "two calls with equal arguments and parameters differ, so that there is something random or a clock in the model"
