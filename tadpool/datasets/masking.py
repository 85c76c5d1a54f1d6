"""Simulated store visits and purchases: y1 can be 1 only where y0 is 1 (after J. Orduz, 2024, on
NumPyro's mask handler)."""

import numpy as np
import xarray as xr
from scipy.special import expit


def simulate(rng, *, customers=10_000, features=3, items=2, random_state=0):
    """Dims: customer, feature, item. y0: the customer visits the store; y1: the customer buys the
    item, 0 without a visit.

    `rng` is not used, since the published numbers come from NumPy's legacy generator with the seed
    `random_state`.
    """
    legacy = np.random.RandomState(random_state)
    x = legacy.randn(customers, features)
    beta_0 = legacy.randn(1, features)
    intercept_0 = 10 * legacy.randn(1)
    y0 = legacy.binomial(1, expit(x @ beta_0[0] + intercept_0))
    beta_1 = legacy.randn(items, features)
    intercept_1 = legacy.randn(items)
    visitors = y0 == 1
    y1 = np.zeros((customers, items), np.int64)
    y1[visitors] = legacy.binomial(1, expit(x[visitors] @ beta_1.T + intercept_1))
    coords = {"customer": np.arange(1, customers + 1), "feature": np.arange(features), "item": np.arange(items)}
    data = xr.Dataset(
        {
            "x": (("customer", "feature"), x, {"long_name": "feature of the customer", "units": "standard deviations"}),
            "y0": ("customer", y0.astype(np.int64), {"long_name": "visit"}),
            "y1": (("customer", "item"), y1, {"long_name": "purchase"}),
        },
        coords=coords,
    )
    truth = xr.Dataset(
        {
            "Y0_beta": (("Y0_beta_dim_0", "feature"), beta_0),
            "Y0_intercept": ("Y0_intercept_dim_0", intercept_0),
            "Y1_given_Y0_beta": (("item", "feature"), beta_1),
            "Y1_given_Y0_intercept": ("item", intercept_1),
        },
        coords={"feature": coords["feature"], "item": coords["item"]},
    )
    return data, truth
