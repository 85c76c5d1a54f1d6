"""Distributions that NumPyro does not have, or has in a slower form."""

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax.scipy.special import gammaln
from numpyro.distributions import constraints
from numpyro.distributions.transforms import (
    AffineTransform,
    ComposeTransform,
    IndependentTransform,
    Transform,
    biject_to,
)
from numpyro.distributions.util import validate_sample
from numpyro.infer.reparam import LocScaleReparam
from numpyro.util import is_prng_key

LARGEST, LARGEST_32 = 300.0, 40.0


def within(support: constraints.Constraint, values):
    """Values that rounding has put on the end of an open set of numbers, moved into it: of
    `constraints.positive` or `constraints.unit_interval`."""
    limits = jnp.finfo(jnp.result_type(float))
    highest = limits.max if support is constraints.positive else 1 - limits.epsneg
    return jnp.clip(values, limits.tiny, highest)


class OrderedFrom(constraints.Constraint):
    """Increasing values (..., size), whose unconstrained ones are of the values less `origin`."""

    event_dim = 1

    def __init__(self, origin) -> None:
        self.origin = origin
        super().__init__()

    def __call__(self, value):
        return constraints.ordered_vector(value)

    def feasible_like(self, prototype):
        return constraints.ordered_vector.feasible_like(prototype)

    def tree_flatten(self):
        return (self.origin,), (("origin",), {})


@biject_to.register(OrderedFrom)
def _from_origin(constraint):
    shift = IndependentTransform(AffineTransform(constraint.origin, 1.0), 1)
    return ComposeTransform([biject_to(constraints.ordered_vector), shift])


class OrderedNormal(dist.Distribution):
    """Independent Normal(loc, scale) values restricted to increasing order; event shape (size,).

    The order statistics of `size` normal draws. Not an ordered transform of normals, whose gaps are
    lognormal. origin: what the sampler takes off the values.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012 (NumPyro's protocol)
    pytree_data_fields = ("loc", "scale", "origin")

    def __init__(self, loc, scale, size: int, *, origin=0.0, validate_args=None) -> None:
        self.loc, self.scale, self.origin = loc, scale, origin
        super().__init__(jnp.shape(jnp.add(loc, scale)), (size,), validate_args=validate_args)

    @property
    def support(self):
        return OrderedFrom(self.origin)

    def sample(self, key, sample_shape=()):
        assert is_prng_key(key)
        shape = (*sample_shape, *self.batch_shape, *self.event_shape)
        normal = jax.random.normal(key, shape, jnp.result_type(float))
        return jnp.sort(jnp.expand_dims(self.loc, -1) + jnp.expand_dims(self.scale, -1) * normal, axis=-1)

    def log_prob(self, value):
        (size,) = self.event_shape
        scores = dist.Normal(jnp.expand_dims(self.loc, -1), jnp.expand_dims(self.scale, -1)).log_prob(value)
        return scores.sum(-1) + gammaln(size + 1.0)


class OrderedLogistic(dist.OrderedLogistic):
    """NumPyro's ordered logistic distribution, with one exponential or one random number for each
    value.

    P(k) is the difference of two logistic functions, sigmoid(a) - sigmoid(b) = (1 - e^(b-a)) / ((1
    + e^-a) (1 + e^b)), where a and b are the distances from the predictor to the cutpoints around
    k. This takes a fifth of the time of computing all probabilities and their logarithms. The
    predictor and the cutpoints are clipped at +-LARGEST (LARGEST_32 in float32).
    """

    pytree_data_fields = ("shared",)

    def __init__(self, predictor, cutpoints, *, validate_args=None) -> None:
        super().__init__(predictor, cutpoints, validate_args=validate_args)
        # NumPyro repeats the cutpoints for each value.
        self.shared = cutpoints if jnp.ndim(cutpoints) == 1 else None

    def sample(self, key, sample_shape=()):
        """The number of cutpoints below the predictor plus logistic noise: one random number for
        each value."""
        assert is_prng_key(key)
        noise = jax.random.logistic(key, (*sample_shape, *self.batch_shape), jnp.result_type(float))
        below = jnp.expand_dims(self.predictor + noise, -1) > self.cutpoints
        return below.sum(-1, dtype=jnp.result_type(int))

    @validate_sample
    def log_prob(self, value):
        if self.shared is None:
            return super().log_prob(value)
        largest = LARGEST if jnp.result_type(self.predictor, self.shared) == jnp.float64 else LARGEST_32
        predictor, cutpoints = (jnp.clip(each, -largest, largest) for each in (self.predictor, self.shared))
        end = jnp.zeros(1, cutpoints.dtype)
        above = jnp.concatenate([jnp.exp(-cutpoints), end])[value]
        below = jnp.concatenate([end, jnp.exp(cutpoints)])[value]
        gap = jnp.concatenate([end, jnp.log1p(-jnp.exp(cutpoints[:-1] - cutpoints[1:])), end])[value]
        odds = jnp.exp(predictor)
        return gap - jnp.log((1 + above * odds) * (1 + below / odds))


class InUnits(constraints.Constraint):
    """The same set of values as `of`, whose unconstrained values u have another origin and unit.

    Attributes:
        of: A set that does not change with the unit of its values: real numbers, positive ones, or
            those that sum to zero.
        origin, unit: The value is origin + unit * u, or unit * exp(u) of a positive one.
    """

    def __init__(self, of: constraints.Constraint, origin, unit) -> None:
        self.of, self.origin, self.unit = of, origin, unit
        super().__init__()

    @property
    def event_dim(self) -> int:
        return self.of.event_dim

    def __call__(self, value):
        return self.of(value)

    def feasible_like(self, prototype):
        return self.of.feasible_like(prototype)

    def tree_flatten(self):
        return (self.of, self.origin, self.unit), (("of", "origin", "unit"), {})


@biject_to.register(InUnits)
def _from_units(constraint):
    positive = constraint.of in (constraints.positive, constraints.nonnegative)
    origin, unit = (jnp.log(constraint.unit), 1.0) if positive else (constraint.origin, constraint.unit)
    first = AffineTransform(origin, unit)
    return first if constraint.of is constraints.real else ComposeTransform([first, biject_to(constraint.of)])


class StretchedMean(Transform):
    """Numbers (..., n) whose mean is multiplied by `factor`, and whose deviations from the mean are
    the same."""

    domain = codomain = constraints.real

    def __init__(self, factor) -> None:
        self.factor = factor

    def __call__(self, x):
        return x + (self.factor - 1) * x.mean(-1, keepdims=True)

    def _inverse(self, y):
        return y + (1 / self.factor - 1) * y.mean(-1, keepdims=True)

    def log_abs_det_jacobian(self, x, y, intermediates=None):
        return jnp.broadcast_to(jnp.log(self.factor) / x.shape[-1], x.shape)

    def tree_flatten(self):
        return (self.factor,), (("factor",), {})


class MembersInUnits(InUnits):
    """`InUnits` of real numbers of members, the mean of whose unconstrained values is stretched."""

    def __init__(self, of: constraints.Constraint, origin, unit, stretch) -> None:
        self.stretch = stretch
        super().__init__(of, origin, unit)

    def tree_flatten(self):
        return (self.of, self.origin, self.unit, self.stretch), (("of", "origin", "unit", "stretch"), {})


@biject_to.register(MembersInUnits)
def _from_members_in_units(constraint):
    return ComposeTransform([StretchedMean(constraint.stretch), AffineTransform(constraint.origin, constraint.unit)])


class _Measured(dist.Distribution):
    """A distribution of a quantity that has a unit of measurement.

    The sampler sees its values in standardized form, with `unit` 1 and `origin` 0 (`InUnits`), so
    that where it starts and how it steps do not depend on the units of the data. Densities and
    values are those of NumPyro's distribution.
    """

    pytree_data_fields = ("origin", "unit")

    def __init__(self, *parameters, origin=0.0, unit=1.0, validate_args=None) -> None:
        self.origin, self.unit = origin, unit
        super().__init__(*parameters, validate_args=validate_args)

    @property
    def support(self):
        return InUnits(super().support, self.origin, self.unit)


class Normal(_Measured, dist.Normal):
    """NumPyro's normal distribution, of a quantity with a unit."""


