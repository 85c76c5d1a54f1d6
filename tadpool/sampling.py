"""Prior, posterior, log likelihood and predictions of one entry, built on lanes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import xarray as xr
from arviz_base.io_numpyro import infer_dims
from numpyro import handlers

from tadpool import contracts, io, lanes, plugins, seeds
from tadpool import data as datasets
from tadpool.errors import UserError

PRIOR_DRAWS = 1000
PREDICTIVE_DRAWS = 1000
LOG_LIKELIHOOD_BYTES = 1e9

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Bound:
    """A model bound to a dataset.

    function: the model with its static arguments filled in; it takes data and traced hyperparameters as keywords.
    data: arrays of the dataset variables that the model asks for, outcomes included. outcomes: its observed sites.
    hyperparameters: those that are floats, hence traced. dims: site -> names of its dims. dataset: where data came from.
    """

    function: Callable
    data: Arrays
    outcomes: tuple[str, ...]
    latents: tuple[str, ...]
    hyperparameters: dict[str, float]
    dims: dict[str, tuple[str, ...]]
    dataset: xr.Dataset

    @property
    def inputs(self) -> Arrays:
        """The data without the outcomes: with these the model draws its outcomes."""
        return {name: array for name, array in self.data.items() if name not in self.outcomes}


def bind(model: str, dataset: xr.Dataset, hyperparameters: Mapping[str, Any] | None = None) -> Bound:
    """Match a model's arguments with a dataset's variables and sizes.

    Raises UserError for an argument that the dataset has not, an observed site whose shape is not the data's, and an
    observation outside the support of its distribution.
    """
    path = plugins.find("models", model)
    signature = plugins.signature(path)
    function = plugins.load("models", model).model
    values = {**signature.hyperparameters, **(hyperparameters or {})}
    traced = {
        name: float(value) for name, value in values.items() if isinstance(signature.hyperparameters[name], float)
    }
    static = {name: value for name, value in values.items() if name not in traced}
    data = {}
    for name in (*signature.variables, *signature.outcomes):
        if name in dataset.variables:
            data[name] = _array(dataset[name])
        elif name in signature.outcomes and not any(outcome in dataset for outcome in signature.outcomes):
            continue  # rows to predict have no outcomes
        elif name.startswith("n_") and name[2:] in dataset.sizes:
            static[name] = dataset.sizes[name[2:]]
        else:
            known = [*map(str, dataset.data_vars), *(f"n_{dim}" for dim in dataset.sizes)]
            raise UserError(f"models/{model}.py: the dataset has nothing named {name!r}; it has {', '.join(known)}")
    function = partial(function, **static)
    shapes, latents = _sites(function, {**data, **traced})
    named = infer_dims(function, model_kwargs={**{n: a for n, a in data.items() if n not in signature.outcomes}, **traced})
    dims = {site: _dims(site, len(shape), named.get(site, [])) for site, shape in shapes.items()}
    bound = Bound(function, data, signature.outcomes, latents, traced, dims, dataset)
    if any(outcome in data for outcome in signature.outcomes):
        _validate(f"models/{model}.py", bound)
    return bound


def _sites(function: Callable, arguments: Arrays) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...]]:
    """Shape of every site and the names of the latent ones, without computing anything."""
    latents = []

    def run(arguments):
        trace = handlers.trace(handlers.seed(function, jax.random.key(0))).get_trace(**arguments)
        latents.extend(n for n, site in trace.items() if site["type"] == "sample" and not site["is_observed"])
        return {name: site["value"] for name, site in trace.items() if site["type"] in ("sample", "deterministic")}

    shapes = jax.eval_shape(run, arguments)
    return {name: value.shape for name, value in shapes.items()}, tuple(latents)


def open_bound(data: str, model: str, hyperparameters: Mapping[str, Any]) -> tuple[xr.DataTree, Bound]:
    """data.nc as a tree, and the model bound to it."""
    tree = io.read(data, contracts.DATA)
    return tree, bind(model, datasets.merged(tree), hyperparameters)


def _array(variable: xr.DataArray) -> np.ndarray:
    values = variable.values
    return values.astype(np.float64 if jax.config.jax_enable_x64 else np.float32) if values.dtype.kind == "f" else values


def _dims(site: str, ndim: int, named: Sequence[str]) -> tuple[str, ...]:
    rest = tuple(f"{site}_dim_{i}" for i in range(ndim - len(named)))
    return (*named, *rest)


def _validate(where: str, bound: Bound) -> None:
    """Refuse what NumPyro would broadcast, clamp or drop without a word."""
    families = {}

    @jax.jit
    def observed(arguments):
        trace = handlers.trace(handlers.seed(bound.function, jax.random.key(0))).get_trace(**arguments)
        sites = {n: site for n, site in trace.items() if site["type"] == "sample" and site["is_observed"]}
        families.update({name: type(site["fn"]).__name__ for name, site in sites.items()})
        return {n: (site["fn"].support(site["value"]), site["fn"].log_prob(site["value"])) for n, site in sites.items()}

    with numpyro.validation_enabled(False):
        found = observed({**bound.data, **bound.hyperparameters})
    if not found:
        raise UserError(f"{where}: no site is observed; pass an outcome with obs=")
    for name, (inside, log_prob) in found.items():
        if name not in bound.data:
            raise UserError(f"{where}: the observed site {name!r} is not an argument; name it after its data")
        shape = bound.data[name].shape
        if log_prob.shape != shape:
            raise UserError(
                f"{where}: {name} has shape {shape} but its distribution has {log_prob.shape}; align their dims"
            )
        inside = np.broadcast_to(np.asarray(inside), shape)
        if not inside.all():
            at = tuple(int(i) for i in np.argwhere(~inside)[0])
            labels = ", ".join(f"{d} {bound.dataset[d].values[i]}" for d, i in zip(bound.dims[name], at, strict=True))
            raise UserError(
                f"{where}: {name} of {labels} is {bound.data[name][at]}, outside the support of its {families[name]}; "
                "correct the table or choose another distribution"
            )


# Functions of one draw: `sites` maps every latent site to its constrained value.


def unit_log_likelihood(bound: Bound, outcomes: Sequence[str], unit: str, sites: Arrays, arguments: Arrays) -> jax.Array:
    """Log likelihood of the outcomes, summed to the unit's dim: (unit,)."""
    trace = _conditioned(bound, sites, arguments)
    total = 0.0
    for name in outcomes:
        log_prob = trace[name]["fn"].log_prob(trace[name]["value"])
        axes = tuple(axis for axis, dim in enumerate(bound.dims[name]) if dim != unit)
        total = total + log_prob.sum(axes)
    return total


