"""Where a page was made and what the jobs took: the one section that may differ between runs with equal results."""

import csv
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from tadpool import ROOT
from tadpool.files.results import StudyResults
from tadpool.formatting import number
from tadpool.reporting.html.tables import Column, Table

SECONDS = 10
"""How long Git may take to answer."""


@dataclass(frozen=True)
class Job:
    """One job. seconds: of the clock and of processors; memory: the most it took, in MB. None where it was not measured."""

    rule: str
    name: str
    seconds: float | None
    processor_seconds: float | None
    memory: float | None


@dataclass(frozen=True)
class RuleJobs:
    """All jobs of a rule."""

    rule: str
    jobs: Sequence[Job]

    def measured(self, name: str) -> list[float]:
        """A number of each job for which it was measured."""
        return [value for job in self.jobs if (value := getattr(job, name)) is not None]

    @property
    def seconds(self) -> float:
        return sum(self.measured("seconds"))

    @property
    def processor_seconds(self) -> float | None:
        found = self.measured("processor_seconds")
        return sum(found) if found else None

    @property
    def memory(self) -> float | None:
        return max(self.measured("memory"), default=None)


MEASURED = (
    Column("Seconds", lambda it: number(it.seconds, 1)),
    Column("Processor seconds", lambda it: number(it.processor_seconds, 1)),
    Column("Memory, MB", lambda it: number(it.memory, 1)),
)
JOB_COLUMNS = (Column("Job", attrgetter("name"), number=False), *MEASURED)
RULE_COLUMNS = (
    Column("Rule", attrgetter("rule"), number=False),
    Column("Jobs", lambda it: str(len(it.jobs))),
    *MEASURED,
)


@dataclass(frozen=True)
class Machine:
    """This machine. commit: of the workflow, in words. rules, jobs: time and memory of each."""

    host: str
    system: str
    processors: int | None
    commit: str
    rules: Table
    jobs: Table


def machine(results: StudyResults) -> Machine:
    """This machine, and the benchmarks that Snakemake wrote."""
    folder = results.folder / "benchmarks"
    jobs = [job for path in sorted(folder.rglob("*.tsv")) for job in _jobs(path, folder)]
    system, processors = f"{platform.system()} {platform.machine()}", os.cpu_count()
    return Machine(platform.node(), system, processors, commit(ROOT), _rules(jobs), Table(JOB_COLUMNS, jobs))


def commit(folder: Path) -> str:
    """The commit of the workflow in `folder` and whether its files were changed since, in words."""
    if _git(folder, "ls-files", "--error-unmatch", "Snakefile") is None:
        return "not known: the workflow is not in a Git repository that can be read"
    found, changes = (
        _git(folder, "rev-parse", "HEAD"),
        _git(folder, "status", "--porcelain", "--untracked-files=no", "."),
    )
    if found is None or changes is None:
        return "not known: the workflow has no commit"
    changed = len(changes.splitlines())
    return f"{found}, {f'with changes in {changed} of its files' if changed else 'clean'}"


def _git(folder: Path, *arguments: str) -> str | None:
    """What Git prints; None where it fails or is not there."""
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def seconds(results: StudyResults, job: str) -> float | None:
    """What a job took by its benchmark, `{entry}/fit` for a fit; None where there is none."""
    path = results.folder / "benchmarks" / f"{job}.tsv"
    return next((_float(row.get("s")) for row in _benchmarks(path)), None) if path.is_file() else None


def _jobs(path: Path, folder: Path) -> Iterator[Job]:
    name = path.relative_to(folder).with_suffix("").as_posix()
    for row in _benchmarks(path):
        yield Job(_rule(name.split("/")), name, *(_float(row.get(key)) for key in ("s", "cpu_time", "max_rss")))


def _benchmarks(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _rule(parts: Sequence[str]) -> str:
    """The rule of a job, from the place of its benchmark."""
    if ".share-" in parts[-1]:
        return "share"
    if parts[0] == "comparisons":
        return "compare"
    if parts[0] == "recovery":
        return "recover"
    if parts[0] == "calibration":
        return "calibrate"
    if parts[0] == "sweeps" and parts[-1] != "sweep":
        return f"{parts[-1]}_sweep"
    return "cross_validate_group" if parts[-1].startswith("cross_validate_") else parts[-1]


def _rules(jobs: Sequence[Job]) -> Table:
    """Jobs, time and largest memory of each rule; the rule that took longest first."""
    grouped = groupby(sorted(jobs, key=attrgetter("rule")), key=attrgetter("rule"))
    rules = [RuleJobs(rule, list(own)) for rule, own in grouped]
    return Table(RULE_COLUMNS, sorted(rules, key=lambda rule: -rule.seconds))


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
