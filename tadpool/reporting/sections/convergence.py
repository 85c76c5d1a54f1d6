"""Convergence: the diagnostics of every fit in a table, and what they show in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from tadpool.formatting import counted, listed, number, sentence, whole
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.html.tables import Cell, Column, Table

DIAGNOSTICS = (  # key of check.json's diagnostics, heading, decimals, statistics of reasons that concern it
    ("rhat_max", "R-hat, largest", 3, ("rhat", "modes")),
    ("ess_bulk_min", "Bulk ESS, smallest", 0, ("ess_bulk",)),
    ("ess_tail_min", "Tail ESS, smallest", 0, ("ess_tail",)),
    ("diverging", "Divergences", 0, ("diverging",)),
    ("reached_max_treedepth", "At largest tree depth", 0, ("tree_depth",)),
    ("bfmi_min", "E-BFMI, smallest", 2, ("bfmi",)),
    ("acceptance_rate", "Acceptance", 2, ("acceptance_rate",)),
)


def _diagnostic(key: str, heading: str, decimals: int, statistics: Sequence[str]) -> Column:
    def cell(check: Mapping[str, Any]) -> Cell:
        severities = {reason["statistic"]: reason["severity"] for reason in reversed(check["reasons"])}
        worst = max((severities.get(name, "") for name in statistics), key=("", "warn", "fail").index)
        return Cell(number(check.get("diagnostics", {}).get(key), decimals), worst)

    return Column(heading, cell)


DIAGNOSTIC_COLUMNS = tuple(_diagnostic(*each) for each in DIAGNOSTICS)
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
    found = [f"{first}; not so {listed(others)}." if others else f"{first}."]
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
        those = (
            "In the fit that did not fail, the"
            if len(sound) == 1
            else f"Among the {len(sound)} fits that did not fail, the"
        )
        whose = those if len(sound) < count else "The"
        yield (
            f"{whose} largest R-hat is {number(rhat, 3)} ({at} in {label}) and the smallest effective sample size "
            f"{whole(size)} ({least} in {where}); the Monte Carlo error of a posterior mean is at most "
            f"{number(100 * max(errors), 1)} % of its standard deviation."
        )
