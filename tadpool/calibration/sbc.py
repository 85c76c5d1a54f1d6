"""Simulation-based calibration: are true values uniform among posterior draws when data come from the model itself?

Talts et al. (2018), arXiv:1804.06788. The joint log likelihood is ranked too: parameters alone cannot see a likelihood
that is left out (Modrák et al. 2023, Bayesian Analysis 20:461-488).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats

from tadpool import seeds
from tadpool.calibration import bulk_diagnostics
from tadpool.calibration.sbc_verdict import FAILED, FLAGGED, IMPOSSIBLE, LOG_LIKELIHOOD, OK
from tadpool.convergence import verdicts
from tadpool.engine import batches, lanes
from tadpool.engine.nuts import lane_key
from tadpool.fitting.sampling import brief
from tadpool.modelling import densities
from tadpool.modelling.binding import Arrays, Bound, labelled

# A simulation's draws are thinned to this many, so that those left are nearly independent.
RANKED = 100
# A posterior's draws that are in memory at once, of as many simulations as fit.
GROUP_BYTES = 400e6


@dataclass(frozen=True)
class Simulated:
    """Draws from the prior and outcomes simulated with them, first axis the simulation.

    sites: every latent and deterministic site. outcomes: the observed sites. log_likelihood: joint, at the true values
    (simulations,). possible: false where a value is not finite or an outcome outside its support.
    """

    numbers: np.ndarray
    sites: Arrays
    outcomes: Arrays
    log_likelihood: np.ndarray
    possible: np.ndarray


def simulate(generator: Bound, address: Mapping[str, Any], numbers: Sequence[int]) -> Simulated:
    """Draw true values from the prior and outcomes from the model. Simulation i depends on the address and on i alone.

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

    found = batches.map_lanes(draw, batch, shared, skip_optimization=brief(generator))
    return Simulated(np.asarray(numbers, int), **found)


def parameters(bound: Bound) -> list[str]:
    """The sites that are ranked: those that are sampled, in the form that the model states them."""
    stated = [name.removesuffix("_decentered") for name in bound.latents]
    return [name if name in bound.dims else latent for name, latent in zip(stated, bound.latents, strict=True)]


