"""Exact leave-one-out of the whole sigma grid as lanes: one lane per chain, tank left out and value
of sigma."""

import time
from functools import partial

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from benchmarks import common
from tadpool import seeds
from tadpool.engine import compile_cache, lanes
from tadpool.models.frogs_fixed_sigma import model


def left_out(draws: lanes.Arrays, stats: lanes.Arrays, lane: lanes.Arrays, shared: lanes.Arrays) -> lanes.Arrays:
    """Log likelihood of the tank that the lane left out, at each draw."""
    tank = jnp.argmax(lane["held_out"]["survived"])
    likelihood = dist.Binomial(shared["density"][tank], logits=draws["alpha"][:, tank])
    return {"log_likelihood": likelihood.log_prob(shared["survived"][tank])}


def main() -> None:
    """Refit without each tank at each value and print what it took."""
    options = common.grid_options(__doc__)
    imported = time.monotonic()
    lanes.start(options.threads, "float64")
    compiling = common.CompileClock()
    data = common.frogs()
    chains, tanks = options.chains, len(data["density"])
    points = [(sigma, tank) for sigma in options.sigmas.tolist() for tank in range(tanks)]
    keys = [seeds.key(common.SEED, "reedfrogs", "fixed_sigma", "benchmark", point=point) for point in points]
    batch = lanes.Lanes(
        np.repeat(keys, chains, axis=0),
        np.tile(np.arange(chains), len(points)),
        arguments={"sigma": np.repeat([sigma for sigma, _ in points], chains)},
        held_out={"survived": np.repeat(np.eye(tanks, dtype=bool)[[tank for _, tank in points]], chains, axis=0)},
    )
    sampler = lanes.Sampler(options.warmup, options.draws, common.TARGET_ACCEPT, common.MAX_TREE_DEPTH)
    with compile_cache.active():
        result = lanes.run(partial(model, n_tank=tanks), batch, data, sampler, derive=left_out)
    scores = result.values["log_likelihood"].reshape(len(options.sigmas), tanks, chains, options.draws)
    elpd, error = common.elpd(scores)
    total = time.monotonic() - imported
    seconds = {
        "start": imported - options.started,
        "compile_and_sample": total,
        "sample": total - compiling.seconds(),
    }
    failed = int(np.count_nonzero(result.status))
    common.line(seconds, ("jax", "numpyro"), elpd=elpd.tolist(), error=error.tolist(), failed=failed)


if __name__ == "__main__":
    main()
