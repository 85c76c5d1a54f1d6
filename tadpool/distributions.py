"""Distributions that NumPyro has not."""

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax.scipy.special import gammaln
from numpyro.distributions import constraints
from numpyro.util import is_prng_key


class OrderedNormal(dist.Distribution):
    """Independent Normal(loc, scale) values restricted to increasing order; event shape (size,).

    The order statistics of `size` normal draws. Not an ordered transform of normals, whose gaps are lognormal.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012 (NumPyro's protocol)
    support = constraints.ordered_vector
    pytree_data_fields = ("loc", "scale")

    def __init__(self, loc, scale, size: int, *, validate_args=None) -> None:
        self.loc, self.scale = loc, scale
        super().__init__(jnp.shape(jnp.add(loc, scale)), (size,), validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        assert is_prng_key(key)
        shape = (*sample_shape, *self.batch_shape, *self.event_shape)
        normal = jax.random.normal(key, shape, jnp.result_type(float))
        return jnp.sort(jnp.expand_dims(self.loc, -1) + jnp.expand_dims(self.scale, -1) * normal, axis=-1)

    def log_prob(self, value):
        (size,) = self.event_shape
        scores = dist.Normal(jnp.expand_dims(self.loc, -1), jnp.expand_dims(self.scale, -1)).log_prob(value)
        return scores.sum(-1) + gammaln(size + 1.0)
