"""Distributions of our own against simulation, and against NumPyro's."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

from tadpool.modelling.distributions import OrderedLogistic, OrderedNormal


def test_ordered_normal_is_the_order_statistics_of_normals():
    """2000 draws of six sorted normals: means and sds of the extremes within 4.4 standard errors of
    1e6 direct draws."""
    family = OrderedNormal(0.0, 1.5, 6)
    draws = np.asarray(family.sample(jax.random.key(3), (2000,)))
    assert (np.diff(draws, axis=1) >= 0).all()
    direct = np.sort(np.random.default_rng(4).normal(0.0, 1.5, (200_000, 6)), axis=1)
    error = direct.std(axis=0) / np.sqrt(2000)
    assert np.all(np.abs(draws.mean(axis=0) - direct.mean(axis=0)) < 4.4 * error)
    expected = stats.norm.logpdf(draws[:5], 0.0, 1.5).sum(axis=1) + np.log(720.0)
    np.testing.assert_allclose(family.log_prob(draws[:5]), expected, rtol=1e-10)


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_ordered_logistic_is_that_of_numpyro(scale):
    """Log densities and gradients at 500 values, also where NumPyro's probabilities are near 0;
    float64."""
    rng = np.random.default_rng(6)
    predictor, cutpoints = jnp.asarray(rng.normal(0, scale, 500)), jnp.asarray(np.sort(rng.normal(0, 1.5, 6)))
    value = jnp.asarray(rng.integers(0, 7, 500))

    def total(family, arguments):
        return family(*arguments).log_prob(value).sum()

    for function in (total, jax.grad(total, argnums=1)):
        ours, theirs = (function(family, (predictor, cutpoints)) for family in (OrderedLogistic, dist.OrderedLogistic))
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8), ours, theirs)


def test_ordered_logistic_draws_have_its_probabilities():
    """Counts of 20,000 draws of each of two values: chi-square with 2 x 6 degrees of freedom, false
    alarms 1e-4."""
    family = OrderedLogistic(jnp.array([-0.5, 1.5]), jnp.array([-2.0, -1.0, 0.0, 0.3, 1.0, 2.0]))
    draws = np.asarray(family.sample(jax.random.key(8), (20_000,)))
    assert draws.shape == (20_000, 2)
    counts = np.stack([np.bincount(column, minlength=7) for column in draws.T])
    expected = 20_000 * np.asarray(family.probs)
    assert ((counts - expected) ** 2 / expected).sum() < stats.chi2.isf(1e-4, 12)


def test_ordered_logistic_is_finite_far_out():
    far = OrderedLogistic(jnp.array([-1e4, 1e4]), jnp.array([-1.0, 0.0, 1.0]))
    assert np.isfinite(far.log_prob(jnp.array([3, 0]))).all()
    gradient = jax.grad(lambda phi: OrderedLogistic(phi, far.cutpoints).log_prob(jnp.array([3, 0])).sum())
    assert np.isfinite(gradient(far.predictor)).all()


def test_ordered_logistic_with_cutpoints_for_each_value():
    cutpoints = jnp.array([[-1.0, 0.0], [0.5, 1.0]])
    found = [
        each(jnp.zeros(2), cutpoints).log_prob(jnp.array([0, 2])) for each in (OrderedLogistic, dist.OrderedLogistic)
    ]
    np.testing.assert_array_equal(*found)
