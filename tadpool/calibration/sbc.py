"""Simulation-based calibration: are true values uniform among posterior draws when data come from
the model itself?

Talts et al. (2018), arXiv:1804.06788. The joint log likelihood is ranked too: parameters alone
cannot see a likelihood that is left out (Modrák et al. 2023, Bayesian Analysis 20:461-488).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from arviz_stats.base import array_stats

from tadpool import seeds
from tadpool.calibration import bulk_diagnostics
from tadpool.calibration.sbc_verdict import FAILED, FLAGGED, IMPOSSIBLE, LOG_LIKELIHOOD, OK, as_text
from tadpool.convergence.diagnostics import DIAGNOSTICS, Finding, judge
from tadpool.elements import element_names
from tadpool.engine import batches, lanes
from tadpool.engine.nuts import lane_key
from tadpool.fitting import sampling
from tadpool.modelling import densities
from tadpool.modelling.binding import Arrays, Bound, labelled

# A simulation's draws are thinned to this many, so that those left are nearly independent.
RANKED = 100
# Simulated data and draws that are in memory at once, of as many simulations as fit.
GROUP_BYTES = 400e6
COLUMNS = {"truth": float, "rank": np.int16, "below": float, "mean": float, "sd": float, "ess": float}
COLUMNS |= {"rhat_max": float, "ess_min": float, "diverging": float, "outcome": str, "reason": str}
"""What is kept of each simulation, and its type; see `calibrate`."""


@dataclass(frozen=True)
class Simulated:
    """Draws from the prior and outcomes simulated with them, first axis the simulation.

    sites: every latent and deterministic site. outcomes: the observed sites. log_likelihood: joint,
    at the true values (simulations,). possible: false where a value is not finite or an outcome
    outside its support.
    """

    numbers: np.ndarray
    sites: Arrays
    outcomes: Arrays
    log_likelihood: np.ndarray
    possible: np.ndarray


def simulate(generator: Bound, address: Mapping[str, Any], numbers: Sequence[int]) -> Simulated:
    """Draw true values from the prior and outcomes from the model. Simulation i depends on the
    address and on i alone.

    address: seed, study and entry, see `tadpool.seeds`.
    """
    keys = np.stack([seeds.key(**address, role="calibration/simulate", point=int(i)) for i in numbers])
    batch = {"key": keys, "chain": np.zeros(len(keys), np.uint32)}
    shared = {**generator.inputs, **generator.hyperparameters}

    def draw(lane, shared):
        values = densities.simulate(generator, lane_key(lane), {}, shared)
        latents = {name: values[name] for name in generator.latents}
        outcomes = {name: values.pop(name).astype(generator.data[name].dtype) for name in generator.outcomes}
        arguments = {**shared, **outcomes}
        return {
            "sites": values,
            "outcomes": outcomes,
            "log_likelihood": densities.simulated_log_likelihood(generator, latents, arguments),
            "possible": densities.is_valid(generator, latents, arguments),
        }

    found = batches.map_lanes(
        draw, batch, shared, each=batches.BRIEF, skip_optimization=sampling.is_quick_to_draw(generator)
    )
    return Simulated(np.asarray(numbers, int), **found)


def parameters(bound: Bound) -> list[str]:
    """The sites that are ranked: those that are sampled, in the form that the model states them."""
    stated = [name.removesuffix("_decentered") for name in bound.latents]
    return [name if name in bound.dims else latent for name, latent in zip(stated, bound.latents, strict=True)]


def elements(bound: Bound, sites: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of all elements of the sites in C order, such as `alpha[3]`, and the site of each."""
    names, owners = [], []
    for site in sites:
        found = element_names(labelled(bound, {site: np.zeros(_shape(bound, site))}, ())[site])
        names, owners = names + found, owners + [site] * len(found)
    return names, owners


