"""What a page says of recovery over grids of simulator arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from tadpool.calibration import recovery_table as recoveries
from tadpool.calibration.sbc_verdict import FAILED, FLAGGED, IMPOSSIBLE
from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING, counted, decimals_for, general, listed, missing, number, whole
from tadpool.intervals import LEVEL, wilson
from tadpool.reporting.html.tables import Column, Table


def _with_error(row: Mapping[str, Any], key: str) -> str:
    """With two decimals, or the digits that the error does not change where units are small or
    large."""
    error = row[f"{key}_mcse"]
    own = decimals_for(error, 2)
    decimals = own if own < 0 or own > 4 else 2
    return f"{number(row[key], decimals)} ± {number(error, decimals)}" if row["n"] else MISSING


@dataclass(frozen=True)
class Coverage:
    """How many of `total` 89 % intervals contain the true value, and the 95 % interval of that
    share."""

    covered: int
    total: int
    low: float
    high: float

    @classmethod
    def of(cls, covered: float, total: float) -> "Coverage":
        return cls(round(covered), int(total), *wilson(round(covered), int(total)))

    @property
    def nominal(self) -> bool:
        """Whether it may be as large as it should be."""
        return self.low <= LEVEL <= self.high

    @property
    def words(self) -> str:
        return f"{self.covered} of {self.total} ({number(self.low)} to {number(self.high)})" if self.total else MISSING


GRID_COLUMNS = (
    Column("Bias ± its error", lambda row: _with_error(row, "bias")),
    Column("RMSE ± its error", lambda row: _with_error(row, "rmse")),
    Column("Covered (95 % interval of the share)", lambda row: Coverage.of(row["coverage"] * row["n"], row["n"]).words),
    Column("Fits", lambda row: whole(row["n"])),
    Column("Flagged", lambda row: whole(row[FLAGGED])),
    Column("Failed", lambda row: whole(row[FAILED])),
    Column("Impossible", lambda row: whole(row[IMPOSSIBLE])),
)


@dataclass(frozen=True)
class Recovery:
    """One recovery study: what it shows in sentences, and one row per entry, parameter and cell.

    coverage: by entry, of all parameters, in the cells with the effect that is varied.
    """

    name: str
    over: list[str]
    sentences: list[str]
    table: Table
    coverage: dict[str, Coverage]


def recovery(results: StudyResults, name: str) -> Recovery:
    """The recovery study of that name, read from its files."""
    config = results.config["recovery"][name]
    over = list(config["over"])
    frames, crashed = [], []
    for entry in config["entries"]:
        tree = results.recovery(name, entry)
        if tree.attrs["status"] != "ok":
            crashed.append(f"{results.label(entry)} has no numbers: {tree.attrs['reason']}.")
            continue
        frames.append(recoveries.grid(tree).to_dataframe().reset_index().assign(label=results.label(entry)))
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    columns = (
        Column("Model", itemgetter("label"), number=False),
        Column("Parameter", itemgetter("parameter"), number=False),
        *(Column(axis, lambda row, axis=axis: general(row[axis]), own=True) for axis in over),
        *GRID_COLUMNS,
    )
    sentences = [*_read(table, over, config["replicates"]), *crashed]
    entries = {results.label(entry): entry for entry in config["entries"]}
    covered = {}
    if not table.empty:
        for label, own in _with_effect(table, over)[0].groupby("label", sort=False):
            covered[entries[label]] = Coverage.of((own["coverage"] * own["n"]).sum(), own["n"].sum())
    return Recovery(name, over, sentences, Table(columns, table.to_dict("records")), covered)


def _with_effect(table: pd.DataFrame, over: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a grid without those in which an argument that is varied is 0, and these
    arguments: where there is no effect every model is right about it."""
    zero = [name for name in over if (table[name] == 0).any() and (table[name] != 0).any()]
    return table[(table[zero] != 0).all(axis=1)], zero


def _read(table: pd.DataFrame, over: list[str], replicates: int) -> list[str]:
    if table.empty or not table["n"].any():
        return []
    sentences = [f"Each cell of the grid over {listed(over)} is {counted(replicates, 'simulated data set')}."]
    kept, zero = _with_effect(table[table["n"] > 0], over)
    where = f" where {listed(zero)} {'is' if len(zero) == 1 else 'are'} not 0" if zero else ""
    for parameter, part in kept.groupby("parameter", sort=False):
        bias, covered = {}, {}
        for label, own in part.groupby("label", sort=False):
            bias[label] = own["bias"].mean(), float(np.sqrt((own["bias_mcse"] ** 2).sum()) / len(own))
            covered[label] = Coverage.of((own["coverage"] * own["n"]).sum(), own["n"].sum())
        order = sorted(bias, key=lambda label: abs(bias[label][0]))
        words = [f"{_rounded(*bias[label])} in {label}" for label in order]
        sentences.append(f"The mean bias of {parameter} over the cells{where} is {listed(words)}.")
        order = sorted(covered, key=lambda label: -covered[label].covered / covered[label].total)
        shares = [f"{covered[label].words} in {label}" for label in order]
        sentences.append(
            f"The 89 % intervals of {parameter} contain the true value{where} in {listed(shares)}; in parentheses the 95 % "
            "interval of that share."
        )
    return sentences


def _rounded(value: float, error: float) -> str:
    decimals = 2 if not error or missing(error) else max(2, decimals_for(error, 1))
    return f"{number(value, decimals)} ± {number(error, decimals)}"
