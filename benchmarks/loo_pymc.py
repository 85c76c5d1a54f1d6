"""Refits of exact leave-one-out in PyMC with nutpie: one compiled model, sigma and the tanks kept
as shared data.

With --rebuild as notebooks do it: the model is built and compiled again for each refit. Of the
refits only some are done, at every value of sigma in turn, and with tanks of all sizes.
"""

import time

import numpy as np
import nutpie
import pymc
from scipy.stats import binom

from benchmarks import common


def build(sigma: float, kept: np.ndarray, density: np.ndarray, survived: np.ndarray) -> pymc.Model:
    """`tadpool/models/frogs_fixed_sigma.py` in PyMC; only the `kept` tanks are observed."""
    with pymc.Model(coords={"tank": np.arange(len(density))}) as model:
        sigma = pymc.Data("sigma", sigma)
        kept = pymc.Data("kept", kept)
        density, survived = pymc.Data("density", density[kept.get_value()]), survived[kept.get_value()]
        survived = pymc.Data("survived_kept", survived)
        alpha_bar = pymc.Normal("alpha_bar", 0.0, 1.5)
        alpha = pymc.Normal("alpha", alpha_bar, sigma, dims="tank")
        pymc.Binomial("survived", n=density, logit_p=alpha[kept], observed=survived)
    return model


def main() -> None:
    """Refit and print what it took; `repeated` are the seconds that further refits would cost
    again."""
    options = common.grid_options(
        __doc__, rebuild={"action": "store_true"}, refits={"type": int, "default": 20, "help": "how many are done"}
    )
    imported = time.monotonic()
    data = common.frogs()
    tanks = np.arange(len(data["density"]))
    compiled, compiling = None, 0.0
    elpd, errors, points = [], [], []
    for i in range(options.refits):
        value, tank = i % len(options.sigmas), i * len(tanks) // options.refits
        sigma, kept = options.sigmas[value], np.delete(tanks, tank)
        if compiled is None or options.rebuild:
            before = time.monotonic()
            compiled = nutpie.compile_pymc_model(build(sigma, kept, **data))
            compiling += time.monotonic() - before
        own = {"kept": kept, "density": data["density"][kept], "survived_kept": data["survived"][kept]}
        tree = nutpie.sample(
            compiled.with_data(sigma=sigma, **own),
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
        chance = 1.0 / (1.0 + np.exp(-tree["posterior"]["alpha"].values[:, :, tank]))
        score, error = common.elpd(binom.logpmf(data["survived"][tank], data["density"][tank], chance))
        points.append((value, tank))
        elpd.append(float(score))
        errors.append(float(error))
    total = time.monotonic() - imported
    seconds = {
        "start": imported - options.started,
        "compile_and_sample": total,
        "sample": total - compiling,
        "repeated": total if options.rebuild else total - compiling,
    }
    common.line(seconds, ("pymc", "pytensor", "nutpie", "numba"), points=points, elpd=elpd, error=errors)


if __name__ == "__main__":
    main()
