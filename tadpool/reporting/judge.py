"""A second opinion on draws from elsewhere: `tadpool judge FILE...`, in words or as a page."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tadpool.convergence import sentences
from tadpool.errors import UserError
from tadpool.evaluation.foreign_fits import judged
from tadpool.files import foreign_draws, io
from tadpool.formatting import counted, first_of
from tadpool.reporting.pages.judgement import judgement_page

SHOWN = 10
CONFLICT = "prior and data may disagree"
STRONG_PRIOR = "the prior matters more than the data"


def lines(name: str, report: dict[str, Any]) -> Iterator[str]:
    """What is printed of a fit. name: its files. report: as from `judged`."""
    numbers = report["diagnostics"]
    size = f"{counted(numbers['chains'], 'chain')} of {counted(numbers['draws'], 'draw')}"
    yield f"{name}: {report['verdict']} ({size}, {counted(len(report['parameters']), 'parameter')})"
    reasons = [sentences.sentence(each) for each in report["reasons"]]
    yield from (f"  {reason}" for reason in reasons[:SHOWN])
    if len(reasons) > SHOWN:
        yield f"  and {len(reasons) - SHOWN} more findings"
    yield f"  largest R-hat {_number(numbers['rhat_max'], 4)}, smallest bulk ESS {_number(numbers['ess_bulk_min'], 0)}, " \
        f"smallest tail ESS {_number(numbers['ess_tail_min'], 0)}"  # fmt: skip
    yield from (f"  {_score(score)}" for score in report["psis"] or [])
    if report["sensitivity"]:
        yield from _prior_lines(**report["sensitivity"])
    if report["predictive"]:
        yield from _predictive_lines(report["predictive"])
    yield "  not known:"
    yield from (f"  - {sentence}" for sentence in report["unknown"])


def _score(score: dict[str, Any]) -> str:
    """What is printed of a score by PSIS."""
    if "reason" in score:
        return f"{score['outcome']}: no elpd can be computed by PSIS ({score['reason']})"
    bad = f"{score['bad']} of {score['of']} observations have a Pareto k above {score['good_k']:.2f}"
    reliable = ", so it cannot be relied on" if score["bad"] else ""
    return f"{score['outcome']}: elpd {score['elpd']:.1f} (SE {score['se']:.1f}) by PSIS; {bad}{reliable}"


def _prior_lines(scaled: Sequence[str], parameters: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What is printed of the sensitivity to priors."""
    if not parameters:
        yield f"  no parameter is sensitive to the priors of {first_of(scaled, SHOWN)}"
    for row in parameters[:SHOWN]:
        words = CONFLICT if row["diagnosis"] == "conflict" else STRONG_PRIOR
        numbers = f"sensitivity {row['prior']:.2f} to the prior, {row['likelihood']:.2f} to the likelihood"
        yield f"  {row['parameter']}: {words} ({numbers})"
    if len(parameters) > SHOWN:
        yield f"  and {len(parameters) - SHOWN} more parameters"


def _predictive_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What is printed of test quantities."""
    extreme = [row for row in rows if row["extreme"]]
    yield f"  {counted(len(rows), 'test quantity')}, {len(extreme) or 'none'} of them extreme among replicated data"
    for row in extreme[:SHOWN]:
        place = "above" if row["tail_probability"] < 0.5 else "below"
        yield f"  {row['quantity']} of {row['outcome']}: the observed one is {place} what the model replicates"


def _number(value: float | None, decimals: int) -> str:
    return "unknown" if value is None else f"{value:.{decimals}f}"


def parser() -> argparse.ArgumentParser:
    """The arguments of `tadpool judge`."""
    description = "Judge the draws of other programs as those of tadpool's own fits are judged."
    parser = argparse.ArgumentParser(prog="tadpool judge", description=description)
    parser.add_argument(
        "files", nargs="+", help=".nc (ArviZ), .csv (CmdStan: the chains of one fit; or a table), .parquet"
    )
    parser.add_argument("--only", action="append", default=[], metavar="PARAMETER", help="judge this one (repeatable)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page to this file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found to this file")
    return parser


def main(arguments: list[str]) -> int:
    """Print the verdicts; returns 0 where none is fail, 1 where one is, 2 where a file cannot be
    read."""
    given = parser().parse_args(arguments)
    try:
        reports = {name: judged(tree, given.only) for name, tree in foreign_draws.read(given.files)}
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    for name, report in reports.items():
        print("\n".join(lines(name, report)))
    if given.html:
        io.write_text(given.html, judgement_page(reports))
    if given.json:
        given.json.write_text(json.dumps(reports, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return 1 if any(report["verdict"] == "fail" for report in reports.values()) else 0
