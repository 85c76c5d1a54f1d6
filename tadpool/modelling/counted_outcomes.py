"""Distributions of counts and of levels, given by their linear predictor: log probabilities and
their gradients stay finite where a rate underflows or a probability rounds to 0 or 1.

All have one value for each row.
"""

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax.scipy.special import gammaln, log_ndtr
from numpyro.distributions import constraints
from numpyro.distributions.util import validate_sample
from numpyro.util import is_prng_key

from tadpool.modelling.distributions import within
from tadpool.modelling.measured_outcomes import Beta, log_shapes


class Poisson(dist.Poisson):
    """NumPyro's Poisson distribution, given the log of its rate."""

    pytree_data_fields = ("log_rate",)

    def __init__(self, log_rate, *, validate_args=None) -> None:
        self.log_rate = log_rate
        super().__init__(jnp.exp(log_rate), validate_args=validate_args)

    @validate_sample
    def log_prob(self, value):
        return value * self.log_rate - self.rate - gammaln(value + 1.0)


class HurdlePoisson(dist.Distribution):
    """0 with the probability `hurdle`, else a Poisson count above 0, given the log of its rate."""

    arg_constraints = {"log_rate": constraints.real, "hurdle": constraints.unit_interval}  # noqa: RUF012 (NumPyro's protocol)
    support = constraints.nonnegative_integer
    pytree_data_fields = ("log_rate", "hurdle")

    def __init__(self, log_rate, hurdle, *, validate_args=None) -> None:
        self.log_rate, self.hurdle = log_rate, hurdle
        super().__init__(jnp.shape(jnp.add(log_rate, hurdle)), validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        """Above 0, the first event of a Poisson process falls into its time, and further ones into
        what is left of it."""
        assert is_prng_key(key)
        shape, keys, rate = (*sample_shape, *self.batch_shape), jax.random.split(key, 3), jnp.exp(self.log_rate)
        share = jax.random.uniform(keys[0], shape, jnp.result_type(float))
        first = -jnp.log1p(share * jnp.expm1(-rate))
        count = 1 + dist.Poisson(jnp.maximum(rate - first, 0.0)).sample(keys[1])
        return jnp.where(jax.random.uniform(keys[2], shape) < self.hurdle, 0, count)

    @validate_sample
    def log_prob(self, value):
        hurdle, rate = within(constraints.unit_interval, self.hurdle), jnp.exp(self.log_rate)
        count = jnp.maximum(value, 1)
        above = (count - 1) * self.log_rate - rate - gammaln(count + 1.0) - _log_share(rate)
        return jnp.where(value <= 0, jnp.log(hurdle), jnp.log1p(-hurdle) + above)

    @property
    def mean(self):
        return (1 - self.hurdle) * jnp.exp(-_log_share(jnp.exp(self.log_rate)))


def _log_share(rate):
    """log((1 - exp(-rate)) / rate)."""
    small = rate < 1e-5
    safe = jnp.where(small, 1.0, rate)
    return jnp.where(small, -rate / 2 + rate**2 / 24, jnp.log(-jnp.expm1(-safe)) - jnp.log(safe))


class ZeroInflated(dist.Distribution):
    """Counts of `base_dist`, in place of which there is a 0 with the probability `gate`."""

    arg_constraints = {"gate": constraints.unit_interval}  # noqa: RUF012 (NumPyro's protocol)
    support = constraints.nonnegative_integer
    pytree_data_fields = ("base_dist", "gate")

    def __init__(self, base_dist: dist.Distribution, gate, *, validate_args=None) -> None:
        self.base_dist, self.gate = base_dist, gate
        shape = jnp.broadcast_shapes(base_dist.batch_shape, jnp.shape(gate))
        super().__init__(shape, validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        assert is_prng_key(key)
        shape, (first, second) = (*sample_shape, *self.batch_shape), jax.random.split(key)
        counts = self.base_dist.expand(self.batch_shape).sample(first, sample_shape)
        return jnp.where(jax.random.uniform(second, shape) < self.gate, 0, counts)

    @validate_sample
    def log_prob(self, value):
        gate = within(constraints.unit_interval, self.gate)
        counted = jnp.log1p(-gate) + self.base_dist.log_prob(value)
        return jnp.where(value == 0, jnp.logaddexp(jnp.log(gate), counted), counted)

    @property
    def mean(self):
        return (1 - self.gate) * self.base_dist.mean


class BetaBinomial(dist.Distribution):
    """Successes among trials whose probability has a beta distribution, given the log-odds of its
    mean and its precision."""

    arg_constraints = {"total_count": constraints.nonnegative_integer, "logits": constraints.real, "precision": constraints.positive}  # noqa: RUF012, E501 # fmt: skip
    pytree_data_fields = ("total_count", "logits", "precision")

    def __init__(self, total_count, logits, precision, *, validate_args=None) -> None:
        self.total_count, self.logits, self.precision = total_count, logits, precision
        super().__init__(jnp.shape(total_count + logits + precision), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    def sample(self, key, sample_shape=()):
        assert is_prng_key(key)
        first, second = jax.random.split(key)
        share = Beta(self.logits, self.precision).expand(self.batch_shape).sample(first, sample_shape)
        return dist.Binomial(self.total_count, share).sample(second)

    @validate_sample
    def log_prob(self, value):
        log_a, log_b = log_shapes(self.logits, self.precision)
        failures, trials = self.total_count - value, self.total_count
        ways = gammaln(trials + 1.0) - gammaln(value + 1.0) - gammaln(failures + 1.0)
        rising = _log_rising(log_a, value) + _log_rising(log_b, failures)
        return ways + rising - _log_rising(jnp.log(self.precision), trials)

    @property
    def mean(self):
        return self.total_count * jax.nn.sigmoid(self.logits)


def _log_rising(log_of, count):
    """log(Gamma(a + count) / Gamma(a)) from the log of a, which may underflow itself."""
    of, some = jnp.exp(log_of), jnp.maximum(count, 1)
    return jnp.where(count > 0, log_of + gammaln(some + of) - gammaln(1 + of), 0.0)


class OrderedProbit(dist.Distribution):
    """Levels between cutpoints of a latent Normal(predictor, 1). cutpoints: (..., levels - 1)."""

    arg_constraints = {"predictor": constraints.real, "cutpoints": constraints.ordered_vector}  # noqa: RUF012 (NumPyro's protocol)
    pytree_data_fields = ("predictor", "cutpoints")

    def __init__(self, predictor, cutpoints, *, validate_args=None) -> None:
        self.predictor, self.cutpoints = predictor, cutpoints
        super().__init__(jnp.shape(predictor + cutpoints[..., 0]), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, jnp.shape(self.cutpoints)[-1])

    def sample(self, key, sample_shape=()):
        assert is_prng_key(key)
        noise = jax.random.normal(key, (*sample_shape, *self.batch_shape), jnp.result_type(float))
        below = jnp.expand_dims(self.predictor + noise, -1) > self.cutpoints
        return below.sum(-1, dtype=jnp.result_type(int))

    @validate_sample
    def log_prob(self, value):
        last = jnp.shape(self.cutpoints)[-1]
        low = self._cutpoint(jnp.maximum(value, 1) - 1) - self.predictor
        high = self._cutpoint(jnp.minimum(value, last - 1)) - self.predictor
        inside = (value > 0) & (value < last)
        # The difference of two tail probabilities, in the tail where they are small.
        right = low + high > 0
        less, more = jnp.where(right, -high, low), jnp.where(right, -low, high)
        less = jnp.where(inside, log_ndtr(jnp.where(inside, less, -1.0)), -1.0)
        more = jnp.where(inside, log_ndtr(jnp.where(inside, more, 0.0)), 0.0)
        between = more + jnp.log(-jnp.expm1(less - more))
        return jnp.where(inside, between, jnp.where(value <= 0, log_ndtr(high), log_ndtr(-low)))

    def _cutpoint(self, at):
        if jnp.ndim(self.cutpoints) == 1:
            return jnp.asarray(self.cutpoints)[at]
        cutpoints = jnp.broadcast_to(self.cutpoints, (*jnp.shape(at), jnp.shape(self.cutpoints)[-1]))
        return jnp.take_along_axis(cutpoints, jnp.expand_dims(at, -1), -1)[..., 0]
