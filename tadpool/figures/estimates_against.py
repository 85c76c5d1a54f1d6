"""The same quantity in two entries, element by element, with the diagonal of agreement."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tadpool.errors import UserError
from tadpool.figures import Drawn, _style, _summaries, _units
from tadpool.formatting import measured

MOST_NAMED = 12
CLOSE = 0.035
"""Share of an axis below which the names of two points would overlap."""


def draw(
    results,
    *,
    x: Mapping[str, str],
    y: Mapping[str, str],
    colour_by: str | None = None,
    lines: list[Mapping[str, str]] = (),
    label: str = "",
) -> Drawn:
    """x, y, lines: `{entry, site}` each. lines: scalar sites whose posterior means are marked on
    both axes.

    Points are posterior means with 89 % intervals. Raises UserError where the sites have different
    elements.
    """
    _summaries.usable(results, [x["entry"]])
    _summaries.usable(results, [y["entry"]])
    sites = [_summaries.sites(results, axis["entry"])[axis["site"]] for axis in (x, y)]
    across, up = (_summaries.site_summary(site) for site in sites)
    if across["element"].tolist() != up["element"].tolist():
        raise UserError(f"figures: {x['entry']} {x['site']} and {y['entry']} {y['site']} have different elements")
    figure, ((axes,),) = _style.panels(height=4.4, width=4.8)
    for name, chosen, shade, marker in _units.categories(results.data, colour_by):
        chosen = np.broadcast_to(chosen, len(across))
        shade = shade if colour_by else _style.colour(results, y["entry"])
        one, two = across[chosen], up[chosen]
        axes.hlines(two["mean"], one["eti89_low"], one["eti89_high"], color=shade, linewidth=0.5, alpha=0.6)
        axes.vlines(one["mean"], two["eti89_low"], two["eti89_high"], color=shade, linewidth=0.5, alpha=0.6)
        axes.plot(one["mean"], two["mean"], marker, color=shade, label=name or "posterior mean, 89 % intervals")
    low = min(across["eti89_low"].min(), up["eti89_low"].min())
    high = max(across["eti89_high"].max(), up["eti89_high"].max())
    axes.plot([low, high], [low, high], color=_style.REFERENCE, linestyle="dashed", linewidth=0.9, label="equal")
    values = _marked(axes, results, lines)
    if len(across) <= MOST_NAMED:
        _name(axes, across, up, CLOSE * (high - low))
    names = [f"{label or axis['site']}, {_style.label(results, axis['entry'])}" for axis in (x, y)]
    axes.set(xlabel=names[0], ylabel=names[1], aspect="equal")
    _style.legend_above(figure, axes, columns=2)
    numbers = across.add_prefix("x_").join(up.add_prefix("y_"))
    distance = (up["mean"] - across["mean"]).abs()
    spread_x, spread_y = float(across["mean"].std()), float(up["mean"].std())
    values |= {"largest": float(distance.max()), "typical": float(distance.mean())}
    values |= {"spread_x": spread_x, "spread_y": spread_y}
    alt = (
        f"{len(across)} points, {names[0]} against {names[1]}: the means differ by {values['typical']:.3g} on average "
        f"and by at most {values['largest']:.3g} ({across['element'][int(distance.argmax())]}); their standard deviations are "
        f"{spread_x:.3g} and {spread_y:.3g}."
    )
    return Drawn(figure, numbers, f"{names[0]} against {names[1]}", alt, values=values)


def _name(axes: Axes, across: pd.DataFrame, up: pd.DataFrame, close: float) -> None:
    """The name of each point, by turns below and above; points closer to their neighbour than
    `close` share a label."""
    order = across["mean"].to_numpy().argsort(kind="stable")
    points = np.column_stack([across["mean"], up["mean"]])[order]
    apart = np.abs(np.diff(points, axis=0)).max(axis=1) >= close
    for turn, members in enumerate(np.split(np.arange(len(points)), np.flatnonzero(apart) + 1)):
        name = ", ".join(across["element"].to_numpy()[order][members])
        at, beside = (
            (members[0], {"xytext": (-5, 6), "ha": "right"}) if turn % 2 else (members[-1], {"xytext": (5, -10)})
        )
        axes.annotate(name, points[at], textcoords="offset points", fontsize=8, **beside)


def _marked(axes: Axes, results, lines: Sequence[Mapping[str, str]]) -> dict[str, float]:
    """Draw the posterior means of scalar sites on both axes; returns them as `<entry>_<site>`."""
    values = {}
    for line in lines:
        if results.usable(line["entry"]):
            mean = float(_summaries.sites(results, line["entry"])[line["site"]].mean())
            values[f"{line['entry']}_{line['site']}"] = mean
            look = {"color": _style.colour(results, line["entry"]), "linewidth": 0.9}
            axes.axhline(
                mean, label=f"{line['site']} of {_style.label(results, line['entry'])}: {measured(mean, 2)}", **look
            )
            axes.axvline(mean, **look)
    return values
