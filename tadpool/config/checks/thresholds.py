"""Thresholds that contradict each other: where a fit fails it would also have to warn."""

from collections.abc import Iterator, Mapping

from tadpool.config.parsed_values import Problem
from tadpool.config.schema.run import Settings
from tadpool.config.schema.study import Study
from tadpool.convergence.diagnostics import DEFAULTS, LIMITS


def of_run(settings: Settings) -> Iterator[Problem]:
    """Contradictions among the thresholds of the run."""
    yield from _conflicts(("verdict",), settings.verdict.model_dump(exclude_unset=True), {})


def of_study(study: Study, settings: Settings | None) -> Iterator[Problem]:
    """Contradictions in a study, whose thresholds override the run's, and in its entries.

    Args:
        study: A study whose keys and values are valid.
        settings: The run; None where it is invalid.

    Yields:
        One problem for each pair of thresholds, at the place that sets one of them.
    """
    below = settings.verdict.model_dump() if settings else {}
    own = study.verdict.model_dump(exclude_none=True) if study.verdict else {}
    yield from _conflicts(("verdict",), own, below)
    for name, entry in study.models.items():
        if entry.verdict:
            of_entry = entry.verdict.model_dump(exclude_none=True)
            yield from _conflicts(("models", name, "verdict"), of_entry, {**below, **own})


def _conflicts(place: tuple, own: Mapping[str, float], below: Mapping[str, float]) -> Iterator[Problem]:
    """own: what is set at this place. below: what holds where it sets nothing."""
    every = {**DEFAULTS, **below, **own}
    for limits in LIMITS.values():
        keys = limits.keys
        if len(keys) < 2 or not {*keys.values()} & {*own}:
            continue
        warn, fail = every[keys["warn"]], every[keys["fail"]]
        if (limits.at_least and fail > warn) or (not limits.at_least and fail < warn):
            one, other = ("fail", "warn") if keys["fail"] in own else ("warn", "fail")
            side = "above" if every[keys[one]] > every[keys[other]] else "below"
            what = f"{every[keys[one]]:g} is {side} {keys[other]}, which is {every[keys[other]]:g}"
            bound = "at most" if limits.at_least else "at least"
            yield Problem((*place, keys[one]), what, f"set {keys['fail']} to {bound} {keys['warn']}")
