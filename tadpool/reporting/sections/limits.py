"""What the checks found about the models that the results come from, and what the numbers leave
out."""

from collections.abc import Collection
from dataclasses import dataclass

from tadpool.reporting.fit_view import Fit
from tadpool.reporting.sections.model_checks import CHECKS, EXPECTED, Cell, Grid

MEANS = {
    "Convergence": "its numbers may be off",
    "Scores": "its rank may be wrong",
    "Predictive checks": "the model does not reproduce the data there",
    "LOO-PIT": "its predictions are too narrow, too wide or shifted",
    "Priors": "another prior would give other numbers",
    "Calibration": "its intervals may not cover as they say",
    "Recovery": "it misses a value that the data were simulated with",
}
"""Check -> what a finding means for the results."""


@dataclass(frozen=True)
class Limit:
    """One finding. anchor: of the section that has more."""

    anchor: str
    about: str
    words: str


def limits(grid: Grid, answering: Collection[str]) -> list[Limit]:
    """The findings about models that give answers or are not baselines, and fits that failed."""
    found = [
        Limit(
            CHECKS[name],
            f"{name}, {row.fit.label}",
            " ".join([f"{_words(cell)}: {cell.means or MEANS[name]}.", *filter(None, [cell.more])]),
        )
        for row in grid.rows
        if (not row.muted or row.fit.entry in answering) and not row.fit.failed
        for name, cell in row.troubles
    ]
    return found + [_failed(row.fit, row.role == EXPECTED) for row in grid.rows if row.fit.failed]


def _words(cell: Cell) -> str:
    """What a check found; a verdict alone is a word for a badge."""
    return {"warn": "a warning", "fail": "it failed"}.get(cell.words, cell.words)


def _failed(fit: Fit, expected: bool) -> Limit:
    because = f", as the study expects ({fit.expected['because'].rstrip('.')})." if expected else "."
    if fit.failed_members and fit.usable:
        words = f"{len(fit.failed_members)} of {fit.members} separate fits failed{because}"
    else:
        words = f"it failed{because}"
    return Limit("convergence", fit.label, words)
