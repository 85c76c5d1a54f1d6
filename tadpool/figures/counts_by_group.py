"""How many units each group has."""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from tadpool.figures import Drawn, _style, _units


def draw(results, *, by: str) -> Drawn:
    """by: a grouping dim, or a variable with few values."""
    unit = results.config["unit"]
    counted = {name: len(values) for name, values in _units.values_by_group(results.data, unit, by).items()}
    counts = np.array(list(counted.values()))
    figure, ((axes,),) = _style.panels(height=2.6)
    at = np.arange(len(counts))
    # One outline: hundreds of bars would make a large file, and have no room between them.
    axes.stairs(counts, np.arange(len(counts) + 1) - 0.5, fill=True, color=_style.REFERENCE, alpha=0.5)
    axes.stairs(counts, np.arange(len(counts) + 1) - 0.5, color=_style.OBSERVED, linewidth=0.6)
    mean = float(counts.mean())
    axes.axhline(mean, color=_style.OBSERVED, linestyle="dashed", linewidth=0.9, label=f"mean: {mean:.1f}")
    _units.draw_group_axis(axes, at, list(counted), _units.group_title(results.data, by))
    axes.set_ylabel(f"number of {unit}s")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _style.legend_above(figure, axes)
    values = {
        "n_groups": len(counts),
        "n_units": int(counts.sum()),
        "smallest": int(counts.min()),
        "largest": int(counts.max()),
        "mean": mean,
        "fewest": list(counted)[int(counts.argmin())],
        "most": list(counted)[int(counts.argmax())],
    }
    if values["smallest"] == values["largest"]:
        spread = f"each has {values['smallest']}"
    else:
        spread = (
            f"from {values['smallest']} ({values['fewest']}) to {values['largest']} ({values['most']}), mean {mean:.1f}"
        )
    title = f"Number of {unit}s by {_units.group_title(results.data, by)}"
    alt = f"{title}: {values['n_groups']} groups, {spread}."
    return Drawn(figure, pd.DataFrame({by: list(counted), "count": counts}), title, alt, values=values)
