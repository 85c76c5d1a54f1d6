"""The observed outcome of each unit, as a share where there are trials."""

import numpy as np
import pandas as pd

from tadpool.figures import Drawn, _style, _units
from tadpool.formatting import measured


def draw(
    results,
    *,
    outcome: str,
    trials: str | None = None,
    blocks: str | None = None,
    colour_by: str | None = None,
    label: str = "",
) -> Drawn:
    """trials: outcome / trials is shown. blocks: a variable that units are ordered by. colour_by:
    one with few values."""
    observed, axis = _units.share(results.data, outcome, trials)
    (unit,) = observed.dims
    at = np.arange(1, len(observed) + 1)
    figure, ((axes,),) = _style.panels(height=2.8)
    numbers = pd.DataFrame({unit: observed[unit].values, "value": observed.values})
    for name, chosen, shade, marker in _units.categories(results.data, colour_by):
        axes.plot(
            at[np.broadcast_to(chosen, at.shape)],
            observed.values[np.broadcast_to(chosen, at.shape)],
            marker,
            color=shade,
            label=name,
        )
    mean = float(observed.mean())
    axes.axhline(mean, color=_style.REFERENCE, linestyle="dashed", label=f"mean of the {unit}s: {measured(mean)}")
    _units.draw_blocks(axes, results.data, blocks)
    _units.draw_unit_axis(axes, observed)
    axes.set_ylabel(label or axis)
    if trials:
        axes.set_ylim(-0.04, 1.04)
    _style.legend_above(figure, axes)
    for extra in filter(None, (blocks, colour_by, trials)):
        numbers[extra] = results.data[extra].values
    values = {
        "mean": mean,
        "smallest": float(observed.min()),
        "largest": float(observed.max()),
        "n_units": len(observed),
    }
    span = f"from {values['smallest']:.3g} to {values['largest']:.3g}"
    alt = f"{label or axis} of {len(observed)} {unit}s: mean {measured(mean)}, {span}."
    return Drawn(figure, numbers, f"{(label or axis).capitalize()} by {unit}", alt, values=values)
