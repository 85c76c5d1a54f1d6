"""The mean of a variable in each group, with its quartiles there."""

import numpy as np
import pandas as pd

from tadpool.figures import Drawn, _style, _units


def draw(results, *, variable: str, by: str, first: int | None = None) -> Drawn:
    """by: a grouping dim, or a variable with few values. first: show so many groups only, in the order of the data."""
    chosen = _units.variable(results.data, variable)
    parts = {name: values for name, values in _units.grouped(results.data, variable, by).items() if len(values)}
    shown = dict(list(parts.items())[:first])
    quartiles = np.array([np.quantile(values, [0.25, 0.75]) for values in shown.values()])
    means = np.array([values.mean() for values in shown.values()])
    numbers = pd.DataFrame(
        {
            by: list(shown),
            "count": [len(values) for values in shown.values()],
            "mean": means,
            "quartile_low": quartiles[:, 0],
            "quartile_high": quartiles[:, 1],
        }
    )
    figure, ((axes,),) = _style.panels(height=2.8)
    at = np.arange(len(shown))
    axes.vlines(at, *quartiles.T, color=_style.PALETTE[0], linewidth=2.6, alpha=0.45, label="interquartile range")
    axes.plot(at, means, "o", color=_style.PALETTE[0], label=f"mean of the {by}")
    overall = float(chosen.mean())
    axes.axhline(
        overall, color=_style.REFERENCE, linestyle="dashed", linewidth=0.9, label=f"mean of all: {overall:.2f}"
    )
    _units.draw_group_axis(axes, at, list(shown), _units.group_title(results.data, by))
    axes.set_ylabel(_style.quantity(chosen))
    if _style.first_level(chosen):
        axes.set_ylim(float(chosen.min()) - 0.3, float(chosen.max()) + 0.3)
    _style.legend_above(figure, axes)
    low, high = int(means.argmin()), int(means.argmax())
    values = {
        "mean": overall,
        "shown": len(shown),
        "n_groups": len(parts),
        "lowest": numbers[by][low],
        "lowest_mean": means[low],
        "highest": numbers[by][high],
        "highest_mean": means[high],
        "spread": float(means.std(ddof=1)) if len(means) > 1 else 0.0,
    }
    which = f"{len(shown)} of {len(parts)}" if len(shown) < len(parts) else str(len(parts))
    title = f"{_style.quantity(chosen)} by {_units.group_title(results.data, by)}"
    alt = (
        f"{title}: means of {which} groups from {means[low]:.2f} ({values['lowest']}) to {means[high]:.2f} "
        f"({values['highest']}), standard deviation {values['spread']:.2f}; mean of all {overall:.2f}; interquartile ranges "
        f"from {(quartiles[:, 1] - quartiles[:, 0]).min():.3g} to {(quartiles[:, 1] - quartiles[:, 0]).max():.3g} wide."
    )
    return Drawn(figure, numbers, title, alt, values=values)
