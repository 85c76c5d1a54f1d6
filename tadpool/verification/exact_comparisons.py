"""Posteriors, log densities and leave-one-out scores beside their exact values.

Every oracle makes its own fits with the settings below, the same whatever the config says.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from numpyro.infer.util import initialize_model

from tadpool.config.schema.run import Settings
from tadpool.engine import compile_cache, lanes
from tadpool.evaluation import elpd
from tadpool.evaluation.cross_validation import cross_validate
from tadpool.files import contracts, data_file, io, plugins
from tadpool.fitting import fit_job, sampling
from tadpool.fitting.job import Job
from tadpool.loading import preparation
from tadpool.modelling import binding
from tadpool.modelling.entry import Entry
from tadpool.verification import exact_values, models
from tadpool.verification.findings import Compared, compared

SEED = 1
CHAINS = 4
SAMPLER = lanes.Sampler(warmup=300, draws=1000, target_accept=0.8, max_tree_depth=10)
LONGER = lanes.Sampler(warmup=300, draws=4000, target_accept=0.9, max_tree_depth=10)
SCORED = {  # dataset -> outcomes, unit, groups
    "reedfrogs": (["survived"], "tank", ["tank"]),
    "cookies": (["chips"], "cookie", ["location"]),
    "radon": (["log_radon"], "house", ["county"]),
    "mundlak": (["Y"], "row", ["group"]),
}
EVERY_UNIT = 1e12
"""A budget that is never reached: leapfrog steps x rows."""
GAMMA = {"shape": 2.0, "rate": 0.2}
# Differences in nats that are allowed in scores, whose Monte Carlo errors are a few times smaller.
CLOSE, OF_A_FIT, OF_A_POINT = 0.3, 0.6, 1.2
SMALLEST_SIGMA = 0.6

# Log densities as published to four decimals.
LOG_DENSITIES = {("frogs_predator", "reedfrogs"): -424.2154, ("mundlak_latent", "mundlak"): -647.5650}

# The dataset and the model, the table of its exact posterior, and sites without moments.
EXACT = [
    ("reedfrogs", "frogs_multilevel", "reedfrogs_multilevel", ()),
    ("reedfrogs", "frogs_fixed_sigma", "reedfrogs_fixed_sigma1", ()),
    ("cookies", "cookies_pooled", "cookies_pooled", ()),
    ("cookies", "cookies_unpooled", "cookies_unpooled", ()),
    # alpha = mu^2 / sigma^2 and beta have no finite mean: sigma may be near 0.
    ("cookies", "cookies_hierarchical", "cookies_hierarchical", ("alpha", "beta")),
    ("radon", "radon_hierarchical", "radon_hierarchical", ()),
]


def prepared(dataset: str) -> xr.DataTree:
    """The tree of data.nc of a built-in dataset."""
    outcomes, unit, groups = SCORED[dataset]
    simulated = plugins.has_function(plugins.find("datasets", dataset), "simulate")
    tree = preparation.prepare(dataset, {}, outcomes, dataset, SEED if simulated else None, dims=[unit, *groups])
    tree.attrs["provenance"] = "{}"
    return tree


def log_density(model: str, dataset: str) -> float:
    """At unconstrained zero, where scales are 1, with the Jacobian."""
    bound = binding.bind(model, data_file.merged(prepared(dataset)))
    arguments = {**bound.data, **bound.hyperparameters}
    info = initialize_model(jax.random.key(0), bound.function, model_kwargs=arguments)
    return -float(info.potential_fn(jax.tree.map(np.zeros_like, info.param_info.z)))


def log_densities(folder: Path, threads: int) -> list[Compared]:
    """The log densities of two models at a stated point."""
    return [
        compared("Log density at unconstrained zero", model, exact, log_density(model, dataset), tolerance=5.5e-5)
        for (model, dataset), exact in LOG_DENSITIES.items()
    ]


def sampled(bound: binding.Bound, sampler: lanes.Sampler, seed: int = SEED) -> sampling.Sampled:
    """The posterior of a bound model."""
    address = {"seed": seed, "study": "verification", "entry": bound.model, "role": "fit", "attempt": 0}
    with compile_cache.active():
        return sampling.sample(bound, address, CHAINS, sampler)


def moments(
    oracle: str, posterior: xr.Dataset, exact: Mapping[str, tuple[float, float]], skip: Sequence[str] = ()
) -> list[Compared]:
    """Posterior means and standard deviations; exact: parameter, such as `alpha[0]`, -> both."""
    found = []
    for name, values in exact.items():
        site, _, index = name.rstrip("]").partition("[")
        if site in skip:
            continue
        draws = posterior[site].values
        draws = draws[:, :, int(index)] if index else draws
        for value, expected, method in zip((draws.mean(), draws.std(ddof=1)), values, ("mean", "sd"), strict=True):
            error = array_stats.mcse(draws, chain_axis=0, draw_axis=1, method=method)
            found.append(compared(oracle, f"{method} of {name}", expected, value, error))
    return found


def posteriors(dataset: str) -> list[Compared]:
    """The models of a dataset against the tables of their exact posteriors, and closed forms where
    there are some."""
    found = []
    for name, model, table, skip in EXACT:
        if name == dataset:
            bound = binding.bind(model, data_file.merged(prepared(dataset)))
            posterior = sampled(bound, SAMPLER if dataset == "reedfrogs" else LONGER).groups["posterior"]
            exact = {label: (row["mean"], row["sd"]) for label, row in exact_values.reference(table).iterrows()}
            found += moments(f"Posterior of {model}", posterior, exact, skip)
            if model in CONJUGATE:
                found += moments(f"Closed form of the posterior of {model}", posterior, CONJUGATE[model]())
    return found


def locations() -> list[np.ndarray]:
    """The chips of the cookies of each location."""
    cookies = data_file.merged(prepared("cookies"))
    chips, index = cookies["chips"].values.astype(float), cookies["location_index"].values
    return [chips[index == number] for number in range(cookies.sizes["location"])]


CONJUGATE = {
    "cookies_pooled": lambda: {"rate": exact_values.gamma_moments(np.concatenate(locations()), **GAMMA)},
    "cookies_unpooled": lambda: {
        f"lam[{number}]": exact_values.gamma_moments(own, **GAMMA) for number, own in enumerate(locations())
    },
}


def reedfrogs(folder: Path, threads: int) -> list[Compared]:
    """Posteriors of the reed frog models."""
    return posteriors("reedfrogs")


def cookies(folder: Path, threads: int) -> list[Compared]:
    """Posteriors of the cookie models."""
    return posteriors("cookies")


def radon(folder: Path, threads: int) -> list[Compared]:
    """Posterior of the hierarchical radon model."""
    return posteriors("radon")


def normal_moments(dataset: xr.Dataset) -> dict[str, tuple[float, float]]:
    """The exact posterior of the normal model of `models`."""
    names, design, prior = models.normal_design(dataset)
    mean, covariance = exact_values.normal_posterior(dataset["y"].values, design, models.NOISE, prior)
    return dict(zip(names, zip(mean, np.sqrt(np.diag(covariance)), strict=True), strict=True))


def normal(folder: Path, threads: int) -> list[Compared]:
    """A normal model: its posterior, and its leave-one-out score by PSIS."""
    dataset = models.normal_data(SEED)
    bound = models.normal_bound(dataset)
    fit = sampling.fit_from_draws(sampled(bound, SAMPLER), ["y"], "row").groups
    found = moments("Closed form of the posterior of a normal model", fit["posterior"], normal_moments(dataset))
    efficiency = elpd.relative_efficiency(fit["posterior"])
    totals = elpd.totals(elpd.psis(fit["log_likelihood"]["y"], efficiency), CHAINS * SAMPLER.draws)
    _, design, prior = models.normal_design(dataset)
    exact = exact_values.normal_loo(dataset["y"].values, design, models.NOISE, prior).sum()
    oracle = "Closed form of the elpd of a normal model"
    return [*found, compared(oracle, "PSIS", exact, totals["elpd"], totals["mcse"], CLOSE)]


def scored(
    folder: Path,
    threads: int,
    dataset: str,
    model: str,
    budget: float,
    group: str | None = None,
    sweep: Mapping[str, Any] | None = None,
    **hyperparameters: Any,
) -> tuple[xr.Dataset, dict[str, Any]]:
    """Scores of a fit, as the workflow makes them, and the plan that was followed.

    sweep: over and points. The fit is made once, and scored again by another target.
    """
    outcomes, unit, groups = SCORED[dataset]
    place = folder / model
    entry = Entry(SEED, "verification", model, model, hyperparameters, outcomes, unit, groups)
    paths = {name: str(place / f"{name}.nc") for name in ("data", "fit", "loo")}
    job = Job(paths["loo"], "{}", threads, data=paths["data"], fit=paths["fit"])
    if not Path(job.fit).is_file():
        io.write(job.data, prepared(dataset), contracts.DATA)
        settings = {"chains": CHAINS, **vars(SAMPLER), "precision": "float64"}
        fit_job.fit(replace(job, output=job.fit), entry, settings, sweep=sweep)
    cross_validate(job, entry, over=sweep["over"] if sweep else None, budget=budget, group=group)
    tree = io.read(paths["loo"], contracts.LOO)
    return tree["loo"].to_dataset(), json.loads(tree.attrs["plan"])


def frogs_elpd(folder: Path, threads: int) -> list[Compared]:
    """Exact leave-one-out scores of the reed frog models, by fits without each tank."""
    found = []
    for model, exact in (("frogs_multilevel", -134.92), ("frogs_fixed_sigma", -141.75)):
        loo, _ = scored(folder, threads, "reedfrogs", model, EVERY_UNIT)
        total, error = float(loo["total_elpd"]), float(loo["total_mcse"])
        found.append(compared("elpd of reed frogs by fits without each tank", model, exact, total, error, OF_A_FIT))
    return found


def cookies_elpd(folder: Path, threads: int) -> list[Compared]:
    """Leave-one-out scores of the cookie models by PSIS, and scores of locations by fits without
    them."""
    chips = np.concatenate(locations())
    units = {
        "cookies_pooled": exact_values.gamma_loo(chips, **GAMMA).sum(),
        "cookies_unpooled": sum(exact_values.gamma_loo(own, **GAMMA).sum() for own in locations()),
        "cookies_hierarchical": -394.83,
    }
    budget = Settings.model_fields["refit_budget"].default
    found = []
    for model, exact in units.items():
        loo, plan = scored(folder, threads, "cookies", model, budget)
        total, error = float(loo["total_elpd"]), float(loo["total_mcse"])
        found.append(compared("elpd of cookies by PSIS", model, exact, total, error, CLOSE))
        found.append(compared("Cookies that PSIS could not score", model, 0, plan["folds"], tolerance=0.0))
    for model in CONJUGATE:
        loo, _ = scored(folder, threads, "cookies", model, EVERY_UNIT, group="location")
        groups = exact_values.gamma_groups(locations(), **GAMMA, shared=model == "cookies_pooled")
        for label, exact, score, error in zip(
            loo["location"].values, groups, loo["elpd"].values, loo["mcse"].values, strict=True
        ):
            oracle = "Closed form of the score of a location by fits without it"
            found.append(compared(oracle, f"{model}, location {label}", exact, score, error))
    return found


def sigma_grid(folder: Path, threads: int) -> list[Compared]:
    """Exact leave-one-out scores of reed frogs over fixed values of sigma, and the best of them."""
    exact = exact_values.reference("reedfrogs_sigma_grid").iloc[:20]
    points = np.linspace(0.1, 5.0, 20)
    sweep = {"over": "sigma", "points": points.tolist()}
    loo, _ = scored(folder, threads, "reedfrogs", "frogs_fixed_sigma", EVERY_UNIT, sweep=sweep, sigma=1.0)
    totals, errors = loo["total_elpd"].values, loo["total_mcse"].values
    best = float(exact.index[np.argmax(totals)])
    found = [compared("Best fixed sigma of reed frogs", "sigma", exact["elpd_loo_exact"].idxmax(), best, tolerance=0.0)]
    for sigma, score, total, error in zip(exact.index, exact["elpd_loo_exact"], totals, errors, strict=True):
        if sigma >= SMALLEST_SIGMA:
            found.append(
                compared("elpd of reed frogs over fixed sigma", f"sigma {sigma:.3f}", score, total, error, OF_A_POINT)
            )
    return found
