"""Remarks on a study's data: what a reader should know or be asked before using the results.

What finds one gives a code with values; `sentence` makes words of it where it is shown: in the log
of the job that prepares the data, at the end of a run, and on the study's page.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

from tadpool.files import io
from tadpool.formatting import counted, first_of, listed, plural
from tadpool.loading.labels import visible

ATTRIBUTE = "remarks"
"""The attribute of data.nc that holds them."""
NAMED = 5
"""How many members a sentence names."""


@dataclass(frozen=True)
class Remark:
    """One remark. code: a key of `SENTENCES`. values: its arguments, as JSON.

    A remark with the value `outcome` concerns studies with this outcome.
    """

    code: str
    values: Mapping[str, Any]

    @property
    def sentence(self) -> str:
        """The remark in words."""
        return SENTENCES[self.code](**self.values)


def written(remarks: Sequence[Remark]) -> dict[str, str]:
    """Remarks as an attribute of data.nc; none where there are none."""
    return {ATTRIBUTE: json.dumps([asdict(each) for each in remarks], ensure_ascii=False)} if remarks else {}


def of_data(attributes: Mapping[str, Any]) -> list[Remark]:
    """The remarks in the attributes of data.nc."""
    return [Remark(**each) for each in json.loads(attributes.get(ATTRIBUTE, "[]"))]


def of_run(studies: Sequence[str]) -> Iterator[str]:
    """The remarks on the studies of a run whose data.nc exists, in words."""
    for study in studies:
        path = Path("results", study, "data.nc")
        for remark in of_data(io.attributes(path)) if path.is_file() else []:
            yield f"{study}: {remark.sentence}"


def _possible_trials(outcome: str, column: str) -> str:
    return (
        f"Is {outcome} out of {column}? Column {column} is never below it and has no role. If {outcome} counts "
        f"successes among {column} trials, describe {column} as a count and name it as `trials` of {outcome}; "
        f"otherwise {outcome} is a count without an upper limit."
    )


def _similar_labels(column: str, one: str, other: str) -> str:
    alike = visible(normalize("NFC", one)) == visible(normalize("NFC", other))
    one, other = (ascii(one), ascii(other)) if alike else (repr(one), repr(other))
    return (
        f"Column {column} has the labels {one} and {other}, which count as two. If they are one, give them "
        "one spelling in the table."
    )


def _may_be_nested(inner: str, outer: str) -> str:
    return (
        f"Is {inner} nested in {outer}? Each {outer} has the same labels of {inner}, which count as the same members "
        f"everywhere. If they are different ones in each {outer}, write `within: {outer}` for {inner}."
    )


def _repeated_rows(count: int, word: str, one: int, other: int) -> str:
    rows = "1 row is a copy" if count == 1 else f"{count} rows are copies"
    return (
        f"{rows} of another in all columns (first: {word}s {one} and {other}), and each counts. If they were entered "
        "twice, remove them from the table."
    )


def _may_be_empty(column: str, labels: Sequence[str], missing: Sequence[str]) -> str:
    return (
        f"Column {column} has the {_verb(labels, 'label', 'labels')} {listed(list(map(repr, labels)))}: "
        f"{_verb(labels, 'does it stand for an empty cell', 'do they stand for empty cells')}? If so, write "
        f"`missing_values: {list(missing)!r}` and `missing: drop` for the column; if not, `missing_values: []`."
    )


def _may_be_code(column: str, value: str, rows: int) -> str:
    return (
        f"Column {column} has {value} in {counted(rows, 'row')}, far from all other values. If it stands for an empty cell, "
        f"write `missing_values: [{value}]` for the column; otherwise it counts as the number that it is."
    )


def _may_be_sum(column: str, label: str) -> str:
    return (
        f"The row {label!r} of column {column} is the sum of all other rows, and counts as an observation. If it is a "
        "total, remove it from the table."
    )


def _constant_outcome(outcome: str, value: str) -> str:
    return f"{outcome} is {value} in all rows, so what is said of differences rests on the priors."


def _computed_outcome(outcome: str, others: Sequence[str]) -> str:
    names = listed(others)
    return (
        f"{outcome} is a linear function of {names} in all rows, so nothing is left for a residual standard deviation to "
        f"describe. If {outcome} was computed from {names}, leave {names} out of the predictors."
    )


def _single_rows(group: str, outcome: str) -> str:
    return (
        f"Each {group} has one row, so the data cannot tell differences between {plural(group)} from noise: the standard "
        f"deviation between them and the residual one rest on their priors. If the error of each row is known, name its "
        f"column as `standard_error` of {outcome}."
    )


def _same_groups(one: str, other: str) -> str:
    return (
        f"{one} and {other} divide the rows in the same way: the data determine the sum of their effects, and only the priors "
        f"divide it between {plural(one)} and {plural(other)}. Leave one of them out of `groups`."
    )


def _levels_of_members(column: str, group: str) -> str:
    return (
        f"{column} has one level in each {group}: it is a property of {plural(group)}. Without pooling, the data cannot tell "
        f"the coefficients of {column} and the intercepts of {plural(group)} apart, and they rest on their priors."
    )


def _as_many_columns_as_rows(columns: int) -> str:
    return (
        f"The predictors and an intercept have {columns} coefficients, as many as there are rows, so they can fit every row: "
        "nothing is left for the residual standard deviation, and estimates rest largely on their priors."
    )


def _all_successes(outcome: str, trials: str) -> str:
    return (
        f"{outcome} is equal to {trials}, its trials, in all rows, so what is said of differences rests on the priors."
    )


def _no_trials(outcome: str, trials: str) -> str:
    return f"{trials} is 0 in all rows, so {outcome} says nothing: all estimates are their prior."


def _constant(column: str, value: str) -> str:
    return f"{column} has one value, {value}, in all rows, so it cannot explain anything: models of the ladder leave it out."


def _dependent(column: str, others: Sequence[str]) -> str:
    return (
        f"{column} is a linear function of {listed(others)} and adds nothing to {_verb(others, 'it', 'them')}: models of the "
        f"ladder leave {column} out, unless `predictors` of the design names it. Then the data determine the sum of their "
        f"effects, and only the priors divide it between the coefficients."
    )


def _nearly_dependent(column: str, others: Sequence[str]) -> str:
    return (
        f"{column} is almost a linear function of {listed(others)}: the data say little about their separate coefficients, "
        f"which rest largely on the priors. Leave out one of them, or judge them together."
    )


def _more_columns_than_rows(columns: int, rows: int) -> str:
    return (
        f"The predictors and an intercept have {columns} coefficients, and there {_verb(range(rows), 'is', 'are')} "
        f"{counted(rows, 'row')}: the data cannot tell the coefficients apart, and where they cannot, estimates are their "
        f"prior."
    )


def _empty_levels(column: str, levels: Sequence[str]) -> str:
    which = f"{_verb(levels, 'level', 'levels')} {listed(levels)} of {column}"
    return f"No row has the {which}: what is said of {_verb(levels, 'it', 'them')} rests on the prior."


def _few_members(group: str, members: int) -> str:
    if members == 1:
        return (
            f"{group} has one member, so the data say nothing about differences between {plural(group)}: the standard "
            f"deviation between them is its prior."
        )
    return (
        f"{group} has only {members} members: the standard deviation between {plural(group)}, and with it how far estimates "
        f"are shrunk, rests largely on its prior."
    )


def _of_members(column: str, group: str) -> str:
    return (
        f"{column} has one value in each {group}, although it is not declared as `per: {group}`: it is a property of "
        f"{plural(group)}. Models of the ladder therefore have no slope of {column} by {group} and no group mean of it. "
        f"Without pooling, the data cannot tell the slope of {column} and the intercepts of {plural(group)} apart: the slope "
        f"is its prior, and the intercepts are as uncertain as it makes them."
    )


def _balanced(column: str, group: str) -> str:
    return (
        f"{column} has the same mean in every {group}, so models of the ladder have no group mean of it: there is no "
        f"difference between {plural(group)} in {column} to be mistaken for an effect."
    )


def _short_members(columns: Sequence[str], group: str, of: int, members: Sequence[str]) -> str:
    many = len(members) > 1
    return (
        f"In {len(members)} of {counted(of, group)} the rows cannot tell the intercept and the "
        f"{_verb(columns, 'slope', 'slopes')} of {listed(columns)} apart: {first_of(members, NAMED)}. "
        f"Where slopes differ by {group}, {'theirs are' if many else 'its are'} partly or wholly the prior without pooling, "
        f"and those of other {plural(group)} with partial pooling."
    )


def _verb(subjects: Sized, one: str, many: str) -> str:
    return one if len(subjects) == 1 else many


SENTENCES: dict[str, Callable[..., str]] = {
    "possible_trials": _possible_trials,
    "similar_labels": _similar_labels,
    "may_be_nested": _may_be_nested,
    "repeated_rows": _repeated_rows,
    "may_be_empty": _may_be_empty,
    "may_be_code": _may_be_code,
    "may_be_sum": _may_be_sum,
    "constant_outcome": _constant_outcome,
    "computed_outcome": _computed_outcome,
    "single_rows": _single_rows,
    "same_groups": _same_groups,
    "levels_of_members": _levels_of_members,
    "as_many_columns_as_rows": _as_many_columns_as_rows,
    "all_successes": _all_successes,
    "no_trials": _no_trials,
    "constant": _constant,
    "dependent": _dependent,
    "nearly_dependent": _nearly_dependent,
    "more_columns_than_rows": _more_columns_than_rows,
    "empty_levels": _empty_levels,
    "few_members": _few_members,
    "of_members": _of_members,
    "balanced": _balanced,
    "short_members": _short_members,
}
