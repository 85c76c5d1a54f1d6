"""Refits without some of the data, as lanes of one program: the exact side of cross-validation.

Refits are warm-started: each chain starts where a chain of the main fit ended, with that chain's
step size and the variances of the main fit's draws. What is held out changes the posterior, but not
so much that the sampler has to search for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import xarray as xr
from arviz_stats.base import array_stats
from numpyro.infer.util import unconstrain_fn

from tadpool import seeds
from tadpool.engine import batches, lanes
from tadpool.engine.nuts import WarmStart, lane_key, metric_of_draws
from tadpool.evaluation.folds import Fold
from tadpool.fitting import sampling
from tadpool.modelling import binding, densities
from tadpool.modelling.batched_fits import Points
from tadpool.modelling.binding import Arrays, Bound
from tadpool.modelling.entry import Entry

REFIT_WARMUP, REFIT_DRAWS = 150, 300
"""Most iterations of each chain of a refit: it starts with the step sizes and variances of the main
fit, and with four chains of that many draws the Monte Carlo error of the score of a fold is a few
hundredths, where the scores of folds differ by tenths or more."""


@dataclass(frozen=True)
class Refits:
    """What the refits without each fold say of it.

    scores: log likelihood of the targets (fold, chain, draw, target), 0 past a fold's last one.
    predictive: outcome -> its draws in the rows left out (fold, chain, thinned draw, row, ...),
    repeated past a fold's last one, if any. rhat: (fold,) the largest of the scores and of the log
    density. diverging: (fold,) transitions. finite: (fold,) whether the draws are.
    """

    scores: np.ndarray
    predictive: Arrays
    rhat: np.ndarray
    diverging: np.ndarray
    finite: np.ndarray


def refit(
    bound: Bound,
    folds: Sequence[Fold],
    entry: Entry,
    settings: Mapping[str, Any],
    main: xr.DataTree,
    *,
    attempt: int = 0,
    points: Points | None = None,
    execution: lanes.Execution | None = None,
) -> Refits | None:
    """Fit the model without each fold's rows, warm-started from the main fit.

    Args:
        bound: The model bound to its data; of separate fits as `batched_fits.group_points` gives
            it.
        folds: What each refit leaves out; of separate fits each fold lies within one of them.
        entry: Its address, outcomes and unit are used.
        settings: chains, the fields of `lanes.Sampler`, and the sites that are `reparametrized`,
            see `sampler_settings`.
        main: The main fit, with the groups posterior and sample_stats.
        attempt: Number of the main fit's last attempt.
        points: The points of a sweep, or of separate fits. Rows that are left out of a sweep's
            points are not predicted.
        execution: How the lanes are run, see `lanes.run`.

    Returns:
        What the refits say of their folds; None in a job that samples only a share of them.
    """
    chains, outcomes, unit = settings["chains"], entry.outcomes, entry.unit
    address = {**entry.address, "role": "leave_out", "attempt": attempt}
    sampler = lanes.Sampler.from_settings(settings)
    at, rows = zip(*(_place(fold, points) for fold in folds), strict=True)
    width, count = max(map(len, rows)), 1 + max(int(fold.targets.max()) for fold in folds)
    everything = {
        "rows": np.stack([np.pad(own, (0, width - len(own)), mode="edge") for own in rows]),
        # A padding row counts towards a score of its own, which is dropped.
        "targets": np.stack(
            [np.pad(fold.targets, (0, width - len(fold.targets)), constant_values=count) for fold in folds]
        ),
        "arguments": {name: np.full(len(folds), value) for name, value in bound.hyperparameters.items()},
        "held_out": _held_out(bound, rows, outcomes, unit),
        "keys": np.stack([seeds.key(**address, point=_name(fold, points)) for fold in folds]),
    }
    if points is not None:
        everything["arguments"] |= {name: value[list(at)] for name, value in points.arguments.items()}
        for name, padding in points.held_out.items():
            everything["held_out"][name] = everything["held_out"].get(name, False) | padding[list(at)]
    function = binding.reparametrized(bound, settings.get("reparametrized", ()))
    start = warm_start(bound, function, main, points, sampler)
    of_lane = batches.take(everything, np.repeat(np.arange(len(folds)), chains))
    batch = lanes.Lanes(
        of_lane["keys"],
        np.tile(np.arange(chains), len(folds)),
        of_lane["arguments"],
        of_lane["held_out"],
        {name: of_lane[name] for name in ("rows", "targets")},
        batches.take(start, (np.array(at)[:, None] * chains + np.arange(chains)).ravel()),
    )
    kept = np.zeros(0, int) if _swept(points) else sampling.thinned(sampler.draws, chains)
    derive = _derive(bound, outcomes, unit, count, kept)
    shared = {name: value for name, value in bound.data.items() if name not in batch.arguments}
    changes = [points.settings[number] if points and points.settings else {} for number in at]
    # A swept length of the warm-up is that of the main fit: refits are warm-started.
    samplers = [
        replace(sampler, **{k: v for k, v in own.items() if k != "warmup"}) for own in changes for _ in range(chains)
    ]
    result = lanes.run_each(function, batch, shared, samplers, derive=derive, execution=execution)
    if result is None:
        return None
    values = jax.tree.map(lambda array: array.reshape(len(folds), chains, *array.shape[1:]), result.values)
    lp, diverging = (result.stats[name].reshape(len(folds), chains, -1) for name in ("lp", "diverging"))
    finite = (result.status.reshape(len(folds), chains) == lanes.Status.OK).all(axis=1)
    finite &= np.isfinite(values["scores"]).all(axis=(1, 2, 3))
    rhat = _rhat(np.concatenate([np.moveaxis(values["scores"], 3, 1), lp[:, None]], axis=1))
    return Refits(values["scores"], values["predictive"], rhat, diverging.sum(axis=(1, 2)), finite)


def sampler_settings(attempts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sampler settings of refits: the main fit's, with fewer iterations.

    Args:
        attempts: The attribute `attempts` of the main fit's file.

    Returns:
        Settings with the keys of the config's `sampler`, and the sites that are `reparametrized`.
    """
    first, last = attempts[0]["settings"], attempts[-1]["settings"]
    iterations = {"draws": min(first["draws"], REFIT_DRAWS), "warmup": min(last["warmup"], REFIT_WARMUP)}
    return {**last, **iterations}


