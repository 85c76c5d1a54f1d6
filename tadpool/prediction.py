"""Predict new members of a group from a fit, written as predictions.nc."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tadpool import compile_cache, contracts, io, lanes, sampling, seeds
from tadpool import data as datasets
from tadpool.binding import Bound, bind, labelled, small
from tadpool.errors import UserError


def predict(
    output: str,
    provenance: str,
    data: str,
    fit: str,
    threads: int,
    *,
    seed: int,
    study: str,
    entry: str,
    model: str,
    hyperparameters: Mapping[str, Any],
    group: str,
    label: str | None,
    rows: Sequence[Mapping[str, Any]],
    unit: str,
    precision: str,
) -> None:
    """Draw the outcomes of `rows` of one new member of `group` into `output` (contracts.PREDICTIONS).

    A fit that failed or crashed gives a file without numbers that says so.
    """
    tree = io.read(fit, contracts.FIT)
    attributes = {"provenance": provenance, "status": tree.attrs["status"], "reason": tree.attrs["reason"]}
    result = xr.DataTree(xr.Dataset(attrs=attributes))
    if tree.attrs["status"] == "ok":
        lanes.start(threads, precision)
        dataset = datasets.merged(io.read(data, contracts.DATA))
        label = label or f"new {group}"
        key = seeds.key(seed, study, entry, "predictions")
        posterior = tree["posterior"].to_dataset()
        with compile_cache.used():
            predicted = new_group(model, hyperparameters, dataset, posterior, group, label, unit, rows or [{}], key)
        result.update(predicted.children)
    io.write(output, result, contracts.PREDICTIONS)


def new_group(
    model: str,
    hyperparameters: Mapping[str, Any],
    dataset: xr.Dataset,
    posterior: xr.Dataset,
    group: str,
    label: str,
    unit: str,
    rows: Sequence[Mapping[str, Any]],
    key: np.ndarray,
) -> xr.DataTree:
    """Predict rows of one new member of a grouping dim from posterior draws (chain, draw, ...).

    The population's sites keep their posterior draws; every site with the dim `group` is drawn anew from its
    distribution given them, and so are the outcomes. rows: the dataset variables of each row other than the group's
    index. Raises UserError for a variable that a row does not give.
    """
    original = bind(model, dataset, hyperparameters)
    bound = bind(model, _rows(original, dataset, group, label, unit, rows), hyperparameters)
    anew = [site for site, dims in original.dims.items() if group in dims]
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    batch = lanes.Lanes(
        np.tile(key, (chains, 1)),
        np.arange(chains),
        arguments={name: np.full(chains, value) for name, value in original.hyperparameters.items()},
    )
    population = {name: value.values for name, value in posterior.data_vars.items() if name not in anew}
    record = [*anew, *(name for name in bound.outcomes if name not in anew)]
    values = sampling.predict(bound, batch, population, np.arange(draws), key, record)
    return xr.DataTree.from_dict(
        {
            "predictions": labelled(bound, {name: small(value) for name, value in values.items()}),
            "predictions_constant_data": bound.dataset[[n for n in bound.inputs if n in bound.dataset.data_vars]],
        }
    )


def _rows(bound: Bound, dataset: xr.Dataset, group: str, label: str, unit: str, rows) -> xr.Dataset:
    """The dataset of the rows to predict: one new member of `group`, the variables of `rows`."""
    count = len(rows)
    variables = {}
    for name, value in bound.inputs.items():
        if name == f"{group}_index":
            variables[name] = (unit, np.zeros(count, int))
        elif name in dataset and unit in dataset[name].dims:
            absent = [i for i, row in enumerate(rows) if name not in row]
            if absent:
                raise UserError(f"predictions: row {absent[0] + 1} does not say {name}, which the model needs; add it")
            variables[name] = (unit, np.asarray([row[name] for row in rows], value.dtype))
    coords = {unit: np.arange(1, count + 1), group: [label] if group != unit else np.arange(1, count + 1)}
    kept = dataset.drop_dims([dim for dim in (unit, group) if dim in dataset.dims])
    return kept.assign(variables).assign_coords(coords)
