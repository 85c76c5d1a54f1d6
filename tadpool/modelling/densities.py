"""Densities of a model at one draw, as functions that JAX can trace.

In all of them `sites` maps every latent site to its constrained value, and `arguments` holds the
data and hyperparameters.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro import handlers

from tadpool.modelling.binding import Arrays, Bound

LARGEST_COUNT = 2**53  # beyond it floats skip whole numbers
LEVELS = (dist.CategoricalProbs, dist.CategoricalLogits)


def unit_log_likelihood(
    bound: Bound, outcomes: Sequence[str], unit: str, sites: Arrays, arguments: Arrays
) -> jax.Array:
    """Log likelihood of the outcomes for each unit.

    Args:
        bound: The model.
        outcomes: Outcomes that count.
        unit: Dim that is kept; log likelihoods are summed over all others.
        sites: Latent site -> its value.
        arguments: Data and hyperparameters.

    Returns:
        Array (unit,).
    """
    trace = conditioned_trace(bound, sites, arguments)
    total = 0.0
    for name in outcomes:
        log_prob = _where_it_counts(bound, name, log_likelihood(trace[name]), arguments)
        axes = tuple(axis for axis, dim in enumerate(bound.dims[name]) if dim != unit)
        total = total + log_prob.sum(axes)
    return total


def simulated_log_likelihood(bound: Bound, sites: Arrays, arguments: Arrays) -> jax.Array:
    """Log likelihood of all outcomes: a scalar."""
    trace = conditioned_trace(bound, sites, arguments)
    log_probs = {name: log_likelihood(trace[name]) for name in bound.outcomes}
    return sum(_where_it_counts(bound, name, value, arguments).sum() for name, value in log_probs.items())


def log_likelihood(site: Mapping[str, Any]) -> jax.Array:
    """Log likelihood of each value of an observed site in a trace, times its weight."""
    values = site["fn"].log_prob(site["value"])
    return values if site["scale"] is None else site["scale"] * values


def is_valid(bound: Bound, sites: Arrays, arguments: Arrays) -> jax.Array:
    """Whether all values are finite and all outcomes, which are in `arguments`, lie in their
    support: a scalar bool.

    Counts that overflow their type, or whose mean does, are not valid draws.
    """
    trace = conditioned_trace(bound, sites, arguments)
    outcomes = [arguments[name] for name in bound.outcomes]
    conditions = [trace[name]["fn"].support(trace[name]["value"]) for name in bound.outcomes]
    conditions += [jnp.isfinite(value) for value in (*sites.values(), *outcomes)]
    for name, value in zip(bound.outcomes, outcomes, strict=True):
        if jnp.issubdtype(value.dtype, jnp.integer):
            largest = min(jnp.iinfo(value.dtype).max, LARGEST_COUNT)
            conditions += [value < largest, _mean(trace[name]["fn"]) < largest]
    return jnp.stack([condition.all() for condition in conditions]).all()


def _mean(distribution: Any) -> jax.Array:
    """The mean of a distribution, or zero if NumPyro has no formula for it or its values are
    levels, whose mean is NaN."""
    if isinstance(distribution, LEVELS):
        return jnp.zeros(())
    try:
        return jnp.asarray(distribution.mean)
    except NotImplementedError:
        return jnp.zeros(())


def site_log_prior(bound: Bound, sites: Arrays, arguments: Arrays) -> Arrays:
    """Log prior density of each latent site, for each element of its batch."""
    trace = conditioned_trace(bound, sites, arguments)
    return {name: trace[name]["fn"].log_prob(trace[name]["value"]) for name in bound.latents}


def _where_it_counts(bound: Bound, name: str, values: jax.Array, others: Arrays) -> jax.Array:
    """The values, with zero where the variable that `observed_where` names for this outcome is
    0."""
    if name not in bound.observed_where:
        return values
    gate = bound.observed_where[name]
    shape = [size if dim in bound.dims[gate] else 1 for dim, size in zip(bound.dims[name], values.shape, strict=True)]
    return jnp.where(jnp.reshape(others[gate], shape) != 0, values, jnp.zeros_like(values))


def conditioned_trace(bound: Bound, sites: Arrays, arguments: Arrays) -> Mapping[str, Any]:
    """The trace of the model at these values of its latent sites."""
    model = handlers.substitute(handlers.seed(bound.function, jax.random.key(0)), data=sites)
    return handlers.trace(model).get_trace(**arguments)


def simulate(bound: Bound, key: jax.Array, sites: Arrays, arguments: Arrays) -> Arrays:
    """All sites of one forward simulation of the model with `sites` fixed; `arguments` has no
    outcomes."""
    model = handlers.substitute(handlers.seed(bound.function, key), data=sites)
    trace = handlers.trace(model).get_trace(**arguments)
    values = {name: site["value"] for name, site in trace.items() if site["type"] in ("sample", "deterministic")}
    others = {**arguments, **values}
    return values | {name: _where_it_counts(bound, name, values[name], others) for name in bound.observed_where}
