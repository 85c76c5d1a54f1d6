"""One answer of a study: its quantities in order, or the one that it has in every model."""

import pandas as pd

from tadpool.figures import Drawn, NotDrawn, _style

MOST_LABELLED = 60
LABELLED_ROW, BARE_ROW = 0.17, 0.06
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
    many = len(names) > MOST_LABELLED
    place = {name: at for at, name in enumerate(names)}
    entries = list(dict.fromkeys(shown["model"]))
    height = 0.75 + len(names) * (BARE_ROW if many else LABELLED_ROW * (1 + 0.25 * (len(entries) - 1)))
    figure, axes = _style.panels(height=max(height, 1.4))
    panel = axes[0, 0]
    for number, entry in enumerate(entries):
        part = shown[shown["model"] == entry]
        apart = 0.0 if len(names) == len(shown) else (number - (len(entries) - 1) / 2) * 0.3
        frame = part.assign(median=part["value"], eti50_low=part["value"], eti50_high=part["value"])
        at = part["row"].map(place).to_numpy(float) + apart
        size = 2.0 if many else 4.0
        name = _style.label(results, entry)
        _style.intervals(panel, at, frame, color=_style.colour(results, entry), label=name, markersize=size)
    for line in {value for value in (first["line"], first["truth"]) if value == value}:
        panel.axvline(line, color=_style.REFERENCE, linewidth=0.8, linestyle="dotted", zorder=0)
    panel.set_yticks([] if many else range(len(names)), [] if many else map(_style.wrapped, names))
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.set_xlabel(label)
    if len(entries) > 1 and len(names) != len(shown):
        _style.legend_above(figure, panel)
    numbers = shown[["answer", "quantity", "model", "is", "value", "eti89_low", "eti89_high", "mcse"]]
    low, high = shown.loc[shown["value"].idxmin()], shown.loc[shown["value"].idxmax()]
    alt = (
        f"{label}: {len(shown)} values with 89 % intervals, from {low['value']:.3g} ({low['row']}) to "
        f"{high['value']:.3g} ({high['row']})."
    )
    return Drawn(figure, numbers, label, alt, CAPTION.format(what=f"{first['is']}s"))
