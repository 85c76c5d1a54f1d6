"""How far the outcomes are from their predicted means: root mean square errors, in sample and
leave-one-out, and the share of their variance that is predicted."""

from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats

from tadpool.intervals import HIGH, LOW
from tadpool.magnitude import power_of_two

NUMERIC = frozenset(
    {
        *(
            "Normal",
            "StudentT",
            "LogNormal",
            "Gamma",
            "Exponential",
            "Weibull",
            "HurdleLogNormal",
            "Beta",
            "OrderedBeta",
        ),
        *("Binomial", "BetaBinomial", "Poisson", "GammaPoisson", "NegativeBinomial", "NegativeBinomial2"),
        *("ZeroInflated", "HurdlePoisson"),
    }
)
"""Distributions whose mean is on the scale of the outcome; that of a category or of a yes or no is
not."""


@dataclass(frozen=True)
class Error:
    """A root mean square error and its Monte Carlo standard error, in the unit of the outcome; over
    how many values."""

    rmse: float
    mcse: float
    values: int


def has_numeric_mean(distribution: str) -> bool:
    """Whether outcomes of this distribution (NumPyro's name of it) can be set against their
    mean."""
    return distribution.removesuffix("Logits").removesuffix("Probs") in NUMERIC


def root_mean_square_error(observed: np.ndarray, draws: np.ndarray, log_weights: np.ndarray | None = None) -> Error:
    """sqrt(mean((outcome - mean of its draws)^2)), the mean taken with weights where they are
    given.

    observed (values,). draws (chain, draw, values): of the outcomes' means, or of the outcomes
    themselves. log_weights (chain, draw, values), normalized over chain and draw. A mean of few
    draws is off by chance, which makes the squares too large by its variance; that variance is
    subtracted. Raises ValueError for arrays that do not fit.
    """
    chains, length, size = draws.shape
    if observed.shape != (size,) or (log_weights is not None and log_weights.shape != draws.shape):
        raise ValueError("observed, draws and log_weights must have the same values")
    weights = np.full(draws.shape, 1 / (chains * length)) if log_weights is None else np.exp(log_weights)
    means = np.sum(weights * draws, axis=(0, 1))
    apart = weights * (draws - means)
    error = observed - means
    square = np.mean(error**2 - np.sum(apart**2, axis=(0, 1)))
    rmse = float(np.sqrt(max(square, 0.0)))
    # What each draw moves the mean square by, to first order: its Monte Carlo error counts draws
    # that are alike.
    moves = -2 * chains * length * np.mean(error * apart, axis=2)
    unit = power_of_two(moves.std())
    mcse = float(unit * array_stats.mcse(moves / unit, chain_axis=0, draw_axis=1, method="mean"))
    return Error(rmse, mcse / (2 * rmse) if rmse else 0.0, size)


def leave_one_out_r2(observed: np.ndarray, draws: np.ndarray, log_weights: np.ndarray) -> tuple[float, float, float]:
    """1 - (mean square error of leave-one-out means) / (variance of the outcomes): median and 89 %
    interval of its Bayesian bootstrap over the values. Below 0, the mean of all outcomes predicts
    better. Gelman, Goodrich, Gabry & Vehtari (2019), The American Statistician 73:307.

    Arguments as in `root_mean_square_error`.
    """
    means = np.sum(np.exp(log_weights) * draws, axis=(0, 1))
    found = array_stats.loo_r2(observed, means)
    low, middle, high = np.quantile(found, [LOW, 0.5, HIGH])
    return float(middle), float(low), float(high)
