"""Where each observation falls in the predictive distribution of all others (LOO-PIT)."""

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats

from tadpool import left_out
from tadpool.figures import Drawn, NotDrawn, _style, _summaries

SEED = 214
MOST_UNITS = 1000
CAPTION = (
    "Of a calibrated model the values are uniform and the line stays in the grey band, which holds 95 % of such lines. A "
    "hump above, then below zero: predictions too narrow; the reverse: too wide. Of whole numbers the values are drawn at "
    "random within their step. Values are of fits without the unit where it was fitted again ({refit} of {n_units}), else by "
    "importance sampling, which cannot be trusted for {doubtful} of them.{selection}"
)


def draw(results, *, entry: str) -> Drawn:
    """The PIT of whole numbers is drawn at random within its step, with a fixed seed."""
    predictive, counts = _summaries.sites(results, entry, "posterior_predictive"), _counts(results, entry)
    log_likelihood = _summaries.sites(results, entry, "log_likelihood")
    (scored,) = log_likelihood.data_vars
    unit = results.config["unit"]
    chosen = {unit: _selected(log_likelihood.sizes[unit])}
    outcomes = [outcome for outcome in results.config["outcomes"] if outcome in predictive]
    figure, axes = _style.panels(
        1, len(outcomes), height=2.8, width=5.0 if len(outcomes) == 1 else _style.WIDTH, sharey=True
    )
    frames = []
    for panel, outcome in zip(axes[0], outcomes, strict=True):
        drawn, log_weights = left_out.leave_one_out(
            predictive[outcome].isel(chosen), log_likelihood[scored].isel(chosen), results.loo(entry), unit
        )
        values = _pit(drawn, results.data[outcome].isel(chosen), log_weights, unit)
        at, difference, half = _curve(values)
        panel.axhspan(-half, half, color=_style.REFERENCE, alpha=0.25, linewidth=0)
        panel.axhline(0, color=_style.REFERENCE, linewidth=0.8)
        panel.plot(at, difference, color=_style.colour(results, entry))
        panel.set_xlabel(f"LOO-PIT of {_style.quantity(results.data[outcome])}")
        frames.append(pd.DataFrame({"outcome": outcome, "pit": at, "difference": difference, "band": half}))
    axes[0, 0].set_ylabel("cumulative share\nless that of uniform values")
    numbers = pd.concat(frames, ignore_index=True)
    shown = {"selection": _selection(counts["n_units"]), **counts}
    largest = numbers["difference"].abs().max()
    alt = (
        f"The LOO-PIT values depart from uniform by at most {largest:.3f} (band: {numbers['band'].iloc[0]:.3f}); "
        f"{shown['refit']} of {shown['n_units']} units were fitted again, {shown['doubtful']} cannot be trusted."
    )
    return Drawn(figure, numbers, f"LOO-PIT of {_style.label(results, entry)}", alt, CAPTION, shown)


def _counts(results, entry: str) -> dict[str, int]:
    loo = results.loo(entry)
    if "loo" not in loo.children:
        raise NotDrawn(f"{entry} has no leave-one-out results")
    found = loo["loo"].to_dataset()
    refit = int((found["method"] != "psis").sum())
    return {"refit": refit, "doubtful": found["total_doubtful"].item(), "n_units": found["elpd"].size}


def _selected(units: int) -> slice:
    """All units; of many an even selection."""
    return slice(None, None, max(1, -(-units // MOST_UNITS)))


def _selection(units: int) -> str:
    step = _selected(units).step
    return f" Shown is one unit of every {step}, evenly chosen." if step > 1 else ""


def _pit(predicted: xr.DataArray, observed: xr.DataArray, log_weights: np.ndarray, unit: str) -> np.ndarray:
    """LOO-PIT values of all cells of the units, from draws and log weights (unit, chain, draw)."""
    rest = [dim for dim in observed.dims if dim != unit]
    seen = observed.transpose(unit, *rest).values
    cells = int(np.prod(seen.shape[1:]))
    draws = predicted.transpose(unit, *rest, *_summaries.SAMPLE).values
    flat = draws.reshape(len(seen) * cells, 1, -1)
    weights = np.repeat(log_weights.reshape(len(seen), 1, -1), cells, axis=0)
    return array_stats.loo_pit(flat, seen.ravel(), weights, random_state=SEED, pareto_pit=True)


def _curve(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Corners of the line of cumulative shares less those of uniform values, and half the width of the 95 % Kolmogorov band."""
    at = np.sort(values)
    step = max(1, len(at) // 300)
    corners = np.repeat(at[::step], 2)
    share = np.arange(len(at) + 1) / len(at)
    height = np.column_stack([share[:-1][::step], share[1:][::step]]).ravel()
    difference = np.concatenate([[0.0], height - corners, [0.0]])
    return np.concatenate([[0.0], corners, [1.0]]), difference, float(np.sqrt(np.log(2 / 0.05) / 2 / len(at)))
