"""The warm-up: windows whose draws and gradients set the metric, then iterations for the step size
alone.

The inverse mass matrix of a window is sqrt(variance of the draws / variance of the gradients),
which for independent normal parameters is exact after two draws, in place of the variance of the
draws alone (Seyboldt, Carlson & Carpenter 2026, "Preconditioning Hamiltonian Monte Carlo by
minimizing Fisher divergence"); of jointly adapted parameters it is the geometric mean of the
covariance of the draws and the inverse covariance of the gradients. Windows grow, and each forgets
the one before. All of this is arithmetic on the host, between calls of the compiled program.
"""

import math
from dataclasses import dataclass

import numpy as np

from tadpool.engine.nuts import Arrays, Sampler
from tadpool.engine.trajectories import Averaging, Metric, Moments

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
"""Bounds of the inverse mass matrix's diagonal."""
PRIOR_DRAWS = 5.0
"""A covariance is shrunk to its diagonal as if so many draws had said so."""


@dataclass(frozen=True)
class Stage:
    """Iterations of the warm-up that run in one call. depth: of their trees, at most. ends_window:
    whether the metric is set after them."""

    iterations: int
    depth: int
    ends_window: bool


def stages(warmup: int, deepest: int, block: int, warm: bool = False) -> list[Stage]:
    """The warm-up as calls of at most `block` iterations.

    Args:
        warmup: Its iterations.
        deepest: Depth of the trees of all but the first iterations.
        block: Most iterations of a call.
        warm: Whether it begins with the metric of an earlier fit, which short windows would spoil.
    """
    left, width = warmup - min(LAST, -(-warmup // 5)), float(FIRST_WARM_WINDOW if warm else FIRST_WINDOW)
    lengths, calls, done = [], [], 0
    while left > 0:
        length = left if left - int(width) < GROWTH * width else int(width)
        lengths.append(length)
        left, width = left - length, width * GROWTH
    for number, length in enumerate([*lengths, warmup - sum(lengths)]):
        depth = min(deepest, SHALLOW_DEPTH) if done < SHALLOW and not warm else deepest
        for first in range(0, length, block):
            last = first + block >= length
            calls.append(Stage(min(block, length - first), depth, last and number < len(lengths)))
        done += length
    return calls


def first_metric(gradients: np.ndarray, dense: int) -> Metric:
    """The metric before the first window, from the gradients (lanes, elements) at the start."""
    sizes = np.clip(np.abs(gradients.astype(np.float64)), SMALLEST, LARGEST)
    scale = (1 / np.sqrt(sizes)).astype(gradients.dtype)
    return Metric(_diagonal(scale[:, :dense]), scale[:, dense:])


def metric_of_draws(draws: Arrays, sampler: Sampler) -> Metric:
    """The metric from the draws of earlier fits alone, without gradients.

    Args:
        draws: Unconstrained site -> its draws (fits, draws, ...).
        sampler: `dense` decides which elements have covariances in place of variances.

    Returns:
        A metric whose first axis is the fit.
    """
    dense, rest = (
        np.concatenate(
            [np.zeros((fits, length, 0)), *(draws[name].reshape(fits, length, -1) for name in names)], axis=2
        )
        for fits, length in [next(iter(draws.values())).shape[:2]]
        for names in sampler.blocks(draws)
    )
    k = dense.shape[2]
    covariances = [np.cov(own, rowvar=False).reshape(k, k) for own in dense]
    return Metric(np.linalg.cholesky(np.stack(covariances)), rest.std(axis=1))


def metric(moments: Moments, before: Metric) -> Metric:
    """The metric from a window; all arrays have the lane as first axis.

    An element that has not moved, or whose gradient has not changed, keeps its scale.
    """
    k = before.factor.shape[1]
    squares, gradients = np.moveaxis(moments.squares.astype(np.float64), 1, 0)
    known = (squares > 0) & (gradients > 0) & np.isfinite(squares) & np.isfinite(gradients)
    ratio = np.where(known, squares, 1.0) / np.where(known, gradients, 1.0)
    # Square roots are exact on all processors, powers are not.
    scale = np.sqrt(np.sqrt(np.clip(ratio, SMALLEST**2, LARGEST**2)))
    factors = np.array(before.factor)
    for lane in range(len(factors) if k else 0):
        if known[lane, :k].all():
            factors[lane] = _factor(moments.products[lane], scale[lane, :k], float(moments.count[lane]))
    scale = np.where(known[:, k:], scale[:, k:], before.scale)
    return Metric(factors, scale.astype(before.scale.dtype))


def restarted(step_size: np.ndarray) -> Averaging:
    """Dual averaging from the step sizes (lanes,)."""
    zero = np.zeros_like(step_size)
    centre = [math.log(10 * size) for size in step_size]
    return Averaging(zero, zero, np.array(centre, step_size.dtype), zero)


def averaged(averaging: Averaging) -> np.ndarray:
    """The step sizes (lanes,) that dual averaging has come to.

    The C library computes logarithms and exponentials: NumPy's differ between processors.
    """
    kind = averaging.log_step.dtype
    largest = math.log(np.finfo(kind).max) - 1
    return np.array([math.exp(min(size, largest)) for size in averaging.log_step], kind)


def no_moments(lanes: int, elements: int, dense: int, kind: np.dtype) -> Moments:
    """Moments of no draws, of each lane."""
    shapes = ((), (2, elements), (2, elements), (2, dense, dense))
    return Moments(*(np.zeros((lanes, *shape), kind) for shape in shapes))


def _factor(products: np.ndarray, scale: np.ndarray, count: float) -> np.ndarray:
    """Cholesky factor (k, k) of the geometric mean of a covariance and the inverse of the
    gradients' (Bhatia 2007, "Positive Definite Matrices", equation 4.10)."""
    # In units in which both have the same diagonal.
    draws, gradients = products[0] / np.outer(scale, scale), products[1] * np.outer(scale, scale)
    draws, gradients = (_shrunk(covariance, count) for covariance in (draws, gradients))
    root = _power(draws, 0.5)
    inverse = _power(draws, -0.5)
    mean = root @ _power(inverse @ np.linalg.inv(gradients) @ inverse, 0.5) @ root
    return scale[:, None] * np.linalg.cholesky((mean + mean.T) / 2)


def _shrunk(covariance: np.ndarray, count: float) -> np.ndarray:
    diagonal = np.diag(np.diag(covariance))
    return (count * covariance + PRIOR_DRAWS * diagonal) / (count + PRIOR_DRAWS)


def _power(matrix: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, np.finfo(values.dtype).tiny) ** power) @ vectors.T


def _diagonal(scale: np.ndarray) -> np.ndarray:
    return scale[:, :, None] * np.eye(scale.shape[1], dtype=scale.dtype)
