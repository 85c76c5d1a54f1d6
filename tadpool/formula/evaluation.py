"""A formula at work: parameters by their names, its linear predictors and the likelihood.

Sites: `alpha` (intercept, where all columns are 0), `alpha_at_means` (where numbers are at their
means; it has the prior, wherever the two differ), `beta_<term>` (coefficients), `sigma_<group>` and
`sigma_<column>_<group>` (standard deviations between members), `correlation_<group>`. Members of
the first group term with an effect have that effect itself, `alpha_<group>` (at the means, and with
what their own columns add, those with one value for each member) or `beta_<column>_<group>`; those
of others its deviation, `delta_<group>` or `delta_<column>_<group>`. A smooth has `beta_<smooth>`
(of its straight line, per standard deviation), `sigma_<smooth>` and `delta_<smooth>` (deviations
from the line).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

from tadpool.formula.bound_formula import (
    SCALES,
    STRETCHES,
    BoundCurve,
    BoundEffect,
    BoundFormula,
    BoundGroup,
    BoundImputation,
    BoundPredictor,
    BoundTerm,
)
from tadpool.formula.coordinates import Coordinates
from tadpool.ladder import likelihoods
from tadpool.ladder.correlation import cholesky_factor
from tadpool.ladder.evaluation import Evaluation, Rows
from tadpool.ladder.linear_predictor import Term, total
from tadpool.modelling import distributions, partly_observed
from tadpool.modelling.distributions import Normal, NormalOfMembers
from tadpool.modelling.formula_design import PriorChoice
from tadpool.modelling.partly_observed import PartlyObserved


@dataclass(frozen=True)
class Missing:
    """A predictor with missing values, and what depends on them.

    data: the arrays by name, without the predictor in its columns. columns: those that are to be
    multiplied by it. given: its values (rows,), 0 where it is missing. where: where that is, bool
    (rows,). logit: log-odds of yes (rows,).
    """

    data: Mapping[str, Any]
    columns: tuple[str, ...]
    given: Any
    where: Any
    logit: Any

    def filled(self, value: float) -> dict[str, Any]:
        """The arrays with the predictor in its columns, and a value where it is missing."""
        values = self.given + self.where * value
        return {**self.data, **{column: self.data[column] * values for column in self.columns}}


REAL = {
    "normal": Normal,
    "student_t": distributions.StudentT,
    "cauchy": distributions.Cauchy,
    "laplace": distributions.Laplace,
}
START = {"log": 0.0, "logit": 0.0, "identity": 0.0}


class FormulaEvaluation(Evaluation):
    """One evaluation of a formula.

    Args:
        bound: The formula bound to data.
        data: The arrays of the data by name.
        prior: The hyperparameters of its priors and of its family's by name.
    """

    def __init__(self, bound: BoundFormula, data: Mapping[str, Any], prior: Mapping[str, Any]) -> None:
        super().__init__(bound, data)
        self.prior = prior
        scales = data[SCALES]
        self.outcome = scales[0]
        self.column = dict(zip(bound.columns, scales[1:], strict=True))
        self.priors = {each.of: each for each in bound.design.priors}

    def observe(self) -> None:
        """Sample everything, and the outcome given it."""
        summed_out = self._impute()
        if not self.design.family.predictors:
            levels = [self._apart(each, *self.outcome) for each in self.bound.predictors]
            self._observe(
                summed_out, lambda: ({}, jnp.stack([self._eta(each) + self._offset() for each in levels], -1))
            )
            return
        main, *others = self.bound.predictors
        predicted = {each.parameter: self._parameter(each) for each in others}
        at = self._add(main, *self.outcome, self.design.family.link.cutpoints)
        own = self._own(at)
        if summed_out is None:
            self.likelihood({name: made() for name, made in predicted.items()} | own)
            return

        def at_rows() -> tuple[dict[str, Any], Any]:
            return {name: made() for name, made in predicted.items()} | own, self._eta(self.terms) + self._offset()

        self._observe(summed_out, at_rows)

    def _own(self, at: Coordinates) -> dict[str, Any]:
        """What the family has beside linear predictors, by name. at: the outcome's."""
        if self.design.standard_error:
            return {"sigma": self.by_row(self.design.standard_error)}
        family, scale = replace(self.design.family, parameters=self.design.parameters), self.outcome[1]
        middle = -at.origin_of_common("") if family.link.cutpoints else 0.0
        return likelihoods.own_parameters(family, self.prior, "exponential", scale, scale, self.bound.levels, middle)

    def _observe(self, summed_out: Missing | None, at_rows: Callable[[], tuple[Mapping[str, Any], Any]]) -> None:
        """The outcome given what its family takes beside the linear predictor, and that, at the
        rows as they are."""
        if summed_out is None:
            self.likelihood(*at_rows())
            return
        either = []
        for value in (0.0, 1.0):
            self.data = summed_out.filled(value)
            own, eta = at_rows()
            either.append(self.distribution(own, eta))
        self.sample(partly_observed.summed_out(*either, summed_out.logit, summed_out.where))

    def _impute(self) -> Missing | None:
        """Sample the models of imputed predictors; what is left to be summed out, if one of them is
        yes or no."""
        left = None
        for each in self.bound.imputations:
            location, scale = self.data[each.scales]
            eta = self._eta(self._apart(each.predictor, location, scale))
            missing = jnp.zeros(self.bound.rows, bool).at[self.data[each.missing]].set(True)
            sigma = None if each.binary else self._standard_deviation(f"sigma_{each.predictor.parameter}", scale)
            every = dist.Bernoulli(logits=eta) if each.binary else dist.Normal(eta, sigma)
            with numpyro.plate(self.design.unit, self.bound.rows):
                given = numpyro.sample(each.name, PartlyObserved(every, ~missing), obs=self.data.get(each.name))
            given = jnp.where(missing, 0.0, given)
            if each.binary and each.count:
                left = Missing(self.data, self._products(each.name), given, missing, eta)
            elif each.count:
                given = given.at[self.data[each.missing]].set(self._values(each, eta, sigma, location, scale))
            self.data = Missing(self.data, self._products(each.name), given, missing, eta).filled(0.0)
        return left

    def _products(self, name: str) -> tuple[str, ...]:
        return tuple(column for column, of in self.bound.products if name in of)

    def _values(self, each: BoundImputation, eta: Any, sigma: Any, location: Any, scale: Any) -> Any:
        """The imputed values of a number (missing,), sampled as standardized distances."""
        name = each.predictor.parameter
        prior = Normal(eta[self.data[each.missing]], sigma, origin=location, unit=scale)
        with numpyro.handlers.reparam(config={name: distributions.Decentred()}), numpyro.plate(each.dim, each.count):
            return numpyro.sample(name, prior)

    def _parameter(self, predictor: BoundPredictor) -> Callable[[], Any]:
        """A further parameter of the family (rows,), from its linear predictor at the rows as they
        are."""
        (parameter,) = (each for each in self.design.family.parameters if each.own == predictor.parameter)
        location = jnp.log(self.outcome[1]) if not parameter.prior else START[parameter.link]
        terms = self._apart(predictor, location, 1.0)
        return lambda: likelihoods.inverse(parameter.link, self._eta(terms))

    def _apart(self, predictor: BoundPredictor, location: Any, scale: Any) -> list[Term]:
        """The terms of a linear predictor, beside those so far."""
        before, self.terms = self.terms, []
        self._add(predictor, location, scale)
        found, self.terms = self.terms, before
        return found

    def _eta(self, terms: Sequence[Term]) -> Any:
        """A linear predictor (rows,)."""
        return total(terms, Rows(self), self.bound.rows)

    def _real(self, choice: PriorChoice, location: Any, scale: Any, unit: Any = None, origin: Any = 0.0) -> Any:
        """A prior of a number, in multiples of `scale` around `location`."""
        *shape, at, width = (self.prior[name] for name in choice.numbers)
        made = REAL[choice.kind]
        return made(*shape, location + at * scale, width * scale, origin=origin, unit=scale if unit is None else unit)

    def _standard_deviation(self, name: str, scale: Any) -> Any:
        """A standard deviation between members, in multiples of `scale`."""
        choice = self.priors["sd"]
        (number,) = (self.prior[each] for each in choice.numbers)
        size = scale / number if choice.kind == "exponential" else scale * number
        return likelihoods.standard_deviation(name, choice.kind, size, scale)

    def _add(self, predictor: BoundPredictor, location: Any, scale: Any, cutpoints: bool = False) -> Coordinates:
        """Add the terms of a linear predictor, whose values are typically `location`, give or take
        `scale`."""
        varying = {each.of for group in predictor.groups for each in group.effects if each.of is not None}
        varying |= {each.column for group in predictor.groups for each in group.own}
        intercept = predictor.intercept and not cutpoints
        start = location if intercept else 0.0
        at = Coordinates(predictor, start, scale, self.by_row, self._mean, self.data.__getitem__)
        if not intercept:
            at.means[""] = 0.0
        self._common(at, (lambda of: of not in varying) if self.design.unpooled else at.begins_with, varying)
        for curve in predictor.curves:
            for column, coefficient in self._curve(predictor, curve, scale).items():
                at.means[column] = coefficient
                self._fixed(at, column)
        if intercept and "" not in varying:
            self.terms.append(Term(at.means[""]))
        if self.design.unpooled and predictor.groups:
            for group in predictor.groups:
                self._each_alone(at, group, 0.0 if cutpoints else location)
            return at
        for group in predictor.in_turn:
            self._common(at, {effect.of for effect in group.effects}.__contains__, varying)
            self._group(at, group)
        if intercept and predictor.centred:
            columns = [column for term in predictor.terms for column in term.columns]
            away = sum(at.means[column] * self._mean(column) for column in columns)
            numpyro.deterministic(predictor.site("alpha"), at.means[""] - away)
        return at

    def _common(self, at: Coordinates, wanted: Callable[[str], bool], varying: Collection[str]) -> None:
        """Sample the wanted common coefficients and the intercept, unless they have been, and add
        coefficients that do not vary between members."""
        before, predictor = set(at.means), at.predictor
        for term in predictor.terms:
            if term.columns[0] not in at.means and any(map(wanted, term.columns)):
                at.means |= self._coefficients(at, term)
        if "" not in at.means and wanted(""):
            at.means[""] = self._intercept(at)
        for column in (each for each in at.means if each not in before and each not in varying and each):
            self._fixed(at, column)

    def _fixed(self, at: Coordinates, column: str) -> None:
        middle = self._mean(column) if at.predictor.intercept else 0.0
        self.terms.append(Term(at.means[column], None, column, middle))

    def _mean(self, column: str) -> Any:
        return self.column[column][0] if column in self.column else 0.0

    def _coefficients(self, at: Coordinates, term: BoundTerm) -> dict[str, Any]:
        """`beta_<term>`: each column with its coefficient."""
        name, many = at.predictor.site("beta", term.name), term.labelled
        widths = [self.column[each][1] for each in term.columns]
        units = at.scale / (jnp.stack(widths) if many else widths[0])
        own = (self.priors[term.name], jnp.ones_like(units)) if term.own_prior else (self.priors["coefficients"], units)
        origin = [at.origin_of_common(column) for column in term.columns]
        prior = self._real(own[0], 0.0, own[1], unit=units, origin=jnp.stack(origin) if many else origin[0])
        if not many:
            return {term.columns[0]: numpyro.sample(name, prior)}
        beta = numpyro.sample(name, prior.to_event(1), infer={"event_dims": [f"{term.name}_effect"]})
        return {column: beta[i] for i, column in enumerate(term.columns)}

    def _intercept(self, at: Coordinates) -> Any:
        """The intercept where numbers are at their means."""
        prior = self._real(self.priors["intercept"], at.location, at.scale, origin=at.origin_of_common(""))
        return numpyro.sample(at.predictor.site("alpha_at_means" if at.predictor.centred else "alpha"), prior)

    def _curve(self, predictor: BoundPredictor, curve: BoundCurve, scale: Any) -> dict[str, Any]:
        """A smooth, each column with its coefficient: a straight line, and deviations whose
        standard deviation is the typical size of the curve."""
        slope = numpyro.sample(predictor.site("beta", curve.name), self._real(self.priors["coefficients"], 0.0, scale))
        sd = self._standard_deviation(predictor.site("sigma", curve.name), scale)
        name = predictor.site("delta", curve.name)
        reparam = {name: distributions.Decentred()}
        with numpyro.handlers.reparam(config=reparam), numpyro.plate(f"{curve.name}_basis", len(curve.curved)):
            delta = numpyro.sample(name, Normal(0.0, sd, unit=scale))
        return {curve.linear: slope, **{column: delta[i] for i, column in enumerate(curve.curved)}}

    def _group(self, at: Coordinates, group: BoundGroup) -> None:
        """The effects of the members of a group, each drawn given those before it: a Normal with
        the moments that the factor of the correlations gives it.

        Intercepts come last, as those at the means of the columns whose effects vary: their
        standard deviation and correlations are those at 0.
        """
        effects = sorted(group.effects, key=lambda each: each.column is None)
        units = [at.scale / self.column[each.column][1] if each.column else at.scale for each in effects]
        sigma = [self._standard_deviation(each.sd, unit) for each, unit in zip(effects, units, strict=True)]
        factor = self._factor(group, effects)
        at_means = effects[-1].column is None
        moved: Any = 0.0  # the intercept at the means, less that at 0
        standardized: list[Any] = []
        for i, effect in enumerate(effects):
            common = 0.0 if effect.of is None else at.means[effect.of]
            mean = common + sigma[i] * sum((factor[i, j] * z for j, z in enumerate(standardized)), 0.0)
            if effect.column is None:
                mean = mean + moved + self._of_members(group, at.means)
            origin, spread = at.origin_of_members(effect, group), sigma[i] * factor[i, i]
            prior = Normal(mean, spread, origin=origin, unit=units[i])
            if effect.name in self.bound.stretched:
                stretch = self.data[STRETCHES][self.bound.stretched.index(effect.name)]
                prior = NormalOfMembers(mean, spread, origin=origin, unit=units[i], stretch=stretch)
            values = self.members(effect.name, group.name, prior)
            at.add(effect, group, values)
            standardized.append((values - mean) / spread)
            middle = self._mean(effect.column) if effect.column else 0.0
            self.terms.append(Term(values, group.index, effect.column, middle if at_means else 0.0))
            absorbed = common if at.predictor.intercept else 0.0
            if at_means:
                moved = moved + middle * (values - absorbed)
            elif effect.of is not None:
                self.terms.append(Term(-middle * absorbed))

    def _each_alone(self, at: Coordinates, group: BoundGroup, location: Any) -> None:
        """The effects of the members of a group, without anything in common: intercepts at the
        means, and coefficients."""
        at_means = any(each.column is None for each in group.effects)
        for effect in group.effects:
            if effect.column is None:
                prior = self._real(self.priors["intercept"], location, at.scale, origin=location)
                self.terms.append(Term(self.members(effect.name, group.name, prior), group.index))
            else:
                own = at.scale / self.column[effect.column][1]
                values = self.members(effect.name, group.name, self._real(self.priors["coefficients"], 0.0, own))
                middle = self._mean(effect.column) if at_means else 0.0
                self.terms.append(Term(values, group.index, effect.column, middle))

    def _of_members(self, group: BoundGroup, means: Mapping[str, Any]) -> Any:
        """The part of the linear predictor that members have by their own columns (members,), or
        0."""
        added: Any = 0.0
        for each in group.own:
            added = added + means[each.column] * (self.data[each.values] - self._mean(each.column))
            if each.apart is not None:
                self.terms.append(Term(means[each.column], None, each.apart))
        return added

    def _factor(self, group: BoundGroup, effects: Sequence[BoundEffect]) -> Any:
        """The Cholesky factor of the correlations of effects, in their order here; the matrix that
        is reported has theirs in the formula."""
        if group.correlation is None:
            return jnp.eye(len(effects))
        (concentration,) = (self.prior[name] for name in self.priors["cor"].numbers)
        order = [effects.index(each) for each in group.effects]
        return cholesky_factor(group.correlation, len(effects), concentration, order)
