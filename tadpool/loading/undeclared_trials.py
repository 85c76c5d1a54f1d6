"""Columns of a described table that may be the trials of a count, although the description does not
say so."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tadpool.files import io
from tadpool.loading.sources import ROLES
from tadpool.loading.table_files import Cells

WHOLE = re.compile(r"0|[1-9]\d{0,14}")
FREE = ("number", "integer", "count")


def possible_trials(cells: Cells, columns: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Columns that could be the number of trials of a count.

    Args:
        cells: The remaining rows.
        columns: The described columns, each with its heading as `column`.

    Returns:
        Count without trials and exposure -> headings of columns without a role, of whole numbers
            that are never below the
        count and above it in some row.
    """
    roles = {columns[each[role]]["column"] for each in columns.values() for role in ROLES if each[role] in columns}
    excluded = roles | {each["column"] for each in columns.values() if each["kind"] not in FREE}
    numbers = {heading: _whole(column) for heading, column in cells.columns.items() if heading not in excluded}
    numbers = {heading: values for heading, values in numbers.items() if values is not None}
    candidates = {}
    for name, each in columns.items():
        counts = numbers.get(each["column"]) if each["kind"] == "count" else None
        if counts is not None and not each["trials"] and not each["exposure"]:
            above = {heading: (n >= counts).all() and (n > counts).any() for heading, n in numbers.items()}
            candidates[name] = [heading for heading, is_above in above.items() if is_above]
    return {name: headings for name, headings in candidates.items() if headings}


def _whole(column: np.ndarray) -> np.ndarray | None:
    return column.astype(np.int64) if all(WHOLE.fullmatch(cell) for cell in column) else None


def sentences(how: Mapping[str, Any], outcomes: Sequence[str]) -> Iterator[str]:
    """A question for each outcome that may lack its trials. how: how the table was read
    (`described_table.load`)."""
    for outcome in outcomes:
        for heading in how.get("never_below", {}).get(outcome, []):
            yield (
                f"Is {outcome} out of {heading}? Column {heading} is never below it and has no role. If {outcome} counts "
                f"successes among {heading} trials, describe {heading} as a count and name it as `trials` of {outcome}; "
                f"otherwise {outcome} is a count without an upper limit."
            )


def questions(outcomes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Questions about the studies of a run whose data.nc exists. outcomes: study -> its
    outcomes."""
    for study, names in outcomes.items():
        path = Path("results", study, "data.nc")
        how = io.attributes(path).get("table") if path.is_file() else None
        if how:
            yield from (f"{study}: {question}" for question in sentences(json.loads(how), names))
