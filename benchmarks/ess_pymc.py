"""One fit of a study in PyMC with nutpie; with few draws it shows what comes before the first draw.

The models are those of `tadpool/models` of the same name: priors, parametrization and recorded
sites. Latent sites have the same names, so that their effective sample sizes can be compared.
"""

import time
import warnings

import numpy as np
import nutpie
import pymc
from pymc.distributions.transforms import ordered

from benchmarks import common


def radon_hierarchical(data: dict[str, np.ndarray]) -> pymc.Model:
    """`tadpool/models/radon_hierarchical.py`, not centred."""
    with pymc.Model(coords={"county": np.arange(data["n_county"])}) as model:
        mu = {name: pymc.Normal(f"mu_{name}", 0.0, 1.0) for name in ("alpha", "beta")}
        sigma = {name: pymc.HalfCauchy(f"sigma_{name}", 1.0) for name in ("alpha", "beta")}
        eps = pymc.HalfCauchy("eps", 1.0)
        z = {name: pymc.Normal(f"{name}_decentered", 0.0, 1.0, dims="county") for name in ("alpha", "beta")}
        alpha, beta = (pymc.Deterministic(name, mu[name] + sigma[name] * z[name], dims="county") for name in z)
        mean = alpha[data["county_index"]] + beta[data["county_index"]] * data["floor"]
        pymc.Normal("log_radon", mean, eps, observed=data["log_radon"])
    return model


def trolley(data: dict[str, np.ndarray], groups: tuple[str, ...]) -> pymc.Model:
    """`tadpool/models/trolley_partial_*.py`: ordered logistic, effects of the groups not
    centred."""
    with pymc.Model(coords={group: np.arange(data[f"n_{group}"]) for group in groups}) as model:
        phi = 0.0
        for name in ("action", "intention", "contact"):
            phi = phi + pymc.Normal(f"beta_{name}", 0.0, 1.0) * data[name]
        # Six normals in increasing order: the density differs from tadpool's by the constant 6!.
        start = np.linspace(-2.0, 2.0, 6)
        cutpoints = pymc.Normal("cutpoints", 0.0, 1.5, shape=6, transform=ordered, initval=start)
        for group in groups:
            sigma = pymc.Exponential(f"sigma_{group}", 1.0)
            z = pymc.Normal(f"z_{group}", 0.0, 1.0, dims=group)
            effect = pymc.Deterministic(f"{group}_effect", sigma * z, dims=group)
            phi = phi + effect[data[f"{group}_index"]]
        pymc.OrderedLogistic("response", eta=phi, cutpoints=cutpoints, compute_p=False, observed=data["response"])
    return model


def partial(data: dict[str, np.ndarray]) -> pymc.Model:
    """`tadpool/models/partial.py`, centred: a normal outcome y, schools, a number x; priors in
    units of the data."""
    location, scale, width = data["y"].mean(), data["y"].std(), data["x"].std()
    with pymc.Model(coords={"school": np.arange(data["n_school"])}) as model:
        alpha = pymc.Normal("alpha", location, 1.5 * scale)
        beta = pymc.Normal("beta_x", 0.0, scale / width)
        sigma_school = pymc.Exponential("sigma_school", scale=scale)
        alpha_school = pymc.Normal("alpha_school", alpha, sigma_school, dims="school")
        sigma = pymc.Exponential("sigma", scale=scale)
        mean = alpha_school[data["school_index"]] + beta * (data["x"] - data["x"].mean())
        pymc.Normal("y", mean, sigma, observed=data["y"])
    return model


def masking_masked(data: dict[str, np.ndarray]) -> pymc.Model:
    """`tadpool/models/masking_masked.py`: purchases of visitors alone."""
    came = data["y0"] == 1
    with pymc.Model() as model:
        beta_0 = pymc.Normal("Y0_beta", 0.0, 1.0, shape=(1, int(data["n_feature"])))
        intercept_0 = pymc.Normal("Y0_intercept", 0.0, 1.0, shape=1)
        beta_1 = pymc.Normal("Y1_given_Y0_beta", 0.0, 1.0, shape=(int(data["n_item"]), int(data["n_feature"])))
        intercept_1 = pymc.Normal("Y1_given_Y0_intercept", 0.0, 1.0, shape=int(data["n_item"]))
        visit = pymc.math.dot(data["x"], beta_0[0]) + intercept_0[0]
        pymc.Bernoulli("y0", logit_p=visit, observed=data["y0"])
        purchase = pymc.math.dot(data["x"][came], beta_1.T) + intercept_1
        pymc.Bernoulli("y1", logit_p=purchase, observed=data["y1"][came])
    return model


def mundlak_latent(data: dict[str, np.ndarray]) -> pymc.Model:
    """`tadpool/models/mundlak_latent.py`: a latent trait of the group behind X and Y."""
    with pymc.Model(coords={"group": np.arange(data["n_group"])}) as model:
        normal = {
            name: pymc.Normal(name, 0.0, 1.0) for name in ("alpha_X", "alpha_bar", "beta_XY", "beta_ZY", "beta_GY")
        }
        scale = {name: pymc.Exponential(name, 1.0) for name in ("beta_GX", "sigma_X", "tau")}
        u, z = (pymc.Normal(name, 0.0, 1.0, dims="group") for name in ("u", "z"))
        index = data["group_index"]
        pymc.Normal("X", (normal["alpha_X"] + scale["beta_GX"] * u)[index], scale["sigma_X"], observed=data["X"])
        of_group = normal["alpha_bar"] + scale["tau"] * z + normal["beta_ZY"] * data["Z"] + normal["beta_GY"] * u
        pymc.Bernoulli("Y", logit_p=of_group[index] + normal["beta_XY"] * data["X"], observed=data["Y"])
    return model


MODELS = {
    "masking_masked": masking_masked,
    "mundlak_latent": mundlak_latent,
    "partial": partial,
    "radon_hierarchical": radon_hierarchical,
    "trolley_partial_pooling": lambda data: trolley(data, ("participant", "story")),
    "trolley_partial_story": lambda data: trolley(data, ("story",)),
}


def main() -> None:
    """Sample one model and print what it took."""
    options = common.fit_options(__doc__)
    imported = time.monotonic()
    model = MODELS[options.model](dict(np.load(options.data)))
    before = time.monotonic()
    compiled = nutpie.compile_pymc_model(model)
    compiling = time.monotonic() - before
    # A run of one draw has more chains than draws, which ArviZ takes for swapped dims.
    warnings.filterwarnings("ignore", message="Found chain dimension to be longer")
    tree = nutpie.sample(
        compiled,
        draws=options.draws,
        tune=options.warmup,
        chains=common.CHAINS,
        cores=min(options.threads, common.CHAINS),
        seed=common.SEED + options.number,
        target_accept=common.TARGET_ACCEPT,
        maxdepth=common.MAX_TREE_DEPTH,
        save_warmup=False,
        progress_bar=False,
    )
    total = time.monotonic() - imported
    draws = {str(name): variable.values for name, variable in tree["posterior"].data_vars.items()}
    seconds = {"start": imported - options.started, "compile_and_sample": total, "sample": total - compiling}
    latents = [variable.name for variable in model.free_RVs]
    sites = common.diagnose_sites(draws, latents, options.diagnose)
    common.line(seconds, ("pymc", "pytensor", "nutpie", "numba"), **sites)


if __name__ == "__main__":
    main()
