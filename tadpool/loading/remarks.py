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


SENTENCES: dict[str, Callable[..., str]] = {"possible_trials": _possible_trials}
