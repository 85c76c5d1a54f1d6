"""Which columns name the groups that rows of a table belong to, and how two groups stand to each
other."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from tadpool.loading.column_guesses import Guess, Question
from tadpool.loading.table_files import Cells

GENERIC = re.compile(r"\d{1,3}|[A-Za-z]|[IVX]+")
"""Labels that may be used again in the members of another group."""


def grouped(cells: Cells, columns: dict[str, Guess], outcome: str) -> tuple[dict[str, Guess], Question | None]:
    """Where no column looks like a group, the labels with most levels, and a question."""
    if any(column.kind == "group" for column in columns.values()):
        return columns, None
    single = [
        name for name, c in columns.items() if not c.kind and len(c.labels) == len(cells.rows) and c.values is None
    ]
    if single and columns[outcome].kind == "count":
        own = replace(columns[single[0]], kind="group", evidence="one row each, so it takes up overdispersion")
        return columns | {single[0]: own}, None
    possible = [name for name, c in columns.items() if c.kind == "categorical" and name != outcome]
    possible.sort(key=lambda name: (columns[name].values is not None, -len(columns[name].labels)))
    question = Question(
        "which column names the groups that rows belong to?",
        ("none", *possible),
        "write `kind: group` there and change `groups`",
    )
    if not possible or len(columns[possible[0]].labels) < 3:
        return columns, replace(question, choices=("none", *possible))
    best = columns[possible[0]]
    words = f"{len(best.labels)} members, the most of all columns of labels"
    chosen = replace(best, kind="group", evidence=words, question=None)
    return columns | {best.name: chosen}, replace(question, choices=(*possible, "none"))


def related(
    cells: Cells, columns: dict[str, Guess], fixed: bool
) -> tuple[dict[str, Guess], list[str], dict[str, Question]]:
    """The columns without groups that others tell already; how the others stand to each other; and
    questions about those that may be nested."""
    names = [name for name, column in columns.items() if column.kind == "group"]
    index = {
        name: np.unique(cells.columns[columns[name].heading].astype(str), return_inverse=True)[1] for name in names
    }
    columns, names = (columns, names) if fixed else _without_repeated(columns, index)
    notes, questions = [], {}
    for one, other in combinations(names, 2):
        inner, outer = sorted((one, other), key=lambda name: -index[name].max())
        pairs = len(set(zip(index[inner], index[outer], strict=True)))
        members = [int(index[name].max()) + 1 for name in (inner, outer)]
        if pairs == members[0]:
            notes.append(f"each {inner} belongs to one {outer}: nested")
            continue
        notes.append(f"{inner} and {outer} are crossed: {pairs} of {members[0] * members[1]} pairs occur")
        fewer = outer if all(GENERIC.fullmatch(label) for label in columns[outer].labels) else inner
        another = inner if fewer == outer else outer
        generic = all(GENERIC.fullmatch(label) for label in columns[fewer].labels)
        if generic and len(index[inner]) > pairs >= members[0] * members[1] / 2:
            words = f"are equal labels in two members of {another} the same {fewer} (crossed), or others (nested)?"
            questions[fewer] = Question(words, ("crossed", "nested"), f"write `within: {another}` there")
    return columns, notes, questions


def of_members(cells: Cells, columns: Mapping[str, Guess], outcome: str, groups: Sequence[str]) -> dict[str, Guess]:
    """The columns; predictors that have one value in each member of a group belong to it (`per`),
    to the one with the fewest members where there are several."""
    found = dict(columns)
    labels = {name: pd.Series(cells.columns[columns[name].heading].astype(str)) for name in groups if name in columns}
    by_size = sorted(labels, key=lambda name: labels[name].nunique())
    aside = {outcome, *groups, *(columns[outcome].keys.get(role) for role in ("trials", "exposure"))}
    for name, column in columns.items():
        if name in aside or column.kind not in ("number", "integer", "binary", "ordered"):
            continue
        values = pd.Series(cells.columns[column.heading].astype(str))
        for group in by_size:
            within = values.groupby(labels[group]).nunique()
            if (within == 1).all() and values.nunique() > 1 and len(within) < len(values) and (values != "").all():
                evidence = f"{column.evidence}; one value in each {group}"
                found[name] = replace(column, evidence=evidence, keys=column.keys | {"per": group})
                break
    return found


def _without_repeated(columns: dict[str, Guess], index: Mapping[str, np.ndarray]) -> tuple[dict[str, Guess], list[str]]:
    names, columns = list(index), dict(columns)
    for one, other in combinations(list(index), 2):
        if one in names and other in names and _same(index[one], index[other]):
            columns[other] = columns[other].unused(f"it has the same members as {one}")
            names.remove(other)
    for one, other in combinations(list(names), 2):
        both = np.unique(np.stack([index[one], index[other]]), axis=1, return_inverse=True)[1].ravel()
        whole = [name for name in names if name not in (one, other) and _same(index[name], both)]
        if whole:
            less = min(one, other, key=lambda name: index[name].max())
            if less in names:
                columns[less] = columns[less].unused(f"{whole[0]} tells its members apart")
                names.remove(less)
    return columns, names


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two groups have the same rows in their members, under whatever labels."""
    pairs = len(set(zip(one.tolist(), other.tolist(), strict=True)))
    return pairs == len(set(one.tolist())) == len(set(other.tolist()))
