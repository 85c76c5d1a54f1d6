"""The separate fits of the counties as notebooks do them in NumPyro: an MCMC for each, which
compiles anew."""

import time

import jax
import numpy as np
import numpyro
from numpyro.infer import MCMC, NUTS

from benchmarks import common
from tadpool.models.radon_pooled import model


def main() -> None:
    """Fit the counties one after another, keep the draws and print what it took."""
    options = common.options(
        __doc__,
        data={"required": True},
        output={"required": True},
        counties={"type": int, "default": None, "help": "only so many counties"},
        method={"default": "sequential", "choices": ("parallel", "sequential")},
    )
    imported = time.monotonic()
    numpyro.enable_x64()
    if options.method == "parallel":
        numpyro.set_host_device_count(common.CHAINS)
    compiling = common.CompileClock()
    data = dict(np.load(options.data))
    fits = []
    for county in range(int(data["n_county"]))[: options.counties]:
        rows = data["county_index"] == county
        mcmc = MCMC(
            NUTS(model, target_accept_prob=common.TARGET_ACCEPT, max_tree_depth=common.MAX_TREE_DEPTH),
            num_warmup=options.warmup,
            num_samples=options.draws,
            num_chains=common.CHAINS,
            chain_method=options.method,
            progress_bar=False,
        )
        own = {name: data[name][rows] for name in ("floor", "log_radon")}
        mcmc.run(jax.random.key(common.SEED + county), **own, n_house=int(rows.sum()))
        fits.append(jax.tree.map(np.asarray, mcmc.get_samples(group_by_chain=True)))
    np.savez(options.output, **{name: np.stack([fit[name] for fit in fits]) for name in fits[0]})
    total = time.monotonic() - imported
    seconds = {
        "start": imported - options.started,
        "compile_and_sample": total,
        "sample": total - compiling.seconds(),
    }
    common.line(seconds, ("jax", "numpyro"))


if __name__ == "__main__":
    main()
