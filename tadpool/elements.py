"""The elements of a variable by name: `alpha` of a scalar, `alpha[label, ...]` of each element of an array."""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

SAMPLE = ("chain", "draw")


def element_labels(variable: "xr.DataArray", without: Sequence[str] = SAMPLE) -> list[tuple[str, ...]]:
    """Labels of the elements of a variable.

    Args:
        variable: Any dims.
        without: Dims that make no elements, by default those of draws.

    Returns:
        A label of each other dim for each element, in C order; positions, from 0, for a dim without coordinates. A scalar has
        one element without labels.
    """
    dims = [dim for dim in variable.dims if dim not in without]
    labels = [variable[dim].values if dim in variable.coords else range(variable.sizes[dim]) for dim in dims]
    return [tuple(map(str, own)) for own in product(*labels)]


def element_name(site: str, labels: Sequence[str]) -> str:
    """The name of an element: `site`, or `site[label, ...]`."""
    return f"{site}[{', '.join(labels)}]" if labels else site


def element_names(variable: "xr.DataArray", without: Sequence[str] = SAMPLE) -> list[str]:
    """The names of the elements of a variable; see `element_labels`."""
    return [element_name(str(variable.name), labels) for labels in element_labels(variable, without)]
