"""Scores of a model whose exact ones are known."""

import numpy as np
import xarray as xr
from scipy import stats

from tadpool.evaluation import elpd


def normal_model(rows=60, draws=4000, seed=5):
    """Independent posterior draws of a normal mean with known sd 1 and a flat prior, and the exact
    elpd of each row."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=rows)
    mu = rng.normal(y.mean(), 1 / np.sqrt(rows), size=(4, draws // 4))
    log_likelihood = xr.DataArray(
        stats.norm.logpdf(y, mu[..., None], 1.0), dims=("chain", "draw", "row")
    ).assign_coords(row=np.arange(rows))
    others = (y.sum() - y) / (rows - 1)
    exact = stats.norm.logpdf(y, others, np.sqrt(1 + 1 / (rows - 1)))
    return log_likelihood, xr.Dataset({"mu": (("chain", "draw"), mu)}), exact


def scored(log_likelihood, posterior):
    """What cross-validation by PSIS alone writes."""
    pointwise = elpd.psis(log_likelihood, elpd.relative_efficiency(posterior))
    totals = elpd.totals(pointwise, posterior.sizes["chain"] * posterior.sizes["draw"])
    return pointwise.assign({f"total_{name}": value for name, value in totals.items()})
