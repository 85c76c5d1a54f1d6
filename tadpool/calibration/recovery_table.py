"""How well a fit recovers the values that a simulation was made with."""

from math import prod

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.calibration.sbc_verdict import FAILED, FLAGGED, IMPOSSIBLE
from tadpool.elements import element_names
from tadpool.intervals import HIGH, LOW
from tadpool.loading.truth import aligned


def table(posterior: xr.Dataset, truth: xr.Dataset) -> pd.DataFrame:
    """Compare a posterior with the true values.

    Args:
        posterior: Dims (chain, draw, ...).
        truth: The same sites without chain and draw; NaN where there is no true value.

    Returns:
        One row per parameter that both have: truth, mean, sd, the ends of the 89 % interval, whether it covers the
        truth, and z = (mean - truth) / sd.
    """
    rows = []
    for name in truth.data_vars:
        if name in posterior:
            rows += _rows(str(name), posterior[name], truth[name])
    columns = ["parameter", "site", "truth", "mean", "sd", "eti89_low", "eti89_high", "covered", "z"]
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
        low, high = np.quantile(own, [LOW, HIGH])
        mean, sd = float(own.mean()), float(own.std(ddof=1))
        rows.append(
            {
                "parameter": parameter,
                "site": name,
                "truth": true,
                "mean": mean,
                "sd": sd,
                "eti89_low": float(low),
                "eti89_high": float(high),
                "covered": bool(low <= true <= high),
                "z": (mean - true) / sd,
            }
        )
    return rows


def grid(tree: xr.DataTree) -> xr.Dataset:
    """Summarize a recovery study.

    Args:
        tree: As in its file (contracts.RECOVERY).

    Returns:
        Bias, RMSE and coverage (of 89 % intervals) with their Monte Carlo errors, dims (the grid's arguments,
        parameter), with the mean truth, the number `n` of fits with numbers (flagged ones included), and the counts
        `flagged`, `failed` and `impossible`.
    """
    estimates, fits = tree["estimates"].to_dataset(), tree["fits"].to_dataset()
    error = estimates["mean"] - estimates["truth"]
    inside = (estimates["eti89_low"] <= estimates["truth"]) & (estimates["truth"] <= estimates["eti89_high"])
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
