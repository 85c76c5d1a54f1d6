"""Elements of parameters that the data say nothing about, so that their posterior is their prior."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from tadpool.elements import element_names
from tadpool.formatting import counted, first_of
from tadpool.reporting.fit_view import Fit, sites

NAMED = 5


@dataclass(frozen=True)
class PriorOnly:
    """parameters: names as in check.json. sentences: how many there are of each site, and why."""

    parameters: frozenset[str]
    sentences: list[str]


def find_prior_only(fit: Fit) -> PriorOnly:
    """What the entry declares under `returns_prior`: site -> a variable, or labels of members.

    An element returns its prior where the variable is 0, or missing, in all that concerns it (a coefficient times 0), or
    where it has one of the labels.
    """
    declared: Mapping[str, Any] = fit.config.get("returns_prior") or {}
    if not declared or not fit.usable:
        return PriorOnly(frozenset(), [])
    posterior = sites(fit.results, fit.entry)
    parameters, sentences = [], []
    for site, rule in declared.items():
        if site not in posterior:
            continue
        elements = list(_elements(posterior[site]))
        names = [name for name, where in elements if _says_nothing(fit.results.data, posterior[site], rule, where)]
        if names:
            sentences.append(_sentence(site, names, len(elements), rule))
            parameters += names
    return PriorOnly(frozenset(parameters), sentences)


def _sentence(site: str, names: Sequence[str], size: int, rule: Any) -> str:
    verb, them = ("returns its prior", "it") if len(names) == 1 else ("return their prior", "them")
    why = (
        f"{rule} is 0 or missing in every row that concerns {them}"
        if isinstance(rule, str)
        else f"the model leaves {them} out"
    )
    return f"{len(names)} of {counted(size, 'value')} of {site} {verb}, because {why}: {first_of(names, NAMED)}."


def remarks(fit: Fit, found: PriorOnly) -> dict[str, str]:
    """By parameter, what a table remarks: that it returns its prior, or that the separate fit that it is of failed."""
    failed = set(fit.failed_members)
    of_failed = {}
    for row in fit.check.get("parameters", []) if failed else []:
        if failed & set(row["labels"][:1]):
            of_failed[row["parameter"]] = "its fit failed"
    return dict.fromkeys(found.parameters, "returns its prior") | of_failed


def _elements(variable: xr.DataArray) -> Iterator[tuple[str, dict[str, int]]]:
    """Name, as in check.json, and position of each element."""
    rest = [str(dim) for dim in variable.dims if dim not in ("chain", "draw")]
    positions = np.ndindex(*(variable.sizes[dim] for dim in rest))
    for index, name in zip(positions, element_names(variable), strict=True):
        yield name, dict(zip(rest, index, strict=True))


def _labels(variable: xr.DataArray, where: Mapping[str, int]) -> list[str]:
    return [str(variable[dim].values[i] if dim in variable.coords else i) for dim, i in where.items()]


def _says_nothing(data: xr.Dataset, site: xr.DataArray, rule: str | Sequence[Any], where: Mapping[str, int]) -> bool:
    if not isinstance(rule, str):
        return bool({str(label) for label in rule} & set(_labels(site, where)))
    variable = data[rule]
    for dim, position in where.items():
        if dim in variable.dims:
            variable = variable.isel({dim: position})
        elif f"{dim}_index" in data and data[f"{dim}_index"].dims[0] in variable.dims:
            index = data[f"{dim}_index"]
            variable = variable.isel({index.dims[0]: np.flatnonzero(index.values == position)})
    return not bool((variable.fillna(0) != 0).any())
