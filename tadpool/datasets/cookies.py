"""Chocolate chips in 150 cookies baked at 5 locations (teaching data of M. Heiner's course on
Bayesian statistics)."""

import xarray as xr

from tadpool.loading.columns import index, integers

TABLES = ("cookies.csv",)


def load(tables):
    """Dims: cookie (150), location (5). chips is a count per cookie; location_index points into
    location."""
    table = tables["cookies.csv"]
    location_index, locations = index(table, "location")
    return xr.Dataset(
        {
            "chips": ("cookie", integers(table, "chips", at_least=0), {"long_name": "chips", "units": "per cookie"}),
            "location_index": ("cookie", location_index, {"long_name": "location"}),
        },
        coords={"cookie": range(1, len(table) + 1), "location": ("location", locations, {"long_name": "location"})},
    )
