"""The verdicts of a run against what its studies expect of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tadpool.convergence import remedies
from tadpool.errors import UserError

MENDS = {  # statistic -> what to do, and what to do after remedies did not help
    "rhat": ("Draw more, or look for separate modes.", "Reparametrize the model, or look for separate modes."),
    "ess_bulk": ("Draw more.", "Reparametrize the model."),
    "ess_tail": ("Draw more.", "Reparametrize the model."),
    "diverging": ("Raise target_accept, or reparametrize the model.", "Reparametrize the model."),
    "points": ("Look at the points that failed.", "Look at the points that failed."),
    "modes": ("", ""),
}
OTHERWISE = "Mend the model or its data."


def compare(
    reports: Sequence[Mapping[str, Any]],
    expected: Mapping[str, Mapping[str, str]],
    others: Mapping[str, str] | None = None,
    quick: bool = False,
) -> dict[str, str]:
    """The verdicts by "study/entry". Raises UserError that lists fits that are worse, or better, than expected.

    reports: as in check.json. others: path -> why it has no numbers, of results beside the fits, such as predictions.
    quick: in a quick look chains are too short to converge, so that only fits without any numbers are listed.
    """
    problems, failed = [], []
    for report in reports:
        name, found = f"{report['study']}/{report['entry']}", report["verdict"]
        failed += [name] if found == "fail" else []
        if quick and report["diagnostics"]:
            continue
        if name not in expected and found == "fail":
            problems.append(f"results/{name} failed: {_advice(report)}")
        elif name in expected and found != expected[name]["verdict"]:
            problems.append(
                f"results/{name}: the verdict is {found}, the study expects {expected[name]['verdict']}; "
                "mend the fit or the study's `expect`"
            )
    for path, why in (others or {}).items():
        if not any(path.startswith(f"results/{name}/") for name in failed):
            problems.append(f"{path} has no numbers: {why}")
    if problems:
        raise UserError("\n".join(problems))
    return {f"{report['study']}/{report['entry']}": report["verdict"] for report in reports}


def _advice(report: Mapping[str, Any]) -> str:
    """The worst finding, what was tried against it, and what to do."""
    reason, attempts = report["reasons"][0], report.get("attempts", [])
    tried = remedies.tried(attempts)
    mend = MENDS.get(reason["statistic"], (OTHERWISE, OTHERWISE))[bool(tried)]
    if tried and attempts[-1]["settings"]["reparametrized"] and "Reparametrize" in mend:
        mend = OTHERWISE
    history = f"Tried without success: {'; '.join(tried)}." if tried else ""
    return " ".join(filter(None, [reason["sentence"], history, mend]))
