"""What changed from another run of a study to this one, by their records (`runs`)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from tadpool.errors import UserError
from tadpool.files import io
from tadpool.formatting import MISSING, counted, decimals_for, first_of, listed, number
from tadpool.reporting.html.tables import Column, Table, of_texts
from tadpool.reporting.sections import run_record

MULTIPLE = 3.0
"""Combined Monte Carlo errors beyond which an estimate has moved."""
BY_CHANCE = math.erfc(MULTIPLE / math.sqrt(2))
"""Share of estimates that move so far in another run of the same, where their errors are normal."""
NAMED = 4
KINDS = {
    "models": "fits",
    "samplers": "fits",
    "sweeps": "sweeps",
    "comparisons": "standings",
    "calibration": "calibrations",
}
"""Config key of named things -> where the record has their verdicts."""
LONGEST = 200


@dataclass(frozen=True)
class Moved:
    """An estimate there and here, and the Monte Carlo error of both together."""

    name: str
    before: float
    after: float
    error: float

    @property
    def multiple(self) -> float:
        """Its difference in Monte Carlo errors."""
        difference = abs(self.after - self.before)
        return difference / self.error if self.error else math.inf if difference else 0.0

    def shown(self, value: float) -> str:
        """A number as precise as the error."""
        return number(value, decimals_for(self.error or self.after - self.before, 2))


ESTIMATE_COLUMNS = (
    Column("Estimate", attrgetter("name"), number=False),
    Column("Before", lambda it: it.shown(it.before)),
    Column("Now", lambda it: it.shown(it.after)),
    Column("Difference", lambda it: it.shown(it.after - it.before)),
    Column("Monte Carlo error", lambda it: it.shown(it.error)),
    Column("Multiple", lambda it: number(it.multiple, 1) if math.isfinite(it.multiple) else "no error"),
)


def differences(first: str, rows: Sequence[tuple[str, str, str]]) -> Table:
    """What differs, there and here. first: the heading of the names."""
    return of_texts([first, "Before", "Now"], rows, words=3)


@dataclass(frozen=True)
class Changes:
    """What differs between the other run (`folder`) and this one. reason: why nothing can be said,
    "" where it can.

    config, verdicts, versions: name, there and here. moved: the furthest first; `compared` is
    how many estimates there were. data: variables whose values differ. code: files that other code
    made. only_there, only_here: entries and comparisons.
    """

    folder: str
    reason: str = ""
    config: list[tuple[str, str, str]] = field(default_factory=list)
    verdicts: list[tuple[str, str, str]] = field(default_factory=list)
    versions: list[tuple[str, str, str]] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    compared: int = 0
    data: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    only_there: list[str] = field(default_factory=list)
    only_here: list[str] = field(default_factory=list)

    @property
    def moved_table(self) -> Table:
        return Table(ESTIMATE_COLUMNS, self.moved)

    @property
    def nothing(self) -> bool:
        """Whether both runs are the same in everything that is compared."""
        found = (self.config, self.verdicts, self.versions, self.moved, self.data, self.code)
        return not any((*found, self.only_there, self.only_here, self.reason))

    @property
    def summary(self) -> str:
        """One sentence for all that changed."""
        if self.reason:
            return f"The two runs cannot be compared: {self.reason}."
        if self.nothing:
            return f"Nothing changed: config, data, code, versions, verdicts and {self._counted} are the same."
        parts = [
            counted(len(self.verdicts), "verdict"),
            f"{len(self.moved)} of {self._counted}",
            counted(len(self.config), "config key"),
            counted(len(self.data), "variable") + " of the data",
            f"the code of {counted(len(self.code), 'file')}",
            f"the versions of {counted(len(self.versions), 'package')}",
        ]
        sizes = (self.verdicts, self.moved, self.config, self.data, self.code, self.versions)
        changed = [part for part, size in zip(parts, sizes, strict=True) if size]
        entries = [
            f"Only in {where} run: {first_of(names, NAMED)}."
            for where, names in (("this", self.only_here), ("the earlier", self.only_there))
            if names
        ]
        return " ".join([*([f"Changed: {listed(changed)}."] if changed else []), *entries])

    @property
    def by_chance(self) -> float:
        """How many estimates a run with another seed would be expected to move."""
        return BY_CHANCE * self.compared

    @property
    def _counted(self) -> str:
        return counted(self.compared, "estimate")


def changes(here: Mapping[str, Any], folder: str) -> Changes:
    """What changed from the run in `folder`, its results folder, to the run whose record is
    `here`."""
    try:
        there = run_record.read(folder, here["study"])
    except UserError as error:
        return Changes(folder, str(error))
    moved, compared = _moved(there, here)
    only_there, only_here = _alone(there, here), _alone(here, there)
    return Changes(
        folder,
        config=[row for row in _differing(*map(_settings, (there, here))) if not _of_alone(row[0], there, here)],
        verdicts=list(_verdicts(there, here)),
        versions=_differing(there["versions"], here["versions"]),
        moved=moved,
        compared=compared,
        data=[name for name, _, _ in _differing(there["data"], here["data"])],
        code=[path for path in here["code"] if path in there["code"] and there["code"][path] != here["code"][path]],
        only_there=only_there,
        only_here=only_here,
    )


def _alone(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Entries, sweeps and comparisons of one run that the other has not."""
    kinds = {"fits": "", "sweeps": "sweep ", "standings": "comparison ", "calibrations": "calibration "}
    return [f"{word}{name}" for kind, word in kinds.items() for name in one[kind] if name not in other[kind]]


