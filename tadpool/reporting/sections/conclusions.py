"""What a comparison says, and what it does not: a conclusion that claims no more than its rows
support."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tadpool.evaluation.comparison import EQUAL, UNCERTAIN
from tadpool.files.results import StudyResults
from tadpool.formatting import counted, listed, number, sentence
from tadpool.reporting.fit_view import PRIOR_ALONE
from tadpool.reporting.html.tables import Table
from tadpool.reporting.sections import contributions
from tadpool.reporting.sections.comparison import SHORT, Row, comparison_table, read_rows, target_words, void, weighted

MANY_MODELS = 11
MANY_UNRELIABLE = 0.05
"""Above this share of units whose scores are unreliable, the conclusion is withdrawn."""
STANDINGS = {
    "clear": "of {these}, the {best} model predicts {target} best: its elpd is {gaps}.",
    "equal": "of {these}, the {level} models predict {target} about equally well (the elpd of {best} is {gaps}).",
    "uncertain": (
        "of {these}, {level} are too close to call in how well they predict {target} (the elpd of {best} is {gaps})."
    ),
    "both": (
        "of {these}, {equal} predict {target} about equally well; {uncertain} are too close to call (the elpd of {best} is "
        "{gaps})."
    ),
}
"""What is said of the best model, by how far it is ahead."""
THESE = {"all": "these models", "sound": "the fits that did not fail", "doubt": "these models, taken at face value"}
"""Of which models it is said, by what the scores are worth."""
NOTHING = "No model can be compared: no fit has usable numbers."
UNSCORED = "No model can be compared: there are no predictive scores."
FAILED = "No model can be called best: {best} has the largest elpd, but its fit failed."
MEANINGLESS = "Differences are measured from it, so they mean nothing either."
ONE = "{label} is scored on {target}; no other model is compared with it."
ALONE = "Only the {best} model has usable numbers, so there is nothing to compare it with."
DOUBT = (
    f"Which model predicts best is not settled: more than {number(100 * MANY_UNRELIABLE, 0)} % of a model's scores are "
    "unreliable."
)
WORSE = "The elpd is lower by {gaps}."
MANY_UNITS = 100
VERY_FEW_UNITS = 10
FEW = "{units} {nouns} are few: below 100, standard errors and P(worse) are rough."
VERY_FEW = "{units} {nouns} are too few for standard errors and P(worse) to be trusted."
LARGER_WEIGHT = 0.1
"""A stacking weight that is so much larger than the weight of the best model is explained."""


@dataclass(frozen=True)
class Conclusion:
    """What may be said. sentences: the first one is the headline.

    tone: "clear", "equal", "uncertain" (which is best), "partial" (some fits failed), "doubt"
    (Pareto k), "fail", or "none" (nothing was compared).
    """

    tone: str
    sentences: list[str]


@dataclass(frozen=True)
class Comparison:
    """One comparison: its rows as in its CSV, and what they support."""

    name: str
    target: str
    rows: list[Row]
    conclusion: Conclusion

    @property
    def table(self) -> Table:
        return comparison_table(self.rows)

    @property
    def best(self) -> str:
        """The model that predicts best of those compared, with what is not told from it; or why
        there is none."""
        ranked = [row for row in self.rows if row.ranked]
        if self.conclusion.tone == "fail" or len(ranked) < 2:
            return "none: nothing to compare it with" if ranked and self.conclusion.tone != "fail" else "none"
        words = {EQUAL: "about equal", UNCERTAIN: "too close to call"}
        level = {row.label: words[row.standing] for row in ranked[1:] if row.standing in words}
        beside = [f"{word}: {listed([label for label in level if level[label] == word])}" for word in words.values()
                  if word in level.values()]  # fmt: skip
        doubt = ["not settled: scores are unreliable"] if self.conclusion.tone == "doubt" else []
        return "; ".join([ranked[0].label, *beside, *doubt])

    @property
    def short(self) -> Table:
        """The columns that the verdict is made of."""
        return comparison_table(self.rows, SHORT)


def comparisons(results: StudyResults) -> list[Comparison]:
    """Every comparison of the study, in its order; that units are few is said of the first."""
    found, few = [], set()
    for name, config in results.config["comparisons"].items():
        rows, target = read_rows(results, name), target_words(results, config["target"])
        conclusion = conclude(rows, target)
        behind = contributions.told(results, rows, config["target"]) if conclusion.tone != "fail" else []
        told = [words for words in conclusion.sentences if words not in few]
        few.update(words for words in _few([row for row in rows if row.ranked], target) if words in told)
        told += [*behind, *_subset(results, config), *_unscored(results, config, found)]
        found.append(Comparison(name, target, rows, replace(conclusion, sentences=told)))
    return found


def _unscored(results: StudyResults, comparison: Mapping[str, Any], before: Sequence[Comparison]) -> Iterator[str]:
    """That the model that is best in the study's first comparison has no score for this target."""
    best = before[0].rows[0] if before else None
    first = next(iter(results.config["comparisons"].values()))
    if best and best.ranked and best.entry not in comparison["entries"] and comparison["target"] != first["target"]:
        yield f"{sentence(best.label)}, which has the highest score for {before[0].target}, is not scored here."


