"""Data sets of a simulator, and the requirements that every data set of a study has to meet."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tadpool import seeds
from tadpool.errors import UserError, did_you_mean, explain_errors
from tadpool.files import plugins
from tadpool.loading import sources


def simulate(
    source: str,
    arguments: Mapping[str, Any],
    outcomes: Sequence[str],
    study: str,
    seed: int,
    dims: Sequence[str] = (),
    point: object = None,
) -> xr.DataTree:
    """Simulate the data of a study.

    Without a point the data are simulated twice, to check that they depend on the generator alone.

    Args:
        source: Name of the dataset.
        arguments: Arguments of the simulator.
        outcomes: The study's outcomes.
        study: Name of the study.
        seed: Seed of the run.
        dims: The study's unit and groups.
        point: Identifies one of many data sets.

    Returns:
        The tree of data.nc: observed_data, constant_data and truth.

    Raises:
        UserError: As `check_dataset`, and where the simulator fails or does not return what it
            should.
    """
    address = (seed, study, "", "simulate", point)
    dataset, truth = call_simulator(source, arguments, address)
    if point is None:
        _require_same(source, (dataset, truth), call_simulator(source, arguments, address))
    return check_dataset(sources.title(source), dataset, truth, outcomes, study, dims)


def check_dataset(
    where: str,
    dataset: xr.Dataset,
    truth: xr.Dataset | None,
    outcomes: Sequence[str],
    study: str,
    dims: Sequence[str],
) -> xr.DataTree:
    """Check a data set and split it into groups.

    Args:
        where: Its name in messages.
        dataset: The data.
        truth: True values of simulated data.
        outcomes: The study's outcomes.
        study: Name of the study.
        dims: The study's unit and groups.

    Returns:
        A tree with observed_data (the outcomes), constant_data (the rest) and, if given, truth.

    Raises:
        UserError: An outcome or one of the dims is missing, a variable is empty or not finite, or a
            group index is out of range.
    """
    for dim in dims:
        if dim not in dataset.dims:
            raise UserError(f"study {study}: {dim!r} is not a dim of {where}{did_you_mean(dim, list(dataset.dims))}")
    _check(where, dataset, outcomes)
    for outcome in outcomes if dims else ():
        if dims[0] not in dataset[outcome].dims:
            own = ", ".join(map(str, dataset[outcome].dims)) or "no dims"
            raise UserError(
                f"{where}: the outcome {outcome} has {own}, but not {dims[0]}, the unit of the study; add this dim"
            )
    dataset = dataset.assign_coords(
        {dim: np.arange(n) for dim, n in dataset.sizes.items() if dim not in dataset.coords}
    )
    groups = {"observed_data": dataset[list(outcomes)], "constant_data": dataset.drop_vars(list(outcomes))}
    if truth is not None:
        groups["truth"] = truth
    return xr.DataTree.from_dict(groups)


def call_simulator(source: str, arguments: Mapping[str, Any], address: Sequence[Any]) -> tuple[xr.Dataset, xr.Dataset]:
    """Data and truth of one call of a simulator.

    Args:
        source: Name of the dataset.
        arguments: Arguments of the simulator.
        address: Address of its generator (`tadpool.seeds.generator`).

    Raises:
        UserError: It fails, or returns anything else.
    """
    where, module = f"datasets/{source}.py", plugins.load("datasets", source)
    with explain_errors(where, "simulating"):
        returned = module.simulate(seeds.generator(*address), **arguments)
    if not (
        isinstance(returned, tuple) and len(returned) == 2 and all(isinstance(each, xr.Dataset) for each in returned)
    ):
        raise UserError(
            f"{where}: simulate() returns {describe_type(returned)}; return two xarray.Dataset: data, truth"
        )
    for name, values in returned[1].data_vars.items():
        if values.dtype.kind not in "biuf":
            raise UserError(
                f"{where}: the truth of {name} has the type {values.dtype}, but a parameter is a number; correct simulate()"
            )
    return returned


def _require_same(source: str, first: Sequence[xr.Dataset], second: Sequence[xr.Dataset]) -> None:
    for one, other, what in zip(first, second, ("", "the truth of "), strict=True):
        for name in dict.fromkeys([*one.variables, *other.variables]):
            if name not in one.variables or name not in other.variables or not one[name].equals(other[name]):
                raise UserError(
                    f"datasets/{source}.py: two calls of simulate() with equal generators differ in {what}{name}; draw all "
                    "random numbers from rng"
                )


def describe_type(value: Any) -> str:
    """The type of what a plug-in returned, in words."""
    if isinstance(value, tuple):
        return f"{len(value)} values ({', '.join(type(each).__name__ for each in value)})"
    return "nothing" if value is None else f"a {type(value).__name__}"


def _check(where: str, dataset: xr.Dataset, outcomes: Sequence[str]) -> None:
    for outcome in outcomes:
        if outcome not in dataset:
            raise UserError(
                f"{where}: there is no variable {outcome!r}, one of the study's outcomes; it has {', '.join(dataset)}"
            )
    for variable in dataset.data_vars.values():
        if variable.size == 0:
            raise UserError(f"{where}: {variable.name} is empty; a study needs at least one row")
        if variable.dtype.kind == "f" and np.isinf(variable.values).any():
            raise UserError(f"{where}: {variable.name} has infinite values; correct the table")
        if variable.dtype.kind == "f" and np.isnan(variable.values).any() and not variable.attrs.get("may_be_missing"):
            at = [int(i) for i in np.argwhere(np.isnan(variable.values))[0]]
            label = ", ".join(f"{d} {dataset[d].values[i]}" for d, i in zip(variable.dims, at, strict=True))
            raise UserError(
                f"{where}: {variable.name} of {label} is missing; fill it or remove the row "
                "(gaps are allowed in a variable with the attribute may_be_missing = 1)"
            )
    for group in (str(v).removesuffix("_index") for v in dataset if str(v).endswith("_index")):
        index = dataset[f"{group}_index"].values
        size = dataset.sizes.get(group, 0)
        if index.min() < 0 or index.max() >= size:
            raise UserError(
                f"{where}: {group}_index runs from {index.min()} to {index.max()}, but {group} has {size} members, "
                f"counted from 0 to {size - 1}; make the index with tadpool.loading.columns.index()"
            )
