"""Simulated production speed of two machines, one of which has no cutting wait time (after
Stechschulte 2024)."""

import numpy as np
import xarray as xr

PARAMETERS = ("feed_speed", "pull_acceleration", "cutting_wait_time")
RANGES = ((1.0, 10.0), (0.5, 5.0), (0.1, 2.0))
WEIGHTS = np.array([[2.5, 1.0], [3.0, 0.5], [np.nan, 3.0]])


def simulate(rng, *, runs=500, noise=0.5):
    """Dims: run, parameter, group. settings (run, parameter) is NaN where a parameter does not
    apply to the run's group.

    applies (group, parameter) is 1 where the parameter exists for the group. The true weight of one
    that does not is NaN.
    """
    group = np.repeat([0, 1], [runs // 2, runs - runs // 2])
    settings = np.column_stack([rng.uniform(low, high, runs) for low, high in RANGES])
    applies = np.isfinite(WEIGHTS.T).astype(np.int64)
    settings[applies[group] == 0] = np.nan
    speed = np.nansum(settings * WEIGHTS.T[group], axis=1) + rng.normal(0.0, noise, runs)
    data = xr.Dataset(
        {
            "production_speed": ("run", speed, {"long_name": "production speed", "units": "parts"}),
            "settings": (("run", "parameter"), settings, {"long_name": "machine setting", "may_be_missing": 1}),
            "applies": (("group", "parameter"), applies, {"long_name": "parameter applies to group"}),
            "group_index": ("run", group, {"long_name": "group"}),
        },
        coords={"run": np.arange(1, runs + 1), "parameter": list(PARAMETERS), "group": [1, 2]},
    )
    truth = xr.Dataset(
        {"alpha": ("group", np.zeros(2)), "w": (("parameter", "group"), WEIGHTS), "scale": ((), noise)},
        coords={"parameter": list(PARAMETERS), "group": [1, 2]},
    )
    return data, truth
