"""The linear predictor as a sum of terms, each of which can be evaluated for rows and for cells of
rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp


@dataclass(frozen=True)
class Term:
    """A coefficient, times a number where `of` names one.

    coefficient: a scalar, or one value per position of the variable `index`. location: what is
    taken off the number.
    """

    coefficient: Any
    index: str | None = None
    of: str | None = None
    location: Any = 0.0

    def at(self, variables: Mapping[str, Any]) -> jax.Array:
        """Its part of the linear predictor; the variables and the result have the same length."""
        values = self.slope(variables)
        return values if self.of is None else values * (variables[self.of] - self.location)

    def slope(self, variables: Mapping[str, Any]) -> jax.Array:
        return self.coefficient if self.index is None else self.coefficient[variables[self.index]]


def total(terms: Sequence[Term], variables: Mapping[str, Any], length: int) -> jax.Array:
    """The linear predictor (length,)."""
    return sum((term.at(variables) for term in terms), jnp.zeros(length))


def names(terms: Sequence[Term]) -> list[str]:
    """The variables that the terms look at."""
    return list(dict.fromkeys(name for term in terms for name in (term.index, term.of) if name))
