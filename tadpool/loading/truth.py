"""True values of simulated data beside the sites that they are values of."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tadpool.errors import UserError


def aligned(truth: xr.DataArray, dims: Sequence[str], size: int) -> np.ndarray:
    """The true values of a site with these dims and so many elements, in the order of its elements (size,).

    One value stands for all. Raises UserError where there are others than the site has.
    """
    if set(truth.dims) == set(dims):
        truth = truth.transpose(*dims)
    if truth.size != 1 and (truth.size != size or truth.ndim != len(dims)):
        own = ", ".join(f"{dim} ({length})" for dim, length in truth.sizes.items())
        wanted = f"{', '.join(dims)}, {size} in all" if dims else "none"
        raise UserError(
            f"the truth of {truth.name} has the dims {own}; the site has {wanted}: give the truth those of the site"
        )
    return np.broadcast_to(truth.values.ravel(), size)
