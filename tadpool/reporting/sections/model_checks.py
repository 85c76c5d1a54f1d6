"""The checks of each model in a grid: a row per model with its role, a column per check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tadpool.evaluation import pit
from tadpool.evaluation.comparison import EQUAL, UNCERTAIN
from tadpool.evaluation.power_scaling import FAR
from tadpool.evaluation.predictive_checks import TAIL, YES_NO
from tadpool.formatting import among, counted, first_of, listed, missing, number
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.sections.calibration import Calibration
from tadpool.reporting.sections.conclusions import Comparison
from tadpool.reporting.sections.predictive import PredictiveChecks
from tadpool.reporting.sections.recovery import Recovered
from tadpool.reporting.sections.recovery_grids import Recovery
from tadpool.reporting.sections.sensitivity import Sensitivity

NOT_RUN = "not run"
BEST, BASELINE, EXPECTED = "best", "baseline", "expected to fail"
NAMED = 2
UNRELIABLE = "the probabilities that it predicts are not the shares that are observed"
FLAGGED = "some fits to simulated data did not pass their check; the ranks show nothing against its intervals"
MANY_MEMBERS = 0.15
"""From this share of members outside their intervals on, a misfit is a failure."""
CHECKS = {
    "Convergence": "convergence",
    "Scores": "comparison",
    "Predictive checks": "predictive",
    "LOO-PIT": "predictive",
    "Priors": "sensitivity",
    "Calibration": "calibration",
    "Recovery": "recovery",
}
"""Check -> the section that holds it."""


@dataclass(frozen=True)
class Cell:
    """What a check found. state: "pass", "warn", "fail" or "not run". more: a sentence for the
    limits of the study. means: what it means for the results, where that is not what findings of
    the check mean."""

    state: str
    words: str
    more: str = ""
    means: str = ""


@dataclass(frozen=True)
class Row:
    """One model. role: among those compared, and whether its failure says nothing about the answer
    (muted)."""

    fit: Fit
    role: str
    cells: Mapping[str, Cell]

    @property
    def muted(self) -> bool:
        return self.role in (BASELINE, EXPECTED)

    @property
    def troubles(self) -> list[tuple[str, Cell]]:
        """The checks that found something."""
        return [(name, cell) for name, cell in self.cells.items() if cell.state in ("warn", "fail")]


@dataclass(frozen=True)
class Grid:
    """The models and the checks that at least one of them has, each with the anchor of its
    section."""

    rows: list[Row]

    @property
    def checks(self) -> dict[str, str]:
        shown = {name for row in self.rows for name, cell in row.cells.items() if cell.state != NOT_RUN}
        return {name: anchor for name, anchor in CHECKS.items() if name in shown}


def grid(
    fits: Sequence[Fit],
    compared: Sequence[Comparison],
    replicated: Mapping[str, PredictiveChecks],
    sensitivities: Sequence[Sensitivity],
    calibrations: Mapping[str, Calibration],
    grids: Sequence[Recovery],
    recovered: Sequence[Recovered],
) -> Grid:
    """The grid of a study. replicated, calibrations: by entry."""
    moved = {each.fit.entry: each for each in sensitivities}
    truths = {each.fit.entry: each for each in recovered}
    rows = []
    for fit in fits:
        cells = {
            "Convergence": _convergence(fit),
            "Scores": _scores(fit),
            "Predictive checks": _predictive(replicated[fit.entry]),
            "LOO-PIT": _pit(fit),
            "Priors": _priors(moved.get(fit.entry)),
            "Calibration": _calibration(fit, calibrations.get(fit.entry), grids),
            "Recovery": _recovery(truths.get(fit.entry)),
        }
        rows.append(Row(fit, _role(fit, compared), cells))
    return Grid(rows)


def _role(fit: Fit, compared: Sequence[Comparison]) -> str:
    """What the study's first comparison that has the model says of it."""
    if fit.expected and fit.expected["verdict"] == "fail":
        return EXPECTED
    if fit.failed:
        return "failed"
    found = ((row, each.conclusion.tone) for each in compared for row in each.rows if row.entry == fit.entry)
    row, tone = next(found, (None, ""))
    if row is None or not row.ranked:
        return "not compared"
    best = {"doubt": "highest score, not settled", "fail": "only one scored"}.get(tone, BEST)
    words = {"best": best, EQUAL: "about equal to the best", UNCERTAIN: "too close to call"}
    return words.get(row.standing, BASELINE)


def _convergence(fit: Fit) -> Cell:
    if fit.failed_members:
        return Cell("fail", f"{len(fit.failed_members)} of {counted(fit.members, 'fit')} failed")
    return Cell(fit.badge.badge, fit.badge.text)


def _scores(fit: Fit) -> Cell:
    """Whether leave-one-out scores are reliable."""
    if fit.failed and not fit.failed_members:
        return Cell(NOT_RUN, "not judged")
    path = fit.results.folder / fit.entry / "loo.nc"
    tree = fit.results.loo(fit.entry) if path.is_file() else None
    if tree is None or "loo" not in tree.children:
        return Cell(NOT_RUN, "no score")
    doubtful, units = int(tree["loo"]["total_doubtful"].item()), tree["loo"]["elpd"].size
    return Cell("warn" if doubtful else "pass", f"{among(doubtful, units)} unreliable")


