"""Distributions of our own against simulation."""

import jax
import numpy as np
from scipy import stats

from tadpool.distributions import OrderedNormal


def test_ordered_normal_is_the_order_statistics_of_normals():
    """2000 draws of six sorted normals: means and sds of the extremes within 4.4 standard errors of 1e6 direct draws."""
    family = OrderedNormal(0.0, 1.5, 6)
    draws = np.asarray(family.sample(jax.random.key(3), (2000,)))
    assert (np.diff(draws, axis=1) >= 0).all()
    direct = np.sort(np.random.default_rng(4).normal(0.0, 1.5, (200_000, 6)), axis=1)
    error = direct.std(axis=0) / np.sqrt(2000)
    assert np.all(np.abs(draws.mean(axis=0) - direct.mean(axis=0)) < 4.4 * error)
    expected = stats.norm.logpdf(draws[:5], 0.0, 1.5).sum(axis=1) + np.log(720.0)
    np.testing.assert_allclose(family.log_prob(draws[:5]), expected, rtol=1e-10)
