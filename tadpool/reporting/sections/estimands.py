"""The quantities that a study names as answers to its question."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from tadpool.errors import did_you_mean
from tadpool.files.results import StudyResults
from tadpool.formatting import decimals_for, general, number
from tadpool.intervals import HIGH, LOW
from tadpool.reporting.fit_view import Fit, draws

SCALES = {None: lambda x: x, "exp": np.exp, "logistic": lambda x: 1 / (1 + np.exp(-x))}


@dataclass(frozen=True)
class Shown:
    """One quantity. value: mean, units and 89 % interval, or why there is none. known: whether
    there is one."""

    label: str
    fit: Fit
    value: str
    known: bool = True


def estimands(config: Mapping[str, Any], all_fits: Sequence[Fit]) -> list[Shown]:
    """Every quantity of the study, in its order; config: the study."""
    by_entry = {fit.entry: fit for fit in all_fits}
    return [_shown(each, by_entry[each["entry"]]) for each in config["estimands"]]


def interval(values: np.ndarray, units: str | None = None) -> str:
    """`1.2 log-odds (89 % interval 0.4 to 2.1)`: mean and equal-tailed interval of draws."""
    low, high = np.quantile(values, [LOW, HIGH])
    mean, low, high = (number(each, decimals_for(values.std(), 2)) for each in (values.mean(), low, high))
    return f"{mean}{f' {units}' if units else ''} (89 % interval {low} to {high})"


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
    words = interval(scale(values.astype(float)), estimand["units"])
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
