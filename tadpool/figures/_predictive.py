"""Predictive distributions against observations: prior and posterior predictive checks."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tadpool.elements import element_names
from tadpool.figures import Drawn, _style, _summaries

MOST_VALUES = 45
MOST_CELLS = 2_000_000


def draw(results, entries: Sequence[str], group: str, title: str, caption: str) -> Drawn:
    """One column of panels per entry, one row per outcome: counts of whole numbers, cumulative shares of other numbers."""
    rows = list(parts(results.data, results.config["outcomes"], results.config["unit"]))
    figure, axes = _style.panels(
        len(rows), len(entries), height=0.6 + 2.5 * len(rows), sharex="row", sharey="row", width=_style.WIDTH
    )
    frames = []
    for row, (name, outcome, where) in enumerate(rows):
        predicted = [_draws(_summaries.sites(results, entry, group)[outcome].isel(where)) for entry in entries]
        observed = results.data[outcome].isel(where)
        panel = _counts if observed.dtype.kind in "iub" else _cumulative
        grid = _grid(observed, predicted)
        for column, (entry, values) in enumerate(zip(entries, predicted, strict=True)):
            frame = panel(axes[row, column], values, observed.values.ravel(), grid, _style.colour(results, entry))
            frames.append(frame.assign(entry=entry, outcome=name))
            if first := _style.first_level(observed):
                axes[row, column].set_xticks(grid, grid + first)
                frames[-1][["value", "upto"]] += first
            axes[row, column].set_xlabel(_style.quantity(observed) + name.removeprefix(outcome))
            if len(entries) > 1:
                axes[row, column].set_title(_style.label(results, entry), color=_style.colour(results, entry))
        what = f"number of {results.config['unit']}s" if panel is _counts else "cumulative share"
        axes[row, 0].set_ylabel(what)
    _style.legend_above(figure, axes[0, 0])
    numbers = pd.concat(frames, ignore_index=True)
    return Drawn(figure, numbers, title, _alt(results, numbers, group), caption, _values(numbers))


def parts(data: xr.Dataset, outcomes: Sequence[str], unit: str) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Each outcome, split where it has further dims than the unit: name, outcome, position."""
    for outcome in outcomes:
        rest = [dim for dim in data[outcome].dims if dim != unit]
        positions = np.ndindex(*(data.sizes[dim] for dim in rest))
        for index, name in zip(positions, element_names(data[outcome], (unit,)), strict=True):
            yield name, outcome, dict(zip(rest, index, strict=True))


def _draws(predicted: xr.DataArray) -> np.ndarray:
    """(draws, units), at most MOST_CELLS numbers, evenly thinned."""
    values = predicted.transpose("chain", "draw", ...).values
    values = values.reshape(values.shape[0] * values.shape[1], -1)
    return values[:: max(1, -(-values.size // MOST_CELLS))]


def _grid(observed: xr.DataArray, predicted: Sequence[np.ndarray]) -> np.ndarray:
    """Where distributions are compared, less far tails of predictions: left edges of bins for whole numbers, else points."""
    tails = [np.quantile(values, [0.005, 0.995]) for values in predicted]
    low = min([float(observed.min()), *(float(tail[0]) for tail in tails)])
    high = max([float(observed.max()), *(float(tail[1]) for tail in tails)])
    if observed.dtype.kind not in "iub":
        return np.linspace(low, high, 150)
    low, high = int(np.floor(low)), int(np.ceil(high))
    return np.arange(low, high + 1, max(1, -(-(high - low + 1) // MOST_VALUES)))


def _counts(axes: Axes, predicted: np.ndarray, observed: np.ndarray, grid: np.ndarray, colour: str) -> pd.DataFrame:
    """A rootogram: how often each value occurs, observed and in predictive draws (Kleiber & Zeileis 2016)."""
    step = int(grid[1] - grid[0]) if len(grid) > 1 else 1
    support = range(len(grid))

    def count(values):
        return _summaries.count_values((values.astype(np.int64) - grid[0]) // step, support)

    frame = _summaries.summary(count(predicted).T).assign(
        value=grid, upto=grid + step - 1, observed=count(observed[None])[0]
    )
    centres = grid + (step - 1) / 2
    _style.intervals(
        axes, centres, frame, upright=True, color=colour, marker="_", label="predicted: median, 50 %, 89 %"
    )
    axes.plot(centres, frame["observed"], "o", color=_style.OBSERVED, markersize=3, label="observed")
    if len(grid) > 10:
        # Square roots make the spread of small and of large counts comparable.
        axes.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.set_xticks(centres)
        axes.set_xlim(centres[0] - 0.5 * step, centres[-1] + 0.5 * step)
    return frame


def _cumulative(axes: Axes, predicted: np.ndarray, observed: np.ndarray, grid: np.ndarray, colour: str) -> pd.DataFrame:
    share = (
        np.stack([np.searchsorted(np.sort(row), grid, side="right") for row in predicted], axis=1) / predicted.shape[1]
    )
    seen = np.searchsorted(np.sort(observed), grid, side="right") / len(observed)
    frame = _summaries.summary(share).assign(value=grid, upto=grid, observed=seen)
    for interval, strength in (("89", 0.25), ("50", 0.45)):
        band = (frame[f"eti{interval}_low"], frame[f"eti{interval}_high"])
        axes.fill_between(grid, *band, color=colour, alpha=strength, linewidth=0, label=f"predicted: {interval} %")
    axes.plot(grid, seen, color=_style.OBSERVED, label="observed")
    return frame


def _values(numbers: pd.DataFrame) -> dict[str, int]:
    inside = (numbers["observed"] >= numbers["eti89_low"]) & (numbers["observed"] <= numbers["eti89_high"])
    return {"inside": int(inside.sum()), "shown": len(numbers)}


def _alt(results, numbers: pd.DataFrame, group: str) -> str:
    kind = group.replace("_", " ")
    sentences = []
    for (entry, outcome), part in numbers.groupby(["entry", "outcome"], sort=False):
        values = _values(part)
        sentences.append(
            f"{_style.label(results, entry)}, {outcome} from {part['value'].min():.3g} to {part['upto'].max():.3g}: what was "
            f"observed lies inside the 89 % interval of the {kind} draws at {values['inside']} of "
            f"{values['shown']} places along the axis."
        )
    return " ".join(sentences)
