"""Bind a rung to a dataset: its bound design, the arrays beside its variables, and the function of
data and hyperparameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from tadpool.ladder import cell_sums
from tadpool.ladder import data_facts as known
from tadpool.ladder.bound_design import CELL, DESIGN, FIRST, MODEL, SCALES, BoundDesign
from tadpool.ladder.rung import Rung
from tadpool.modelling.design import LEVELLED, Design
from tadpool.modelling.group_means import held_mean
from tadpool.modelling.rungs import RUNGS

# Hyperparameters that say how a rung is computed or what its priors are in units of; the rung
# itself does not look at them.
OPTIONS = ("scaled", "parametrization", "collapse")


@dataclass(frozen=True)
class Parts:
    """A model with a design bound to a dataset: a function of arrays by name, those it takes beside
    its variables, its facts, and coordinates of dims that the dataset does not have."""

    function: Callable
    arrays: dict[str, np.ndarray]
    facts: Mapping[str, Any]
    coords: Mapping[str, Any] = field(default_factory=dict)


def binder(model: Callable, name: str) -> Callable:
    """The function that binds a rung: its file has it as `bound`."""
    return partial(bound, model, name)


def bound(
    model: Callable,
    name: str,
    design: Design,
    dataset: xr.Dataset,
    static: Mapping[str, Any],
    facts: Mapping[str, Any] | None,
) -> Parts:
    """Bind a rung to a dataset.

    Args:
        model: The `model` of the rung's file.
        name: Name of the rung.
        design: The design that it is built for.
        dataset: The data.
        static: Its hyperparameters that are no floats.
        facts: Those of the study's data (`data_facts`); None gathers them from the dataset.

    Returns:
        The function and its arrays.

    Raises:
        UserError: The data do not suit the family or the rung.
    """
    arrays: dict[str, np.ndarray] = {}
    if facts is None:
        facts = known.gathered(name, design, dataset, static["scaled"], f"models/{name}.py")
        if static["collapse"]:
            arrays, facts = _collapsed(name, design, dataset, facts)
    bound_design = bind_design(name, design, dataset, facts, static.get("parametrization", "auto"), CELL in arrays)
    arrays |= {SCALES: np.hstack([_scales(design, facts), _scales(design, facts["units"])])}
    arrays |= {index: dataset[index].values for _, index in bound_design.per}
    held = [held_mean(each, design.group) for each in bound_design.means]
    arrays |= {each: dataset[each].values for each in held if each in dataset}
    if design.unit in design.groups:
        arrays[f"{design.unit}_index"] = np.arange(bound_design.rows)
    kept = {key: value for key, value in static.items() if key not in OPTIONS}
    return Parts(partial(run, **{MODEL: model, DESIGN: bound_design}, **kept), arrays, facts)


def _scales(design: Design, facts: Mapping[str, Any]) -> np.ndarray:
    """Location and scale of the outcome, then of each predictor: (1 + predictors, 2)."""
    each = [facts["outcome"], *(facts["predictors"][predictor.name] for predictor in design.predictors)]
    return np.array([[of["location"], of["scale"]] for of in each])


def run(**arguments: Any) -> None:
    """Call a rung.

    Args:
        **arguments: The `model` of its file, its bound design, its own and its family's
            hyperparameters, and arrays of the data.
    """
    model, design = arguments.pop(MODEL), arguments.pop(DESIGN)
    prior = {key: arguments.pop(key) for key in model.__kwdefaults__ if key in arguments}
    of_family = [key for parameter in design.design.parameters for key, _ in parameter.hyperparameters]
    own = {key: arguments.pop(key) for key in of_family}
    model(Rung(design, arguments, own), **prior)


def _collapsed(
    name: str, design: Design, dataset: xr.Dataset, facts: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], Mapping[str, Any]]:
    """The cells of the rows where sums over them are exact and there are few of them, and the facts
    that say so.

    Only of the study's data: other rows are in other cells.
    """
    if design.family.name not in cell_sums.SUMMED or design.standard_error or design.bounded:
        return {}, facts
    rows = known.by_row(design, dataset)
    names = [f"{group}_index" for group in RUNGS[name].groups(design)]
    names += [each.variable for each in design.predictors if each.kind in LEVELLED]
    if design.family.name in cell_sums.EXPONENTIAL:
        names += [*(each.name for each in design.predictors if each.kind not in LEVELLED), *offset_in_cells(design)]
    cell, first = cell_sums.cells([rows[each] for each in names], dataset.sizes[design.unit])
    worthwhile = cell_sums.WORTHWHILE * len(first) <= len(cell)
    facts = {**facts, "cells": {"rows": len(cell), "cells": len(first), "collapsed": worthwhile}}
    return ({CELL: cell, FIRST: first} if worthwhile else {}), facts


def offset_in_cells(design: Design) -> list[str]:
    """The offset, where it does not factor out of a cell's probability."""
    return [design.offset] if design.offset and design.family.link.name != "log" else []


def bind_design(
    name: str, design: Design, dataset: xr.Dataset, facts: Mapping[str, Any], parametrization: str, collapsed: bool
) -> BoundDesign:
    """Bind a design to a dataset.

    Args:
        name: Name of the rung.
        design: The design.
        dataset: The data.
        facts: Those of the study's data.
        parametrization: centred, non_centred or auto: as the facts say.
        collapsed: Whether the likelihood is computed from sums over cells.

    Returns:
        The bound design.
    """
    unit = design.unit
    per = {each: _index(each, dataset, unit) for each in _by_row_or_member(design) if each in dataset}
    latent = [each for each in RUNGS[name].latent(design) if each in facts["means"]]
    centred = {effect: known["centred"] for effect, known in facts["effects"].items()}
    if parametrization != "auto":
        centred = dict.fromkeys(centred, parametrization == "centred")
    return BoundDesign(
        design=design,
        per=tuple((each, index) for each, index in per.items() if index),
        rows=dataset.sizes[unit],
        members=tuple(dataset.sizes.get(group, 0) for group in design.groups),
        predictor_levels=tuple(dataset.sizes[each.levels_dim] if each.levels_dim else 0 for each in design.predictors),
        levels=facts["levels"],
        means=tuple(facts["means"]),
        latent=tuple(latent),
        non_centred=frozenset(effect for effect, yes in centred.items() if not yes),
        collapsed=collapsed,
    )


def _by_row_or_member(design: Design) -> list[str]:
    """The variables of the design that may have one value per member of a group instead of per
    row."""
    return [*(each.name for each in design.predictors if each.kind != "categorical"), *design.roles.values()]


def _index(variable: str, dataset: xr.Dataset, unit: str) -> str | None:
    (dim,) = dataset[variable].dims
    return None if dim == unit else f"{dim}_index"