def elements(bound: Bound, sites: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of all elements of the sites in C order, such as `alpha[3]`, and the site of each."""
    names, owners = [], []
    for site in sites:
        dims = bound.dims[site]
        if not dims:
            found = [site]
        else:
            shape = labelled(bound, {site: np.zeros(_shape(bound, site))}, ())[site]
            labels = [shape[dim].values if dim in shape.coords else range(shape.sizes[dim]) for dim in dims]
            found = [f"{site}[{', '.join(map(str, each))}]" for each in pd.MultiIndex.from_product(labels)]
        names, owners = names + found, owners + [site] * len(found)
    return names, owners


def calibrate(
    bound: Bound,
    address: Mapping[str, Any],
    chains: int,
    sampler: lanes.Sampler,
    numbers: Sequence[int],
    *,
    generator: Bound | None = None,
    progress: Callable[[int], None] = lambda iterations: None,
) -> xr.Dataset:
    """Simulate, fit and rank the simulations `numbers`; dims (simulation, quantity).

    generator: the model that simulates, and whose joint log likelihood is ranked; by default `bound` itself. Another one
    shows what an error in `bound` looks like. The quantities are all parameters and the joint log likelihood:

    rank: of the truth among the thinned draws of all chains, 0 to attrs["largest_rank"], -1 where the fit failed.
    below: share of all draws below the truth. truth, mean, sd; ess: bulk effective sample size of all draws.
    outcome (simulation): ok, flagged (sampled badly, and counted all the same), failed (no draws) or impossible (the
    simulated data cannot be), with a reason; rhat_max, ess_min, diverging (simulation).
    """
    generator = generator or bound
    simulated = simulate(generator, address, numbers)
    sites = parameters(bound)
    names, owners = elements(bound, sites)
    flat = [simulated.sites[name].reshape(len(simulated.numbers), -1) for name in sites]
    truth = np.concatenate([*flat, simulated.log_likelihood[:, None]], axis=1).astype(float)
    rows: list[dict] = [{}] * len(truth)
    for group in _groups(np.flatnonzero(simulated.possible), chains * sampler.draws * truth.shape[1] * 8):
        draws, status, stats_ = _fits(bound, generator, address, chains, sampler, simulated, group, progress)
        for i, position in enumerate(group):
            one = {name: value[i] for name, value in stats_.items()}
            number = int(simulated.numbers[position])
            rows[position] = _ranked(draws[i], truth[position], status[i], one, {**address, "point": number})
    return _dataset(simulated, truth, rows, [*names, LOG_LIKELIHOOD], [*owners, LOG_LIKELIHOOD], chains, sampler)


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
    progress: Callable[[int], None],
) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """Draws (simulations, chains, draws, quantities), statuses (simulations, chains), statistics (simulations, ...)."""
    numbers = simulated.numbers[group]
    keys = np.stack([seeds.key(**address, role="calibration", point=int(i)) for i in numbers])
    arguments = {name: np.full(len(numbers) * chains, value) for name, value in bound.hyperparameters.items()}
    arguments |= {name: np.repeat(value[group], chains, axis=0) for name, value in simulated.outcomes.items()}
    batch = lanes.Lanes(np.repeat(keys, chains, axis=0), np.tile(np.arange(chains), len(numbers)), arguments)
    sites = parameters(bound)

    def derive(values, _, lane, shared):
        inputs = shared if generator is bound else generator.inputs
        outcomes = {name: lane["arguments"][name] for name in generator.outcomes}
        known = {**inputs, **outcomes, **generator.hyperparameters}
        latents = {name: values[name] for name in generator.latents}
        score = jax.lax.map(lambda sites: densities.simulated_log_likelihood(generator, sites, known), latents)
        flat = [values[name].reshape(len(score), -1) for name in sites]
        return {"quantities": jnp.concatenate([*flat, score[:, None]], axis=1)}

    result = lanes.run(bound.function, batch, bound.inputs, sampler, derive=derive, progress=progress)
    shape = (len(numbers), chains)
    draws, status, found = jax.tree.map(
        lambda value: value.reshape(*shape, *value.shape[1:]),
        (result.values["quantities"], result.status, result.stats),
    )
    return draws, status, found


def _ranked(draws: np.ndarray, truth: np.ndarray, status: np.ndarray, found: Arrays, address: Mapping) -> dict:
    """One simulation's row. draws: (chains, draws, quantities)."""
    if status.any() or not np.isfinite(draws).all():
        start = (status == lanes.Status.INVALID_START).sum()
        what = "found no valid starting point" if start else "reached values that are not finite"
        return {"outcome": FAILED, "reason": f"{start or max(1, (status != 0).sum())} of {len(status)} chains {what}"}
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
        "reason": "; ".join(reasons),
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


def flags(found: Arrays, judged: Arrays, chains: int) -> Iterator[str]:
    """Why a simulated fit would fail its check."""
    diverging, transitions = int(found["diverging"].sum()), found["diverging"].size
    rhat, ess, bfmi = judged["rhat"].max(), judged["ess_bulk"].min(), array_stats.bfmi(found["energy"]).min()
    if diverging > verdicts.DIVERGING_FAIL * transitions:
        yield f"{diverging} of {transitions} transitions diverged"
    if not rhat <= verdicts.RHAT_FAIL:
        yield f"R-hat is {rhat:.2f}"
    if not ess >= verdicts.ESS_FAIL_PER_CHAIN * chains:
        yield f"ESS is {ess:.0f}"
    if not bfmi >= verdicts.BFMI_FAIL:
        yield f"E-BFMI is {bfmi:.2f}"


def _dataset(
    simulated: Simulated,
    truth: np.ndarray,
    rows: list[dict],
    names: list[str],
    owners: list[str],
    chains: int,
    sampler: lanes.Sampler,
) -> xr.Dataset:
    nothing = {"outcome": IMPOSSIBLE, "reason": "the simulated data have values that cannot be"}
    empty = np.full(len(names), np.nan)
    rows = [row or nothing for row in rows]

    def stacked(name: str, otherwise: Any, dtype: Any) -> np.ndarray:
        return np.stack([np.asarray(row.get(name, otherwise)) for row in rows]).astype(dtype)

    both, one = ("simulation", "quantity"), "simulation"
    variables = {"truth": (both, truth), "rank": (both, stacked("rank", np.full(len(names), -1), np.int16))}
    variables |= {name: (both, stacked(name, empty, float)) for name in ("below", "mean", "sd", "ess")}
    variables |= {name: (one, stacked(name, np.nan, float)) for name in ("rhat_max", "ess_min", "diverging")}
    variables |= {name: (one, stacked(name, "", str)) for name in ("outcome", "reason")}
    coords = {"simulation": simulated.numbers, "quantity": names, "site": ("quantity", owners)}
    largest = chains * kept_per_chain(chains, sampler.draws)
    return xr.Dataset(variables, coords, {"largest_rank": largest})
