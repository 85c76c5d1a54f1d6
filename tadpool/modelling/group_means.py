"""Group means of a predictor that stay what they are in the data where its values are changed.

A group mean as a predictor stands for what the groups differ in (Mundlak 1978, Econometrica 46:69):
what changes in a row does not change the group around it.
"""

from collections.abc import Iterable

import pandas as pd
import xarray as xr


def held_mean(predictor: str, group: str) -> str:
    """Name of the variable, with a value for each row, that stands in for a group mean; no column
    has such a name."""
    return f"group mean: {predictor}, {group}"


def hold(rows: xr.Dataset, data: xr.Dataset, predictors: Iterable[str], groups: Iterable[str], unit: str) -> xr.Dataset:
    """Rows with the means that their groups have in the data.

    Args:
        rows: Of members of the data (unit).
        data: The data (unit).
        predictors: Names of variables of the data; those with one value for each row count.
        groups: Names of groups.
        unit: Dim of the rows.

    Returns:
        The rows, with a variable `held_mean` for each predictor and group (unit).
    """
    numbers = [name for name in predictors if name in data and data[name].dims == (unit,) and name not in data.coords]
    found = {}
    for group in (group for group in groups if f"{group}_index" in data and f"{group}_index" in rows):
        own, of_row = data[f"{group}_index"].values, rows[f"{group}_index"].values
        for name in numbers:
            means = pd.Series(data[name].values, dtype=float).groupby(own).mean()
            found[held_mean(name, group)] = (unit, means.reindex(of_row).to_numpy())
    return rows.assign(found)