def warm_start(
    bound: Bound, function: Callable, main: xr.DataTree, points: Points | None, sampler: lanes.Sampler
) -> WarmStart:
    """Where refits start: where each chain of the main fit ended, with what that fit has adapted.

    Args:
        bound: The model bound to its data.
        function: The model as it is sampled, with sites reparametrized.
        main: The main fit, with the groups posterior and sample_stats.
        points: The points of a sweep or of separate fits, if the main fit has several.
        sampler: Settings of the refits; `dense` decides which sites have covariances in place of
            variances.

    Returns:
        The start of each chain of the main fit: the leading axis has (fits x chains) lanes.
    """
    leading = ("chain", "draw") if points is None else (points.dim, "chain", "draw")
    posterior, step_size = main["posterior"].to_dataset(), main["sample_stats"]["step_size"].transpose(*leading).values
    names = binding.latents(function, {**bound.data, **bound.hyperparameters})
    # A posterior that is kept as float32 starts chains of float64.
    draws = {name: posterior[name].transpose(*leading, ...).values.astype(step_size.dtype) for name in names}
    draws = {name: array.reshape(-1, *array.shape[len(leading) - 1 :]) for name, array in draws.items()}
    fits = 1 if points is None else len(points.labels)
    arguments = {} if points is None else points.arguments
    shared = {name: value for name, value in {**bound.data, **bound.hyperparameters}.items() if name not in arguments}

    def unconstrained(lane, shared):
        def at_draw(sites):
            z = unconstrain_fn(function, (), {**shared, **lane["arguments"]}, sites)
            return {name: z[name] for name in names}

        return jax.lax.map(at_draw, lane["draws"])

    chains = posterior.sizes["chain"]
    lane = {"draws": draws, "arguments": {name: np.repeat(value, chains, axis=0) for name, value in arguments.items()}}
    with numpyro.validation_enabled(False):
        z = batches.map_lanes(unconstrained, lane, shared)

    draws = {name: array.reshape(fits, chains * array.shape[1], *array.shape[2:]) for name, array in z.items()}
    metric = metric_of_draws(draws, sampler)
    return WarmStart(
        z={name: array[:, -1] for name, array in z.items()},
        metric=jax.tree.map(lambda array: np.repeat(array, chains, axis=0), metric),
        step_size=step_size.reshape(fits * chains, -1)[:, -1],
    )


