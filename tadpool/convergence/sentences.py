"""Findings, remedies and advice in words, for pages, the gate and reports.

Jobs that fit or check write codes with values (`tadpool.convergence.diagnostics.Finding`) and do
not import this module, so that rewording a sentence runs no fit and no check again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tadpool.convergence.diagnostics import BY_CODE, DEFAULTS, Diagnostic
from tadpool.formatting import first_of, general, listed

MODEL_OR_DATA = "Fix the model or its data."
SEPARATE_MODES = "or look for separate modes."


def sentence(finding: Mapping[str, Any]) -> str:
    """Say what a check found.

    Args:
        finding: As in check.json.

    Returns:
        One sentence.
    """
    code, values = finding["code"], finding["values"]
    if code in SENTENCES:
        return SENTENCES[code]({**values, "severity": finding["severity"]}, _place(finding))
    return _beyond(BY_CODE[code], values, _place(finding))


def kind(finding: Mapping[str, Any]) -> str:
    """Say what a check found without the numbers of the one fit, so that equal findings can be
    counted."""
    diagnostic = BY_CODE.get(finding["code"])
    if diagnostic is None or diagnostic.limits is None:
        return sentence(finding)
    limits, limit = diagnostic.limits, finding["values"]["limit"]
    if limits.per == "transitions":
        return f"{limits.label} above {100 * limit:g} %"
    return f"{diagnostic.label} {_side(diagnostic)} {limit:g}{' for each chain' if limits.per else ''}"


def advice(finding: Mapping[str, Any], attempts: Sequence[Mapping[str, Any]]) -> str:
    """Say what to do about a finding.

    Args:
        finding: As in check.json.
        attempts: The samplings of the fit, as in check.json.

    Returns:
        One sentence; "" where the finding says it all.
    """
    code = finding["code"]
    if code == "modes":
        return ""
    if code == "points":
        return "Look at the points that failed."
    remedies = BY_CODE[code].remedies
    reparametrized = tried(attempts) and attempts[-1]["settings"]["reparametrized"]
    if "reparametrize" not in remedies or reparametrized:
        return MODEL_OR_DATA
    further = f", {SEPARATE_MODES}" if code == "rhat" else "."
    if tried(attempts) or remedies == ("reparametrize",):
        return f"Reparametrize the model{further}"
    if "target_accept" in remedies:
        return "Raise target_accept, or reparametrize the model."
    return f"Draw more{further}"


def remedy(attempt: Mapping[str, Any]) -> str:
    """Say what was changed for an attempt, as recorded: "target acceptance 0.95 with 2,000 warm-up
    iterations"."""
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
    """Say what was tried beyond the fit as configured, in order."""
    return [remedy(attempt) for attempt in attempts if attempt.get("remedy")]


def _place(finding: Mapping[str, Any]) -> str:
    site, labels = finding.get("site", ""), finding.get("labels", ())
    return f"{site}[{', '.join(labels)}]" if labels else site


def _side(diagnostic: Diagnostic) -> str:
    return "below" if diagnostic.limits.at_least else "above"


def _beyond(diagnostic: Diagnostic, values: Mapping[str, Any], place: str) -> str:
    """A value beyond its threshold, in the words of every diagnostic that has no others."""
    what = f"{diagnostic.label} of {place}" if place else diagnostic.label
    if values["value"] is None:
        return f"{what} cannot be computed."
    per, limit = diagnostic.limits.per, values["limit"]
    each = f" ({limit:g} for each of {values['chains']} chains)" if per == "chains" else ""
    bound = limit * values.get(per, 1)
    value = _apart(values["value"], bound, diagnostic.decimals)
    return f"{what} is {value}, {_side(diagnostic)} {bound:g}{each}."


def _apart(value: float, limit: float, decimals: int) -> str:
    """A value with enough decimals not to be rounded to its limit."""
    texts = [f"{value:.{more}f}" for more in range(decimals, decimals + 6)]
    return next((text for text in texts if float(text) != limit), texts[0])


def _rhat(values: Mapping[str, Any], place: str) -> str:
    rhat, limit = _apart(values["value"], values["limit"], 3), f"{values['limit']:g}"
    if values["severity"] == "fail":
        return f"R-hat of {place} is {rhat}, above {limit}: the chains disagree."
    return f"R-hat of {place} is {rhat}, above {limit}: draw more."


def _bfmi(values: Mapping[str, Any], place: str) -> str:
    if values["value"] is None:
        return _beyond(BY_CODE["bfmi"], values, place)
    low = f"E-BFMI is low in {values['bfmi_low']} of {values['chains']} chains; the smallest"
    what = low if "bfmi_low" in values else "E-BFMI"
    return f"{what} is {values['value']:.2f}, below {values['limit']:g}: the sampler explores heavy tails slowly."


