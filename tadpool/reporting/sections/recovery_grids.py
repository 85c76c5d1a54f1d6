"""What a page says of recovery over grids of simulator arguments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from tadpool.calibration import recovery_table as recoveries
from tadpool.calibration.sbc_verdict import FAILED, FLAGGED, IMPOSSIBLE
from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING, among, counted, decimals_for, general, listed, missing, number, whole
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

    @classmethod
    def of_cells(cls, cells: pd.DataFrame) -> "Coverage":
        return cls.of((cells["coverage"] * cells["n"]).sum(), cells["n"].sum())

    @property
    def nominal(self) -> bool:
        """Whether it may be as large as it should be."""
        return self.low <= LEVEL <= self.high

    @property
    def words(self) -> str:
        return (
            f"{among(self.covered, self.total)} ({number(self.low)} to {number(self.high)})" if self.total else MISSING
        )


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
class Recovered:
    """A parameter by one model over the cells of a grid that have the effect that is varied: its
    mean bias, the error of that, and how many intervals contain the true value."""

    bias: float
    error: float
    coverage: Coverage

    @classmethod
    def of(cls, cells: pd.DataFrame) -> "Recovered":
        error = float(np.sqrt((cells["bias_mcse"] ** 2).sum()) / len(cells))
        return cls(float(cells["bias"].mean()), error, Coverage.of_cells(cells))

    @property
    def share(self) -> float:
        return self.coverage.covered / self.coverage.total

    @property
    def words(self) -> str:
        decimals = 2 if not self.error or missing(self.error) else max(2, decimals_for(self.error, 1))
        return f"{number(self.bias, decimals)} ± {number(self.error, decimals)}"


@dataclass(frozen=True)
class Recovery:
    """One recovery study: what it shows in sentences, and one row per entry, parameter and cell.

    found: by parameter and label of the model. coverage: by entry, of all parameters, in the same
    cells.
    """

    name: str
    over: list[str]
    sentences: list[str]
    table: Table
    found: dict[str, dict[str, Recovered]]
    coverage: dict[str, Coverage]

    def rivals(self, parameter: str, label: str) -> list[str]:
        """In a sentence, which other models have no larger bias of a parameter than the model of
        that label, and the true value in no fewer intervals."""
        found = self.found.get(parameter, {})
        own = found.get(label)
        better = {
            name: other
            for name, other in found.items()
            if own and name != label and abs(other.bias) <= abs(own.bias) and other.share >= own.share
        }
        if not better:
            return []
        words = listed([f"{name} ({other.words})" for name, other in better.items()])
        return [
            f"Over the simulated data of Calibration the bias of {parameter} by {label} ({own.words}) is no smaller than that "
            f"by {words}."
        ]


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
        frames.append(
            recoveries.grid(tree).to_dataframe().reset_index().assign(entry=entry, label=results.label(entry))
        )
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    columns = (
        Column("Model", itemgetter("label"), number=False),
        Column("Parameter", itemgetter("parameter"), number=False),
        *(Column(axis, lambda row, axis=axis: general(row[axis]), own=True) for axis in over),
        *GRID_COLUMNS,
    )
    if table.empty or not table["n"].any():
        return Recovery(name, over, crashed, Table(columns, table.to_dict("records")), {}, {})
    kept, zero = _with_effect(table[table["n"] > 0], over)
    coverage = {str(entry): Coverage.of_cells(own) for entry, own in kept.groupby("entry", sort=False)}
    found = _found(kept)
    sentences = [
        f"Each cell of the grid over {listed(over)} is {counted(config['replicates'], 'simulated data set')}.",
        *_read(found, zero),
        *crashed,
    ]
    return Recovery(name, over, sentences, Table(columns, table.to_dict("records")), found, coverage)


def _with_effect(table: pd.DataFrame, over: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a grid without those in which an argument that is varied is 0, and these
    arguments: where there is no effect every model is right about it."""
    zero = [name for name in over if (table[name] == 0).any() and (table[name] != 0).any()]
    return table[(table[zero] != 0).all(axis=1)], zero


def _found(table: pd.DataFrame) -> dict[str, dict[str, Recovered]]:
    """By parameter and label of the model."""
    return {
        str(parameter): {str(label): Recovered.of(own) for label, own in part.groupby("label", sort=False)}
        for parameter, part in table.groupby("parameter", sort=False)
    }


def _read(found: Mapping[str, Mapping[str, Recovered]], zero: list[str]) -> Iterator[str]:
    where = f" where {listed(zero)} {'is' if len(zero) == 1 else 'are'} not 0" if zero else ""
    for parameter, models in found.items():
        order = sorted(models, key=lambda label: abs(models[label].bias))
        words = [f"{models[label].words} in {label}" for label in order]
        yield f"The mean bias of {parameter} over the cells{where} is {listed(words)}."
        order = sorted(models, key=lambda label: -models[label].share)
        shares = [f"{models[label].coverage.words} in {label}" for label in order]
        yield (
            f"The 89 % intervals of {parameter} contain the true value{where} in {listed(shares)}; in parentheses the 95 % "
            "interval of that share."
        )
