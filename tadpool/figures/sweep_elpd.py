"""Predictive accuracy over the points of a sweep, with the posterior of what is swept."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tadpool import sweep_axes
from tadpool.evaluation import sweep_scores
from tadpool.figures import Drawn, NotDrawn, Standard, _explore, _style, _summaries, _sweep_map
from tadpool.formatting import general, number

STANDARD = Standard("sweep", "sweep")
STANDARD_ERRORS_SHOWN = 8
CAPTION = (
    "The best value of {over} is {best:.4g}; values marked along the foot of the curve are about equal to it, or too close "
    "to call (" + sweep_scores.TIE + "). {overlay}{doubt}"
)
APART = "Each value of {over} has its own simulated data, so no value is best. {doubt}"


def draw(results, *, sweep: str) -> Drawn:
    """sweep: its elpd at every point, a curve or a map, with the posterior that its `overlay` names
    on the same axes."""
    chosen = results.config["sweeps"][sweep]
    tree = results.sweep_loo(sweep)
    if "loo" not in tree.children:
        raise NotDrawn(f"the sweep {sweep} has no leave-one-out results")
    points = results.sweep_check(sweep)["points"]
    numbers = sweep_scores.table(tree["loo"].to_dataset(), chosen["over"], points)
    if numbers["failed"].all():
        raise NotDrawn(f"all points of the sweep {sweep} failed")
    if len(sweep_axes.axes(chosen["over"])) > 1:
        return _sweep_map.draw(results, chosen, numbers)
    return _curve(results, sweep, chosen, numbers)


def _curve(results, sweep: str, chosen: dict, numbers: pd.DataFrame) -> Drawn:
    over, compared = chosen["over"], sweep_axes.compared(chosen["over"])
    explorer = _explorer(results, sweep, chosen["entry"], numbers) if compared else None
    best = numbers[numbers["best"]].iloc[0]
    overlay = _overlay(results, chosen["overlay"])
    rows = 2 if overlay is not None else 1
    figure, axes = _style.panels(rows, 1, height=3.2 + 1.3 * (rows - 1), sharex=True, height_ratios=[3, 1.2][:rows])
    _draw_curve(axes[0, 0], numbers, over, compared)
    if sweep_axes.logarithmic(chosen):
        _style.logarithmic(axes[0, 0], "x")
    values = {"over": over, "best": best[over], "elpd": best["elpd"], "overlay": "", "doubt": _doubt(numbers)}
    shown = numbers
    if overlay is not None:
        values["overlay"] = _draw_overlay(axes[1, 0], results, chosen["overlay"], overlay)
        if compared:
            axes[1, 0].axvline(best[over], color=_style.REFERENCE, linestyle="dashed", linewidth=0.9)
        shown = pd.concat([numbers.assign(curve="elpd"), overlay.assign(curve="posterior")], ignore_index=True)
    axes[-1, 0].set_xlabel(f"{over} (fixed{', or estimated' if overlay is not None else ''})")
    _style.legend_above(figure, axes[0, 0])
    if compared:
        low, high = numbers.loc[numbers["tie"], over].agg(["min", "max"])
        alt = (
            f"elpd over {over}: best {best['elpd']:.1f} (standard error {best['se']:.1f}) at {best[over]:.3g}; values "
            f"from {low:.3g} to {high:.3g} are about equal to it, or too close to call. {values['overlay']}{values['doubt']}"
        )
    else:
        low, high = numbers["elpd"].agg(["min", "max"])
        alt = f"elpd over {over}, of other data at each value: from {low:.1f} to {high:.1f}. {values['doubt']}"
    return Drawn(figure, shown, f"elpd over {over}", alt.strip(), CAPTION if compared else APART, values, explorer)


def _draw_curve(axes: Axes, numbers: pd.DataFrame, over: str, compared: bool) -> None:
    """compared: whether all points have the same data; if not, none is marked as the best."""
    best = numbers[numbers["best"]].iloc[0]
    shade = _style.PALETTE[0]
    at, elpd = numbers[over], numbers["elpd"]
    axes.fill_between(
        at, elpd - numbers["se"], elpd + numbers["se"], color=shade, alpha=0.2, linewidth=0, label="± standard error"
    )
    axes.plot(at, elpd, color=shade)
    for doubtful, face, text in ((False, shade, "elpd"), (True, "none", "elpd, unreliable for some units")):
        part = numbers[((numbers["untrusted"] > 0) == doubtful) & ~numbers["failed"]]
        if len(part):
            axes.plot(part[over], part["elpd"], "o", color=shade, markerfacecolor=face, markersize=4.5, label=text)
    failed = numbers[numbers["failed"]]
    if len(failed):
        axes.plot(failed[over], failed["elpd"], "x", color=_style.OBSERVED, markersize=6, label="a fit that failed")
    if not np.allclose(numbers["elpd_psis"], elpd):
        axes.plot(at, numbers["elpd_psis"], color=_style.REFERENCE, linestyle="dotted", label="by PSIS alone")
    axes.set_ylabel("elpd (nats)")
    if not compared:
        return
    axes.axvline(best[over], color=_style.REFERENCE, linestyle="dashed", linewidth=0.9, label=f"best: {best[over]:.3g}")
    foot = best["elpd"] - STANDARD_ERRORS_SHOWN * best["se"]
    below = int((elpd < foot).sum())
    if below:
        # The steep part would flatten the part that is looked at.
        axes.set_ylim(foot, max((elpd + numbers["se"])[elpd >= foot].max(), numbers["elpd_psis"].max()))
        axes.set_title(
            f"{below} of {len(elpd)} values lie below the axis, down to {elpd.min():.0f}", fontsize=8, loc="right"
        )
    foot = axes.get_ylim()[0]
    ties = numbers[numbers["tie"]]
    axes.plot(
        ties[over],
        np.full(len(ties), foot),
        "|",
        color=_style.OBSERVED,
        markersize=8,
        clip_on=False,
        label="tied with the best",
    )
    axes.set_ylim(bottom=foot)


def _overlay(results, overlay: dict | None) -> pd.DataFrame | None:
    """Density and summary of the posterior of the overlay's site; None where there is none or its
    fit has no numbers."""
    if overlay is None or not results.usable(overlay["entry"]):
        return None
    values = _summaries.draws(_summaries.sites(results, overlay["entry"])[overlay["site"]])
    grid, height = _summaries.density(values)
    frame = pd.DataFrame({"value": grid, "density": height})
    return frame.assign(**_summaries.summary(values).iloc[0].to_dict())


def _draw_overlay(axes: Axes, results, overlay: dict, frame: pd.DataFrame) -> str:
    shade = _style.colour(results, overlay["entry"])
    axes.fill_between(frame["value"], frame["density"], color=shade, alpha=0.25, linewidth=0)
    axes.plot(frame["value"], frame["density"], color=shade)
    _style.intervals(axes, [-0.08 * frame["density"].max()], frame.iloc[:1], color=shade)
    label = _style.label(results, overlay["entry"])
    axes.set(yticks=[], ylabel="posterior\ndensity")
    axes.set_title(f"{overlay['site']} of {label}", color=shade)
    words = _summaries.in_words(frame.iloc[0])
    return f"Below, on the same axis: the posterior of {overlay['site']} in {label}, {words}. "


def _doubt(numbers: pd.DataFrame) -> str:
    most = int(numbers["untrusted"].max())
    if not most:
        return "Every unit was scored reliably."
    size = numbers["n_units"].iloc[0]
    return f"Hollow: scores of some units are unreliable there (up to {most} of {size})."


def _explorer(results, sweep: str, entry: str, numbers: pd.DataFrame) -> dict[str, Any] | None:
    """A view of the posterior of every member at each value; None where the sweep has no site over
    the unit or a group."""
    fit, check = results.sweep_fit(sweep), results.sweep_check(sweep)
    if fit.attrs["status"] != "ok":
        return None
    posterior, over = fit["posterior"].to_dataset(), fit.attrs["over"]
    if posterior.sizes[over] != len(numbers):
        return None  # some points could not be sampled
    site = _site(results, posterior.isel({over: 0}))
    if site is None:
        return None
    by = _explore.own_dim(posterior[site].isel({over: 0}))
    posterior = posterior[site].transpose(over, *_summaries.SAMPLE, by)
    failed = [i for i, point in enumerate(check["points"]) if point["verdict"] == "fail"]
    look = {"label": results.label(entry), "colour": _style.PALETTE[0], "failed": []}
    axis = _explore.axis(results, site)
    views = [
        {"name": general(row[over], 3), "words": _words(over, row, position in failed), "by": by, "axis": axis,
         "entries": [look | _explore.estimates(point)]}
        for position, (point, row) in enumerate(zip(posterior, numbers.to_dict("records"), strict=True))
    ]  # fmt: skip
    scores = {name: [round(value, 2) for value in numbers[name]] for name in ("elpd", "se")}
    curve = {
        "label": over,
        "values": _explore.rounded(numbers[over]),
        **scores,
        "failed": failed,
        "colour": look["colour"],
    }
    members = _explore.members(results, by)
    hint = f"Point at a value of {over} to see every {members['name']} at that value."
    return _explore.explorer(hint, {by: members}, views, over, int(numbers["best"].to_numpy().argmax()), curve)


def _words(over: str, row: Mapping[str, Any], failed: bool) -> str:
    standing = (
        ", a fit that failed"
        if failed
        else ", the best"
        if row["best"]
        else ", tied with the best"
        if row["tie"]
        else ""
    )
    return f"{over} {general(row[over], 3)}: elpd {number(row['elpd'])} ± {number(row['se'])} (SE){standing}. "


def _site(results, posterior) -> str | None:
    """The site that is shown: one with an observed counterpart if there is one, else the first that
    was sampled."""
    choices = _explore.choices(results)
    found = [str(name) for name, site in posterior.data_vars.items() if _explore.own_dim(site) in choices]
    observed = [name for name in found if _explore.axis(results, name)["observed"] is not None]
    sampled = [name for name in _summaries.latents(posterior) if name in found]
    return next(iter([*observed, *sampled]), None)
