"""A variable that is known in some rows and missing in others, and outcomes whose distribution
depends on a missing yes or no."""

from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.distributions import constraints
from numpyro.util import is_prng_key


class _WhereKnown(constraints.ParameterFreeConstraint):
    """What is known lies in the support; anything else may be missing, NaN."""

    def __init__(self, inside: Any, known: Any) -> None:
        self.inside, self.known = inside, known

    def __call__(self, x: Any) -> Any:
        return jnp.where(self.known, self.inside(x), True)

    def feasible_like(self, prototype: Any) -> Any:
        return self.inside.feasible_like(prototype)


class PartlyObserved(dist.Distribution):
    """A distribution of each row, whose values count only in rows where they are known.

    Args:
        each: The distribution of all rows (rows,).
        known: Where values are known, bool (rows,).
    """

    pytree_data_fields = ("each", "known")

    def __init__(self, each: dist.Distribution, known: Any) -> None:
        self.each, self.known = each, known
        super().__init__(each.batch_shape, each.event_shape)

    @property
    def support(self) -> constraints.Constraint:
        """That of each row's distribution, where values are known."""
        return _WhereKnown(self.each.support, self.known)

    @property
    def mean(self) -> jax.Array:
        """Of each row's distribution."""
        return self.each.mean

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Values of all rows."""
        assert is_prng_key(key)
        return self.each.sample(key, sample_shape)

    def log_prob(self, value: Any) -> jax.Array:
        """Of each row, 0 where the value is missing."""
        inside = jnp.where(self.known, value, self.each.support.feasible_like(self.each.mean))
        return jnp.where(self.known, self.each.log_prob(inside), 0.0)


def summed_out(without: dist.Distribution, given: dist.Distribution, logit: Any, missing: Any) -> dist.Distribution:
    """The distribution of outcomes where a yes or no is missing in some rows.

    Args:
        without: That of outcomes if the missing values are no (rows,).
        given: If they are yes. Where nothing is missing the two are equal.
        logit: Log-odds of a missing yes (rows,).
        missing: Where it is missing, bool (rows,).

    Returns:
        A mixture of the two, with the probabilities of no and yes.
    """
    logits = jnp.stack([jnp.zeros_like(logit), jnp.where(missing, logit, 0.0)], -1)
    return dist.MixtureGeneral(dist.CategoricalLogits(logits), [without, given])
