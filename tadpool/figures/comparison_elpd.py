"""Predictive accuracy of the compared entries, and how far each is below the best."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tadpool.evaluation.comparison import TIE_DSE, TIE_ELPD, standing
from tadpool.figures import Drawn, NotDrawn, Standard, _style

STANDARD = Standard("comparison", "comparison", place=1)
CAPTION = (
    "Left: elpd with its standard error. Right: the difference from the best with its own standard error, which is what "
    f"decides. Models are about equal where it and two standard errors are below {TIE_ELPD:.0f}; otherwise a difference below "
    f"{TIE_DSE:.0f} standard errors is too close to call. " + "{doubt}"
)


def draw(results, *, comparison: str) -> Drawn:
    """comparison: its entries, best first; those without numbers come last and say so."""
    table = results.comparison(comparison)
    table = table.assign(
        label=[_style.label(results, name) for name in table["model"]],
        untrusted=table["doubtful"].fillna(0).astype(int) if "doubtful" in table else 0,
    )
    ranked = table[table["elpd"].notna()]
    if ranked.empty:
        raise NotDrawn("no compared entry has numbers")
    figure, ((elpd, difference),) = _style.panels(1, 2, height=1.0 + 0.36 * len(table), sharey=True)
    rows = np.arange(len(table))
    for axes, value, error in ((elpd, "elpd", "se"), (difference, "elpd_diff", "dse")):
        _points(axes, results, table, value, error)
    elpd.set_yticks(rows, table["label"])
    elpd.set_ylim(len(table) - 0.5, -0.5)
    elpd.set_xlabel("elpd (nats)")
    difference.axvline(0, color=_style.REFERENCE, linewidth=0.8, zorder=0)
    difference.set_xlabel("difference from the best (nats)")
    for row, (_, entry) in enumerate(table.iterrows()):
        place = {"xycoords": ("axes fraction", "data"), "ha": "left", "va": "center", "fontsize": 8}
        difference.annotate(_note(entry), (1, row), **place)
    doubt = _doubt(ranked)
    title, values = "Expected log predictive density", {"doubt": doubt, "best": ranked.iloc[0]["label"]}
    return Drawn(figure, table.drop(columns="label"), title, _alt(table, doubt), CAPTION, values)


def _note(row: pd.Series) -> str:
    if pd.isna(row["elpd"]):
        return "no numbers"
    return "best" if row["rank"] == 1 else _standing(row) if _is_tie(row) else ""


def _standing(row: pd.Series) -> str:
    return standing(row["elpd_diff"], row["dse"])


def _is_tie(row: pd.Series) -> bool:
    """A column with gaps comes back from CSV as text."""
    return str(row["tie"]) == "True"


def _points(axes: Axes, results, table: pd.DataFrame, value: str, error: str) -> None:
    for row, (_, entry) in enumerate(table.iterrows()):
        shade = _style.colour(results, entry["model"])
        face = "none" if entry["untrusted"] else shade
        axes.errorbar(entry[value], row, xerr=entry[error], fmt="o", color=shade, markerfacecolor=face, markersize=5)
    axes.locator_params(axis="x", nbins=5)


def _doubt(ranked: pd.DataFrame) -> str:
    doubtful = ranked[ranked["untrusted"] > 0]
    if doubtful.empty:
        return "Every unit was scored reliably."
    counted = ", ".join(
        f"{row['label']}: {row['untrusted']} of {int(row['n_units'])}" for _, row in doubtful.iterrows()
    )
    return f"Hollow: some scores are unreliable, by Pareto k or a refit whose chains disagree ({counted})."


def _alt(table: pd.DataFrame, doubt: str) -> str:
    sentences = []
    for _, row in table.iterrows():
        if pd.isna(row["elpd"]):
            sentences.append(f"{row['label']}: no numbers.")
            continue
        behind = (
            "" if row["rank"] == 1 else f", {-row['elpd_diff']:.1f} (standard error {row['dse']:.1f}) below the best"
        )
        tie = f", {_standing(row)}" if _is_tie(row) else ""
        sentences.append(f"{row['label']}: elpd {row['elpd']:.1f} (standard error {row['se']:.1f}){behind}{tie}.")
    return " ".join([*sentences, doubt])
