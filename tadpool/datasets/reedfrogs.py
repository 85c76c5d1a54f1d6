"""Survival of reed frog tadpoles in 48 tanks (Vonesh & Bolker 2005, Ecology 86:1580-1591)."""

import xarray as xr

from tadpool.loading.columns import binary, integers

TABLES = ("reedfrogs.csv",)


def load(tables):
    """Dims: tank (48). density and survived are counts of tadpoles; predators and large are 0/1."""
    table = tables["reedfrogs.csv"]
    survived = integers(table, "survived", at_least=0, at_most=table["density"])
    return xr.Dataset(
        {
            "density": ("tank", integers(table, "density", at_least=1), {"long_name": "density", "units": "tadpoles"}),
            "predators": ("tank", *binary(table, "predators", "absent", "present")),
            "large": ("tank", *binary(table, "size", "small", "big")),
            "survived": ("tank", survived, {"long_name": "survivors", "units": "tadpoles"}),
        },
        coords={"tank": ("tank", table["tank"].to_numpy(), {"long_name": "tank"})},
    )
