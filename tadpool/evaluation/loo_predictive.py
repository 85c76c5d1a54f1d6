"""Predictive draws of what was left out: of the fit to everything reweighted by PSIS, or of the
fits without it."""

import numpy as np
import xarray as xr

from tadpool.evaluation.elpd import psis_weights

SAMPLE = ("chain", "draw")


def leave_one_out(
    predictive: xr.DataArray, log_likelihood: xr.DataArray, loo: xr.DataTree, unit: str
) -> tuple[xr.DataArray, np.ndarray]:
    """Draws (unit, chain, draw, ...) of an outcome without its unit, and their log weights (unit,
    chain, draw).

    predictive: draws of the fit to everything, of some or all units. log_likelihood (chain, draw,
    unit): of these units, at these draws and perhaps more. loo: what cross-validation wrote. The
    weights of a unit sum to 1.
    """
    predicted = units_first(predictive, unit)
    scores = units_first(log_likelihood, unit).sel(draw=predicted["draw"]).values.astype(float)
    log_weights, _ = psis_weights(scores.reshape(len(scores), -1))
    if "predictive" in loo.children:
        apart = units_first(loo["predictive"][str(predictive.name)], unit)
        # Where a remedy gave the main fit more draws, or its file keeps fewer, those of the two
        # differ in number.
        wanted, given = predicted.sizes["draw"], apart.sizes["draw"]
        apart = apart.isel(draw=np.arange(wanted) * given // wanted)
        alone = loo["loo"]["method"].sel({unit: apart[unit]}).values != "psis"
        here = predicted.get_index(unit).get_indexer(apart[unit].values)
        there = np.flatnonzero(alone & (here >= 0))
        values = predicted.values.astype(np.result_type(predicted.dtype, apart.dtype))
        values[here[there]] = apart.values[there]
        predicted = predicted.copy(data=values)
        log_weights[here[there]] = -np.log(log_weights.shape[1])
    return predicted, log_weights.reshape(scores.shape)


def units_first(variable: xr.DataArray, unit: str) -> xr.DataArray:
    """The variable with dims (unit, chain, draw, ...)."""
    return variable.transpose(unit, *SAMPLE, ...)