class NormalOfMembers(Normal):
    """`Normal` effects of members of a group, whose mean is `stretch` times as uncertain as their
    deviations from it."""

    pytree_data_fields = ("stretch",)

    def __init__(self, loc, scale, *, stretch=1.0, origin=0.0, unit=1.0, validate_args=None) -> None:
        self.stretch = stretch
        super().__init__(loc, scale, origin=origin, unit=unit, validate_args=validate_args)

    @property
    def support(self):
        return MembersInUnits(constraints.real, self.origin, self.unit, self.stretch)


class StudentT(_Measured, dist.StudentT):
    """NumPyro's Student-t distribution, of a quantity with a unit."""


class Cauchy(_Measured, dist.Cauchy):
    """NumPyro's Cauchy distribution, of a quantity with a unit."""


class Laplace(_Measured, dist.Laplace):
    """NumPyro's Laplace distribution, of a quantity with a unit."""


class Exponential(_Measured, dist.Exponential):
    """NumPyro's exponential distribution, of a quantity with a unit."""


class HalfNormal(_Measured, dist.HalfNormal):
    """NumPyro's half-normal distribution, of a quantity with a unit."""


class HalfCauchy(_Measured, dist.HalfCauchy):
    """NumPyro's half-Cauchy distribution, of a quantity with a unit."""


class ZeroSumNormal(_Measured, dist.ZeroSumNormal):
    """NumPyro's normal distribution of numbers that sum to zero, of a quantity with a unit."""


class Decentred(LocScaleReparam):
    """A site computed from a standardized one, which has no unit."""

    def __init__(self) -> None:
        super().__init__(0.0)

    def __call__(self, name, fn, obs):
        base = fn.base_dist if isinstance(fn, dist.ExpandedDistribution) else fn
        if isinstance(base, Normal):
            fn = dist.Normal(base.loc, base.scale).expand(fn.batch_shape)
        return super().__call__(name, fn, obs)
