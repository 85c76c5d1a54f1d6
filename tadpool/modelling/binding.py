"""A model bound to a dataset: its arguments matched, its sites named, its data checked against its
distributions."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import numpy as np
import numpyro
import xarray as xr
from arviz_base.io_numpyro import infer_dims
from numpyro import handlers
from numpyro.infer.inspect import get_model_relations

from tadpool.engine.nuts import DECENTERED
from tadpool.errors import UserError, explain_errors
from tadpool.files import contracts, io, plugins
from tadpool.files import data_file as datasets
from tadpool.modelling import inspection, observation_weights, references, rules
from tadpool.modelling.distributions import Decentred
from tadpool.modelling.entry import Entry
from tadpool.modelling.references import Reference

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Bound:
    """A model bound to a dataset.

    Attributes:
        model: Its name or reference (`tadpool.modelling.references`).
        given: The hyperparameters that differ from its defaults.
        function: The model with its static arguments filled in; it takes data and traced
            hyperparameters as keywords.
        data: Arrays of the variables that are arguments of the model, outcomes included.
        outcomes: Its observed sites.
        latents: Its latent sites.
        hyperparameters: Those that are floats, which JAX traces.
        dims: Site -> names of its dims.
        sizes: Site -> number of its elements.
        dataset: The dataset.
        observed_where: Outcome -> a variable that is 0 where the outcome does not count: there it
            is not scored and is predicted to be 0.
        facts: For a rung of the pooling ladder, what depends on the study's data and stays when it
            is bound to other rows (`tadpool.ladder.data_facts`).
        partly_observed: Variables with a distribution of their own, of a formula that imputes them:
            known where outcomes are predicted, and drawn with them in calibrations.
    """

    model: Reference
    given: Mapping[str, Any]
    function: Callable
    data: Arrays
    outcomes: tuple[str, ...]
    latents: tuple[str, ...]
    hyperparameters: dict[str, float]
    dims: dict[str, tuple[str, ...]]
    sizes: dict[str, int]
    dataset: xr.Dataset
    observed_where: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    partly_observed: tuple[str, ...] = ()

    def rebind(self, dataset: xr.Dataset) -> "Bound":
        """The same model, hyperparameters and facts, bound to another dataset."""
        return replace(bind(self.model, dataset, self.given, self.facts), observed_where=self.observed_where)

    @property
    def inputs(self) -> Arrays:
        """The data without the outcomes and their weights, with which the model draws outcomes."""
        without = (*self.outcomes, *getattr(self.function, "extra", ()))
        return {name: array for name, array in self.data.items() if name not in without}

    @property
    def generative(self) -> "Bound":
        """The same model with all that it observes as outcomes."""
        return replace(self, outcomes=(*self.partly_observed, *self.outcomes), partly_observed=())


def bind(
    model: Reference,
    dataset: xr.Dataset,
    hyperparameters: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    observed_where: Mapping[str, str] | None = None,
) -> Bound:
    """Bind a model to a dataset: match its arguments with variables and sizes, and check its rules.

    Args:
        model: Its name or reference.
        dataset: The data. Without the outcomes, as in predictions, rules are not checked.
        hyperparameters: Those that differ from the model's defaults.
        facts: Facts from the study's data, when a rung of the pooling ladder is bound to other
            rows.
        observed_where: See `Bound`; None to skip the check of masks.

    Raises:
        UserError: The dataset lacks an argument of the model, or the model breaks a rule of
            `tadpool.modelling.rules`.
    """
    signature, where = references.signature(model), f"models/{references.name(model)}.py"
    values = {**signature.hyperparameters, **(hyperparameters or {})}
    traced = {
        name: float(value) for name, value in values.items() if isinstance(signature.hyperparameters[name], float)
    }
    static = {name: value for name, value in values.items() if name not in traced}
    data, sizes = _matched(where, signature, dataset)
    module = plugins.load("models", references.name(model))
    if signature.designed:
        design = references.formula_of(model) or references.design_of(model)
        bound = module.bound(design, dataset, static, facts)
        function, facts, data = bound.function, bound.facts, data | bound.arrays
        dataset = dataset.assign_coords(bound.coords)
    else:
        function = partial(module.model, **static, **sizes)
    partly_observed = tuple((facts or {}).get("imputed", ()))
    inputs, places = {name: array for name, array in data.items() if name not in signature.outcomes}, {}
    with inspection.explain_model_errors(where), numpyro.validation_enabled(False):
        if any(outcome in data for outcome in signature.outcomes):
            observed = (*partly_observed, *signature.outcomes)
            candidate = (where, references.path(model), function, data, observed, traced, dataset)
            places = rules.check(inspection.Candidate(*candidate), observed_where)
            if references.weights(model):
                function = observation_weights.add_weights(where, function, references.weights(model), dataset, data)
                data = {name: _array(dataset[name]) for name in function.extra} | data
        shapes, latents = _sites(function, {**data, **traced})
        named = infer_dims(function, model_kwargs={**inputs, **traced})
        dims = {site: _dims(site, len(shape), named.get(site, [])) for site, shape in shapes.items()}
        dims |= {name: tuple(map(str, dataset[name].dims)) for name in signature.outcomes if name in data}
        rules.check_dims(places, shapes, dims, dataset.sizes)
        sizes = {site: math.prod(shape) for site, shape in shapes.items()}
    given, counted = dict(hyperparameters or {}), dict(observed_where or {})
    outcomes, kept = signature.outcomes, facts or {}
    return Bound(
        model, given, function, data, outcomes, latents, traced, dims, sizes, dataset, counted, kept, partly_observed
    )


def latents(function: Callable, arguments: Arrays) -> tuple[str, ...]:
    """The names of a model's latent sites."""
    return _sites(function, arguments)[1]


