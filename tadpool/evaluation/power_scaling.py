"""Power-scaling sensitivity of parameters to their priors and to the data, and what it says.

Kallioinen, Paananen, Buerkner & Vehtari (2024), Statistics and Computing 34:57. A density raised to a power a little below
or above 1 is weaker or stronger; importance sampling says how far that moves each posterior (ArviZ's `psense`).
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from arviz_stats import psense

from tadpool.elements import element_names

SENSITIVE = 0.05
"""Sensitivity from which the paper calls a posterior sensitive."""
FAR = 3.0
"""Prior standard deviations beyond which a posterior mean lies far out in its prior."""
ALPHAS = (0.99, 1.01)
SAMPLE = ("chain", "draw")


def table(
    posterior: xr.Dataset, priors: Mapping[str, xr.DataArray], log_likelihood: xr.DataArray, prior_draws: xr.Dataset
) -> xr.Dataset:
    """Sensitivity of every scalar parameter of a posterior: one row (dim parameter) each.

    posterior: dims (chain, draw, ...). priors: log prior density of each scaled site (chain, draw). log_likelihood: of all
    data (chain, draw). prior_draws: (chain, draw, ...) of the same sites; a site may be missing.

    Returns site; prior and likelihood (sensitivities, NaN for a constant); prior_pareto_k and likelihood_pareto_k (of the
    importance weights, the worse of both powers); prior_sds (posterior mean less prior mean, in prior standard deviations);
    moved_by (the site whose prior alone moves the parameter most, "" where its prior sensitivity is below SENSITIVE) and
    diagnosis, see `diagnosed`.
    """
    parameters = stacked(posterior)
    components = {"prior": sum(priors.values(), xr.zeros_like(log_likelihood)), "likelihood": log_likelihood}
    columns = {name: sensitivity(parameters, component) for name, component in components.items()}
    columns |= {f"{name}_pareto_k": np.full(len(parameters), pareto_k(own)) for name, own in components.items()}
    columns["prior_sds"] = _prior_sds(posterior, prior_draws)
    columns["moved_by"] = _movers(parameters, priors, columns["prior"] >= SENSITIVE)
    columns["diagnosis"] = diagnosed(columns["prior"], columns["likelihood"], columns["prior_sds"])
    found = {name: ("parameter", values) for name, values in columns.items()}
    return xr.Dataset(found | {"site": parameters["site"].drop_vars("site")}, {"parameter": parameters["parameter"]})


def diagnosed(prior: np.ndarray, likelihood: np.ndarray, prior_sds: np.ndarray) -> np.ndarray:
    """What the sensitivities say of each parameter: "conflict", "strong prior" or "none".

    By the paper, sensitive to prior and likelihood is a potential conflict of prior and data; sensitive to the prior alone
    a strong prior, or a weak likelihood. The likelihood of a hierarchical model is that given the effects of its groups:
    these stand between data and population, so that a parameter of the population may look insensitive to data that it
    contradicts. So a posterior mean that lies FAR out in its prior is called a conflict too.
    """
    against = (likelihood >= SENSITIVE) | (np.abs(prior_sds) > FAR)
    return np.where(prior >= SENSITIVE, np.where(against, "conflict", "strong prior"), "none")


def stacked(sites: xr.Dataset) -> xr.DataArray:
    """All elements of all sites (parameter, chain, draw), with their names and the coordinate site."""
    values = [site.transpose(..., *SAMPLE).values for site in sites.data_vars.values()]
    flat = np.concatenate([value.reshape(-1, *value.shape[-2:]).astype(float) for value in values])
    names = [(str(name), element) for name, site in sites.data_vars.items() for element in element_names(site)]
    coords = {"parameter": [element for _, element in names], "site": ("parameter", [site for site, _ in names])}
    return xr.DataArray(flat, coords, ("parameter", *SAMPLE))


def sensitivity(parameters: xr.DataArray, component: xr.DataArray) -> np.ndarray:
    """ArviZ's `psense` of each parameter to one log density (chain, draw); 0 where that is flat, as it then moves nothing."""
    if _flat(component):
        return np.zeros(len(parameters))
    groups = {"posterior": parameters.to_dataset(name="value"), "log_prior": component.to_dataset(name="joint")}
    tree = xr.DataTree.from_dict({name: group.drop_vars(SAMPLE, errors="ignore") for name, group in groups.items()})
    with np.errstate(invalid="ignore"):  # of a constant, which is NaN
        return psense(tree, group="prior", alphas=ALPHAS)["value"].values


def _flat(component: xr.DataArray) -> bool:
    return bool(np.ptp(component.values) <= 1e-6 * (1 + np.abs(component.values).max()))


def pareto_k(component: xr.DataArray) -> float:
    """The worse Pareto k of the importance weights at both powers."""
    if _flat(component):
        return 0.0
    return max(float((-(alpha - 1) * component).azstats.psislw(dim=list(SAMPLE))[1]) for alpha in ALPHAS)


def _movers(parameters: xr.DataArray, priors: Mapping[str, xr.DataArray], chosen: np.ndarray) -> np.ndarray:
    """The site whose prior alone moves each of the chosen parameters most, "" for the others."""
    names = np.array([*priors, ""])
    found = np.full(len(parameters), len(priors))
    if chosen.any():
        moved = parameters.isel(parameter=chosen)
        alone = [sensitivity(moved, own) for own in priors.values()] if len(priors) > 1 else np.zeros((1, len(moved)))
        found[chosen] = np.argmax(alone, axis=0)
    return names[found]


def _prior_sds(posterior: xr.Dataset, prior_draws: xr.Dataset) -> np.ndarray:
    """Posterior mean less prior mean of all elements, in prior standard deviations; NaN where the prior has no draws."""
    found = []
    for name, site in posterior.data_vars.items():
        known = prior_draws.get(name, xr.full_like(site, np.nan, dtype=float))
        with np.errstate(invalid="ignore", divide="ignore"):  # of a constant
            distance = (site.astype(float).mean(SAMPLE) - known.mean(SAMPLE)) / known.std(SAMPLE, ddof=1)
        found.append(np.ravel(distance.values))
    return np.concatenate(found)
