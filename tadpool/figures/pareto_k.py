"""How reliable leave-one-out by importance sampling is, unit by unit."""

import numpy as np
import pandas as pd

from tadpool.figures import Drawn, NotDrawn, Standard, _style

STANDARD = Standard("entry", "predictive", place=4)
MOST_VECTORS = 1000
CAPTION = (
    "Above the line at {good_k:.2f} importance sampling is unreliable, because the unit is too influential: {bad_k} of "
    "{n_units} units. Scored by a refit without the unit: {refit}."
)


def draw(results, *, entry: str) -> Drawn:
    """Units are in the order of the data; those scored by a refit have markers of their own."""
    loo = results.loo(entry)
    if "loo" not in loo.children:
        raise NotDrawn(f"{entry} has no leave-one-out results")
    pointwise = loo["loo"].to_dataset()
    good_k = float(pointwise["total_good_k"])
    pareto_k, method = pointwise["pareto_k"].values, pointwise["method"].values.astype(str)
    (unit,) = pointwise["pareto_k"].dims
    state = np.where(method != "psis", "scored by a refit", np.where(pareto_k > good_k, "unreliable", "good"))
    numbers = pd.DataFrame({unit: pointwise[unit].values, "pareto_k": pareto_k, "method": method, "state": state})
    figure, ((axes,),) = _style.panels(height=2.8)
    at = np.arange(1, len(pareto_k) + 1)
    markers = {
        "good": ("o", _style.PALETTE[0]),
        "unreliable": ("X", _style.PALETTE[1]),
        "scored by a refit": ("s", _style.PALETTE[2]),
    }
    for name, (marker, shade) in markers.items():
        chosen = state == name
        look = {"color": shade, "linestyle": "none", "rasterized": len(at) > MOST_VECTORS, "markersize": 4}
        if chosen.any():
            axes.plot(at[chosen], pareto_k[chosen], marker, label=f"{name}: {chosen.sum()} of {len(at)}", **look)
    axes.axhline(good_k, color=_style.REFERENCE, linestyle="dashed", label=f"threshold {good_k:.2f}")
    axes.set(xlabel=f"{unit} (in the order of the data)", ylabel="Pareto k")
    _style.legend_above(figure, axes)
    shown = {
        "good_k": good_k,
        "bad_k": int((pareto_k > good_k).sum()),
        "n_units": len(at),
        "refit": int((method != "psis").sum()),
    }
    alt = (
        f"Pareto k of {len(at)} units, from {np.nanmin(pareto_k):.2f} to {np.nanmax(pareto_k):.2f}: {shown['bad_k']} above the "
        f"threshold {good_k:.2f}, {shown['refit']} scored by a refit."
    )
    return Drawn(figure, numbers, f"Pareto k of {_style.label(results, entry)}", alt, CAPTION, shown)
