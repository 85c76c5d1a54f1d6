"""How much to pool: what a study with models of the ladder answers for old groups and for new ones, with quantities."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from tadpool import design as designs
from tadpool.reporting import ranking
from tadpool.reporting.estimands import HIGH, LOW, interval
from tadpool.reporting.fits import Fit, draws
from tadpool.reporting.formatting import counted, decimals_for, number, plural, sentence
from tadpool.results import StudyResults

POOLED, UNPOOLED, PARTIAL = "pooled", "unpooled", "partial"
FURTHER = {
    "partial_slopes": "let the slopes differ between {groups}",
    "mundlak": "add the predictors' means in each {group}",
    "latent_mundlak": "add the predictors' means in each {group}",
}
SUPPORTED = ("clear", "tie", "partial")
"""Tones of comparisons whose ranks mean something."""

LOGISTIC, LOGARITHMIC = ("bernoulli", "binomial"), ("poisson", "negative_binomial")
SAMPLE = ("chain", "draw")
HEADINGS = ("No pooling", "Partial pooling", "89 % interval", "Pulled")


@dataclass(frozen=True)
class Answer:
    """One half of the question. about: whom it is for. sentences: the first one is the answer. tone: of its comparison."""

    about: str
    tone: str
    sentences: list[str]


@dataclass(frozen=True)
class Pooling:
    """What the page says. amount: how far partial pooling pulls estimates, with units. table: a row of text per group.

    left_out: rungs that do not apply, with the reason. scale: what the estimates of the table are.
    """

    group: str
    answers: list[Answer]
    amount: list[str]
    scale: str
    table: list[list[str]]
    left_out: list[tuple[str, str]]

    @property
    def headline(self) -> ranking.Conclusion:
        """Both answers in a sentence each, and how far partial pooling pulls; its tone is that of the first comparison."""
        tone = next(answer.tone for answer in self.answers if answer.tone != "none")
        answers = [f"{each.about}: {each.sentences[0][:1].lower()}{each.sentences[0][1:]}" for each in self.answers]
        told = [words for words in self.amount if all(words != each.sentences[0] for each in self.answers)]
        return ranking.Conclusion(tone, [*answers, *told])


def pooling(results: StudyResults, all_fits: Sequence[Fit]) -> Pooling | None:
    """None where the study has no two entries of the ladder."""
    rungs = {fit.entry: fit for fit in all_fits if fit.design}
    if len(rungs) < 2:
        return None
    design = next(iter(rungs.values())).design
    amounts = Amounts(results, rungs, design)
    return Pooling(
        design["groups"][0],
        [_old(results, rungs, design, amounts), _new(results, rungs, design)],
        amounts.sentences(),
        amounts.scale,
        amounts.table(),
        _left_out(results, design),
    )


def _left_out(results: StudyResults, design: Mapping[str, Any]) -> list[tuple[str, str]]:
    used = [entry["model"] for entry in results.config["models"].values()]
    reasons = {rung: designs.applies(rung, design) for rung in designs.RUNGS if rung not in used}
    return [(rung, reason) for rung, reason in reasons.items() if reason]


def _old(results: StudyResults, rungs: Mapping[str, Fit], design: Mapping[str, Any], amounts: "Amounts") -> Answer:
    group, unit = design["groups"][0], design["unit"]
    about = f"For the {plural(group)} in the data"
    if unit == group:
        alone = f"Leaving out compares nothing here: each row is a {group} of its own, and without its row it is a new {group}."
        return Answer(about, "none", [amounts.pull(), alone])
    return _answered(results, rungs, "unit", about, f"No comparison leaves out single {plural(unit)}.", group)


def _new(results: StudyResults, rungs: Mapping[str, Fit], design: Mapping[str, Any]) -> Answer:
    group = design["groups"][0]
    target = "unit" if design["unit"] == group else group
    found = _answered(
        results, rungs, target, f"For a new {group}", f"No comparison leaves out whole {plural(group)}.", group
    )
    if found.tone != "none" and any(fit.config["model"] == UNPOOLED and not fit.failed for fit in rungs.values()):
        found.sentences.append(
            f"Without pooling nothing is learnt of a new {group}: it is predicted from the prior alone."
        )
    return found


def _answered(
    results: StudyResults, rungs: Mapping[str, Fit], target: str, about: str, otherwise: str, group: str
) -> Answer:
    for name, comparison in results.config["comparisons"].items():
        if comparison["target"] == target and sum(entry in rungs for entry in comparison["entries"]) > 1:
            rows = ranking.rows(results, name)
            conclusion = ranking.conclude(rows, ranking.target_words(results, target))
            advice = (
                _advice([row for row in rows if row.entry in rungs], rungs, group)
                if conclusion.tone in SUPPORTED
                else []
            )
            return Answer(about, conclusion.tone, [*advice, *conclusion.sentences])
    return Answer(about, "none", [otherwise])


def _advice(rows: Sequence[ranking.Row], rungs: Mapping[str, Fit], group: str) -> list[str]:
    """What to do, by the entry that is ahead and those that cannot be told from it."""
    models = {row.entry: rungs[row.entry].config["model"] for row in rows}
    level = [models[row.entry] for row in rows if row.standing in ("first", "tie")]
    if not level:
        return []
    best, groups = level[0], plural(group)
    if {POOLED, UNPOOLED} <= set(level):
        ways = "completely, partially or" if PARTIAL in level else "completely or"
        return [f"These data cannot tell which model predicts best: {groups} may be pooled {ways} not at all."]
    if best == POOLED:
        also = ", and partially is as good" if PARTIAL in level else ""
        return [f"Pool completely: {groups} differ too little for their differences to help{also}."]
    if best == UNPOOLED:
        also = ", or partially, which is as good" if PARTIAL in level else ""
        return [f"Keep the {groups} apart{also}."]
    further = f", and {FURTHER[best].format(group=group, groups=groups)}" if best in FURTHER else ""
    told = [words for rung, words in ((POOLED, "completely"), (UNPOOLED, "not at all")) if rung in level]
    if best in FURTHER and PARTIAL in level:
        told.append("partially without that")
    also = f"; to pool {' or '.join(told)} cannot be told from it" if told else ""
    return [f"Pool partially{further}{also}."]


class Amounts:
    """How far partial pooling pulls the groups of a study: draws of the entries `unpooled` and `partial`, where usable."""

    def __init__(self, results: StudyResults, rungs: Mapping[str, Fit], design: Mapping[str, Any]) -> None:
        self.results, self.design = results, design
        self.group = design["groups"][0]
        self.site = f"alpha_{self.group}"
        self.fits = {fit.config["model"]: fit for fit in reversed(rungs.values())}
        self.units = results.data[design["outcome"]].attrs.get("units", "")

    @cached_property
    def partial(self) -> xr.Dataset:
        return self._posterior(PARTIAL, [self.site, "alpha", f"sigma_{self.group}", "sigma"])

    @cached_property
    def unpooled(self) -> xr.Dataset:
        return self._posterior(UNPOOLED, [self.site])

    def _posterior(self, rung: str, names: Sequence[str]) -> xr.Dataset:
        fit = self.fits.get(rung)
        found = draws(self.results, fit.entry, "posterior", names) if fit and not fit.failed else xr.Dataset()
        return found if self.site in found else xr.Dataset()

    @property
    def link(self) -> Callable:
        """From the scale of the linear predictor to that of the table."""
        if self.design["family"] in LOGISTIC:
            return lambda eta: 1 / (1 + np.exp(-eta))
        return np.exp if self.design["family"] in LOGARITHMIC else lambda eta: eta

    @property
    def scale(self) -> str:
        """What the estimates of the table are, in words."""
        outcome, family = self.results.data[self.design["outcome"]], self.design["family"]
        outcome = outcome.attrs.get("long_name", str(outcome.name).replace("_", " "))
        per = f" per unit of {self.design['exposure']}" if self.design["exposure"] else ""
        of = {
            **dict.fromkeys(LOGISTIC, f"probability of {outcome}"),
            **dict.fromkeys(LOGARITHMIC, f"mean {outcome}{per}"),
        }
        words = of.get(family, "log-odds" if family == "ordered" else outcome)
        units = f", {self.units}" if self.units and family not in (*LOGISTIC, "ordered") else ""
        at = " at the reference of the predictors" if self.design["predictors"] else ""
        return f"{words}{at}{units}"

    @cached_property
    def pulls(self) -> np.ndarray:
        """Share of the way from its own data to the common mean that each group is pulled (groups,); none if unknown.

        It is 1 / (1 + sigma^2 / s^2), averaged over draws of the standard deviation sigma between groups. s is the error of the
        group's own estimate: the posterior of no pooling, without what its prior adds to its precision.
        """
        if not self.partial or not self.unpooled:
            return np.array([])
        fit = self.fits[UNPOOLED]
        prior = dict(fit.values)["alpha_scale"] * fit.facts["outcome"]["scale"]
        precision = self.unpooled[self.site].var(SAMPLE).values ** -1.0 - prior**-2.0
        between = self.partial[f"sigma_{self.group}"].values.ravel() ** 2
        return (1 / (1 + np.maximum(precision, 0.0)[:, None] * between)).mean(axis=1)

    def pull(self) -> str:
        """How far partial pooling pulls, in a sentence."""
        if not self.partial:
            reason = "its fit failed" if PARTIAL in self.fits else "it is not in the study"
            return f"How far partial pooling pulls is not known: {reason}."
        if not len(self.pulls):
            return "How far partial pooling pulls from no pooling is not known, for lack of a usable fit of that."
        low, median, high = map(_percent, np.quantile(self.pulls, [0.0, 0.5, 1.0]))
        return (
            f"Partial pooling pulls a {self.group} from what its own data say {median} of the way to the common mean "
            f"(median of {counted(len(self.pulls), self.group)}; from {low} to {high})."
        )

    def sentences(self) -> list[str]:
        return [*([*self._mean(), sentence(self._spread())] if self.partial else []), self.pull()]

    def _mean(self) -> list[str]:
        """The common mean on the scale of the table."""
        if "alpha" not in self.partial:
            return []
        units = self.units if self.design["family"] in ("normal", "student") else ""
        words, values = self.scale.removesuffix(f", {self.units}"), self.link(self.partial["alpha"].values)
        return [f"At the common mean of {plural(self.group)} the {words} is {interval(values, units)}."]

    def _spread(self) -> str:
        """The standard deviation between groups, and what it means on a scale that has a meaning."""
        values = self.partial[f"sigma_{self.group}"].values.ravel()
        family = self.design["family"]
        units = self.units if family in ("normal", "student") else ""
        first = f"the standard deviation between {plural(self.group)} is {interval(values, units)}"
        if family in (*LOGISTIC, "ordered"):
            return f"{first} in log-odds: one standard deviation multiplies the odds by {interval(np.exp(values))}."
        if family in LOGARITHMIC:
            return f"{first} in logs: one standard deviation multiplies the mean by {interval(np.exp(values))}."
        if family == "normal" and "sigma" in self.partial:
            share = values**2 / (values**2 + self.partial["sigma"].values.ravel() ** 2)
            low, high = np.quantile(share, [LOW, HIGH])
            span = f"{_percent(share.mean())} of the variance (89 % from {_percent(low)} to {_percent(high)})"
            return (
                f"{first}, which is {span} that the predictors leave."
                if self.design["predictors"]
                else f"{first}, {span}."
            )
        return f"{first}."

    def table(self) -> list[list[str]]:
        """Name, own estimate, partially pooled estimate, its interval and pull of each group, most pulled last."""
        if not self.partial or not len(self.pulls):
            return []
        pooled, own = self.link(self.partial[self.site]), self.link(self.unpooled[self.site]).mean(SAMPLE).values
        means, spread = pooled.mean(SAMPLE).values, pooled.std(SAMPLE).values
        low, high = (pooled.quantile(q, SAMPLE).values for q in (LOW, HIGH))
        rows = zip(pooled[self.group].values, own, means, low, high, spread, self.pulls, strict=True)
        return [_row(str(label), numbers, pull, sd) for label, *numbers, sd, pull in rows]


def _row(label: str, numbers: Sequence[float], pull: float, spread: float) -> list[str]:
    """numbers: own estimate, partially pooled one, and the ends of its interval; spread: its standard deviation."""
    own, mean, low, high = (number(each, decimals_for(spread, 2)) for each in numbers)
    return [label, own, mean, f"{low} to {high}", _percent(pull)]


def _percent(share: float) -> str:
    return f"{number(100 * share, 0)} %"
