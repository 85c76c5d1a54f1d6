"""What the sources of a study conclude, beside what is found here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tadpool.files.results import StudyResults
from tadpool.reporting.sections.answers import FEW, Shown
from tadpool.reporting.sections.conclusions import Comparison


@dataclass(frozen=True)
class Claim:
    """One conclusion. found: what is found here, each with its value, in bold, and the words before
    and after it."""

    says: str
    found: list[tuple[str, str, str]]


def claims(results: StudyResults, answered: Sequence[Shown], compared: Sequence[Comparison]) -> list[Claim]:
    """Every claim of the study, in its order."""
    answers, verdicts = {each.name: each for each in answered}, {each.name: each for each in compared}
    return [Claim(each["says"], list(_found(each, answers, verdicts))) for each in results.config["claims"]]


def _found(
    claim: Mapping[str, Any], answers: Mapping[str, Shown], verdicts: Mapping[str, Comparison]
) -> Iterator[tuple[str, str, str]]:
    for answer in (answers[name] for name in claim["answers"] if name in answers):
        for value, rest in answer.lines[:FEW]:
            yield f"{answer.label} ({answer.model}):", value, " ".join([f"{rest}.", *answer.caveats])
    if claim["comparison"] in verdicts:
        yield "", "", verdicts[claim["comparison"]].conclusion.sentences[0]
    if claim["note"]:
        yield "", "", claim["note"]