def site_log_prior(bound: Bound, sites: Arrays, arguments: Arrays) -> Arrays:
    """Log prior density of each latent site, elementwise over its batch dims."""
    trace = _conditioned(bound, sites, arguments)
    return {name: trace[name]["fn"].log_prob(trace[name]["value"]) for name in bound.latents}


def _conditioned(bound: Bound, sites: Arrays, arguments: Arrays) -> Mapping[str, Any]:
    model = handlers.substitute(handlers.seed(bound.function, jax.random.key(0)), data=sites)
    return handlers.trace(model).get_trace(**arguments)


def simulate(function: Callable, key: jax.Array, sites: Arrays, arguments: Arrays) -> Arrays:
    """All sites of one forward run of the model, with `sites` fixed; `arguments` hold no outcomes."""
    model = handlers.substitute(handlers.seed(function, key), data=sites)
    trace = handlers.trace(model).get_trace(**arguments)
    return {name: site["value"] for name, site in trace.items() if site["type"] in ("sample", "deterministic")}


def prior(bound: Bound, key: np.ndarray) -> xr.DataTree:
    """Draws from the prior and the prior predictive distribution, dims (chain 1, draw, ...)."""
    batch = {
        "key": np.tile(key, (PRIOR_DRAWS, 1)),
        "chain": np.arange(PRIOR_DRAWS, dtype=np.uint32),
    }
    shared = {"inputs": bound.inputs, "hyperparameters": bound.hyperparameters}

    def draw(lane, shared):
        return simulate(bound.function, lanes.lane_key(lane), {}, {**shared["inputs"], **shared["hyperparameters"]})

    values = lanes.map_lanes(draw, batch, shared)
    split = {"prior": {}, "prior_predictive": {}}
    for name, value in values.items():
        split["prior_predictive" if name in bound.outcomes else "prior"][name] = small(value[None])
    return xr.DataTree.from_dict({group: labelled(bound, content) for group, content in split.items()})


