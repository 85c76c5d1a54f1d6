"""A rung of the pooling ladder at work: parameters by their names, the linear predictor, and the likelihood.

The rungs (`tadpool/models/<rung>.py`) call these methods in the order of their statements. Sites have the same names in all
rungs, so that estimates can be compared by name: `alpha` (population), `alpha_<group>` (intercept of each member),
`delta_<group>` (deviation of each member of a further group), `beta_<x>` (population), `beta_<x>_<group>` (slope of each
member), `sigma_<group>` and `sigma_<x>_<group>` (standard deviations between members), `beta_mean_<x>` (of the group mean).
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro.infer.reparam import LocScaleReparam

from tadpool.ladder import families
from tadpool.ladder.cell_sums import Cells
from tadpool.ladder.correlation import cholesky_factor
from tadpool.ladder.form import CELL, FIRST, SCALES, Form, Predictor, effect, latent_mean
from tadpool.ladder.linear_predictor import Term, total


class Instance:
    """One evaluation of a rung: its form, the arrays of the data by name, and the terms of the linear predictor so far."""

    def __init__(self, form: Form, data: Mapping[str, Any]) -> None:
        self.form, self.data = form, data
        self.terms: list[Term] = []
        location, scale = data[SCALES][:, 0], data[SCALES][:, 1]
        self.location, self.scale = location[0], scale[0]
        self.units = {each.name: (location[i], scale[i]) for i, each in enumerate(form.predictors, 1)}

    def population_intercept(self, location: Any, scale: Any) -> Any:
        """`alpha` ~ Normal(location, scale) in units of the outcome; 0 where the outcome has cutpoints instead."""
        if self.form.family == "ordered":
            return 0.0
        return numpyro.sample("alpha", dist.Normal(self.location + location * self.scale, scale * self.scale))

    def intercept(self, location: Any, scale: Any) -> None:
        """One intercept for all rows."""
        self.terms.append(Term(self.population_intercept(location, scale)))

    def separate_intercepts(self, location: Any, scale: Any) -> None:
        """`alpha_<group>`, of each member by itself."""
        form = self.form
        at = 0.0 if form.family == "ordered" else self.location + location * self.scale
        with numpyro.plate(form.group, form.size(form.group)):
            alpha = numpyro.sample(effect(form.group), dist.Normal(at, scale * self.scale))
        self.terms.append(Term(alpha, f"{form.group}_index"))

    def coefficients(self, scale: Any, separate: bool = False) -> dict[str, Any]:
        """`beta_<x>` of every predictor, Normal(0, scale) in units of the outcome and of the predictor.

        Those of a categorical predictor sum to zero over its levels; an ordered one rises or falls all the way. separate: the
        `slopes` get one coefficient for each member, with the same prior. Otherwise theirs are returned, not added.
        """
        returned = {}
        for each in self.form.predictors:
            own = scale * self.scale / self.units[each.name][1]
            if each.kind == "categorical":
                self._categorical(each, own)
            elif each.kind == "ordered":
                self._ordered(each, own)
            elif each.name in self.form.slopes and separate:
                with numpyro.plate(self.form.group, self.form.size(self.form.group)):
                    beta = numpyro.sample(effect(self.form.group, each.name), dist.Normal(0.0, own))
                self._add_number(each.name, beta, f"{self.form.group}_index")
            else:
                beta = numpyro.sample(f"beta_{each.name}", dist.Normal(0.0, own))
                returned[each.name] = beta
        return returned

    def common_slopes(self, coefficients: Mapping[str, Any]) -> None:
        """The coefficients that are the same in all groups."""
        for name, beta in coefficients.items():
            self._add_number(name, beta)

    def _categorical(self, predictor: Predictor, scale: Any) -> None:
        prior = dist.ZeroSumNormal(scale, (predictor.levels,))
        beta = numpyro.sample(f"beta_{predictor.name}", prior, infer={"event_dims": [predictor.name]})
        self.terms.append(Term(beta, f"{predictor.name}_index"))

    def _ordered(self, predictor: Predictor, scale: Any) -> None:
        """A monotonic effect (Bürkner & Charpentier 2020, Br. J. Math. Stat. Psychol. 73:420): `range_<x>` from the lowest to
        the highest level, of which each step has a share."""
        name = predictor.name
        whole = numpyro.sample(f"range_{name}", dist.Normal(0.0, scale))
        shares = numpyro.sample(f"shares_{name}", dist.Dirichlet(jnp.ones(predictor.levels - 1)))
        steps = jnp.concatenate([jnp.zeros(1), jnp.cumsum(shares)])
        beta = numpyro.deterministic(f"beta_{name}", whole * steps)
        self.terms.append(Term(beta, name))

    def _add_number(self, name: str, beta: Any, index: str | None = None) -> None:
        self.terms.append(Term(beta, index, name, self.units[name][0]))

    def varying_intercepts(self, alpha: Any, scale: Any, sd_prior: str) -> None:
        """`alpha_<group>` ~ Normal(alpha, sigma_<group>) of the first group, `delta_<group>` ~ Normal(0, sigma) of others."""
        for number, group in enumerate(self.form.groups):
            sigma = families.standard_deviation(f"sigma_{group}", sd_prior, scale * self.scale)
            self._varying(effect(group, first=number == 0), group, alpha if number == 0 else 0.0, sigma)

    def varying_slopes(
        self, alpha: Any, slopes: Mapping[str, Any], scale: Any, slope_scale: Any, sd_prior: str, concentration: Any
    ) -> None:
        """Intercepts and slopes of the first group, correlated unless concentration is None; further groups have intercepts.

        Each effect is drawn given those before it: a Normal with the moments that the factor of the correlations gives it.
        """
        group, *others = self.form.groups
        sigma = [families.standard_deviation(f"sigma_{group}", sd_prior, scale * self.scale)]
        for name in slopes:
            own = slope_scale * self.scale / self.units[name][1]
            sigma.append(families.standard_deviation(f"sigma_{name}_{group}", sd_prior, own))
        factor = jnp.eye(len(sigma)) if concentration is None else cholesky_factor(group, len(sigma), concentration)
        means, names = [alpha, *slopes.values()], [None, *slopes]
        standardized: list[Any] = []
        for i, (mean, name) in enumerate(zip(means, names, strict=True)):
            location = mean + sigma[i] * sum((factor[i, j] * z for j, z in enumerate(standardized)), 0.0)
            values = self._varying(effect(group, name), group, location, sigma[i] * factor[i, i], of=name)
            standardized.append((values - location) / (sigma[i] * factor[i, i]))
        for other in others:
            sigma_other = families.standard_deviation(f"sigma_{other}", sd_prior, scale * self.scale)
            self._varying(effect(other, first=False), other, 0.0, sigma_other)

    def _varying(self, name: str, group: str, location: Any, scale: Any, of: str | None = None) -> Any:
        values = self._members(name, group, location, scale)
        if of is None:
            self.terms.append(Term(values, f"{group}_index"))
        else:
            self._add_number(of, values, f"{group}_index")
        return values

    def _members(self, name: str, group: str, location: Any, scale: Any) -> Any:
        reparam = {name: LocScaleReparam(0.0)} if name in self.form.non_centred else {}
        with numpyro.handlers.reparam(config=reparam), numpyro.plate(group, self.form.size(group)):
            return numpyro.sample(name, dist.Normal(location, scale))

    def group_means(self, scale: Any) -> None:
        """`beta_mean_<x>` times the mean of each predictor in its group's rows."""
        index = self.by_row(f"{self.form.group}_index")
        size = self.form.size(self.form.group)
        count = jnp.maximum(jax.ops.segment_sum(jnp.ones(self.form.rows), index, size), 1.0)
        for name in self.form.means:
            if name not in self.form.latent:
                means = jax.ops.segment_sum(self.by_row(name) - self.units[name][0], index, size) / count
                self._add_mean(name, means, scale)

    def latent_group_means(self, scale: Any, predictor_scale: Any, sd_prior: str) -> None:
        """Predictors observed with a mean of their own for each group, `mean_<x>_<group>`, times `beta_mean_<x>`."""
        group = self.form.group
        for name in self.form.latent:
            location, unit = self.units[name]
            centre = numpyro.sample(f"mean_{name}", dist.Normal(location, predictor_scale * unit))
            between = families.standard_deviation(f"sigma_between_{name}", sd_prior, predictor_scale * unit)
            within = families.standard_deviation(f"sigma_within_{name}", sd_prior, predictor_scale * unit)
            means = self._members(latent_mean(name, group), group, centre, between)
            index = self.by_row(f"{group}_index")
            with numpyro.plate(self.form.unit, self.form.rows):
                together = {"together": _of_groups(index, means, within)} if self.form.collapsed else {}
                drawn = numpyro.sample(name, dist.Normal(means[index], within), obs=self.data.get(name), infer=together)
            self.data = {**self.data, name: drawn}
            self._add_mean(name, means - location, scale)

    def _add_mean(self, name: str, means: Any, scale: Any) -> None:
        beta = numpyro.sample(f"beta_mean_{name}", dist.Normal(0.0, scale * self.scale / self.units[name][1]))
        self.terms.append(Term(beta * means, f"{self.form.group}_index"))

    def observe(self, **prior: Any) -> None:
        """The outcome given the terms; prior: hyperparameters of what else the family has."""
        form = self.form
        if form.standard_error:
            own = {"sigma": self.by_row(form.standard_error)}
        else:
            own = families.own_parameters(form.family, form.levels, self.scale, prior)
        eta = total(self.terms, _Rows(self), form.rows) + self._offset()
        trials = self.by_row(form.trials) if form.trials else None
        with numpyro.plate(form.unit, form.rows):
            likelihood = families.distribution(form.family, eta, own, trials)
            together = {"together": self._together(own)} if form.collapsed else {}
            numpyro.sample(form.outcome, likelihood, obs=self.data.get(form.outcome), infer=together)

    def _together(self, own: Mapping[str, Any]) -> Callable:
        """The log likelihood of all rows as a function of the outcome and of the weights of rows."""
        cells = Cells(self.data[CELL], self.data[FIRST], self.by_row, self.terms, self._offset())
        if self.form.family == "normal":
            return lambda outcome, weights: cells.normal(outcome, weights, own["sigma"])
        if self.form.family == "poisson":
            return cells.poisson
        trials = self.by_row(self.form.trials) if self.form.trials else jnp.ones(self.form.rows)
        return lambda outcome, weights: cells.binomial(outcome, weights, trials)

    def _offset(self) -> Any:
        """What is added to the linear predictor: the offset, and the log of the exposure."""
        added = self.by_row(self.form.offset) if self.form.offset else 0.0
        return added + (jnp.log(self.by_row(self.form.exposure)) if self.form.exposure else 0.0)

    def by_row(self, name: str) -> Any:
        """A variable with one value for each row."""
        index = self.form.row_index(name)
        return self.data[name] if index is None else self.data[name][self.data[index]]


def _of_groups(index: Any, means: Any, sigma: Any) -> Callable:
    """The log density of all values of Normal(means[index], sigma), as a function of them and of their weights."""
    members = jnp.arange(means.shape[0])
    cells = Cells(index, members, lambda name: members, [Term(means, "member")])
    return lambda values, weights: cells.normal(values, weights, sigma)


class _Rows(Mapping):
    """Variables of the rows by name, taken when asked for."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def __getitem__(self, name: str) -> Any:
        return self.instance.by_row(name)

    def __iter__(self):
        return iter(self.instance.data)

    def __len__(self) -> int:
        return len(self.instance.data)
