"""One fit of a study as lanes; with few draws it shows what comes before the first draw."""

import argparse
import time
from typing import Any

import numpy as np

from benchmarks import common
from tadpool import seeds
from tadpool.engine import compile_cache, lanes
from tadpool.modelling import binding
from tadpool.modelling.entry import Entry
from tadpool.modelling.references import Reference


def main() -> None:
    """Sample one model and print what it took."""
    options = common.fit_options(__doc__)
    sample(options, options.model, {})


def sample(options: argparse.Namespace, model: Reference, hyperparameters: dict[str, Any]) -> None:
    """Sample a model of this name or reference with these hyperparameters and print what it
    took."""
    imported = time.monotonic()
    lanes.start(options.threads, "float64")
    compiling = common.CompileClock()
    sampler = lanes.Sampler(options.warmup, options.draws, common.TARGET_ACCEPT, common.MAX_TREE_DEPTH)
    key = seeds.key(common.SEED, "benchmarks", options.model, "benchmark", point=options.number)
    gates = {"y1": "y0"} if model == "masking_masked" else {}
    entry = Entry(1, "benchmarks", "it", model, hyperparameters, observed_where=gates)
    with compile_cache.active():
        _, bound = binding.open_bound(options.data, entry)
        batch = lanes.Lanes(
            np.tile(key, (common.CHAINS, 1)),
            np.arange(common.CHAINS),
            arguments={name: np.full(common.CHAINS, value) for name, value in bound.hyperparameters.items()},
        )
        result = lanes.run(bound.function, batch, bound.data, sampler)
    total = time.monotonic() - imported
    seconds = {
        "start": imported - options.started,
        "compile_and_sample": total,
        "sample": total - compiling.seconds(),
    }
    common.line(seconds, ("jax", "numpyro"), **common.diagnose_sites(result.values, bound.latents, options.diagnose))


if __name__ == "__main__":
    main()
