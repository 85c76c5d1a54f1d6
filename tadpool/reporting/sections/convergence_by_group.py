"""What a page says of an entry that was fitted to each member of a group alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from tadpool.convergence.sentences import sentence as found
from tadpool.formatting import counted, general, listed, number, plural, sentence, span, whole
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.html.tables import Cell, Column, Table
from tadpool.reporting.sections.convergence import COLUMN_OF

SEVERITY = ("fail", "warn", "pass")
NAMED = 5
SENTENCES = 3


@dataclass(frozen=True)
class Member:
    """One member of the group: its label, rows of data, verdict, check, and the first reasons for
    its verdict."""

    label: str
    rows: int
    verdict: str
    check: Mapping[str, Any]
    reasons: list[str]

    @property
    def diverging(self) -> int:
        return self.check["diagnostics"].get("diverging") or 0


COLUMNS = (
    *(
        Column(COLUMN_OF[code].heading, lambda it, code=code: COLUMN_OF[code].cell(it.check))
        for code in ("rhat", "ess_bulk", "ess_tail", "diverging")
    ),
    Column("Reasons", lambda it: " ".join(it.reasons), number=False),
)


@dataclass(frozen=True)
class Separate:
    """All separate fits of one entry, the worst first. by: the group. unit: what a row is.

    sentences: what they show.
    """

    by: str
    unit: str
    members: list[Member]
    sentences: list[str]

    @property
    def table(self) -> Table:
        """A row for each member."""
        first = (
            Column(sentence(self.by), attrgetter("label"), number=False),
            Column("Verdict", lambda it: Cell(it.verdict, badge=it.verdict), number=False),
            Column(sentence(plural(self.unit)), lambda it: whole(it.rows), own=True),
        )
        return Table((*first, *COLUMNS), self.members, failed=lambda it: it.verdict == "fail")


def separate(fit: Fit) -> Separate | None:
    """The separate fits of an entry; None where it is one fit, or crashed."""
    by, points = fit.by, fit.check.get("points", [])
    if not by or not points:
        return None
    data, unit = fit.results.data, fit.results.config["unit"]
    rows = np.bincount(data[f"{by}_index"].values, minlength=data.sizes[by]).tolist()
    members = [_member(point, by, own) for point, own in zip(points, rows, strict=True)]
    members.sort(key=lambda member: SEVERITY.index(member.verdict))
    return Separate(by, unit, members, _sentences(members, by, unit))


def _member(point: Mapping[str, Any], by: str, rows: int) -> Member:
    reasons = [found(reason) for reason in point["reasons"]]
    shown = [*reasons[:SENTENCES], *([f"And {len(reasons) - SENTENCES} more."] if len(reasons) > SENTENCES else [])]
    return Member(general(point[by]), rows, point["verdict"], point, shown)


def _sentences(members: Sequence[Member], by: str, unit: str) -> list[str]:
    groups = {verdict: [m for m in members if m.verdict == verdict] for verdict in SEVERITY}
    passed, others = groups["pass"], groups["fail"] + groups["warn"]
    verbs = {"warn": ("warns", "warn"), "fail": ("fails", "fail")}
    parts = [f"{len(groups[v])} {verbs[v][len(groups[v]) > 1]}" for v in ("warn", "fail") if groups[v]]
    first = f"{len(passed)} of {counted(len(members), by)} {'passes' if len(passed) == 1 else 'pass'} every check"
    sentences = [f"{first}; {listed(parts)}." if others else f"{first}."]
    if passed and others:
        sentences.append(
            f"Those that do not pass have {_sizes(others, unit)} each, those that pass {_sizes(passed, unit)}."
        )
    diverged = sorted((m for m in members if m.diverging), key=lambda member: -member.diverging)
    if diverged:
        total = sum(member.diverging for member in diverged)
        named = listed([f"{m.label} ({whole(m.diverging)}, {counted(m.rows, unit)})" for m in diverged[:NAMED]])
        most = "They are in" if len(diverged) <= NAMED else "Most are in"
        where = f"in {len(diverged)} of {counted(len(members), by)}"
        sentences.append(f"{whole(total)} transitions diverged, {where}. {most} {named}.")
    return sentences


def _sizes(members: Sequence[Member], unit: str) -> str:
    sizes = [member.rows for member in members]
    middle = number(float(np.median(sizes)), 0 if float(np.median(sizes)).is_integer() else 1)
    return (
        f"{span(min(sizes), max(sizes))} {plural(unit)} (median {middle})"
        if len(sizes) > 1
        else counted(sizes[0], unit)
    )
