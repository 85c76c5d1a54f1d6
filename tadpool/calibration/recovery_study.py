"""Recovery over a grid: fit an entry to data sets simulated with other arguments, and hold it
against their truth."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from tadpool import seeds
from tadpool.calibration import bulk_diagnostics
from tadpool.calibration.sbc import elements, failed_chains, flags
from tadpool.calibration.sbc_verdict import FAILED, FLAGGED, IMPOSSIBLE, OK, as_text
from tadpool.convergence.diagnostics import Finding
from tadpool.engine import compile_cache, lanes, progress
from tadpool.errors import UserError, did_you_mean
from tadpool.files import contracts, io, plugins
from tadpool.files import data_file as datasets
from tadpool.fitting import sampling
from tadpool.fitting.job import Job
from tadpool.intervals import HIGH, LOW
from tadpool.loading import simulation
from tadpool.loading.truth import aligned
from tadpool.modelling.binding import Bound, bind, program_signature
from tadpool.modelling.entry import Entry


@dataclass(frozen=True)
class Case:
    """A data set of the grid: its cell as values and by name, its number, and what it was simulated
    with."""

    cell: tuple
    replicate: int
    values: Mapping[str, Any]
    bound: Bound | None = None
    truth: np.ndarray | None = None

    @property
    def place(self) -> tuple:
        return self.cell, self.replicate


@dataclass(frozen=True)
class CellFit:
    """How the fit of a data set ended, and what it estimates: name of a statistic ->
    (parameters,)."""

    outcome: str
    reason: str
    estimates: Mapping[str, np.ndarray] = field(default_factory=dict)


def recover(
    job: Job,
    entry: Entry,
    *,
    dataset: str,
    arguments: Mapping[str, Any],
    over: Mapping[str, Sequence[Any]],
    replicates: int,
    sites: Sequence[str],
    sampler: Mapping[str, Any],
) -> None:
    """Write the fits of data sets simulated over a grid into `job.output` (contracts.RECOVERY).

    A data set depends on its cell and number alone, so all entries see the same ones. A job that
    samples only a share of the lanes writes nothing.

    Args:
        job: Reads nothing.
        entry: What is fitted.
        dataset: The simulator.
        arguments: Its arguments, outside the grid.
        over: The grid: argument -> its values.
        replicates: Data sets of each cell.
        sites: Sites whose true values are compared with their estimates.
        sampler: The keys of the config's `sampler`.

    Raises:
        UserError: The sites have no true values, or their sizes differ between cells.
    """
    lanes.start(job.threads, sampler["precision"], sampler.get("platform", "cpu"))
    settings = lanes.Sampler.from_settings(sampler)
    names, fitted, alike = [], {}, defaultdict(list)
    for cell, replicate in product(product(*over.values()), range(replicates)):
        case = Case(cell, replicate, dict(zip(over, cell, strict=True)))
        try:
            tree = simulate(dataset, {**arguments, **case.values}, entry, case)
        except UserError as error:
            why = Finding("fail", "data", {"reason": str(error)})
            fitted[case.place] = CellFit(IMPOSSIBLE, as_text([why]))
            continue
        data = datasets.merged(tree)
        bound = bind(entry.model, data, entry.hyperparameters, observed_where=entry.observed_where)
        found = elements(bound, sites)[0]
        if names and found != names:
            raise UserError("recovery: sites: their size changes with the simulator's arguments; choose others")
        names = found
        case = replace(case, bound=bound, truth=_truth(bound, tree, sites))
        alike[program_signature(bound)].append(case)
    count = sum(map(len, alike.values()))
    iterations = count * sampler["chains"] * (settings.warmup + settings.draws)
    with compile_cache.active(), progress.bar(f"recovery by {entry.name}", iterations) as advance:
        execution = lanes.Execution(job.store, advance)
        found = [_fit(cases, entry, sites, sampler["chains"], settings, execution) for cases in alike.values()]
    if None in found:
        return
    fitted = fitted | {place: one for cases in found for place, one in cases.items()}
    tree = _tree(over, replicates, fitted, names)
    tree.attrs = {"provenance": job.provenance, "status": "ok", "reason": ""}
    io.write(job.output, tree, contracts.RECOVERY)


def simulate(dataset: str, arguments: Mapping[str, Any], entry: Entry, case: Case) -> xr.DataTree:
    """One simulated data set as in data.nc. A simulator that has a `random_state` is given one for
    each data set.

    Raises UserError where the simulator cannot make it.
    """
    point = [case.values, case.replicate]
    if "random_state" in plugins.defaults(plugins.find("datasets", dataset), "simulate"):
        state = seeds.generator(entry.seed, entry.study, "", "simulate/random_state", point).integers(2**31)
        arguments = {**arguments, "random_state": int(state)}
    return simulation.simulate(dataset, arguments, entry.outcomes, entry.study, entry.seed, point=point)


def _truth(bound: Bound, tree: xr.DataTree, sites: Sequence[str]) -> np.ndarray:
    truth = tree["truth"].to_dataset()
    for site in sites:
        if site not in truth:
            raise UserError(f"recovery: sites: {site!r} has no true value{did_you_mean(site, list(truth.data_vars))}")
    return np.concatenate([aligned(truth[site], bound.dims[site], bound.sizes[site]) for site in sites])


def _fit(
    cases: Sequence[Case],
    entry: Entry,
    sites: Sequence[str],
    chains: int,
    sampler: lanes.Sampler,
    execution: lanes.Execution,
) -> dict[tuple, CellFit] | None:
    """Fit data sets of one program signature: all their chains are lanes of one program.

    None in a job that samples only a share of them.
    """
    first = cases[0].bound
    keys = np.stack(
        [seeds.key(**entry.address, role="recovery", point=[case.values, case.replicate]) for case in cases]
    )
    arguments = {name: np.full(len(cases) * chains, value) for name, value in first.hyperparameters.items()}
    arguments |= {name: np.repeat(np.stack([c.bound.data[name] for c in cases]), chains, axis=0) for name in first.data}
    held_out = sampling.nothing_held_out(first, len(cases) * chains)
    batch = lanes.Lanes(np.repeat(keys, chains, axis=0), np.tile(np.arange(chains), len(cases)), arguments, held_out)

    def derive(values, stats, lane, shared):
        return {"sites": jnp.concatenate([values[name].reshape(sampler.draws, -1) for name in sites], axis=1)}

    result = lanes.run(first.function, batch, {}, sampler, derive=derive, execution=execution)
    if result is None:
        return None
    draws = result.values["sites"].reshape(len(cases), chains, sampler.draws, -1)
    status = result.status.reshape(len(cases), chains)
    stats = {name: value.reshape(len(cases), chains, -1) for name, value in result.stats.items()}
    return {
        case.place: _estimated(draws[i], case.truth, status[i], {name: value[i] for name, value in stats.items()})
        for i, case in enumerate(cases)
    }


def _estimated(draws: np.ndarray, truth: np.ndarray, status: np.ndarray, stats: Mapping[str, np.ndarray]) -> CellFit:
    """draws: (chains, draws, parameters)."""
    if status.any() or not np.isfinite(draws).all():
        return CellFit(FAILED, as_text([failed_chains(status)]))
    reasons = list(flags(stats, bulk_diagnostics.joint(np.moveaxis(draws, 2, 0)), len(draws)))
    every = draws.reshape(-1, draws.shape[-1])
    low, high = np.quantile(every, [LOW, HIGH], axis=0)
    estimates = {"mean": every.mean(axis=0), "sd": every.std(axis=0, ddof=1), "eti89_low": low, "eti89_high": high}
    return CellFit(FLAGGED if reasons else OK, as_text(reasons), {"truth": truth, **estimates})


def _tree(
    over: Mapping[str, Sequence], replicates: int, fitted: Mapping[tuple, CellFit], names: Sequence[str]
) -> xr.DataTree:
    cells = list(product(*over.values()))
    shape, dims = [*map(len, over.values()), replicates], (*over, "replicate")
    every = [fitted[cell, replicate] for cell in cells for replicate in range(replicates)]
    missing = np.full(len(names), np.nan)

    def array(name: str) -> np.ndarray:
        return np.stack([one.estimates.get(name, missing) for one in every]).reshape(*shape, -1)

    coords = {name: list(values) for name, values in over.items()}
    texts = {
        name: (dims, np.array([getattr(one, name) for one in every]).reshape(shape)) for name in ("outcome", "reason")
    }
    columns = {name: ((*dims, "parameter"), array(name)) for name in ("truth", "mean", "sd", "eti89_low", "eti89_high")}
    return xr.DataTree.from_dict(
        {"fits": xr.Dataset(texts, coords), "estimates": xr.Dataset(columns, {**coords, "parameter": list(names)})}
    )
