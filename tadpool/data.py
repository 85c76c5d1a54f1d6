"""The data of a study, as data.nc has them, for models."""

import xarray as xr


def merged(tree: xr.DataTree) -> xr.Dataset:
    """Outcomes and the other variables of data.nc as one dataset."""
    return xr.merge([tree[name].to_dataset() for name in ("observed_data", "constant_data") if name in tree.children])
