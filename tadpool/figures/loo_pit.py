"""Whether predictions without the unit are calibrated: LOO-PIT, and reliability of yes-or-no
outcomes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from scipy.special import logsumexp

from tadpool.evaluation import loo_predictive, pit, predictive_checks
from tadpool.figures import Drawn, NotDrawn, Standard, _style, _summaries

STANDARD = Standard("entry", "predictive", place=3)
SEED = 214
PIT = (
    "For a calibrated model the line stays in the grey band, which contains 95 % of such lines as a whole. Above zero on the "
    "left and below it on the right (values pile up at both ends, a U): predictions are too narrow; the reverse (values pile "
    "up in the middle, a hump): too wide. Above zero throughout: predictions are too high; below: too low (a slope)."
)
DISCRETE = "Each whole number is spread evenly over its step."
RELIABILITY = (
    "The line is the share of yes among units of about the same predicted probability; for a calibrated model it stays in "
    "the grey band, which contains 95 % of such lines as a whole. Above the diagonal yes is more frequent than predicted, "
    "below it less frequent; above on the left and below on the right: predictions are overconfident; the reverse: "
    "underconfident."
)
SIMULATED = "The band comes from {simulations} simulated data sets (95 ± {level_error:.1f} %)."
SOURCE = (
    "Values come from refits without the unit where it was refitted ({refit} of {n_units}), otherwise from importance "
    "sampling; {doubtful} of these scores are unreliable.{selection}{gated}"
)


@dataclass(frozen=True)
class Predicted:
    """Values that count (values,), with draws (values, draws) of what is predicted for them, and
    log weights of these.

    undrawn: how many values count, but no draw of theirs does, so that nothing is predicted for
    them.
    """

    observed: np.ndarray
    draws: np.ndarray
    log_weights: np.ndarray
    undrawn: int


def draw(results, *, entry: str) -> Drawn:
    """One panel per outcome; the sort of outcome decides what it shows, see
    `tadpool.evaluation.pit`."""
    predictive, counts = _summaries.sites(results, entry, "posterior_predictive"), _counts(results, entry)
    outcomes = [outcome for outcome in results.config["outcomes"] if outcome in predictive]
    figure, axes = _style.panels(1, len(outcomes), height=3.0, width=5.0 if len(outcomes) == 1 else _style.WIDTH)
    frames, kinds, curves, gated = [], [], [], []
    for panel, outcome in zip(axes[0], outcomes, strict=True):
        kind = predictive_checks.kind(_summaries.distribution(results, entry, outcome), results.data[outcome].values)
        predicted = _predicted(results, entry, outcome, predictive)
        curve = _curve(kind, predicted)
        _panel(panel, curve, kind, _style.colour(results, entry), _style.quantity(results.data[outcome]))
        columns = {"at": curve.at, "line": curve.line, "band_low": curve.low, "band_high": curve.high}
        frames.append(pd.DataFrame({"outcome": outcome, "kind": kind, **columns}))
        gate = results.config.get("observed_where", {}).get(outcome)
        gated += [_gated(outcome, gate, predicted)] if gate else []
        kinds.append(kind)
        curves.append(curve)
    found = " ".join(_words(*each) for each in zip(outcomes, kinds, curves, strict=True))
    values = counts | {
        "found": found[0].upper() + found[1:],
        "selection": _selection(counts["n_units"]),
        "gated": "".join(gated),
        "simulations": f"{pit.SIMULATIONS:,}",
        "level_error": 100 * pit.level_error(),
        "outside": sum(bool(curve.outside.any()) for curve in curves),
    }
    title = "Reliability" if set(kinds) == {predictive_checks.YES_NO} else "LOO-PIT"
    alt = f"{found} {counts['refit']} of {counts['n_units']} units were refitted, {counts['doubtful']} are unreliable."
    numbers = pd.concat(frames, ignore_index=True)
    return Drawn(figure, numbers, f"{title} of {_style.label(results, entry)}", alt, _caption(kinds), values)


def _counts(results, entry: str) -> dict[str, int]:
    loo = results.loo(entry)
    if "loo" not in loo.children:
        raise NotDrawn(f"{entry} has no leave-one-out results")
    found = loo["loo"].to_dataset()
    refit = int((found["method"] != "psis").sum())
    return {"refit": refit, "doubtful": found["total_doubtful"].item(), "n_units": found["elpd"].size}


def _selection(units: int) -> str:
    step = pit.selected(units).step
    return f" The figure shows one unit in {step}, evenly chosen." if step > 1 else ""


def _predicted(results, entry: str, outcome: str, predictive: xr.Dataset) -> Predicted:
    """All cells of the units shown, where they count, with the weights of draws in which they count
    too."""
    log_likelihood, unit = _summaries.sites(results, entry, "log_likelihood"), results.config["unit"]
    (scored,) = log_likelihood.data_vars
    chosen = {unit: pit.selected(log_likelihood.sizes[unit])}

    def without_unit(name: str) -> tuple[xr.DataArray, np.ndarray]:
        scores = log_likelihood[scored].isel(chosen)
        return loo_predictive.leave_one_out(predictive[name].isel(chosen), scores, results.loo(entry), unit)

    data = results.data.isel(chosen)
    drawn, log_weights = without_unit(outcome)
    rest = [dim for dim in data[outcome].dims if dim != unit]
    draws = drawn.transpose(unit, *rest, *_summaries.SAMPLE).values
    observed = data[outcome].transpose(unit, *rest)
    counted = xr.ones_like(observed, bool)
    gate = results.config.get("observed_where", {}).get(outcome)
    if gate:
        counted = (counted & (data[gate] != 0)).transpose(*observed.dims)
    if gate in predictive:
        log_weights = np.where(loo_predictive.units_first(without_unit(gate)[0], unit) != 0, log_weights, -np.inf)
    chains, length = log_weights.shape[1:]
    weights = np.broadcast_to(log_weights.reshape(-1, *[1] * len(rest), chains, length), draws.shape)
    return _flat(observed.values, draws, weights, counted.values)


def _flat(observed: np.ndarray, draws: np.ndarray, weights: np.ndarray, counted: np.ndarray) -> Predicted:
    keep = counted.ravel()
    draws = draws.reshape(keep.size, -1)[keep]
    weights = weights.reshape(keep.size, -1)[keep]
    with np.errstate(invalid="ignore"):  # values without a draw that counts
        weights = weights - logsumexp(weights, axis=1, keepdims=True)
    known = np.isfinite(weights).any(axis=1)
    return Predicted(observed.ravel()[keep][known], draws[known], weights[known], int((~known).sum()))


def _curve(kind: str, predicted: Predicted) -> pit.Curve:
    if kind == predictive_checks.YES_NO:
        probability = (np.exp(predicted.log_weights) * predicted.draws).sum(axis=1)
        return pit.reliability(probability, predicted.observed, SEED)
    found = pit.continuous if kind == predictive_checks.NUMBERS else pit.discrete
    return found(predicted.draws, predicted.log_weights, predicted.observed, SEED)


def _panel(axes: Axes, curve: pit.Curve, kind: str, colour: str, name: str) -> None:
    axes.fill_between(curve.at, curve.low, curve.high, color=_style.REFERENCE, alpha=0.25, linewidth=0)
    ends = [0, 1]
    if kind == predictive_checks.YES_NO:
        axes.plot(ends, ends, color=_style.REFERENCE, linewidth=0.8)
        axes.plot(curve.at, np.zeros(len(curve.at)), "|", color=_style.REFERENCE, markersize=4, rasterized=True)
        axes.set(xlabel=f"probability predicted without the unit:\n{name}", ylabel="observed share", ylim=(-0.03, 1.03))
    else:
        axes.axhline(0, color=_style.REFERENCE, linewidth=0.8)
        axes.set(xlabel=f"LOO-PIT of {name}", ylabel="cumulative share\nminus uniform")
    axes.plot(curve.at, curve.line, color=colour)


def _gated(outcome: str, gate: str, predicted: Predicted) -> str:
    undrawn = f"; {predicted.undrawn} of these have no draw in which it is" if predicted.undrawn else ""
    return f" {outcome} counts only where {gate} is not 0 ({len(predicted.observed)} values{undrawn})."


def _caption(kinds: list[str]) -> str:
    """What to look for in the sorts of outcomes that are shown."""
    sentences = ["{found}"]
    if set(kinds) - {predictive_checks.YES_NO}:
        sentences.append(PIT)
    if {predictive_checks.COUNTS, predictive_checks.LEVELS} & set(kinds):
        sentences.append(DISCRETE)
    if predictive_checks.YES_NO in kinds:
        sentences.append(RELIABILITY)
    return " ".join([*sentences, SIMULATED, SOURCE])


def _words(outcome: str, kind: str, curve: pit.Curve) -> str:
    apart = curve.line - (curve.at if kind == predictive_checks.YES_NO else 0.0)
    largest = int(np.argmax(np.abs(apart)))
    what = (
        "the observed share departs from the predicted probability"
        if kind == predictive_checks.YES_NO
        else "the LOO-PIT departs from uniform"
    )
    share = curve.outside.mean()
    band = (
        f"leaves its 95 % band at {100 * share:.0f} % of the points"
        if curve.outside.any()
        else "stays in its 95 % band"
    )
    return f"{outcome}: {what} by at most {abs(apart[largest]):.3f}, and {band}."
