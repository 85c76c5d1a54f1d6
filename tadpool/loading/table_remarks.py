"""Signs in a described table that something was entered twice or in two ways, is nested, or is a
number of trials, a sum or an empty cell, although the description does not say so."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from tadpool.loading.labels import plain_label
from tadpool.loading.remarks import Remark
from tadpool.loading.sources import ROLES
from tadpool.loading.table_files import Cells

if TYPE_CHECKING:
    import xarray as xr

GENERIC = re.compile(r"\d{1,3}")
"""Labels that say nothing outside the member of the group that they are in."""

WHOLE = re.compile(r"-?\d+")
MOSTLY_DISTINCT = 0.5
COUNT = re.compile(r"0|[1-9]\d{0,14}")
FREE = ("number", "integer", "count")
EMPTY = ("", "nan", "null", "n/a", "#n/a", "na", "n.a.", "n.a", "<na>", "nat", "-", "--", ".", "?")
"""Labels that usually stand for empty cells; NA counts as one unless it is declared a label."""

CODE = re.compile(r"-9|-?9{2,6}")
"""Numbers that are written for empty cells."""

SUMS = ("total", "totals", "grand total", "sum", "all", "overall")


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
    return column.astype(np.int64) if all(COUNT.fullmatch(cell) for cell in column) else None


def similar_labels(cells: Cells, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Remark]:
    """Labels of a column that differ by case, blanks, zeros or invisible characters alone."""
    for column in _labelled(columns):
        first: dict[str, str] = {}
        for label in sorted(set(cells.columns[column["column"]])):
            other = first.setdefault(plain_label(label), label)
            if other != label:
                yield Remark("similar_labels", {"column": column["column"], "one": other, "other": label})


def nested_groups(cells: Cells, columns: Mapping[str, Mapping[str, Any]], unit: str) -> Iterator[Remark]:
    """Groups whose labels are numbers, such as 1, 2, 3, all of which every member of another group
    has."""
    groups = {name: column for name, column in columns.items() if column["kind"] == "group" and name != unit}
    for pair in combinations(groups, 2):
        labels = {name: cells.columns[groups[name]["column"]] for name in pair}
        generic = [name for name in pair if all(GENERIC.fullmatch(label) for label in labels[name])]
        if not generic or any(groups[name]["within"] for name in pair):
            continue
        inner = min(generic, key=lambda name: len(set(labels[name])))
        outer = pair[1 - pair.index(inner)]
        everywhere = len(set(zip(*labels.values(), strict=True))) == len(set(labels[inner])) * len(set(labels[outer]))
        if everywhere and len(set(labels[inner])) > 1:
            yield Remark("may_be_nested", {"inner": inner, "outer": outer})


def repeated_rows(cells: Cells, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Remark]:
    """Rows that equal another row in all columns, where a column has measured values, most of them
    distinct."""
    rows = np.array(list(cells.columns.values())).T.astype(str)
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    if len(distinct) == len(rows) or not cells.dialect:  # other formats give the described columns alone
        return
    labels = {column["column"] for column in columns.values() if column["kind"] in ("group", "categorical")}
    numeric = [column for heading, column in zip(cells.columns, rows.T, strict=True) if heading not in labels]
    measured = [column for column in numeric if not all(WHOLE.fullmatch(cell) for cell in column)]
    numbers = [column for column in measured if all(re.search(r"\d", cell) for cell in column if cell)]
    if any(len(set(column)) >= MOSTLY_DISTINCT * len(rows) for column in numbers):
        row = distinct[np.argmax(counts > 1)]
        one, other = np.flatnonzero((rows == row).all(axis=1))[:2]
        places = {"word": cells.word, "one": int(cells.places[one]), "other": int(cells.places[other])}
        yield Remark("repeated_rows", {"count": int(len(rows) - len(distinct)), **places})


def empty_labels(cells: Cells, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Remark]:
    """Labels such as nan that may stand for empty cells, unless the column's `missing_values` are
    declared."""
    for column in _labelled(columns):
        if column["missing_values"] is None:
            labels = sorted(set(cells.columns[column["column"]]))
            found = [label for label in labels if label.casefold() in EMPTY]
            if found and len(found) < len(labels):
                counted = cells.marked_missing(column["column"])
                values = {"labels": found, "missing": [*counted, *found]}
                yield Remark("may_be_empty", {"column": column["column"], **values})


def codes_of_empty_cells(dataset: "xr.Dataset", columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Remark]:
    """Numbers of nines, such as -999, that are further from all others than these are from each
    other."""
    for name, column in columns.items():
        if column["kind"] in FREE and column["missing_values"] is None:
            values = np.unique(dataset[name].values[np.isfinite(dataset[name].values)])
            for code, others, gap in ((values[:1], values[1:], 0), (values[-1:], values[:-1], -1)):
                if (
                    len(others) > 1
                    and CODE.fullmatch(f"{code[0]:.15g}")
                    and abs(code[0] - others[gap]) > np.ptp(others)
                ):
                    rows = int((dataset[name].values == code[0]).sum())
                    value = {"value": f"{code[0]:.15g}", "rows": rows}
                    yield Remark("may_be_code", {"column": column["column"], **value})


def rows_of_sums(dataset: "xr.Dataset", columns: Mapping[str, Mapping[str, Any]], unit: str) -> Iterator[Remark]:
    """A member called Total whose one row holds the sum of all other rows in some column."""
    numbers = [dataset[name].values for name, each in columns.items() if each["kind"] in FREE and not each["per"]]
    for name, column in columns.items():
        if column["kind"] in ("group", "categorical") and not column["levels"]:
            labels = dataset[name].values if name == unit else dataset[name].values[dataset[f"{name}_index"].values]
            for label in sorted(set(map(str, labels))):
                rows = labels.astype(str) == label
                sums = [np.isclose(x[rows].sum(), x[~rows].sum(), rtol=1e-6) and x[rows].any() for x in numbers]
                if plain_label(label) in SUMS and rows.sum() == 1 and any(sums):
                    yield Remark("may_be_sum", {"column": column["column"], "label": label})


def _labelled(columns: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        column for column in columns.values() if column["kind"] in ("group", "categorical") and not column["levels"]
    ]
