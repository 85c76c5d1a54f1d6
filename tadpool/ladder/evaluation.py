"""A model of rows at work: the terms of its linear predictor so far, effects of members of groups,
and the likelihood."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpyro

from tadpool.ladder import likelihoods
from tadpool.ladder.bound_design import CELL, FIRST
from tadpool.ladder.cell_sums import Cells
from tadpool.ladder.linear_predictor import Term, total
from tadpool.modelling.distributions import Decentred


class Evaluation:
    """One evaluation of a model of rows.

    Args:
        bound: What it is bound to: `design` (its family, outcome, unit and roles), `rows`, `size`
            (of a group), `row_index`, `non_centred` and `collapsed`, as in
            `tadpool.ladder.bound_design.BoundDesign`.
        data: The arrays of the data by name.
    """

    def __init__(self, bound: Any, data: Mapping[str, Any]) -> None:
        self.bound, self.design, self.data = bound, bound.design, data
        self.terms: list[Term] = []

    def members(self, name: str, group: str, prior: Any) -> Any:
        """An effect of each member of a group, a standardized distance where the bound design says
        so: (members,)."""
        reparam = {name: Decentred()} if name in self.bound.non_centred else {}
        with numpyro.handlers.reparam(config=reparam), numpyro.plate(group, self.bound.size(group)):
            return numpyro.sample(name, prior)

    def likelihood(self, own: Mapping[str, Any], eta: Any = None) -> None:
        """The outcome given the linear predictor, by default the sum of the terms. own: what the
        family has beside it, by name."""
        eta = total(self.terms, Rows(self), self.bound.rows) + self._offset() if eta is None else eta
        self.sample(self.distribution(own, eta), self._joint_log_density(own) if self.bound.collapsed else None)

    def distribution(self, own: Mapping[str, Any], eta: Any) -> Any:
        """The distribution of the outcome (rows,), see `likelihood`."""
        design = self.design
        made = likelihoods.distribution(design.family, eta, own, self._trials())
        status, end = (self.by_row(name) if name else None for name in (design.censored, design.interval_end))
        return likelihoods.bounded(made, design.truncated, status, end)

    def sample(self, distribution: Any, joint: Callable | None = None) -> None:
        """The outcome, from its distribution. joint: the log density of all rows, see
        `inference`."""
        name = self.design.outcome
        with numpyro.plate(self.design.unit, self.bound.rows):
            numpyro.sample(name, distribution, obs=self.data.get(name), infer=inference(joint))

    def _trials(self) -> Any:
        return self.by_row(self.design.trials) if self.design.trials else None

    def _joint_log_density(self, own: Mapping[str, Any]) -> Callable:
        """The log likelihood of all rows as a function of the outcome and of the weights of
        rows."""
        trials = self._trials()
        cells = Cells(self.data[CELL], self.data[FIRST], self.by_row, self.terms, self._offset())
        return cells.joint_log_density(self.design.family, own, trials)

    def _offset(self) -> Any:
        """What is added to the linear predictor: the offset, and the log of the exposure."""
        added = self.by_row(self.design.offset) if self.design.offset else 0.0
        return added + (jnp.log(self.by_row(self.design.exposure)) if self.design.exposure else 0.0)

    def by_row(self, name: str) -> Any:
        """A variable with one value for each row."""
        index = self.bound.row_index(name)
        return self.data[name] if index is None else self.data[name][self.data[index]]


def inference(joint_log_density: Callable | None) -> dict[str, Callable]:
    """What a site says of its log density of all values as one number
    (`tadpool.engine.nuts.JointLogDensity`)."""
    return {"joint_log_density": joint_log_density} if joint_log_density else {}


class Rows(Mapping):
    """Variables of the rows by name, taken when asked for."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation

    def __getitem__(self, name: str) -> Any:
        return self.evaluation.by_row(name)

    def __iter__(self):
        return iter(self.evaluation.data)

    def __len__(self) -> int:
        return len(self.evaluation.data)
