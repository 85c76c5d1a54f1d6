"""What is tried next for a fit whose check found something: declared in advance, in a fixed order, and bounded.

The rules, by what the check found (`tadpool.convergence.verdicts`):

- low ESS, or an R-hat above its limit: twice the draws, then four times, by letting the same chains go on;
- divergences: target_accept 0.95, then 0.99, with twice the warm-up;
- where these do not help, or E-BFMI is low: the sites that the model names are reparametrized (`plugins.reparametrizable`);
- chains in separate modes, identical chains, values that are not finite: nothing. Another seed or other settings
  would hide what is wrong, not mend it.

Changed settings are a new attempt, whose number goes into the seed; more draws are the same attempt. The last attempt is
the result, whether it is better than those before or not: nothing is ever chosen among seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REMEDIES = ("draws", "target_accept", "reparametrize")
MOST_DRAWS = 4
TARGETS = (0.95, 0.99)
WARMUP = 2

HOPELESS = ("modes", "finite", "chains", "missing", "status")
TOO_FEW = ("rhat", "ess_bulk", "ess_tail")
SLOW = (*TOO_FEW, "bfmi")


@dataclass(frozen=True)
class Step:
    """One sampling.

    attempt: its number, part of the seed. settings: of the sampler, with the sites that are `reparametrized`.
    remedy: what was changed against the step before, "" for the first. because: the finding that asked for it.
    """

    attempt: int
    settings: Mapping[str, Any]
    remedy: str = ""
    because: str = ""


def first_step(sampler: Mapping[str, Any]) -> Step:
    """The fit as configured."""
    return Step(0, {**sampler, "reparametrized": []})


def next_step(
    step: Step,
    reasons: Sequence[Mapping[str, str]],
    sampler: Mapping[str, Any],
    allowed: Sequence[str],
    sites: Sequence[str],
) -> Step | None:
    """The step after this one; None where nothing is wrong, nothing may help, or everything was tried.

    reasons: what the check found, as in check.json. sampler: the settings as configured. allowed: of REMEDIES.
    sites: those that may be reparametrized.
    """
    if hopeless(reasons):
        return None
    found = {reason["statistic"]: reason["sentence"] for reason in reversed(reasons)}
    higher = [target for target in TARGETS if target > step.settings["target_accept"]]
    apart = {"reparametrized": list(sites), "draws": sampler["draws"]}
    may_reparametrize = "reparametrize" in allowed and sites and not step.settings["reparametrized"]
    if "diverging" in found:
        if "target_accept" in allowed and higher:
            change = {"target_accept": higher[0], "warmup": WARMUP * sampler["warmup"], "draws": sampler["draws"]}
            return Step(step.attempt + 1, {**step.settings, **change}, "target_accept", found["diverging"])
        if may_reparametrize:
            return Step(step.attempt + 1, {**step.settings, **apart}, "reparametrize", found["diverging"])
    few = [statistic for statistic in TOO_FEW if statistic in found]
    if few and "draws" in allowed and step.settings["draws"] < MOST_DRAWS * sampler["draws"]:
        more = {"draws": 2 * step.settings["draws"]}
        return Step(step.attempt, {**step.settings, **more}, "draws", found[few[0]])
    slow = [statistic for statistic in SLOW if statistic in found]
    if slow and may_reparametrize:
        return Step(step.attempt + 1, {**step.settings, **apart}, "reparametrize", found[slow[0]])
    return None


def hopeless(reasons: Sequence[Mapping[str, str]]) -> bool:
    """Whether a finding is among those that no remedy is for."""
    return any(reason["statistic"] in HOPELESS for reason in reasons)


def record(step: Step, seed: int, status: str, reason: str, report: Mapping[str, Any] | None) -> dict[str, Any]:
    """A step as it is kept with the fit. report: its check; None where a fit is checked elsewhere, point by point."""
    found = report or {"verdict": None, "reasons": [], "diagnostics": {}}
    return {
        "attempt": step.attempt,
        "seed": seed,
        "settings": dict(step.settings),
        "remedy": step.remedy,
        "because": step.because,
        "status": status,
        "reason": reason,
        "verdict": found["verdict"],
        "found": found["reasons"][0]["sentence"] if found["reasons"] else "",
        "diagnostics": found["diagnostics"],
    }


def words(attempt: Mapping[str, Any]) -> str:
    """What was changed for an attempt, as recorded: "target acceptance 0.95 with 2,000 warm-up iterations"."""
    settings = attempt["settings"]
    match attempt.get("remedy", ""):
        case "draws":
            return f"{settings['draws']:,} draws per chain"
        case "target_accept":
            return f"target acceptance {settings['target_accept']:g} with {settings['warmup']:,} warm-up iterations"
        case "reparametrize":
            return f"reparametrized {', '.join(settings['reparametrized'])}"
    return "as configured"


def tried(attempts: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was tried beyond the fit as configured, in order."""
    return [words(attempt) for attempt in attempts if attempt.get("remedy")]
