"""Outcomes that are known by bounds alone (censored) or that are seen within bounds alone
(truncated), of every distribution that has a distribution function here.

Log probabilities of tails do not underflow, and their gradients are finite.
"""

from functools import singledispatch

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax.scipy.special import betaln, gammainc, gammaincc, gammaln, log_ndtr
from numpyro.distributions import constraints
from numpyro.distributions.util import validate_sample
from numpyro.util import is_prng_key

from tadpool.loading.sources import CENSORED
from tadpool.modelling.measured_outcomes import Exponential, Gamma, LogNormal, Weibull

LEFT, NONE, RIGHT, INTERVAL = (CENSORED[how] for how in ("left", "none", "right", "interval"))
LEVELS = 40
STEPS = 90


@singledispatch
def log_tails(distribution, value):
    """log P(Y <= value) and log P(Y > value), each of the shape of the distribution and the value.

    Raises KeyError where the distribution has no distribution function here.
    """
    raise KeyError(f"no distribution function of {type(distribution).__name__}")


@log_tails.register
def _(distribution: dist.Normal, value):
    z = (value - distribution.loc) / distribution.scale
    return log_ndtr(z), log_ndtr(-z)


@log_tails.register
def _(distribution: LogNormal, value):
    return log_tails(distribution.base_dist, jnp.log(value))


@log_tails.register
def _(distribution: Exponential, value):
    return _of_hazard(jnp.log(value) - distribution.log_mean)


@log_tails.register
def _(distribution: Weibull, value):
    return _of_hazard(distribution.concentration * (jnp.log(value) - distribution.log_scale))


def _of_hazard(log_hazard):
    """Of the log of the cumulative hazard, h: log(1 - exp(-h)) and -h."""
    hazard = jnp.exp(log_hazard)
    small = hazard < 1e-5
    safe = jnp.where(small, 1.0, hazard)
    return jnp.where(small, log_hazard - hazard / 2, jnp.log(-jnp.expm1(-safe))), -hazard


@log_tails.register
def _(distribution: Gamma, value):
    shape = distribution.concentration
    return _log_incomplete_gammas(shape, shape * jnp.exp(jnp.log(value) - distribution.log_mean))


def _log_incomplete_gammas(a, x):
    """Logs of the regularized lower and upper incomplete gamma functions: where they may underflow
    by their continued fractions (Press et al. 2007, Numerical Recipes, 6.2)."""
    a, x = jnp.broadcast_arrays(a, x)
    high = x > a + 20 * jnp.sqrt(a) + 30
    low = x < jnp.maximum(a - 20 * jnp.sqrt(a), 0.3 * a)
    middle, above, below = jnp.where(high | low, a, x), jnp.where(high, x, a + 50), jnp.where(low, x, a / 4)
    lower = jnp.where(low, _lower_fraction(a, below), _log(gammainc(a, jnp.where(high, a, middle))))
    upper = jnp.where(high, _upper_fraction(a, above), _log(gammaincc(a, jnp.where(low, a, middle))))
    return jnp.where(high, _log1mexp(upper), lower), jnp.where(low, _log1mexp(lower), upper)


def _upper_fraction(a, x):
    def deeper(i, fraction):
        n = LEVELS - i
        return x + 2 * n - 1 - a - n * (n - a) / fraction

    fraction = jax.lax.fori_loop(0, LEVELS, deeper, x + 2 * LEVELS + 1 - a)
    return a * jnp.log(x) - x - gammaln(a) - jnp.log(fraction)


def _lower_fraction(a, x):
    def deeper(i, fraction):
        n = LEVELS - i
        fraction = a + 2 * n - 1 + n * x / fraction
        return a + 2 * n - 2 - (a + n - 1) * x / fraction

    fraction = jax.lax.fori_loop(0, LEVELS, deeper, a + 2 * LEVELS)
    return a * jnp.log(x) - x - gammaln(a) - jnp.log(fraction)


@log_tails.register
def _(distribution: dist.StudentT, value):
    z = (value - distribution.loc) / distribution.scale
    far = _log_student_tail(jnp.abs(z), distribution.df)
    near = _log1mexp(far)
    return jnp.where(z < 0, far, near), jnp.where(z < 0, near, far)


def _log_student_tail(z, df):
    """log P(T > z), z >= 0, as an integral by the double exponential rule (Takahasi & Mori 1974):
    of the incomplete beta function JAX has no derivative by its shapes."""
    z, df = jnp.broadcast_arrays(z, df)
    u = jnp.arange(-4.1, 3.8, 0.15)
    w = jnp.exp(u - jnp.exp(-u))
    weight = 0.15 * w * (1 + jnp.exp(-u)) * jnp.exp(-w)
    far = jnp.log1p(z**2 / df)
    beyond = -jnp.expm1(-(far[..., None] + 2 * w / df[..., None]))
    integral = (weight * beyond**-0.5).sum(-1)
    return jnp.log(integral) - df / 2 * far - jnp.log(df) - betaln(df / 2, 0.5)