def _subset(results: StudyResults, comparison: Mapping[str, Any]) -> Iterator[str]:
    """That only some members of the target were held out, where that is so."""
    group = comparison["target"]
    if group not in results.groups_left_out:
        return
    plans = (json.loads(results.loo(entry, group).attrs.get("plan", "{}")) for entry in comparison["entries"])
    plan = next((plan for plan in plans if "members" in plan), None)
    if plan and plan["members"] < plan["of"]:
        fits = counted(plan["folds"], "fit")
        yield f"{plan['members']} of the {plan['of']} members of {group}, chosen at random, were held out, in {fits}."


def conclude(table: Sequence[Row], target: str) -> Conclusion:
    """The conclusion of one comparison.

    Args:
        table: Its rows, best first.
        target: What is predicted, in words and in the plural.

    Returns:
        What the rows support, in sentences.
    """
    tone, sentences = _conclusion(table, target)
    return Conclusion(tone, [sentence(words) for words in sentences])


def _conclusion(table: Sequence[Row], target: str) -> tuple[str, list[str]]:
    failures = _failures([row.label for row in table if row.failed and not row.ranked])
    failures += _ranked_failures([row.label for row in table if row.failed and row.ranked])
    unscored = [row.label for row in table if not row.failed and not row.scored]
    failures += [f"{listed(unscored)}: no predictive score, so no rank."] if unscored else []
    ranked = [row for row in table if row.ranked]
    if not ranked:
        return "fail", [UNSCORED if unscored else NOTHING, *failures]
    if void(table):
        best = next(row.label for row in table if row.scored)
        return "fail", [FAILED.format(best=best), MEANINGLESS, *failures]
    if len(table) == 1:
        doubt = [_doubt(ranked)] if ranked[0].unreliable else []
        return "doubt" if doubt else "clear", [ONE.format(label=ranked[0].label, target=target), *doubt]
    if len(ranked) == 1:
        return "fail", [ALONE.format(best=ranked[0].label), *failures]
    unreliable = [row for row in ranked if row.unreliable]
    if any(row.unreliable > MANY_UNRELIABLE * row.units for row in unreliable):
        return "doubt", [DOUBT, _doubt(unreliable), *_standing(ranked, target, "doubt"), *failures]
    sound = any(row.failed and not row.ranked for row in table)
    tone = "partial" if sound or unscored else _ahead(ranked)
    standing = _standing(ranked, target, "sound" if sound else "all")
    return tone, [
        *standing,
        *_refitted(ranked),
        *([_doubt(unreliable)] if unreliable else []),
        *_few(ranked, target),
        *_weights(ranked),
        *_many(ranked),
        *failures,
    ]


def _failures(labels: Sequence[str]) -> list[str]:
    if len(labels) == 1:
        return [f"{labels[0]} failed its check and has no rank."]
    return [f"{listed(labels)} failed their checks and have no rank."] if labels else []


def _ranked_failures(labels: Sequence[str]) -> list[str]:
    if not labels:
        return []
    check, it = ("its check", "it is") if len(labels) == 1 else ("their checks", "they are")
    return [f"{listed(labels)} failed {check}; {it} ranked because the study says so, and the score may be wrong."]


