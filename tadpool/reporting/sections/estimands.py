"""The quantities that a study names as answers to its question."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats

from tadpool.errors import did_you_mean
from tadpool.files.results import StudyResults
from tadpool.formatting import decimals_for, general, number
from tadpool.intervals import HIGH, LOW
from tadpool.modelling.references import design_of, formula_of, reference
from tadpool.reporting.fit_view import Fit, draws

HEAVY_TAIL = 0.7
NORMAL_WIDTH = 3.2
"""Standard deviations in the 89 % interval of a normal distribution."""
SCALES = {None: lambda x: x, "exp": np.exp, "logistic": lambda x: 1 / (1 + np.exp(-x))}


@dataclass(frozen=True)
class Shown:
    """One quantity. value: mean or median, units and 89 % interval, or why there is none. known:
    whether there is one."""

    label: str
    fit: Fit
    value: str
    known: bool = True


def estimands(config: Mapping[str, Any], all_fits: Sequence[Fit]) -> list[Shown]:
    """Every quantity of the study, in its order; config: the study."""
    by_entry = {fit.entry: fit for fit in all_fits}
    return [_shown(each, by_entry[each["entry"]]) for each in config["estimands"]]


def has_expectation(results: StudyResults, entry: str) -> bool:
    """Whether predicted outcomes are known to have one: not where they are exponentials of the
    effect of a new member of a group, whose standard deviation is uncertain."""
    model = reference(results.config, entry)
    design = formula_of(model) or design_of(model)
    return not (results.config["predictions"][entry]["group"] and design and design.family.link.name == "log")


def mean_is_reliable(values: np.ndarray) -> bool:
    """Whether a few draws do not decide the mean of all: the Pareto k of no tail is above 0.7
    (Vehtari et al. 2024, J. Mach. Learn. Res. 25:72). A tail of equal values is none."""
    draws, found = values.astype(float).reshape(1, -1), []
    for tail in ("left", "right"):
        with suppress(ValueError):
            found.append(array_stats.pareto_khat(draws, chain_axis=0, draw_axis=1, r_eff=1.0, tail=tail))
    return not any(k > HEAVY_TAIL for k in found)


def interval(values: np.ndarray, units: str | None = None, exponential: bool = False) -> str:
    """`1.2 log-odds (89 % interval 0.4 to 2.1)`: mean and equal-tailed interval of draws.

    exponential: whether the draws are exponentials of others. Their expectation need not exist,
    since the posterior of a standard deviation has no light tail, and a mean of draws would depend
    on the largest few. Then, and where the draws themselves have such a tail, the median stands in
    its place: `1.2 (median, 89 % interval ...)`.
    """
    low, middle, high = np.quantile(values, [LOW, 0.5, HIGH])
    if exponential or not mean_is_reliable(values):
        # Two digits of the narrower side, so that neither end is 0 where the other one is far.
        decimals = decimals_for(min(middle - low, high - middle) or middle, 2)
        return _words(middle, units, "median, ", low, high, decimals)
    return _words(values.mean(), units, "", low, high, decimals_for(values.std(), 2))


def _words(value: float, units: str | None, which: str, low: float, high: float, decimals: int) -> str:
    value, low, high = (number(each, decimals) for each in (value, low, high))
    return f"{value}{f' {units}' if units else ''} ({which}89 % interval {low} to {high})"


def _shown(estimand: Mapping[str, Any], fit: Fit) -> Shown:
    if fit.failed:
        return Shown(estimand["label"], fit, "not known: its fit failed", False)
    tree = fit.results.predictions(fit.entry) if estimand["group"] == "predictions" else None
    found = (
        draws(fit.results, fit.entry, "posterior", [estimand["site"]]) if tree is None else tree.get("predictions", {})
    )
    if estimand["site"] not in found:
        return Shown(
            estimand["label"], fit, f"not known: there is no {estimand['site']} in its {estimand['group']}", False
        )
    values, reason = _chosen(found[estimand["site"]], estimand["at"])
    if reason:
        return Shown(estimand["label"], fit, f"not known: {reason}", False)
    scale = SCALES[estimand["scale"]]
    exponential = estimand["scale"] == "exp" or not (tree is None or has_expectation(fit.results, fit.entry))
    words = interval(scale(values.astype(float)), estimand["units"], exponential)
    return Shown(estimand["label"], fit, words + _truth(fit.results, estimand, scale))


def _truth(results: StudyResults, estimand: Mapping[str, Any], scale: Callable) -> str:
    """The value that the data were simulated with, where they were and the site has one."""
    if results.truth is None or estimand["group"] != "posterior" or estimand["site"] not in results.truth:
        return ""
    value, reason = _chosen(results.truth[estimand["site"]], estimand["at"])
    return "" if reason or np.isnan(value).any() else f"; the true value is {general(scale(value.item()), 3)}"


def _chosen(site: xr.DataArray, at: Mapping[str, Any]) -> tuple[np.ndarray, str]:
    """The draws of one element, flat, and why there are none. A dim of one member needs no
    choice."""
    for dim in (str(dim) for dim in site.dims if dim not in ("chain", "draw")):
        labels = site[dim].values.tolist()
        if dim in at and at[dim] not in labels:
            hint = did_you_mean(str(at[dim]), [str(label) for label in labels])
            return np.array([]), f"{at[dim]!r} is no member of {dim}{hint}"
        if dim not in at and len(labels) > 1:
            return np.array([]), f"{site.name} has {len(labels)} members of {dim}, and `at` chooses none of them"
        site = site.isel({dim: labels.index(at[dim]) if dim in at else 0})
    return site.values.ravel(), ""
