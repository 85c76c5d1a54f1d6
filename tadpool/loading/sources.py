"""Where a study's data come from: a dataset file, given by name, or a described table.

A described table is a mapping with the keys of `tadpool.config.schema.table.Table`, `unit`, the dim
of its rows, and `predictors`, the columns that models of the ladder may take as such.
"""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tadpool import INSTALLED, ROOT
from tadpool.files import plugins

Source = str | Mapping[str, Any]
PARQUET = (".parquet", ".pq")

ROLES = ("trials", "exposure", "offset", "standard_error", "censored", "interval_end")
"""Keys of a column, of an outcome's attributes and of a design: each names another variable of the
same rows."""
CENSORED = {"left": -1, "none": 0, "right": 1, "interval": 2}
"""How an outcome is censored, and the number that stands for it: it lies below its value, is it,
lies above it, or between it and an end."""
KEPT = ("mask", "impute")
"""Values of `missing` that keep a row with an empty cell, whose value is then nan."""
COMPLETE = "all_known"
"""The variable that is 1 where no imputed column is empty, and 0 elsewhere."""


def is_simulated(source: Source) -> bool:
    """Whether the data come from a simulator, which takes a seed."""
    return isinstance(source, str) and plugins.has_function(plugins.find("datasets", source), "simulate")


def code(source: Source) -> list[Path]:
    """The dataset file; empty for a described table."""
    return [plugins.find("datasets", source)] if isinstance(source, str) else []


def tables(source: Source) -> list[Path]:
    """The table files that are read."""
    return list(plugins.tables(source).values()) if isinstance(source, str) else [Path(source["table"])]


def lacking(table: str) -> tuple[str, str] | None:
    """What reading this file needs and the environment does not have, and how to install it; None
    where nothing is missing."""
    if Path(table).suffix.lower() not in PARQUET or importlib.util.find_spec("polars"):
        return None
    what = f"Parquet is read with the package polars, which is not installed in {sys.prefix}"
    return what, "install polars there" if INSTALLED else f"run `make parquet` in {ROOT}, or install polars there"


def title(source: Source) -> str:
    """The source as messages call it."""
    return f"dataset {source}" if isinstance(source, str) else f"table {source['table']}"


def names(columns: Mapping[str, Mapping[str, Any]], unit: str) -> list[tuple[str, str]]:
    """Names that a described table adds to data.nc.

    Args:
        columns: The described columns, by name.
        unit: Dim of the rows.

    Returns:
        Name of a variable or dim, and of the column that it comes from ("" for the unit).
    """
    pairs = [] if columns.get(unit, {}).get("kind") == "group" else [(unit, "")]
    for name, column in columns.items():
        kind = column.get("kind")
        if kind in ("group", "categorical"):
            pairs += [(name, name), *([(f"{name}_index", name)] if name != unit else [])]
        else:
            pairs += [(name, name), *([(f"{name}_level", name)] if kind == "ordered" else [])]
        if column.get("missing") in KEPT:
            pairs.append((f"{name}_known", name))
        if column.get("within"):
            pairs.append((f"{column['within']}_of_{name}", name))
    if imputed := [name for name, column in columns.items() if column.get("missing") == "impute"]:
        pairs.append((COMPLETE, imputed[0]))
    return pairs


def dims(columns: Mapping[str, Mapping[str, Any]], unit: str) -> list[str]:
    """The dims among these names."""
    of_columns = {"group": "{}", "categorical": "{}", "ordered": "{}_level"}
    dims = [of_columns[c["kind"]].format(name) for name, c in columns.items() if c.get("kind") in of_columns]
    return list(dict.fromkeys([unit, *dims]))
