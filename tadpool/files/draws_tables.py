"""Draws as a table, one row for each draw, in the layout that R's package posterior calls draws_df.

Columns are elements of parameters, such as `alpha[north]`, then `.chain`, `.iteration` and `.draw`,
all counted from 1; rows are sorted by chain and iteration.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.elements import element_names
from tadpool.errors import UserError

PLACES = (".chain", ".iteration", ".draw")


def table(posterior: xr.Dataset, names: Sequence[str] | None = None) -> pd.DataFrame:
    """The draws of parameters as a table.

    Args:
        posterior: Variables with the dims chain and draw first, and maybe others.
        names: Those that are wanted; by default all.

    Returns:
        (chain x draw, elements + 3).

    Raises:
        UserError: There is no such variable.
    """
    unknown = [name for name in names or () if name not in posterior]
    if unknown:
        raise UserError(f"there is no parameter {unknown[0]!r}; known: {', '.join(map(str, posterior.data_vars))}")
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    columns: dict[str, np.ndarray] = {}
    for name in names or posterior.data_vars:
        values = posterior[name].transpose("chain", "draw", ...).values.reshape(chains * draws, -1)
        columns |= dict(zip(element_names(posterior[name]), values.T, strict=True))
    columns[".chain"] = np.repeat(np.arange(1, chains + 1), draws)
    columns[".iteration"] = np.tile(np.arange(1, draws + 1), chains)
    columns[".draw"] = np.arange(1, chains * draws + 1)
    return pd.DataFrame(columns)


def write(path: str | Path, draws: pd.DataFrame) -> Path:
    """Write a table of draws as CSV or, where the name ends in .parquet, as Parquet.

    Args:
        path: The file.
        draws: As from `table`.

    Returns:
        The file.

    Raises:
        UserError: The name has another ending, or polars, which writes Parquet, is not installed.
    """
    path = Path(path)
    if path.suffix == ".csv":
        draws.to_csv(path, index=False, lineterminator="\n")
    elif path.suffix == ".parquet":
        try:
            import polars
        except ImportError as error:
            raise UserError(f"{path}: Parquet is written with the package polars, which is not installed") from error
        polars.DataFrame({name: draws[name].to_numpy() for name in draws}).write_parquet(path)
    else:
        raise UserError(f"{path}: draws are written as .csv or .parquet; choose one of these endings")
    return path