def _of_alone(key: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    """Whether a config key belongs to an entry that only one of the runs has, which is said
    once."""
    parts = key.removeprefix("run.").split(".")
    kind = KINDS.get(parts[0])
    return bool(kind) and len(parts) > 1 and (parts[1] in there[kind]) != (parts[1] in here[kind])


def _settings(record: Mapping[str, Any]) -> dict[str, str]:
    """Every key of the config with its value as JSON; keys of keys are joined by dots."""
    return dict(_flat(record["config"], ""))


def _flat(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    else:
        text = value if isinstance(value, str) else io.canonical(value)
        yield key, text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _differing(there: Mapping[str, str], here: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Name, there and here of what differs, in the order of here."""
    names = dict.fromkeys([*here, *there])
    rows = [(name, there.get(name, MISSING), here.get(name, MISSING)) for name in names]
    return [row for row in rows if row[1] != row[2]]


def _verdicts(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The headline, checks, verdicts and standings that differ, of what both runs have."""
    yield from _differing({"verdict of the study": there["headline"]}, {"verdict of the study": here["headline"]})
    for kind, word in (("checks", "check"), ("fits", "fit"), ("sweeps", "sweep"), ("calibrations", "calibration")):
        yield from _shared(there[kind], here[kind], word)
    for name, rows in here["standings"].items():
        yield from _shared(there["standings"].get(name, {}), rows, f"comparison {name}:")


def _shared(there: Mapping[str, str], here: Mapping[str, str], word: str) -> Iterator[tuple[str, str, str]]:
    for name, found in here.items():
        if name in there and there[name] != found:
            yield f"{word} {name}", there[name], found


def _moved(there: Mapping[str, Any], here: Mapping[str, Any]) -> tuple[list[Moved], int]:
    """The estimates that moved, the furthest first, and how many both runs have."""
    found = [
        Moved(name, before, after, math.hypot(its_error, own_error))
        for name, (before, its_error), (after, own_error) in _pairs(there, here)
    ]
    moved = [estimate for estimate in found if estimate.multiple > MULTIPLE]
    return sorted(moved, key=lambda estimate: -estimate.multiple), len(found)


Estimate = tuple[float, float]


def _pairs(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[tuple[str, Estimate, Estimate]]:
    """Name and, there and here, value and Monte Carlo error of posterior means, standard deviations
    and elpds."""
    for entry, parameters in here["estimates"].items():
        others = there["estimates"].get(entry, {})
        for name, own in parameters.items():
            if name in others:
                yield from _of_parameter(f"{entry}: {name}", others[name], own)
    for comparison, rows in here["scores"].items():
        others = there["scores"].get(comparison, {})
        for entry, own in rows.items():
            if entry in others:
                yield f"{entry}: elpd in {comparison}", tuple(others[entry]), tuple(own)


def _of_parameter(name: str, before: Sequence[float | None], after: Sequence[float | None]) -> Iterator[Any]:
    for position, words in ((0, "mean of"), (2, "SD of")):
        entry, _, parameter = name.partition(": ")
        pair = [each[position : position + 2] for each in (before, after)]
        if not any(value is None for each in pair for value in each):
            yield f"{entry}: {words} {parameter}", tuple(pair[0]), tuple(pair[1])
