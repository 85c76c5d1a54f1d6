"""A rung of the pooling ladder at work: parameters by their names, the linear predictor, and the
likelihood.

The rungs (`tadpool/models/<rung>.py`) call these methods in the order of their statements. Sites
have the same names in all rungs, so that estimates can be compared by name: `alpha` (population),
`alpha_<group>` (intercept of each member), `delta_<group>` (deviation of each member of a further
group), `beta_<x>` (population), `beta_<x>_<group>` (slope of each member), `sigma_<group>` and
`sigma_<x>_<group>` (standard deviations between members), `beta_mean_<x>` (of the group mean).
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

from tadpool.ladder import likelihoods
from tadpool.ladder.bound_design import SCALES, BoundDesign, effect, latent_mean
from tadpool.ladder.cell_sums import Cells
from tadpool.ladder.correlation import cholesky_factor
from tadpool.ladder.evaluation import Evaluation, inference
from tadpool.ladder.linear_predictor import Term
from tadpool.modelling.design import Predictor
from tadpool.modelling.distributions import Normal, ZeroSumNormal
from tadpool.modelling.group_means import held_mean


class Rung(Evaluation):
    """One evaluation of a rung, with the terms of the linear predictor so far.

    Args:
        bound: The design that it is bound to.
        data: The arrays of the data by name.
        prior: The hyperparameters of the family by name.
    """

    def __init__(self, bound: BoundDesign, data: Mapping[str, Any], prior: Mapping[str, Any]) -> None:
        super().__init__(bound, data)
        self.prior = prior
        location, scale, origin, unit = data[SCALES].T
        self.location, self.scale, self.origin, self.unit = location[0], scale[0], origin[0], unit[0]
        names = [each.name for each in self.design.predictors]
        self.units = dict(zip(names, zip(location[1:], scale[1:], strict=True), strict=True))
        self.in_data = dict(zip(names, zip(origin[1:], unit[1:], strict=True), strict=True))

    @property
    def slopes(self) -> tuple[str, ...]:
        """The predictors whose slope varies by the first group."""
        return self.design.slopes

    def population_intercept(self, location: Any, scale: Any) -> Any:
        """`alpha` ~ Normal(location, scale) in units of the outcome; 0 where the outcome has
        cutpoints instead."""
        if self.design.family.link.cutpoints:
            return 0.0
        prior = Normal(self.location + location * self.scale, scale * self.scale, origin=self.origin, unit=self.unit)
        return numpyro.sample("alpha", prior)

    def intercept(self, location: Any, scale: Any) -> None:
        """One intercept for all rows."""
        self.terms.append(Term(self.population_intercept(location, scale)))

    def separate_intercepts(self, location: Any, scale: Any) -> None:
        """`alpha_<group>`, of each member by itself."""
        group = self.design.group
        at = 0.0 if self.design.family.link.cutpoints else self.location + location * self.scale
        prior = Normal(at, scale * self.scale, origin=self.origin, unit=self.unit)
        with numpyro.plate(group, self.bound.size(group)):
            alpha = numpyro.sample(effect(group), prior)
        self.terms.append(Term(alpha, f"{group}_index"))

    def coefficients(self, scale: Any, separate: bool = False) -> dict[str, Any]:
        """`beta_<x>` of every predictor, Normal(0, scale) in units of the outcome and of the
        predictor.

        Those of a categorical predictor sum to zero over its levels; an ordered one rises or falls
        all the way. separate: the `slopes` get one coefficient for each member, with the same
        prior. Otherwise theirs are returned, not added.
        """
        returned = {}
        for each, levels in zip(self.design.predictors, self.bound.predictor_levels, strict=True):
            prior = self._slope_prior(each.name, scale)
            if each.kind == "categorical":
                self._categorical(each, levels, scale)
            elif each.kind == "ordered":
                self._ordered(each, levels, prior)
            elif each.name in self.design.slopes and separate:
                group = self.design.group
                with numpyro.plate(group, self.bound.size(group)):
                    beta = numpyro.sample(effect(group, each.name), prior)
                self._add_number(each.name, beta, f"{group}_index")
            else:
                beta = numpyro.sample(f"beta_{each.name}", prior)
                returned[each.name] = beta
        return returned

    def _slope_prior(self, name: str, scale: Any) -> Normal:
        """Normal(0, scale) in units of the outcome and of a predictor."""
        return Normal(0.0, scale * self.scale / self.units[name][1], unit=self._slope_unit(name))

    def _slope_unit(self, name: str) -> Any:
        return self.unit / self.in_data[name][1]

    def common_slopes(self, coefficients: Mapping[str, Any]) -> None:
        """The coefficients that are the same in all groups."""
        for name, beta in coefficients.items():
            self._add_number(name, beta)

    def _categorical(self, predictor: Predictor, levels: int, scale: Any) -> None:
        prior = ZeroSumNormal(scale * self.scale / self.units[predictor.name][1], (levels,), unit=self.unit)
        beta = numpyro.sample(f"beta_{predictor.name}", prior, infer={"event_dims": [predictor.name]})
        self.terms.append(Term(beta, f"{predictor.name}_index"))

    def _ordered(self, predictor: Predictor, levels: int, prior: Normal) -> None:
        """A monotonic effect (Bürkner & Charpentier 2020, Br. J. Math. Stat. Psychol. 73:420):
        `range_<x>` from the lowest to the highest level, of which each step has a share."""
        name = predictor.name
        whole = numpyro.sample(f"range_{name}", prior)
        shares = numpyro.sample(f"shares_{name}", dist.Dirichlet(jnp.ones(levels - 1)))
        steps = jnp.concatenate([jnp.zeros(1), jnp.cumsum(shares)])
        beta = numpyro.deterministic(f"beta_{name}", whole * steps)
        self.terms.append(Term(beta, name))

    def _add_number(self, name: str, beta: Any, index: str | None = None) -> None:
        self.terms.append(Term(beta, index, name, self.units[name][0]))

    def varying_intercepts(self, alpha: Any, scale: Any, sd_prior: str) -> None:
        """`alpha_<group>` ~ Normal(alpha, sigma_<group>) of the first group, `delta_<group>` ~
        Normal(0, sigma) of others."""
        for number, group in enumerate(self.design.groups):
            sigma = likelihoods.standard_deviation(f"sigma_{group}", sd_prior, scale * self.scale, self.unit)
            first = number == 0
            origin = self.origin if first else 0.0
            prior = Normal(alpha if first else 0.0, sigma, origin=origin, unit=self.unit)
            self._varying(effect(group, first=first), group, prior)

    def varying_slopes(
        self, alpha: Any, slopes: Mapping[str, Any], scale: Any, slope_scale: Any, sd_prior: str, concentration: Any
    ) -> None:
        """Intercepts and slopes of the first group, correlated unless concentration is None;
        further groups have intercepts.

        Each effect is drawn given those before it: a Normal with the moments that the factor of the
        correlations gives it.
        """
        group, *others = self.design.groups
        sigma = [likelihoods.standard_deviation(f"sigma_{group}", sd_prior, scale * self.scale, self.unit)]
        for name in slopes:
            own, unit = slope_scale * self.scale / self.units[name][1], self._slope_unit(name)
            sigma.append(likelihoods.standard_deviation(f"sigma_{name}_{group}", sd_prior, own, unit))
        factor = jnp.eye(len(sigma)) if concentration is None else cholesky_factor(group, len(sigma), concentration)
        means, names = [alpha, *slopes.values()], [None, *slopes]
        standardized: list[Any] = []
        for i, (mean, name) in enumerate(zip(means, names, strict=True)):
            location = mean + sigma[i] * sum((factor[i, j] * z for j, z in enumerate(standardized)), 0.0)
            origin, unit = (0.0, self._slope_unit(name)) if name else (self.origin, self.unit)
            prior = Normal(location, sigma[i] * factor[i, i], origin=origin, unit=unit)
            values = self._varying(effect(group, name), group, prior, of=name)
            standardized.append((values - location) / (sigma[i] * factor[i, i]))
        for other in others:
            sigma_other = likelihoods.standard_deviation(f"sigma_{other}", sd_prior, scale * self.scale, self.unit)
            self._varying(effect(other, first=False), other, Normal(0.0, sigma_other, unit=self.unit))

    def _varying(self, name: str, group: str, prior: Normal, of: str | None = None) -> Any:
        values = self.members(name, group, prior)
        if of is None:
            self.terms.append(Term(values, f"{group}_index"))
        else:
            self._add_number(of, values, f"{group}_index")
        return values

    def group_means(self, scale: Any) -> None:
        """`beta_mean_<x>` times the mean of each predictor in its group's rows, or what stands in
        for it."""
        index = self.by_row(f"{self.design.group}_index")
        size = self.bound.size(self.design.group)
        count = jnp.maximum(jax.ops.segment_sum(jnp.ones(self.bound.rows), index, size), 1.0)
        for name in self.bound.means:
            if name not in self.bound.latent:
                values = self.data.get(held_mean(name, self.design.group))
                values = self.by_row(name) if values is None else values
                means = jax.ops.segment_sum(values - self.units[name][0], index, size) / count
                self._add_mean(name, means, scale)

    def latent_group_means(self, scale: Any, predictor_scale: Any, sd_prior: str) -> None:
        """Predictors observed with a mean of their own for each group, `mean_<x>_<group>`, times
        `beta_mean_<x>`."""
        group = self.design.group
        for name in self.bound.latent:
            location, wide = self.units[name][0], predictor_scale * self.units[name][1]
            origin, unit = self.in_data[name]
            centre = numpyro.sample(f"mean_{name}", Normal(location, wide, origin=origin, unit=unit))
            between = likelihoods.standard_deviation(f"sigma_between_{name}", sd_prior, wide, unit)
            within = likelihoods.standard_deviation(f"sigma_within_{name}", sd_prior, wide, unit)
            prior = Normal(centre, between, origin=origin, unit=unit)
            means = self.members(latent_mean(name, group), group, prior)
            index = self.by_row(f"{group}_index")
            with numpyro.plate(self.design.unit, self.bound.rows):
                joint = _of_groups(index, means, within) if self.bound.collapsed else None
                normal, observed = dist.Normal(means[index], within), self.data.get(name)
                drawn = numpyro.sample(name, normal, obs=observed, infer=inference(joint))
            self.data = {**self.data, name: drawn}
            self._add_mean(name, means - location, scale)

    def _add_mean(self, name: str, means: Any, scale: Any) -> None:
        beta = numpyro.sample(f"beta_mean_{name}", self._slope_prior(name, scale))
        self.terms.append(Term(beta * means, f"{self.design.group}_index"))

    def observe(self, sd_prior: str) -> None:
        """The outcome given the terms; sd_prior: of its standard deviation, where the family has
        one."""
        if self.design.standard_error:
            own = {"sigma": self.by_row(self.design.standard_error)}
        else:
            scales = self.scale, self.unit
            own = likelihoods.own_parameters(self.design.family, self.prior, sd_prior, *scales, self.bound.levels)
        self.likelihood(own)


def _of_groups(index: Any, means: Any, sigma: Any) -> Callable:
    """The log density of all values of Normal(means[index], sigma), as a function of them and of
    their weights."""
    members = jnp.arange(means.shape[0])
    cells = Cells(index, members, lambda name: members, [Term(means, "member")])
    return lambda values, weights: cells.normal(values, weights, sigma)
