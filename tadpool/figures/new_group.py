"""What a new member of a group is predicted to be like, against what was observed in the known
ones."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tadpool.figures import Drawn, NotDrawn, _style, _summaries, _units
from tadpool.formatting import an

MOST_BARS = 100


def draw(results, *, entry: str, outcome: str, site: str | None = None) -> Drawn:
    """outcome: right panel, one curve for each predicted row. site: left panel, the new member's
    beside the known ones."""
    tree = results.predictions(entry)
    if "predictions" not in tree.children:
        raise NotDrawn(f"{entry} has no predictions")
    predictions = tree["predictions"].to_dataset()
    group = results.config["predictions"][entry]["group"]
    name = results.config["predictions"][entry]["label"] or f"new {group}"
    figure, axes = _style.panels(1, 2 if site else 1, height=3.0, width=_style.WIDTH if site else 5.0)
    frames = []
    if site:
        posterior = _summaries.sites(results, entry)
        frames.append(_parameter(axes[0, 0], results, entry, posterior[site], predictions[site], name))
    observed = _units.variable(results.data, outcome)
    panel, rows = axes[0, -1], _summaries.draws(predictions[outcome]) + _style.first_level(observed)
    for position, values in enumerate(rows):
        shade = _style.PALETTE[(results.entries.index(entry) + position) % len(_style.PALETTE)]
        label = name if len(rows) == 1 else f"{name}, row {position + 1}"
        draw_one = _shares if observed.dtype.kind in "iub" else _density
        frames.append(
            draw_one(panel, values, observed.values.ravel(), shade, label).assign(panel=outcome, row=position + 1)
        )
    panel.set_xlabel(_style.quantity(observed))
    panel.set_ylim(bottom=0)
    _style.legend_above(figure, panel)
    summary = _summaries.summary(rows).assign(sd=rows.std(axis=1, ddof=1))
    sentences = [
        f"{outcome} at {an(name)}{f', row {i + 1}' if len(rows) > 1 else ''}: {_summaries.in_words(row)}."
        for i, row in summary.iterrows()
    ]
    values = {
        **summary.iloc[0].to_dict(),
        "observed_mean": float(observed.mean()),
        "observed_sd": float(observed.std(ddof=1)),
    }
    return Drawn(
        figure, pd.concat(frames, ignore_index=True), f"Prediction for {an(name)}", " ".join(sentences), values=values
    )


def _parameter(axes: Axes, results, entry: str, known, new, name: str) -> pd.DataFrame:
    frame = pd.concat([_summaries.site_summary(known), _summaries.site_summary(new)], ignore_index=True)
    shade = _style.colour(results, entry)
    at = np.arange(len(frame))
    _style.intervals(axes, at, frame, color=shade)
    axes.set_yticks(at, frame["element"])
    axes.set_ylim(len(frame) - 0.5, -0.5)
    axes.axhline(len(known[_summaries.dims(known)[0]]) - 0.5, color=_style.REFERENCE, linestyle="dotted", linewidth=0.9)
    axes.set_xlabel(f"{known.name} of {_style.label(results, entry)}")
    return frame.assign(panel=str(known.name))


def _shares(axes: Axes, values: np.ndarray, observed: np.ndarray, shade: str, label: str) -> pd.DataFrame:
    high = int(max(np.quantile(values, 0.999), observed.max()))
    low = min(int(values.min()), int(observed.min()))
    step = -(-(high - low + 1) // MOST_BARS)
    support, edges = np.arange(low, high + 1, step), np.arange(low, high + step + 1, step) - 0.5
    shares = [np.histogram(sample, edges)[0] / sample.size for sample in (values, observed)]
    middle = support + (step - 1) / 2
    axes.bar(middle, shares[0], color=shade, alpha=0.5, width=0.85 * step, label=label)
    axes.plot(middle, shares[1], "o", color=_style.OBSERVED, markersize=3, label="observed, all groups")
    axes.set_ylabel("share")
    return pd.DataFrame({"value": support, "predicted": shares[0], "observed": shares[1]})


def _density(axes: Axes, values: np.ndarray, observed: np.ndarray, shade: str, label: str) -> pd.DataFrame:
    grid, height = _summaries.density(values)
    axes.fill_between(grid, height, color=shade, alpha=0.3, linewidth=0)
    axes.plot(grid, height, color=shade, label=label)
    seen, observed_height = _summaries.density(observed)
    handles = axes.get_legend_handles_labels()[1]
    axes.plot(
        seen,
        observed_height,
        color=_style.OBSERVED,
        linewidth=0.9,
        label=None if "observed, all groups" in handles else "observed, all groups",
    )
    axes.set_ylabel("density")
    return pd.DataFrame(
        {"value": grid, "predicted": height, "observed": np.interp(grid, seen, observed_height, left=0, right=0)}
    )
