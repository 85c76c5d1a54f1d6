"""Prepare a study's data: load, simulate or read them, and check them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from tadpool.errors import UserError, explain_errors
from tadpool.files import plugins
from tadpool.loading import columns, described_table, design_rank, remarks, simulation, sources


def prepare(
    source: sources.Source,
    arguments: Mapping[str, Any],
    outcomes: Sequence[str],
    study: str,
    seed: int | None = None,
    dims: Sequence[str] = (),
    point: object = None,
) -> xr.DataTree:
    """Load, simulate or read the data of a study. Remarks on a described table are printed to
    the log.

    Args:
        source: Name of a dataset, or a described table.
        arguments: Arguments of the dataset's function.
        outcomes: The study's outcomes.
        study: Name of the study.
        seed: Seed of a simulator; None where the data are not simulated.
        dims: The study's unit and groups.
        point: Identifies one of many simulated data sets.

    Returns:
        The tree of data.nc: observed_data (the outcomes), constant_data (the rest) and truth
            (simulated data only). For a
        described table its attribute `table` says how it was read (JSON), and `remarks` holds the
            remarks on it.

    Raises:
        UserError: An outcome or one of the dims is missing, a variable is empty or not finite, a
            group index is out of range, the dataset's code fails, or a cell of a described table
            breaks its rule.
    """
    if isinstance(source, str) and seed is not None:
        return simulation.simulate(source, arguments, outcomes, study, seed, dims, point)
    attributes, where = {}, sources.title(source)
    if not isinstance(source, str):
        dataset, how, found = described_table.load(source)
        found = [each for each in found if each.values.get("outcome") in (None, *outcomes)]
        found += design_rank.remarks(dataset, source, outcomes, dims)
        for remark in found:
            print(remark.sentence)
        attributes = {"table": json.dumps(how, ensure_ascii=False), **remarks.written(found)}
    else:
        tables = {file: columns.read(path) for file, path in plugins.tables(source).items()}
        with explain_errors(f"datasets/{source}.py", "loading the tables"):
            dataset = plugins.load("datasets", source).load(tables, **arguments)
        if not isinstance(dataset, xr.Dataset):
            what = f"load() returns {simulation.describe_type(dataset)}"
            raise UserError(f"datasets/{source}.py: {what}; return an xarray.Dataset")
    tree = simulation.check_dataset(where, dataset, None, outcomes, study, dims)
    tree.attrs = attributes
    return tree
