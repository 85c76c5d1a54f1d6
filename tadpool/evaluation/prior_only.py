"""Elements of parameters that a study declares to return their prior."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tadpool.elements import element_names


def elements(
    declared: Mapping[str, Any], data: xr.Dataset, posterior: Mapping[str, xr.DataArray]
) -> dict[str, list[str]]:
    """Site -> the names of its elements that return their prior, of sites that have some.

    Args:
        declared: `returns_prior` of an entry: site -> a variable, or labels of members. An element
            returns its prior where the variable is 0, or missing, in all that concerns it (a
            coefficient times 0), or where it has one of the labels.
        data: Of the study.
        posterior: Its sites (chain, draw, ...); one draw is enough.
    """
    found = {}
    for site, rule in declared.items():
        if site in posterior:
            values = posterior[site]
            names = [name for name, where in _elements(values) if _says_nothing(data, values, rule, where)]
            found |= {site: names} if names else {}
    return found


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
