"""What is tried next for a fit whose check found something: declared in advance, in a fixed order,
and bounded.

The rules, by what the check found (`tadpool.convergence.verdicts`):

- low ESS, or an R-hat above its limit: twice the draws, then four times, by letting the same chains
  go on;
- divergences: target_accept 0.95, then 0.99, with twice the warm-up;
- where these do not help, or E-BFMI is low: the sites that the model names are reparametrized
  (`plugins.reparametrizable`);
- chains in separate modes, identical chains, values that are not finite: nothing. Another seed or
  other settings would hide what is wrong, not fix it.

Apart from these, chains may go on until their effective sample size is what the config asks for
(`longer`).

Changed settings are a new attempt, whose number goes into the seed; more draws are the same
attempt. The last attempt is the result, whether it is better than those before or not: nothing is
ever chosen among seeds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tadpool.convergence.diagnostics import DIAGNOSTICS, with_remedy

REMEDIES = ("draws", "target_accept", "reparametrize")
MOST_DRAWS = 4
TARGETS = (0.95, 0.99)
WARMUP = 2

NO_REMEDY = tuple(diagnostic.code for diagnostic in DIAGNOSTICS if diagnostic.hopeless)
MORE_DRAWS = with_remedy("draws")
HIGHER_TARGET = with_remedy("target_accept")
REPARAMETRIZE = with_remedy("reparametrize")

MOST_STRETCHES = 8
"""A fit has at most so many times its `draws` for an effective sample size that is asked for."""
SPARE = 1.1
"""How many times the draws that it seems to need, since they are estimated."""


@dataclass(frozen=True)
class Step:
    """One sampling.

    attempt: its number, part of the seed. settings: of the sampler, with the sites that are
    `reparametrized`. remedy: what was changed against the step before, "" for the first. because:
    the finding that asked for it, as in check.json.
    """

    attempt: int
    settings: Mapping[str, Any]
    remedy: str = ""
    because: Mapping[str, Any] | None = None


def first_step(sampler: Mapping[str, Any]) -> Step:
    """The fit as configured."""
    return Step(0, {**sampler, "reparametrized": []})


def next_step(
    step: Step,
    reasons: Sequence[Mapping[str, Any]],
    sampler: Mapping[str, Any],
    allowed: Sequence[str],
    sites: Sequence[str],
) -> Step | None:
    """Choose the step after this one.

    Args:
        step: The last step.
        reasons: What its check found, as in check.json.
        sampler: The settings as configured.
        allowed: Of REMEDIES, those that may be tried.
        sites: Those that may be reparametrized.

    Returns:
        The next step; None where nothing is wrong, nothing may help, or everything was tried.
    """
    if hopeless(reasons):
        return None
    found = {reason["code"]: reason for reason in reversed(reasons)}
    higher = [target for target in TARGETS if target > step.settings["target_accept"]]
    apart = {"reparametrized": list(sites), "draws": sampler["draws"]}
    may_reparametrize = "reparametrize" in allowed and sites and not step.settings["reparametrized"]
    narrow, few, slow = (
        [found[code] for code in codes if code in found] for codes in (HIGHER_TARGET, MORE_DRAWS, REPARAMETRIZE)
    )
    if narrow and "target_accept" in allowed and higher:
        change = {"target_accept": higher[0], "warmup": WARMUP * sampler["warmup"], "draws": sampler["draws"]}
        return Step(step.attempt + 1, {**step.settings, **change}, "target_accept", narrow[0])
    if narrow and may_reparametrize:
        return Step(step.attempt + 1, {**step.settings, **apart}, "reparametrize", narrow[0])
    if few and "draws" in allowed and step.settings["draws"] < MOST_DRAWS * sampler["draws"]:
        more = {"draws": 2 * step.settings["draws"]}
        return Step(step.attempt, {**step.settings, **more}, "draws", few[0])
    if slow and may_reparametrize:
        return Step(step.attempt + 1, {**step.settings, **apart}, "reparametrize", slow[0])
    return None


def longer(step: Step, report: Mapping[str, Any], draws: int, until_ess: int) -> Step | None:
    """The same chains with more draws, if a parameter has too small an effective sample size.

    An effective sample size of few draws is a rough estimate, so that the draws are at most
    doubled. The decision depends on the draws alone.

    Args:
        step: The last step.
        report: Its check.
        draws: Draws of each chain as configured.
        until_ess: The effective sample size, bulk and tail, that is enough.

    Returns:
        None where it is enough, the chains cannot tell, or they have as many draws as they may.
    """
    done, most = step.settings["draws"], MOST_STRETCHES * draws
    sizes = [report["diagnostics"].get(name) for name in ("ess_bulk_min", "ess_tail_min")]
    if None in sizes or hopeless(report["reasons"]) or min(sizes) >= until_ess or done >= most:
        return None
    needed = math.ceil(SPARE * done * until_ess / max(min(sizes), 1.0) / draws) * draws
    return replace(step, settings={**step.settings, "draws": min(max(needed, done + draws), 2 * done, most)})


def hopeless(reasons: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a finding, as in check.json, is one that no remedy is for."""
    return any(reason["code"] in NO_REMEDY for reason in reasons)


def record(step: Step, seed: int, status: str, reason: str, report: Mapping[str, Any] | None) -> dict[str, Any]:
    """Describe a step as it is kept with the fit, ready for JSON.

    Args:
        step: The step.
        seed: Of the run.
        status: "ok" or "failed".
        reason: Why it failed, "" otherwise.
        report: Its check; None where a fit is checked elsewhere, point by point.

    Returns:
        The step with its verdict and, as `found`, the worst finding of its check.
    """
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
        "found": found["reasons"][0] if found["reasons"] else None,
        "diagnostics": found["diagnostics"],
    }
