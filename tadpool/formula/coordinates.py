"""Coordinates in which the sampler sees effects that several groups have, such as the intercepts of
crossed groups, coefficients of correlated columns, and cutpoints.

The data say much about the sum of such effects in a row, and little about how the sum is divided
between groups: a number added to all effects of one group and taken off those of another changes no
row. Standard deviations, by which the sampler scales its coordinates, do not describe that. So
groups are sampled in the order of their sizes, and the coordinate of an effect is its sum with the
mean, over the member's rows, of the effects that were sampled before it, which the data determine
(as block elimination does in the equations of a mixed model); that of a common coefficient is its
sum with their mean over all rows. Where more groups follow, the mean of the members' effects is
less certain than how they differ, and its coordinate is divided by how much (`stretches`).
Coefficients of correlated columns are decorrelated in the same way: the coordinate of a
coefficient, or of an intercept after it, is its value less what the data expect of it given the
coefficients before it (`shears`). Cutpoints, which stand in place of an intercept, are shifted
likewise. All this is linear: the posterior is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tadpool.formula.bound_formula import BoundEffect, BoundGroup, BoundPredictor

DENSE = 2
"""The shares that members have in each other's rows are a matrix where it has at most so many
elements for each row."""
TINY, MOST_STRETCHED = 1e-300, 1e3
RIDGE = 1e-6
"""Share of a column's sum of squares that is added to it, for collinear ones."""


def stretches(predictor: BoundPredictor, facts: Mapping[str, Mapping[str, Any]], cutpoints: bool) -> dict[str, float]:
    """How many times as uncertain the mean of members' effects is as one of them given the mean: of
    each effect that others of the same column, or cutpoints, follow.

    facts: effect -> its variance `between` members, and the squared standard error `within` of a
    member's own estimate; of families with a predictor for each level there are none. cutpoints:
    whether these stand in place of the intercept.
    """
    effects = [(group, effect) for group in predictor.in_turn for effect in group.effects]
    if any(effect.name not in facts for _, effect in effects):
        return {}
    common = {effect.column for _, effect in effects if effect.of is not None}
    found: dict[str, float] = {}
    for group, effect in effects:
        # The precision of the mean effect comes from its prior, unless a common coefficient is that
        # mean, and from the data, less what the means of the following effects take up.
        taken_up = cutpoints and effect.column is None
        known = effect.of is None or taken_up
        precision = group.size / max(facts[effect.name]["between"], TINY) if known else 0.0
        if effect.of is not None:
            common.discard(effect.column)
        if (later := predictor.later(effect)) or taken_up:
            if effect.column not in common and not taken_up:
                precision += 1 / max(sum(facts[e.name]["between"] / g.size for g, e in later), TINY)
            within = facts[effect.name]["within"] or np.inf
            found[effect.name] = float(np.clip(np.sqrt(group.size / precision / within), 1.0, MOST_STRETCHED))
    return found


def shears(terms: Sequence[Sequence[np.ndarray]], weights: np.ndarray) -> np.ndarray:
    """How much one unit of each coefficient takes off each coefficient after it, given the data:
    (columns, columns), 0 on and above the diagonal, and within a term.

    terms: term -> its columns (rows,), less what is taken off them. weights: of rows (rows,).
    """
    root = np.sqrt(weights)
    left = [np.stack([column * root for column in columns], 1) for columns in terms]
    ends = np.cumsum([each.shape[1] for each in left])
    found = np.zeros((ends[-1], ends[-1]))
    for at in range(len(left) - 1, 0, -1):
        own, before = left[at], np.concatenate(left[:at], axis=1)
        squares = own.T @ own
        share = np.linalg.solve(squares + RIDGE * np.diag(np.diag(squares) + TINY), own.T @ before)
        found[ends[at - 1] : ends[at], : ends[at - 1]] = share
        left[:at] = np.split(before - own @ share, ends[: at - 1], axis=1)
    return found


@dataclass
class Coordinates:
    """A linear predictor while it is sampled.

    predictor: It. location, scale: its typical value, and how far it is from that. by_row: gives
    the values (rows,) of an array by its name. middle: what is taken off a column.
    array: gives the others. means: column, "" for the intercept -> its common coefficient. effects:
    column, None for intercepts -> the effects of groups so far, (members,) each.
    """

    predictor: BoundPredictor
    location: Any
    scale: Any
    by_row: Callable[[str], Any]
    middle: Callable[[str], Any]
    array: Callable[[str], Any]
    means: dict[str, Any] = field(default_factory=dict)
    effects: dict[str | None, list[tuple[BoundGroup, Any]]] = field(default_factory=dict)

    def begins_with(self, of: str) -> bool:
        """Whether the common coefficient of a column, or the intercept, is sampled before all
        effects: those that vary around it are the first of the column."""
        effects = [e for group in self.predictor.in_turn for e in group.effects if e.column == (of or None)]
        return not effects or effects[0].of == of or all(each.of != of for each in effects)

    def add(self, effect: BoundEffect, group: BoundGroup, values: Any) -> None:
        """Effects (members,) have been sampled."""
        self.effects.setdefault(effect.column, []).append((group, values))

    def origin_of_common(self, of: str) -> Any:
        """Where the coordinate of a common coefficient, or of the intercept, is 0."""
        origin, column = (0.0, of) if of else (self.location, None)
        if of in self.predictor.sheared:
            origin = origin - self._taken(self.array(self.predictor.shears)[self.predictor.sheared.index(of)])
        if column not in self.effects:
            return origin
        weights = self._weights(column)
        sums = [(self._sums(weights, group), values) for group, values in self.effects[column]]
        return origin - sum(own @ values / own.sum() for own, values in sums)

    def origin_of_members(self, effect: BoundEffect, group: BoundGroup) -> Any:
        """Where the coordinates of effects are 0: a number, or one for each member."""
        origin = self.location if effect.column is None and "" in self.means else 0.0
        if effect.column is None and self.predictor.sheared:
            origin = origin - self._taken(self.array(self.predictor.shears_of(group)))
        if effect.column not in self.effects:
            return origin
        weights, before = self._weights(effect.column), jnp.zeros(group.size)
        own = self._sums(weights, group)
        own = jnp.where(own > 0, own, 1.0)
        for other, values in self.effects[effect.column]:
            if other.name in group.within:
                before = before + values[self._member_of(group, other)]
            elif group.size * other.size <= DENSE * len(weights):
                shares = jnp.zeros((group.size, other.size))
                shares = shares.at[self.by_row(group.index), self.by_row(other.index)].add(weights)
                before = before + (shares / own[:, None]) @ values
            else:
                before = before + self._sums(weights * values[self.by_row(other.index)], group) / own
        return origin - before

    def _taken(self, shares: Any) -> Any:
        """What the sheared columns so far take off, by their shares (..., columns)."""
        known = [i for i, each in enumerate(self.predictor.sheared) if each in self.means and each]
        return sum((shares[..., i] * self.means[self.predictor.sheared[i]] for i in known), 0.0)

    def _member_of(self, group: BoundGroup, other: BoundGroup) -> Any:
        """The member of the other group within which each member of the group lies: (members,)."""
        return jnp.zeros(group.size, int).at[self.by_row(group.index)].set(self.by_row(other.index))

    def _weights(self, column: str | None) -> Any:
        """How much rows count: as in a regression on the column."""
        rows = self.by_row(self.predictor.groups[0].index)
        return jnp.ones(rows.shape) if column is None else (self.by_row(column) - self.middle(column)) ** 2

    def _sums(self, values: Any, group: BoundGroup) -> Any:
        return jax.ops.segment_sum(values, self.by_row(group.index), group.size)
