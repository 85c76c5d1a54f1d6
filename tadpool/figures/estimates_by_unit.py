"""A site's posterior for each unit beside what was observed there, for entries and for values of a
sweep."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from scipy.special import expit

from tadpool.errors import UserError, did_you_mean
from tadpool.figures import Drawn, NotDrawn, _style, _summaries, _units
from tadpool.formatting import measured
from tadpool.sweep_axes import POINT

LINKS = {"identity": np.asarray, "logistic": expit, "exponential": np.exp}
ENDS = ("smallest", "best", "largest")


def draw(
    results,
    *,
    site: str,
    panels: list[Mapping[str, str]],
    outcome: str,
    trials: str | None = None,
    blocks: str | None = None,
    colour_by: str | None = None,
    line: Mapping[str, str] | None = None,
    label: str = "",
) -> Drawn:
    """One panel each: `{entry: name}` or `{sweep: name, at: smallest | best | largest}`.

    line: `{site, link, label}`, a horizontal line at link(posterior mean of a scalar site). Others
    as in observed_by_unit.
    """
    observed, axis = _units.share(results.data, outcome, trials)
    sources = [source for source in (_source(results, panel) for panel in panels) if source is not None]
    if not sources:
        raise NotDrawn(f"no fit has {site}")
    figure, axes = _style.panels(len(sources), 1, height=0.8 + 1.9 * len(sources), sharex=True, sharey=True)
    mean = float(observed.mean())
    frames, alts, values = [], [], {"mean": mean}
    for panel, (name, posterior) in zip(axes[:, 0], sources, strict=True):
        frame = _summaries.site_summary(posterior[site]).assign(panel=name, observed=observed.values)
        _draw_units(panel, results.data, frame, colour_by)
        look = {"color": _style.REFERENCE, "linestyle": "dashed", "linewidth": 1.0}
        panel.axhline(mean, label=f"mean of what was observed: {measured(mean)}", **look)
        sentence = ""
        if line:
            values["line"] = _draw_line(panel, posterior, line)
            frame = frame.assign(line=values["line"])
            sentence = f", {line.get('label', line['site'])} {measured(values['line'])}"
        _units.draw_blocks(panel, results.data, blocks, labelled=panel is axes[0, 0])
        panel.set_title(name + sentence, pad=16 if blocks and panel is axes[0, 0] else 4)
        panel.set_ylabel(label or axis)
        frames.append(frame)
        distance = float((frame["mean"] - frame["observed"]).abs().mean())
        alts.append(
            f"{name}: posterior means from {measured(frame['mean'].min())} to {measured(frame['mean'].max())}, on average "
            f"{measured(distance)} from what was observed{sentence}."
        )
    _units.draw_unit_axis(axes[-1, 0], observed)
    _style.legend_above(figure, axes[0, 0], columns=3)
    numbers = pd.concat(frames, ignore_index=True)
    return Drawn(figure, numbers, f"{label or site} by {observed.dims[0]}", " ".join(alts), values=values)


def _source(results, panel: Mapping[str, str]) -> tuple[str, xr.Dataset] | None:
    """Title and posterior of a panel; None where the fit has no numbers."""
    if "entry" in panel:
        usable = results.usable(panel["entry"])
        return (_style.label(results, panel["entry"]), _summaries.sites(results, panel["entry"])) if usable else None
    sweep, at = panel["sweep"], _known(panel["at"], ENDS)
    fit, loo = results.sweep_fit(sweep), results.sweep_loo(sweep)
    if fit.attrs["status"] != "ok" or "loo" not in loo.children:
        return None
    posterior, over = fit["posterior"].to_dataset(), fit.attrs["over"]
    values = posterior[over].values
    positions = {
        "smallest": values.argmin(),
        "largest": values.argmax(),
        "best": loo["loo"]["total_elpd"].values.argmax(),
    }
    value = values[positions[at]]
    if over == POINT:
        point = posterior.isel({over: int(positions[at])})
        value = ", ".join(
            f"{name} {point[name].item():.3g}" for name in point.coords if name != POINT and not point[name].dims
        )
        return f"{value} ({at}{' elpd' if at == 'best' else ' point'})", point
    title = f"{over} fixed at {value:.3g} ({at}{' elpd' if at == 'best' else ' value'})"
    return title, posterior.isel({over: int(positions[at])})


def _known(value: Any, known: Any) -> Any:
    if value not in known:
        raise UserError(f"figures: {value!r} is not allowed here{did_you_mean(str(value), list(known))}")
    return value


def _draw_line(axes: Axes, posterior: xr.Dataset, line: Mapping[str, str]) -> float:
    link = LINKS[_known(line.get("link", "identity"), LINKS)]
    height = float(link(float(posterior[line["site"]].mean())))
    axes.axhline(height, color=_style.OBSERVED, linewidth=0.8, label=line.get("label", line["site"]))
    return height


def _draw_units(axes: Axes, data: xr.Dataset, frame: pd.DataFrame, colour_by: str | None) -> None:
    at = np.arange(1, len(frame) + 1)
    for name, chosen, shade, marker in _units.categories(data, colour_by):
        chosen = np.broadcast_to(chosen, at.shape)
        shade = shade if colour_by else _style.PALETTE[0]
        look = {"color": shade, "marker": marker, "markersize": 3.5, "label": name or "posterior"}
        _style.intervals(axes, at[chosen], frame[chosen], upright=True, **look)
    look = {"color": _style.OBSERVED, "markerfacecolor": "none", "markersize": 4.5, "markeredgewidth": 0.8}
    axes.plot(at, frame["observed"], "o", label="observed", **look)
