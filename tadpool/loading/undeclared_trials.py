"""What a described table may have been meant to say: columns that could be the trials of a count and are not declared so."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tadpool.files import io
from tadpool.loading.table_files import Cells
from tadpool.modelling.design import ROLES

WHOLE = re.compile(r"0|[1-9]\d{0,14}")
FREE = ("number", "integer", "count")


def possible_trials(cells: Cells, columns: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Count without trials and exposure -> headings without a role whose whole numbers are never below it, in some row above.

    cells: of the rows that are kept. columns: those described, each with its heading as `column`.
    """
    roles = {columns[each[role]]["column"] for each in columns.values() for role in ROLES if each[role] in columns}
    taken = roles | {each["column"] for each in columns.values() if each["kind"] not in FREE}
    numbers = {heading: _whole(column) for heading, column in cells.columns.items() if heading not in taken}
    numbers = {heading: values for heading, values in numbers.items() if values is not None}
    found = {}
    for name, each in columns.items():
        counts = numbers.get(each["column"]) if each["kind"] == "count" else None
        if counts is not None and not each["trials"] and not each["exposure"]:
            found[name] = [it for it, of in numbers.items() if (of >= counts).all() and (of > counts).any()]
    return {name: headings for name, headings in found.items() if headings}


def _whole(column: np.ndarray) -> np.ndarray | None:
    return column.astype(np.int64) if all(WHOLE.fullmatch(cell) for cell in column) else None


def sentences(how: Mapping[str, Any], outcomes: Sequence[str]) -> Iterator[str]:
    """A question for each of the outcomes that may lack its trials. how: how the table was read (`described_table.load`)."""
    for outcome in outcomes:
        for heading in how.get("never_below", {}).get(outcome, []):
            yield (
                f"Is {outcome} out of {heading}? Column {heading} is never below it and has no role. If {outcome} counts "
                f"successes among so many trials, describe {heading} as a count and name it as `trials` of {outcome}; as it "
                f"stands, {outcome} is a count without a limit."
            )


def questions(outcomes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The questions of a run's studies whose data.nc is there. outcomes: of each study by its name."""
    for study, names in outcomes.items():
        path = Path("results", study, "data.nc")
        how = io.attributes(path).get("table") if path.is_file() else None
        if how:
            yield from (f"{study}: {question}" for question in sentences(json.loads(how), names))