def small(values: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest integer type that holds them; other arrays as they are."""
    if values.dtype.kind not in "iu" or values.size == 0:
        return values
    low, high = int(values.min()), int(values.max())
    kinds = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.int64)
    return values.astype(next(k for k in kinds if np.iinfo(k).min <= low and high <= np.iinfo(k).max))


def labelled(
    bound: Bound, values: Arrays, leading: Sequence[str] = ("chain", "draw"), coords: Mapping | None = None, names=None
) -> xr.Dataset:
    """Arrays of sites as a dataset with dims `leading` + the site's own, and the coords of the data."""
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


@dataclass(frozen=True)
class Fit:
    """What `posterior` returns: groups by name with leading dims (point, chain, draw), and how the lanes ended."""

    groups: dict[str, xr.Dataset]
    status: str
    reason: str


def posterior(
    bound: Bound,
    address: Mapping[str, Any],
    chains: int,
    sampler: lanes.Sampler,
    *,
    outcomes: Sequence[str],
    unit: str,
    over: str | None = None,
    points: Sequence[float] = (),
    progress: Callable[[int], None] = lambda iterations: None,
) -> Fit:
    """Sample the posterior, once or at each value of a hyperparameter.

    address: seed, study, entry, role and attempt, see `tadpool.seeds`. over, points: the hyperparameter that varies and
    its values; the groups then have one more leading dim, named after it. Group names are those of contracts.FIT.
    """
    values = list(points) if over else [None]
    hyperparameters = {
        name: np.repeat([value if name != over else point for point in values], chains).astype(float)
        for name, value in bound.hyperparameters.items()
    }
    if over:
        hyperparameters[over] = np.repeat(np.asarray(values, float), chains)
    keys = np.repeat([seeds.key(**address, point=point) for point in values], chains, axis=0)
    batch = lanes.Lanes(keys, np.tile(np.arange(chains), len(values)), arguments=hyperparameters)
    result = lanes.run(bound.function, batch, bound.data, sampler, progress=progress)
    stats = {**result.stats, "tree_depth": np.floor(np.log2(np.maximum(result.stats["n_steps"], 1))).astype(int) + 1}
    shape = ((len(values),) if over else ()) + (chains,)
    leading = ((over,) if over else ()) + ("chain", "draw")
    coords = {over: np.asarray(values, float)} if over else {}

    def group(arrays: Arrays, names=None, draw=None) -> xr.Dataset:
        shaped = {name: small(array.reshape(*shape, *array.shape[1:])) for name, array in arrays.items()}
        return labelled(bound, shaped, leading, {**coords, **({"draw": draw} if draw is not None else {})}, names)

    groups = {"posterior": group(result.values), "sample_stats": group(stats, {})}
    for name, variable in groups["posterior"].data_vars.items():
        variable.attrs["site"] = "latent" if name in bound.latents else "deterministic"
    failed = np.flatnonzero(result.status)
    if len(failed):
        return Fit(groups, "failed", _failure(bound, batch, result, failed))
    name = outcomes[0] if len(outcomes) == 1 else "joint"
    derived = score(bound, batch, result.values, outcomes, unit)
    if "log_likelihood" in derived:
        groups["log_likelihood"] = group({name: derived["log_likelihood"]}, {name: (unit,)})
    if not over:
        groups["log_prior"] = group(derived["log_prior"], _batch_dims(bound, derived["log_prior"]))
        kept = thinned(sampler.draws, chains)
        predictive = predict(bound, batch, result.values, kept, seeds.key(**{**address, "role": "posterior_predictive"}))
        groups["posterior_predictive"] = group(predictive, draw=kept)
    return Fit(groups, "ok", "")


def log_likelihood_blocks(
    bound: Bound, posterior: xr.Dataset, outcomes: Sequence[str], unit: str, block_bytes: float
) -> Iterator[xr.DataArray]:
    """The log likelihood (chain, draw, unit) in slices of the unit, recomputed where it was too large to store."""
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    arguments = {name: np.full(chains, value) for name, value in bound.hyperparameters.items()}
    step = max(1, int(block_bytes / (chains * draws * 4)))
    lane = {"draws": _latents(bound, {n: v.values for n, v in posterior.data_vars.items()}), "arguments": arguments}
    for first in range(0, bound.dataset.sizes[unit], step):
        units = slice(first, first + step)

        def derive(lane, shared, units=units):
            def at_draw(sites):
                scores = unit_log_likelihood(bound, outcomes, unit, sites, {**shared, **lane["arguments"]})
                return scores[units].astype(jnp.float32)

            return jax.lax.map(at_draw, lane["draws"])

        values = lanes.map_lanes(derive, lane, bound.data, bytes_per_lane=block_bytes / chains)
        yield xr.DataArray(values, dims=("chain", "draw", unit), coords={unit: bound.dataset[unit].values[units]})


def _batch_dims(bound: Bound, log_prior: Arrays) -> dict[str, tuple[str, ...]]:
    return {name: bound.dims[name][: value.ndim - 2] for name, value in log_prior.items()}


def score(bound: Bound, batch: lanes.Lanes, draws: Arrays, outcomes: Sequence[str], unit: str) -> Arrays:
    """Log likelihood per unit and log prior per latent site of draws (lanes, draws, ...), as float32.

    The log likelihood is absent where it would take more than LOG_LIKELIHOOD_BYTES.
    """
    count, length = next(iter(draws.values())).shape[:2]
    size = count * length * bound.dataset.sizes[unit] * 4

    def at_draw(sites, arguments):
        out = {"log_prior": site_log_prior(bound, sites, arguments)}
        if size <= LOG_LIKELIHOOD_BYTES:
            out["log_likelihood"] = unit_log_likelihood(bound, outcomes, unit, sites, arguments)
        return jax.tree.map(lambda value: value.astype(jnp.float32), out)

    def derive(lane, shared):
        return jax.lax.map(lambda sites: at_draw(sites, {**shared, **lane["arguments"]}), lane["draws"])

    lane = {"draws": _latents(bound, draws), "arguments": batch.arguments}
    return lanes.map_lanes(derive, lane, bound.data, bytes_per_lane=3 * size / count)


def thinned(length: int, chains: int) -> np.ndarray:
    """Positions of the draws of each chain that posterior predictive distributions use: PREDICTIVE_DRAWS in all."""
    per_chain = min(length, -(-PREDICTIVE_DRAWS // chains))
    return np.arange(per_chain) * length // per_chain


def predict(bound: Bound, batch: lanes.Lanes, draws: Arrays, kept: np.ndarray, key: np.ndarray, record=None) -> Arrays:
    """Outcomes (lanes, len(kept), ...) drawn from the model at draws (lanes, draws, ...) of its latent sites.

    A latent site that `draws` has not is drawn too. record: sites to return, by default the outcomes.
    """

    def derive(lane, shared):
        draw_keys = jax.random.split(lanes.lane_key(lane), len(kept))

        def at_draw(key_and_sites):
            values = simulate(bound.function, *key_and_sites, {**shared, **lane["arguments"]})
            return {name: values[name] for name in record or bound.outcomes}

        return jax.lax.map(at_draw, (draw_keys, jax.tree.map(lambda value: value[kept], lane["draws"])))

    lane = {
        "draws": _latents(bound, draws),
        "arguments": batch.arguments,
        "key": np.tile(key, (len(batch), 1)),
        "chain": batch.chains.astype(np.uint32),
    }
    return lanes.map_lanes(derive, lane, bound.inputs)


def _latents(bound: Bound, draws: Arrays) -> Arrays:
    return {name: draws[name] for name in bound.latents if name in draws}


def _failure(bound: Bound, batch: lanes.Lanes, result: lanes.Result, failed: np.ndarray) -> str:
    """What went wrong, with the sites that are not finite at the first invalid starting point."""
    lane = failed[0]
    counted = f"{len(failed)} of {len(batch)} chains"
    if result.status[lane] != lanes.Status.INVALID_START:
        return f"{counted} reached values that are not finite"
    start = {name: value[lane] for name, value in result.unconstrained_start.items()}
    arguments = {**bound.data, **{name: value[lane] for name, value in batch.arguments.items()}}
    sites = numpyro.infer.util.constrain_fn(bound.function, (), arguments, start)
    trace = _conditioned(bound, sites, arguments)
    bad = [
        name
        for name, site in trace.items()
        if site["type"] == "sample" and not np.isfinite(site["fn"].log_prob(site["value"])).all()
    ]
    where = f"the log density of {', '.join(bad)} is not finite there" if bad else "its gradient is not finite there"
    return f"{counted} found no valid starting point: {where}"


def new_group(
    model: str,
    hyperparameters: Mapping[str, Any],
    dataset: xr.Dataset,
    posterior: xr.Dataset,
    group: str,
    label: str,
    unit: str,
    rows: Sequence[Mapping[str, Any]],
    key: np.ndarray,
) -> xr.DataTree:
    """Predict rows of one new member of a grouping dim from posterior draws (chain, draw, ...).

    The population's sites keep their posterior draws; every site with the dim `group` is drawn anew from its
    distribution given them, and so are the outcomes. rows: the dataset variables of each row other than the group's
    index. Raises UserError for a variable that a row does not give.
    """
    original = bind(model, dataset, hyperparameters)
    bound = bind(model, _rows(original, dataset, group, label, unit, rows), hyperparameters)
    anew = [site for site, dims in original.dims.items() if group in dims]
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    batch = lanes.Lanes(
        np.tile(key, (chains, 1)),
        np.arange(chains),
        arguments={name: np.full(chains, value) for name, value in original.hyperparameters.items()},
    )
    population = {name: value.values for name, value in posterior.data_vars.items() if name not in anew}
    record = [*anew, *(name for name in bound.outcomes if name not in anew)]
    values = predict(bound, batch, population, np.arange(draws), key, record)
    return xr.DataTree.from_dict(
        {
            "predictions": labelled(bound, {name: small(value) for name, value in values.items()}),
            "predictions_constant_data": bound.dataset[[n for n in bound.inputs if n in bound.dataset.data_vars]],
        }
    )


def _rows(bound: Bound, dataset: xr.Dataset, group: str, label: str, unit: str, rows) -> xr.Dataset:
    """The dataset of the rows to predict: one new member of `group`, the variables of `rows`."""
    count = len(rows)
    variables = {}
    for name, value in bound.inputs.items():
        if name == f"{group}_index":
            variables[name] = (unit, np.zeros(count, int))
        elif name in dataset and unit in dataset[name].dims:
            absent = [i for i, row in enumerate(rows) if name not in row]
            if absent:
                raise UserError(f"predictions: row {absent[0] + 1} does not say {name}, which the model needs; add it")
            variables[name] = (unit, np.asarray([row[name] for row in rows], value.dtype))
    coords = {unit: np.arange(1, count + 1), group: [label] if group != unit else np.arange(1, count + 1)}
    kept = dataset.drop_dims([dim for dim in (unit, group) if dim in dataset.dims])
    return kept.assign(variables).assign_coords(coords)
