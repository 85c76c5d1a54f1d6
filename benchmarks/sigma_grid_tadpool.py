"""The sigma grid as lanes: one compiled program, one lane per chain and value."""

import time
from functools import partial

import numpy as np

from benchmarks import common
from tadpool import seeds
from tadpool.engine import compile_cache, lanes
from tadpool.models.frogs_fixed_sigma import model


def main() -> None:
    """Sample the grid and print what it took."""
    options = common.grid_options(__doc__)
    imported = time.monotonic()
    lanes.start(options.threads, "float64")
    compiling = common.CompileClock()
    data = common.frogs()
    sigmas, chains = options.sigmas, options.chains
    keys = [seeds.key(common.SEED, "reedfrogs", "fixed_sigma", "benchmark", point=sigma) for sigma in sigmas.tolist()]
    batch = lanes.Lanes(
        np.repeat(keys, chains, axis=0),
        np.tile(np.arange(chains), len(sigmas)),
        arguments={"sigma": np.repeat(sigmas, chains)},
    )
    sampler = lanes.Sampler(options.warmup, options.draws, common.TARGET_ACCEPT, common.MAX_TREE_DEPTH)
    with compile_cache.active():
        result = lanes.run(partial(model, n_tank=len(data["density"])), batch, data, sampler)
    draws = {name: array.reshape(len(sigmas), chains, *array.shape[1:]) for name, array in result.values.items()}
    summary = common.summarise(draws["alpha_bar"])
    total = time.monotonic() - imported
    seconds = {
        "start": imported - options.started,
        "compile_and_sample": total,
        "sample": total - compiling.seconds(),
    }
    diagnosis = common.diagnose(draws["alpha_bar"], draws["alpha"]) if options.diagnose else {}
    common.line(seconds, ("jax", "numpyro"), **summary, **diagnosis)


if __name__ == "__main__":
    main()
