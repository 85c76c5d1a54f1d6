"""Prepare a study's data: load, simulate or read them, and check them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from tadpool.errors import UserError, explain_errors
from tadpool.files import plugins
from tadpool.loading import columns, described_table, simulation, sources, undeclared_trials


def prepare(
    source: sources.Source,
    arguments: Mapping[str, Any],
    outcomes: Sequence[str],
    study: str,
    seed: int | None = None,
    dims: Sequence[str] = (),
    point: object = None,
) -> xr.DataTree:
    """The tree of data.nc: observed_data (the outcomes), constant_data (the rest), truth (simulated data only).

    source: a dataset's name, or a described table, whose attribute `table` then says how it was read (JSON). dims: the
    study's unit and groups. point: names one of many data sets that are simulated. Raises UserError where an outcome or one
    of these dims is missing, a variable is empty or not finite, a group index is out of range, the dataset's own code fails,
    or a cell of a described table breaks its rule. What such a table may have been meant to say goes to the log.
    """
    if isinstance(source, str) and seed is not None:
        return simulation.simulate(source, arguments, outcomes, study, seed, dims, point)
    attributes, where = {}, sources.title(source)
    if not isinstance(source, str):
        dataset, how = described_table.load(source)
        for question in undeclared_trials.sentences(how, outcomes):
            print(question)
        attributes = {"table": json.dumps(how, ensure_ascii=False)}
    else:
        found = {file: columns.read(path) for file, path in plugins.tables(source).items()}
        with explain_errors(f"datasets/{source}.py", "loading the tables"):
            dataset = plugins.load("datasets", source).load(found, **arguments)
        if not isinstance(dataset, xr.Dataset):
            what = f"load() returns {simulation.describe_type(dataset)}"
            raise UserError(f"datasets/{source}.py: {what}; return an xarray.Dataset")
    tree = simulation.check_dataset(where, dataset, None, outcomes, study, dims)
    tree.attrs = attributes
    return tree
