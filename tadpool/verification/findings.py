"""What verification finds: values beside the exact ones, and what the checks say of errors that
were planted."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tadpool.formatting import general

Z = 4.4
"""Two-sided normal tail 1.1e-5: over the about 900 values with a Monte Carlo error one is beyond it
in a hundred runs."""


@dataclass(frozen=True)
class Compared:
    """A value beside the exact one.

    oracle: what is compared, the same for a group of values. quantity: which of them. found: None
    where it is not finite. error: its Monte Carlo standard error, None where it has none.
    tolerance: the largest difference that is allowed; None where |z| < Z decides.
    """

    oracle: str
    quantity: str
    exact: float
    found: float | None
    error: float | None = None
    tolerance: float | None = None

    @property
    def z(self) -> float | None:
        """The difference in Monte Carlo standard errors."""
        return (self.found - self.exact) / self.error if self.found is not None and self.error else None

    @property
    def distance(self) -> float:
        """The difference as a share of what is allowed: above 1 the value is missed."""
        if self.found is None:
            return math.inf
        if self.tolerance is None:
            return math.inf if self.z is None else abs(self.z) / Z
        difference = abs(self.found - self.exact)
        return difference / self.tolerance if self.tolerance else math.inf if difference else 0.0

    @property
    def holds(self) -> bool:
        return self.distance <= 1

    @property
    def bound(self) -> str:
        """What is allowed, in words."""
        if self.tolerance is None:
            return f"|z| < {Z:g}"
        return f"within {self.tolerance:g}" if self.tolerance else "equal"

    @property
    def sentence(self) -> str:
        found = "not finite" if self.found is None else general(self.found)
        z = "" if self.z is None else f", z = {self.z:.1f}"
        return f"{self.oracle}, {self.quantity}: {found} found, {general(self.exact)} is exact ({self.bound}{z})."


def compared(oracle: str, quantity: str, exact: float, found: float, error=None, tolerance=None) -> Compared:
    """`Compared` of plain floats, None in place of numbers that are not finite."""
    plain = [float(value) if value is not None and math.isfinite(value) else None for value in (found, error)]
    return Compared(oracle, quantity, float(exact), *plain, tolerance)


@dataclass(frozen=True)
class Detection:
    """An error that was planted, and what the check says with it and without it.

    check: which check should find it. statistic: what it looks at. It is found where the statistic
    lies above the bound, or below it where `above` is false. sentence: the check's own words, ""
    where it says nothing. power: with which probability it is found, over seeds, and how that is
    known.
    """

    what: str
    check: str
    statistic: str
    bound: float
    above: bool
    power: str
    planted: float
    without: float
    sentence: str

    def _beyond(self, value: float) -> bool:
        return value > self.bound if self.above else value < self.bound

    @property
    def caught(self) -> bool:
        """Whether the error was found: the statistic says so, and so does the check."""
        return self._beyond(self.planted) and bool(self.sentence)

    @property
    def silent(self) -> bool:
        """Whether nothing is found where nothing was planted."""
        return not self._beyond(self.without)

    @property
    def holds(self) -> bool:
        return self.caught and self.silent

    @property
    def problems(self) -> list[str]:
        """A sentence for each thing that went wrong."""
        side = "above" if self.above else "below"
        found = []
        if not self.caught:
            silence = "" if self.sentence else ", and the check says nothing"
            said = f"{self.statistic} is {general(self.planted)}, not {side} {general(self.bound)}"
            if self._beyond(self.planted):
                said = f"{self.statistic} is {general(self.planted)}"
            found.append(f"Not caught by {self.check}: {self.what} ({said}{silence}).")
        if not self.silent:
            said = f"{self.statistic} is {general(self.without)}, {side} {general(self.bound)}"
            found.append(f"False alarm of {self.check} without this error: {self.what} ({said}).")
        return found


Finding = Compared | Detection


def as_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """Findings as they are kept in results/verify/<part>.json."""
    rows = {"values": [], "detections": []}
    for finding in findings:
        rows["values" if isinstance(finding, Compared) else "detections"].append(asdict(finding))
    return rows


def from_json(parts: Iterable[Mapping[str, Any]]) -> tuple[list[Compared], list[Detection]]:
    """The values and the detections of all parts."""
    parts = list(parts)
    values = [Compared(**row) for part in parts for row in part["values"]]
    return values, [Detection(**row) for part in parts for row in part["detections"]]


def problems(values: Iterable[Compared], detections: Iterable[Detection]) -> list[str]:
    """One sentence for each value that is missed, each error that is not caught and each false
    alarm."""
    missed = [value.sentence for value in values if not value.holds]
    return missed + [sentence for detection in detections for sentence in detection.problems]
