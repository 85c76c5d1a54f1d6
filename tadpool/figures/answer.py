"""One answer of a study: its quantities in order, or the one that it has in every model."""

import math

import pandas as pd
from matplotlib.axes import Axes

from tadpool.figures import Drawn, NotDrawn, _style

MOST_ROWS, MOST_COLUMNS = 48, 3
"""Rows of a column, and columns, of names."""
ROW, DENSE_ROW, BARE_ROW = 0.17, 0.12, 0.06
CAPTION = "Points are {what} with 89 % intervals."


def draw(results, *, answer: str, label: str = "", models: list[str] | None = None) -> Drawn:
    """answer: its name in the study. label: of the axis. models: entries beside its own, by default
    all that have it where it is one quantity, and none where it is several."""
    tree = results.answers()
    if "answers" not in tree.children:
        raise NotDrawn("the study has no answers")
    rows = tree["answers"].to_dataset().to_dataframe().reset_index(drop=True)
    rows = rows[(rows["answer"] == answer) & rows["value"].notna() & (rows["is"] != "probability")]
    own = rows[rows["role"] == "own"]
    if own.empty:
        raise NotDrawn(f"{answer} has no values with intervals")
    single = len(own) == 1
    wanted = rows["model"].isin(models) if models is not None else single
    shown = rows[(rows["role"] == "own") | wanted]
    shown = shown.assign(row=shown["model"].map(results.label) if single else shown["quantity"])
    order = own.sort_values("value", ascending=False, kind="stable")["quantity"]
    names = list(shown["row"]) if single else list(order)
    return _drawn(results, shown, names, label or answer.replace("_", " "), own.iloc[0])


def _drawn(results, shown: pd.DataFrame, names: list[str], label: str, first: pd.Series) -> Drawn:
    """Where there are many rows, in columns beside each other; where there are too many for names,
    in one."""
    entries, several = list(dict.fromkeys(shown["model"])), len(names) != len(shown)
    bare = len(names) > MOST_COLUMNS * MOST_ROWS
    columns = 1 if bare else math.ceil(len(names) / MOST_ROWS)
    length = math.ceil(len(names) / columns)
    height = 0.75 + length * (BARE_ROW if bare else ROW if columns == 1 else DENSE_ROW) * (
        1 + 0.25 * (len(entries) - 1)
    )
    figure, axes = _style.panels(1, columns, height=max(height, 1.4), sharex=True)
    for panel, start in zip(axes[0], range(0, len(names), length), strict=True):
        part = names[start : start + length]
        _panel(
            panel, results, shown[shown["row"].isin(part)], part, several, 2.0 if bare else 3.0 if columns > 1 else 4.0
        )
        for line in {value for value in (first["line"], first["truth"]) if value == value}:
            panel.axvline(line, color=_style.REFERENCE, linewidth=0.8, linestyle="dotted", zorder=0)
        panel.set_yticks([] if bare else range(len(part)), [] if bare else map(_style.wrapped, part))
        panel.tick_params(axis="y", labelsize=7 if columns > 1 else None)
        panel.set_ylim(length - 0.4, -0.6)
    figure.supxlabel(label, fontsize=9)
    if len(entries) > 1 and several:
        _style.legend_above(figure, axes[0, 0])
    numbers = shown[["answer", "quantity", "model", "is", "value", "eti89_low", "eti89_high", "mcse"]]
    low, high = shown.loc[shown["value"].idxmin()], shown.loc[shown["value"].idxmax()]
    alt = (
        f"{label}: {len(shown)} values with 89 % intervals, from {low['value']:.3g} ({low['row']}) to "
        f"{high['value']:.3g} ({high['row']})."
    )
    return Drawn(figure, numbers, label, alt, CAPTION.format(what=f"{first['is']}s"))


def _panel(panel: Axes, results, shown: pd.DataFrame, names: list[str], several: bool, size: float) -> None:
    """Rows of these names, with the entries beside each other where a row has several."""
    entries = list(dict.fromkeys(shown["model"]))
    for number, entry in enumerate(entries):
        part = shown[shown["model"] == entry]
        apart = (number - (len(entries) - 1) / 2) * 0.3 if several else 0.0
        frame = part.assign(median=part["value"], eti50_low=part["value"], eti50_high=part["value"])
        at = part["row"].map(names.index).to_numpy(float) + apart
        name = _style.label(results, entry)
        _style.intervals(panel, at, frame, color=_style.colour(results, entry), label=name, markersize=size)
