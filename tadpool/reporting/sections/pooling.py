"""How much to pool: what a study with models of the ladder answers for old groups and for new ones, with quantities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tadpool.evaluation.comparison import TIE_ELPD
from tadpool.files.results import StudyResults
from tadpool.formatting import plural
from tadpool.loading import undeclared_trials
from tadpool.modelling.design import Design
from tadpool.modelling.rungs import PARTIAL, POOLED, RUNGS, UNPOOLED
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.html.tables import Table
from tadpool.reporting.sections import comparisons, predictions
from tadpool.reporting.sections.pooling_amounts import Amounts

SUPPORTED = ("clear", "tie", "partial")
"""Tones of comparisons whose ranks mean something."""


@dataclass(frozen=True)
class Answer:
    """One half of the question. about: whom it is for. sentences: the first one is the answer. tone: of its comparison.

    headline: how many of the sentences the top of the page repeats.
    """

    about: str
    tone: str
    sentences: list[str]
    headline: int = 1


@dataclass(frozen=True)
class Pooling:
    """What the page says. differences: how much groups differ, with units. pull: how far partial pooling pulls estimates.

    scale: what the estimates of the table are. table: a row per group. centre: of the prior of no pooling, on that
    scale. left_out: rungs that do not apply, with the reason. notes: what the table may have been meant to say.
    """

    group: str
    differences: list[str]
    answers: list[Answer]
    pull: str
    scale: str
    table: Table | None
    centre: str
    left_out: list[tuple[str, str]]
    notes: list[str]

    @property
    def headline(self) -> comparisons.Conclusion:
        """Whether groups differ, both answers in a sentence or two each, and how far partial pooling pulls.

        Its tone is that of the first comparison.
        """
        if not self.answers:
            alone = f"Complete pooling alone is fitted, which says nothing of differences between {plural(self.group)}"
            return comparisons.Conclusion(
                "none", [f"{alone}: partial pooling {dict(self.left_out)[PARTIAL]}.", *self.notes]
            )
        tone = next((answer.tone for answer in self.answers if answer.tone != "none"), "none")
        answers = []
        for each in self.answers:
            first, *more = each.sentences[: each.headline]
            answers += [f"{each.about}: {first[:1].lower()}{first[1:]}", *more]
        pull = [] if self.pull_told else [self.pull]
        return comparisons.Conclusion(tone, [*self.differences[:2], *answers, *pull, *self.notes])

    @property
    def pull_told(self) -> bool:
        """Whether an answer begins with how far partial pooling pulls."""
        return any(answer.sentences[0] == self.pull for answer in self.answers)


def pooling(results: StudyResults, all_fits: Sequence[Fit]) -> Pooling | None:
    """None where the study has no two rungs of the ladder, unless no other than the one that it has applies."""
    rungs = {fit.entry: fit for fit in all_fits if fit.design}
    if not rungs:
        return None
    design = next(iter(rungs.values())).design
    left_out, group = _left_out(results, design), design.group
    notes = [*_without_errors(results, design), *_without_trials(results, design)]
    if len({fit.config["model"] for fit in rungs.values()}) < 2:
        alone = PARTIAL in dict(left_out)
        return Pooling(group, [], [], "", "", None, "", left_out, notes) if alone else None
    amounts = Amounts(results, rungs, design)
    return Pooling(
        group,
        amounts.differences(),
        [_old(results, rungs, design, amounts), _new(results, rungs, design)],
        amounts.pull(),
        str(amounts.scale),
        amounts.table(),
        amounts.centre,
        left_out,
        notes,
    )


def _left_out(results: StudyResults, design: Design) -> list[tuple[str, str]]:
    used = [entry["model"] for entry in results.config["models"].values()]
    reasons = {name: rung.inapplicable(design) for name, rung in RUNGS.items() if name not in used}
    return [(rung, reason) for rung, reason in reasons.items() if reason]


def _without_errors(results: StudyResults, design: Design) -> list[str]:
    """That groups of one row each tell nothing of their differences, where the config alone could not know it."""
    group = design.group
    if not design.family.free_scale or design.standard_error or design.rows_are_members:
        return []
    if np.bincount(results.data[f"{group}_index"].values).max() > 1:
        return []
    return [
        f"Each {group} has one row, so differences between {plural(group)} cannot be told from noise. Where the error of each "
        f"row is known, name its column as `standard_error` of {design.outcome}."
    ]


def _without_trials(results: StudyResults, design: Design) -> list[str]:
    """Whether a count may have trials that neither the table nor the design says."""
    told = results.table is None or design.trials or design.exposure
    return [] if told else list(undeclared_trials.sentences(results.table, [design.outcome]))


def _old(results: StudyResults, rungs: Mapping[str, Fit], design: Design, amounts: Amounts) -> Answer:
    group, unit = design.group, design.unit
    about = f"For the {plural(group)} in the data"
    if unit == group:
        alone = f"Leaving out compares nothing here: each row is a {group} of its own, and without its row it is a new {group}."
        return Answer(about, "none", [amounts.pull(), alone])
    found = _comparison(results, rungs, "unit")
    if found is None:
        return Answer(about, "none", [f"No comparison leaves out single {plural(unit)}."])
    conclusion, level = found
    return Answer(about, conclusion.tone, [*_advice(list(level), group), *conclusion.sentences])


def _new(results: StudyResults, rungs: Mapping[str, Fit], design: Design) -> Answer:
    group = design.group
    about = f"For a new {group}"
    sound = [name for name in results.config["predictions"] if name in rungs and not rungs[name].failed]
    told = [words for name in sound for words in predictions.of_new_member(results, name)]
    found = _comparison(results, rungs, "unit" if design.rows_are_members else group)
    if found is None:
        return Answer(about, "none", [*told, f"No comparison leaves out whole {plural(group)}."])
    conclusion, level = found
    first, *further = [*(_undecided(level, group) or _advice(list(level), group)), *conclusion.sentences]
    if any(fit.config["model"] == UNPOOLED and not fit.failed for fit in rungs.values()):
        further.append(f"Without pooling nothing is learnt of a new {group}: it is predicted from the prior alone.")
    # Of predictions the first sentence is the new member's effect.
    return Answer(about, conclusion.tone, [first, *told, *further], headline=1 + bool(told))


def _comparison(
    results: StudyResults, rungs: Mapping[str, Fit], target: str
) -> tuple[comparisons.Conclusion, dict[str, float]] | None:
    """What the first comparison of rungs on a target says, and the models that are ahead or cannot be told from that.

    These with their elpd less that of the first; none where ranks mean nothing.
    """
    for name, comparison in results.config["comparisons"].items():
        if comparison["target"] == target and sum(entry in rungs for entry in comparison["entries"]) > 1:
            rows = comparisons.rows(results, name)
            conclusion = comparisons.conclude(rows, comparisons.target_words(results, target))
            level = [row for row in rows if row.entry in rungs and row.standing in ("first", "tie")]
            known = level if conclusion.tone in SUPPORTED else []
            return conclusion, {rungs[row.entry].config["model"]: row.numbers["elpd_diff"] for row in known}
    return None


def _undecided(level: Mapping[str, float], group: str) -> list[str]:
    """That a comparison does not choose between complete and partial pooling, which does not say that groups are equal.

    level: the models that are ahead or cannot be told from that, with their elpd less that of the first.
    """
    if not {POOLED, PARTIAL} <= set(level) or _beyond(next(iter(level)), group):
        return []
    alike = abs(level[POOLED] - level[PARTIAL]) < TIE_ELPD
    first = (
        f"Complete and partial pooling predict a new {group} alike"
        if alike
        else (f"Whether complete or partial pooling predicts a new {group} better cannot be told")
    )
    also = ", and no pooling cannot be told from them" if UNPOOLED in level else ""
    return [f"{first}{also}; that does not say whether {plural(group)} differ."]


def _beyond(rung: str, group: str) -> str:
    """What a rung does beyond partial pooling of intercepts, as advice; "" where it does nothing."""
    chosen = RUNGS[rung]
    if chosen.group_means:
        return f"add the predictors' means in each {group}"
    return f"let the slopes differ between {plural(group)}" if chosen.partial and chosen.slopes else ""


def _advice(level: Sequence[str], group: str) -> list[str]:
    """What to do. level: the model that is ahead and those that cannot be told from it."""
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
    beyond = _beyond(best, group)
    further = f", and {beyond}" if beyond else ""
    told = [words for rung, words in ((POOLED, "completely"), (UNPOOLED, "not at all")) if rung in level]
    if beyond and PARTIAL in level:
        told.append("partially without that")
    also = f"; to pool {' or '.join(told)} cannot be told from it" if told else ""
    return [f"Pool partially{further}{also}."]
