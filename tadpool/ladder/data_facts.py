"""What a rung takes from the study's data and then keeps: scales of its priors, and which effects
are sampled centred.

Facts are computed once, where a rung is bound to the data of a study, and stay the same where
outcomes are simulated, rows are held out or new rows are predicted. They are plain numbers and go
into fit.nc, so that pages can show them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from tadpool.errors import UserError
from tadpool.ladder.bound_design import effect, latent_mean
from tadpool.ladder.first_estimates import Working, columns_of, informative, working
from tadpool.loading.sources import CENSORED
from tadpool.modelling.design import Design, Predictor
from tadpool.modelling.families import IDENTITY
from tadpool.modelling.rungs import RUNGS

ENOUGH = 0.5
"""Effects are centred where the median over groups of the reliability of a group's own estimate is
above it."""


def gathered(rung: str, design: Design, dataset: xr.Dataset, scaled: bool, where: str) -> dict[str, Any]:
    """The facts of a rung on a study's data.

    Args:
        rung: Name of the rung.
        design: The design that it is built for.
        dataset: The study's data.
        scaled: Whether priors are in units of the data.
        where: The rung's file, as messages name it.

    Returns:
        outcome, predictors: location and scale that priors are stated in; all 0 and 1 unless
            `scaled`.
        units: the same of the data, whether `scaled` or not: the sampler's units.
        levels: of an ordered outcome.
        means: the predictors that differ within the first group.
        effects: varying effect -> how well each group's own rows determine it: `between` (variance
            between groups), `within` (median squared standard error of a group's own estimate),
            `reliability` (median over groups of between / (between + squared standard error)),
            groups, and `centred`.

    Raises:
        UserError: The data are impossible under the family, or no group mean is left to a rung that
            needs one.
    """
    rows = by_row(design, dataset)
    refuse(design, rows, where)
    work = working(design, rows, columns_of(design, rows))
    return {
        **_scales(design, rows, scaled),
        "units": _scales(design, rows, True),
        "levels": levels(design, dataset) if design.family.link.cutpoints else 0,
        "means": _means(rung, design, rows, where),
        "effects": _effects(rung, design, rows, work),
    }


def by_row(design: Design, dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """Every variable of the design that the dataset has, with one value for each row."""
    names = [design.outcome, *design.roles.values(), *(each.variable for each in design.predictors)]
    names += [f"{group}_index" for group in design.groups]
    rows = {f"{design.unit}_index": np.arange(dataset.sizes[design.unit])}
    for name in names:
        if name in dataset:
            variable = dataset[name]
            index = None if variable.dims == (design.unit,) else dataset[f"{variable.dims[0]}_index"].values
            rows[name] = variable.values if index is None else variable.values[index]
    return rows


def refuse(design: Design, rows: Mapping[str, np.ndarray], where: str) -> None:
    """Raises UserError where the data are impossible under the family."""
    outcome = rows[design.outcome]
    if design.family.link == IDENTITY and np.ptp(outcome) == 0:
        raise UserError(f"{where}: {design.outcome} has the same value in all rows, so there is nothing to explain")
    if refused := design.family.refused(outcome):
        what = f"{where}: {design.outcome} has values that are {refused}, as the family {design.family.name} needs"
        raise UserError(f"{what}; correct the table or choose another family")
    if design.censored:
        _refuse_censoring(design, rows, where)
    if design.truncated:
        lower, upper = design.truncated
        beyond = (outcome < (-np.inf if lower is None else lower)) | (outcome > (np.inf if upper is None else upper))
        if beyond.any():
            what = f"{where}: {design.outcome} is {outcome[beyond][0]:g} in a row, beyond the ends of `truncated`"
            raise UserError(f"{what}; remove such rows, or correct the ends")
    if design.offset and (wrong := design.family.refused_offset(rows[design.offset])):
        raise UserError(f"{where}: {design.offset} {wrong}; give it on that scale")


def _refuse_censoring(design: Design, rows: Mapping[str, np.ndarray], where: str) -> None:
    status = rows[design.censored]
    if not np.isin(status, list(CENSORED.values())).all():
        raise UserError(f"{where}: {design.censored} has values other than -1, 0, 1 and 2; correct the table")
    interval = status == CENSORED["interval"]
    if not interval.any():
        return
    if not design.interval_end:
        what = f"{where}: {design.censored} has intervals, but no variable has their upper ends"
        raise UserError(f"{what}; name it as `interval_end`")
    if (rows[design.interval_end][interval] <= rows[design.outcome][interval]).any():
        raise UserError(f"{where}: an interval of {design.outcome} ends below its value; correct {design.interval_end}")


def _scales(design: Design, rows: Mapping[str, np.ndarray], scaled: bool) -> dict[str, Any]:
    return {
        "outcome": outcome_scale(design, rows, scaled),
        "predictors": {each.name: _predictor_scale(each, rows, scaled) for each in design.predictors},
    }


def outcome_scale(design: Design, rows: Mapping[str, np.ndarray], scaled: bool) -> dict[str, float]:
    """Of the outcome itself, or on the scale of the link: the log of the mean rate or of the median
    for the log link, else 0 and 1."""
    outcome = rows[design.outcome].astype(float)
    if scaled and design.family.link == IDENTITY:
        outcome = outcome - _offset(design, rows)
        return {"location": float(outcome.mean()), "scale": float(outcome.std())}
    if scaled and design.family.link.name == "log":
        return {
            "location": _log_of_typical(design, outcome, _offset(design, rows) * np.ones(len(outcome))),
            "scale": 1.0,
        }
    return {"location": 0.0, "scale": 1.0}


def _log_of_typical(design: Design, outcome: np.ndarray, offset: np.ndarray) -> float:
    """The linear predictor of all rows (rows,) without their offset, if it is the same."""
    family = design.family
    kept = informative(family, outcome)
    outcome, offset = outcome[kept], offset[kept]
    if family.link.multiplied == "median":
        return float((np.log(outcome) - offset).mean())
    smallest = 0.5 if family.counted else 0.0
    return float(np.log(max(outcome.sum(), smallest) / np.exp(offset).sum()))


def _offset(design: Design, rows: Mapping[str, np.ndarray]) -> np.ndarray | float:
    """What is added to the linear predictor: the offset and the log of the exposure."""
    offset = rows[design.offset] if design.offset else 0.0
    return offset + (np.log(rows[design.exposure]) if design.exposure else 0.0)


def _predictor_scale(predictor: Predictor, rows: Mapping[str, np.ndarray], scaled: bool) -> dict[str, float]:
    """Mean and standard deviation of a number, 1 in place of the latter where it does not vary; 0
    and 1 of all others, whose effects are those of a whole step."""
    values = rows.get(predictor.name)
    if not scaled or predictor.kind != "number":
        return {"location": 0.0, "scale": 1.0}
    if np.ptp(values) == 0:
        return {"location": float(values[0]), "scale": 1.0}
    return {"location": float(values.mean()), "scale": float(values.std())}


def levels(design: Design, dataset: xr.Dataset) -> int:
    """Levels of an ordered outcome: those of its dim, those that its attributes name, or those that
    occur."""
    outcome = dataset[design.outcome]
    named = dataset.sizes.get(f"{design.outcome}_level", len(np.atleast_1d(outcome.attrs.get("flag_values", []))))
    return max(int(named), int(outcome.max()) + 1)


def _means(rung: str, design: Design, rows: Mapping[str, np.ndarray], where: str) -> list[str]:
    """The predictors of a rung about group means that do differ within groups."""
    if not RUNGS[rung].group_means:
        return []
    group = design.group
    index = rows[f"{group}_index"]
    first = np.zeros(index.max() + 1, int)
    first[index[::-1]] = np.arange(len(index))[::-1]
    names = [each.name for each in design.within]
    found = [name for name in names if np.any(rows[name] != rows[name][first[index]])]
    for name in RUNGS[rung].latent(design):
        if name not in found:
            what = f"{where}: {name} is the same in all rows of each {group}, so it has no latent mean"
            raise UserError(f"{what}; declare its column as `per: {group}`")
    if not found:
        raise UserError(
            f"{where}: no predictor varies within {group}, so a {group}'s mean says nothing that it does not"
        )
    return found


def _effects(rung: str, design: Design, rows: Mapping[str, np.ndarray], work: Working) -> dict[str, Any]:
    chosen = RUNGS[rung]
    if not chosen.partial:
        return {}
    found = {}
    for number, group in enumerate(design.groups):
        estimates = work.means(rows[f"{group}_index"])
        found[effect(group, first=number == 0)] = reliability(*estimates)
    index = rows[f"{design.group}_index"]
    for name in design.slopes if chosen.slopes else ():
        found[effect(design.group, name)] = reliability(*work.slopes(index, rows[name]))
    for name in chosen.latent(design):
        own = Working.of_measurements(rows[name].astype(float))
        found[latent_mean(name, design.group)] = reliability(*own.means(index))
    return found


def _spread_of_weights(weights: np.ndarray) -> float:
    """The sum of the weights less that of their squares over it, without cancellation where one
    weight exceeds all others by far."""
    total, largest = weights.sum(), np.argmax(weights)
    others = total - weights
    others[largest] = np.delete(weights, largest).sum()
    return float((weights / total * others).sum())


def reliability(estimates: np.ndarray, errors: np.ndarray) -> dict[str, Any]:
    """How well groups' own data determine an effect, from each group's own estimate and its squared
    standard error, which is infinite where it has none."""
    return reliability_of(between_groups(estimates, errors), errors)


def between_groups(estimates: np.ndarray, errors: np.ndarray) -> float:
    """The variance between groups, from their own estimates and squared standard errors.

    Source: the moment estimate of DerSimonian & Laird (1986), Controlled Clinical Trials 7:177.
    """
    known = np.isfinite(errors)
    # An error of 0 counts as one that is small against all others and the differences.
    size = max([*errors[known], np.ptp(estimates[known]) ** 2 if known.any() else 0.0])
    weights = np.where(known, 1 / np.where(known, np.maximum(errors, 1e-24 * size or 1.0), 1), 0.0)
    total = weights.sum()
    between = 0.0
    if known.sum() > 1:
        centre = (weights * np.where(known, estimates, 0)).sum() / total
        excess = (weights * np.where(known, estimates - centre, 0) ** 2).sum() - (known.sum() - 1)
        between = max(0.0, float(excess / _spread_of_weights(weights)))
    return between


def reliability_of(between: float, errors: np.ndarray) -> dict[str, Any]:
    """How well groups' own data determine an effect that has a variance `between` them."""
    known = np.isfinite(errors)
    shares = (
        np.where(known, between / (between + np.where(known, errors, 1)), 0.0) if between > 0 else np.zeros(len(errors))
    )
    median = float(np.median(shares))
    within = float(np.median(errors[known])) if known.any() else None
    return {
        "groups": len(errors),
        "between": between,
        "within": within,
        "reliability": median,
        "centred": median > ENOUGH,
    }
