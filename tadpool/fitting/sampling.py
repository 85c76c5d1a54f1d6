"""Prior, posterior, log likelihood and predictions of one entry, built on lanes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import xarray as xr

from tadpool import seeds
from tadpool.engine import batches, lanes
from tadpool.engine.nuts import hold_out, lane_key
from tadpool.fitting import LOG_LIKELIHOOD_BYTES
from tadpool.modelling import binding, densities
from tadpool.modelling.batched_fits import Points
from tadpool.modelling.binding import Arrays, Bound, labelled, smallest_integer_type

PRIOR_DRAWS = 1000
PREDICTIVE_DRAWS = 1000
# Of outcomes drawn for all rows, as numbers of 8 bytes: beyond it fewer of the draws are predicted
# with.
PREDICTIVE_BYTES = 4e8
# Drawing that many outcomes a thousand times takes less time than optimizing the program that does
# it.
BRIEF_ELEMENTS = 2000


def prior(bound: Bound, key: np.ndarray) -> xr.DataTree:
    """Draws from the prior and the prior predictive distribution, dims (chain 1, draw, ...)."""
    batch = {
        "key": np.tile(key, (PRIOR_DRAWS, 1)),
        "chain": np.arange(PRIOR_DRAWS, dtype=np.uint32),
    }
    shared = {"inputs": bound.inputs, "hyperparameters": bound.hyperparameters}

    def draw(lane, shared):
        return densities.simulate(bound, lane_key(lane), {}, {**shared["inputs"], **shared["hyperparameters"]})

    def sites(lane, shared):
        return {name: value for name, value in draw(lane, shared).items() if name not in bound.outcomes}

    kept = within_bytes(np.arange(PRIOR_DRAWS), 1, bound)
    options = {"each": batches.BRIEF, "skip_optimization": is_quick_to_draw(bound)}
    if len(kept) < PRIOR_DRAWS:
        values = batches.map_lanes(sites, batch, shared, **options)
        values |= _outcomes(bound, draw, batches.take(batch, kept), shared)
    else:
        values = batches.map_lanes(draw, batch, shared, **options)
    split = {"prior": {}, "prior_predictive": {}}
    for name, value in values.items():
        split["prior_predictive" if name in bound.outcomes else "prior"][name] = smallest_integer_type(value[None])
    coords = {"prior": {}, "prior_predictive": {"draw": kept}}
    groups = {group: labelled(bound, content, coords=coords[group]) for group, content in split.items()}
    return xr.DataTree.from_dict(groups)


def _outcomes(bound: Bound, draw: Callable, batch: Arrays, shared: Arrays) -> Arrays:
    """The outcomes alone of what `draw` gives for each lane of a batch."""

    def outcomes(lane, shared):
        values = draw(lane, shared)
        return {name: values[name] for name in bound.outcomes}

    size = 8 * sum(bound.sizes[name] for name in bound.outcomes)
    return batches.map_lanes(outcomes, batch, shared, bytes_per_lane=size, skip_optimization=is_quick_to_draw(bound))


@dataclass(frozen=True)
class Fit:
    """What a fit holds: groups by name with leading dims (point, chain, draw), and how the lanes
    ended."""

    groups: dict[str, xr.Dataset]
    status: str
    reason: str


@dataclass(frozen=True)
class Sampled:
    """Lanes of one fit, or of one at each of `points`, and how they were sampled.

    address: seed, study, entry, role and attempt, see `tadpool.seeds`. reparametrized: sites that
    were not sampled themselves. batch, result: the lanes (points x chains) and what came of them.
    """

    bound: Bound
    address: Mapping[str, Any]
    chains: int
    sampler: lanes.Sampler
    points: Points | None
    reparametrized: tuple[str, ...]
    batch: lanes.Lanes
    result: lanes.Result

    def group(self, arrays: Arrays, names=None, draw=None) -> xr.Dataset:
        """Arrays (lanes, draws, ...) with the dims (point,) chain, draw, and those of `names` or of
        the sites."""
        points = self.points
        shape = (self.chains,) if points is None else (len(points.labels), self.chains)
        leading = ("chain", "draw") if points is None else (points.dim, "chain", "draw")
        coords = {} if draw is None else {"draw": draw}
        shaped = {
            name: smallest_integer_type(array.reshape(*shape, *array.shape[1:])) for name, array in arrays.items()
        }
        dataset = labelled(self.bound, shaped, leading, coords, names)
        return dataset if points is None else dataset.assign_coords(points.coords)

    @property
    def groups(self) -> dict[str, xr.Dataset]:
        """posterior and sample_stats. The attribute `site` of a variable says latent, deterministic
        or auxiliary."""
        stats, auxiliary = self.result.stats, binding.decentered_sites(self.reparametrized)
        stats = {**stats, "tree_depth": np.floor(np.log2(np.maximum(stats["n_steps"], 1))).astype(int) + 1}
        dims = self.bound.dims | {name: self.bound.dims[site] for name, site in auxiliary.items()}
        posterior = self.group(self.result.values, dims)
        for name, variable in posterior.data_vars.items():
            kind = "auxiliary" if name in auxiliary else "latent" if name in self.bound.latents else "deterministic"
            variable.attrs["site"] = kind
        return {"posterior": posterior, "sample_stats": self.group(stats, {})}

    @property
    def usable(self) -> bool:
        """Whether the lanes have numbers: in a sweep those of some value, else all of them."""
        ended_well = (self.result.status == lanes.Status.OK).reshape(-1, self.chains).all(axis=1)
        return bool(ended_well.any() if self.points and self.points.rows is None else ended_well.all())

    @property
    def reason(self) -> str:
        """What went wrong, "" where nothing did."""
        failed = np.flatnonzero(self.result.status)
        return _failure(self, failed) if len(failed) else ""


def sample(
    bound: Bound,
    address: Mapping[str, Any],
    chains: int,
    sampler: lanes.Sampler,
    *,
    points: Points | None = None,
    reparametrized: Sequence[str] = (),
    keep_state: bool = False,
    execution: lanes.Execution | None = None,
) -> Sampled | None:
    """Sample the posterior, once or at each of `points`.

    Args:
        bound: The model bound to its data.
        address: seed, study, entry, role and attempt, see `tadpool.seeds`.
        chains: Chains of each fit.
        sampler: Settings of NUTS.
        points: The points of a sweep, or of separate fits; by default there is one fit.
        reparametrized: Sites whose standardized distances are sampled in their place.
        keep_state: Whether `continue_sampling` is to go on from the last draw.
        execution: How the lanes are run, see `lanes.run`.

    Returns:
        The lanes and how they were sampled; None in a job that samples only a share of them.
    """
    labels = [None] if points is None else points.labels.tolist()
    keys = np.repeat([seeds.key(**address, point=label) for label in labels], chains, axis=0)
    batch = _batch(bound, points, keys, chains)
    function = binding.reparametrized(bound, reparametrized)
    shared = _shared(bound.data, batch)
    samplers = [replace(sampler, **changes) for changes in (points.settings if points else ()) or ({},) * len(labels)]
    each = [own for own in samplers for _ in range(chains)]
    result = lanes.run_each(function, batch, shared, each, keep_state=keep_state, execution=execution)
    if result is None:
        return None
    return Sampled(bound, address, chains, sampler, points, tuple(reparametrized), batch, result)


def continue_sampling(sampled: Sampled, draws: int, execution: lanes.Execution | None = None) -> Sampled:
    """The same lanes with more draws, `draws` in all: bit for bit what one run of that length would
    have given."""
    more = replace(sampled.sampler, draws=draws - sampled.sampler.draws)
    function = binding.reparametrized(sampled.bound, sampled.reparametrized)
    result = lanes.run(
        function,
        sampled.batch,
        _shared(sampled.bound.data, sampled.batch),
        more,
        state=sampled.result.state,
        keep_state=True,
        execution=execution,
    )
    joined = lanes.join_runs(sampled.result, result)
    return replace(sampled, sampler=replace(sampled.sampler, draws=draws), result=joined)


def posterior(
    bound: Bound,
    address: Mapping[str, Any],
    chains: int,
    sampler: lanes.Sampler,
    *,
    outcomes: Sequence[str],
    unit: str,
    points: Points | None = None,
) -> Fit:
    """Sample the posterior and derive everything from its draws, see `sample` and
    `fit_from_draws`."""
    return fit_from_draws(sample(bound, address, chains, sampler, points=points), outcomes, unit)


def fit_from_draws(sampled: Sampled, outcomes: Sequence[str], unit: str, every: int = 1) -> Fit:
    """The posterior with log likelihood, log prior and predictions.

    every: which draws the fit's file is going to keep, see `every_last`; predictions are made with
    draws among these. With points the groups have one more leading dim. A sweep is "ok" where some
    of its values could be sampled; fits to separate groups have log likelihood and predictions by
    row of the whole dataset, as other fits have.
    """
    bound, batch, points, draws = sampled.bound, sampled.batch, sampled.points, sampled.result.values
    groups, reason = sampled.groups, sampled.reason
    if not sampled.usable:
        return Fit(groups, "failed", reason)
    name = outcomes[0] if len(outcomes) == 1 else "joint"
    scores = score(bound, batch, draws, outcomes, unit)
    if "log_likelihood" in scores:
        groups["log_likelihood"] = sampled.group({name: scores["log_likelihood"]}, {name: (unit,)})
    if points is None or points.rows is not None:
        groups["log_prior"] = sampled.group(scores["log_prior"], _batch_dims(bound, scores["log_prior"]))
        stored = every_last(sampled.sampler.draws, every)
        kept = within_bytes(stored[thinned(len(stored), sampled.chains)], sampled.chains, bound)
        key = seeds.key(**{**sampled.address, "role": "posterior_predictive"})
        groups["posterior_predictive"] = sampled.group(predict(bound, batch, draws, kept, key), draw=kept)
    if points is not None and points.rows is not None:
        for name in {"log_likelihood", "posterior_predictive"} & set(groups):
            groups[name] = _by_row(groups[name], points, unit)
    return Fit(groups, "ok", reason)


def _batch(bound: Bound, points: Points | None, keys: np.ndarray, chains: int) -> lanes.Lanes:
    count = 1 if points is None else len(points.labels)
    arguments = {name: np.full(count * chains, value) for name, value in bound.hyperparameters.items()}
    held_out = nothing_held_out(bound, count * chains)
    if points is not None:
        arguments |= {name: np.repeat(value, chains, axis=0) for name, value in points.arguments.items()}
        held_out |= {name: np.repeat(value, chains, axis=0) for name, value in points.held_out.items()}
    return lanes.Lanes(keys, np.tile(np.arange(chains), count), arguments, held_out)


def nothing_held_out(bound: Bound, count: int) -> Arrays:
    """Masks of lanes that hold nothing out; with them all fits of a model share one program."""
    return {name: np.broadcast_to(False, (count, *np.shape(bound.data[name]))) for name in bound.outcomes}


def _shared(data: Arrays, batch: lanes.Lanes) -> Arrays:
    return {name: value for name, value in data.items() if name not in batch.arguments}


def _by_row(group: xr.Dataset, points: Points, unit: str) -> xr.Dataset:
    """Put what separate fits say of their places (points, chain, draw, places) into the order of
    the dataset's rows."""
    (padding,) = {id(value): value for value in points.held_out.values()}.values()
    rows = points.rows[~padding]
    order = np.argsort(rows)
    moved = {}
    for name, variable in group.data_vars.items():
        values = np.moveaxis(variable.transpose(points.dim, "chain", "draw", unit).values, 3, 1)[~padding][order]
        moved[name] = (("chain", "draw", unit), np.moveaxis(values, 0, 2))
    return xr.Dataset(moved, coords={name: group[name] for name in ("chain", "draw")})


