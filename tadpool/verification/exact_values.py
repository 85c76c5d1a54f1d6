"""Exact values: tables that were computed by quadrature, and closed forms of conjugate models."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import nbinom, norm

from tadpool.verification.tables import REFERENCE


def reference(name: str) -> pd.DataFrame:
    """The table of that name of `reference/`, indexed by its first column."""
    return pd.read_csv(REFERENCE / f"{name}.csv", index_col=0)


# Poisson counts whose rate has the prior Gamma(shape, rate). The posterior is Gamma(shape + sum,
# rate + number of counts).


def gamma_moments(counts: np.ndarray, shape: float, rate: float) -> tuple[float, float]:
    """Posterior mean and standard deviation of the rate."""
    after = shape + counts.sum(), rate + len(counts)
    return after[0] / after[1], float(np.sqrt(after[0])) / after[1]


def gamma_marginal(counts: np.ndarray, shape: float, rate: float) -> float:
    """Log probability of all counts together."""
    total = counts.sum()
    return float(
        shape * np.log(rate) - gammaln(shape) + gammaln(shape + total)
        - (shape + total) * np.log(rate + len(counts)) - gammaln(counts + 1).sum()
    )  # fmt: skip


def gamma_loo(counts: np.ndarray, shape: float, rate: float) -> np.ndarray:
    """Log predictive probability of each count given all others (counts,)."""
    return nbinom.logpmf(counts, shape + counts.sum() - counts, 1 - 1 / (rate + len(counts)))


def gamma_groups(groups: Sequence[np.ndarray], shape: float, rate: float, shared: bool) -> list[float]:
    """Log predictive probability of each group of counts given the others, which tell of it if the
    rate is `shared`."""
    found = []
    for left_out, own in enumerate(groups):
        others = [counts for number, counts in enumerate(groups) if number != left_out and shared]
        total, rows = sum(counts.sum() for counts in others), sum(len(counts) for counts in others)
        found.append(gamma_marginal(own, shape + total, rate + rows))
    return found


# Linear models y ~ Normal(X b, noise) with the prior b ~ Normal(0, P).


def normal_posterior(y: np.ndarray, X: np.ndarray, noise: float, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (coefficients,) and covariance of the coefficients b, whose prior covariance is
    given."""
    covariance = np.linalg.inv(np.linalg.inv(prior) + X.T @ X / noise**2)
    return covariance @ X.T @ y / noise**2, covariance


def normal_loo(y: np.ndarray, X: np.ndarray, noise: float, prior: np.ndarray) -> np.ndarray:
    """Log predictive density of each observation given all others (rows,)."""
    scores = []
    for row in range(len(y)):
        others = np.arange(len(y)) != row
        mean, covariance = normal_posterior(y[others], X[others], noise, prior)
        scores.append(norm.logpdf(y[row], X[row] @ mean, np.sqrt(noise**2 + X[row] @ covariance @ X[row])))
    return np.array(scores)
