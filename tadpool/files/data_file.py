"""The data of a study, as data.nc has them, for models."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr


def merged(tree: xr.DataTree) -> xr.Dataset:
    """Outcomes and the other variables of data.nc as one dataset."""
    return xr.merge([tree[name].to_dataset() for name in ("observed_data", "constant_data") if name in tree.children])


def stacked(trees: Sequence[xr.DataTree], dim: str, coords: Mapping[str, Any]) -> xr.DataTree:
    """Several data sets of one form as one tree: variables that differ between them get `dim` in front."""
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
