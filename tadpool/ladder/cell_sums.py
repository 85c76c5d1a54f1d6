"""Exact log likelihoods from sums over cells of rows, in place of one term for each row.

A cell holds rows whose linear predictor differs in numbers alone (normal), or not at all (binomial,
Bernoulli, Poisson). `weights` multiply the log likelihood of each row: (rows,), 0 where it is held
out, or None. The sums are of the data alone, so `tadpool.engine.hoisting` has them done before the
sampler's loops. Values equal sums over the rows up to rounding.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

from tadpool.ladder.linear_predictor import Term, names, total
from tadpool.modelling.families import Family

EXPONENTIAL = ("bernoulli", "binomial", "poisson")
SUMMED = ("normal", *EXPONENTIAL)
"""Names of the families whose log likelihoods are known from sums; any other is computed row by
row."""
WORTHWHILE = 2
"""Rows for each cell, on average, from which sums are used."""


def cells(columns: Sequence[np.ndarray], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The cell of each row (rows,), whose rows are equal in all columns, and the first row of each
    cell (cells,)."""
    cell = np.zeros(rows, np.int64)
    for column in columns:
        _, values = np.unique(column, return_inverse=True)
        _, cell = np.unique(cell * (values.max() + 1) + values, return_inverse=True)
    first = np.zeros(cell.max() + 1, np.int64)
    first[cell[::-1]] = np.arange(rows)[::-1]
    return cell, first


@dataclass(frozen=True)
class Cells:
    """The rows of a fit in cells.

    cell (rows,), first (cells,): see `cells`. by_row: a variable's values (rows,) by its name.
    terms: the linear predictor without `offset` (rows,), or a number.
    """

    cell: Any
    first: Any
    by_row: Callable[[str], Any]
    terms: Sequence[Term]
    offset: Any = 0.0

    @property
    def count(self) -> int:
        return self.first.shape[0]

    def sums(self, values: Any) -> jax.Array:
        """Of values (rows, ...), in each cell: (cells, ...)."""
        return jax.ops.segment_sum(values, self.cell, self.count)

    def variables(self, numbers: dict[str, Any]) -> dict[str, Any]:
        """What the terms look at in each cell: `numbers`, and the values of its first row."""
        return {name: self.by_row(name)[self.first] for name in names(self.terms) if name not in numbers} | numbers

    def joint_log_density(self, family: Family, own: Mapping[str, Any], trials: Any = None) -> Callable:
        """The log likelihood of all rows.

        Args:
            family: One of SUMMED.
            own: What the family has beside the linear predictor, by name.
            trials: Number of trials (rows,) of a binomial outcome.

        Returns:
            A function of the outcome (rows,) and of the weights of its rows.

        Raises:
            KeyError: The family has no sums.
        """
        match family.name:
            case "normal":
                return lambda outcome, weights: self.normal(outcome, weights, own["sigma"])
            case "poisson":
                return self.poisson
            case "bernoulli" | "binomial":
                counted = jnp.ones(self.cell.shape) if trials is None else trials
                return lambda outcome, weights: self.binomial(outcome, weights, counted)
        raise KeyError(f"no log likelihood from sums over cells for the family {family.name!r}")

    def normal(self, outcome: Any, weights: Any, sigma: Any) -> jax.Array:
        """The log density of Normal(linear predictor, sigma): squares within cells, around their
        means, and between them."""
        outcome = outcome - self.offset
        weights = jnp.ones(outcome.shape) if weights is None else weights.astype(outcome.dtype)
        counts = self.sums(weights)
        present = jnp.where(counts > 0, counts, 1.0)
        mean = self.sums(weights * outcome) / present
        own = [term for term in self.terms if term.of]
        numbers = {term.of: self.by_row(term.of) for term in own}
        means = {name: self.sums(weights * values) / present for name, values in numbers.items()}
        apart = jnp.stack([outcome - mean[self.cell], *(v - means[name][self.cell] for name, v in numbers.items())], 1)
        variables = self.variables(means)
        slopes = {name: sum(term.slope(variables) for term in own if term.of == name) for name in numbers}
        products = weights[:, None, None] * apart[:, :, None] * apart[:, None, :]
        if all(jnp.ndim(slope) == 0 for slope in slopes.values()):
            direction = jnp.stack([jnp.ones(()), *(-slope for slope in slopes.values())])
            within = direction @ products.sum(0) @ direction
        else:
            columns = [jnp.ones(self.count), *(jnp.broadcast_to(-slope, (self.count,)) for slope in slopes.values())]
            direction = jnp.stack(columns, 1)
            within = jnp.einsum("ci,cij,cj->", direction, self.sums(products), direction)
        between = (counts * (mean - total(self.terms, variables, self.count)) ** 2).sum()
        return -0.5 * (within + between) / sigma**2 - weights.sum() * (jnp.log(sigma) + 0.5 * jnp.log(2 * jnp.pi))

    def binomial(self, outcome: Any, weights: Any, trials: Any) -> jax.Array:
        """The log probability of Binomial(trials, logits = linear predictor); the offset is the
        same within a cell."""
        weights = 1.0 if weights is None else weights
        eta = total(self.terms, self.variables({}), self.count)
        eta = eta + (self.offset[self.first] if jnp.ndim(self.offset) else self.offset)
        ways = gammaln(trials + 1.0) - gammaln(outcome + 1.0) - gammaln(trials - outcome + 1.0)
        counted = self.sums(weights * outcome) * eta - self.sums(weights * trials) * jax.nn.softplus(eta)
        return counted.sum() + (weights * ways).sum()

    def poisson(self, outcome: Any, weights: Any) -> jax.Array:
        """The log probability of Poisson(exp(linear predictor)); offsets may differ within a
        cell."""
        weights = 1.0 if weights is None else weights
        eta = total(self.terms, self.variables({}), self.count)
        constant = weights * (outcome * self.offset - gammaln(outcome + 1.0))
        exposure = jnp.exp(self.offset) * jnp.ones(outcome.shape)
        counted = self.sums(weights * outcome) * eta - self.sums(weights * exposure) * jnp.exp(eta)
        return counted.sum() + constant.sum()
