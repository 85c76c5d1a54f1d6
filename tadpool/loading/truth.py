"""True values of simulated data, matched with the sites of a model."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tadpool.errors import UserError


def aligned(truth: xr.DataArray, dims: Sequence[str], size: int) -> np.ndarray:
    """The true values of a site, in the order of its elements.

    Args:
        truth: The true values; a single one holds for all elements.
        dims: Dims of the site.
        size: Number of its elements.

    Returns:
        The values (size,).

    Raises:
        UserError: The dims or the size differ from the site's.
    """
    if set(truth.dims) == set(dims):
        truth = truth.transpose(*dims)
    if truth.size != 1 and (truth.size != size or truth.ndim != len(dims)):
        own = ", ".join(f"{dim} ({length})" for dim, length in truth.sizes.items())
        wanted = f"{', '.join(dims)}, {size} in all" if dims else "none"
        raise UserError(
            f"the truth of {truth.name} has the dims {own}, but the site has {wanted}; give both the same dims"
        )
    return np.broadcast_to(truth.values.ravel(), size)
