"""The page of `tadpool judge`: verdicts on fits of other programs, and what cannot be known of
them."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from tadpool.convergence import verdicts
from tadpool.formatting import among, counted, first_of, listed, number
from tadpool.reporting.html.environment import rendered
from tadpool.reporting.html.tables import Column, Table
from tadpool.reporting.sections import estimates, predictive, sensitivity

MOST_NAMED = 10
SCORES = (
    Column("Outcome", itemgetter("outcome"), number=False),
    Column("elpd", lambda row: number(row["elpd"], 1)),
    Column("SE", lambda row: number(row["se"], 1)),
    Column("p_loo", lambda row: number(row["p"], 1)),
    Column("Unreliable units", lambda row: among(row["bad"], row["of"])),
)
PRIORS = (
    *sensitivity.COLUMNS[:3],
    Column("Reading", lambda row: sensitivity.READINGS[row["diagnosis"]], number=False),
)


@dataclass(frozen=True)
class Judgement:
    """One fit. report: as from `evaluation.foreign_fits.judged`."""

    name: str
    report: Mapping[str, Any]

    @property
    def conclusion(self) -> dict[str, Any]:
        """The verdict and what it is from, with its tone."""
        numbers, verdict = self.report["diagnostics"], self.report["verdict"]
        size = f"{counted(numbers['chains'], 'chain')} of {counted(numbers['draws'], 'draw')}"
        words = {
            "pass": "No diagnostic of convergence that the file allows finds a problem.",
            "warn": "These draws can be used, but something is in doubt.",
            "fail": "These draws cannot be relied on.",
        }
        found = [words[verdict], f"{size}, {counted(len(self.report['parameters']), 'parameter')}."]
        extreme = [f"{row['quantity']} of {row['outcome']}" for row in self.predictive.rows if row["extreme"]]
        if extreme and verdict != "fail":
            found.append(f"The model does not reproduce the observed {first_of(extreme, MOST_NAMED)}.")
        return {"tone": verdict if verdict != "pass" or not extreme else "warn", "sentences": found}

    @property
    def parameters(self) -> Table:
        """All parameters, those with the largest R-hat first."""
        rows = [{**row, "mark": "", "named": row["parameter"]} for row in self.report["parameters"]]
        return Table(estimates.COLUMNS, sorted(rows, key=lambda row: -(row["rhat"] or 0)))

    @property
    def scores(self) -> Table:
        """The score of each outcome by PSIS."""
        return Table(SCORES, [row for row in self.report["psis"] or [] if "elpd" in row])

    @property
    def unscored(self) -> list[str]:
        """Why outcomes have no score."""
        lacking = [row for row in self.report["psis"] or [] if "elpd" not in row]
        return [f"{row['outcome']} has no elpd by PSIS: {row['reason']}." for row in lacking]

    @property
    def doubtful(self) -> str:
        """The outcomes whose score cannot be relied on."""
        named = [row["outcome"] for row in self.scores.rows if row["bad"]]
        return listed(named[:MOST_NAMED])

    @property
    def priors(self) -> Table:
        """The parameters that depend on the priors."""
        return Table(PRIORS, (self.report["sensitivity"] or {}).get("parameters", []))

    @property
    def scaled(self) -> str:
        """The parameters whose priors were scaled."""
        return first_of((self.report["sensitivity"] or {}).get("scaled", []), MOST_NAMED)

    @property
    def predictive(self) -> Table:
        """Test quantities of the observed data among replicated ones."""
        rows = self.report["predictive"] or []
        several = len({row["outcome"] for row in rows}) > 1
        return Table(predictive.COLUMNS, [{**row, "several": several} for row in rows])


def judgement_page(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """The page as HTML. reports: name of each fit -> as from `evaluation.foreign_fits.judged`."""
    fits = [Judgement(name, report) for name, report in reports.items()]
    worst = max((fit.report["verdict"] for fit in fits), key=verdicts.ORDER.index)
    return rendered("judge.html", fits=fits, tone=worst, quick=False)