def _log(share):
    return jnp.log(jnp.maximum(share, jnp.finfo(jnp.result_type(share)).tiny))


def _log1mexp(log_share):
    """log(1 - exp(log_share))."""
    return _log(-jnp.expm1(log_share))


def log_between(distribution, lower, upper):
    """log P(lower < Y <= upper), in the tail where it is small. None is no end."""
    if lower is None:
        return 0.0 if upper is None else log_tails(distribution, upper)[0]
    if upper is None:
        return log_tails(distribution, lower)[1]
    (below, after), (up_to, above) = log_tails(distribution, lower), log_tails(distribution, upper)
    left = up_to < jnp.log(0.5)
    return jnp.where(left, up_to, after) + _log1mexp(jnp.where(left, below - up_to, above - after))


class Censored(dist.Distribution):
    """Outcomes of `base_dist`, of which a value may be a bound: a density where it is not, and the
    log of a probability where it is. Draws are not censored.

    status (rows,): LEFT, NONE, RIGHT or INTERVAL. upper (rows,): the end of an interval, above the
    value; None where there are no intervals.
    """

    arg_constraints = {}  # noqa: RUF012 (NumPyro's protocol)
    pytree_data_fields = ("base_dist", "status", "upper")

    def __init__(self, base_dist: dist.Distribution, status, upper=None, *, validate_args=None) -> None:
        self.base_dist, self.status, self.upper = base_dist, status, upper
        super().__init__(base_dist.batch_shape, validate_args=validate_args)

    @property
    def support(self):
        return self.base_dist.support

    def sample(self, key, sample_shape=()):
        return self.base_dist.sample(key, sample_shape)

    @validate_sample
    def log_prob(self, value):
        below, above = log_tails(self.base_dist, value)
        known = jnp.where(self.status == LEFT, below, self.base_dist.log_prob(value))
        known = jnp.where(self.status == RIGHT, above, known)
        if self.upper is None:
            return known
        interval = self.status == INTERVAL
        upper = jnp.where(interval, self.upper, value + jnp.maximum(jnp.abs(value), 1.0))
        return jnp.where(interval, log_between(self.base_dist, value, upper), known)


class Truncated(dist.Distribution):
    """Outcomes of `base_dist` that lie between two numbers, either of which may be None."""

    arg_constraints = {}  # noqa: RUF012 (NumPyro's protocol)
    pytree_data_fields = ("base_dist",)
    pytree_aux_fields = ("lower", "upper")

    def __init__(self, base_dist: dist.Distribution, lower=None, upper=None, *, validate_args=None) -> None:
        positive = base_dist.support is constraints.positive
        self.base_dist, self.upper = base_dist, upper
        self.lower = None if positive and lower is not None and lower <= 0 else lower
        super().__init__(base_dist.batch_shape, validate_args=validate_args)

    @property
    def support(self):
        lower = 0.0 if self.lower is None and self.base_dist.support is constraints.positive else self.lower
        if lower is None:
            return constraints.less_than_eq(self.upper)
        return constraints.greater_than_eq(lower) if self.upper is None else constraints.interval(lower, self.upper)

    def sample(self, key, sample_shape=()):
        """By bisection: where the probability below is a uniform share of all."""
        assert is_prng_key(key)
        shape = (*sample_shape, *self.batch_shape)
        share = jnp.log(jax.random.uniform(key, shape, jnp.result_type(float), minval=1e-12))
        whole = log_between(self.base_dist, self.lower, self.upper)
        value, (low, high) = self._line(shape)

        def halved(_, ends):
            low, high = ends
            middle = (low + high) / 2
            beyond = log_between(self.base_dist, self.lower, value(middle)) - whole > share
            return jnp.where(beyond, low, middle), jnp.where(beyond, middle, high)

        low, high = jax.lax.fori_loop(0, STEPS, halved, (low, high))
        return jnp.clip(value((low + high) / 2), self.lower, self.upper)

    def _line(self, shape):
        """The function of a number between two ends that gives every value, and the ends."""
        base = self.base_dist
        if base.support is constraints.positive:
            value, place, limits = jnp.exp, jnp.log, (-700.0, 700.0)
        else:
            value, limits = lambda t: base.loc + base.scale * jnp.sinh(t), (-100.0, 100.0)
            place = lambda y: jnp.arcsinh((y - base.loc) / base.scale)  # noqa: E731
        ends = zip((self.lower, self.upper), limits, strict=True)
        known = [limit if end is None else place(end) for end, limit in ends]
        return value, [jnp.broadcast_to(end, shape) for end in known]

    @validate_sample
    def log_prob(self, value):
        return self.base_dist.log_prob(value) - log_between(self.base_dist, self.lower, self.upper)


@log_tails.register
def _(distribution: Truncated, value):
    base, whole = distribution.base_dist, log_between(distribution.base_dist, distribution.lower, distribution.upper)
    return log_between(base, distribution.lower, value) - whole, log_between(base, value, distribution.upper) - whole
