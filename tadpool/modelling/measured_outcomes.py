"""Distributions of measured outcomes that are bounded, given by the linear predictor of their mean:
log densities and their gradients stay finite where a mean rounds to a bound.

All have one value for each row. What NumPyro calls a distribution's parameters is there under its
names, for checks and messages.
"""

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax.scipy.special import gammaln
from numpyro.distributions import constraints
from numpyro.distributions.util import validate_sample
from numpyro.util import is_prng_key

from tadpool.modelling.distributions import within


class Gamma(dist.Gamma):
    """Gamma(shape, rate = shape / mean), given the log of its mean."""

    pytree_data_fields = ("log_mean",)

    def __init__(self, shape, log_mean, *, validate_args=None) -> None:
        self.log_mean = log_mean
        super().__init__(shape, shape * jnp.exp(-log_mean), validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        shape = jnp.broadcast_to(self.concentration, (*sample_shape, *self.batch_shape))
        drawn = jax.random.loggamma(key, shape) - jnp.log(shape) + self.log_mean
        return within(constraints.positive, jnp.exp(drawn))

    @validate_sample
    def log_prob(self, value):
        apart, shape = jnp.log(value) - self.log_mean, self.concentration
        return shape * (jnp.log(shape) + apart - jnp.exp(apart)) - jnp.log(value) - gammaln(shape)


class Exponential(dist.Exponential):
    """NumPyro's exponential distribution, given the log of its mean."""

    pytree_data_fields = ("log_mean",)

    def __init__(self, log_mean, *, validate_args=None) -> None:
        self.log_mean = log_mean
        super().__init__(jnp.exp(-log_mean), validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        return within(constraints.positive, super().sample(key, sample_shape))

    @validate_sample
    def log_prob(self, value):
        return -self.log_mean - value * self.rate


class Weibull(dist.Weibull):
    """Weibull(scale = mean / Gamma(1 + 1 / shape), shape), given the log of its mean."""

    pytree_data_fields = ("log_scale",)

    def __init__(self, shape, log_mean, *, validate_args=None) -> None:
        self.log_scale = log_mean - gammaln(1 + 1 / shape)
        super().__init__(jnp.exp(self.log_scale), shape, validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        noise = jax.random.exponential(key, (*sample_shape, *self.batch_shape), jnp.result_type(float))
        return within(constraints.positive, jnp.exp(self.log_scale + jnp.log(noise) / self.concentration))

    @validate_sample
    def log_prob(self, value):
        standardized = self.concentration * (jnp.log(value) - self.log_scale)
        return jnp.log(self.concentration) - jnp.log(value) + standardized - jnp.exp(standardized)


class LogNormal(dist.LogNormal):
    """NumPyro's lognormal distribution, whose draws do not underflow."""

    def sample(self, key, sample_shape=()):
        return within(constraints.positive, super().sample(key, sample_shape))


class Beta(dist.Distribution):
    """Beta(mean * precision, (1 - mean) * precision), given the log-odds of its mean (Ferrari &
    Cribari-Neto 2004, J. Appl. Stat. 31:799)."""

    arg_constraints = {"logits": constraints.real, "precision": constraints.positive}  # noqa: RUF012 (NumPyro's protocol)
    support = constraints.unit_interval
    pytree_data_fields = ("logits", "precision")

    def __init__(self, logits, precision, *, validate_args=None) -> None:
        self.logits, self.precision = logits, precision
        super().__init__(jnp.shape(jnp.add(logits, precision)), validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        assert is_prng_key(key)
        shape = (*sample_shape, *self.batch_shape)
        first, second = jax.random.split(key)
        above = jax.random.loggamma(first, self.precision * jax.nn.sigmoid(self.logits), shape)
        below = jax.random.loggamma(second, self.precision * jax.nn.sigmoid(-self.logits), shape)
        return within(constraints.unit_interval, jax.nn.sigmoid(above - below))

    @validate_sample
    def log_prob(self, value):
        log_a, log_b = log_shapes(self.logits, self.precision)
        a, b = jnp.exp(log_a), jnp.exp(log_b)
        scale = gammaln(self.precision) - gammaln(1 + a) - gammaln(1 + b) + log_a + log_b
        return scale + (a - 1) * jnp.log(value) + (b - 1) * jnp.log1p(-value)

    @property
    def mean(self):
        return jnp.broadcast_to(jax.nn.sigmoid(self.logits), self.batch_shape)


def log_shapes(logits, precision):
    """The logs of the two shapes of a beta distribution, which may underflow themselves."""
    return jnp.log(precision) - jax.nn.softplus(-logits), jnp.log(precision) - jax.nn.softplus(logits)


class OrderedBeta(dist.Distribution):
    """A beta distribution whose ends occur: 0, what lies between and 1 are three levels of an
    ordered logistic distribution with the same log-odds (Kubinec 2023, Political Analysis 31:519).

    cutpoints: (..., 2).
    """

    arg_constraints = {"logits": constraints.real, "cutpoints": constraints.ordered_vector, "precision": constraints.positive}  # noqa: RUF012 # fmt: skip
    support = constraints.unit_interval
    pytree_data_fields = ("logits", "cutpoints", "precision")

    def __init__(self, logits, cutpoints, precision, *, validate_args=None) -> None:
        self.logits, self.cutpoints, self.precision = logits, cutpoints, precision
        shape = jnp.shape(logits + cutpoints[..., 0] + precision)
        super().__init__(shape, validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        assert is_prng_key(key)
        first, second = jax.random.split(key)
        between = Beta(self.logits, self.precision).expand(self.batch_shape).sample(first, sample_shape)
        latent = self.logits + jax.random.logistic(second, (*sample_shape, *self.batch_shape), jnp.result_type(float))
        return jnp.where(latent < self.cutpoints[..., 0], 0.0, jnp.where(latent > self.cutpoints[..., 1], 1.0, between))

    @validate_sample
    def log_prob(self, value):
        low, high = self.logits - self.cutpoints[..., 0], self.logits - self.cutpoints[..., 1]
        inside = (value > 0) & (value < 1)
        between = jnp.log(-jnp.expm1(high - low)) - jax.nn.softplus(-low) - jax.nn.softplus(high)
        beta = Beta(self.logits, self.precision, validate_args=False)
        between = between + beta.log_prob(jnp.where(inside, value, 0.5))
        ends = jnp.where(value <= 0, jax.nn.log_sigmoid(-low), jax.nn.log_sigmoid(high))
        return jnp.where(inside, between, ends)


class HurdleLogNormal(dist.Distribution):
    """0 with the probability `hurdle`, else lognormal."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "hurdle": constraints.unit_interval}  # noqa: RUF012 # fmt: skip
    support = constraints.nonnegative
    pytree_data_fields = ("loc", "scale", "hurdle")

    def __init__(self, loc, scale, hurdle, *, validate_args=None) -> None:
        self.loc, self.scale, self.hurdle = loc, scale, hurdle
        super().__init__(jnp.shape(loc + scale + hurdle), validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        assert is_prng_key(key)
        shape, (first, second) = (*sample_shape, *self.batch_shape), jax.random.split(key)
        positive = LogNormal(self.loc, self.scale).expand(self.batch_shape).sample(first, sample_shape)
        return jnp.where(jax.random.uniform(second, shape) < self.hurdle, 0.0, positive)

    @validate_sample
    def log_prob(self, value):
        zero, positive = value <= 0, jnp.where(value <= 0, 1.0, value)
        hurdle = within(constraints.unit_interval, self.hurdle)
        above = LogNormal(self.loc, self.scale, validate_args=False).log_prob(positive)
        return jnp.where(zero, jnp.log(hurdle), jnp.log1p(-hurdle) + above)
