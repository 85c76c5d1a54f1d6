"""What a comparison says, and what it does not: its rows, and a conclusion that claims no more than they support."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from tadpool.evaluation.comparison import TIE_ELPD
from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING, counted, difference, listed, missing, number, plural, sentence, whole
from tadpool.reporting.html.tables import Cell, Column, Table

MANY_MODELS = 11
MANY_UNRELIABLE = 0.05
"""Above this share of units whose scores are unreliable, the conclusion is withdrawn."""


@dataclass(frozen=True)
class Row:
    """One compared entry. numbers: the row of the CSV. unreliable: units, or members, whose scores are unreliable.

    psis_excess: by how much PSIS alone would have been above the elpd, where units were fitted again.

    rank_failed: the study says that an entry whose fit failed is ranked all the same.
    """

    entry: str
    label: str
    verdict: str
    numbers: Mapping[str, Any]
    unreliable: int
    psis_excess: float | None
    rank_failed: bool = False

    @property
    def failed(self) -> bool:
        return self.verdict == "fail"

    @property
    def ranked(self) -> bool:
        """Whether its rank and score are shown."""
        return self.scored and (self.rank_failed or not self.failed)

    @property
    def scored(self) -> bool:
        return not missing(self.numbers["elpd"])

    @property
    def tie(self) -> bool:
        """Whether it is indistinguishable from the first row."""
        return str(self.numbers["tie"]) == "True"

    @property
    def standing(self) -> str:
        """ "best", "tie" (with the best), "worse", or "no rank"."""
        if not self.ranked:
            return "no rank"
        return "tie" if self.tie else "best" if self.numbers["rank"] == 1 else "worse"

    @property
    def units(self) -> int:
        return 0 if missing(self.numbers.get("n_units")) else int(self.numbers["n_units"])

    @property
    def methods(self) -> str:
        """How many units were scored by each method."""
        words = {"rows_psis": "PSIS", "rows_refit": "refitted", "rows_kfold": "K-fold"}
        counts = {word: self.numbers.get(key) for key, word in words.items()}
        return ", ".join(f"{whole(count)} {word}" for word, count in counts.items() if not missing(count) and count)

    @property
    def gap(self) -> str:
        """Distance to the first row with its standard error."""
        return difference(abs(self.numbers["elpd_diff"]), self.numbers["dse"])


@dataclass(frozen=True)
class Placed:
    """A row in its table. void: whether ranks mean nothing there. weighted: whether weights mean something."""

    row: Row
    void: bool
    weighted: bool

    @property
    def rank(self) -> Cell | str:
        if not self.row.ranked:
            why = (
                "its fit failed, so its predictive score means nothing"
                if self.row.failed
                else "it has no predictive score"
            )
            return Cell(f"No rank: {why}.", rest=True)
        return MISSING if self.void else whole(self.row.numbers["rank"])

    @property
    def difference(self) -> str:
        numbers = self.row.numbers
        first = self.void or numbers["rank"] == 1
        return MISSING if first else f"{number(numbers['elpd_diff'])} ± {number(numbers['dse'])}"

    @property
    def doubtful(self) -> Cell:
        return Cell(f"{self.row.unreliable} of {self.row.units}", "warn" if self.row.unreliable else "")


COLUMNS = (
    Column("Model", attrgetter("row.label"), number=False),
    Column("Verdict", lambda it: Cell(it.row.verdict, badge=it.row.verdict), number=False),
    Column("Rank", attrgetter("rank")),
    Column("elpd", lambda it: number(it.row.numbers["elpd"])),
    Column("SE", lambda it: number(it.row.numbers["se"])),
    Column("MCSE", lambda it: number(it.row.numbers["mcse"])),
    Column("Difference ± SE", attrgetter("difference")),
    Column("Standing", lambda it: MISSING if it.void else it.row.standing, number=False),
    Column("Weight", lambda it: number(it.row.numbers["weight"]) if it.weighted else MISSING),
    Column("p_loo", lambda it: number(it.row.numbers["p_loo"])),
    Column("Unreliable", attrgetter("doubtful")),
    Column("Scored by", attrgetter("row.methods"), number=False),
)


def table(found: Sequence[Row]) -> Table:
    """A row for each compared entry. Weights are shown where no failed fit took part in the stacking."""
    weighted = not any(row.scored and not row.ranked for row in found)
    rows = [Placed(row, void(found), weighted) for row in found]
    return Table(COLUMNS, rows, failed=attrgetter("row.failed"))


@dataclass(frozen=True)
class Conclusion:
    """What may be said. sentences: the first one is the headline.

    tone: "clear", "tie", "partial" (some fits failed), "doubt" (Pareto k), "fail", or "none" (nothing was compared).
    """

    tone: str
    sentences: list[str]


def rows(results: StudyResults, comparison: str) -> list[Row]:
    """The rows of a comparison as in its CSV; an entry whose check failed is a failed row whatever the CSV says."""
    found, config = [], results.config["comparisons"][comparison]
    for numbers in results.comparison(comparison).to_dict("records"):
        entry = numbers["model"]
        verdicts = {results.check(entry)["verdict"], numbers["verdict"]}
        verdict = next((word for word in ("fail", "warn") if word in verdicts), "pass")
        unreliable = 0 if missing(numbers["doubtful"]) else int(numbers["doubtful"])
        excess, rank_failed = _psis_excess(results, entry, numbers), config["rank_failed"]
        found.append(Row(entry, results.label(entry), verdict, numbers, unreliable, excess, rank_failed))
    return found


def _psis_excess(results: StudyResults, entry: str, numbers: Mapping[str, Any]) -> float | None:
    tree = results.loo(entry, numbers["target"])
    if missing(numbers["elpd"]) or "loo" not in tree.children or "elpd_psis" not in tree["loo"]:
        return None
    loo = tree["loo"].to_dataset()
    return float((loo["elpd_psis"] - loo["elpd"]).sum()) if (loo["method"] != "psis").any() else None


def target_words(results: StudyResults, target: str) -> str:
    """What is predicted, in words and in the plural."""
    unit = results.config["unit"]
    if target in ("unit", unit) and unit not in results.config["groups"]:
        return f"held-out {plural(unit)}"
    return f"new {plural(unit if target == 'unit' else target)}"


STANDINGS = {
    ("all", "clear"): "The {best} model predicts {target} best: its elpd is {gaps}.",
    ("all", "equal"): "A tie: the {level} models predict {target} about equally well (the elpd of {best} is {gaps}).",
    ("all", "uncertain"): (
        "A tie: which of the {level} models predicts {target} best is uncertain (the elpd of {best} is {gaps})."
    ),
    ("sound", "clear"): (
        "Among the fits that did not fail, the {best} model predicts {target} best: its elpd is {gaps}."
    ),
    ("sound", "equal"): (
        "Among the fits that did not fail, the {level} models predict {target} about equally well "
        "(the elpd of {best} is {gaps})."
    ),
    ("sound", "uncertain"): (
        "Among the fits that did not fail, which of the {level} models predicts {target} best is uncertain "
        "(the elpd of {best} is {gaps})."
    ),
    ("doubt", "clear"): "Taken at face value, the {best} model predicts {target} best: its elpd is {gaps}.",
    ("doubt", "equal"): (
        "Taken at face value, the {level} models predict {target} about equally well (the elpd of {best} is {gaps})."
    ),
    ("doubt", "uncertain"): (
        "Taken at face value, which of the {level} models predicts {target} best is uncertain "
        "(the elpd of {best} is {gaps})."
    ),
}
"""What is said of the best model, by what the scores are worth and how far it is ahead."""
NOTHING = "No model can be compared: no fit has usable numbers."
FAILED = "No model can be called best: {best} has the largest elpd, but its fit failed."
MEANINGLESS = "Differences are measured from it, so they mean nothing either."
ALONE = "Only the {best} model has usable numbers, so there is nothing to compare it with."
DOUBT = "Which model predicts best is not settled: too many scores are unreliable."
WORSE = "The elpd is lower by {gaps}."


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
    ranked = [row for row in table if row.ranked]
    if not ranked:
        return "fail", [NOTHING, *failures]
    if void(table):
        best = next(row.label for row in table if row.scored)
        return "fail", [FAILED.format(best=best), MEANINGLESS, *failures]
    if len(ranked) == 1:
        return "fail", [ALONE.format(best=ranked[0].label), *failures]
    unreliable = [row for row in ranked if row.unreliable]
    if any(row.unreliable > MANY_UNRELIABLE * row.units for row in unreliable):
        return "doubt", [DOUBT, _doubt(unreliable), *_standing(ranked, target, "doubt"), *failures]
    sound = any(row.failed and not row.ranked for row in table)
    tone = "partial" if sound else "tie" if any(row.tie for row in ranked) else "clear"
    standing = _standing(ranked, target, "sound" if sound else "all")
    return tone, [
        *standing,
        *_refitted(ranked),
        *([_doubt(unreliable)] if unreliable else []),
        *_many(ranked),
        *failures,
    ]


def void(table: Sequence[Row]) -> bool:
    """Whether the first row failed, so that no rank and no difference means anything, unless failed rows are ranked."""
    return next((not row.ranked for row in table if row.scored), True)


def _failures(labels: Sequence[str]) -> list[str]:
    if len(labels) == 1:
        return [f"{labels[0]} failed its check and has no rank."]
    return [f"{listed(labels)} failed their checks and have no rank."] if labels else []


def _ranked_failures(labels: Sequence[str]) -> list[str]:
    if not labels:
        return []
    check, it = ("its check", "it is") if len(labels) == 1 else ("their checks", "they are")
    return [f"{listed(labels)} failed {check}; {it} ranked because the study says so, and the score may be wrong."]


def _standing(ranked: Sequence[Row], target: str, worth: str) -> list[str]:
    """Which models are ahead, and how far behind the others are. worth: "all", "sound" or "doubt", see STANDINGS."""
    best, others = ranked[0], ranked[1:]
    ties, worse = [row for row in others if row.tie], [row for row in others if not row.tie]
    ahead = "clear"
    if ties:
        ahead = "equal" if all(abs(row.numbers["elpd_diff"]) < TIE_ELPD for row in ties) else "uncertain"
    level = listed([row.label for row in (best, *ties)])
    gaps = listed([f"{row.gap} above {row.label}" for row in ties or worse])
    first = STANDINGS[worth, ahead].format(best=best.label, level=level, target=target, gaps=gaps)
    if not (ties and worse):
        return [first]
    return [first, WORSE.format(gaps=listed([f"{row.gap} for {row.label}" for row in worse]))]


def _refitted(ranked: Sequence[Row]) -> list[str]:
    """How far PSIS alone would have been off, where that is more than the Monte Carlo error."""
    off = [row for row in ranked if row.psis_excess is not None and abs(row.psis_excess) > 2 * row.numbers["mcse"]]
    if not off:
        return []
    parts = [
        f"{'over' if row.psis_excess > 0 else 'under'}estimate the elpd by {number(abs(row.psis_excess), 1)} for "
        f"{row.label} ({row.methods})"
        for row in off
    ]
    return [f"PSIS alone would {listed(parts)}."]


def _doubt(unreliable: Sequence[Row]) -> str:
    parts = [f"{row.unreliable} of {counted(row.units, 'score')} of {row.label}" for row in unreliable]
    return f"Unreliable (Pareto k too high, or a refit whose chains disagree): {listed(parts)}."


def _many(ranked: Sequence[Row]) -> list[str]:
    """Among many models of equal merit one looks best by chance (McLatchie & Vehtari 2024, Statistics and Computing 34)."""
    if len(ranked) <= MANY_MODELS:
        return []
    return [f"{len(ranked)} models were compared: among more than {MANY_MODELS}, the best may lead by chance alone."]
