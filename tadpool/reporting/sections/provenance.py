"""What results were made from, the same on every machine, and where they are."""

import json
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from urllib.parse import quote

from tadpool.files.provenance import RUN
from tadpool.files.results import StudyResults
from tadpool.formatting import size
from tadpool.reporting.fit_view import attributes
from tadpool.reporting.html.tables import Column, Table

DATA_FILES = ("*.nc", "*.json", "*.csv")
MADE_FROM = ("config", "data", "code")
DRAWN = (".svg", ".csv", ".json")


VERSION_COLUMNS = (
    Column("Package", itemgetter(0), number=False),
    Column("Version", itemgetter(1), number=False),
)


@dataclass(frozen=True)
class Provenance:
    """seed: of the run. page: digest of the page's code. files: file, its size, and its config,
    data and code digests.

    versions: package and the versions found in the files, more than one where they disagree.
    """

    seed: int
    page: str
    files: list[tuple[str, str, str, str, str]]
    versions: list[tuple[str, str]]
    architectures: str

    @property
    def version_table(self) -> Table:
        return Table(VERSION_COLUMNS, self.versions)


def provenance(results: StudyResults, seed: int, page: str) -> Provenance:
    """Read from the provenance attribute of every NetCDF file of the study."""
    records = {path: json.loads(_provenance(results.folder / path)) for path in _files(results, ("*.nc",))}
    sizes = {path: size((results.folder / path).stat().st_size) for path in records}
    files = [(path, sizes[path], *(record.get(key) or "" for key in MADE_FROM)) for path, record in records.items()]
    found: dict[str, dict[str, None]] = {}
    for record in records.values():
        for package, version in record.get("versions", {}).items():
            found.setdefault(package, {})[version] = None
    versions = [(package, " and ".join(several)) for package, several in sorted(found.items())]
    architectures = sorted({record.get("architecture", "") for record in records.values()})
    return Provenance(seed, page, files, versions, " and ".join(architectures))


def storage_words(results: StudyResults) -> str:
    """What the files of fits keep of the draws, in words; "" where they keep all."""
    storage = results.config.get("storage") or {}
    words = [f"one draw in {storage['every']} of each chain"] if storage.get("every", 1) > 1 else []
    if storage.get("posterior", "float64") != "float64":
        words.append(f"the posterior as {storage['posterior']}")
    return " and ".join(words)


def _provenance(path: Path) -> str:
    return attributes(path, ("provenance",))["provenance"]


def _files(results: StudyResults, patterns: tuple[str, ...]) -> list[str]:
    """The study's results of these kinds: data, then entries, sweeps and comparisons in the order
    of the study."""
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
    """Name and relative address of each result file that stays, and of the record that is written
    with the page."""
    gone = set() if results.keeps_draws else {"fit.nc"}
    files = [path for path in _files(results, DATA_FILES) if path != RUN and Path(path).name not in gone]
    return [(path, quote(path)) for path in [*files, RUN]]


def figure_files(results: StudyResults) -> list[tuple[str, str]]:
    """Name and relative address of each figure, of its numbers, and of the list of them."""
    paths = sorted(path for path in (results.folder / "figures").glob("*.*") if path.suffix in DRAWN)
    return [(path.name, quote(f"figures/{path.name}")) for path in paths]
