"""A made-up calibration, and how calibrations of families are run and judged."""

import numpy as np
import xarray as xr

from tadpool.calibration import sbc_verdict
from tadpool.convergence.diagnostics import Finding
from tadpool.engine import lanes
from tadpool.files import contracts, io

SIMULATIONS, CHAINS = 200, 2
SAMPLER = lanes.Sampler(warmup=200, draws=250, target_accept=0.9, max_tree_depth=10)
ALARM = 1e-4
FEW = Finding("fail", "ess_bulk", {"value": 9.0, "limit": 25, "chains": 4})


def tree(groups, **attributes):
    made = xr.DataTree.from_dict(groups)
    made.attrs.update({"provenance": "{}", "status": "ok", "reason": "", "attempts": "[]"} | attributes)
    return made


def write_calibration(folder, rng, right=False):
    """60 simulations of two parameters and the log likelihood; the ranks of `sigma` are all too
    low and three fits are flagged, unless the calibration is `right`: then ranks are as even as
    they can be."""
    names, both = ["sigma", "lam[a]", "lam[b]", "log likelihood"], ("simulation", "quantity")
    even = rng.permuted(np.tile((np.arange(60) + 0.5)[:, None] / 60, 4), axis=0)
    u = even if right else rng.uniform(size=(60, 4)) * [0.5, 1, 1, 1]
    arrays = {"rank": np.floor(u * 101).astype(int), "below": u, "ess": np.full(u.shape, 200.0)}
    arrays |= {"truth": rng.normal(size=u.shape), "mean": rng.normal(size=u.shape), "sd": np.ones(u.shape) / 2}
    variables = {name: (both, value) for name, value in arrays.items()}
    outcome = np.array([sbc_verdict.OK if right else sbc_verdict.FLAGGED] * 3 + [sbc_verdict.OK] * 57)
    variables |= {
        "outcome": ("simulation", outcome),
        "reason": ("simulation", np.where(outcome == sbc_verdict.OK, "", sbc_verdict.as_text([FEW]))),
    }
    coords = {
        "simulation": range(60),
        "quantity": names,
        "site": ("quantity", ["sigma", "lam", "lam", "log likelihood"]),
    }
    simulations = xr.Dataset(variables, coords, {"largest_rank": 100})
    quantities = sbc_verdict.summary(simulations)
    verdict, reasons = sbc_verdict.verdict(simulations, quantities)
    made = tree(
        {"simulations": simulations, "quantities": quantities}, verdict=verdict, reasons=sbc_verdict.as_text(reasons)
    )
    io.write(folder / "calibration/many.nc", made, contracts.CALIBRATION)


def assert_uniform(found):
    """The ranks of all quantities are uniform: the smallest p-value, corrected for their number, is
    above ALARM. Nearly all data sets could be simulated."""
    p = sbc_verdict.summary(found)["p_value"].values
    assert p.min() * len(p) > ALARM
    assert np.isin(found["outcome"], (sbc_verdict.OK, sbc_verdict.FLAGGED)).mean() > 0.95