def _matched(where: str, signature: plugins.Signature, dataset: xr.Dataset) -> tuple[Arrays, dict[str, int]]:
    """The arrays and the sizes of dims that are arguments of a model."""
    data, sizes = {}, {}
    for name in (*signature.variables, *signature.outcomes):
        if name in dataset.variables:
            data[name] = _array(dataset[name])
        elif name in signature.outcomes and not any(outcome in dataset for outcome in signature.outcomes):
            continue  # rows to predict have no outcomes
        elif name.startswith("n_") and name[2:] in dataset.sizes:
            sizes[name] = dataset.sizes[name[2:]]
        else:
            known = [*map(str, dataset.data_vars), *(f"n_{dim}" for dim in dataset.sizes)]
            raise UserError(f"{where}: the dataset has no variable or size {name!r}; it has {', '.join(known)}")
    return data, sizes


def _sites(function: Callable, arguments: Arrays) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...]]:
    """Shape of every site and the names of the latent ones, without computing anything."""
    latents = []

    def run(arguments):
        trace = handlers.trace(handlers.seed(function, jax.random.key(0))).get_trace(**arguments)
        latents.extend(n for n, site in trace.items() if site["type"] == "sample" and not site["is_observed"])
        return {name: site["value"] for name, site in trace.items() if site["type"] in ("sample", "deterministic")}

    shapes = jax.eval_shape(run, arguments)
    return {name: value.shape for name, value in shapes.items()}, tuple(latents)


def open_bound(data: str, entry: Entry) -> tuple[xr.DataTree, Bound]:
    """The data of a study, and an entry's model bound to them.

    Args:
        data: Path of data.nc.
        entry: Its model, hyperparameters and `observed_where` are used.

    Returns:
        data.nc as a tree, and the bound model.
    """
    tree = io.read(data, contracts.DATA)
    bound = bind(entry.model, datasets.merged(tree), entry.hyperparameters, observed_where=entry.observed_where)
    return tree, bound


def program_signature(bound: Bound) -> tuple:
    """The shapes, types and static arguments that a compiled program depends on: data sets with
    equal ones can share it."""
    static = sorted(bound.function.keywords.items())
    return tuple((name, value.shape, str(value.dtype)) for name, value in sorted(bound.data.items())), tuple(static)


def reparametrized(bound: Bound, sites: Sequence[str]) -> Callable:
    """The model with some sites computed from standardized ones, `<site>_decentered`, which are
    sampled instead.

    Args:
        bound: The model.
        sites: Latent sites.

    Returns:
        A model with the same posterior.

    Raises:
        UserError: The distribution of a site has no location and scale.

    Source: Papaspiliopoulos, Roberts & Sköld (2007), Statistical Science 22:59.
    """
    if not sites:
        return bound.function
    function = handlers.reparam(bound.function, config={site: Decentred() for site in sites})
    with (
        explain_errors(f"models/{references.name(bound.model)}.py", f"reparametrizing {', '.join(sites)}"),
        numpyro.validation_enabled(False),
    ):
        _sites(function, {**bound.data, **bound.hyperparameters})
    return function


def reparametrizable(bound: Bound) -> list[str]:
    """The sites that may be reparametrized: those that the model's file names, or the varying
    effects of a rung."""
    sites = bound.facts["effects"] if bound.facts else plugins.reparametrizable(references.path(bound.model))
    return [site for site in sites if site in bound.latents]


def decentered_sites(sites: Sequence[str]) -> dict[str, str]:
    """Name of each standardized site -> the reparametrized site that is computed from it."""
    return {f"{site}{DECENTERED}": site for site in sites}


def _array(variable: xr.DataArray) -> np.ndarray:
    values = variable.values
    return (
        values.astype(np.float64 if jax.config.jax_enable_x64 else np.float32) if values.dtype.kind == "f" else values
    )


def relations(bound: Bound) -> dict[str, Any]:
    """The model as a graph: parents and distribution of each site, members of each plate (as in
    numpyro.render_model)."""
    return get_model_relations(bound.function, model_kwargs={**bound.data, **bound.hyperparameters})


def _dims(site: str, ndim: int, named: Sequence[str]) -> tuple[str, ...]:
    rest = tuple(f"{site}_dim_{i}" for i in range(ndim - len(named)))
    return (*named, *rest)


def smallest_integer_type(values: np.ndarray) -> np.ndarray:
    """Convert whole numbers to the smallest integer type that can hold them; other arrays are
    returned unchanged."""
    if values.dtype.kind not in "iu" or values.size == 0:
        return values
    low, high = int(values.min()), int(values.max())
    kinds = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.int64)
    return values.astype(next(k for k in kinds if np.iinfo(k).min <= low and high <= np.iinfo(k).max))


def labelled(
    bound: Bound, values: Arrays, leading: Sequence[str] = ("chain", "draw"), coords: Mapping | None = None, names=None
) -> xr.Dataset:
    """Arrays of sites as a labelled dataset.

    Args:
        bound: The model.
        values: Site -> array (*leading, *dims of the site).
        leading: Names of the first dims.
        coords: Coordinates of dims, which take precedence over the coordinates of the data.
        names: Site -> names of its dims; by default the model's.
    """
    variables = {name: ((*leading, *(names or bound.dims).get(name, ())), value) for name, value in values.items()}
    dataset = xr.Dataset(variables)
    for dim in dataset.sizes:
        if dim in (coords or {}):
            dataset = dataset.assign_coords({dim: coords[dim]})
        elif dim in bound.dataset.coords:
            dataset = dataset.assign_coords({dim: bound.dataset[dim]})
        elif dim in leading:
            dataset = dataset.assign_coords({dim: np.arange(dataset.sizes[dim])})
    return dataset
