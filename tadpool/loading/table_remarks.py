"""Signs in a described table that something was entered twice, in two ways, or is nested."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from tadpool.loading.remarks import Remark
from tadpool.loading.table_files import Cells

GENERIC = re.compile(r"\d{1,3}")
"""Labels that say nothing outside the member of the group that they are in."""

WHOLE = re.compile(r"-?\d+")
MOSTLY_DISTINCT = 0.5


def similar_labels(cells: Cells, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Remark]:
    """Labels of a column that differ by case or blanks alone."""
    for column in _labelled(columns):
        first: dict[str, str] = {}
        for label in sorted(set(cells.columns[column["column"]])):
            other = first.setdefault(" ".join(label.split()).casefold(), label)
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


def repeated_rows(cells: Cells) -> Iterator[Remark]:
    """Rows that equal another row in all columns, where a column has measured values, most of them
    distinct."""
    rows = np.array(list(cells.columns.values())).T.astype(str)
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    if len(distinct) == len(rows) or not cells.dialect:  # other formats give the described columns alone
        return
    measured = [column for column in rows.T if not all(WHOLE.fullmatch(cell) for cell in column)]
    numbers = [column for column in measured if all(re.search(r"\d", cell) for cell in column if cell)]
    if any(len(set(column)) >= MOSTLY_DISTINCT * len(rows) for column in numbers):
        row = distinct[np.argmax(counts > 1)]
        one, other = np.flatnonzero((rows == row).all(axis=1))[:2]
        places = {"word": cells.word, "one": int(cells.places[one]), "other": int(cells.places[other])}
        yield Remark("repeated_rows", {"count": int(len(rows) - len(distinct)), **places})


def _labelled(columns: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        column for column in columns.values() if column["kind"] in ("group", "categorical") and not column["levels"]
    ]
