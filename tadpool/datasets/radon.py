"""Radon in 919 houses of 85 Minnesota counties (EPA/State Residential Radon Survey; Gelman & Hill
2007, chapter 12)."""

import numpy as np
import xarray as xr

from tadpool.loading.columns import index, integers, numbers

TABLES = ("radon.csv",)


def load(tables):
    """Dims: house (919), county (85). log_radon is ln(activity + 0.1); floor is 0 in the basement,
    1 on the first floor."""
    table = tables["radon.csv"]
    county_index, counties = index(table, "county")
    activity = numbers(table, "activity")
    floor = integers(table, "floor", at_least=0, at_most=1)
    uranium = table.groupby("county")["uranium_ppm"].first().loc[counties].to_numpy()
    levels = {"long_name": "floor", "flag_values": [0, 1], "flag_meanings": "basement first_floor"}
    return xr.Dataset(
        {
            "log_radon": ("house", np.log(activity + 0.1), {"long_name": "log radon", "units": "ln(pCi/L)"}),
            "floor": ("house", floor, levels),
            "county_index": ("house", county_index, {"long_name": "county"}),
            "uranium": ("county", uranium, {"long_name": "soil uranium", "units": "ppm"}),
        },
        coords={"house": np.arange(1, len(table) + 1), "county": ("county", counties, {"long_name": "county"})},
    )
