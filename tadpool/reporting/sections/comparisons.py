"""What a comparison says, and what it does not: its rows, and a conclusion that claims no more than they support."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING, counted, difference, listed, missing, number, sentence, whole
from tadpool.reporting.html.tables import Cell, Column, Table

MANY_MODELS = 11
MANY_UNRELIABLE = 0.05
"""Above this share of units whose scores are doubtful, the conclusion is withdrawn."""


@dataclass(frozen=True)
class Row:
    """One compared entry. numbers: the row of the CSV. unreliable: units, or members, whose scores are doubtful.

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
        """Whether it cannot be told apart from the first row."""
        return str(self.numbers["tie"]) == "True"

    @property
    def standing(self) -> str:
        """ "first", "tie" (with the first row), "behind", or "no rank"."""
        if not self.ranked:
            return "no rank"
        return "tie" if self.tie else "first" if self.numbers["rank"] == 1 else "behind"

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
    Column("Doubtful", attrgetter("doubtful")),
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
    """What is predicted, in words."""
    unit = results.config["unit"]
    if target in ("unit", unit) and unit not in results.config["groups"]:
        return f"a {unit} that was left out"
    return f"a new {unit if target == 'unit' else target}"


def conclude(table: Sequence[Row], target: str) -> Conclusion:
    """The conclusion of one comparison. target: what is predicted, in words."""
    tone, sentences = _concluded(table, target)
    return Conclusion(tone, [sentence(words) for words in sentences])


def _concluded(table: Sequence[Row], target: str) -> tuple[str, list[str]]:
    failures = _failures([row.label for row in table if row.failed and not row.ranked])
    failures += _ranked_failures([row.label for row in table if row.failed and row.ranked])
    ranked = [row for row in table if row.ranked]
    if not ranked:
        return "fail", ["No model can be compared: no fit has usable numbers.", *failures]
    if void(table):
        best = next(row.label for row in table if row.scored)
        first = f"No model can be called best: {best} has the largest elpd, but its fit failed."
        return "fail", [first, "Differences are measured from it, so they mean nothing either.", *failures]
    if len(ranked) == 1:
        first = f"{ranked[0].label} is the only model with usable numbers, so there is nothing to compare it with."
        return "fail", [first, *failures]
    tone, standing = _standing(ranked, target)
    doubtful = [row for row in ranked if row.unreliable]
    if any(row.unreliable > MANY_UNRELIABLE * row.units for row in doubtful):
        first = "Which model predicts best is not settled: too many scores cannot be trusted here."
        return "doubt", [first, _doubt(doubtful), f"Taken at face value, {standing[0]}", *standing[1:], *failures]
    if any(row.failed and not row.ranked for row in table):
        tone, standing = "partial", [f"Among the fits that did not fail, {standing[0]}", *standing[1:]]
    elif tone == "tie":
        standing = [f"A tie: {standing[0]}", *standing[1:]]
    return tone, [*standing, *_refitted(ranked), *([_doubt(doubtful)] if doubtful else []), *_many(ranked), *failures]


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


def _standing(ranked: Sequence[Row], target: str) -> tuple[str, list[str]]:
    best, others = ranked[0], ranked[1:]
    ties, behind = [row for row in others if row.tie], [row for row in others if not row.tie]
    if ties:
        names = listed([row.label for row in ties])
        gaps = listed([f"{row.gap} above {row.label}" for row in ties])
        trailing = [listed([f"{row.label} is behind by {row.gap}" for row in behind]) + "."] if behind else []
        first = f"{names} cannot be told from {best.label} in how well they predict {target} (elpd of {best.label} is {gaps})."
        return "tie", [first, *trailing]
    gaps = listed([f"{row.gap} above {row.label}" for row in behind])
    return "clear", [f"{best.label} predicts {target} best: its elpd is {gaps}."]


def _refitted(ranked: Sequence[Row]) -> list[str]:
    """How far PSIS alone would have been off, where that is more than the Monte Carlo error."""
    off = [row for row in ranked if row.psis_excess is not None and abs(row.psis_excess) > 2 * row.numbers["mcse"]]
    if not off:
        return []
    parts = [f"{number(row.psis_excess, 1)} for {row.label} ({row.methods})" for row in off]
    return [f"Importance sampling alone (PSIS) would put the elpd too high by {listed(parts)}."]


def _doubt(doubtful: Sequence[Row]) -> str:
    parts = [f"{row.unreliable} of {counted(row.units, 'score')} of {row.label}" for row in doubtful]
    return f"Not to be trusted, for a Pareto k that is too high or a refit whose chains disagree: {listed(parts)}."


def _many(ranked: Sequence[Row]) -> list[str]:
    """Among many models of equal merit one looks best by chance (McLatchie & Vehtari 2024, Statistics and Computing 34)."""
    if len(ranked) <= MANY_MODELS:
        return []
    return [f"{len(ranked)} models were compared: with more than {MANY_MODELS} the best may be so by chance alone."]
