"""How far the priors and the data move each parameter of an entry."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from tadpool.evaluation import prior_only
from tadpool.figures import Drawn, NotDrawn, Standard, _style, _summaries

STANDARD = Standard("entry", "sensitivity", key="sensitivity")
MOST_VECTORS = 1000
LEAST = 1e-3
NAMED = 8
KINDS = {
    "none": ("o", _style.PALETTE[0], "neither"),
    "strong prior": ("s", _style.PALETTE[4], "strong prior or weak data"),
    "conflict": ("X", _style.PALETTE[1], "potential prior-data conflict"),
}
CAPTION = (
    "Right of the vertical line ({threshold}) a posterior is sensitive to its priors, above the horizontal line to the data. "
    "{sensitive} of {parameters} are sensitive to the priors; {largest} has the largest sensitivity "
    "({largest_prior:.2f}).{reliability}"
)


def draw(results, *, entry: str) -> Drawn:
    """A mark per parameter. Of the marked ones the most sensitive of each site is named; both axes
    are logarithmic."""
    tree = results.sensitivity(entry)
    if "sensitivity" not in tree.children:
        raise NotDrawn(f"{entry} has no sensitivities")
    found = tree["sensitivity"].to_dataset()
    threshold = float(found.attrs["sensitive"])
    numbers = found.to_dataframe().reset_index().dropna(subset=["prior", "likelihood"])
    numbers = numbers[~_left_out(results, entry, numbers)]
    if numbers.empty:
        raise NotDrawn(f"no parameter of {entry} has a sensitivity")
    first = ["parameter", "site", "prior", "likelihood", "diagnosis", "moved_by", "prior_sds"]
    numbers = numbers[[*first, "prior_pareto_k", "likelihood_pareto_k"]]
    figure, ((axes,),) = _style.panels(height=3.4)
    at = numbers[["prior", "likelihood"]].clip(lower=LEAST)
    for kind, (marker, shade, words) in KINDS.items():
        chosen = numbers["diagnosis"] == kind
        look = {"color": shade, "linestyle": "none", "markersize": 5, "rasterized": len(at) > MOST_VECTORS}
        if chosen.any():
            axes.plot(*at[chosen].to_numpy().T, marker, label=f"{words}: {chosen.sum()}", **look)
    axes.axvline(threshold, color=_style.REFERENCE, linestyle="dashed")
    axes.axhline(threshold, color=_style.REFERENCE, linestyle="dashed")
    axes.set(xscale="log", yscale="log", xlabel="sensitivity to the priors", ylabel="sensitivity to the data")
    for limits, column in ((axes.set_xlim, "prior"), (axes.set_ylim, "likelihood")):
        limits(0.6 * min(at[column].min(), 0.02), 1.6 * max(at[column].max(), 0.2))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    _name(axes, numbers, at)
    _style.legend_above(figure, axes)
    values = _values(numbers, threshold, float(found.attrs["good_k"]))
    return Drawn(
        figure, numbers, f"Prior sensitivity of {_style.label(results, entry)}", _alt(numbers, values), CAPTION, values
    )


def _alt(numbers: pd.DataFrame, values: dict) -> str:
    first = (
        f"Sensitivity of {len(numbers)} parameters to priors and data; {values['sensitive']} are above {values['threshold']} "
        "for the priors"
    )
    named = "; ".join(
        f"{row['parameter']}: priors {row['prior']:.2f}, data {row['likelihood']:.2f}, {KINDS[row['diagnosis']][2]}"
        for _, row in _chosen(numbers).iterrows()
    )
    return f"{first}. {named or 'The largest is {largest_prior:.3f} ({largest})'.format(**values)}."


def _chosen(numbers: pd.DataFrame) -> pd.DataFrame:
    """The parameters that are named: of each site the one that the priors move most, the most
    sensitive sites first."""
    marked = numbers[numbers["diagnosis"] != "none"].sort_values("prior", ascending=False, kind="stable")
    return marked.drop_duplicates("site").head(NAMED)


def _name(axes: Axes, numbers: pd.DataFrame, at: pd.DataFrame) -> None:
    """Names right of the panel, in the order of their marks from the bottom up, each with a line to
    its mark."""
    chosen = at.loc[_chosen(numbers).index].sort_values(["likelihood", "prior"], kind="stable")
    low, high = np.log10(axes.get_ylim())
    wanted = (np.log10(chosen["likelihood"].to_numpy()) - low) / (high - low)
    step, heights = 0.075, []
    for height in wanted:
        heights.append(max(height, heights[-1] + step) if heights else height)
    excess = max(0.0, heights[-1] - 1.0) if heights else 0.0
    for row, height in zip(chosen.index, heights, strict=True):
        axes.annotate(
            str(numbers.loc[row, "parameter"]),
            xy=chosen.loc[row].to_numpy(),
            xytext=(1.02, height - excess),
            textcoords="axes fraction",
            fontsize=8,
            va="center",
            arrowprops={"arrowstyle": "-", "color": _style.REFERENCE, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 2},
        )


def _left_out(results, entry: str, numbers: pd.DataFrame) -> pd.Series:
    """Parameters that return their prior, and those of separate fits that failed."""
    model = results.config["models"][entry]
    points = results.check(entry).get("points", []) if model.get("by") else []
    failed = [str(point[model["by"]]) for point in points if point["verdict"] == "fail"]
    silent = prior_only.elements(model.get("returns_prior") or {}, results.data, _summaries.sites(results, entry))
    names = [name for own in silent.values() for name in own]
    of_failed = numbers["member"].isin(failed) if failed else False
    return numbers["parameter"].isin(names) | of_failed


def _values(numbers: pd.DataFrame, threshold: float, good_k: float) -> dict:
    largest = numbers.loc[numbers["prior"].idxmax()]
    unreliable = int((numbers[["prior_pareto_k", "likelihood_pareto_k"]].max(axis=1) > good_k).sum())
    return {
        "threshold": threshold,
        "parameters": len(numbers),
        "sensitive": int((numbers["prior"] >= threshold).sum()),
        "largest": largest["parameter"],
        "largest_prior": float(largest["prior"]),
        "unreliable": unreliable,
        "reliability": f" Importance sampling is unreliable for {unreliable} of them." if unreliable else "",
    }