def log_likelihood_blocks(
    bound: Bound, posterior: xr.Dataset, outcomes: Sequence[str], unit: str, block_bytes: float
) -> Iterator[xr.DataArray]:
    """The log likelihood (chain, draw, unit) in slices of the unit, recomputed where it was too
    large to store."""
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    arguments = {name: np.full(chains, value) for name, value in bound.hyperparameters.items()}
    units = bound.dataset.sizes[unit]
    step = min(units, max(1, int(block_bytes / (chains * draws * 4))))

    def derive(lane, shared):
        def at_draw(sites):
            scores = densities.unit_log_likelihood(bound, outcomes, unit, sites, {**shared, **lane["arguments"]})
            return jax.lax.dynamic_slice_in_dim(scores, lane["start"], step).astype(jnp.float32)

        return jax.lax.map(at_draw, lane["draws"])

    lane = {"draws": _latents(bound, {n: v.values for n, v in posterior.data_vars.items()}), "arguments": arguments}
    over_lanes = batches.OverLanes(derive)
    for first in range(0, units, step):
        start = min(first, units - step)  # the last block begins with units of the one before, which are dropped
        whole = lane | {"start": np.full(chains, start)}
        values = over_lanes(whole, bound.data, block_bytes / chains)
        labels = {unit: bound.dataset[unit].values[first : first + step]}
        yield xr.DataArray(values[:, :, first - start :], dims=("chain", "draw", unit), coords=labels)


