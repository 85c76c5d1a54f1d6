"""Formulas bound to made-up tables, with draws that are known."""

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tadpool.answers.predicted import Fitted
from tadpool.engine import lanes
from tadpool.modelling.entry import Entry
from tests.made.formulas import bound

CHAINS, DRAWS = 2, 300


@pytest.fixture
def fitted(tmp_path, monkeypatch):
    """fitted(table, columns, entry, sites): an entry of a formula, or of the ladder for a `design`,
    with draws of its latent sites, a function of the shape (chain, draw, ...) each, or a value."""
    monkeypatch.chdir(tmp_path)
    lanes.start(1, "float64")

    def make(table, columns, entry, design=None, **sites):
        Path("data").mkdir(exist_ok=True)
        with Path("data/table.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table)
            writer.writerows(zip(*table.values(), strict=True))
        model = bound("data/table.csv", columns, entry, **({"design": design} if design else {}))
        groups = [name for name, column in columns.items() if column["kind"] == "group"]
        outcomes = list(model.outcomes)
        return Fitted(
            model, Entry(1, "one", "it", model.model, outcomes=outcomes, unit="row", groups=groups), draws(model, sites)
        )

    return make


def draws(model, sites):
    found = {}
    for site in model.latents:
        shape = [model.dataset.sizes.get(dim, model.sizes[site]) for dim in model.dims[site]]
        value = sites.get(site, 0.0)
        whole = (CHAINS, DRAWS, *shape)
        found[site] = (("chain", "draw", *model.dims[site]), value(whole) if callable(value) else np.full(whole, value))
    labels = {dim: model.dataset[dim].values for dim in model.dataset.coords if dim != "row"}
    coords = {dim: own for dim, own in labels.items() if any(dim in dims for dims, _ in found.values())}
    return xr.Dataset(found, coords | {"chain": np.arange(CHAINS), "draw": np.arange(DRAWS)})


@pytest.fixture
def asked():
    """asked(**keys): an answer as jobs are given it."""
    from tadpool.config.schema.answers import Answer

    return lambda **keys: Answer.model_validate({"label": "it", "entry": "it", **keys}).model_dump()
