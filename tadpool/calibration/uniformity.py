"""Are ranks uniform? Simultaneous bands of their ECDF, and the exact p-value of leaving them.

Säilynoja, Bürkner and Vehtari (2022), Statistics and Computing 32:32. ArviZ finds these bands by
simulation, and its `uniformity_test` has p-values of other statistics. A p-value of these bands
that is small enough for a Bonferroni correction needs the exact probability, which a Markov chain
of counts gives.
"""

import numpy as np
from scipy import stats

# Floats of equal tails may differ in the last digit.
TIES = 1 + 1e-9


def p_values(ranks: np.ndarray, largest: int) -> np.ndarray:
    """Test whether ranks are uniform.

    The statistic is the smallest binomial tail of the ECDF over all its points, so the p-value is
    below 0.05 if and only if the ECDF leaves its simultaneous 95 % band.

    Args:
        ranks: Whole numbers from 0 to `largest`, (simulations, quantities).
        largest: The largest possible rank.

    Returns:
        The p-value of each quantity, (quantities,): 0 for ranks outside the range, NaN without
            ranks.
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
    """Find the simultaneous band of the ECDF of uniform ranks.

    Args:
        simulations: Number of ranks.
        largest: The largest possible rank.
        level: Probability that the whole ECDF stays inside.

    Returns:
        Lower and upper ends at the ranks 0, ..., largest - 1, as shares of the simulations.
    """
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
    """Probability that the counts of uniform ranks stay inside at all points, for each level:
    (levels,).

    Counts of uniform ranks are a Poisson process given that it ends at `simulations`: its steps are
    independent and have one distribution.
    """
    n = np.arange(simulations + 1)
    mean = simulations / (largest + 1)
    step = stats.poisson.pmf(n[None, :] - n[:, None], mean)
    now = np.zeros((len(levels), simulations + 1))
    now[:, 0] = 1.0
    for inside in _inside(simulations, largest, levels):
        now = np.where(inside, now @ step, 0.0)
    return (now @ step[:, -1]) / stats.poisson.pmf(simulations, simulations)