def joint_log_likelihood(bound: Bound, posterior: xr.Dataset, points: Points | None = None) -> xr.DataArray:
    """Log density of all observed sites together, as the model has it, at each draw: (chain, draw).

    points: of separate fits, as `batched_fits.group_points` gives them with `bound`; their dim then
    comes first.
    """
    leading = ("chain", "draw") if points is None else (points.dim, "chain", "draw")
    lanes_of = {name: site.transpose(*leading, ...).values for name, site in posterior.data_vars.items()}
    draws = {name: values.reshape(-1, *values.shape[len(leading) - 1 :]) for name, values in lanes_of.items()}
    count = len(next(iter(draws.values())))
    batch = _batch(bound, points, np.zeros((count, 2), np.uint32), posterior.sizes["chain"])

    def derive(lane, shared):
        masked = replace(bound, function=hold_out(bound.function, lane["held_out"]))

        def at_draw(sites):
            trace = densities.conditioned_trace(masked, sites, {**shared, **lane["arguments"]})
            return sum(densities.log_likelihood(trace[name]).sum() for name in bound.outcomes)

        return jax.lax.map(at_draw, lane["draws"])

    lane = {"draws": _latents(bound, draws), "arguments": batch.arguments, "held_out": batch.held_out}
    values = batches.map_lanes(derive, lane, _shared(bound.data, batch))
    shape = [posterior.sizes[dim] for dim in leading]
    return xr.DataArray(values.reshape(shape), {dim: posterior[dim].values for dim in leading}, leading)


