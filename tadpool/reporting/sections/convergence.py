"""Convergence: the diagnostics of every fit in a table, and what they show in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from tadpool.convergence.diagnostics import DIAGNOSTICS, SHOWN, Diagnostic
from tadpool.formatting import counted, listed, number, sentence, whole
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.html.tables import Cell, Column, Table


def _column(diagnostic: Diagnostic) -> Column:
    concerned = {each.code for each in DIAGNOSTICS if diagnostic.code in (each.code, each.concerns)}

    def cell(check: Mapping[str, Any]) -> Cell:
        severities = [reason["severity"] for reason in check["reasons"] if reason["code"] in concerned]
        worst = max(severities, key=("warn", "fail").index, default="")
        return Cell(number(check.get("diagnostics", {}).get(diagnostic.worst), diagnostic.decimals), worst)

    return Column(diagnostic.heading, cell)


COLUMN_OF = {diagnostic.code: _column(diagnostic) for diagnostic in SHOWN}
DIAGNOSTIC_COLUMNS = tuple(COLUMN_OF.values())
"""The diagnostics of one check, of a fit or of a point of a sweep."""

COLUMNS = (
    Column("Model", attrgetter("label"), number=False),
    Column("Verdict", attrgetter("badge"), number=False),
    *(Column(it.heading, lambda fit, it=it: it.cell(fit.check)) for it in DIAGNOSTIC_COLUMNS),
)


def table(all_fits: Sequence[Fit]) -> Table:
    """The verdict and the diagnostics of every fit."""
    return Table(COLUMNS, all_fits, failed=attrgetter("failed"))


def sentences(all_fits: Sequence[Fit]) -> list[str]:
    """How many fits pass, where R-hat and ESS are worst, divergences, and Monte Carlo errors."""
    passed = sum(_verdict(fit) == "pass" for fit in all_fits)
    others = [f"{fit.label} ({_verdict(fit)})" for fit in all_fits if _verdict(fit) != "pass"]
    first = f"{passed} of {counted(len(all_fits), 'fit')} {'passes' if passed == 1 else 'pass'} every check"
    found = [f"{first}; {listed(others)} {'does' if len(others) == 1 else 'do'} not." if others else f"{first}."]
    found += _extremes([fit for fit in all_fits if not fit.failed], len(all_fits))
    for fit in all_fits:
        numbers = fit.check.get("diagnostics", {})
        if numbers.get("diverging"):
            share = number(100 * numbers["diverging"] / numbers["transitions"], 2)
            found.append(
                f"{sentence(fit.label)} has {counted(numbers['diverging'], 'divergent transition')} among "
                f"{whole(numbers['transitions'])} ({share} %)."
            )
    return found


def _verdict(fit: Fit) -> str:
    return "fail" if fit.failed else fit.verdict


def _extremes(sound: Sequence[Fit], count: int) -> Iterator[str]:
    rows = [(fit.label, row) for fit in sound for row in fit.parameters]
    rhats = [(row["rhat"], row["parameter"], label) for label, row in rows if row.get("rhat") is not None]
    sizes = [
        (row[key], row["parameter"], label)
        for label, row in rows
        for key in ("ess_bulk", "ess_tail")
        if row.get(key) is not None
    ]
    errors = [row["mcse_mean"] / row["sd"] for _, row in rows if row.get("mcse_mean") and row.get("sd")]
    if rhats and sizes and errors:
        (rhat, at, label), (size, least, where) = max(rhats), min(sizes)
        some = "In the fit that did not fail" if len(sound) == 1 else f"Among the {len(sound)} fits that did not fail"
        whose = f"{some}, the" if len(sound) < count else "The"
        yield (
            f"{whose} largest R-hat is {number(rhat, 3)} ({at} in {label}) and the smallest effective sample size "
            f"{whole(size)} ({least} in {where}); the Monte Carlo error of a posterior mean is at most "
            f"{number(100 * max(errors), 1)} % of its standard deviation."
        )