def calibrate(
    bound: Bound,
    address: Mapping[str, Any],
    chains: int,
    sampler: lanes.Sampler,
    simulations: int,
    *,
    generator: Bound | None = None,
    execution: lanes.Execution | None = None,
) -> xr.Dataset | None:
    """Simulate, fit and rank.

    Args:
        bound: The model that is fitted.
        address: seed, study and entry, see `tadpool.seeds`.
        chains: Chains of each fit.
        sampler: Settings of NUTS.
        simulations: Number of simulated data sets.
        generator: The model that simulates, and whose joint log likelihood is ranked; by default
            `bound` itself. Another one shows what an error in `bound` looks like.
        execution: How the lanes are run, see `lanes.run`.

    Returns:
        Dims (simulation, quantity); the quantities are all parameters and the joint log likelihood.
            None in a job that does
        only a share of the simulations.

        rank: of the truth among the thinned draws of all chains, 0 to attrs["largest_rank"], -1
            where the fit failed.
        below: share of all draws below the truth. truth, mean, sd; ess: bulk effective sample size
            of all draws.
        outcome (simulation): ok, flagged (sampled badly, and counted all the same), failed (no
            draws) or impossible (the
        simulated data cannot be), with a reason; rhat_max, ess_min, diverging (simulation).
    """
    generator, execution = generator or bound, execution or lanes.Execution()
    names, owners = elements(bound, parameters(bound))
    names, owners = [*names, LOG_LIKELIHOOD], [*owners, LOG_LIKELIHOOD]
    call = execution.store.call(f"calibration of {simulations}")
    done = [(saved.lanes, saved.leaves) for saved in call.finished()]
    size = 8 * (chains * sampler.draws * len(names) + sum(generator.sizes.values()))
    for numbers in _groups(call.left(simulations), size):
        # A job that was stopped goes on within the group; jobs share whole simulations and none of
        # their lanes.
        inner = replace(execution, store=execution.store.within(str(numbers[0])))
        rows = _ranked_rows(bound, generator, address, chains, sampler, numbers, inner)
        done.append((numbers, [np.array([row[name] for row in rows]).astype(kind) for name, kind in COLUMNS.items()]))
        call.finish(*done[-1])
    if execution.store.share is not None:
        return None
    order = np.argsort(np.concatenate([numbers for numbers, _ in done]))
    columns = [np.concatenate(parts)[order] for parts in zip(*(leaves for _, leaves in done), strict=True)]
    variables = {
        name: (("simulation", "quantity")[: column.ndim], column) for name, column in zip(COLUMNS, columns, strict=True)
    }
    coords = {"simulation": np.arange(simulations), "quantity": names, "site": ("quantity", owners)}
    return xr.Dataset(variables, coords, {"largest_rank": chains * kept_per_chain(chains, sampler.draws)})


def _ranked_rows(
    bound: Bound,
    generator: Bound,
    address: Mapping[str, Any],
    chains: int,
    sampler: lanes.Sampler,
    numbers: np.ndarray,
    execution: lanes.Execution,
) -> list[dict[str, Any]]:
    """A value of each of COLUMNS for each of the simulations."""
    simulated = simulate(generator, address, numbers)
    flat = [simulated.sites[name].reshape(len(numbers), -1) for name in parameters(bound)]
    truth = np.concatenate([*flat, simulated.log_likelihood[:, None]], axis=1).astype(float)
    rows: list[dict] = [_impossible(own) for own in truth]
    possible = np.flatnonzero(simulated.possible)
    if len(possible):
        draws, status, stats_ = _fits(bound, generator, address, chains, sampler, simulated, possible, execution)
        for i, position in enumerate(possible):
            one = {name: value[i] for name, value in stats_.items()}
            own = {**address, "point": int(numbers[position])}
            rows[position] |= _ranked(draws[i], truth[position], status[i], one, own)
    return rows


def _shape(bound: Bound, site: str) -> tuple[int, ...]:
    known = [bound.dataset.sizes.get(dim) for dim in bound.dims[site]]
    unknown = [i for i, size in enumerate(known) if size is None]
    rest = bound.sizes[site] // int(np.prod([size for size in known if size is not None], dtype=int))
    return tuple(rest if i == (unknown or [None])[0] else size or 1 for i, size in enumerate(known))


def _groups(positions: np.ndarray, bytes_each: float) -> Iterator[np.ndarray]:
    size = max(1, int(GROUP_BYTES / bytes_each))
    yield from (positions[first : first + size] for first in range(0, len(positions), size))


