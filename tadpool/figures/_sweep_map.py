"""The elpd of a sweep over two things as a map, with the points that are tied with the best one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from scipy.stats import gaussian_kde

from tadpool import sweep_axes
from tadpool.evaluation import sweep_scores
from tadpool.figures import Drawn, _style, _summaries

BELOW = 30.0
"""Nats below the best where the colours end: what is further off is only known to be bad."""
MASSES = (0.5, 0.89)
DRAWS = 1000
GRID = 60
COLOURS = "Blues"
LARGEST = 2500
# Dark on the light cells in both colour schemes of the page, so not the black that follows the
# text.
INK = "#10203a"
CAPTION = (
    "The best point is {best}; the points with a dot are about equal to it, or too close to call ("
    + sweep_scores.TIE
    + "). Colours end {below:.0f} nats below the best. {overlay}{doubt}"
)
APART = "Each point has its own simulated data, so none is best; colours are the elpd. {doubt}"


def draw(results, chosen: Mapping[str, Any], numbers: pd.DataFrame) -> Drawn:
    """chosen: the sweep as the study has it. numbers: see `sweep_scores.table`."""
    first, second = names = sweep_axes.axes(chosen["over"])
    compared = sweep_axes.compared(chosen["over"])
    figure, panels = _style.panels(1, 1, height=4.4)
    axes = panels[0, 0]
    for name, axis in ((first, "x"), (second, "y")):
        if name in sweep_axes.logarithmic(chosen):
            _style.logarithmic(axes, axis)
    usable = numbers[~numbers["failed"]]
    below = min(BELOW, float(usable["elpd"].max() - usable["elpd"].min())) or 1.0
    scale = Normalize(usable["elpd"].max() - below, usable["elpd"].max() + 0.6 * below)  # pale enough for the marks
    colours = _paint(axes, numbers, names, scale)
    _mark(axes, numbers, names, compared)
    overlay = _draw_overlay(axes, results, chosen["overlay"]) if compared else ""
    bar = figure.colorbar(colours, ax=axes, label="elpd (nats)", extend="min")
    bar.ax.set_ylim(scale.vmin, usable["elpd"].max())
    bar.outline.set_visible(False)
    axes.set(xlabel=f"{first} (fixed)", ylabel=f"{second} (fixed)")
    _style.legend_above(figure, axes)
    best = numbers[numbers["best"]].iloc[0]
    words = ", ".join(f"{name} = {best[name]:.3g}" for name in names)
    values = {"best": words, "elpd": best["elpd"], "below": below, "overlay": overlay, "doubt": _doubt(numbers)}
    words = _alt(numbers, names) if compared else "the data differ from point to point."
    alt = f"elpd over {first} and {second}: {words} {overlay}{values['doubt']}"
    return Drawn(
        figure, numbers, f"elpd over {first} and {second}", alt.strip(), CAPTION if compared else APART, values
    )


def _alt(numbers: pd.DataFrame, names: list[str]) -> str:
    best, ties = numbers[numbers["best"]].iloc[0], numbers[numbers["tie"]]
    at = ", ".join(f"{name} = {best[name]:.3g}" for name in names)
    region = " and ".join(f"{name} from {ties[name].min():.3g} to {ties[name].max():.3g}" for name in names)
    return (
        f"best {best['elpd']:.1f} (standard error {best['se']:.1f}) at {at}; {len(ties)} of {len(numbers)} points "
        f"are about equal to it, or too close to call, with {region}."
    )


def _paint(axes: Axes, numbers: pd.DataFrame, names: list[str], scale: Normalize):
    """Cells where the points are a whole grid, else dots."""
    grid = numbers.pivot(index=names[1], columns=names[0], values="elpd")
    failed = numbers.pivot(index=names[1], columns=names[0], values="failed").reindex_like(grid)
    look = {"norm": scale, "cmap": COLOURS}
    if grid.size != len(numbers) or min(grid.shape) < 2:
        shown = numbers[~numbers["failed"]]
        return axes.scatter(shown[names[0]], shown[names[1]], c=shown["elpd"], s=220, **look)
    values = np.ma.masked_invalid(grid.where(failed == False).to_numpy(float))  # noqa: E712 (missing cells are neither)
    edges = [
        _edges(grid.columns.to_numpy(float), axes.get_xscale() == "log"),
        _edges(grid.index.to_numpy(float), axes.get_yscale() == "log"),
    ]
    return axes.pcolormesh(*edges, values, edgecolors="none", rasterized=grid.size > LARGEST, **look)


def _edges(centres: np.ndarray, logarithmic: bool) -> np.ndarray:
    at = np.log(centres) if logarithmic else centres
    middle = (at[:-1] + at[1:]) / 2
    edges = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return np.exp(edges) if logarithmic else edges


def _mark(axes: Axes, numbers: pd.DataFrame, names: list[str], compared: bool) -> None:
    marks = [(numbers["failed"], "x", _style.REFERENCE, "a fit that failed", 5.0)]
    if compared:
        marks += [
            (numbers["tie"] & ~numbers["best"], ".", INK, "tied with the best", 4.0),
            (numbers["best"], "*", INK, "best", 10.0),
        ]
    marks.append(((numbers["untrusted"] > 0) & ~numbers["failed"], "o", INK, "unreliable for some units", 9.0))
    for chosen, marker, colour, text, size in marks:
        if chosen.any():
            at = numbers.loc[chosen, names].to_numpy().T
            look = {"markerfacecolor": "none" if marker == "o" else colour, "markeredgewidth": 0.8, "markersize": size}
            axes.plot(*at, marker, color=colour, label=text, **look)


def _draw_overlay(axes: Axes, results, overlay: Mapping[str, Any] | None) -> str:
    """The posterior of two sites as the regions of highest density; in words, or "" where there is
    none."""
    if overlay is None or not results.usable(overlay["entry"]):
        return ""
    sites, label = _summaries.sites(results, overlay["entry"]), _style.label(results, overlay["entry"])
    draws = np.stack([_summaries.draws(sites[site]).ravel() for site in overlay["site"]])
    kept = np.linspace(0, draws.shape[1] - 1, min(DRAWS, draws.shape[1])).astype(int)
    logs = np.array([axes.get_xscale() == "log", axes.get_yscale() == "log"])[:, None]
    draws = draws[:, kept]
    if (draws[logs[:, 0]] <= 0).any():
        return ""
    at = np.where(logs, np.log(np.where(logs, draws, 1.0)), draws)
    density = gaussian_kde(at)
    limits = [axes.get_xlim(), axes.get_ylim()]
    lines = [np.linspace(low, high, GRID) for low, high in zip(at.min(axis=1), at.max(axis=1), strict=True)]
    heights = density(np.stack([axis.ravel() for axis in np.meshgrid(*lines)])).reshape(GRID, GRID)
    levels = np.quantile(density(at), [1 - mass for mass in reversed(MASSES)])
    shown = [np.exp(line) if log else line for line, log in zip(lines, logs[:, 0], strict=True)]
    shade = _style.PALETTE[1]
    axes.contour(*shown, heights, levels=levels, colors=shade, linewidths=[0.9, 1.8])
    axes.plot([], [], color=shade, label=f"{label}: 50 % and 89 % of its posterior")
    axes.set(xlim=limits[0], ylim=limits[1])
    return f"The lines hold 50 % and 89 % of the posterior of {' and '.join(overlay['site'])} in {label}. "


def _doubt(numbers: pd.DataFrame) -> str:
    most = int(numbers["untrusted"].max())
    if not most:
        return "Every unit was scored reliably."
    return f"Ringed: scores of some units are unreliable there (up to {most} of {numbers['n_units'].iloc[0]})."
