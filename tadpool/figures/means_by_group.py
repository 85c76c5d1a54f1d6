"""The mean of a variable in each group, with its quartiles there."""

import numpy as np
import pandas as pd

from tadpool.figures import Drawn, _style, _units
from tadpool.formatting import measured


def draw(results, *, variable: str, by: str, first: int | None = None) -> Drawn:
    """by: a grouping dim, or a variable with few values. first: show so many groups only, in the
    order of the data."""
    chosen = _units.variable(results.data, variable)
    parts = {name: values for name, values in _units.values_by_group(results.data, variable, by).items() if len(values)}
    shown = dict(list(parts.items())[:first])
    numbers = pd.DataFrame([_row(by, name, values) for name, values in shown.items()])
    figure, ((axes,),) = _style.panels(height=2.8)
    at = np.arange(len(shown))
    ends = (numbers["quartile_low"], numbers["quartile_high"])
    axes.vlines(at, *ends, color=_style.PALETTE[0], linewidth=2.6, alpha=0.45, label="interquartile range")
    axes.plot(at, numbers["mean"], "o", color=_style.PALETTE[0], label=f"mean of the {by}")
    overall = float(chosen.mean())
    axes.axhline(
        overall, color=_style.REFERENCE, linestyle="dashed", linewidth=0.9, label=f"mean of all: {measured(overall, 2)}"
    )
    _units.draw_group_axis(axes, at, list(shown), _units.group_title(results.data, by))
    axes.set_ylabel(_style.quantity(chosen))
    if _style.first_level(chosen):
        axes.set_ylim(float(chosen.min()) - 0.3, float(chosen.max()) + 0.3)
    _style.legend_above(figure, axes)
    values = {"mean": overall, "shown": len(shown), "n_groups": len(parts), **_extremes(numbers, by)}
    title = f"{_style.quantity(chosen)} by {_units.group_title(results.data, by)}"
    return Drawn(figure, numbers, title, _alt(title, numbers, values), values=values)


def _row(by: str, name: str, values: np.ndarray) -> dict:
    low, high = np.quantile(values, [0.25, 0.75])
    return {by: name, "count": len(values), "mean": values.mean(), "quartile_low": low, "quartile_high": high}


def _extremes(numbers: pd.DataFrame, by: str) -> dict:
    low, high = (numbers.loc[at] for at in (numbers["mean"].idxmin(), numbers["mean"].idxmax()))
    spread = float(numbers["mean"].std()) if len(numbers) > 1 else 0.0
    ends = {"lowest": low[by], "lowest_mean": low["mean"], "highest": high[by], "highest_mean": high["mean"]}
    return ends | {"spread": spread}


def _alt(title: str, numbers: pd.DataFrame, values: dict) -> str:
    part = values["shown"] < values["n_groups"]
    which = f"{values['shown']} of {values['n_groups']}" if part else str(values["shown"])
    width = numbers["quartile_high"] - numbers["quartile_low"]
    mean = {name: measured(values[name], 2) for name in ("lowest_mean", "highest_mean", "spread", "mean")}
    return (
        f"{title}: means of {which} groups from {mean['lowest_mean']} ({values['lowest']}) to "
        f"{mean['highest_mean']} ({values['highest']}), standard deviation {mean['spread']}; mean of all "
        f"{mean['mean']}; interquartile ranges from {width.min():.3g} to {width.max():.3g} wide."
    )
