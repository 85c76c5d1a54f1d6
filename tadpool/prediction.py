"""Predict new members of a group from a fit, written as predictions.nc."""

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from tadpool import compile_cache, contracts, io, lanes, sampling, seeds
from tadpool import data as datasets


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
            predicted = sampling.new_group(
                model, hyperparameters, dataset, posterior, group, label, unit, rows or [{}], key
            )
        result.update(predicted.children)
    io.write(output, result, contracts.PREDICTIONS)