def _fits(
    bound: Bound,
    generator: Bound,
    address: Mapping[str, Any],
    chains: int,
    sampler: lanes.Sampler,
    simulated: Simulated,
    group: np.ndarray,
    execution: lanes.Execution,
) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """Draws (simulations, chains, draws, quantities), statuses (simulations, chains), statistics
    (simulations, ...)."""
    numbers = simulated.numbers[group]
    keys = np.stack([seeds.key(**address, role="calibration", point=int(i)) for i in numbers])
    arguments = {name: np.full(len(numbers) * chains, value) for name, value in bound.hyperparameters.items()}
    arguments |= {name: np.repeat(value[group], chains, axis=0) for name, value in simulated.outcomes.items()}
    held_out = sampling.nothing_held_out(bound, len(numbers) * chains)
    batch = lanes.Lanes(np.repeat(keys, chains, axis=0), np.tile(np.arange(chains), len(numbers)), arguments, held_out)
    sites = parameters(bound)

    def derive(values, _, lane, shared):
        inputs = shared if generator is bound else generator.inputs
        outcomes = {name: lane["arguments"][name] for name in generator.outcomes}
        known = {**inputs, **outcomes, **generator.hyperparameters}
        latents = {name: values[name] for name in generator.latents}
        score = jax.lax.map(lambda sites: densities.simulated_log_likelihood(generator, sites, known), latents)
        flat = [values[name].reshape(len(score), -1) for name in sites]
        return {"quantities": jnp.concatenate([*flat, score[:, None]], axis=1)}

    result = lanes.run(bound.function, batch, bound.inputs, sampler, derive=derive, execution=execution)
    shape = (len(numbers), chains)
    draws, status, found = jax.tree.map(
        lambda value: value.reshape(*shape, *value.shape[1:]),
        (result.values["quantities"], result.status, result.stats),
    )
    return draws, status, found


def _ranked(draws: np.ndarray, truth: np.ndarray, status: np.ndarray, found: Arrays, address: Mapping) -> dict:
    """One simulation's row. draws: (chains, draws, quantities)."""
    if status.any() or not np.isfinite(draws).all():
        return {"outcome": FAILED, "reason": as_text([failed_chains(status)])}
    chains, length, _ = draws.shape
    per_chain = kept_per_chain(chains, length)
    thinned = draws[:, (np.arange(1, per_chain + 1) * length) // per_chain - 1].reshape(chains * per_chain, -1)
    ties = (thinned == truth).sum(axis=0)
    broken = seeds.generator(**address, role="calibration/ties").integers(0, ties + 1) if ties.any() else 0
    judged = bulk_diagnostics.joint(np.moveaxis(draws, 2, 0))
    everything = draws.reshape(chains * length, -1)
    reasons = list(flags(found, judged, chains))
    return {
        "outcome": FLAGGED if reasons else OK,
        "reason": as_text(reasons),
        "rank": (thinned < truth).sum(axis=0) + broken,
        "below": (everything < truth).mean(axis=0),
        "mean": everything.mean(axis=0),
        "sd": everything.std(axis=0, ddof=1),
        "ess": judged["ess_bulk"],
        "rhat_max": judged["rhat"].max(),
        "ess_min": judged["ess_bulk"].min(),
        "diverging": found["diverging"].sum(),
    }


def kept_per_chain(chains: int, draws: int) -> int:
    """Draws of each chain that ranks are among."""
    return max(1, min(RANKED // chains, draws))


def flags(found: Arrays, judged: Arrays, chains: int) -> Iterator[Finding]:
    """Judge a simulated fit by the default thresholds.

    Args:
        found: Statistics of the sampler, (chains, draws) each.
        judged: R-hat and bulk ESS of the quantities, of `bulk_diagnostics.joint`.
        chains: Their number.

    Yields:
        The findings that a fit fails with.
    """
    values = {
        "rhat": judged["rhat"].max(),
        "ess_bulk": judged["ess_bulk"].min(),
        "diverging": found["diverging"].sum(),
        "bfmi": array_stats.bfmi(found["energy"]).min(),
    }
    scales = {"chains": chains, "transitions": found["diverging"].size}
    for diagnostic in DIAGNOSTICS:
        if diagnostic.code in values:
            value = values[diagnostic.code].item()
            match judge(diagnostic.code, value, scales=scales):
                case ("fail", limit):
                    shown = value if np.isfinite(value) else None
                    yield Finding("fail", diagnostic.code, {"value": shown, "limit": limit, **scales})


def failed_chains(status: np.ndarray) -> Finding:
    """What became of chains without numbers. status: (chains,)."""
    start = int((status == lanes.Status.INVALID_START).sum())
    count = start or max(1, int((status != 0).sum()))
    return Finding("fail", "chains", {"count": count, "of": len(status), "start": start > 0})


def _impossible(truth: np.ndarray) -> dict[str, Any]:
    """The row of a simulation that is not fitted. truth: (quantities,)."""
    row = dict.fromkeys(("below", "mean", "sd", "ess"), np.full(len(truth), np.nan))
    row |= {"truth": truth, "rank": np.full(len(truth), -1, np.int16)}
    row |= dict.fromkeys(("rhat_max", "ess_min", "diverging"), np.nan)
    why = Finding("fail", "data", {"reason": "they contain impossible values"})
    return row | {"outcome": IMPOSSIBLE, "reason": as_text([why])}
