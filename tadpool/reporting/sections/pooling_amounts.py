"""How much groups differ under partial pooling, and how far it shrinks their own estimates to the
common mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

import numpy as np
import xarray as xr

from tadpool.files.results import StudyResults
from tadpool.formatting import an, counted, decimals_for, member, number, plural, sentence
from tadpool.intervals import HIGH, LOW
from tadpool.ladder.bound_design import effect
from tadpool.modelling.design import Design
from tadpool.modelling.rungs import PARTIAL, UNPOOLED
from tadpool.reporting.fit_view import Fit, draws
from tadpool.reporting.html.tables import Column, Table
from tadpool.reporting.interval_words import interval
from tadpool.reporting.sections.pooling_own_data import own_data
from tadpool.reporting.sections.pooling_scales import Scale

SAMPLE = ("chain", "draw")
FAILED = "Shrinkage is not known: the fit of partial pooling failed."
NOT_FITTED = "Shrinkage is not known: partial pooling is not in the study."
WITHOUT_UNPOOLED = "Shrinkage is not known: no fit without pooling is usable."
COLUMNS = (
    Column("Own data", attrgetter("own")),
    Column("No pooling", lambda row: number(row.alone, row.decimals)),
    Column("Partial pooling", lambda row: number(row.mean, row.decimals)),
    Column("89 % interval", lambda row: f"{number(row.low, row.decimals)} to {number(row.high, row.decimals)}"),
    Column("Shrinkage", lambda row: _percent(row.shrinkage)),
)


@dataclass(frozen=True)
class Row:
    """One group: what its own data say, its means without and with partial pooling, and the
    interval of the latter.

    shrinkage: share of the way from its own data to the common mean. decimals: of the numbers.
    """

    label: str
    own: str
    alone: float
    mean: float
    low: float
    high: float
    shrinkage: float
    decimals: int


class Amounts:
    """Sentences and a table from the draws of the entries `unpooled` and `partial` of a study,
    where these are usable."""

    def __init__(self, results: StudyResults, rungs: Mapping[str, Fit], design: Design) -> None:
        self.results, self.design = results, design
        self.group = design.group
        self.site = f"alpha_{self.group}"
        self.fits = {fit.config["model"]: fit for fit in reversed(rungs.values())}
        self.scale = Scale(design, results.data[design.outcome])

    @cached_property
    def partial(self) -> xr.Dataset:
        return self._posterior(PARTIAL, [self.site, "alpha", f"sigma_{self.group}", "sigma"])

    @cached_property
    def unpooled(self) -> xr.Dataset:
        names = [each.name for each in self.design.predictors]
        slopes = [*(f"beta_{name}" for name in names), *(effect(self.group, name) for name in names)]
        return self._posterior(UNPOOLED, [self.site, *slopes])

    def _posterior(self, rung: str, names: Sequence[str]) -> xr.Dataset:
        fit = self.fits.get(rung)
        found = draws(self.results, fit.entry, "posterior", names) if fit and not fit.failed else xr.Dataset()
        return found if self.site in found else xr.Dataset()

    @cached_property
    def shrinkages(self) -> np.ndarray:
        """Share of the way from its own data to the common mean that each group moves (groups,);
        none if unknown.

        It is 1 / (1 + sigma^2 / s^2), averaged over draws of the standard deviation sigma between
        groups. s is the error of the group's own estimate: the posterior of no pooling given the
        coefficients of the predictors, without what its prior adds to its precision.
        """
        if not self.partial or not self.unpooled:
            return np.array([])
        fit = self.fits[UNPOOLED]
        prior = dict(fit.values)["alpha_scale"] * fit.facts["outcome"]["scale"]
        precision = 1 / self._own_variances() - prior**-2.0
        between = self.partial[f"sigma_{self.group}"].values.ravel() ** 2
        return (1 / (1 + np.maximum(precision, 0.0)[:, None] * between)).mean(axis=1)

    def _own_variances(self) -> np.ndarray:
        """Variance of each group's effect without pooling, given the coefficients of the predictors
        (groups,): around its linear regression on them, over draws."""
        found = self.unpooled.transpose(*SAMPLE, ...)
        drawn = {name: site.values.reshape(found[self.site][..., 0].size, -1) for name, site in found.items()}
        own = {name: drawn.pop(name) for name in [*drawn] if self.group in found[name].dims}
        effects, variances = own.pop(self.site), []
        for at, values in enumerate(effects.T):
            given = np.column_stack([np.ones(len(values)), *drawn.values(), *(each[:, at] for each in own.values())])
            variances.append(np.var(values - given @ np.linalg.lstsq(given, values, rcond=None)[0]))
        return np.array(variances)

    def shrinkage(self) -> str:
        """How far partial pooling moves estimates, in a sentence."""
        if not self.partial:
            return FAILED if PARTIAL in self.fits else NOT_FITTED
        if not len(self.shrinkages):
            return WITHOUT_UNPOOLED
        low, median, high = map(_percent, np.quantile(self.shrinkages, [0.0, 0.5, 1.0]))
        given = ", given the predictors," if self.design.predictors else ""
        return (
            f"Partial pooling moves the estimate of {an(self.group)} {median} of the way from its own data{given} to the "
            f"common mean (median of {counted(len(self.shrinkages), self.group)}; range {low} to {high})."
        )

    def differences(self) -> list[str]:
        """How much groups differ: their standard deviation, the range of their effects, and the
        common mean."""
        return [self._standard_deviation(), self._range(), *self._mean()] if self.partial else []

    def _range(self) -> str:
        """The groups with the smallest and the largest effect, on the scale of the table."""
        effects = self.scale.link(self.partial[self.site])
        means, decimals = effects.mean(SAMPLE), decimals_for(effects.std(SAMPLE).median(), 2)
        order, labels = means.values.argsort(kind="stable"), means[self.group].values
        units = f" {self.scale.measured_units}".rstrip()
        ends = [
            f"{number(means.values[at], decimals)}{units} ({member(self.group, str(labels[at]))})"
            for at in (order[0], order[-1])
        ]
        return f"Under partial pooling the {self.scale.words} ranges from {' to '.join(ends)}."

    def _mean(self) -> list[str]:
        if "alpha" not in self.partial:
            return []
        values = interval(
            self.scale.link(self.partial["alpha"].values), self.scale.measured_units, self.scale.exponential
        )
        return [f"For {an(self.group)} at the common mean, the {self.scale.words} is {values}."]

    def _standard_deviation(self) -> str:
        """The standard deviation between groups, and what it means on a scale that has a
        meaning."""
        values = self.partial[f"sigma_{self.group}"].values.ravel()
        family = self.design.family
        units = "" if self.scale.linked else self.scale.measured_units
        multiplied = family.link.multiplied
        # Medians of both, as the factor is the exponential of the standard deviation.
        first = f"The standard deviation between {plural(self.group)} is {interval(values, units, bool(multiplied))}"
        if multiplied:
            words = f"{first} in {family.link.differences}: one standard deviation multiplies the {multiplied}"
            return f"{words} by {interval(np.exp(values), exponential=True)}."
        if family.residual_sd in self.partial:
            share = values**2 / (values**2 + self.partial[family.residual_sd].values.ravel() ** 2)
            low, high = np.quantile(share, [LOW, HIGH])
            span = f"{_percent(share.mean())} of the variance (89 % interval {_percent(low)} to {_percent(high)})"
            return (
                f"{first}, {span} that the predictors do not explain."
                if self.design.predictors
                else f"{first}, {span}."
            )
        return f"{first}."

    @property
    def centre(self) -> str:
        """Where the prior of no pooling has its mean, on the scale of the table; "" where no fit of
        it is usable."""
        if not self.unpooled:
            return ""
        fit = self.fits[UNPOOLED]
        prior, unit = dict(fit.values), fit.facts["outcome"]
        at = unit["location"] + prior["alpha_location"] * unit["scale"] if "alpha_location" in prior else 0.0
        decimals = decimals_for(self.scale.link(self.unpooled[self.site]).std(SAMPLE).median(), 2)
        return number(self.scale.link(at), decimals)

    def table(self) -> Table | None:
        """A row for each group; None where a fit is not usable."""
        if not self.partial or not len(self.shrinkages):
            return None
        pooled, alone = (self.scale.link(each[self.site]) for each in (self.partial, self.unpooled))
        decimals = decimals_for(pooled.std(SAMPLE).median(), 2)
        numbers = (alone.mean(SAMPLE), pooled.mean(SAMPLE), *(pooled.quantile(q, SAMPLE) for q in (LOW, HIGH)))
        own = own_data(self.design, self.results.data)
        labels = pooled[self.group].values.astype(str).tolist()
        rows = zip(labels, own, *(each.values for each in numbers), self.shrinkages, strict=True)
        first = Column(sentence(self.group), attrgetter("label"), number=False)
        return Table((first, *COLUMNS), [Row(*row, decimals) for row in rows])


def _percent(share: float) -> str:
    return f"{number(100 * share, 0)} %"
