"""Observation weights: the log likelihood of each observation of an outcome is multiplied by a
variable of the data."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from numpyro.primitives import Messenger

from tadpool.errors import UserError, did_you_mean


class weigh(Messenger):
    """Multiply the log likelihood of observed sites: `weights` maps a site to an array that
    broadcasts to its shape."""

    def __init__(self, fn: Callable | None = None, weights: Mapping[str, Any] | None = None) -> None:
        self.weights = weights or {}
        super().__init__(fn)

    def process_message(self, msg: dict[str, Any]) -> None:
        if msg["type"] == "sample" and msg["is_observed"] and msg["name"] in self.weights:
            msg["scale"] = jnp.broadcast_to(self.weights[msg["name"]], msg["fn"].batch_shape)


@dataclass(frozen=True, eq=False)
class WeightedModel:
    """A model whose log likelihoods are multiplied by observation weights.

    Attributes:
        function: The model.
        weights: Outcome -> variable, an argument of the call; if it is not given there are no
            weights.
        axes: Outcome -> axes of its array that the variable does not have.
        extra: Variables that are not arguments of the model itself.
    """

    function: Callable
    weights: Mapping[str, str]
    axes: Mapping[str, tuple[int, ...]]
    extra: tuple[str, ...]

    @property
    def keywords(self) -> Mapping[str, Any]:
        """Static arguments of the model."""
        return self.function.keywords

    def __call__(self, **arguments: Any) -> Any:
        given = {outcome: name for outcome, name in self.weights.items() if name in arguments}
        values = {outcome: jnp.expand_dims(arguments[name], self.axes[outcome]) for outcome, name in given.items()}
        with weigh(weights=values):
            return self.function(**{name: value for name, value in arguments.items() if name not in self.extra})


def add_weights(
    where: str, function: Callable, weights: Mapping[str, str], dataset: xr.Dataset, arguments: Collection[str]
) -> WeightedModel:
    """Add observation weights to a model.

    Args:
        where: The model's file, as messages name it.
        function: The model.
        weights: Outcome -> variable.
        dataset: The data.
        arguments: Variables that are arguments of the model itself.

    Raises:
        UserError: A variable is missing, has a negative or missing value, or has a dim that the
            outcome does not have.
    """
    axes = {}
    for outcome, name in weights.items():
        if name not in dataset.data_vars:
            raise UserError(
                f"{where}: weights: there is no variable {name!r}{did_you_mean(name, list(dataset.data_vars))}"
            )
        dims, own = dataset[outcome].dims, dataset[name].dims
        if tuple(dim for dim in dims if dim in own) != own:
            raise UserError(
                f"{where}: weights: {name} has the dims {own}, but {outcome} has {dims}; give a variable with dims of {outcome}"
            )
        _check(where, dataset[name])
        axes[outcome] = tuple(axis for axis, dim in enumerate(dims) if dim not in own)
    extra = tuple(name for name in weights.values() if name not in arguments)
    return WeightedModel(function, dict(weights), axes, extra)


def _check(where: str, variable: xr.DataArray) -> None:
    values = variable.values
    if values.dtype.kind not in "biuf":
        raise UserError(f"{where}: weights: {variable.name} is text; give a variable of numbers")
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        label = ", ".join(f"{dim} {variable[dim].values[i]}" for dim, i in zip(variable.dims, at, strict=True))
        raise UserError(f"{where}: weights: {variable.name} of {label} is {values[at]}; give weights of at least 0")
    if not values.any():
        raise UserError(
            f"{where}: weights: {variable.name} is 0 everywhere, so no observation counts; give positive weights"
        )
