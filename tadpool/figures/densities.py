"""Densities of chosen sites, prior or posterior, of one or several entries."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tadpool.errors import UserError
from tadpool.figures import Drawn, NotDrawn, _style, _summaries

GROUPS = ("posterior", "prior")


def draw(results, *, panels: list[Mapping[str, Any]], columns: int = 3) -> Drawn:
    """panels: `{curves, label, reference}` each; reference: a number to mark, or `truth` for
    the value that the data of a simulated study were made with.

    curves: `{entry, site, group, label}` each; group: posterior (default, a full line) or prior
    (dashed). Elements of an array make one curve together.
    """
    kept = [(panel, [curve for curve in panel["curves"] if _drawable(results, curve)]) for panel in panels]
    kept = [(panel, curves) for panel, curves in kept if curves]
    if not kept:
        raise NotDrawn("no fit that this figure shows has numbers")
    columns = min(columns, len(kept))
    rows = -(-len(kept) // columns)
    figure, axes = _style.panels(rows, columns, height=0.6 + 2.1 * rows, width=_style.WIDTH if columns > 1 else 5.0)
    frames = []
    for axis, (panel, curves) in zip(axes.flat, kept, strict=False):
        for position, curve in enumerate(curves):
            frame = _curve(results, axis, curve, -0.09 * (position + 1), several=len(curves) > 1)
            frames.append(frame.assign(panel=panel.get("label", curve["site"])))
        axis.set_xlabel(panel.get("label", curves[0]["site"]))
        axis.set_yticks([])
        axis.axhline(0, color=_style.REFERENCE, linewidth=0.6)
        if "reference" in panel:
            at = _mark(results, axis, panel["reference"], curves[0]["site"])
            frames[-len(curves) :] = [frame.assign(reference=at) for frame in frames[-len(curves) :]]
    _draw_legends(figure, axes.flat[: len(kept)])
    for axis in axes.flat[len(kept) :]:
        axis.set_visible(False)
    for first in axes[:, 0]:
        first.set_ylabel("density (scaled)")
    numbers = pd.concat(frames, ignore_index=True)
    title = "Densities of " + ", ".join(dict.fromkeys(frame["panel"].iloc[0] for frame in frames))
    return Drawn(figure, numbers, title, *_described(numbers))


def _mark(results, axes: Axes, reference: float | str, site: str) -> float:
    """Draw the reference; `truth` stands for the site's true value. Raises UserError where there is
    no such single value."""
    at, name = reference, "reference"
    if reference == "truth":
        truth = results.truth
        if truth is None or site not in truth or truth[site].size != 1:
            known = ", ".join(str(each) for each in truth if truth[each].size == 1) if truth is not None else ""
            raise UserError(f"figures: reference: {site} has no single true value; {known or 'no site'} has one")
        at, name = float(truth[site]), "truth"
    axes.axvline(at, color=_style.OBSERVED, linestyle="dotted", label=name)
    return float(at)


def _draw_legends(figure: Figure, axes: Iterable[Axes]) -> None:
    """One above the figure where all panels hold the same curves, else one above each panel."""
    names = [axis.get_legend_handles_labels()[1] for axis in axes]
    if len(names) > 1 and all(each == names[0] for each in names):
        _style.legend_above(figure, axes[0])
        return
    for axis, each in zip(axes, names, strict=True):
        if each:
            axis.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)


def _drawable(results, curve: Mapping[str, Any]) -> bool:
    return curve.get("group") == "prior" or results.usable(curve["entry"])


def _curve(results, axes: Axes, curve: Mapping[str, Any], foot: float, several: bool) -> pd.DataFrame:
    """Draw one density, scaled to height 1 so that narrow and wide ones can be compared, its
    interval below it."""
    group = curve.get("group", "posterior")
    values = _one_per_draw(_summaries.draws(_summaries.sites(results, curve["entry"], group)[curve["site"]]))
    grid, height = _summaries.density(values)
    height = height / height.max()
    prior = group == "prior"
    name = curve.get("label") or _style.label(results, curve["entry"]) + (", prior" if prior else "")
    shade = _style.colour(results, curve["entry"])
    summary = _summaries.summary(values[None])
    if not prior:
        axes.fill_between(grid, height, color=shade, alpha=0.2, linewidth=0)
    axes.plot(grid, height, color=shade, linestyle="dashed" if prior else "solid", label=name if several else None)
    _style.intervals(axes, [foot], summary, color=shade, markersize=3.5, markerfacecolor="none" if prior else shade)
    frame = pd.DataFrame(
        {
            "entry": curve["entry"],
            "site": curve["site"],
            "group": group,
            "curve": name,
            "value": grid,
            "density": height,
        }
    )
    return frame.assign(**summary.iloc[0].to_dict(), share_above_zero=float(np.mean(values > 0)))


def _one_per_draw(values: np.ndarray) -> np.ndarray:
    """One element of each draw in turn, of values (elements, draws): elements of one draw depend on
    each other."""
    draws = np.arange(values.shape[1])
    return values[draws % len(values), draws]


def _described(numbers: pd.DataFrame) -> tuple[str, str, dict[str, float]]:
    """Alt text, no caption, and values: `<entry>_<site>_median` and so on of each posterior."""
    sentences, values = [], {}
    for (panel, curve), part in numbers.groupby(["panel", "curve"], sort=False):
        row = part.iloc[0]
        marked = f"; reference at {row['reference']:.3g}" if pd.notna(row.get("reference")) else ""
        sentences.append(f"{panel}, {curve}: {_summaries.in_words(row)}{marked}.")
        if row["group"] == "posterior":
            names = ("mean", "median", "eti89_low", "eti89_high", "share_above_zero")
            values |= {f"{row['entry']}_{row['site']}_{name}": float(row[name]) for name in names}
    return " ".join(sentences), "", values
