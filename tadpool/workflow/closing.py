"""What a run prints at its end: remarks on the data, and answers that are not known."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from tadpool.loading import remarks


def words(studies: Sequence[str]) -> Iterator[str]:
    """A sentence for each remark and each answer without a value, of studies with results here."""
    yield from remarks.of_run(studies)
    for study in studies:
        yield from _unknown(study, Path("results", study, "answers.csv"))


def _unknown(study: str, path: Path) -> Iterator[str]:
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8") as file:
        reasons = {
            row["answer"]: row["reason"] for row in csv.DictReader(file) if row["role"] == "own" and row["reason"]
        }
    yield from (f"{study}: the answer {name} is not known: {reason}" for name, reason in reasons.items())
