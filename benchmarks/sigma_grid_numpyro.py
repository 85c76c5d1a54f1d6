"""The sigma grid as notebooks do it in NumPyro: another MCMC at each value, which compiles anew."""

import time

import jax
import numpy as np
import numpyro
from numpyro.infer import MCMC, NUTS

from benchmarks import common
from tadpool.models.frogs_fixed_sigma import model


def main() -> None:
    """Sample the grid and print what it took."""
    options = common.grid_options(
        __doc__, method={"default": "parallel", "choices": ("parallel", "sequential", "vectorized")}
    )
    imported = time.monotonic()
    numpyro.enable_x64()
    if options.method == "parallel":
        numpyro.set_host_device_count(options.chains)
    compiling = common.CompileClock()
    data = common.frogs()
    fits = []
    for i, sigma in enumerate(options.sigmas):
        mcmc = MCMC(
            NUTS(model, target_accept_prob=common.TARGET_ACCEPT, max_tree_depth=common.MAX_TREE_DEPTH),
            num_warmup=options.warmup,
            num_samples=options.draws,
            num_chains=options.chains,
            chain_method=options.method,
            progress_bar=False,
        )
        mcmc.run(jax.random.key(common.SEED + i), **data, n_tank=len(data["density"]), sigma=sigma)
        fits.append(jax.tree.map(np.asarray, mcmc.get_samples(group_by_chain=True)))
    draws = {name: np.stack([fit[name] for fit in fits]) for name in ("alpha_bar", "alpha")}
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
