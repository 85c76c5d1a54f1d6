"""Pairs of group effects in two entries, with an arrow from one estimate of each group to the
other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from tadpool.figures import Drawn, _explore, _style, _summaries, _units
from tadpool.formatting import listed

NAMED = 5
GRID = 7


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
    """start, end: entries. x, y: sites with the dim `by`. centre: two scalar sites of `end`, the
    mean of the population.

    varies: a variable that y is the slope of; where a group holds one value of it alone, y of
    `start` returns its prior and is marked so. labels: names of x and y on the axes. outcome: what
    x is the intercept of, and y the slope over `varies`: the explorer shows each group's data with
    its lines.
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
    points = results.check(start).get("points", [])
    frame["failed"] = frame[by].isin([str(point[by]) for point in points if point["verdict"] == "fail"])
    figure, ((axes,),) = _style.panels(height=5.2, width=6.4)
    _arrows(axes, results, frame, start, end, x, y)
    values = _values(frame, x, y, by) | {
        "failed": int(frame["failed"].sum()),
        "failed_groups": listed(list(frame.loc[frame["failed"], by])) or "none",
    }
    if centre:
        posterior = _summaries.sites(results, end)
        at = [float(posterior[name].mean()) for name in centre]
        axes.plot(*at, "P", color=_style.OBSERVED, markersize=9, zorder=4, label=f"mean of the {by} population")
        values |= dict(zip(("centre_x", "centre_y"), at, strict=True))
    names = {site: (labels or {}).get(axis, site) for axis, site in (("x", x), ("y", y))}
    explorer = None
    if outcome and varies:
        view = {
            "name": "",
            "words": "",
            "by": by,
            "names": [names[x], names[y]],
            "outcome": _style.quantity(results.data[outcome]),
        }
        view |= _arrow_data(frame, (x, y)) | _line_data(results, (start, end), (x, y), by, varies)
        view["points"] = _points(results.data, by, varies, outcome)
        hint = f"Point at an arrow to see the data of that {by} and both lines, with 89 % intervals."
        explorer = _explore.explorer(hint, {by: _explore.members(results, by)}, [view])
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
    parts = _units.values_by_group(results.data, varies, by)
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


def _arrow_data(frame: pd.DataFrame, sites: tuple[str, str]) -> dict[str, Any]:
    """Where arrows start and end, for the explorer."""
    arrows = {
        f"{end}_{axis}": _explore.rounded(frame[f"{end}_{site}"])
        for end in ("start", "end")
        for axis, site in zip(("x", "y"), sites, strict=True)
    }
    return {"arrows": arrows, "returns_prior": frame["returns_prior"].tolist()}


def _line_data(results, entries: tuple[str, str], sites: tuple[str, str], by: str, predictor: str) -> dict[str, Any]:
    """The line of each member in both entries, for the explorer: posterior means of intercept +
    slope times predictor.

    They have 89 % intervals, at each value of the predictor where it has few, else on a grid.
    """
    variable = results.data[predictor]
    values = np.unique(variable.values)
    grid = values if len(values) <= GRID else np.linspace(values.min(), values.max(), GRID)
    words = _style.meanings(variable) if "flag_meanings" in variable.attrs else {}
    ticks = {str(value): text.replace("_", " ") for value, text in words.items()}
    lines = [
        _explore.entry(results, name, by) | _heights(_summaries.sites(results, name), sites, by, grid)
        for name in entries
    ]
    shown = {"label": _style.quantity(variable), "grid": _explore.rounded(grid), "ticks": ticks}
    return {"predictor": shown, "entries": lines}


def _points(data: xr.Dataset, by: str, predictor: str, outcome: str) -> list[dict[str, list]]:
    """The data of each member, for the explorer."""
    across, up = (_units.values_by_group(data, name, by).values() for name in (predictor, outcome))
    return [{"x": _explore.rounded(x), "y": _explore.rounded(y)} for x, y in zip(across, up, strict=True)]


def _heights(posterior: Mapping[str, xr.DataArray], sites: tuple[str, str], by: str, grid: np.ndarray) -> dict:
    """mean, low and high of each member's line: a list of members, each a list over the grid."""
    intercept, slope = (posterior[site].transpose(by, *_summaries.SAMPLE) for site in sites)
    drawn = intercept + slope * xr.DataArray(grid, dims="grid")
    frames = [_explore.estimates(member) for member in drawn]
    return {name: [frame[name] for frame in frames] for name in ("mean", "low", "high")}
