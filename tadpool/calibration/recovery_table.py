"""How well a fit recovers the values that a simulation was made with."""

from math import prod

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.calibration.sbc_verdict import FAILED, FLAGGED, IMPOSSIBLE
from tadpool.elements import element_names
from tadpool.loading.truth import aligned


def table(posterior: xr.Dataset, truth: xr.Dataset) -> pd.DataFrame:
    """One row per parameter that is in both: truth, mean, sd, 90 % interval, whether it covers the truth, and z.

    posterior: dims (chain, draw, ...). truth: the same sites without chain and draw; NaN where there is no true value.
    z is (mean - truth) / sd.
    """
    rows = []
    for name in truth.data_vars:
        if name in posterior:
            rows += _rows(str(name), posterior[name], truth[name])
    columns = ["parameter", "site", "truth", "mean", "sd", "eti90_low", "eti90_high", "covered", "z"]
    return pd.DataFrame(rows, columns=columns)


def _rows(name: str, draws: xr.DataArray, truth: xr.DataArray) -> list[dict]:
    rest = [dim for dim in draws.dims if dim not in ("chain", "draw")]
    values = draws.transpose(*rest, "chain", "draw").values
    shape = values.shape[: len(rest)]
    expected = aligned(truth, rest, prod(shape)).reshape(shape)
    rows = []
    for index, parameter in zip(np.ndindex(shape), element_names(draws), strict=True):
        true, own = float(expected[index]), values[index]
        if np.isnan(true):
            continue
        low, high = np.quantile(own, [0.05, 0.95])
        mean, sd = float(own.mean()), float(own.std(ddof=1))
        rows.append(
            {
                "parameter": parameter,
                "site": name,
                "truth": true,
                "mean": mean,
                "sd": sd,
                "eti90_low": float(low),
                "eti90_high": float(high),
                "covered": bool(low <= true <= high),
                "z": (mean - true) / sd,
            }
        )
    return rows


def grid(tree: xr.DataTree) -> xr.Dataset:
    """Of each cell and parameter: bias, rmse and coverage (of 90 % intervals), with their Monte Carlo errors; and counts.

    Dims: the grid's arguments, parameter. n: fits with numbers, flagged ones included. flagged, failed, impossible: counts.
    """
    estimates, fits = tree["estimates"].to_dataset(), tree["fits"].to_dataset()
    error = estimates["mean"] - estimates["truth"]
    inside = (estimates["eti90_low"] <= estimates["truth"]) & (estimates["truth"] <= estimates["eti90_high"])
    usable = error.notnull()
    n = usable.sum("replicate")
    coverage, square = inside.where(usable).mean("replicate"), (error**2).mean("replicate")
    rmse = np.sqrt(square)
    counts = {name: (fits["outcome"] == name).sum("replicate") for name in (FLAGGED, FAILED, IMPOSSIBLE)}
    columns = {
        "bias": error.mean("replicate"),
        "bias_mcse": error.std("replicate", ddof=1) / np.sqrt(n),
        "rmse": rmse,
        "rmse_mcse": (error**2).std("replicate", ddof=1) / np.sqrt(n) / (2 * rmse),
        "coverage": coverage,
        "coverage_mcse": np.sqrt(coverage * (1 - coverage) / n),
        "truth": estimates["truth"].mean("replicate"),
    }
    return xr.Dataset({**columns, "n": n, **counts})
