"""The gate: the verdicts of a run are compared with those that its studies expect."""

from collections.abc import Mapping, Sequence
from typing import Any

from tadpool.convergence import sentences
from tadpool.errors import UserError


def compare(
    reports: Sequence[Mapping[str, Any]],
    expected: Mapping[str, Mapping[str, str]],
    others: Mapping[str, str] | None = None,
    quick: bool = False,
) -> dict[str, str]:
    """Compare every verdict with the one that its study expects.

    Args:
        reports: As in check.json, with `study` and `entry`.
        expected: By "study/entry", the verdict that the study declares and why.
        others: By path, what is missing of a result beside the fits, such as predictions, whose job
            failed, and why: `files.failures.independent`.
        quick: Whether this is a quick look, in which chains are too short to converge, so that only
            fits without any numbers are listed.

    Returns:
        The verdicts by "study/entry".

    Raises:
        UserError: Lists the fits that are worse, or better, than expected.
    """
    problems = []
    for report in reports:
        name, found = f"{report['study']}/{report['entry']}", report["verdict"]
        if quick and report["diagnostics"]:
            continue
        if name not in expected and found == "fail":
            problems.append(f"results/{name} failed: {_advice(report)}")
        elif name in expected and found != expected[name]["verdict"]:
            problems.append(
                f"results/{name}: the verdict is {found}, the study expects {expected[name]['verdict']}; "
                "fix the fit or the study's `expect`"
            )
    problems += [f"{path} {why}" for path, why in (others or {}).items()]
    if problems:
        raise UserError("\n".join(problems))
    return {f"{report['study']}/{report['entry']}": report["verdict"] for report in reports}


def _advice(report: Mapping[str, Any]) -> str:
    """The worst finding, what was tried against it, and what to do."""
    worst, attempts = report["reasons"][0], report.get("attempts", [])
    tried = sentences.tried(attempts)
    history = f"Tried without success: {'; '.join(tried)}." if tried else ""
    return " ".join(filter(None, [sentences.sentence(worst), history, sentences.advice(worst, attempts)]))
