"""Data sets of a simulator, and what every data set of a study has to be."""

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
    """The tree of data.nc of a simulator's data: observed_data, constant_data and truth.

    point: names one of many data sets. The study's own, without a point, is simulated twice, to see that its generator
    alone decides what is drawn. Raises UserError as `check_dataset` does, and where the simulator breaks its contract.
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
    """A data set split into observed_data (the outcomes), constant_data (the rest) and, where there is one, truth.

    where: what messages call it. dims: the study's unit and groups. Raises UserError where an outcome or one of these dims
    is missing, a variable is empty or not finite, or a group index is out of range.
    """
    for dim in dims:
        if dim not in dataset.dims:
            raise UserError(f"study {study}: {dim!r} is not a dim of {where}{did_you_mean(dim, list(dataset.dims))}")
    _check(where, dataset, outcomes)
    for outcome in outcomes if dims else ():
        if dims[0] not in dataset[outcome].dims:
            own = ", ".join(map(str, dataset[outcome].dims)) or "no dims"
            raise UserError(
                f"{where}: the outcome {outcome} has {own}, but not {dims[0]}, the unit of the study; give it that dim"
            )
    dataset = dataset.assign_coords(
        {dim: np.arange(n) for dim, n in dataset.sizes.items() if dim not in dataset.coords}
    )
    groups = {"observed_data": dataset[list(outcomes)], "constant_data": dataset.drop_vars(list(outcomes))}
    if truth is not None:
        groups["truth"] = truth
    return xr.DataTree.from_dict(groups)


def call_simulator(source: str, arguments: Mapping[str, Any], address: Sequence[Any]) -> tuple[xr.Dataset, xr.Dataset]:
    """Data and truth of one call of a simulator. address: of its generator (`seeds.generator`).

    Raises UserError where it fails, or returns anything else.
    """
    where, module = f"datasets/{source}.py", plugins.load("datasets", source)
    with explain_errors(where, "simulating"):
        made = module.simulate(seeds.generator(*address), **arguments)
    if not (isinstance(made, tuple) and len(made) == 2 and all(isinstance(each, xr.Dataset) for each in made)):
        raise UserError(f"{where}: simulate() returns {describe_type(made)}; return data, truth: two xarray.Dataset")
    for name, values in made[1].data_vars.items():
        if values.dtype.kind not in "biuf":
            raise UserError(
                f"{where}: the truth of {name} is {values.dtype}, but a parameter is a number; correct simulate()"
            )
    return made


def _require_same(source: str, first: Sequence[xr.Dataset], second: Sequence[xr.Dataset]) -> None:
    for one, other, what in zip(first, second, ("", "the truth of "), strict=True):
        for name in dict.fromkeys([*one.variables, *other.variables]):
            if name not in one.variables or name not in other.variables or not one[name].equals(other[name]):
                raise UserError(
                    f"datasets/{source}.py: two calls of simulate() with equal generators differ in {what}{name}; draw every "
                    "random number from rng"
                )


def describe_type(value: Any) -> str:
    """What a plug-in returned, in words."""
    if isinstance(value, tuple):
        return f"{len(value)} values ({', '.join(type(each).__name__ for each in value)})"
    return "nothing" if value is None else f"a {type(value).__name__}"


def _check(where: str, dataset: xr.Dataset, outcomes: Sequence[str]) -> None:
    for outcome in outcomes:
        if outcome not in dataset:
            raise UserError(f"{where}: there is no variable {outcome!r} for outcomes; it has {', '.join(dataset)}")
    for variable in dataset.data_vars.values():
        if variable.size == 0:
            raise UserError(f"{where}: {variable.name} is empty; a study needs at least one row")
        if variable.dtype.kind == "f" and np.isinf(variable.values).any():
            raise UserError(f"{where}: {variable.name} has infinite values; correct the table")
        if variable.dtype.kind == "f" and np.isnan(variable.values).any() and not variable.attrs.get("may_be_missing"):
            at = [int(i) for i in np.argwhere(np.isnan(variable.values))[0]]
            label = ", ".join(f"{d} {dataset[d].values[i]}" for d, i in zip(variable.dims, at, strict=True))
            raise UserError(
                f"{where}: {variable.name} of {label} is missing; fill it or leave the row out "
                "(a variable with the attribute may_be_missing = 1 may have gaps)"
            )
    for group in (str(v).removesuffix("_index") for v in dataset if str(v).endswith("_index")):
        index = dataset[f"{group}_index"].values
        size = dataset.sizes.get(group, 0)
        if index.min() < 0 or index.max() >= size:
            raise UserError(
                f"{where}: {group}_index runs from {index.min()} to {index.max()}, but {group} has {size} members, "
                f"counted from 0 to {size - 1}; tables.index() makes such an index"
            )
