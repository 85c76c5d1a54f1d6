"""Elements of parameters that the data say nothing about, so that their posterior is their
prior."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tadpool.elements import element_names
from tadpool.evaluation import prior_only
from tadpool.formatting import counted, first_of
from tadpool.reporting.fit_view import Fit, sites

NAMED = 5


@dataclass(frozen=True)
class PriorOnly:
    """parameters: names as in check.json. sentences: how many there are of each site, and why."""

    parameters: frozenset[str]
    sentences: list[str]


def find_prior_only(fit: Fit) -> PriorOnly:
    """What the entry declares under `returns_prior` (`tadpool.evaluation.prior_only`)."""
    declared: Mapping[str, Any] = fit.config.get("returns_prior") or {}
    if not declared or not fit.usable:
        return PriorOnly(frozenset(), [])
    posterior = sites(fit.results, fit.entry)
    found = prior_only.elements(declared, fit.results.data, posterior)
    sentences = [
        _sentence(site, names, len(element_names(posterior[site])), declared[site]) for site, names in found.items()
    ]
    return PriorOnly(frozenset(name for names in found.values() for name in names), sentences)


def _sentence(site: str, names: Sequence[str], size: int, rule: Any) -> str:
    verb, them = ("returns its prior", "it") if len(names) == 1 else ("return their prior", "them")
    why = (
        f"{rule} is 0 or missing in every row that concerns {them}"
        if isinstance(rule, str)
        else f"the model leaves {them} out"
    )
    return f"{len(names)} of {counted(size, 'value')} of {site} {verb}, because {why}: {first_of(names, NAMED)}."


def remarks(fit: Fit, found: PriorOnly) -> dict[str, str]:
    """By parameter, what a table remarks: that it returns its prior, or that the separate fit that
    it is of failed."""
    failed = set(fit.failed_members)
    of_failed = {}
    for row in fit.check.get("parameters", []) if failed else []:
        if failed & set(row["labels"][:1]):
            of_failed[row["parameter"]] = "its fit failed"
    return dict.fromkeys(found.parameters, "returns its prior") | of_failed
