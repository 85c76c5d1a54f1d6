"""Data and fitted lines of chosen groups: each group's own intercept and slope, in several
entries."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from tadpool.errors import UserError, did_you_mean
from tadpool.figures import Drawn, _style, _summaries, _units

COLUMNS = 3


def draw(
    results,
    *,
    entries: list[str],
    outcome: str,
    x: str,
    by: str,
    members: list[str],
    intercept: str,
    slope: str,
    draws: int = 40,
) -> Drawn:
    """members: groups of the dim `by`, one panel each. intercept, slope: sites, with the dim `by`
    or the same for all groups.

    draws: thin lines, each one draw of both. A slope whose group holds one value of x alone is said
    to return its prior.
    """
    names = _summaries.usable(results, entries)
    labels = _known(results.data, by, members)
    columns = min(COLUMNS, len(members))
    rows = -(-len(members) // columns)
    figure, axes = _style.panels(rows, columns, height=0.7 + 2.6 * rows, sharex=True, sharey=True)
    frames, sentences = [], []
    for axis, member in zip(axes.flat, members, strict=False):
        inside = results.data[f"{by}_index"].values == labels.index(member)
        across, up = (_units.variable(results.data, name).values[inside] for name in (x, outcome))
        ends = _ends(results.data[x])
        fixed = len(np.unique(across)) < 2
        for name in names:
            pair = _pair(_summaries.sites(results, name), by, member, intercept, slope)
            frame = _lines(axis, pair, ends, draws, _style.colour(results, name), _style.label(results, name))
            own = fixed and _alone(results, name, by)
            frames.append(frame.assign(entry=name, member=member, returns_prior=own))
            sentences.append(_sentence(f"{member}, {_style.label(results, name)}", pair, own))
        _data(axis, across, up)
        axis.set_title(f"{member} ({len(up)} {results.config['unit']}s)")
        if fixed:
            axis.text(0.03, 0.02, _note(results, names, by), transform=axis.transAxes, fontsize=7)
        frames.append(pd.DataFrame({"member": member, "curve": "observed", "x": across, "y": up}))
    for axis in axes.flat[len(members) :]:
        axis.set_visible(False)
    _axes(axes, results, x, outcome)
    _style.legend_above(figure, axes[0, 0])
    title = f"{_style.quantity(results.data[outcome])} by {x} in {', '.join(members)}"
    return Drawn(figure, pd.concat(frames, ignore_index=True), title, " ".join(sentences))


def _known(data: xr.Dataset, by: str, members: list[str]) -> list[str]:
    """Labels of all groups. Raises UserError where a member is none of them."""
    labels = [str(label) for label in data[by].values]
    for member in members:
        if member not in labels:
            raise UserError(f"figures: {by} has no {member!r}{did_you_mean(str(member), labels)}")
    return labels


def _alone(results, entry: str, by: str) -> bool:
    """Whether the entry was fitted to each group by itself, so that no other group tells it
    anything."""
    return results.fit(entry).attrs.get("over") == by


def _note(results, names: list[str], by: str) -> str:
    alone = [_style.label(results, name) for name in names if _alone(results, name, by)]
    return f"slope of {', '.join(alone)}\nreturns its prior" if alone else ""


def _ends(x: xr.DataArray) -> np.ndarray:
    return np.array([float(x.min()), float(x.max())])


def _pair(posterior: xr.Dataset, by: str, member: str, intercept: str, slope: str) -> np.ndarray:
    """Draws of a group's intercept and slope: (2, draws)."""
    sites = [posterior[name] for name in (intercept, slope)]
    return np.stack([_summaries.draws(site.sel({by: member}) if by in site.dims else site)[0] for site in sites])


def _lines(axes: Axes, pair: np.ndarray, ends: np.ndarray, draws: int, shade: str, label: str) -> pd.DataFrame:
    chosen = pair[:, np.linspace(0, pair.shape[1] - 1, draws).astype(int)]
    heights = chosen[0][:, None] + chosen[1][:, None] * ends
    axes.plot(ends, heights.T, color=shade, linewidth=0.4, alpha=0.35)
    mean = pair.mean(axis=1)
    axes.plot(ends, mean[0] + mean[1] * ends, color=shade, linewidth=2.2, label=f"{label}: posterior mean, draws")
    thin = pd.DataFrame(
        {"curve": "draw", "line": np.repeat(np.arange(draws), 2), "x": np.tile(ends, draws), "y": heights.ravel()}
    )
    thick = pd.DataFrame({"curve": "posterior mean", "line": 0, "x": ends, "y": mean[0] + mean[1] * ends})
    return pd.concat([thick, thin], ignore_index=True)


def _data(axes: Axes, across: np.ndarray, up: np.ndarray) -> None:
    """Every unit, moved sideways a little by its place among the units of the same x, so that fewer
    hide each other."""
    order = np.lexsort((up, across))
    place = np.arange(len(order)) - np.searchsorted(across[order], across[order])
    side = np.array([0.0, -1.0, 1.0])[place % 3] * 0.02
    look = {"color": _style.OBSERVED, "markersize": 3.2, "alpha": 0.75, "zorder": 3}
    axes.plot(across[order] + side, up[order], "o", label="observed", **look)


def _axes(axes: np.ndarray, results, x: str, outcome: str) -> None:
    variable = results.data[x]
    for axis in axes[-1]:
        axis.set_xlabel(_style.quantity(variable))
    for axis in axes[:, 0]:
        axis.set_ylabel(_style.quantity(results.data[outcome]))
    if "flag_meanings" in variable.attrs:
        found = _style.meanings(variable)
        names = [f"{value}\n{text.replace('_', ' ')}" for value, text in found.items()]
        axes.flat[0].set_xticks(list(found), names)
    axes.flat[0].margins(x=0.15)


def _sentence(name: str, pair: np.ndarray, returns_prior: bool) -> str:
    intercept, slope = (_summaries.in_words(row) for _, row in _summaries.summary(pair).iterrows())
    return f"{name}: intercept {intercept}; slope {slope}{' (returns its prior)' if returns_prior else ''}."
