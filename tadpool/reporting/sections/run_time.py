"""Where a page was made and what the jobs took: the one section that may differ between runs with
equal results."""

import csv
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
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
    """One job. seconds: how long it took; memory: the most it used, in MB. None where it was not
    measured."""

    name: str
    seconds: float | None
    memory: float | None


COLUMNS = (
    Column("Job", attrgetter("name"), number=False),
    Column("Seconds", lambda job: number(job.seconds, 1)),
    Column("Memory, MB", lambda job: number(job.memory, 1)),
)


@dataclass(frozen=True)
class RunTime:
    """host: of this machine. commit: of the workflow, in words. jobs: time and memory of each."""

    host: str
    commit: str
    jobs: Table


def run_time(results: StudyResults) -> RunTime:
    """This machine, the commit of the workflow, and the benchmarks that Snakemake wrote.

    Args:
        results: Of one study.

    Returns:
        What the section shows, jobs in the order of their names.
    """
    folder = results.folder / "benchmarks"
    jobs = [job for path in sorted(folder.rglob("*.tsv")) for job in _jobs(path, folder)]
    return RunTime(platform.node(), commit(ROOT), Table(COLUMNS, jobs))


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
        yield Job(name, _float(row.get("s")), _float(row.get("max_rss")))


def _benchmarks(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
