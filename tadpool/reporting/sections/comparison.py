"""The rows of a comparison, as in its CSV, and their table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from tadpool.evaluation.comparison import TIE_ELPD, standing
from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING, among, difference, missing, number, plural, probability, whole
from tadpool.reporting.fit_view import prior_alone
from tadpool.reporting.html.tables import Cell, Column, Table

MANY_ERRORS = 4
"""Beyond so many standard errors their number decides nothing, and is not told."""
FEW_WEIGHTED = 20
"""Stacking weights of fewer units than these are not shown: they follow single units."""


@dataclass(frozen=True)
class Row:
    """One compared entry. numbers: the row of the CSV. unreliable: units, or members, whose scores
    are unreliable.

    psis_excess: by how much PSIS alone would have been above the elpd, where units were fitted
    again.

    rank_failed: the study says that an entry whose fit failed is ranked all the same.

    prior_alone: it predicts a new member of what is predicted from its prior, see
    `fit_view.prior_alone`.
    """

    entry: str
    label: str
    verdict: str
    numbers: Mapping[str, Any]
    unreliable: int
    psis_excess: float | None
    rank_failed: bool = False
    prior_alone: bool = False

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
        """ "best", "about equal", "too close to call", "worse", or "no rank"."""
        if not self.ranked:
            return "no rank"
        first = self.numbers["rank"] == 1
        return "best" if first else standing(self.numbers["elpd_diff"], self.numbers["dse"])

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
        """Distance to the first row with its standard error, and how many of these it is where that
        decides."""
        behind, error = abs(self.numbers["elpd_diff"]), self.numbers["dse"]
        near = behind >= TIE_ELPD and not missing(error) and behind < MANY_ERRORS * error
        if not near:
            return difference(behind, error)
        below = behind < 2 * error and round(behind / error, 1) == 2  # which would read as two
        return f"{difference(behind, error)} ({number(behind / error, 2 if below else 1)} standard errors)"


@dataclass(frozen=True)
class Placed:
    """A row in its table. void: whether ranks mean nothing there. weighted: whether weights mean
    something."""

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
    def p_worse(self) -> str:
        """The probability that it is worse than the first, where ranks mean something."""
        value = self.row.numbers.get("p_worse")
        return MISSING if self.void or missing(value) or self.row.numbers["rank"] == 1 else probability(value)

    @property
    def doubts(self) -> str:
        """Why that probability is rough, in ArviZ's words."""
        found = self.row.numbers.get("diag_diff")
        return found if isinstance(found, str) and found and self.p_worse != MISSING else MISSING

    @property
    def doubtful(self) -> Cell:
        return Cell(among(self.row.unreliable, self.row.units), "warn" if self.row.unreliable else "")


COLUMNS = (
    Column("Model", attrgetter("row.label"), number=False),
    Column("Verdict", lambda it: Cell(it.row.verdict, badge=it.row.verdict), number=False),
    Column("Rank", attrgetter("rank")),
    Column("elpd", lambda it: number(it.row.numbers["elpd"])),
    Column("SE", lambda it: number(it.row.numbers["se"])),
    Column("MCSE", lambda it: number(it.row.numbers["mcse"])),
    Column("Difference ± SE", attrgetter("difference")),
    Column("P(worse)", attrgetter("p_worse")),
    Column("Rough because", attrgetter("doubts"), number=False),
    Column("Standing", lambda it: MISSING if it.void else it.row.standing, number=False),
    Column("Weight", lambda it: number(it.row.numbers["weight"]) if it.weighted else MISSING),
    Column("p_loo", lambda it: number(it.row.numbers["p_loo"])),
    Column("Unreliable", attrgetter("doubtful")),
    Column("Scored by", attrgetter("row.methods"), number=False),
)


SHORT = ("Model", "Verdict", "Rank", "elpd", "SE", "Difference ± SE", "P(worse)", "Standing")


def comparison_table(found: Sequence[Row], headings: Sequence[str] = ()) -> Table:
    """A row for each compared entry, with weights where these mean something. headings: of the
    columns that are wanted; all by default."""
    rows = [Placed(row, void(found), weighted(found)) for row in found]
    columns = tuple(column for column in COLUMNS if not headings or column.heading in headings)
    return Table(columns, rows, failed=attrgetter("row.failed"))


def weighted(found: Sequence[Row]) -> bool:
    """Whether stacking weights mean something: no failed fit took part in the stacking, and units
    are not so few that single ones decide."""
    return all(row.ranked and row.units >= FEW_WEIGHTED for row in found if row.scored)


def read_rows(results: StudyResults, comparison: str) -> list[Row]:
    """The rows of a comparison as in its CSV; an entry whose check failed is a failed row whatever
    the CSV says."""
    found, config = [], results.config["comparisons"][comparison]
    for numbers in results.comparison(comparison).to_dict("records"):
        entry = numbers["model"]
        verdicts = {results.check(entry)["verdict"], numbers["verdict"]}
        verdict = next((word for word in ("fail", "warn") if word in verdicts), "pass")
        unreliable = 0 if missing(numbers["doubtful"]) else int(numbers["doubtful"])
        excess, rank_failed = _psis_excess(results, entry, numbers), config["rank_failed"]
        alone = prior_alone(results, entry, config["target"])
        found.append(Row(entry, results.label(entry), verdict, numbers, unreliable, excess, rank_failed, alone))
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


def void(table: Sequence[Row]) -> bool:
    """Whether the first row failed, so that no rank and no difference means anything, unless failed
    rows are ranked."""
    return next((not row.ranked for row in table if row.scored), True)
