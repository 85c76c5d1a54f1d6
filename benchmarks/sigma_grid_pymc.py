"""The sigma grid in PyMC with nutpie: one compiled model, sigma as shared data that is exchanged at
each value.

With --rebuild as notebooks do it: the model is built and compiled again at each value.
"""

import time

import numpy as np
import nutpie
import pymc

from benchmarks import common


def build(sigma: float, density: np.ndarray, survived: np.ndarray) -> pymc.Model:
    """`tadpool/models/frogs_fixed_sigma.py` in PyMC, sigma as shared data."""
    with pymc.Model(coords={"tank": np.arange(len(density))}) as model:
        sigma = pymc.Data("sigma", sigma)
        alpha_bar = pymc.Normal("alpha_bar", 0.0, 1.5)
        alpha = pymc.Normal("alpha", alpha_bar, sigma, dims="tank")
        pymc.Deterministic("p_survived", pymc.math.invlogit(alpha), dims="tank")
        pymc.Binomial("survived", n=density, logit_p=alpha, observed=survived, dims="tank")
    return model


def main() -> None:
    """Sample the grid and print what it took."""
    options = common.grid_options(__doc__, rebuild={"action": "store_true"})
    imported = time.monotonic()
    data = common.frogs()
    compiled, compiling = None, 0.0
    trees = []
    for i, sigma in enumerate(options.sigmas):
        if compiled is None or options.rebuild:
            before = time.monotonic()
            compiled = nutpie.compile_pymc_model(build(sigma, **data))
            compiling += time.monotonic() - before
        trees.append(
            nutpie.sample(
                compiled.with_data(sigma=sigma),
                draws=options.draws,
                tune=options.warmup,
                chains=options.chains,
                cores=min(options.threads, options.chains),
                seed=common.SEED + i,
                target_accept=common.TARGET_ACCEPT,
                maxdepth=common.MAX_TREE_DEPTH,
                save_warmup=False,
                progress_bar=False,
            )
        )
    draws = {name: np.stack([tree["posterior"][name].values for tree in trees]) for name in ("alpha_bar", "alpha")}
    summary = common.summarise(draws["alpha_bar"])
    total = time.monotonic() - imported
    seconds = {"start": imported - options.started, "compile_and_sample": total, "sample": total - compiling}
    diagnosis = common.diagnose(draws["alpha_bar"], draws["alpha"]) if options.diagnose else {}
    common.line(seconds, ("pymc", "pytensor", "nutpie", "numba"), **summary, **diagnosis)


if __name__ == "__main__":
    main()
