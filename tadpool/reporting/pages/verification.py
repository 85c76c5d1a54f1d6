"""The page of verification: values beside the exact ones, and errors that were planted."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tadpool.formatting import counted, decimals_for, general, number, sentence
from tadpool.reporting.html.environment import rendered
from tadpool.verification.findings import Compared, Detection, problems


@dataclass(frozen=True)
class Line:
    """All values of one oracle: the one that is farthest off, as it is shown, and how many there
    are."""

    oracle: str
    count: int
    missed: int
    worst: Compared

    @property
    def cells(self) -> list[str]:
        """Exact value, found, Monte Carlo error, z and bound, with two digits of the error or of
        what is allowed."""
        worst = self.worst
        scale = worst.error or worst.tolerance
        values = [
            number(value, decimals_for(scale, 2)) if scale or value is None else general(value)
            for value in (worst.exact, worst.found, worst.error)
        ]
        return [*values, number(worst.z, 1), worst.bound]


def lines(values: Sequence[Compared]) -> list[Line]:
    """One line for each oracle, those with a miss first."""
    groups: dict[str, list[Compared]] = {}
    for value in values:
        groups.setdefault(value.oracle, []).append(value)
    found = [
        Line(name, len(own), sum(not value.holds for value in own), max(own, key=lambda value: value.distance))
        for name, own in groups.items()
    ]
    return sorted(found, key=lambda line: line.missed == 0)


def table(values: Sequence[Compared]) -> pd.DataFrame:
    """All values with their z, one row each."""
    return pd.DataFrame(
        {
            "oracle": [value.oracle for value in values],
            "quantity": [value.quantity for value in values],
            "exact": [value.exact for value in values],
            "found": [value.found for value in values],
            "monte_carlo_error": [value.error for value in values],
            "z": [value.z for value in values],
            "bound": [value.bound for value in values],
            "holds": [value.holds for value in values],
        }
    )


def summary(values: Sequence[Compared], detections: Sequence[Detection]) -> tuple[str, list[str]]:
    """A tone and sentences that say how many values hold and how many planted errors were
    caught."""
    wrong = len(problems(values, detections))
    z = [abs(value.z) for value in values if value.z is not None and value.tolerance is None]
    largest = f"; the largest |z| is {number(max(z), 1)}" if z else ""
    first = (
        f"{counted(wrong, 'problem')}: no result can be trusted until this is fixed." if wrong else "Everything holds."
    )
    exact = f"Values within their bounds: {sum(value.holds for value in values)} of {counted(len(values), 'value')}{largest}."
    found = f"Caught: {sum(each.caught for each in detections)} of {counted(len(detections), 'planted error')}"
    alarms = f"{found}; false alarms where nothing was planted: {sum(not each.silent for each in detections)}."
    return "fail" if wrong else "pass", [first, exact, alarms]


def verification_page(values: Sequence[Compared], detections: Sequence[Detection]) -> str:
    """The page as HTML: what was missed, the oracles, the planted errors."""
    tone, sentences = summary(values, detections)
    return rendered(
        "verify.html",
        tone=tone,
        sentences=sentences,
        problems=problems(values, detections),
        lines=lines(values),
        detections=sorted(detections, key=lambda detection: detection.holds),
        shown=lambda value: general(value, 3),
        sentence=sentence,
        quick=False,
    )
