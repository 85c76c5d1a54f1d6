"""Intervals of parameters, of one entry or of several side by side."""

from collections.abc import Sequence

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tadpool.figures import Drawn, NotDrawn, Standard, _style, _summaries

STANDARD = Standard("entry", "posterior", place=1)
MOST_LABELLED = 60
MOST_COLUMNS = 3
LABELLED_ROW, BARE_ROW, MOST_BARE = 0.15, 0.03, 4.5
CAPTION = "Medians with 50 % (thick) and 89 % (thin) equal-tailed intervals."


def draw(
    results,
    *,
    entry: str | None = None,
    entries: list[str] | None = None,
    sites: list[str] | None = None,
    group: str = "posterior",
    together: bool = False,
    label: str = "",
) -> Drawn:
    """sites: by default all that were sampled. group: posterior or prior.

    together: all sites in one panel on one axis, named `label`.
    """
    names = entries or [entry] if group == "prior" else _summaries.usable(results, entries or [entry])
    found = {name: _summaries.sites(results, name, group) for name in names}
    wanted = sites or list(dict.fromkeys(site for name in names for site in _summaries.latents(found[name])))
    shown = [site for site in wanted if any(site in dataset for dataset in found.values())]
    if not shown:
        raise NotDrawn(f"no entry has {', '.join(wanted)}")
    frames = [
        _summaries.site_summary(found[name][site]).assign(entry=name)
        for site in shown
        for name in names
        if site in found[name]
    ]
    numbers = pd.concat(frames, ignore_index=True)
    numbers["returns_prior"] = numbers["parameter"].isin(_summaries.without_truth(results))
    if together:
        scalars, arrays = numbers.iloc[:0], {label: numbers.assign(row=_rows(numbers, "parameter").map(results.named))}
    else:
        alone = numbers["element"] == ""
        scalars = numbers[alone].assign(row=numbers["site"][alone].map(results.named))
        arrays = {
            site: part.assign(row=_rows(part, "element")) for site, part in numbers[~alone].groupby("site", sort=False)
        }
    axis_names = {site: _axis_name(found, site) for site in shown}
    figure = _arranged(results, names, scalars, arrays, axis_names)
    title = f"{group.capitalize()} of {', '.join(_style.label(results, name) for name in names)}"
    return Drawn(figure, numbers, title, _alt(results, numbers), CAPTION)


def _rows(numbers: pd.DataFrame, column: str) -> pd.Series:
    """Names of rows; they say of which parameter the data say nothing."""
    return numbers[column].where(~numbers["returns_prior"], numbers[column] + "\n(returns its prior)")


def _axis_name(found: dict[str, xr.Dataset], site: str) -> str:
    """What the rows of an array are, e.g. tank; "" for a scalar and for dims without a name of
    their own."""
    variable = max((dataset[site] for dataset in found.values() if site in dataset), key=lambda each: each.ndim)
    return ", ".join(
        _style.quantity(variable[dim]) if dim in variable.coords else dim
        for dim in _summaries.dims(variable)
        if "_dim_" not in dim
    )


def _arranged(
    results, names: Sequence[str], scalars: pd.DataFrame, arrays: dict[str, pd.DataFrame], axis_names: dict[str, str]
) -> Figure:
    """Scalars above, on one axis; arrays below, a panel each."""
    columns = min(MOST_COLUMNS, max(1, len(arrays))) if len(arrays) != MOST_COLUMNS + 1 else 2
    rows = [list(arrays.items())[start : start + columns] for start in range(0, len(arrays), columns)]
    heights = [] if scalars.empty else [_height(scalars, names)]
    heights += [max(_height(block, names) for _, block in row) for row in rows]
    figure = Figure(figsize=(_style.WIDTH, 0.75 + sum(heights) + 0.35 * len(heights)), layout="constrained")
    grid = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    if not scalars.empty:
        axes = figure.add_subplot(grid[0, :])
        _panel(axes, results, names, scalars)
        axes.set_xlabel("value")
    for number, row in enumerate(rows, start=len(heights) - len(rows)):
        for column, (site, block) in enumerate(row):
            axes = figure.add_subplot(grid[number, column])
            _panel(axes, results, names, block)
            axes.set_xlabel(_style.wrapped(results.named(site)) if site else "value")
            axes.set_ylabel(axis_names.get(site, ""))
    if len(names) > 1:
        handles = {}
        for axes in reversed(figure.axes):
            handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(handles.values(), handles, loc="outside upper left", ncols=4)
    return figure


def _height(block: pd.DataFrame, names: Sequence[str]) -> float:
    rows = block["row"].nunique()
    if rows > MOST_LABELLED:
        return min(MOST_BARE, rows * BARE_ROW * (1 + 0.35 * (len(names) - 1)))
    lines = sum(len(_style.wrapped(row).splitlines()) for row in block["row"].unique())
    return max(0.5, lines * LABELLED_ROW * (1 + 0.25 * (len(names) - 1)))


def _panel(axes: Axes, results, names: Sequence[str], block: pd.DataFrame) -> None:
    """One row per parameter, entries within it; many rows are ordered by their medians and not
    labelled."""
    rows = list(dict.fromkeys(block["row"]))
    many = len(rows) > MOST_LABELLED
    if many:
        rows = list(block.groupby("row", sort=False)["median"].mean().sort_values(kind="stable").index)
    position = {row: i for i, row in enumerate(rows)}
    # Entries stand beside each other within a row, in the middle of it where some have no such
    # parameter.
    count, place = block.groupby("row")["entry"].transform("size"), block.groupby("row").cumcount()
    offsets = (place - (count - 1) / 2) * (0.56 / max(1, len(names) - 1))
    for name in names:
        part = block[block["entry"] == name]
        at = part["row"].map(position).to_numpy(float) + offsets[part.index].to_numpy()
        look = {"markersize": 1.0, "weight": 0.35} if many else {"markersize": 3.5}
        _style.intervals(axes, at, part, color=_style.colour(results, name), label=_style.label(results, name), **look)
    axes.set_yticks([] if many else range(len(rows)), [] if many else map(_style.wrapped, rows))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    if block["eti89_low"].min() < 0 < block["eti89_high"].max():
        axes.axvline(0, color=_style.REFERENCE, linewidth=0.8, zorder=0)


def _alt(results, numbers: pd.DataFrame) -> str:
    """Every scalar and the range of every array, by entry."""
    sentences = []
    for (site, entry), part in numbers.groupby(["site", "entry"], sort=False):
        name = f"{site} of {_style.label(results, entry)}"
        if len(part) == 1:
            sentences.append(f"{name}: {_summaries.in_words(part.iloc[0])}.")
        else:
            low, high = part.loc[part["median"].idxmin()], part.loc[part["median"].idxmax()]
            sentences.append(
                f"{name}: {len(part)} medians from {low['median']:.3g} ({low['element']}) to {high['median']:.3g} "
                f"({high['element']})."
            )
    return " ".join(sentences)
