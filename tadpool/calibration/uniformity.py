"""Are ranks uniform? Simultaneous bands of their ECDF, and the exact p-value of leaving them.

Säilynoja, Bürkner and Vehtari (2022), Statistics and Computing 32:32. ArviZ finds these bands by simulation; a p-value
small enough for a Bonferroni correction needs the exact probability, which a Markov chain of counts gives.
"""

import numpy as np
from scipy import stats

# Floats of equal tails may differ in the last digit.
TIES = 1 + 1e-9


def p_values(ranks: np.ndarray, largest: int) -> np.ndarray:
    """p-value of each quantity's ranks (simulations, quantities) being uniform on 0, ..., largest: (quantities,).

    The statistic is the smallest binomial tail of the ECDF over all its points, so the p-value is below 0.05 where, and
    only where, the ECDF leaves its simultaneous 95 % band. Ranks outside the range have p-value 0; no ranks give NaN.
    """
    simulations, quantities = ranks.shape
    if simulations == 0:
        return np.full(quantities, np.nan)
    counts = (ranks[:, None, :] <= np.arange(largest)[:, None]).sum(axis=0).T
    lower, upper = _tails(simulations, largest)
    points = np.arange(largest)
    smallest = 2 * np.minimum(lower[points, counts], upper[points, counts]).min(axis=1)
    p = 1 - _probability_inside(simulations, largest, smallest * TIES)
    outside = ((ranks < 0) | (ranks > largest)).any(axis=0)
    return np.where(outside, 0.0, np.clip(p, 0.0, 1.0))


def band(simulations: int, largest: int, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends of the ECDF's simultaneous band at the ranks 0, ..., largest - 1."""
    low, high = 0.0, 1 - level
    for _ in range(40):
        middle = (low + high) / 2
        enough = _probability_inside(simulations, largest, np.array([middle]))[0] >= level
        low, high = (middle, high) if enough else (low, middle)
    inside = _inside(simulations, largest, np.array([low]))[:, 0]
    counts = np.arange(simulations + 1)
    lower = np.where(inside, counts, simulations).min(axis=1)
    upper = np.where(inside, counts, 0).max(axis=1)
    return lower / simulations, upper / simulations


def ecdf(ranks: np.ndarray, largest: int) -> np.ndarray:
    """Share of ranks (simulations, ...) at or below 0, ..., largest - 1: (largest, ...)."""
    return np.stack([(ranks <= value).mean(axis=0) for value in range(largest)])


def _tails(simulations: int, largest: int) -> tuple[np.ndarray, np.ndarray]:
    """P(count <= n) and P(count >= n) of how many ranks are at or below each point: (points, n)."""
    probability = np.arange(1, largest + 1)[:, None] / (largest + 1)
    count = stats.binom(simulations, probability)
    n = np.arange(simulations + 1)
    return count.cdf(n), count.sf(n - 1)


def _inside(simulations: int, largest: int, levels: np.ndarray) -> np.ndarray:
    """Which counts have both tails above half of each level: (points, levels, n)."""
    lower, upper = _tails(simulations, largest)
    return 2 * np.minimum(lower, upper)[:, None, :] > levels[:, None]


def _probability_inside(simulations: int, largest: int, levels: np.ndarray) -> np.ndarray:
    """Probability that the counts of uniform ranks stay inside at all points, for each level: (levels,).

    Counts of uniform ranks are a Poisson process that is known to end at `simulations`: its steps are alike and independent.
    """
    n = np.arange(simulations + 1)
    mean = simulations / (largest + 1)
    step = stats.poisson.pmf(n[None, :] - n[:, None], mean)
    now = np.zeros((len(levels), simulations + 1))
    now[:, 0] = 1.0
    for inside in _inside(simulations, largest, levels):
        now = np.where(inside, now @ step, 0.0)
    return (now @ step[:, -1]) / stats.poisson.pmf(simulations, simulations)
