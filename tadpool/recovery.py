"""How well a fit recovers the values that a simulation was made with."""

import numpy as np
import pandas as pd
import xarray as xr


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
    expected = truth.values if truth.ndim == len(rest) else np.broadcast_to(truth.values, values.shape[: len(rest)])
    rows = []
    for index in np.ndindex(values.shape[: len(rest)]):
        true, own = float(expected[index]), values[index]
        if np.isnan(true):
            continue
        labels = [str(draws[d].values[i] if d in draws.coords else i) for d, i in zip(rest, index, strict=True)]
        low, high = np.quantile(own, [0.05, 0.95])
        mean, sd = float(own.mean()), float(own.std(ddof=1))
        rows.append(
            {
                "parameter": f"{name}[{', '.join(labels)}]" if rest else name,
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
