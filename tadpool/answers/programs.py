"""What is computed of a model at each draw: expected or future outcomes, averaged over rows and
members."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro import handlers
from numpyro.primitives import Messenger

from tadpool.errors import UserError
from tadpool.modelling.binding import Bound
from tadpool.modelling.counted_outcomes import BetaBinomial

TRIALS = (dist.BinomialProbs, dist.BinomialLogits, dist.BetaBinomial, BetaBinomial)
"""Distributions of successes among trials; their expected outcome is the share of successes."""


@dataclass(frozen=True)
class Target:
    """What a prediction is averaged over.

    Attributes:
        over: Name of the target, see above.
        group: The group whose members these are; None for all groups of the study.
        by: A group for whose members averages over observed rows are kept apart.
        outcome: The outcome.
        of: `mean` for expected outcomes, or `outcome` for future ones.
        at_least: The expected outcome is then whether it reaches this value.
    """

    over: str
    outcome: str
    group: str | None = None
    by: str | None = None
    of: str = "mean"
    at_least: float | None = None


@dataclass(frozen=True, eq=False)
class Program:
    """What is computed at each draw of one chain; rows are data, so that all settings share it.

    Attributes:
        bound: The model at the rows.
        unit: Dim of the rows.
        target: What is averaged.
        replaced: Latent sites of members other than those in the data.
        cells: Of each row the average that it belongs to; None for a single one.
        counts: How often each row counts.
        repeats: How many sets of new members each draw is averaged over.
        variances: Whether the variance of expected outcomes and the mean variance around them are
            wanted, in place of the average.
    """

    bound: Bound
    unit: str
    target: Target
    replaced: frozenset[str]
    cells: np.ndarray | None
    counts: np.ndarray
    repeats: int = 1
    variances: bool = False

    def __call__(self, lane: Mapping[str, Any], shared: Mapping[str, Any]) -> Any:
        def at_draw(key_and_sites):
            key, sites = key_and_sites
            keys = jax.random.split(jax.random.wrap_key_data(key), self.repeats)
            arguments = {**shared, **lane["arguments"]}
            return jax.lax.map(lambda each: self._once(each, sites, arguments), keys).mean(0)

        return jax.lax.map(at_draw, (lane["keys"], lane["draws"]))

    def _once(self, key: jax.Array, sites: Mapping[str, Any], arguments: Mapping[str, Any]) -> jax.Array:
        function = handlers.substitute(handlers.seed(self.bound.function, key), data=sites)
        at_mean = self.replaced if self.target.over in ("typical", "members") else frozenset()
        function = _Given(function, at_mean, () if self.target.of == "outcome" else self.bound.outcomes)
        site = handlers.trace(function).get_trace(**arguments)[self.target.outcome]
        counts = jnp.asarray(self.counts)
        if self.variances:
            mean, around = map(self._rows_first, _moments(site["fn"]))
            middle = jnp.average(mean, axis=0, weights=counts)
            spread = jnp.average((mean - middle) ** 2, axis=0, weights=counts)
            return jnp.stack([spread, jnp.average(around, axis=0, weights=counts)], -1)
        pick = jax.random.fold_in(key, 1)
        values = self._rows_first(self._values(site, key))
        if self.cells is not None:
            return _by_cell(values, counts, self.cells)
        if self.target.over == "new":
            counts = counts / _by_cell_sum(counts, *self._members())[self._members()[0]]
        if self.target.of == "outcome":
            return values[jax.random.choice(pick, len(values), p=counts / counts.sum())]
        if self.target.over == "new":
            cells, number = self._members()
            held = _by_cell_sum(counts, cells, number)
            member = jax.random.choice(pick, number, p=held / held.sum())
            counts = jnp.where(cells == member, counts, 0.0)
        return jnp.average(values, axis=0, weights=counts)

    def _rows_first(self, values: jax.Array) -> jax.Array:
        return jnp.moveaxis(values, self.bound.dims[self.target.outcome].index(self.unit), 0)

    def _values(self, site: Mapping[str, Any], key: jax.Array) -> jax.Array:
        if self.target.of == "outcome":
            return jnp.asarray(site["value"], float)
        return _expected(site["fn"], self.target.at_least)

    def _members(self) -> tuple[np.ndarray, int]:
        """The member of each row, and how many there are, of the first group that gets a new
        one."""
        dataset = self.bound.dataset
        for dim in dataset.sizes:
            drawn = any(dim in parts(self.bound.dims[site]) for site in self.replaced)
            if drawn and f"{dim}_index" in dataset and self.target.group in (None, dim):
                return dataset[f"{dim}_index"].values, dataset.sizes[dim]
        return np.arange(dataset.sizes[self.unit]), dataset.sizes[self.unit]


class _Given(Messenger):
    """Some latent sites at the means of their distributions, and outcomes that nobody looks at not
    drawn."""

    def __init__(self, function: Any, at_mean: frozenset[str], outcomes: Sequence[str]) -> None:
        super().__init__(function)
        self.at_mean, self.outcomes = at_mean, outcomes

    def process_message(self, msg: dict[str, Any]) -> None:
        """Set the value of a site before it is drawn."""
        if msg["type"] != "sample" or msg["value"] is not None:
            return
        if msg["name"] in self.at_mean:
            msg["value"] = msg["fn"].mean
        elif msg["name"] in self.outcomes:
            msg["value"] = jnp.zeros(msg["fn"].shape())


def parts(dims: Sequence[str]) -> set[str]:
    """Dims, and the groups that a dim of their combinations is made of."""
    return {part for dim in dims for part in (dim, *dim.split(":"))}


def base_distribution(fn: Any) -> Any:
    """A distribution without its masks, event dims and expansions."""
    while isinstance(fn, (dist.Independent, dist.MaskedDistribution, dist.ExpandedDistribution)):
        fn = fn.base_dist
    return fn


def _by_cell(values: jax.Array, counts: jax.Array, cells: np.ndarray) -> jax.Array:
    """Means (cells, ...) of the rows of each cell."""
    shape, number = (-1, *(1,) * (values.ndim - 1)), int(cells.max()) + 1
    total = _by_cell_sum(values * counts.reshape(shape), cells, number)
    return total / _by_cell_sum(counts, cells, number).reshape(shape)


def _by_cell_sum(values: jax.Array, cells: np.ndarray, number: int) -> jax.Array:
    return jax.ops.segment_sum(values, cells, number)


def _expected(fn: Any, at_least: float | None) -> jax.Array:
    """The expected outcome, of a number of trials the share; or the probability that it reaches
    `at_least`."""
    base = base_distribution(fn)
    if isinstance(base, dist.MixtureGeneral):
        means = [_expected(each, at_least) for each in base.component_distributions]
        return (jnp.stack(means, -1) * base.mixing_distribution.probs).sum(-1)
    categories = getattr(base, "probs", None) if isinstance(base, dist.CategoricalProbs) else None
    if isinstance(base, dist.CategoricalLogits):
        categories = jax.nn.softmax(base.logits, -1)
    if categories is not None:
        levels = jnp.arange(categories.shape[-1])
        return (categories * (levels if at_least is None else levels >= at_least)).sum(-1)
    if at_least is None and isinstance(base, TRIALS):  # a row may have no trials
        if hasattr(base, "concentration1"):
            share = base.concentration1 / (base.concentration1 + base.concentration0)
        else:
            share = base.probs if hasattr(base, "probs") else jax.nn.sigmoid(base.logits)
        return jnp.broadcast_to(share, fn.batch_shape or jnp.shape(share))
    try:
        if at_least is not None:
            return 1 - base.cdf(math.ceil(at_least) - 1 if base.support.is_discrete else at_least)
        mean = base.mean
    except NotImplementedError:
        what = "probabilities above a value" if at_least is not None else "a mean"
        raise UserError(f"{what} of {type(base).__name__} cannot be computed; write `of: outcome`") from None
    return jnp.broadcast_to(mean, fn.batch_shape or jnp.shape(mean))


def _moments(fn: Any) -> tuple[jax.Array, jax.Array]:
    """Mean and variance of each outcome; of a number of trials, of the share."""
    base = base_distribution(fn)
    if isinstance(base, dist.MixtureGeneral):
        means, around = (jnp.stack(each, -1) for each in zip(*map(_moments, base.component_distributions), strict=True))
        weights, mean = base.mixing_distribution.probs, _expected(fn, None)
        return mean, (weights * (around + (means - mean[..., None]) ** 2)).sum(-1)
    if isinstance(base, (dist.CategoricalProbs, dist.CategoricalLogits)):
        raise UserError("an outcome in levels has no variance that could be explained")
    mean = _expected(fn, None)
    trials = jnp.asarray(base.total_count if isinstance(base, TRIALS) else 1)
    around = jnp.where(trials > 0, base.variance / jnp.maximum(trials, 1) ** 2, 0.0)
    return mean, jnp.broadcast_to(around, mean.shape)
