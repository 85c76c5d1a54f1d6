"""Predictive draws of each unit against what was observed there: draws, not their means."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tadpool.figures import Drawn, NotDrawn, _style, _summaries, _units
from tadpool.formatting import listed

MOST_POINTS = 4000
CAPTION = (
    "Each column of dots is a unit, and each dot a draw of its predicted outcome. Good predictions stay close to the "
    "diagonal, and their 89 % intervals contain 89 % of the units ({shown})."
)


def draw(results, *, entries: list[str], outcome: str, colour_by: str | None = None, draws: int = 4) -> Drawn:
    """entries: one panel each on the same axes. draws: how many of each unit are shown. colour_by:
    a variable of the units."""
    names = [
        name for name in _summaries.usable(results, entries) if "posterior_predictive" in results.fit(name).children
    ]
    if not names:
        raise NotDrawn("no entry has a posterior_predictive")
    observed = _units.variable(results.data, outcome)
    figure, axes = _style.panels(
        1, len(names), height=3.9, width=_style.WIDTH if len(names) > 1 else 4.4, sharex=True, sharey=True
    )
    frames, sentences, values = [], [], {}
    for axis, name in zip(axes[0], names, strict=True):
        predicted = _summaries.draws(
            _summaries.sites(results, name, "posterior_predictive")[outcome]
        ) + _style.first_level(observed)
        frame, found = _summarized(predicted, observed.values.ravel())
        _panel(axis, results, observed, predicted, colour_by, draws)
        axis.set_xlabel(f"{_style.quantity(observed)}, observed")
        axis.set_title(f"{_style.label(results, name)}\n{100 * found['covered']:.0f} % of units in their 89 % interval")
        frames.append(frame.assign(entry=name))
        sentences.append(
            f"{_style.label(results, name)}: {100 * found['covered']:.0f} % of {len(frame)} units lie in their 89 % predictive "
            f"interval, which is {found['width']:.3g} wide on average; root mean square error of the "
            f"predictive means {found['rmse']:.3g}"
        )
        values |= {f"{name}_{key}": value for key, value in found.items()}
        values |= _by_group(results, name, frame, colour_by)
    axes[0, 0].set_ylabel(f"{_style.quantity(observed)},\npredictive draws")
    _style.legend_above(figure, axes[0, 0])
    values["shown"] = "; ".join(
        f"{_style.label(results, name)}: {100 * values[f'{name}_covered']:.0f} % of units in 89 % intervals, which are "
        f"{values[f'{name}_width']:.3g} wide"
        for name in names
    )
    title = "Predictive draws against observations"
    return Drawn(figure, pd.concat(frames, ignore_index=True), title, ". ".join(sentences) + ".", CAPTION, values)


def _summarized(predicted: np.ndarray, observed: np.ndarray) -> tuple[pd.DataFrame, dict[str, float]]:
    frame = _summaries.summary(predicted).assign(observed=observed)
    covered = (frame["eti89_low"] <= observed) & (observed <= frame["eti89_high"])
    found = {
        "covered": float(covered.mean()),
        "width": float((frame["eti89_high"] - frame["eti89_low"]).mean()),
        "rmse": float(np.sqrt(((frame["mean"] - observed) ** 2).mean())),
    }
    return frame, found


def _by_group(results, name: str, frame: pd.DataFrame, colour_by: str | None) -> dict[str, str]:
    """`<entry>_by_group`: which share of the units of each category lies in its 89 % interval."""
    inside = ((frame["eti89_low"] <= frame["observed"]) & (frame["observed"] <= frame["eti89_high"])).to_numpy()
    shares = [
        f"{100 * inside[np.broadcast_to(members, len(inside))].mean():.0f} % ({label})"
        for label, members, *_ in _units.categories(results.data, colour_by)
        if label
    ]
    return {f"{name}_by_group": listed(shares)} if shares else {}


def _panel(axes: Axes, results, observed, predicted: np.ndarray, colour_by: str | None, draws: int) -> None:
    """Evenly chosen draws of evenly chosen units; dots in one picture, or a file of many units
    would be large."""
    units = np.arange(0, len(predicted), max(1, -(-len(predicted) * draws // MOST_POINTS)))
    columns = np.linspace(0, predicted.shape[1] - 1, draws).astype(int)
    chosen = predicted[np.ix_(units, columns)]
    for name, members, shade, marker in _units.categories(results.data, colour_by):
        kept = np.broadcast_to(members, len(predicted))[units]
        across = np.repeat(observed.values.ravel()[units][kept], draws)
        look = {"color": shade if colour_by else _style.PALETTE[0], "markersize": 2.2, "alpha": 0.5}
        axes.plot(across, chosen[kept].ravel(), marker, rasterized=True, label=name or "predictive draw", **look)
    ends = [observed.values.min(), observed.values.max()]
    axes.plot(ends, ends, color=_style.OBSERVED, linewidth=0.9, linestyle="dashed", label="predicted = observed")