def _place(fold: Fold, points: Points | None) -> tuple[int, np.ndarray]:
    """The fold's point, and its rows as the model sees them: of separate fits, places within the
    one that has them."""
    if points is None or points.rows is None:
        return fold.point, fold.rows
    padding = next(iter(points.held_out.values()))
    own = np.isin(points.rows, fold.rows) & ~padding
    (point,) = np.unique(np.nonzero(own)[0])
    return point, np.array([np.flatnonzero(own[point] & (points.rows[point] == row))[0] for row in fold.rows])


def _name(fold: Fold, points: Points | None) -> list:
    """Of a sweep's fold the value comes first, so that its fit is the same whatever other values
    the sweep has."""
    return [*([points.labels[fold.point].tolist()] if _swept(points) else []), *fold.name]


def _swept(points: Points | None) -> bool:
    return points is not None and points.rows is None


def _held_out(bound: Bound, rows: Sequence[np.ndarray], outcomes: Sequence[str], unit: str) -> dict[str, np.ndarray]:
    left_out = np.zeros((len(rows), bound.dataset.sizes[unit]), bool)
    for fold, own in zip(left_out, rows, strict=True):
        fold[own] = True
    masks = {}
    for name in outcomes:
        shape = [-1 if dim == unit else 1 for dim in bound.dims[name]]
        whole = (len(rows), *bound.data[name].shape)
        masks[name] = np.broadcast_to(left_out.reshape(len(rows), *shape), whole)
    return masks


def _derive(bound: Bound, outcomes: Sequence[str], unit: str, count: int, kept: np.ndarray) -> Callable:
    """What is kept of a lane's draws: the scores of all of them, and predictions of the rows left
    out at the `kept` ones."""

    def derive(draws: Arrays, stats: Arrays, lane: Arrays, shared: Arrays) -> Arrays:
        arguments = {**shared, **lane["arguments"]}
        inputs = {name: value for name, value in arguments.items() if name not in bound.outcomes}
        rows, targets = lane["extra"]["rows"], lane["extra"]["targets"]

        def score(sites):
            units = densities.unit_log_likelihood(bound, outcomes, unit, sites, arguments)
            return jax.ops.segment_sum(units[rows], targets, count + 1)[:count]

        def predict(key_and_sites):
            values = densities.simulate(bound, *key_and_sites, inputs)
            return {name: jnp.moveaxis(values[name], bound.dims[name].index(unit), 0)[rows] for name in outcomes}

        latents = {name: draws[name] for name in bound.latents}
        scores = jax.lax.map(score, latents)
        if not len(kept):
            return {"scores": scores, "predictive": {}}
        keys = jax.random.split(jax.random.fold_in(lane_key(lane), sampling.PREDICTIVE_DRAWS), len(kept))
        thinned = {name: value[kept] for name, value in latents.items()}
        return {"scores": scores, "predictive": jax.lax.map(predict, (keys, thinned))}

    return derive


def _rhat(draws: np.ndarray) -> np.ndarray:
    """The largest R-hat of each fold (fold, quantity, chain, draw); what never changes has none and
    is passed over."""
    found = np.full(draws.shape[:2], np.nan)
    moving = np.isfinite(draws).all(axis=(2, 3)) & (np.ptp(draws, axis=(2, 3)) > 0)
    if moving.any():
        found[moving] = array_stats.rhat(draws[moving], chain_axis=-2, draw_axis=-1)
    return np.fmax.reduce(found, axis=1)
