"""The jobs of a calibration: some of its simulations, and all of them together."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from tadpool.calibration import sbc_verdict
from tadpool.files import contracts, io
from tadpool.modelling.design import Reference


def calibrate_part(
    output: str,
    provenance: str,
    data: str,
    threads: int,
    *,
    seed: int,
    study: str,
    entry: str,
    model: Reference,
    hyperparameters: Mapping[str, Any],
    observed_where: Mapping[str, str],
    sampler: Mapping[str, Any],
    first: int,
    stop: int,
) -> None:
    """Run the simulations first, ..., stop - 1 of an entry into `output` (contracts.CALIBRATION_PART)."""
    from tadpool.calibration import sbc
    from tadpool.engine import compile_cache, lanes, progress
    from tadpool.modelling import binding

    lanes.start(threads, sampler["precision"], sampler.get("platform", "cpu"))
    settings = lanes.Sampler.of(sampler)
    chains, numbers = sampler["chains"], range(first, stop)
    address = {"seed": seed, "study": study, "entry": entry}
    iterations = len(numbers) * chains * (settings.warmup + settings.draws)
    with compile_cache.active(), progress.bar(f"calibration of {study}/{entry}", iterations) as advance:
        _, bound = binding.open_bound(data, model, hyperparameters, observed_where)
        found = sbc.calibrate(bound, address, chains, settings, numbers, progress=advance)
    tree = xr.DataTree.from_dict({"simulations": found})
    tree.attrs = {"provenance": provenance, "status": "ok", "reason": ""}
    io.write(output, tree, contracts.CALIBRATION_PART)


def gather(parts: Sequence[str], output: str, provenance: str) -> None:
    """Put the parts of a calibration together into `output` (contracts.CALIBRATION), the same whatever their number.

    parts: files named after the first simulation and the one after the last, `0-100.nc`. Those of one that crashed failed.
    """
    ranges = [tuple(map(int, Path(part).stem.split("-"))) for part in parts]
    trees = [io.read(path, contracts.CALIBRATION_PART) for path in parts]
    whole = [tree["simulations"].to_dataset() for tree in trees if tree.attrs["status"] == "ok"]
    if not whole:
        reason = trees[0].attrs["reason"]
        attributes = {"provenance": provenance, "status": "crashed", "reason": reason, "verdict": "fail"}
        tree = xr.DataTree(xr.Dataset(attrs=attributes | {"reasons": io.canonical([f"It crashed: {reason}."])}))
        io.write(output, tree, contracts.CALIBRATION)
        return
    found = [
        tree["simulations"].to_dataset()
        if tree.attrs["status"] == "ok"
        else sbc_verdict.crashed(whole[0], range(*numbers), tree.attrs["reason"])
        for tree, numbers in zip(trees, ranges, strict=True)
    ]
    simulations = xr.concat(found, dim="simulation", join="exact", coords="minimal", compat="override")
    simulations = simulations.drop_encoding()  # it has the parts' sizes
    quantities = sbc_verdict.summary(simulations)
    verdict, reasons = sbc_verdict.verdict(simulations, quantities)
    tree = xr.DataTree.from_dict({"simulations": simulations, "quantities": quantities})
    tree.attrs = {
        "provenance": provenance,
        "status": "ok",
        "reason": "",
        "verdict": verdict,
        "reasons": io.canonical(reasons),
    }
    io.write(output, tree, contracts.CALIBRATION)
