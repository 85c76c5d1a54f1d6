"""Predict new members of a group from a fit, written as predictions.nc."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tadpool import seeds
from tadpool.engine import compile_cache, lanes
from tadpool.errors import UserError, did_you_mean
from tadpool.files import contracts, io
from tadpool.fitting import sampling
from tadpool.fitting.job import Job
from tadpool.modelling.binding import Bound, labelled, open_bound, smallest_integer_type
from tadpool.modelling.entry import Entry
from tadpool.modelling.references import design_of, formula_of


def predict(
    job: Job,
    entry: Entry,
    *,
    group: str | None,
    label: str | None,
    rows: Sequence[Mapping[str, Any]] | None,
    precision: str,
) -> None:
    """Write predicted outcomes of rows into `job.output` (contracts.PREDICTIONS).

    A fit that failed or crashed gives a file without numbers that says so.

    Args:
        job: Reads `data` and `fit`.
        entry: The entry that was fitted.
        group: A group, where the rows are those of one new member of it.
        label: Name of the new member.
        rows: The rows to predict, as in `predict_rows`; by default one.
        precision: "float64" or "float32".

    Raises:
        UserError: A row is missing a variable that the model needs.
    """
    tree = io.read(job.fit, contracts.FIT)
    attributes = {"provenance": job.provenance, "status": tree.attrs["status"], "reason": tree.attrs["reason"]}
    result = xr.DataTree(xr.Dataset(attrs=attributes))
    if tree.attrs["status"] == "ok":
        lanes.start(job.threads, precision)
        key = seeds.key(**entry.address, role="predictions")
        posterior = tree["posterior"].to_dataset()
        with compile_cache.active():
            _, bound = open_bound(job.data, entry)
            predicted = predict_rows(bound, posterior, group, label or f"new {group}", entry.unit, rows or [{}], key)
        result.update(predicted.children)
    io.write(job.output, result, contracts.PREDICTIONS)


def predict_rows(
    bound: Bound,
    posterior: xr.Dataset,
    group: str | None,
    label: str,
    unit: str,
    rows: Sequence[Mapping[str, Any]],
    key: np.ndarray,
) -> xr.DataTree:
    """Predict rows from posterior draws (chain, draw, ...), of one new member of a grouping dim or
    of existing ones.

    rows: the dataset variables of each row, and by its label the member of each group other than
    the new one. Sites keep their posterior draws, except those with the dim `group` or `unit`, or
    of combinations of groups with the new member: they are drawn from their distribution
    given the others, as the outcomes are. A row of a formula or of a model of the ladder that does
    not say a variable has its median, or its most frequent category. Raises UserError for any other
    variable that a row does not give.
    """
    dataset = _rows(bound, group, label, unit, rows)
    at_rows = bound.rebind(dataset)
    new = {group, unit} | {
        dim for dim in at_rows.dataset.sizes if at_rows.dataset.sizes[dim] != bound.dataset.sizes[dim]
    }
    drawn_here = [site for site in bound.latents if new & set(bound.dims[site])]
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    batch = lanes.Lanes(
        np.tile(key, (chains, 1)),
        np.arange(chains),
        arguments={name: np.full(chains, value) for name, value in bound.hyperparameters.items()},
    )
    kept = {name: value.values for name, value in posterior.data_vars.items() if name not in drawn_here}
    stated = [name.removesuffix("_decentered") for name in drawn_here]  # what a standardized distance stands in for
    stated = [name for name in stated if name in at_rows.dims]  # rows to predict have no imputed values
    record = [*stated, *(name for name in at_rows.outcomes if name not in stated)]
    values = sampling.predict(at_rows, batch, kept, np.arange(draws), key, record)
    given = [name for name in at_rows.inputs if unit in dataset.get(name, xr.DataArray()).dims]
    return xr.DataTree.from_dict(
        {
            "predictions": labelled(at_rows, {name: smallest_integer_type(value) for name, value in values.items()}),
            "predictions_constant_data": dataset[given],
        }
    )


def _rows(bound: Bound, group: str | None, label: str, unit: str, rows: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    """The dataset of the rows to predict: the variables of `rows`, and one new member of `group`.

    What members have is the same in all rows of the new one; in a formula or a model of the ladder,
    which take it by row too, rows may have different values of it.
    """
    variables = {}
    typical = typical_row(bound)
    rows = [typical | dict(row) for row in rows]
    for name, value in bound.inputs.items():
        dims = bound.dataset[name].dims if name in bound.dataset else ()
        if group and dims == (group,) != (unit,):
            values = np.asarray([_given(row, name, i) for i, row in enumerate(rows, 1)], value.dtype)
            if not typical and np.any(values != values[0]):
                raise UserError(
                    f"predictions: {name} differs between rows, but they are of one new {group}; give one value"
                )
            variables[name] = (unit, values) if typical else (group, values[:1])
        if unit not in dims:
            continue
        index = name.removesuffix("_index")
        if group and index == group:
            variables[name] = (unit, np.zeros(len(rows), int))
        elif name.endswith("_index") and index in bound.dataset.dims:
            variables[name] = (unit, np.array([_member(bound.dataset[index], i, row) for i, row in enumerate(rows, 1)]))
        else:
            values = np.asarray([_given(row, name, i) for i, row in enumerate(rows, 1)], value.dtype)
            variables[name] = (dims, values)
    coords = {unit: np.arange(1, len(rows) + 1)}
    if group == unit:
        coords[unit] = [label] if len(rows) == 1 else [f"{label} {i}" for i in coords[unit]]
    elif group:
        coords[group] = [label]
    replaced = [dim for dim in (unit, group) if dim in bound.dataset.dims]
    return bound.dataset.drop_dims(replaced).assign(variables).assign_coords(coords)


def typical_row(bound: Bound) -> dict[str, Any]:
    """What a row of a formula or of a model of the ladder has where it does not say otherwise:
    medians, and the most frequent category."""
    design = formula_of(bound.model) or design_of(bound.model)
    if design is None:
        return {}
    typical = {}
    for name in (name for name in bound.inputs if name in bound.dataset):
        values, index = bound.dataset[name].values, name.removesuffix("_index")
        if name == index:
            typical[name] = np.nanquantile(values, 0.5, method="lower").item()
        elif index not in design.groups:
            typical[index] = bound.dataset[index].values[np.bincount(values).argmax()]
    return typical


def _given(row: Mapping[str, Any], name: str, number: int) -> Any:
    if name not in row:
        raise UserError(f"predictions: row {number} does not say {name}, which the model needs; add it")
    return row[name]


def _member(labels: xr.DataArray, number: int, row: Mapping[str, Any]) -> int:
    """The position of the group member that a row names."""
    label = _given(row, str(labels.name), number)
    found = np.flatnonzero(labels.values.astype(str) == str(label))
    if not len(found):
        hint = did_you_mean(str(label), [str(each) for each in labels.values])
        raise UserError(f"predictions: row {number}: {labels.name} {label!r} is not in the data{hint}")
    return int(found[0])