def _predictive(checks: PredictiveChecks) -> Cell:
    """More extreme quantities than correct models would have are a misfit; of many members, or in
    more than half of the quantities, it is a failure."""
    if not checks.looked:
        return Cell(NOT_RUN, "no test quantities")
    rows = [row for row in checks.table.rows if row["group"] and row["extreme"]]
    words = f"{among(checks.extreme, checks.looked)} extreme"
    if checks.extreme <= 2 * TAIL * checks.looked:
        return Cell("pass", words)
    shares = [row["observed"] / row["members"] for row in rows]
    worst = [rows[i] for i in sorted(range(len(rows)), key=lambda i: -shares[i])[:NAMED]]
    named = [f"{row['quantity']} of {number(row['observed'], 0)} of {row['members']} {row['what']}" for row in worst]
    words += f"; {listed(named)}" if named else ""
    grave = max(shares, default=0) >= MANY_MEMBERS or checks.extreme > checks.looked / 2
    return Cell("fail" if grave else "warn", words)


def outside_band(fit: Fit) -> tuple[float, str] | None:
    """Share of the line of LOO-PIT, or of reliability, that is outside its band, and the kind of
    the outcome for which it is largest; None where there is no figure of it."""
    path = fit.results.folder / "figures" / f"{fit.entry}-loo_pit.csv"
    if not path.is_file():
        return None
    table = pd.read_csv(path)
    outside = (table["line"] < table["band_low"] - pit.TIES) | (table["line"] > table["band_high"] + pit.TIES)
    shares = outside.groupby([table["outcome"], table["kind"]]).mean()
    return float(shares.max()), str(shares.idxmax()[1])


def _pit(fit: Fit) -> Cell:
    if fit.failed and not fit.failed_members:
        return Cell(NOT_RUN, "not judged")
    found = outside_band(fit)
    if found is None:
        return Cell(NOT_RUN, "no curve")
    share, yes_no = found[0], found[1] == YES_NO
    path = fit.results.folder / fit.entry / "loo.nc"
    step = pit.selected(fit.results.loo(fit.entry)["loo"]["elpd"].size).step if path.is_file() else 1
    by = f", by one unit in {step}" if step > 1 else ""
    words = f"{number(100 * share, 0)} % outside its band" if share else "inside its band"
    return Cell(
        "warn" if share else "pass",
        f"{'reliability ' * yes_no}{words}{by}",
        means=UNRELIABLE if yes_no and share else "",
    )


def _priors(found: Sensitivity | None) -> Cell:
    """Parameters of no pooling do not count, which depend on their priors by design."""
    if found is None or found.reason:
        return Cell(NOT_RUN, "no diagnosis")
    if found.by_design:
        return Cell(NOT_RUN, "by design")
    words = f"{among(len(found.rows), len(found.rows) + found.rest)} sensitive"
    named = found.fit.results.named
    causes = list(dict.fromkeys(named(row["moved_by"]) for row in found.rows if row["moved_by"]))
    words += f", to the prior{'s' if len(causes) > 1 else ''} of {first_of(causes, NAMED)}" if causes else ""
    known = [row for row in found.rows if not missing(row["prior_sds"])]
    worst = max(known, key=lambda row: abs(row["prior_sds"]), default=None)
    if worst and abs(worst["prior_sds"]) > FAR:
        words += f"; {named(worst['parameter'])} is {number(abs(worst['prior_sds']), 1)} prior SDs from its prior mean"
    if found.not_scaled:
        priors, were = ("prior", "was") if len(found.not_scaled) == 1 else ("priors", "were")
        words += f"; the {priors} of {first_of([*map(named, found.not_scaled)], NAMED)} {were} not scaled"
    return Cell("warn" if found.rows else "pass", words)


def _calibration(fit: Fit, found: Calibration | None, grids: Sequence[Recovery]) -> Cell:
    """Its simulation-based calibration, else the coverage of its intervals over a grid."""
    if found is not None:
        only_flagged = found.verdict == "warn" and not found.uneven
        return Cell(found.verdict, found.finding, found.where, FLAGGED if only_flagged else "")
    known = [each.coverage[fit.entry] for each in grids if fit.entry in each.coverage]
    if not known:
        return Cell(NOT_RUN, "not calibrated")
    words = f"{among(known[0].covered, known[0].total)} intervals have the true value"
    return Cell("pass" if all(each.nominal for each in known) else "warn", words)


def _recovery(found: Recovered | None) -> Cell:
    if found is not None and found.fit.failed:
        return Cell(NOT_RUN, "its fit failed")
    if found is None or not len(found.counted):
        return Cell(NOT_RUN, "no true values")
    return Cell("warn" if found.far else "pass", found.words)
