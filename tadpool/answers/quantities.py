"""The quantities of one answer: draws (quantity, chain, draw) of one fit, each with its name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from tadpool import expressions
from tadpool.answers.predicted import STEP, Fitted, shifted
from tadpool.answers.programs import Target
from tadpool.elements import element_labels
from tadpool.errors import UserError, did_you_mean
from tadpool.formatting import general
from tadpool.modelling.references import design_of, formula_of

SAMPLE = ("chain", "draw")
MEASURES: dict[str, Callable[[Any, Any], Any]] = {
    "difference": lambda before, after: after - before,
    "ratio": lambda before, after: after / before,
    "percent": lambda before, after: 100 * (after / before - 1),
    "odds_ratio": lambda before, after: (after / (1 - after)) / (before / (1 - before)),
}
"""How two predictions are compared: the one before a change and the one after it."""
NEUTRAL = {"difference": 0.0, "ratio": 1.0, "percent": 0.0, "odds_ratio": 1.0}
TRANSFORMS = {"exp": np.exp, "logistic": lambda x: 1 / (1 + np.exp(-x))}
ROUNDING = 1e-12
"""A share of variance below it is one of equal numbers."""
LARGEST = 2000
"""Quantities of one answer."""


@dataclass(frozen=True)
class Quantities:
    """Draws of quantities. names: one for each. draws: (quantity, chain, draw). ratios: whether
    they are ratios, or exponentials, whose means need not exist. statement: whether they are 0 or
    1."""

    names: tuple[str, ...]
    draws: xr.DataArray
    ratios: bool = False
    statement: bool = False


def quantities(answer: Mapping[str, Any], fitted: Fitted) -> Quantities:
    """The quantities of an answer, by one fit.

    Args:
        answer: As in config, see `tadpool.config.schema.answers.Answer`.
        fitted: The fit.

    Raises:
        UserError: The fit does not have what the answer needs, in words that follow its name.
    """
    kind = next(key for key in KINDS if answer[key] is not None)
    found = KINDS[kind](answer, fitted)
    if answer["transform"]:
        values = TRANSFORMS[answer["transform"]](found.draws)
        found = Quantities(found.names, values, found.ratios or answer["transform"] == "exp", found.statement)
    if answer["pairs"]:
        found = _pairs(found, answer["pairs"])
    if not np.isfinite(found.draws.values).all():
        raise UserError("some of its draws are not finite")
    if len(found.names) > LARGEST:
        raise UserError(f"it has {len(found.names):,} quantities; ask for at most {LARGEST:,}")
    return found


def _named(values: xr.DataArray, prefix: str = "") -> tuple[tuple[str, ...], xr.DataArray]:
    """The elements of draws (chain, draw, ...) by their labels, behind `prefix` where there is
    one."""
    labels = [", ".join(each) for each in element_labels(values)]
    dims = [dim for dim in values.dims if dim not in SAMPLE]
    flat = values.transpose(*dims, *SAMPLE).values.reshape(len(labels), *(values.sizes[dim] for dim in SAMPLE))
    names = tuple(": ".join(filter(None, (prefix, label))) for label in labels)
    coords = {dim: values[dim].values for dim in SAMPLE if dim in values.coords}
    return names, xr.DataArray(flat.astype(float), coords, ("quantity", *SAMPLE))


def _joined(parts: Sequence[tuple[str, xr.DataArray]]) -> tuple[tuple[str, ...], xr.DataArray]:
    found = [_named(values, prefix) for prefix, values in parts]
    return tuple(name for names, _ in found for name in names), xr.concat([draws for _, draws in found], "quantity")


def _value(answer: Mapping[str, Any], fitted: Fitted) -> Quantities:
    """An expression in the parameters of the fit."""
    expression = expressions.parsed(answer["value"])
    value = _evaluated(expression, fitted)
    if not isinstance(value, xr.DataArray) or not set(SAMPLE) <= set(value.dims):
        raise UserError(f"{answer['value']!r} has no parameter in it; name one")
    exponential = "exp(" in expression.text or "/" in expression.text
    return Quantities(*_named(value), ratios=exponential, statement=expression.statement)


def true_values(answer: Mapping[str, Any], found: Quantities, truth: xr.Dataset | None) -> np.ndarray:
    """The value of an expression at the values that data were simulated with, for each quantity;
    NaN where these are not known."""
    nothing = np.full(len(found.names), np.nan)
    if truth is None or answer["value"] is None or answer["pairs"] or found.statement:
        return nothing
    expression = expressions.parsed(answer["value"])
    if not set(expression.names) <= set(truth.data_vars):
        return nothing
    try:
        value = expression.value({name: truth[name] for name in expression.names}, _member, FUNCTIONS)
    except UserError:
        return nothing
    values = np.ravel(np.asarray(value, float))
    values = TRANSFORMS[answer["transform"]](values) if answer["transform"] else values
    return values if len(values) == len(found.names) else nothing


def _evaluated(expression: expressions.Expression, fitted: Fitted) -> Any:
    known = {str(name): site for name, site in fitted.posterior.data_vars.items()}
    for name in expression.names:
        if name not in known:
            raise UserError(f"{fitted.entry.entry} has no parameter {name!r}{did_you_mean(name, list(known))}")
    return expression.value(known, _member, FUNCTIONS)


def _member(name: str, site: xr.DataArray, labels: tuple[str, ...]) -> xr.DataArray:
    """The value of the member with these labels, one for each dim."""
    dims = [dim for dim in site.dims if dim not in SAMPLE]
    if len(labels) != len(dims):
        needed = f"needs a label for each of {', '.join(map(str, dims))}" if dims else "has no members"
        raise UserError(f"{name} {needed}")
    chosen = {}
    for dim, label in zip(dims, labels, strict=True):
        own = [str(each) for each in (site[dim].values if dim in site.coords else range(site.sizes[dim]))]
        if label not in own:
            raise UserError(f"{label!r} is not a member of {dim}{did_you_mean(label, own[:1000])}")
        chosen[dim] = own.index(label)
    return site.isel(chosen, drop=True)


def _over_members(function: str) -> Callable[[xr.DataArray], xr.DataArray]:
    def applied(values: xr.DataArray) -> xr.DataArray:
        dims = [dim for dim in values.dims if dim not in SAMPLE]
        return getattr(values, function)(dims, **({"ddof": 1} if function == "std" else {}))

    return applied


FUNCTIONS: dict[str, Callable] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": abs,
    "logistic": TRANSFORMS["logistic"],
    "logit": lambda p: np.log(p) - np.log1p(-p),
    "mean": _over_members("mean"),
    "sd": _over_members("std"),
    "min": _over_members("min"),
    "max": _over_members("max"),
}


def _target(answer: Mapping[str, Any], fitted: Fitted) -> Target:
    outcome = answer["outcome"] or fitted.entry.outcomes[0]
    return Target(answer["over"], outcome, answer["group"], answer["by"], answer["of"], answer["at_least"])


def _elements(values: xr.DataArray, at: Mapping[str, Any]) -> xr.DataArray:
    """The elements of an outcome with several that `at` names."""
    for dim, label in at.items():
        own = [str(each) for each in values[dim].values] if dim in values.coords else []
        if dim not in values.dims or (own and str(label) not in own):
            raise UserError(f"{dim} {label!r} is not in the outcome")
        values = values.isel({dim: own.index(str(label)) if own else int(label)}, drop=True)
    return values


def _predict(answer: Mapping[str, Any], fitted: Fitted) -> Quantities:
    """Expected or future outcomes where predictors have these values."""
    (values,) = fitted.predicted(_target(answer, fitted), [answer["predict"]])
    return Quantities(*_named(_elements(values, answer["at"])), ratios=_without_mean(answer, fitted))


def _without_mean(answer: Mapping[str, Any], fitted: Fitted) -> bool:
    """Whether what is predicted is the exponential of the effect of a new member, whose mean over
    the draws of its standard deviation need not exist."""
    design = formula_of(fitted.entry.model) or design_of(fitted.entry.model)
    return answer["over"] == "new" and design is not None and design.family.link.name == "log"


def _compare(answer: Mapping[str, Any], fitted: Fitted) -> Quantities:
    """How expected outcomes change with a predictor."""
    ((predictor, change),) = answer["compare"].items()
    fixed, target = answer["where"], _target(answer, fitted)
    steps, per = _steps(predictor, change, fitted)
    settings = [{**fixed, **({predictor: value} if value is not None else {})} for _, value in steps]
    values = [_elements(each, answer["at"]) for each in fitted.predicted(target, settings)]
    measure, first = MEASURES[answer["measure"]], values[0]
    named = [
        (_change(label, steps), measure(first, after) / per)
        for (label, _), after in zip(steps[1:], values[1:], strict=True)
    ]
    return Quantities(*_joined(named), ratios=answer["measure"] != "difference")


def _change(label: str, steps: Sequence[tuple[str, Any]]) -> str:
    """Name of a change from the first step to another one; empty where the question says it all."""
    first = steps[0][0]
    return label if not first else f"{label} against {first}" if len(steps) > 2 else ""


def _steps(predictor: str, change: Any, fitted: Fitted) -> tuple[list[tuple[str, Any]], float]:
    """The settings of a predictor that are compared, each with its label, the first with all
    others; and what a difference is divided by."""
    if change == "levels":
        return [(general(level), level) for level in fitted.levels(predictor)], 1.0
    if change == "slope":
        step = STEP * fitted.span(predictor)
        return [("", shifted(-step / 2)), ("", shifted(step / 2))], step
    if change == "sd":
        sd = fitted.sd(predictor)
        return [("", None), (f"{predictor} + {sd:.3g}", shifted(sd))], 1.0
    if isinstance(change, list):
        return [(general(level), level) for level in change], 1.0
    return [("", None), ("", shifted(float(change)))], 1.0


def _rank(answer: Mapping[str, Any], fitted: Fitted) -> Quantities:
    """What members of a group are ranked by: an expression, or their expected outcomes."""
    if answer["rank"] not in fitted.entry.groups:
        found = _value({**answer, "value": answer["rank"]}, fitted)
    else:
        outcome = answer["outcome"] or fitted.entry.outcomes[0]
        target = Target("members", outcome, answer["rank"], at_least=answer["at_least"])
        (values,) = fitted.predicted(target, [answer["where"]])
        found = Quantities(*_named(_elements(values, answer["at"])))
    if len(found.names) < 2:
        raise UserError(f"{answer['rank']!r} has no members to be ranked")
    return found


def _r2(answer: Mapping[str, Any], fitted: Fitted) -> Quantities:
    """The share of the variance of outcomes that expected ones have: with the members' effects
    (conditional) or without (marginal). Gelman, Goodrich, Gabry & Vehtari (2019), The American
    Statistician 73:307; Nakagawa & Schielzeth (2013), Methods in Ecology and Evolution 4:133."""
    outcome = answer["outcome"] or fitted.entry.outcomes[0]
    conditional, around = fitted.moments(Target("observed", outcome))
    explained = conditional
    if answer["r2"] == "marginal":
        explained, _ = fitted.moments(Target("typical", outcome))
    share = explained / (conditional + around)
    return Quantities(*_named(_elements(share.where(share > ROUNDING, 0.0), answer["at"])))


KINDS: dict[str, Callable[[Mapping[str, Any], Fitted], Quantities]] = {
    "value": _value,
    "predict": _predict,
    "compare": _compare,
    "rank": _rank,
    "r2": _r2,
}


def _pairs(found: Quantities, measure: str) -> Quantities:
    """All pairs of quantities compared: the later one with the earlier one."""
    pairs = list(combinations(range(len(found.names)), 2))
    if not pairs:
        raise UserError("it has one quantity, and pairs need two")
    names = tuple(f"{found.names[after]} − {found.names[before]}" for before, after in pairs)
    if measure != "difference":
        names = tuple(f"{found.names[after]} / {found.names[before]}" for before, after in pairs)
    first, second = (found.draws.isel(quantity=[pair[i] for pair in pairs]) for i in (0, 1))
    return Quantities(names, MEASURES[measure](first, second), measure != "difference")
