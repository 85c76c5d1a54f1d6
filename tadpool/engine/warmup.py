"""The warm-up: windows whose draws and gradients set the metric, then iterations for the step size
alone.

The inverse mass matrix of a window is sqrt(variance of the draws / variance of the gradients),
which for independent normal parameters is exact after two draws, in place of the variance of the
draws alone (Seyboldt, Carlson & Carpenter 2026, "Preconditioning Hamiltonian Monte Carlo by
minimizing Fisher divergence"); of jointly adapted parameters it is the geometric mean of the
covariance of the draws and the inverse covariance of the gradients. Windows grow, and each forgets
the one before.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tadpool.engine.trajectories import Averaging, Metric, Moments, Proposal, State, add, average

Arrays = dict[str, Any]

FIRST_WINDOW, GROWTH = 10, 1.6
"""Iterations of the first window, and how much longer each is than the one before."""
FIRST_WARM_WINDOW = 40
"""Iterations of the first window where the metric is that of an earlier fit."""
LAST = 60
"""Iterations for the step size alone; a fifth of a warm-up that is shorter than 300."""
SHALLOW = 51
"""So many iterations have trees of depth SHALLOW_DEPTH at most: the first metrics are poor."""
SHALLOW_DEPTH = 7
FIRST_STEP = 0.1
"""Step size of the first iteration, in units of the metric."""
SMALLEST, LARGEST = 1e-40, 1e40
"""Bounds of the first inverse mass matrix's diagonal."""
PRIOR_DRAWS = 5.0
"""A covariance is shrunk to its diagonal as if so many draws had said so."""
MOST_WINDOWS = 40
"""The last one takes all that is left of a longer warm-up."""


def window_ends(warmup: int, warm: bool = False) -> list[int]:
    """Numbers of the iterations after which the metric is set, counted from 0.

    Args:
        warmup: Iterations of the warm-up.
        warm: Whether it begins with the metric of an earlier fit, which short windows would spoil.
    """
    left, width = warmup - min(LAST, -(-warmup // 5)), float(FIRST_WARM_WINDOW if warm else FIRST_WINDOW)
    ends = [-1]
    while left > 0:
        length = left if left - int(width) < GROWTH * width or len(ends) == MOST_WINDOWS else int(width)
        ends.append(ends[-1] + length)
        left, width = left - length, width * GROWTH
    return ends[1:]


def schedule(warmup: int, warm: bool) -> Arrays:
    """The warm-up as arguments of a program: its iterations, the `ends` of windows, padded by
    -1, and how many of the first iterations have `shallow` trees."""
    ends = window_ends(warmup, warm)
    padded = np.array(ends + [-1] * (MOST_WINDOWS - len(ends)), np.int32)
    return {"warmup": np.int32(warmup), "ends": padded, "shallow": np.int32(0 if warm else SHALLOW)}


def adapted(state: State, new: Proposal, acceptance: jax.Array, how: Arrays) -> State:
    """The chain after an iteration of the warm-up, as far as it is adapted: metric, step size,
    averaging and moments.

    Args:
        state: The chain before.
        new: Where it is now.
        acceptance: The acceptance rate of the iteration.
        how: The `schedule`, and the `target` of the acceptance rate.
    """
    step_size, averaging = average(state.averaging, acceptance, how["target"])
    moments, so_far = add(state.moments, new), jnp.exp(averaging.log_step)
    ends = jnp.any(how["ends"] == state.iteration.astype(jnp.int32))
    last = state.iteration.astype(jnp.int32) + 1 == how["warmup"]
    metric = jax.lax.cond(ends, lambda: window_metric(moments, state.metric), lambda: state.metric)
    go_on = (jnp.where(last, so_far, step_size), averaging, moments)
    begin = (so_far, restarted(so_far), jax.tree.map(jnp.zeros_like, moments))
    step_size, averaging, moments = jax.tree.map(lambda one, other: jnp.where(ends, one, other), begin, go_on)
    return state._replace(metric=metric, step_size=step_size, averaging=averaging, moments=moments)


def first_metric(gradients: np.ndarray, dense: int) -> Metric:
    """The metric before the first window, from the gradients (lanes, elements) at the start."""
    sizes = np.clip(np.abs(gradients.astype(np.float64)), SMALLEST, LARGEST)
    scale = (1 / np.sqrt(sizes)).astype(gradients.dtype)
    return Metric(scale[:, :dense, None] * np.eye(dense, dtype=scale.dtype), scale[:, dense:])


def window_metric(moments: Moments, before: Metric) -> Metric:
    """The metric from a window.

    An element that has not moved, or whose gradient has not changed, keeps its scale.
    """
    k = len(before.factor)
    draws, gradients = moments.squares
    known = (draws > 0) & (gradients > 0) & jnp.isfinite(draws) & jnp.isfinite(gradients)
    ratio = jnp.sqrt(jnp.where(known, draws, 1.0)) / jnp.sqrt(jnp.where(known, gradients, 1.0))
    smallest = jnp.finfo(ratio.dtype).tiny
    scale = jnp.sqrt(jnp.clip(ratio, smallest, 1 / smallest))
    rest = jnp.where(known[k:], scale[k:], before.scale)
    if not k:
        return Metric(before.factor, rest)
    factor = _factor(moments.products, scale[:k], moments.count)
    whole = known[:k].all() & jnp.isfinite(factor).all()
    return Metric(jnp.where(whole, factor, before.factor), rest)


def restarted(step_size: jax.Array) -> Averaging:
    """Dual averaging from a step size."""
    zero = jnp.zeros_like(step_size)
    return Averaging(zero, zero, jnp.log(10 * step_size), zero)


def _factor(products: jax.Array, scale: jax.Array, count: jax.Array) -> jax.Array:
    """Cholesky factor (k, k) of the geometric mean of a covariance and the inverse of the
    gradients' (Bhatia 2007, "Positive Definite Matrices", equation 4.10)."""
    # In units in which both have the same diagonal.
    draws, gradients = products[0] / jnp.outer(scale, scale), products[1] * jnp.outer(scale, scale)
    draws, gradients = (_shrunk(covariance, count) for covariance in (draws, gradients))
    root, inverse = _power(draws, 0.5), _power(draws, -0.5)
    mean = root @ _power(inverse @ _power(gradients, -1.0) @ inverse, 0.5) @ root
    return scale[:, None] * jnp.linalg.cholesky((mean + mean.T) / 2)


def _shrunk(covariance: jax.Array, count: jax.Array) -> jax.Array:
    diagonal = jnp.diag(jnp.diag(covariance))
    return (count * covariance + PRIOR_DRAWS * diagonal) / (count + PRIOR_DRAWS)


def _power(matrix: jax.Array, power: float) -> jax.Array:
    values, vectors = jnp.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * jnp.maximum(values, jnp.finfo(values.dtype).tiny) ** power) @ vectors.T
