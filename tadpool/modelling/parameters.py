"""Parameters of distributions that are not what their distribution needs: `HalfNormal(-1)`."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import constraints

# These may be infinite: ends of a truncation, and what means a probability of 0 or 1.
UNBOUNDED = ("low", "high", "logits", "v", "log_density")
WORDS = {
    type(constraints.positive): "positive",
    type(constraints.nonnegative): "0 or more",
    type(constraints.unit_interval): "between 0 and 1",
    type(constraints.nonnegative_integer): "a whole number of 0 or more",
    type(constraints.simplex): "numbers of 0 or more with the sum 1",
    type(constraints.ordered_vector): "in increasing order",
    type(constraints.lower_cholesky): "a lower triangle with a positive diagonal",
    type(constraints.corr_cholesky): "the Cholesky factor of a correlation matrix",
    type(constraints.positive_definite): "a positive definite matrix",
}
BOUNDED = {
    constraints.greater_than: "above {lower_bound}",
    constraints.greater_than_eq: "{lower_bound} or more",
    constraints.interval: "between {lower_bound} and {upper_bound}",
}
REMEDIES = {
    type(constraints.unit_interval): "a function such as jax.nn.sigmoid",
    type(constraints.simplex): "a function such as jax.nn.softmax",
    type(constraints.ordered_vector): "jnp.cumsum of positive steps",
    type(constraints.positive_definite): "a small number added to its diagonal",
}


def of(distribution: Any) -> Iterator[tuple[str, str, Any, Any]]:
    """Class of the distribution or of a part of it, name, value and constraint of each parameter
    that has one of its own."""
    wrappers = (dist.ExpandedDistribution, dist.MaskedDistribution, dist.Independent, dist.Unit)
    if not isinstance(distribution, wrappers):
        for name, constraint in distribution.arg_constraints.items():
            if name in vars(distribution) and not constraints.is_dependent(constraint):
                yield type(distribution).__name__, name, vars(distribution)[name], constraint
        if {"low", "high"} <= vars(distribution).keys():
            above_low = constraints.greater_than(vars(distribution)["low"])
            yield type(distribution).__name__, "high", vars(distribution)["high"], above_low
    for part in ("base_dist", "component_distribution", "mixing_distribution", "_mixing_distribution"):
        if (inner := vars(distribution).get(part)) is not None:
            yield from of(inner)
    for inner in vars(distribution).get("_component_distributions", ()):
        yield from of(inner)


def wrong(family: str, name: str, value: Any, constraint: Any) -> jax.Array:
    """Where a parameter is not what its distribution needs: of the shape of its value, or a
    scalar."""
    value = jnp.asarray(value)
    if not jnp.issubdtype(value.dtype, jnp.number):
        return jnp.zeros((), bool)
    infinite = jnp.isinf(value)
    allowed = name in UNBOUNDED and family != "Uniform"
    bad = jnp.asarray(~constraint(value))
    bad = bad & ~infinite if bad.shape == value.shape else bad & jnp.isfinite(value).all()
    nothing = jnp.isnan(value) if allowed else jnp.isnan(value) | infinite
    return bad | nothing if bad.shape == value.shape else bad.any() | nothing.any()


def need(constraint: Any) -> str:
    """What a parameter needs to be, in words."""
    if type(constraint) in WORDS:
        return WORDS[type(constraint)]
    bounds = {name: f"{bound:g}" for name, bound in vars(constraint).items() if isinstance(bound, (int, float))}
    return BOUNDED.get(type(constraint), "what it needs").format(**{"lower_bound": "low"} | bounds)


def remedy(constraint: Any) -> str:
    """What to do so that a parameter is what it needs to be under its prior."""
    return f"choose priors, or {REMEDIES.get(type(constraint), 'a function such as jnp.exp')}, under which it always is"


def words(family: str, name: str, value: Any, bad: Any, constraint: Any) -> str:
    """What is wrong with the first wrong element of a parameter."""
    value, bad = np.asarray(value), np.asarray(bad)
    first = value[tuple(np.argwhere(bad)[0])] if bad.shape == value.shape else None
    if first is None or np.isfinite(first):
        shown = "not" if first is None else f"{first:g}, not"
        return f"the {name} of its {family} is {shown} {need(constraint)}"
    shown = "not a number (NaN)" if np.isnan(first) else f"{first:g}"
    return f"the {name} of its {family} is {shown}, not a finite number"
