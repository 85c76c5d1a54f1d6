"""Remarks on a study's data: what a reader should know or be asked before using the results.

What finds one gives a code with values; `sentence` makes words of it where it is shown: in the log
of the job that prepares the data, at the end of a run, and on the study's page.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tadpool.files import io

ATTRIBUTE = "remarks"
"""The attribute of data.nc that holds them."""


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
    return (
        f"Column {column} has the labels {one!r} and {other!r}, which count as two. If they are one, give them "
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


SENTENCES: dict[str, Callable[..., str]] = {
    "possible_trials": _possible_trials,
    "similar_labels": _similar_labels,
    "may_be_nested": _may_be_nested,
    "repeated_rows": _repeated_rows,
}
