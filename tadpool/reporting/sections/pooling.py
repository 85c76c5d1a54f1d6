"""How much to pool: what a study with models of the ladder answers for old groups and for new ones,
with quantities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tadpool.evaluation.comparison import TIE_ELPD
from tadpool.files.results import StudyResults
from tadpool.formatting import an, plural
from tadpool.modelling.design import Design
from tadpool.modelling.rungs import PARTIAL, POOLED, RUNGS, UNPOOLED
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.html.tables import Table
from tadpool.reporting.sections import comparison, conclusions, data, predictions
from tadpool.reporting.sections.pooling_amounts import Amounts

BEST = {
    POOLED: "Use complete pooling: {groups} differ too little for their differences to improve predictions.",
    UNPOOLED: "Use no pooling.",
    PARTIAL: "Use partial pooling.",
    "slopes": "Use partial pooling, and let the slopes differ between {groups}.",
    "means": "Use partial pooling, and add the predictors' means in each {group}.",
}
"""What to do, by the kind of the model that predicts best."""
ALSO = {
    frozenset(): "",
    frozenset({POOLED}): "Complete pooling is indistinguishable from it.",
    frozenset({UNPOOLED}): "No pooling is indistinguishable from it.",
    frozenset({PARTIAL}): "Partial pooling is indistinguishable from it.",
}
"""Which other ways to pool are tied with the best, where that is not partial pooling with more than
intercepts."""
ALSO_SIMPLER = {
    frozenset(): "",
    frozenset({POOLED}): "Complete pooling is indistinguishable from it.",
    frozenset({UNPOOLED}): "No pooling is indistinguishable from it.",
    frozenset({PARTIAL}): "Partial pooling without this is indistinguishable from it.",
    frozenset({POOLED, PARTIAL}): "Complete pooling, and partial pooling without this, are indistinguishable from it.",
    frozenset({UNPOOLED, PARTIAL}): "No pooling, and partial pooling without this, are indistinguishable from it.",
}
"""The same, where the best is partial pooling with more than intercepts."""
ANY = {
    False: "The data do not show how much to pool: complete and no pooling are indistinguishable.",
    True: "The data do not show how much to pool: complete, partial and no pooling are indistinguishable.",
}
"""What is said where complete and no pooling are both tied with the best, by whether partial
pooling is too."""
NEW = {
    (True, False): (
        "Complete and partial pooling predict new {groups} about equally well; this does not say whether {groups} differ."
    ),
    (True, True): (
        "Complete and partial pooling predict new {groups} about equally well, and no pooling is indistinguishable from "
        "them; this does not say whether {groups} differ."
    ),
    (False, False): (
        "The data do not show whether complete or partial pooling predicts new {groups} better; this does not say whether "
        "{groups} differ."
    ),
    (False, True): (
        "The data do not show whether complete or partial pooling predicts new {groups} better, and no pooling is "
        "indistinguishable from them; this does not say whether {groups} differ."
    ),
}
"""What is said of new groups where complete and partial pooling are tied, by whether their scores
are about equal and whether no pooling is tied too."""
SUPPORTED = ("clear", "equal", "uncertain", "partial")
"""Tones of comparisons whose ranks mean something."""


@dataclass(frozen=True)
class Answer:
    """One half of the question. about: whom it is for. sentences: the first one is the answer.
    tone: of its comparison.

    headline: how many of the sentences the top of the page repeats.
    """

    about: str
    tone: str
    sentences: list[str]
    headline: int = 1


@dataclass(frozen=True)
class Pooling:
    """What the page says. differences: how much groups differ, with units. shrinkage: how far
    partial pooling moves estimates.

    scale: what the estimates of the table are. table: a row per group. centre: of the prior of no
    pooling, on that scale. left_out: rungs that do not apply, with the reason. notes: what the
    table may have been meant to say.
    """

    group: str
    differences: list[str]
    answers: list[Answer]
    shrinkage: str
    scale: str
    table: Table | None
    centre: str
    left_out: list[tuple[str, str]]
    notes: list[str]

    @property
    def headline(self) -> conclusions.Conclusion:
        """Whether groups differ, both answers in a sentence or two each, and how far partial
        pooling moves estimates.

        Its tone is the tone of the first comparison.
        """
        if not self.answers:
            alone = (
                f"Only complete pooling is fitted, which says nothing about differences between {plural(self.group)}"
            )
            return conclusions.Conclusion(
                "none", [f"{alone}: partial pooling {dict(self.left_out)[PARTIAL]}.", *self.notes]
            )
        tone = next((answer.tone for answer in self.answers if answer.tone != "none"), "none")
        answers = []
        for each in self.answers:
            first, *more = each.sentences[: each.headline]
            answers += [f"{each.about}: {first[:1].lower()}{first[1:]}", *more]
        shrinkage = [] if self.answered_by_shrinkage else [self.shrinkage]
        return conclusions.Conclusion(tone, [*self.differences[:2], *answers, *shrinkage, *self.notes])

    @property
    def answered_by_shrinkage(self) -> bool:
        """Whether an answer begins with how far partial pooling moves estimates."""
        return any(answer.sentences[0] == self.shrinkage for answer in self.answers)


def pooling(results: StudyResults, all_fits: Sequence[Fit]) -> Pooling | None:
    """None where the study has no two rungs of the ladder, unless no other than the one that it has
    applies."""
    rungs = {fit.entry: fit for fit in all_fits if fit.design}
    if not rungs:
        return None
    design = next(iter(rungs.values())).design
    left_out, group = _left_out(results, design), design.group
    notes = [*_without_errors(results, design), *(each.sentence for each in data.remarks(results))]
    if len({fit.config["model"] for fit in rungs.values()}) < 2:
        alone = PARTIAL in dict(left_out)
        return Pooling(group, [], [], "", "", None, "", left_out, notes) if alone else None
    amounts = Amounts(results, rungs, design)
    return Pooling(
        group,
        amounts.differences(),
        [_answer_for_old_groups(results, rungs, design, amounts), _answer_for_new_group(results, rungs, design)],
        amounts.shrinkage(),
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
    """That groups of one row each say nothing about their differences, where the config alone does
    not show it."""
    group = design.group
    if not design.family.free_scale or design.standard_error or design.rows_are_members:
        return []
    if np.bincount(results.data[f"{group}_index"].values).max() > 1:
        return []
    return [
        f"Each {group} has one row, so differences between {plural(group)} cannot be separated from noise. If the standard "
        f"error of each row is known, name its column as `standard_error` of {design.outcome}."
    ]


def _answer_for_old_groups(results: StudyResults, rungs: Mapping[str, Fit], design: Design, amounts: Amounts) -> Answer:
    group, unit = design.group, design.unit
    about = f"For the {plural(group)} in the data"
    if unit == group:
        alone = f"No row can be held out alone: each row is {an(group)} of its own, and without its row it is a new {group}."
        return Answer(about, "none", [amounts.shrinkage(), alone])
    found = _comparison(results, rungs, "unit")
    if found is None:
        return Answer(about, "none", [f"No comparison holds out single {plural(unit)}."])
    conclusion, level = found
    return Answer(about, conclusion.tone, [*_advice(list(level), group), *conclusion.sentences])


def _answer_for_new_group(results: StudyResults, rungs: Mapping[str, Fit], design: Design) -> Answer:
    group = design.group
    about = f"For a new {group}"
    answered = [each["entry"] for each in results.config["answers"].values() if _is_of_new_member(each, group)]
    named = [name for name in results.config["predictions"] if name in rungs and name not in answered]
    sound = [name for name in named if not rungs[name].failed]
    told = [words for name in sound for words in predictions.of_new_member(results, name)]
    found = _comparison(results, rungs, "unit" if design.rows_are_members else group)
    if found is None:
        return Answer(about, "none", [*told, f"No comparison holds out whole {plural(group)}."])
    conclusion, level = found
    first, *further = [*(_undecided(level, group) or _advice(list(level), group)), *conclusion.sentences]
    if any(fit.config["model"] == UNPOOLED and not fit.failed for fit in rungs.values()):
        further.append(
            f"Without pooling the data say nothing about a new {group}: it is predicted from its prior, "
            "which is centred on the data."
        )
    # Of predictions the first sentence is the new member's effect.
    return Answer(about, conclusion.tone, [first, *told, *further], headline=1 + bool(told))


def _is_of_new_member(answer: Mapping[str, Any], group: str) -> bool:
    """Whether an answer is the expected outcome of a new member of a group, as its effect is."""
    expected = answer["predict"] is not None and answer["of"] == "mean" and answer["at_least"] is None
    return expected and answer["over"] == "new" and answer["group"] in (group, None) and not answer["at"]


def _comparison(
    results: StudyResults, rungs: Mapping[str, Fit], target: str
) -> tuple[conclusions.Conclusion, dict[str, float]] | None:
    """What the first comparison of rungs on a target says, and the models that are ahead or tied.

    These with their elpd minus the elpd of the first; none where ranks mean nothing.
    """
    for name, config in results.config["comparisons"].items():
        if config["target"] == target and sum(entry in rungs for entry in config["entries"]) > 1:
            rows = comparison.read_rows(results, name)
            conclusion = conclusions.conclude(rows, comparison.target_words(results, target))
            level = [row for row in rows if row.entry in rungs and row.ranked and (row.tie or row.standing == "best")]
            known = level if conclusion.tone in SUPPORTED else []
            return conclusion, {rungs[row.entry].config["model"]: row.numbers["elpd_diff"] for row in known}
    return None


def _undecided(level: Mapping[str, float], group: str) -> list[str]:
    """That a comparison does not choose between complete and partial pooling, which does not say
    that groups are equal.

    level: the models that are ahead or tied, with their elpd minus the elpd of the first.
    """
    if not {POOLED, PARTIAL} <= set(level) or _is_extended(next(iter(level))):
        return []
    equal = abs(level[POOLED] - level[PARTIAL]) < TIE_ELPD
    return [NEW[equal, UNPOOLED in level].format(groups=plural(group))]


def _kind(rung: str) -> str:
    """A key of BEST."""
    chosen = RUNGS[rung]
    if chosen.group_means:
        return "means"
    if chosen.partial:
        return "slopes" if chosen.slopes else PARTIAL
    return rung


def _is_extended(rung: str) -> bool:
    """Whether a rung goes beyond partial pooling of intercepts."""
    return _kind(rung) in ("slopes", "means")


def _advice(level: Sequence[str], group: str) -> list[str]:
    """What to do. level: the model that is ahead and those that are tied with it."""
    if not level:
        return []
    if {POOLED, UNPOOLED} <= set(level):
        return [ANY[PARTIAL in level]]
    best = level[0]
    also = (ALSO_SIMPLER if _is_extended(best) else ALSO)[frozenset(level[1:]) & {POOLED, UNPOOLED, PARTIAL}]
    return [" ".join(filter(None, [BEST[_kind(best)].format(group=group, groups=plural(group)), also]))]
