"""Priors of formulas as text, such as `normal(0, 1)`; no JAX here, so that config can be read."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tadpool.errors import FormulaError, did_you_mean

REAL = {
    "normal": ("location", "scale"),
    "student_t": ("df", "location", "scale"),
    "cauchy": ("location", "scale"),
    "laplace": ("location", "scale"),
}
POSITIVE = {"exponential": ("rate",), "half_normal": ("scale",), "half_cauchy": ("scale",)}
CORRELATION = {"lkj": ("concentration",)}
CLASSES = {"intercept": REAL, "coefficients": REAL, "sd": POSITIVE, "cor": CORRELATION}
"""Class of parameters -> the distributions that its prior may be, with their arguments."""
DEFAULTS = {
    "intercept": "normal(0, 2.5)",
    "coefficients": "normal(0, 2.5)",
    "sd": "exponential(1)",
    "cor": "lkj(2)",
}
"""Weakly informative, in units of the data (docs/how-to/formula.md)."""
POSITIVE_ARGUMENTS = ("scale", "rate", "df", "concentration")
WRITTEN = re.compile(r"^\s*([a-z_]+)\s*\(([^()]*)\)\s*$")


def chosen(
    given: Mapping[str, str], terms: Iterable[str] | None = None
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The priors of a formula.

    Args:
        given: Class, or term of the formula, -> its prior as text; classes that are not given have
            their default.
        terms: The terms that can have a prior of their own; None for any.

    Returns:
        The priors as JSON (`PriorChoice`), and the value of each of their hyperparameters, `<class
            or term>_<argument>`.

    Raises:
        FormulaError: There is no such class or term, or a text is no such prior.
    """
    priors, numbers = [], {}
    named = {of.replace(" ", "").replace("/", "÷"): text for of, text in given.items()}
    for of, text in {**DEFAULTS, **named}.items():
        if terms is not None and of not in (known := [*CLASSES, *terms]):
            hint = did_you_mean(of, known).removeprefix("; ")
            raise FormulaError(f"{of!r} is neither a class of parameters nor a term of the formula", hint)
        kind, values = _read(of, text, CLASSES.get(of, REAL))
        names = tuple(f"{of}_{argument}" for argument in CLASSES.get(of, REAL)[kind])
        priors.append({"of": of, "kind": kind, "numbers": names})
        numbers |= dict(zip(names, values, strict=True))
    return priors, numbers


def _read(of: str, text: str, kinds: Mapping[str, tuple[str, ...]]) -> tuple[str, list[float]]:
    matched = WRITTEN.match(text)
    examples = ", ".join(f"{kind}({', '.join(arguments)})" for kind, arguments in kinds.items())
    if not matched or matched[1] not in kinds:
        raise FormulaError(f"{text!r} cannot be the prior of {of}", f"write one of {examples}")
    kind, arguments = matched[1], kinds[matched[1]]
    try:
        values = [float(each) for each in matched[2].split(",")]
    except ValueError:
        values = []
    if len(values) != len(arguments):
        raise FormulaError(f"{text!r} does not have the arguments of {kind}", f"write {kind}({', '.join(arguments)})")
    for argument, value in zip(arguments, values, strict=True):
        if not abs(value) < float("inf") or (argument in POSITIVE_ARGUMENTS and value <= 0):
            raise FormulaError(
                f"the {argument} in {text!r} is {value:g}",
                "write a positive number" if argument in POSITIVE_ARGUMENTS else "write a number",
            )
    return kind, values
