"""How a variable of the dataset is distributed in each group: densities back to back, with every
value."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tadpool.figures import Drawn, _style, _summaries, _units
from tadpool.formatting import measured

HALF_WIDTH = 0.4
SHOWN_AS_POINTS = 2000


def draw(results, *, variable: str, by: str) -> Drawn:
    """by: a grouping dim or a variable with few values."""
    chosen = _units.variable(results.data, variable)
    parts = _units.values_by_group(results.data, variable, by)
    figure, ((axes,),) = _style.panels(height=3.2, width=min(9.0, 2.0 + 0.9 * len(parts)))
    points = chosen.size <= SHOWN_AS_POINTS
    for position, values in enumerate(parts.values()):
        _violin(axes, position, values, points)
    axes.set_xticks(range(len(parts)), parts)
    axes.set(xlabel=_units.group_title(results.data, by), ylabel=_style.quantity(chosen))
    if chosen.dtype.kind in "iub":
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    overall = float(chosen.mean())
    axes.axhline(
        overall, color=_style.REFERENCE, linestyle="dashed", linewidth=0.9, label=f"mean of all: {measured(overall, 2)}"
    )
    _style.legend_above(figure, axes)
    frames = [pd.DataFrame({by: name, variable: np.sort(values)}) for name, values in parts.items()]
    medians = {name: float(np.median(values)) for name, values in parts.items()}
    sentences = [
        f"{name}: median {medians[name]:.3g}, quartiles {np.quantile(values, 0.25):.3g} and {np.quantile(values, 0.75):.3g}."
        for name, values in parts.items()
    ]
    alt = f"{_style.quantity(chosen)} by {_units.group_title(results.data, by)}. " + " ".join(sentences)
    shown = {"mean": overall, "lowest": min(medians, key=medians.get), "highest": max(medians, key=medians.get)}
    return Drawn(
        figure,
        pd.concat(frames, ignore_index=True),
        f"{_style.quantity(chosen)} by {_units.group_title(results.data, by)}",
        alt,
        values=shown,
    )


def _violin(axes: Axes, position: int, values: np.ndarray, points: bool) -> None:
    grid, height = _summaries.density(values)
    half = HALF_WIDTH * height / height.max()
    axes.fill_betweenx(grid, position - half, position + half, color=_style.PALETTE[0], alpha=0.25, linewidth=0)
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    axes.vlines(position, low, high, color=_style.PALETTE[0], linewidth=3)
    axes.plot(
        position,
        median,
        "_",
        color=_style.OBSERVED,
        markersize=14,
        label="median, quartiles" if position == 0 else None,
    )
    if points:
        # Equal values stand side by side: none hides another, and nothing is left to chance.
        ordered = np.sort(values)
        repeat = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
        total = np.searchsorted(ordered, ordered, side="right") - np.searchsorted(ordered, ordered)
        side = 0.07 * (repeat - (total - 1) / 2)
        if total.max() == 1:
            # Values that are all different: steps of the golden ratio spread neighbours evenly.
            side = 0.25 * (np.arange(len(ordered)) * 0.6180339887 % 1 - 0.5)
        axes.plot(position + side, ordered, "o", color=_style.OBSERVED, markersize=2, alpha=0.7)
