"""The table of all bad inputs and faults that the tests try, with outcome: results/faults.html and results/faults.csv.

Tests of faults say with the marker `fault` what must hold; of the files in ATTACKS every test is a row. The page is written at
the end of a session that ran all of them.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pytest

from tadpool import ROOT

ATTACKS = {  # test file -> area, and what must hold
    "tests/config/test_config.py": ("config", "one sentence names file, key and value, and nothing is run"),
    "tests/runs/test_bad_config.py": (
        "config",
        "the command ends with one sentence for each mistake and no traceback",
    ),
    "tests/loading/test_described_table.py": (
        "data",
        "a sentence names table, line, column and value, and nothing is sampled",
    ),
    "tests/files/test_plugins.py": ("models and datasets", "one sentence names the file and what it lacks"),
    "tests/browser/test_pages.py": ("names and texts", "the page shows them as text, and nothing in it runs"),
}
FOLDER = "tests/faults/"
AREAS = ("killed", "files", "disk", "fits", "machine", "config", "data", "models and datasets", "names and texts")
_rows: dict[str, "Row"] = {}


@dataclass(frozen=True)
class Row:
    """One case. outcome: passed, failed or skipped."""

    area: str
    case: str
    holds: str
    outcome: str = ""


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "fault(area, holds): a fault that is tried, and what must hold; a row of faults.html"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        path = item.path.relative_to(ROOT).as_posix()
        mark = item.get_closest_marker("fault")
        if mark:
            row = Row(*mark.args, case=_case(item), holds=mark.kwargs["holds"])
        elif path in ATTACKS:
            area, holds = ATTACKS[path]
            row = Row(area, _case(item), holds)
        else:
            continue
        item.user_properties.append(("fault", json.dumps(asdict(row))))


def _case(item) -> str:
    """The test's name in words, with its parameters."""
    name, _, parameters = item.name.removeprefix("test_").partition("[")
    words = name.replace("_", " ")
    parameters = re.sub(r"\s+", " ", parameters.removesuffix("]")).strip()
    return f"{words}: {parameters[:80]}" if parameters else words


def pytest_runtest_logreport(report):
    """Called for each phase of each test, with xdist in the process that gathers."""
    found = dict(report.user_properties).get("fault")
    if found and (report.when == "call" or report.outcome != "passed"):
        _rows[report.nodeid] = Row(**(json.loads(found) | {"outcome": report.outcome}))


def pytest_sessionfinish(session):
    files = {nodeid.partition("::")[0] for nodeid in _rows}
    if (
        hasattr(session.config, "workerinput")
        or not files.issuperset(ATTACKS)
        or not any(FOLDER in each for each in files)
    ):
        return
    write(sorted(_rows.values(), key=lambda row: (AREAS.index(row.area), row.case)), ROOT / "results")


def counts(rows: Sequence[Row]) -> list[dict]:
    """Of each area: cases, and how many of them held."""
    found = [[row for row in rows if row.area == area] for area in AREAS]
    return [
        {"area": own[0].area, "cases": len(own), "held": sum(row.outcome == "passed" for row in own)}
        for own in found
        if own
    ]


def write(rows: Sequence[Row], folder: Path) -> None:
    """The page and the same as CSV."""
    from tadpool.files import io
    from tadpool.reporting.html.environment import rendered

    io.write_csv(folder / "faults.csv", pd.DataFrame([asdict(row) for row in rows]))
    bad = [row for row in rows if row.outcome == "failed"]
    skipped = sum(row.outcome == "skipped" for row in rows)
    held = sum(row.outcome == "passed" for row in rows)
    sentences = [f"{held} of {len(rows)} cases end as they must."]
    sentences += [f"{skipped} could not be tried on this machine."] if skipped else []
    io.write_text(
        folder / "faults.html",
        rendered(
            "faults.html",
            tone="fail" if bad else "warn" if skipped else "pass",
            sentences=sentences,
            counts=counts(rows),
            rows=rows,
            quick=False,
        ),
    )
