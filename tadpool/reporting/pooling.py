"""How much to pool: what a study with models of the ladder answers for old groups and for new ones, with quantities."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from tadpool import design as designs
from tadpool.reporting import ranking
from tadpool.reporting.estimands import interval
from tadpool.reporting.fits import Fit, draws
from tadpool.reporting.formatting import counted, number, plural, scaled, sentence
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
        return ranking.Conclusion(tone, [f"{each.about}: {each.sentences[0]}" for each in self.answers] + self.amount)


def pooling(results: StudyResults, all_fits: Sequence[Fit]) -> Pooling | None:
    """None where the study has no two entries of the ladder."""
    rungs = {fit.entry: fit for fit in all_fits if fit.design}
    if len(rungs) < 2:
        return None
    design = next(iter(rungs.values())).design
    amounts = Amounts(results, rungs, design)
    return Pooling(
        design["groups"][0],
        [_old(results, rungs, design), _new(results, rungs, design)],
        [sentence(words) for words in amounts.sentences()],
        amounts.scale,
        amounts.table(),
        _left_out(results, design),
    )


def _left_out(results: StudyResults, design: Mapping[str, Any]) -> list[tuple[str, str]]:
    used = [entry["model"] for entry in results.config["models"].values()]
    reasons = {rung: designs.applies(rung, design) for rung in designs.RUNGS if rung not in used}
    return [(rung, reason) for rung, reason in reasons.items() if reason]


def _old(results: StudyResults, rungs: Mapping[str, Fit], design: Mapping[str, Any]) -> Answer:
    group, unit = design["groups"][0], design["unit"]
    about = f"For the {plural(group)} in the data"
    if unit == group:
        first = f"Leaving out cannot say it: each row is a {group} of its own, so without its row it is a new {group}."
        second = f"What the {plural(group)} in the data share shows in their estimates: no pooling keeps each to its own row."
        return Answer(about, "none", [first, second])
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
    """What the entries that are ahead, or cannot be told from the first, have in common."""
    standing = {row.entry: row.standing for row in rows}
    level = [rungs[entry].config["model"] for entry, word in standing.items() if word in ("first", "tie")]
    behind = [rungs[entry].config["model"] for entry, word in standing.items() if word == "behind"]
    if not level:
        return []
    if POOLED in level and UNPOOLED in level:
        return [f"It makes no difference that these data can show whether {plural(group)} are pooled."]
    if POOLED in level:
        far = ", and no pooling is worse" if UNPOOLED in behind else ""
        return [f"Pool strongly: {plural(group)} differ too little for their differences to help{far}."]
    if UNPOOLED in level and len(level) > 1:
        return [
            f"Keep the {plural(group)} apart: complete pooling is worse, and whether to pool partially hardly matters."
        ]
    if UNPOOLED in level:
        return [f"Do not pool: the {plural(group)} say more each by itself."]
    further = (
        [] if PARTIAL in level else [FURTHER[rung].format(group=group, groups=plural(group)) for rung in level[:1]]
    )
    return [f"Pool partially{''.join(f', and {words}' for words in further)}."]


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
        outcome, family = self.design["outcome"].replace("_", " "), self.design["family"]
        per = f" per unit of {self.design['exposure']}" if self.design["exposure"] else ""
        of = {
            **dict.fromkeys(LOGISTIC, f"probability of {outcome}"),
            **dict.fromkeys(LOGARITHMIC, f"mean {outcome}{per}"),
        }
        words = of.get(family, "log-odds" if family == "ordered" else outcome)
        units = f", {self.units}" if self.units and family not in (*LOGISTIC, "ordered") else ""
        at = " at the mean of the predictors" if self.design["predictors"] else ""
        return f"{words}{at}{units}"

    @cached_property
    def pulls(self) -> np.ndarray:
        """Share of the way from its own estimate to the common mean that each group is pulled (groups,); none if unknown."""
        if not self.partial or not self.unpooled:
            return np.array([])
        own, pooled = (_means(each[self.site]) for each in (self.unpooled, self.partial))
        centre = float(self.partial["alpha"].mean()) if "alpha" in self.partial else 0.0
        return 1 - (pooled - centre) / (own - centre)

    def sentences(self) -> Iterator[str]:
        fit = self.fits.get(PARTIAL)
        if not self.partial:
            yield "How far partial pooling pulls is not known" + (
                ": its fit failed." if fit else ": it is not in the study."
            )
            return
        yield self._spread()
        if not len(self.pulls):
            yield "How far that is from no pooling is not known, for lack of a usable fit of it."
            return
        low, median, high = map(_percent, np.quantile(self.pulls, [0.25, 0.5, 0.75]))
        yield (
            f"partial pooling pulls the estimate of a {self.group} from its own data {median} of the way to the common mean "
            f"(median of {counted(len(self.pulls), self.group)}; half of them from {low} to {high})."
        )

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
            low, high = np.quantile(share, [0.055, 0.945])
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
        pooled, own = self.link(self.partial[self.site]), _means(self.link(self.unpooled[self.site]))
        means, spread = _means(pooled), pooled.std(("chain", "draw")).values
        low, high = (pooled.quantile(q, ("chain", "draw")).values for q in (0.055, 0.945))
        labels = [str(label) for label in pooled[self.group].values]
        return [
            [labels[i], *(scaled(x[i], spread[i]) for x in (own, means)),
             f"{scaled(low[i], spread[i])} to {scaled(high[i], spread[i])}", _percent(self.pulls[i])]
            for i in range(len(labels))
        ]  # fmt: skip


def _means(variable: xr.DataArray) -> np.ndarray:
    return variable.mean(("chain", "draw")).values


def _percent(share: float) -> str:
    return f"{number(100 * share, 0)} %"
