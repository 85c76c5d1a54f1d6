"""How all figures look: type, colours, labels, intervals."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

# Okabe & Ito (2008), without black (observed data) and yellow (too pale on white); told apart with
# any colour vision.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
OBSERVED = "#000000"
# Halfway between black and white: as legible on a dark page as on a light one.
REFERENCE = "#808080"
FAILED = " (failed)"
# Units of an ordered variable that is stored from 0: its levels are shown from 1, as people
# answered.
STEPS = "steps above the lowest"
WIDTH = 7.0
LETTERS = 32
# Inches of a letter of a label: in narrow text, and on average in wide text.
NARROW_LETTER, WIDE_LETTER = 0.055, 0.08

STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # above the axes: else its place is looked for again and again
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.formatter.useoffset": False,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.dpi": 150,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "svg.fonttype": "path",
    "text.parse_math": False,  # names and labels are shown letter by letter, dollars too
}


@contextmanager
def figure_style(salt: str) -> Iterator[None]:
    """The style, whatever matplotlibrc the machine has; salt makes the ids inside an SVG its own
    and reproducible."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**STYLE, "svg.hashsalt": salt})
        yield


def panels(
    rows: int = 1, columns: int = 1, *, height: float, width: float = WIDTH, **options
) -> tuple[Figure, np.ndarray]:
    """A figure of `width` x `height` inches and its axes (rows, columns); options go to
    `Figure.subplots`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def logarithmic(axes: Axes, axis: str) -> None:
    """Make the x or y axis logarithmic, with ticks that need no formulas (`text.parse_math`)."""
    axes.set(**{f"{axis}scale": "log"})
    getattr(axes, f"{axis}axis").set_major_formatter(LogFormatter())
    getattr(axes, f"{axis}axis").set_minor_formatter(LogFormatter(labelOnlyBase=True))


def wrapped(label: str) -> str:
    """A label in lines of at most `LETTERS` letters, broken between words where possible, so that
    it leaves room for the panel beside it."""
    return "\n".join(line for own in label.splitlines() for line in textwrap.wrap(own, LETTERS))


def colour(results, entry: str) -> str:
    """The entry's colour, the same in all figures of a study."""
    return PALETTE[results.entries.index(entry) % len(PALETTE)]


def label(results, entry: str) -> str:
    """The entry's name; it says so where the entry's check is `fail`, and of separate fits how many
    failed."""
    check = results.check(entry)
    if check["verdict"] != "fail":
        return results.label(entry)
    points = check.get("points", []) if results.config["models"][entry].get("by") else []
    failed = sum(point["verdict"] == "fail" for point in points)
    return results.label(entry) + (f" ({failed} failed)" if failed else FAILED)


def first_level(variable: xr.DataArray) -> int:
    """What the value 0 is shown as: 1 for levels of an ordered variable (units: steps above the
    lowest), 0 for all others."""
    return int(variable.attrs.get("units") == STEPS)


def quantity(variable: xr.DataArray) -> str:
    """An axis label from a variable's attributes: long_name and units."""
    name = variable.attrs.get("long_name", str(variable.name).replace("_", " "))
    if first_level(variable):
        return f"{name} (level, 1 is the lowest)"
    return f"{name} ({variable.attrs['units']})" if variable.attrs.get("units") else name


def wrap_labels(figure: Figure) -> None:
    """Break labels of axes into lines that are longer than their axis, and would be cut off."""
    for axes in figure.axes:
        inches = axes.get_position().size * figure.get_size_inches()
        for axis, length in zip((axes.xaxis, axes.yaxis), inches, strict=True):
            text = axis.label.get_text()
            if len(text) * NARROW_LETTER > length:
                axis.label.set_text(textwrap.fill(text, max(int(length / WIDE_LETTER), 10)))


def lay_out(figure: Figure) -> None:
    """Place everything for an SVG, which `savefig` would do by drawing the figure once more."""
    FigureCanvasSVG(figure)
    figure.dpi = 72
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if not axis.label.get_text():
            axis.set_label_coords(0, 0)  # or it is kept clear of tick labels, which takes long
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")


def meanings(variable: xr.DataArray) -> dict[int | str, str]:
    """The distinct values of a variable, each with what it means (flag_meanings) or its own
    text."""
    values = np.unique(variable.values).tolist()
    names = dict(
        zip(
            np.ravel(variable.attrs.get("flag_values", [])).tolist(),
            variable.attrs.get("flag_meanings", "").split(),
            strict=False,
        )
    )
    return {value: names.get(value, str(value)) for value in values}


def intervals(
    axes: Axes,
    positions: Sequence[float],
    frame: pd.DataFrame,
    *,
    upright: bool = False,
    weight: float = 1.0,
    **options,
) -> None:
    """The one way to draw intervals: 89 % thin, 50 % thick, median as a dot.

    frame: columns of `tadpool.figures._summaries`. upright: intervals along y, positions on x.
    weight: thickness of the lines. options: color, label, marker.
    """
    lines = axes.vlines if upright else axes.hlines
    chosen = {"color": options.get("color", OBSERVED)}
    lines(positions, frame["eti89_low"], frame["eti89_high"], linewidth=0.9 * weight, **chosen)
    lines(positions, frame["eti50_low"], frame["eti50_high"], linewidth=2.6 * weight, **chosen)
    points = (positions, frame["median"]) if upright else (frame["median"], positions)
    axes.plot(*points, linestyle="none", **{"marker": "o", "markersize": 4.5, **chosen, **options})


def legend_above(figure: Figure, axes: Axes, columns: int = 4) -> None:
    """The legend of `axes` above the whole figure, where it can hide nothing."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper left", ncols=columns, columnspacing=1.4, handletextpad=0.5)
