"""Pairs of group effects in two entries, with an arrow from one estimate of each group to the other."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tadpool.figures import Drawn, _explore_lines, _style, _summaries, _units

NAMED = 5


def draw(
    results,
    *,
    start: str,
    end: str,
    x: str,
    y: str,
    by: str,
    varies: str | None = None,
    centre: list[str] | None = None,
    labels: Mapping[str, str] | None = None,
    outcome: str | None = None,
) -> Drawn:
    """start, end: entries. x, y: sites with the dim `by`. centre: two scalar sites of `end`, the mean of the population.

    varies: a variable that y is the slope of; where a group holds one value of it alone, y of `start` returns its prior and is
    marked so. labels: names of x and y on the axes. outcome: what x is the intercept of, and y the slope over `varies`: the
    explorer shows each group's data with its lines.
    """
    for entry in (start, end):
        _summaries.usable(results, [entry])
    means = {(entry, site): _means(results, entry, site, by) for entry in (start, end) for site in (x, y)}
    groups = [str(group) for group in results.data[by].values]
    frame = pd.DataFrame(
        {by: groups}
        | {f"{name}_{site}": means[entry, site] for name, entry in (("start", start), ("end", end)) for site in (x, y)}
    )
    frame["returns_prior"] = _constant(results, varies, by, groups)
    frame["moved"] = np.hypot(frame[f"end_{x}"] - frame[f"start_{x}"], frame[f"end_{y}"] - frame[f"start_{y}"])
    figure, ((axes,),) = _style.panels(height=5.2, width=6.4)
    _arrows(axes, results, frame, start, end, x, y)
    values = _values(frame, x, y, by)
    if centre:
        posterior = _summaries.sites(results, end)
        at = [float(posterior[name].mean()) for name in centre]
        axes.plot(*at, "P", color=_style.OBSERVED, markersize=9, zorder=4, label=f"mean of the {by} population")
        values |= dict(zip(("centre_x", "centre_y"), at, strict=True))
    names = {site: (labels or {}).get(axis, site) for axis, site in (("x", x), ("y", y))}
    explorer = None
    if outcome and varies:
        named = (names[x], names[y])
        explorer = _explore_lines.lines(results, frame, (start, end), (x, y), by, varies, outcome, named)
    axes.set(xlabel=f"{names[x]}, posterior mean", ylabel=f"{names[y]}, posterior mean")
    _style.legend_above(figure, axes, columns=2)
    return Drawn(
        figure,
        frame,
        f"Shrinkage from {_style.label(results, start)} to {_style.label(results, end)}",
        _alt(results, frame, values, start, end, names, by),
        values=values,
        explorer=explorer,
    )


def _means(results, entry: str, site: str, by: str) -> np.ndarray:
    return _summaries.sites(results, entry)[site].mean(_summaries.SAMPLE).transpose(by).values


def _constant(results, varies: str | None, by: str, groups: list[str]) -> np.ndarray:
    if varies is None:
        return np.zeros(len(groups), bool)
    parts = _units.grouped(results.data, varies, by)
    return np.array([len(np.unique(parts[group])) < 2 for group in groups])


def _arrows(axes: Axes, results, frame: pd.DataFrame, start: str, end: str, x: str, y: str) -> None:
    moves = (frame[f"end_{x}"] - frame[f"start_{x}"], frame[f"end_{y}"] - frame[f"start_{y}"])
    look = {
        "angles": "xy",
        "scale_units": "xy",
        "scale": 1,
        "width": 0.0018,
        "headwidth": 8,
        "headlength": 9,
        "alpha": 0.8,
    }
    axes.quiver(frame[f"start_{x}"], frame[f"start_{y}"], *moves, color=_style.REFERENCE, zorder=3, **look)
    shade, own = _style.colour(results, start), frame["returns_prior"]
    name = _style.label(results, start)
    axes.plot(frame.loc[~own, f"start_{x}"], frame.loc[~own, f"start_{y}"], "o", color=shade, markersize=4, label=name)
    if own.any():
        prior = f"{name}, {y} returns its prior ({own.sum()} of {len(frame)})"
        look = {"color": shade, "markerfacecolor": "none", "markersize": 4.5, "label": prior}
        axes.plot(frame.loc[own, f"start_{x}"], frame.loc[own, f"start_{y}"], "s", **look)
    axes.plot(
        frame[f"end_{x}"],
        frame[f"end_{y}"],
        "^",
        color=_style.colour(results, end),
        markersize=4,
        label=_style.label(results, end),
    )
    for _, row in frame.nlargest(NAMED, "moved").iterrows():
        place = {"xytext": (4, 4), "textcoords": "offset points", "fontsize": 7}
        axes.annotate(str(row.iloc[0]), (row[f"start_{x}"], row[f"start_{y}"]), **place)


def _values(frame: pd.DataFrame, x: str, y: str, by: str) -> dict:
    farthest = frame.loc[frame["moved"].idxmax()]
    spreads = {
        f"{name}_sd_{site}": float(frame[f"{name}_{site}"].std()) for name in ("start", "end") for site in (x, y)
    }
    return {
        **spreads,
        "n_groups": len(frame),
        "returns_prior": int(frame["returns_prior"].sum()),
        "farthest": farthest[by],
        "farthest_moved": float(farthest["moved"]),
        "typical": float(frame["moved"].median()),
    }


def _alt(results, frame: pd.DataFrame, values: dict, start: str, end: str, names: Mapping[str, str], by: str) -> str:
    x, y = names
    sentences = [
        f"{len(frame)} arrows, one for each {by}, from the posterior means in {_style.label(results, start)} to the posterior "
        f"means in {_style.label(results, end)}.",
        *(
            f"{names[site]}: standard deviation of the means {values[f'start_sd_{site}']:.3g} at the start, "
            f"{values[f'end_sd_{site}']:.3g} at the end."
            for site in (x, y)
        ),
        f"The longest arrow belongs to {values['farthest']} ({values['farthest_moved']:.3g}), the median length "
        f"{values['typical']:.3g}.",
    ]
    if values["returns_prior"]:
        sentences.append(f"In {values['returns_prior']} groups the starting {names[y]} returns its prior.")
    return " ".join(sentences)
