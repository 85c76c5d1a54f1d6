"""Simulated rows in groups with an unobserved confounder of predictor and outcome (McElreath 2023,
lecture 12, bonus)."""

import numpy as np
import xarray as xr
from scipy import stats
from scipy.special import expit

from tadpool.errors import UserError


def simulate(
    rng, *, groups=30, rows=200, alpha_bar=-2.0, beta_XY=1.0, beta_ZY=-0.5, confound_scale=1.5, random_state=12
):
    """Dims: row, group. X and Y are the row's predictor and binary outcome, Z the group's; X_bar
    the group mean of X.

    `rng` is not used, since the published numbers come from NumPy's legacy generator with the seed
    `random_state`. The true values for the latent model assume a standardized confounder: beta_GX =
    beta_GY = confound_scale.
    """
    legacy = np.random.RandomState(random_state)
    group = legacy.choice(groups, rows)
    z = legacy.normal(0.0, 1.0, groups)
    u = stats.norm(0.0, confound_scale).rvs(groups, random_state=legacy)
    x = legacy.normal(u[group], 1.0)
    y = legacy.binomial(1, expit(alpha_bar + beta_XY * x + u[group] + beta_ZY * z[group]))
    count = np.bincount(group, minlength=groups)
    if (count == 0).any():
        raise UserError(f"dataset mundlak: group {np.argmin(count)} has no rows; simulate more rows or fewer groups")
    mean = np.bincount(group, weights=x, minlength=groups) / count
    data = xr.Dataset(
        {
            "Y": ("row", y.astype(np.int64), {"long_name": "outcome Y"}),
            "X": ("row", x, {"long_name": "predictor X"}),
            "Z": ("group", z, {"long_name": "group predictor Z"}),
            "X_bar": ("group", mean, {"long_name": "group mean of X"}),
            "group_index": ("row", group.astype(np.int64), {"long_name": "group"}),
        },
        coords={"row": np.arange(1, rows + 1), "group": np.arange(groups)},
    )
    truth = {
        "alpha_bar": alpha_bar, "beta_XY": beta_XY, "beta_ZY": beta_ZY, "tau": 0.0,
        "alpha_X": 0.0, "beta_GX": confound_scale, "beta_GY": confound_scale, "sigma_X": 1.0,
    }  # fmt: skip
    return data, xr.Dataset(truth)
