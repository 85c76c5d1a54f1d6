"""Columns of a table, checked: each function names the table, the row and the value that breaks its rule.

Rows are counted as a text editor does: the header is line 1.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from tadpool.errors import UserError, did_you_mean


def read(path: Path) -> pd.DataFrame:
    """Read a CSV; `table.attrs["name"]` keeps its name for messages. Raises UserError where it cannot be read or is empty."""
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"data/{path.name} is not a CSV table: {error}") from error
    if table.empty:
        raise UserError(f"data/{path.name} has no rows; a dataset needs at least one")
    table.attrs["name"] = f"data/{path.name}"
    return table


def column(table: pd.DataFrame, name: str) -> pd.Series:
    """A column of the table. Raises UserError where there is none of that name."""
    if name not in table:
        raise UserError(f"{table.attrs['name']} has no column {name!r}{did_you_mean(name, list(table))}")
    return table[name]


def refuse(table: pd.DataFrame, name: str, bad: pd.Series, rule: str) -> None:
    """Raise UserError for the first row where `bad` is true."""
    if bad.any():
        row = int(np.argmax(bad.to_numpy()))
        raise UserError(
            f"{table.attrs['name']}, line {row + 2}, column {name}: {table[name].iloc[row]} is not allowed, "
            f"{rule}; correct the table ({int(bad.sum())} such rows)"
        )


def numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    """A column of finite numbers as float64 (rows,)."""
    values = pd.to_numeric(column(table, name), errors="coerce")
    refuse(table, name, ~np.isfinite(values.astype(float)), "a finite number is needed")
    return values.to_numpy(np.float64)


def integers(table: pd.DataFrame, name: str, at_least: int | None = None, at_most=None) -> np.ndarray:
    """A column of whole numbers within bounds as int64 (rows,); `at_most` is a number or a column of the table."""
    values = pd.Series(numbers(table, name), index=table.index)
    refuse(table, name, values != np.floor(values), "a whole number is needed")
    if at_least is not None:
        refuse(table, name, values < at_least, f"{at_least} is the least")
    if at_most is not None:
        rule = f"it is above column {at_most.name}" if isinstance(at_most, pd.Series) else f"{at_most} is the most"
        refuse(table, name, values > at_most, rule)
    return values.to_numpy(np.int64)


def binary(table: pd.DataFrame, name: str, zero: str, one: str) -> tuple[np.ndarray, dict]:
    """A column of two labels as int64 0/1 (rows,), with CF flag attributes that keep the labels."""
    values = column(table, name)
    refuse(table, name, ~values.isin([zero, one]), f"only {zero!r} and {one!r} are known")
    attributes = {"long_name": name, "flag_values": [0, 1], "flag_meanings": f"{zero} {one}"}
    return (values == one).to_numpy(np.int64), attributes


def index(table: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A grouping column as int64 positions (rows,) into its sorted labels, and those labels."""
    refuse(table, name, column(table, name).isna(), "every row needs a group")
    positions, labels = pd.factorize(table[name], sort=True)
    return positions.astype(np.int64), np.asarray(labels)