def _batch_dims(bound: Bound, log_prior: Arrays) -> dict[str, tuple[str, ...]]:
    return {name: bound.dims[name][: value.ndim - 2] for name, value in log_prior.items()}


def score(bound: Bound, batch: lanes.Lanes, draws: Arrays, outcomes: Sequence[str], unit: str) -> Arrays:
    """Log likelihood per unit and log prior per latent site of draws (lanes, draws, ...), as
    float32.

    The log likelihood is absent where it would take more than LOG_LIKELIHOOD_BYTES.
    """
    count, length = next(iter(draws.values())).shape[:2]
    size = count * length * bound.dataset.sizes[unit] * 4

    def at_draw(sites, arguments):
        out = {"log_prior": densities.site_log_prior(bound, sites, arguments)}
        if size <= LOG_LIKELIHOOD_BYTES:
            out["log_likelihood"] = densities.unit_log_likelihood(bound, outcomes, unit, sites, arguments)
        return jax.tree.map(lambda value: value.astype(jnp.float32), out)

    def derive(lane, shared):
        return jax.lax.map(lambda sites: at_draw(sites, {**shared, **lane["arguments"]}), lane["draws"])

    lane = {"draws": _latents(bound, draws), "arguments": batch.arguments}
    return batches.map_lanes(derive, lane, _shared(bound.data, batch), bytes_per_lane=3 * size / count)


