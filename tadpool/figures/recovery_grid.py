"""Bias, root mean square error and coverage over a grid of simulator arguments, as heat maps."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from tadpool.calibration import recovery_table as recoveries
from tadpool.figures import Drawn, NotDrawn, Standard, _style
from tadpool.formatting import measured
from tadpool.intervals import wilson

STANDARD = Standard("recovery", "calibration")
STATISTICS = {"bias": "bias", "rmse": "root mean square error", "coverage": "coverage of 89 % intervals"}
MAPS = {"bias": "RdBu_r", "rmse": "Purples", "coverage": "PuOr"}
# Dark on the light cells in both colour schemes of the page, so not the black that follows the
# text.
INK = "#1a1a1a"
CAPTION = (
    "Each number is over {replicates} simulated data sets; the table has the Monte Carlo errors. Bias should be near 0 and "
    "coverage near 0.89, which a few data sets show only roughly: all of {replicates} covered is a coverage of {least:.2f} "
    "or more."
)


def draw(results, *, recovery: str) -> Drawn:
    """recovery: its name in the study. One row of maps for each parameter and statistic, one column
    for each entry.

    Raises NotDrawn where no entry has numbers.
    """
    chosen = results.config["recovery"][recovery]
    trees = {entry: results.recovery(recovery, entry) for entry in chosen["entries"]}
    found = {entry: recoveries.grid(tree) for entry, tree in trees.items() if tree.attrs["status"] == "ok"}
    if not found:
        raise NotDrawn("no entry has numbers")
    over = list(chosen["over"])
    numbers = _numbers(results, found, over)
    if numbers["bias"].isna().all():
        raise NotDrawn("no fit has numbers")
    parameters = list(dict.fromkeys(numbers["parameter"]))
    rows = [(parameter, statistic) for parameter in parameters for statistic in STATISTICS]
    sizes = [len(values) for values in chosen["over"].values()]
    each = 0.55 + 0.26 * (sizes[1] if len(sizes) > 1 else 1)
    figure, axes = _style.panels(len(rows), len(found), height=0.8 + each * len(rows), sharex=True, sharey=True)
    for row, (parameter, statistic) in enumerate(rows):
        scale = _scale(numbers.loc[numbers["parameter"] == parameter, statistic], statistic)
        for column, (entry, summary) in enumerate(found.items()):
            values = summary[statistic].sel(parameter=parameter).transpose(*over[::-1])
            _map(axes[row, column], values, scale, MAPS[statistic])
            if row == 0:
                axes[row, column].set_title(results.label(entry))
        lines = [_style.wrapped(results.named(parameter)), _short(statistic), *over[1:2]]
        axes[row, 0].set_ylabel("\n".join(lines))
    figure.supxlabel(over[0], fontsize=9)
    title = f"Recovery over {' and '.join(over)}"
    return Drawn(figure, numbers, title, _alt(numbers), CAPTION, _values(numbers, over, chosen["replicates"]))


def _short(statistic: str) -> str:
    return {"rmse": "RMSE"}.get(statistic, statistic)


def _numbers(results, found: Mapping[str, xr.Dataset], over: list[str]) -> pd.DataFrame:
    frames = []
    for entry, summary in found.items():
        frame = summary.to_dataframe().reset_index()
        frame["cell"] = [", ".join(f"{name} {row[name]}" for name in over) for _, row in frame.iterrows()]
        frames.append(frame.assign(entry=entry, label=results.label(entry)))
    return pd.concat(frames, ignore_index=True)


def _scale(values: pd.Series, statistic: str) -> Normalize:
    known = values.to_numpy(float)
    known = known[np.isfinite(known)]
    if statistic == "bias":
        most = (float(np.abs(known).max(initial=0.0)) or 1.0) * 1.8
        return Normalize(-most, most)
    if statistic == "rmse":
        return Normalize(0.0, (float(known.max(initial=0.0)) or 1.0) * 1.6)
    return Normalize(-0.5, 2.28)  # 0.89 in the middle, and pale enough for the numbers


def _map(axes: Axes, values: xr.DataArray, scale: Normalize, colours: str) -> None:
    grid = np.atleast_2d(values.values)
    axes.pcolormesh(np.ma.masked_invalid(grid), norm=scale, cmap=colours, edgecolors="none")
    for (y, x), value in np.ndenumerate(grid):
        text, ink = (measured(value, 2), INK) if np.isfinite(value) else ("none", _style.REFERENCE)
        axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=7, color=ink)
    axes.set_xticks(np.arange(grid.shape[1]) + 0.5, [f"{v}" for v in values[values.dims[-1]].values])
    if values.ndim > 1:
        axes.set_yticks(np.arange(grid.shape[0]) + 0.5, [f"{v}" for v in values[values.dims[0]].values])
    else:
        axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _values(numbers: pd.DataFrame, over: list[str], replicates: int) -> dict:
    largest = numbers.loc[numbers["bias"].abs().idxmax()]
    lowest = numbers.loc[numbers["coverage"].idxmin()]
    return {
        "replicates": replicates,
        "least": wilson(replicates, replicates)[0],
        "bias": float(largest["bias"]),
        "bias_shown": measured(largest["bias"], 2),
        "bias_entry": largest["label"],
        "bias_cell": largest["cell"],
        "coverage": float(lowest["coverage"]),
        "coverage_entry": lowest["label"],
        "coverage_cell": lowest["cell"],
    }


def _alt(numbers: pd.DataFrame) -> str:
    sentences = []
    for (label, parameter), part in numbers.groupby(["label", "parameter"], sort=False):
        cells = "; ".join(
            f"{row['cell']}: bias {measured(row['bias'], 2)}, RMSE {measured(row['rmse'], 2)}, coverage {row['coverage']:.2f}"
            if row["n"]
            else f"{row['cell']}: no fits"
            for _, row in part.iterrows()
        )
        sentences.append(f"{parameter} by {label}: {cells}.")
    return " ".join(sentences)
