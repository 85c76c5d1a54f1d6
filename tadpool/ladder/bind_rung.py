"""Bind a rung to a dataset: its form, the arrays beside its variables, and the function of data and hyperparameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from tadpool.ladder import cell_sums
from tadpool.ladder import data_facts as known
from tadpool.ladder.form import CELL, FIRST, FORM, RUNG, SCALES, Form, Predictor
from tadpool.ladder.rung import Instance
from tadpool.modelling.design import ROLES, groups

# Hyperparameters that say how a rung is computed or what its priors are in units of; the rung itself does not look at them.
OPTIONS = ("scaled", "parametrization", "collapse")
LEVELLED = ("categorical", "ordered")


@dataclass(frozen=True)
class Parts:
    """A rung bound to a dataset: a function of arrays by name, those it takes beside its variables, and its facts."""

    function: Callable
    arrays: dict[str, np.ndarray]
    facts: Mapping[str, Any]


def binder(rung: Callable, name: str) -> Callable:
    """The function that binds a rung: its file has it as `bound`."""
    return partial(bound, rung, name)


def bound(
    rung: Callable,
    name: str,
    design: Mapping[str, Any],
    dataset: xr.Dataset,
    static: Mapping[str, Any],
    facts: Mapping[str, Any] | None,
) -> Parts:
    """rung, name: the `model` of a file, and the file's. static: hyperparameters that are no floats. facts: those of the
    study's data, gathered from the dataset where they are None.
    """
    arrays: dict[str, np.ndarray] = {}
    if facts is None:
        facts = known.gathered(name, design, dataset, static["scaled"], f"models/{name}.py")
        if static["collapse"]:
            arrays, facts = _collapsed(name, design, dataset, facts)
    form = formed(name, design, dataset, facts, static.get("parametrization", "auto"), CELL in arrays)
    scales = [facts["outcome"], *(facts["predictors"][each["name"]] for each in design["predictors"])]
    arrays |= {SCALES: np.array([[each["location"], each["scale"]] for each in scales])}
    arrays |= {index: dataset[index].values for _, index in form.per}
    if design["unit"] in design["groups"]:
        arrays[f"{design['unit']}_index"] = np.arange(form.rows)
    kept = {key: value for key, value in static.items() if key not in OPTIONS}
    return Parts(partial(run, **{RUNG: rung, FORM: form}, **kept), arrays, facts)


def run(**arguments: Any) -> None:
    """Call a rung. arguments: the rung and its form, its hyperparameters, and arrays of the data."""
    rung, form = arguments.pop(RUNG), arguments.pop(FORM)
    prior = {key: arguments.pop(key) for key in rung.__kwdefaults__ if key in arguments}
    rung(Instance(form, arguments), **prior)


def _collapsed(
    name: str, design: Mapping[str, Any], dataset: xr.Dataset, facts: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], Mapping[str, Any]]:
    """The cells of the rows where sums over them are exact and there are few of them, and the facts that say so.

    Only of the study's data: other rows are in other cells.
    """
    if design["family"] not in cell_sums.FAMILIES or design["standard_error"]:
        return {}, facts
    rows = known.by_row(design, dataset)
    kinds = {each["name"]: each["kind"] for each in design["predictors"]}
    names = [f"{group}_index" for group in groups(name, design)]
    names += [f"{each}_index" if kind == "categorical" else each for each, kind in kinds.items() if kind in LEVELLED]
    if design["family"] in cell_sums.EXPONENTIAL:
        names += [*(each for each, kind in kinds.items() if kind in ("number", "binary")), *_offset_in_cells(design)]
    cell, first = cell_sums.cells([rows[each] for each in names], dataset.sizes[design["unit"]])
    worthwhile = cell_sums.WORTHWHILE * len(first) <= len(cell)
    facts = {**facts, "cells": {"rows": len(cell), "cells": len(first), "collapsed": worthwhile}}
    return ({CELL: cell, FIRST: first} if worthwhile else {}), facts


def _offset_in_cells(design: Mapping[str, Any]) -> list[str]:
    """The offset, where it does not factor out of a cell's probability."""
    return [design["offset"]] if design["offset"] and design["family"] != "poisson" else []


def formed(
    name: str,
    design: Mapping[str, Any],
    dataset: xr.Dataset,
    facts: Mapping[str, Any],
    parametrization: str,
    collapsed: bool,
) -> Form:
    """The form of a design on a dataset."""
    unit, predictors = design["unit"], design["predictors"]
    per = {each: _index(each, dataset, unit) for each in named(design) if each in dataset}
    latent = [each["name"] for each in predictors if each["kind"] == "number" and each["name"] in facts["means"]]
    centred = {effect: known["centred"] for effect, known in facts["effects"].items()}
    if parametrization != "auto":
        centred = dict.fromkeys(centred, parametrization == "centred")
    return Form(
        family=design["family"],
        outcome=design["outcome"],
        unit=unit,
        groups=tuple(design["groups"]),
        predictors=tuple(Predictor(each["name"], each["kind"], _levels(each, dataset)) for each in predictors),
        slopes=tuple(design["slopes"]),
        trials=design["trials"],
        exposure=design["exposure"],
        offset=design["offset"],
        standard_error=design["standard_error"],
        per=tuple((each, index) for each, index in per.items() if index),
        rows=dataset.sizes[unit],
        members=tuple(dataset.sizes.get(group, 0) for group in design["groups"]),
        levels=facts["levels"],
        means=tuple(facts["means"]),
        latent=tuple(latent) if name == "latent_mundlak" else (),
        non_centred=frozenset(effect for effect, yes in centred.items() if not yes),
        collapsed=collapsed,
    )


def named(design: Mapping[str, Any]) -> list[str]:
    """The variables of the design that may have one value per member of a group instead of per row."""
    predictors = [each["name"] for each in design["predictors"] if each["kind"] != "categorical"]
    return [*predictors, *(design[role] for role in ROLES if design[role])]


def _index(variable: str, dataset: xr.Dataset, unit: str) -> str | None:
    (dim,) = dataset[variable].dims
    return None if dim == unit else f"{dim}_index"


def _levels(predictor: Mapping[str, Any], dataset: xr.Dataset) -> int:
    name, kind = predictor["name"], predictor["kind"]
    return (
        dataset.sizes[name if kind == "categorical" else f"{name}_level"] if kind in ("categorical", "ordered") else 0
    )