def every_last(length: int, every: int) -> np.ndarray:
    """Positions of one draw in `every`, counted from the last: fits that leave something out start
    there."""
    return np.arange(length)[::-every][::-1]


def thinned(length: int, chains: int) -> np.ndarray:
    """Positions of the draws of each chain that posterior predictive distributions use:
    PREDICTIVE_DRAWS in all."""
    per_chain = min(length, -(-PREDICTIVE_DRAWS // chains))
    return np.arange(per_chain) * length // per_chain


def within_bytes(kept: np.ndarray, chains: int, bound: Bound) -> np.ndarray:
    """Every second, third, ... of these draws of each chain, so that outcomes drawn with them take
    PREDICTIVE_BYTES at most."""
    size = 8 * chains * len(kept) * sum(bound.sizes[name] for name in bound.outcomes)
    return kept[:: max(1, -(-int(size) // int(PREDICTIVE_BYTES)))]


def predict(bound: Bound, batch: lanes.Lanes, draws: Arrays, kept: np.ndarray, key: np.ndarray, record=None) -> Arrays:
    """Outcomes (lanes, len(kept), ...) drawn from the model at draws (lanes, draws, ...) of its
    latent sites.

    A latent site that `draws` has not is drawn too. record: sites to return, by default the
    outcomes.
    """

    def derive(lane, shared):
        draw_keys = jax.random.split(lane_key(lane), len(kept))

        def at_draw(key_and_sites):
            values = densities.simulate(bound, *key_and_sites, {**shared, **lane["arguments"]})
            return {name: values[name] for name in record or bound.outcomes}

        return jax.lax.map(at_draw, (draw_keys, jax.tree.map(lambda value: value[kept], lane["draws"])))

    lane = {
        "draws": _latents(bound, draws),
        "arguments": {name: value for name, value in batch.arguments.items() if name not in bound.outcomes},
        "key": np.tile(key, (len(batch), 1)),
        "chain": batch.chains.astype(np.uint32),
    }
    return batches.map_lanes(derive, lane, _shared(bound.inputs, batch), skip_optimization=is_quick_to_draw(bound))


def is_quick_to_draw(bound: Bound) -> bool:
    """Whether drawing the outcomes is so quick that its program is better not optimized, see
    `spreading.spread`."""
    return sum(bound.sizes[name] for name in bound.outcomes) <= BRIEF_ELEMENTS


def _latents(bound: Bound, draws: Arrays) -> Arrays:
    return {name: draws[name] for name in bound.latents if name in draws}


def _failure(sampled: Sampled, failed: np.ndarray) -> str:
    """What went wrong, with the sites that are not finite at the first invalid starting point."""
    bound, batch, result = sampled.bound, sampled.batch, sampled.result
    lane = failed[0]
    counted = f"{len(failed)} of {len(batch)} chains"
    if result.status[lane] != lanes.Status.INVALID_START:
        return f"{counted} reached values that are not finite"
    start = {name: value[lane] for name, value in result.unconstrained_start.items()}
    arguments = {**bound.data, **{name: value[lane] for name, value in batch.arguments.items()}}
    function = binding.reparametrized(bound, sampled.reparametrized)
    with numpyro.validation_enabled(False):
        sites = numpyro.infer.util.constrain_fn(function, (), arguments, start, return_deterministic=True)
        trace = densities.conditioned_trace(bound, sites, arguments)
        log_probs = {n: site["fn"].log_prob(site["value"]) for n, site in trace.items() if site["type"] == "sample"}
    bad = [name for name, log_prob in log_probs.items() if not np.isfinite(log_prob).all()]
    where = f"the log density of {', '.join(bad)} is not finite there" if bad else "its gradient is not finite there"
    return f"{counted} found no valid starting point: {where}"
