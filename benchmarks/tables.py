"""The tables of the README: seconds as minimum and median, ratios with their goals."""

import statistics
from collections.abc import Sequence

from benchmarks.processes import Run, Runs

RATIOS = "How many times faster tadpool is (ratio of the minima / median ratio of the rounds):"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


def seconds(runs: Sequence[Run], what: str) -> list[float]:
    """One kind of seconds in each run."""
    return [run["seconds"][what] for run in runs]


def spread(numbers: Sequence[float]) -> str:
    """The minimum and the median."""
    return f"{min(numbers):,.1f} / {statistics.median(numbers):,.1f}"


def memory(runs: Sequence[Run]) -> str:
    """The median of the peak memory, in MB."""
    return f"{statistics.median(run['memory_mb'] for run in runs):,.0f}"


def ratio(theirs: Sequence[float], ours: Sequence[float], goal: float | None = None) -> str:
    """How many times the peer's seconds are tadpool's: of the minima, and the median over rounds.

    A peer that ran once is compared with each of tadpool's rounds.
    """
    theirs, ours = list(theirs), list(ours)
    if len(theirs) == 1:
        theirs *= len(ours)
    best = min(theirs) / min(ours)
    typical = statistics.median(t / o for t, o in zip(theirs, ours, strict=True))
    met = "" if goal is None else f" (goal {goal:g}: {'met' if best >= goal else 'missed'})"
    return f"{best:.1f} / {typical:.1f}{met}"


def run_ratio(runs: Runs, peer: str, own: str, what: str, goal: float | None = None) -> str:
    """The ratio of one kind of seconds."""
    return ratio(seconds(runs[peer], what), seconds(runs[own], what), goal)
