"""Are predictions calibrated? Probability integral transforms, reliability of probabilities, and
simultaneous 95 % bands.

PIT values of numbers are uniform where predictions are calibrated. Of discrete outcomes the
non-randomized PIT is used (Czado, Gneiting and Held 2009, Biometrics 65:1254-1261): a value spreads
evenly over its step, so nothing is drawn at random. A yes or no has too few steps for that; there
the share of yes is compared with the predicted probability, by isotonic regression (Dimitriadis,
Gneiting and Jordan 2021, PNAS 118:e2016191118). Which of them for which outcome: Säilynoja,
Johnson, Martin and Vehtari (2025), Recommendations for visual predictive checks in Bayesian
workflow.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from arviz_stats.base import array_stats
from arviz_stats.ecdf_utils import ecdf_pit
from scipy.optimize import isotonic_regression
from scipy.stats import rankdata

LEVEL = 0.95
SIMULATIONS = 2000
POINTS = np.arange(1, 100) / 100
# Numbers that are computed at a time: few enough to stay in the processor's cache.
AT_A_TIME = 200_000
# Sums of equal terms may differ in the last digits.
TIES = 1e-9
MOST_UNITS = 1000


def selected(units: int) -> slice:
    """The units that are looked at: all, of many an even selection."""
    return slice(None, None, max(1, -(-units // MOST_UNITS)))


@dataclass(frozen=True)
class Curve:
    """A line and the simultaneous band that holds 95 % of such lines of calibrated predictions; all
    (points,)."""

    at: np.ndarray
    line: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def outside(self) -> np.ndarray:
        """At which points the line is outside the band."""
        return (self.line < self.low - TIES) | (self.line > self.high + TIES)


def level_error() -> float:
    """Standard error of the level of a band that is found by simulation."""
    return float(np.sqrt(LEVEL * (1 - LEVEL) / SIMULATIONS))


def continuous(draws: np.ndarray, log_weights: np.ndarray, observed: np.ndarray, seed: int) -> Curve:
    """ECDF of the PIT values of numbers, less that of uniform values, with the band of Säilynoja et
    al. (2022) by ArviZ.

    draws, log_weights (values, draws): of the predictive distribution of each value; weights of a
    value sum to 1. observed (values,). Tails are Pareto-smoothed.
    """
    values = array_stats.loo_pit(draws[:, None], observed, log_weights[:, None], random_state=seed, pareto_pit=True)
    at, low, high = uniform_band(values.size, seed)
    line = np.searchsorted(np.sort(values, axis=None), at[1:-1], side="right") / values.size
    return Curve(at, np.concatenate([[0.0], line, [1.0]]) - at, low - at, high - at)


@cache
def uniform_band(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (count + 1,), and the ends there of the band of the ECDF of so many uniform values; it
    takes long and is the same for all entries of a study."""
    at, _, low, high = ecdf_pit(np.zeros(count), LEVEL, SIMULATIONS, rng=np.random.default_rng(seed))
    return at, low, high


def discrete(draws: np.ndarray, log_weights: np.ndarray, observed: np.ndarray, seed: int) -> Curve:
    """Mean distribution function of the non-randomized PIT, less that of uniform values; arguments
    as in `continuous`.

    The band is found from SIMULATIONS data sets that are drawn from the predictive distributions
    themselves.
    """
    low, high = discrete_band(draws, log_weights, seed)
    return Curve(POINTS, mean_pit(*steps(draws, log_weights, observed)) - POINTS, low, high)


def discrete_band(draws: np.ndarray, log_weights: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The band of `discrete`, which needs no outcomes: its low and high ends (points,)."""
    rng = np.random.default_rng(seed)
    below = np.empty((len(draws), SIMULATIONS))
    upto = np.empty_like(below)
    for i, (own, weights) in enumerate(zip(draws, np.exp(log_weights), strict=True)):
        values, inverse = np.unique(own, return_inverse=True)
        share = np.bincount(inverse, weights, minlength=len(values))
        ends = np.concatenate([[0.0], np.cumsum(share)])
        chosen = rng.choice(len(values), SIMULATIONS, p=share / share.sum())
        below[i], upto[i] = ends[chosen], ends[chosen + 1]
    parts = np.array_split(np.arange(SIMULATIONS), -(-SIMULATIONS * len(draws) * len(POINTS) // AT_A_TIME))
    simulated = np.concatenate([mean_pit(below[:, part].T, upto[:, part].T) for part in parts])
    return envelope(simulated - POINTS)


def steps(draws: np.ndarray, log_weights: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(draw < observed) and P(draw <= observed) of each value (values,)."""
    weights = np.exp(log_weights)
    below = (weights * (draws < observed[:, None])).sum(axis=1)
    return below, below + (weights * (draws == observed[:, None])).sum(axis=1)


def mean_pit(below: np.ndarray, upto: np.ndarray) -> np.ndarray:
    """Mean over values of the distribution functions at POINTS (..., points) that rise evenly from
    `below` to `upto` (..., values)."""
    width = np.maximum(upto - below, 1e-12)
    heights = (POINTS - below[..., None]) / width[..., None]
    return np.clip(heights, 0.0, 1.0, out=heights).mean(axis=-2)


def reliability(probability: np.ndarray, observed: np.ndarray, seed: int) -> Curve:
    """Share of ones by predicted probability, never falling (isotonic regression); probability,
    observed (values,).

    The band is found from SIMULATIONS data sets drawn with these probabilities.
    """
    at, counts, ones = _tied(probability, observed)
    line = isotonic_regression(ones / counts, weights=counts).x
    return Curve(at, line, *reliability_band(at, counts, seed))


def reliability_band(at: np.ndarray, counts: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The band of `reliability`. at, counts (points,): distinct probabilities, rising, and how many
    values have them."""
    rng = np.random.default_rng(seed)
    drawn = rng.binomial(counts, at, (SIMULATIONS, len(at))) / counts
    return envelope(np.stack([isotonic_regression(shares, weights=counts).x for shares in drawn]))


def _tied(probability: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct probabilities, how many values have them, and how many of these are ones."""
    at, inverse, counts = np.unique(np.clip(probability, 0.0, 1.0), return_inverse=True, return_counts=True)
    return at, counts, np.bincount(inverse, observed.astype(float), minlength=len(at))


def envelope(simulated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the band that a new line like those simulated (lines, points) leaves with probability
    1 - LEVEL at most.

    The rank envelope of Myllymäki et al. (2017), JRSS B 79:381-404: at each point the k-th smallest
    and k-th largest value, with the largest k for which at most 1 - LEVEL of the lines are among
    the k most extreme somewhere.
    """
    from_below = rankdata(simulated, method="max", axis=0)
    from_above = len(simulated) + 1 - rankdata(simulated, method="min", axis=0)
    extremeness = np.sort(np.minimum(from_below, from_above).min(axis=1))
    allowed = int((1 - LEVEL) * len(simulated))
    k = max(1, int(extremeness[allowed]) - 1)
    ordered = np.sort(simulated, axis=0)
    return ordered[k - 1], ordered[-k]