def _ahead(ranked: Sequence[Row]) -> str:
    """A key of STANDINGS: whether the first is ahead of all others, and if not, what the
    differences to those that are level with it are."""
    level = {row.standing for row in ranked[1:] if row.tie}
    return "clear" if not level else "equal" if level == {EQUAL} else "uncertain"


def _level(best: Row, ties: Sequence[Row]) -> dict[str, str]:
    """The models that are not told from the best, by what their differences to it are."""
    equal, uncertain = ([row.label for row in ties if row.standing == standing] for standing in (EQUAL, UNCERTAIN))
    return {
        "level": listed([best.label, *(row.label for row in ties)]),
        "equal": listed([best.label, *equal]),
        "uncertain": listed([best.label, *uncertain]),
    }


def _standing(ranked: Sequence[Row], target: str, worth: str) -> list[str]:
    """Which models are ahead, and how far behind the others are. worth: a key of THESE."""
    best, others = ranked[0], [row for row in ranked[1:] if not row.prior_alone] or ranked[1:]
    ties, worse = [row for row in others if row.tie], [row for row in others if not row.tie]
    gaps = listed([f"{row.gap} above {row.label}" for row in ties or worse])
    key = "both" if {row.standing for row in ties} == {EQUAL, UNCERTAIN} else _ahead([best, *others])
    first = STANDINGS[key].format(these=THESE[worth], best=best.label, target=target, gaps=gaps, **_level(best, ties))
    told = [first]
    if ties and worse:
        told.append(WORSE.format(gaps=listed([f"{row.gap} for {row.label}" for row in worse])))
    alone = [PRIOR_ALONE.format(label=row.label, target=target) for row in ranked if row.prior_alone]
    return [*told, *(f"{words}, so its elpd says little." for words in alone)]


def _few(ranked: Sequence[Row], target: str) -> list[str]:
    """That units are too few for a standard error, or for a normal approximation to what it is the
    error of (Sivula et al. 2025, arXiv:2008.10296)."""
    units = ranked[0].units if ranked else 0
    nouns = target.removeprefix("new ").removeprefix("held-out ")
    if not units or units >= MANY_UNITS:
        return []
    return [(VERY_FEW if units < VERY_FEW_UNITS else FEW).format(units=units, nouns=nouns)]


def _weights(ranked: Sequence[Row]) -> list[str]:
    """Why stacking weights do not follow the ranking, where they are shown and do not."""
    best = ranked[0]
    heaviest = max(ranked, key=lambda row: row.numbers.get("weight") or 0.0)
    if not weighted(ranked) or heaviest.numbers["weight"] - best.numbers["weight"] < LARGER_WEIGHT:
        return []
    return [
        f"Stacking gives {heaviest.label} more weight ({number(heaviest.numbers['weight'])}) than {best.label} "
        f"({number(best.numbers['weight'])}): a weight says what a model adds to a mixture of all, not how well it "
        "predicts alone."
    ]


def _refitted(ranked: Sequence[Row]) -> list[str]:
    """How far PSIS alone would have been off, where that is more than the Monte Carlo error."""
    off = [row for row in ranked if row.psis_excess is not None and abs(row.psis_excess) > 2 * row.numbers["mcse"]]
    if not off:
        return []
    parts = []
    for verb, sign in (("overestimate", 1), ("underestimate", -1)):
        own = [row for row in off if row.psis_excess * sign > 0]
        each = [f"by {number(abs(row.psis_excess), 1)} for {row.label} ({row.methods})" for row in own]
        parts += [f"{verb} the elpd {listed(each)}"] if own else []
    return [f"PSIS alone would {listed(parts)}."]


def _doubt(unreliable: Sequence[Row]) -> str:
    parts = [f"{row.unreliable} of {counted(row.units, 'score')} of {row.label}" for row in unreliable]
    return f"Unreliable (Pareto k too high, or a refit whose chains disagree): {listed(parts)}."


def _many(ranked: Sequence[Row]) -> list[str]:
    """Among many models of equal merit one looks best by chance (McLatchie & Vehtari 2024,
    Statistics and Computing 34)."""
    if len(ranked) <= MANY_MODELS:
        return []
    return [f"{len(ranked)} models were compared: among more than {MANY_MODELS}, the best may lead by chance alone."]
