"""Calibrations of a conjugate model, as it is and with errors planted in it that must be found.

The model is `cookies_unpooled`: rates lam_l ~ Gamma(2, 1), one cookie from each location, chips ~ Poisson(lam_l). At 100
simulations every planted error is found with probability above 0.99 at ranks.ALPHA (by simulation with the exact
posterior, Gamma(2 + chips, 2)), and the model without one is called wrong with probability 0.05.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from tadpool.calibration import sbc, sbc_verdict
from tadpool.engine.nuts import Sampler, hold_out
from tadpool.modelling.binding import Bound, bind

LOCATIONS = 4
PRIOR = {"lam_shape": 2.0, "lam_rate": 1.0}
SAMPLER = Sampler(warmup=200, draws=200, target_accept=0.8, max_tree_depth=10)
CHAINS = 2
ADDRESS = {"study": "verification", "entry": "planted"}


def model(index_shift: int = 0, **prior: float) -> Bound:
    """The model bound to one cookie of each location. index_shift: added to the index of every cookie's location."""
    index = (np.arange(LOCATIONS) + index_shift) % LOCATIONS
    dataset = xr.Dataset(
        {"location_index": ("cookie", index), "chips": ("cookie", np.ones(LOCATIONS, int))},
        coords={"cookie": np.arange(LOCATIONS), "location": np.arange(LOCATIONS)},
    )
    return bind("cookies_unpooled", dataset, PRIOR | prior)


def without_likelihood() -> Bound:
    """The model with a likelihood that is left out of the density: its posterior is its prior."""
    bound = model()

    def dropped(**arguments):
        with hold_out(held_out={"chips": np.ones(LOCATIONS, bool)}):
            return bound.function(**arguments)

    return replace(bound, function=dropped)


def off_by_one(simulations: xr.Dataset) -> xr.Dataset:
    """Ranks that are counted from 1 where they should be counted from 0."""
    return simulations.assign(rank=simulations["rank"] + 1)


@dataclass(frozen=True)
class Planted:
    """An error: what it is in words, the model that is fitted, and what is done to its ranks."""

    what: str
    fitted: Callable[[], Bound]
    afterwards: Callable[[xr.Dataset], xr.Dataset] = lambda simulations: simulations


CORRECT = Planted("nothing is wrong", model)
ERRORS = {
    "prior": Planted("the scale of the prior is doubled", lambda: model(lam_rate=0.5)),
    "likelihood": Planted("the likelihood is left out", without_likelihood),
    "index": Planted("the index of the group is off by one", lambda: model(index_shift=1)),
    "ranks": Planted("ranks are off by one", model, off_by_one),
}


def calibrate(case: Planted, simulations: int = 100, seed: int = 1) -> xr.Dataset:
    """Simulate from the correct model, fit the case's, rank: see `calibration.calibrate`."""
    fitted = case.fitted()
    generator = None if case is CORRECT else model()
    found = sbc.calibrate(fitted, ADDRESS | {"seed": seed}, CHAINS, SAMPLER, simulations, generator=generator)
    return case.afterwards(found)


def p_values(simulations: xr.Dataset) -> dict[str, float]:
    """p-value of each quantity, corrected for their number (Bonferroni)."""
    quantities = sbc_verdict.summary(simulations)
    p = np.minimum(1.0, quantities["p_value"].values * quantities.sizes["quantity"])
    return dict(zip(quantities["quantity"].values.tolist(), p.tolist(), strict=True))
