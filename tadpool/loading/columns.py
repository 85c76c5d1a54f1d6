"""Checked columns of a table: each function names the table, line and value that break its rule.

Lines are counted as a text editor does: the header is line 1.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from tadpool.errors import UserError, did_you_mean
from tadpool.formatting import counted


def read(path: Path) -> pd.DataFrame:
    """Read a CSV file.

    Returns:
        The table; `table.attrs["name"]` is its name in messages.

    Raises:
        UserError: It cannot be read, or has no rows.
    """
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"data/{path.name} cannot be read as CSV ({error}); correct the table") from error
    if table.empty:
        raise UserError(f"data/{path.name} has no rows; a dataset needs at least one")
    table.attrs["name"] = f"data/{path.name}"
    return table


def column(table: pd.DataFrame, name: str) -> pd.Series:
    """A column of the table. Raises UserError if there is none of that name."""
    if name not in table:
        raise UserError(f"{table.attrs['name']} has no column {name!r}{did_you_mean(name, list(table))}")
    return table[name]


def refuse(table: pd.DataFrame, name: str, bad: pd.Series, rule: str) -> None:
    """Raise UserError for the first row where `bad` is true."""
    if bad.any():
        row = int(np.argmax(bad.to_numpy()))
        raise UserError(
            f"{table.attrs['name']}, line {row + 2}, column {name}: {table[name].iloc[row]} is not allowed: "
            f"{rule}; correct the table ({counted(int(bad.sum()), 'row')} like this)"
        )


def numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    """A column of finite numbers as float64 (rows,)."""
    values = pd.to_numeric(column(table, name), errors="coerce")
    refuse(table, name, ~np.isfinite(values.astype(float)), "it must be a finite number")
    return values.to_numpy(np.float64)


def integers(table: pd.DataFrame, name: str, at_least: int | None = None, at_most=None) -> np.ndarray:
    """A column of whole numbers within bounds.

    Args:
        table: A table read by `read`.
        name: Heading of the column.
        at_least: The minimum.
        at_most: The maximum: a number, or a column of the table.

    Returns:
        int64 (rows,).

    Raises:
        UserError: A cell is not a whole number, or is out of bounds.
    """
    values = pd.Series(numbers(table, name), index=table.index)
    refuse(table, name, values != np.floor(values), "it must be a whole number")
    if at_least is not None:
        refuse(table, name, values < at_least, f"the minimum is {at_least}")
    if at_most is not None:
        rule = f"the maximum is {f'column {at_most.name}' if isinstance(at_most, pd.Series) else at_most}"
        refuse(table, name, values > at_most, rule)
    return values.to_numpy(np.int64)


def binary(table: pd.DataFrame, name: str, zero: str, one: str) -> tuple[np.ndarray, dict]:
    """A column of two labels as int64 0 and 1 (rows,), and CF flag attributes with the labels."""
    values = column(table, name)
    refuse(table, name, ~values.isin([zero, one]), f"it must be {zero!r} or {one!r}")
    attributes = {"long_name": name, "flag_values": [0, 1], "flag_meanings": f"{zero} {one}"}
    return (values == one).to_numpy(np.int64), attributes


def index(table: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A grouping column: the position of each row's label, int64 (rows,), among the sorted labels,
    and these labels."""
    refuse(table, name, column(table, name).isna(), "every row must have a group")
    positions, labels = pd.factorize(table[name], sort=True)
    return positions.astype(np.int64), np.asarray(labels)
