"""The job of a calibration: simulate, fit, rank, and judge the ranks."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from tadpool.calibration import sbc, sbc_verdict
from tadpool.engine import compile_cache, lanes, progress
from tadpool.files import contracts, io
from tadpool.fitting.job import Job
from tadpool.modelling import binding
from tadpool.modelling.entry import Entry


def calibrate(job: Job, entry: Entry, sampler: Mapping[str, Any], simulations: int) -> None:
    """Write a simulation-based calibration of an entry into `job.output` (contracts.CALIBRATION).

    A job that does only a share of the simulations writes nothing.

    Args:
        job: Reads `data`.
        entry: What is calibrated.
        sampler: The keys of the config's `sampler`.
        simulations: Number of simulated data sets.
    """
    lanes.start(job.threads, sampler["precision"], sampler.get("platform", "cpu"))
    settings, chains = lanes.Sampler.from_settings(sampler), sampler["chains"]
    iterations = simulations * chains * (settings.warmup + settings.draws)
    with compile_cache.active(), progress.bar(f"calibration of {entry.name}", iterations) as advance:
        _, bound = binding.open_bound(job.data, entry)
        execution = lanes.Execution(job.store, advance)
        found = sbc.calibrate(bound.generative, entry.address, chains, settings, simulations, execution=execution)
    if found is None:
        return
    quantities = sbc_verdict.summary(found)
    verdict, reasons = sbc_verdict.verdict(found, quantities)
    tree = xr.DataTree.from_dict({"simulations": found, "quantities": quantities})
    stated = {"status": "ok", "reason": "", "verdict": verdict, "reasons": sbc_verdict.as_text(reasons)}
    tree.attrs = {"provenance": job.provenance, **stated}
    io.write(job.output, tree, contracts.CALIBRATION)