def _acceptance(values: Mapping[str, Any], place: str) -> str:
    if values["value"] is None:
        return "The acceptance rate cannot be computed."
    rate, target = f"{values['value']:.2f}", f"{values['target']:g}"
    return f"The acceptance rate of a chain is {rate}, well below its target of {target}: use a longer warm-up."


def _constant(values: Mapping[str, Any], place: str) -> str:
    if values["stuck"] == values["chains"]:
        return f"All draws of {place} are identical (stuck chains)."
    of = f"{values['stuck']} of {values['chains']} chains of {place}"
    return f"{of} {'is' if values['stuck'] == 1 else 'are'} stuck: all draws of such a chain are identical."


def _modes(values: Mapping[str, Any], place: str) -> str:
    rest = values["count"] - len(values["parameters"])
    names = listed([*values["parameters"], *([f"{rest} more"] if rest else [])])
    settled = f"The chains settled in separate modes of {names}, and each chain mixes well within its mode."
    if "scale" not in values:
        return f"{settled} No remedy is tried, because another seed would only hide a mode: look at the model's symmetries."
    far, size = values["scale"]["parameter"], general(values["scale"]["value"], 1)
    return (
        f"{settled} {far} has values near {size}, but the sampler starts at the size of 1: give the data in units "
        "in which they are between 0.001 and 1,000 (thousands, millions, micrograms), or sample a standardized parameter "
        "and multiply it by its scale."
    )


def _status(values: Mapping[str, Any], place: str) -> str:
    what = "The job crashed" if values["status"] == "crashed" else "Sampling failed"
    return f"{what}: {values['reason']}."


def _thresholds(values: Mapping[str, Any], place: str) -> str:
    keys = [f"`{key}` is {value:g} (default {DEFAULTS[key]:g})" for key, value in values["loosened"].items()]
    return f"The fit was judged with custom thresholds that are looser than the defaults: {listed(keys)}."


def _points(values: Mapping[str, Any], place: str) -> str:
    names = [each[0] if len(each) == 1 else f"({', '.join(each)})" for each in values["places"]]
    rest = values["count"] - len(names)
    shown = ", ".join(names) + (f" and {rest} more" if rest else "")
    verb = f"{values['verdict']}s" if values["count"] == 1 else values["verdict"]
    return f"{values['count']} of {values['of']} fits by {' and '.join(values['axes'])} {verb}: {shown}."


def _ranks(values: Mapping[str, Any], place: str) -> str:
    return f"The ranks of {first_of(values['quantities'], values['shown'])} are not uniform."


def _simulations(values: Mapping[str, Any], place: str) -> str:
    some = f"{values['count']} of {values['of']} simulated data sets"
    return {
        "failed": f"The fits to {some} failed and have no ranks.",
        "flagged": f"The fits to {some} did not pass the convergence check; their ranks are counted all the same.",
        "impossible": f"{some} contained impossible values (overflow, or outside the outcome's support) and were skipped.",
    }[values["outcome"]]


def _chains(values: Mapping[str, Any], place: str) -> str:
    what = "found no valid starting point" if values["start"] else "reached values that are not finite"
    return f"{values['count']} of {values['of']} chains {what}."


def _data(values: Mapping[str, Any], place: str) -> str:
    return f"The data could not be simulated: {values['reason']}."


SENTENCES: dict[str, Callable[[Mapping[str, Any], str], str]] = {
    "rhat": _rhat,
    "diverging": lambda values, place: f"{values['value']} of {values['transitions']} transitions diverged.",
    "tree_depth": lambda values, place: (
        f"{values['value'] / values['transitions']:.0%} of trajectories reached the maximum tree depth."
    ),
    "bfmi": _bfmi,
    "acceptance_rate": _acceptance,
    "modes": _modes,
    "finite": lambda values, place: f"{place} has draws that are not finite.",
    "constant": _constant,
    "identical_chains": lambda values, place: f"All chains of {place} are identical.",
    "one_chain": lambda values, place: "Convergence cannot be checked with a single chain.",
    "missing": lambda values, place: f"R-hat or the effective sample size of {place} cannot be computed.",
    "status": _status,
    "thresholds": _thresholds,
    "points": _points,
    "ranks": _ranks,
    "simulations": _simulations,
    "chains": _chains,
    "data": _data,
}
"""Of codes whose sentence is not that of a value beyond a threshold; the last four are of
simulation studies."""
