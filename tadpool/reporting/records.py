"""What results were made from (the same on every machine), what making them took (not the same), and where they are."""

import csv
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tadpool.reporting.fits import attributes
from tadpool.reporting.formatting import number
from tadpool.results import StudyResults

DATA_FILES = ("*.nc", "*.json", "*.csv")


@dataclass(frozen=True)
class Provenance:
    """seed: of the run. page: digest of the page's code. files: file, and its config, data and code digests.

    versions: package and the versions found in the files, more than one where they disagree.
    """

    seed: int
    page: str
    files: list[tuple[str, str, str, str]]
    versions: list[tuple[str, str]]
    architectures: str


def provenance(results: StudyResults, seed: int, page: str) -> Provenance:
    """Read from the provenance attribute of every NetCDF file of the study."""
    records = {path: json.loads(_provenance(results.folder / path)) for path in _files(results, ("*.nc",))}
    files = [(path, *(record.get(key) or "" for key in ("config", "data", "code"))) for path, record in records.items()]
    found: dict[str, dict[str, None]] = {}
    for record in records.values():
        for package, version in record.get("versions", {}).items():
            found.setdefault(package, {})[version] = None
    versions = [(package, " and ".join(several)) for package, several in sorted(found.items())]
    architectures = sorted({record.get("architecture", "") for record in records.values()})
    return Provenance(seed, page, files, versions, " and ".join(architectures))


def _provenance(path: Path) -> str:
    return attributes(path, ("provenance",))["provenance"]


def _files(results: StudyResults, patterns: tuple[str, ...]) -> list[str]:
    """The study's results of these kinds: data, then entries, sweeps and comparisons in the order of the study."""
    places = [
        "",
        *results.entries,
        *(f"sweeps/{name}" for name in results.config["sweeps"]),
        "comparisons",
        "calibration",
        *(f"recovery/{name}" for name in results.config["recovery"]),
    ]
    return [
        path.relative_to(results.folder).as_posix()
        for place in places
        for pattern in patterns
        for path in sorted((results.folder / place).glob(pattern))
        if not path.name.startswith(".")
    ]


def downloads(results: StudyResults) -> list[tuple[str, str]]:
    """Name and relative address of each result file that is there."""
    files = _files(results, DATA_FILES)
    listing = ["figures/figures.json"] if (results.folder / "figures/figures.json").is_file() else []
    return [(path, quote(path)) for path in [*files, *listing]]


@dataclass(frozen=True)
class Machine:
    """Where the page was made and what the jobs took; allowed to differ between runs."""

    host: str
    system: str
    processors: int | None
    jobs: list[tuple[str, str, str, str]]


def machine(results: StudyResults) -> Machine:
    """This machine, and the benchmarks that Snakemake wrote."""
    folder = results.folder / "benchmarks"
    jobs = [job for path in sorted(folder.rglob("*.tsv")) for job in _jobs(path, folder)]
    return Machine(platform.node(), f"{platform.system()} {platform.machine()}", os.cpu_count(), jobs)


def seconds(results: StudyResults, job: str) -> float | None:
    """What a job took by its benchmark, `{entry}/fit` for a fit; None where there is none."""
    path = results.folder / "benchmarks" / f"{job}.tsv"
    return next((_float(row.get("s")) for row in _benchmarks(path)), None) if path.is_file() else None


def _jobs(path: Path, folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Job, seconds, processor seconds and largest memory in MB."""
    name = path.relative_to(folder).with_suffix("").as_posix()
    for row in _benchmarks(path):
        yield (name, *(number(_float(row.get(key)), 1) for key in ("s", "cpu_time", "max_rss")))


def _benchmarks(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
