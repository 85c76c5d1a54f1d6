"""The data of a study, from data.nc."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr


def merged(tree: xr.DataTree) -> xr.Dataset:
    """All variables of data.nc, outcomes included, as one dataset."""
    return xr.merge([tree[name].to_dataset() for name in ("observed_data", "constant_data") if name in tree.children])


def stacked(trees: Sequence[xr.DataTree], dim: str, coords: Mapping[str, Any]) -> xr.DataTree:
    """Several data sets with equal shapes as one tree.

    Args:
        trees: Trees of data.nc.
        dim: Dim of the data sets; variables that differ between them have it first.
        coords: Coordinates along this dim.
    """
    groups = {}
    for name, first in trees[0].children.items():
        each = [tree[name].to_dataset() for tree in trees]
        varied = {
            variable: xr.Variable.concat([own[variable].variable for own in each], dim)
            for variable in first.data_vars
            if any(not np.array_equal(own[variable], first[variable], equal_nan=_gaps(first[variable])) for own in each)
        }
        dataset = first.to_dataset().assign(varied)
        groups[name] = dataset.assign_coords(coords) if varied else dataset
    return xr.DataTree.from_dict(groups)


def _gaps(variable: xr.DataArray) -> bool:
    return variable.dtype.kind == "f"
