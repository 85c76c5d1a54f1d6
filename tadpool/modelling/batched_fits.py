"""Several fits of one model in one batch: the points of a sweep, or the members of a group that are
fitted separately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from tadpool import sweep_axes
from tadpool.errors import UserError
from tadpool.modelling import references
from tadpool.modelling.binding import Arrays, Bound, program_signature


@dataclass(frozen=True)
class Points:
    """Several fits in one batch, and what differs between them.

    Attributes:
        dim: Name of their dim.
        labels: A label for each (points,), or (points, names) in a sweep over several names; part
            of its random key.
        coords: Coordinates along the dim.
        arguments: Model arguments that differ, each (points, ...).
        held_out: Observed site -> bool (points, ...), True where an observation does not count.
        rows: For separate fits, the row of the dataset at each place (points, places); held-out
            places are padding.
        settings: Sampler settings that differ, for each point; empty where all points have the
            same.
    """

    dim: str
    labels: np.ndarray
    coords: Mapping[str, Any]
    arguments: Arrays
    held_out: Arrays = field(default_factory=dict)
    rows: np.ndarray | None = None
    settings: Sequence[Mapping[str, Any]] = ()


def sweep_points(
    bound: Bound, over: sweep_axes.Over, points: Sequence, data: Sequence[xr.Dataset] = ()
) -> tuple[Bound, Points]:
    """The points of a sweep as one batch.

    Args:
        bound: The model on the study's data.
        over: What varies: a name, or several.
        points: The value at each point, or a value for each name.
        data: The dataset of each point, where they differ.

    Returns:
        The model, bound so that it serves all points, and the points.

    Raises:
        UserError: A dataset has other shapes than the first, or a hyperparameter has the name of a
            site.
    """
    for axis in sweep_axes.axes(over):
        if axis in bound.sizes:
            what = f"models/{references.name(bound.model)}.py: {axis!r} is a hyperparameter and a site"
            raise UserError(f"{what}; rename one of them, or a sweep could not hold both")
    bound = bound.rebind(bound.dataset) if data and bound.facts else bound
    labels, dim = np.asarray(points, float), sweep_axes.dim(over)
    at = [sweep_axes.axis_values(over, label) for label in labels.tolist()]
    coords = {axis: (dim, np.array([point[axis] for point in at])) for axis in sweep_axes.axes(over)}
    settings = [sweep_axes.values(over, label, sweep_axes.SAMPLER) for label in labels.tolist()]
    arguments = {axis: coords[axis][1] for axis in sweep_axes.of_kind(over, sweep_axes.HYPERPARAMETERS)}
    arguments |= _stacked(bound, at, data)
    return bound, Points(dim, labels, coords, arguments, settings=settings if any(settings) else ())


def _stacked(bound: Bound, at: Sequence[Mapping[str, float]], data: Sequence[xr.Dataset]) -> Arrays:
    """The model's data at each point, each array (points, ...)."""
    each = [bound.rebind(dataset) for dataset in data]
    for point, own in zip(at, each, strict=bool(data)):
        if program_signature(own) != program_signature(each[0]):
            words = ", ".join(f"{name} = {value:g}" for name, value in point.items())
            raise UserError(
                f"sweep: the data at {words} have other shapes than at the first point, but all points of a sweep must have "
                "the same; vary this argument in `recovery`"
            )
    return {name: np.stack([own.data[name] for own in each]) for name in bound.data} if data else {}


def group_points(bound: Bound, by: str, unit: str) -> tuple[Bound, Points]:
    """The members of a group as one batch of separate fits.

    Members with fewer rows than the largest are padded with their last row, which is held out.

    Args:
        bound: The model on all rows.
        by: The group.
        unit: Dim of the rows.

    Returns:
        The model, bound to as many rows as the largest member has, and the members as points.

    Raises:
        UserError: A member has no rows, or a variable of the unit has further dims.
    """
    index = bound.dataset[f"{by}_index"].values
    labels = bound.dataset[by].values
    members = [np.flatnonzero(index == number) for number in range(len(labels))]
    for label, rows in zip(labels, members, strict=True):
        if not len(rows):
            raise UserError(f"by: {by} {label} has no rows, so no model can be fitted to it; remove it from the data")
    places = max(map(len, members))
    rows = np.stack([np.pad(own, (0, places - len(own)), mode="edge") for own in members])
    padding = np.arange(places) >= np.array([len(own) for own in members])[:, None]
    one = bound.rebind(bound.dataset.isel({unit: rows[0]}).assign_coords({unit: np.arange(places)}))
    along = [name for name in bound.data if name in bound.dataset and unit in bound.dataset[name].dims]
    for name in along:
        if bound.dataset[name].dims != (unit,):
            raise UserError(
                f"by: {name} has more dims than {unit}; separate fits need variables with the dim {unit} only"
            )
    arguments = {name: bound.data[name][rows] for name in along}
    held_out = dict.fromkeys(bound.outcomes, padding)
    return one, Points(by, labels, {by: labels}, arguments, held_out, rows)
