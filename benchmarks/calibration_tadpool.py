"""A calibration batch as lanes: each lane fits data simulated from its own draw of the prior, and
returns its ranks."""

import time
from functools import partial

import jax.numpy as jnp
import numpy as np

from benchmarks import common
from tadpool import seeds
from tadpool.engine import compile_cache, lanes
from tadpool.models.frogs_multilevel import model

THINNED = 100


def simulate(rng: np.random.Generator, density: np.ndarray, count: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Parameters of `count` studies from the prior of frogs_multilevel, and survivors (count, tank)
    given them."""
    alpha_bar, sigma = rng.normal(0.0, 1.5, count), rng.exponential(1.0, count)
    alpha = rng.normal(alpha_bar[:, None], sigma[:, None], (count, len(density)))
    survived = rng.binomial(density, 1.0 / (1.0 + np.exp(-alpha)))
    return {"alpha_bar": alpha_bar, "sigma": sigma, "alpha": alpha}, survived


def ranks(draws: lanes.Arrays, stats: lanes.Arrays, lane: lanes.Arrays, shared: lanes.Arrays) -> lanes.Arrays:
    """Rank of each true parameter among the lane's thinned draws."""
    length = draws["sigma"].shape[0]
    kept = np.arange(THINNED) * length // THINNED
    return {name: (draws[name][kept] < truth).sum(axis=0).astype(jnp.int16) for name, truth in lane["extra"].items()}


def main() -> None:
    """Sample the batch and print what it took."""
    options = common.options(__doc__, lanes={"type": int, "default": 100})
    imported = time.monotonic()
    lanes.start(options.threads, "float64")
    compiling = common.CompileClock()
    density = common.frogs()["density"]
    address = {"seed": common.SEED, "study": "reedfrogs", "entry": "multilevel", "role": "benchmark"}
    truth, survived = simulate(seeds.generator(**address), density, options.lanes)
    batch = lanes.Lanes(
        np.stack([seeds.key(**address, point=i) for i in range(options.lanes)]),
        np.zeros(options.lanes, int),
        arguments={"survived": survived},
        extra=truth,
    )
    sampler = lanes.Sampler(options.warmup, options.draws, common.TARGET_ACCEPT, common.MAX_TREE_DEPTH)
    with compile_cache.active():
        result = lanes.run(partial(model, n_tank=len(density)), batch, {"density": density}, sampler, derive=ranks)
    total = time.monotonic() - imported
    seconds = {
        "start": imported - options.started,
        "compile_and_sample": total,
        "sample": total - compiling.seconds(),
    }
    mean_rank = {name: float(result.values[name].mean() / THINNED) for name in ("alpha_bar", "sigma")}
    common.line(seconds, ("jax", "numpyro"), mean_rank=mean_rank, failed=int(np.count_nonzero(result.status)))


if __name__ == "__main__":
    main()
