"""Columns of a described table that may be the trials of a count, although the description does not
say so."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tadpool.loading.remarks import Remark
from tadpool.loading.sources import ROLES
from tadpool.loading.table_files import Cells

WHOLE = re.compile(r"0|[1-9]\d{0,14}")
FREE = ("number", "integer", "count")


def possible_trials(cells: Cells, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Remark]:
    """Columns that could be the number of trials of a count.

    Args:
        cells: The remaining rows.
        columns: The described columns, each with its heading as `column`.

    Yields:
        A remark for each count without trials and exposure, and each column without a role, of
            whole numbers that are never below the count and above it in some row.
    """
    roles = {columns[each[role]]["column"] for each in columns.values() for role in ROLES if each[role] in columns}
    excluded = roles | {each["column"] for each in columns.values() if each["kind"] not in FREE}
    numbers = {heading: _whole(column) for heading, column in cells.columns.items() if heading not in excluded}
    numbers = {heading: values for heading, values in numbers.items() if values is not None}
    for name, each in columns.items():
        counts = numbers.get(each["column"]) if each["kind"] == "count" else None
        if counts is not None and not each["trials"] and not each["exposure"]:
            above = {heading: (n >= counts).all() and (n > counts).any() for heading, n in numbers.items()}
            candidates = [heading for heading, is_above in above.items() if is_above]
            yield from (Remark("possible_trials", {"outcome": name, "column": each}) for each in candidates)


def _whole(column: np.ndarray) -> np.ndarray | None:
    return column.astype(np.int64) if all(WHOLE.fullmatch(cell) for cell in column) else None
