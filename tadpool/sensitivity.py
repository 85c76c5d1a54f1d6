"""How far priors and data move the posterior: power-scaling sensitivity, written as sensitivity.nc.

Kallioinen, Paananen, Buerkner & Vehtari (2024), Statistics and Computing 34:57. A density raised to a power a little below
or above 1 is weaker or stronger; importance sampling says how far that moves each posterior (ArviZ's `psense`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats import psense
from scipy.stats import norm

from tadpool import contracts, io, plugins
from tadpool.comparison import good_k

SENSITIVE = 0.05
"""Sensitivity from which the paper calls a posterior sensitive."""
FAR = 3.0
"""Prior standard deviations beyond which a posterior mean lies far out in its prior."""
ALPHAS = (0.99, 1.01)
SAMPLE = ("chain", "draw")


def assess(
    output: str,
    provenance: str,
    data: str,
    prior: str,
    fit: str,
    threads: int,
    *,
    seed: int,
    study: str,
    entry: str,
    model: str,
    hyperparameters: Mapping[str, Any],
    outcomes: Sequence[str],
    unit: str,
    groups: Sequence[str],
    only_where: Mapping[str, str],
    by: str | None,
    precision: str,
) -> None:
    """The sensitivity of every parameter of a fit into `output` (contracts.SENSITIVITY).

    A fit, or a prior, that failed or crashed gives a file without numbers that says so.
    """
    prior_tree, tree = io.read(prior, contracts.PRIOR), io.read(fit, contracts.FIT)
    worse = next((found for found in (tree, prior_tree) if found.attrs["status"] != "ok"), None)
    stated = {"status": "ok", "reason": ""} if worse is None else {k: worse.attrs[k] for k in ("status", "reason")}
    result = xr.DataTree(xr.Dataset(attrs={"provenance": provenance, **stated}))
    if worse is None:
        posterior, log_prior = tree["posterior"].to_dataset(), tree["log_prior"].to_dataset()
        left = unscaled(json.loads(prior_tree.attrs["relations"]), posterior, log_prior, {*groups, unit} - {by})
        scaled = [name for name in _latents(posterior) if name not in left]
        if _whole(tree, model, outcomes, only_where):
            log_likelihood = _stored(tree, unit, by)
        else:
            log_likelihood = _recomputed(posterior, data, model, hyperparameters, unit, by, threads, precision)
        priors = {name: _summed(log_prior[name], (*SAMPLE, by)) for name in scaled}
        wanted = posterior.drop_vars(_repeated(posterior, unit))
        prior_draws = prior_tree["prior"].to_dataset()
        members = [{by: i} for i in range(posterior.sizes[by])] if by else [{}]
        parts = [_member(wanted, priors, log_likelihood, prior_draws, member) for member in members]
        found = xr.concat(parts, dim="parameter")
        found.attrs = {"scaled": io.canonical(scaled), "unscaled": io.canonical(left)}
        found.attrs |= {"sensitive": SENSITIVE, "far": FAR}
        found.attrs["good_k"] = float(good_k(posterior.sizes["chain"] * posterior.sizes["draw"]))
        result["sensitivity"] = found
    io.write(output, result, contracts.SENSITIVITY)


def unscaled(
    relations: Mapping[str, Any], posterior: xr.Dataset, log_prior: xr.Dataset, groups: Iterable[str]
) -> dict[str, str]:
    """The latent sites whose density is not scaled, as it belongs to the model and not to the prior, each with the reason.

    Scaled are the priors of the top level: of sites whose density depends on no other latent site. Of these a site with a
    value for each member of a group is left out where its prior is the standard normal: this is what a non-centred
    parametrization makes of the group's effects, whose prior is that of their standard deviation. So both
    parametrizations of a model have the same priors scaled, as the paper advises for hierarchical models.

    relations: of numpyro's `get_model_relations`. posterior, log_prior: dims (chain, draw, ...). groups: dims.
    """
    latents = _latents(posterior)
    reasons = {}
    for name in latents:
        if _ancestors(name, relations["sample_sample"]) & set(latents):
            reasons[name] = "it depends on other parameters"
        elif set(posterior[name].dims) & set(groups) and _standard_normal(posterior[name], log_prior[name]):
            reasons[name] = "it is that of standardized effects of a group"
    return reasons


def _latents(posterior: xr.Dataset) -> list[str]:
    return [str(name) for name, site in posterior.data_vars.items() if site.attrs.get("site", "latent") == "latent"]


def _ancestors(name: str, parents: Mapping[str, Sequence[str]]) -> set[str]:
    """All sites that the density of a site depends on, through deterministic sites too."""
    direct = set(parents.get(name, ()))
    return direct.union(*(_ancestors(parent, parents) for parent in direct))


def _standard_normal(site: xr.DataArray, log_prior: xr.DataArray) -> bool:
    if set(site.dims) != set(log_prior.dims):
        return False
    expected = norm.logpdf(site.transpose(*log_prior.dims).values)
    return bool(np.allclose(log_prior.values, expected, rtol=1e-4, atol=1e-4))


def _repeated(posterior: xr.Dataset, unit: str) -> list[str]:
    """Deterministic sites with a value for each unit, such as expected outcomes: there are many, and none is a parameter."""
    latents = _latents(posterior)
    return [str(name) for name, site in posterior.data_vars.items() if name not in latents and unit in site.dims]


def _whole(tree: xr.DataTree, model: str, outcomes: Sequence[str], only_where: Mapping[str, str]) -> bool:
    """Whether the stored log likelihood is all that the posterior was made with, not only what comparisons score."""
    observed = plugins.signature(plugins.find("models", model)).outcomes
    return "log_likelihood" in tree.children and not only_where and set(observed) <= set(outcomes)


def _stored(tree: xr.DataTree, unit: str, by: str | None) -> xr.DataArray:
    """The log likelihood of all units together (chain, draw), or of each member's own (by, chain, draw)."""
    (values,) = tree["log_likelihood"].to_dataset().astype(np.float64).data_vars.values()
    if by is None:
        return values.sum(unit)
    index, labels = tree["constant_data"][f"{by}_index"].values, tree["posterior"][by]
    own = [values.isel({unit: np.flatnonzero(index == number)}).sum(unit) for number in range(len(labels))]
    return xr.concat(own, dim=labels.drop_vars(set(labels.coords) - {by}))


def _recomputed(posterior, data, model, hyperparameters, unit, by, threads, precision) -> xr.DataArray:
    from tadpool import binding, compile_cache, lanes, sampling

    lanes.start(threads, precision)
    with compile_cache.used():
        _, bound = binding.open_bound(data, model, hyperparameters)
        bound, points = binding.separated(bound, by, unit) if by else (bound, None)
        return sampling.joint_log_likelihood(bound, posterior, points)


def _summed(values: xr.DataArray, kept: Sequence[str | None]) -> xr.DataArray:
    return values.astype(np.float64).sum([dim for dim in values.dims if dim not in kept])


def _member(posterior, priors, log_likelihood, prior_draws, member: Mapping[str, int]) -> xr.Dataset:
    """`table` of one fit, or of one of several separate fits; its parameters are named as those of the whole."""
    by = next(iter(member), None)
    chosen = posterior.isel(member)
    own = {name: value.isel(member, drop=True) for name, value in priors.items()}
    label = str(posterior[by].values[member[by]]) if by else ""
    found = table(chosen.drop_vars(by) if by else chosen, own, log_likelihood.isel(member, drop=True), prior_draws)
    if by:
        found["parameter"] = [_within(name, label) for name in found["parameter"].values.tolist()]
    return found.assign(member=("parameter", np.full(found.sizes["parameter"], label)))


def _within(name: str, label: str) -> str:
    """`alpha` of member `a` is `alpha[a]`, `w[x]` is `w[a, x]`."""
    site, bracket, rest = name.partition("[")
    return f"{site}[{label}, {rest}" if bracket else f"{site}[{label}]"


def table(
    posterior: xr.Dataset, priors: Mapping[str, xr.DataArray], log_likelihood: xr.DataArray, prior_draws: xr.Dataset
) -> xr.Dataset:
    """Sensitivity of every scalar parameter of a posterior: one row (dim parameter) each.

    posterior: dims (chain, draw, ...). priors: log prior density of each scaled site (chain, draw). log_likelihood: of all
    data (chain, draw). prior_draws: (chain, draw, ...) of the same sites; a site may be missing.

    Returns prior and likelihood (sensitivities, NaN for a constant), prior_pareto_k and likelihood_pareto_k (of the
    importance weights, the worse of both powers), moved_by (the site whose prior alone moves the parameter most, where its
    prior sensitivity is SENSITIVE), prior_sds (posterior mean less prior mean, in prior standard deviations) and diagnosis:
    "conflict", "strong prior" or "none", see `diagnosed`.
    """
    joint = sum(priors.values(), xr.zeros_like(log_likelihood))
    columns = {
        "prior": _flat(_sensitivity(posterior, joint)),
        "likelihood": _flat(_sensitivity(posterior, log_likelihood)),
        "prior_sds": _flat(_prior_sds(posterior, prior_draws)),
    }
    sensitive = columns["prior"] >= SENSITIVE
    columns["moved_by"] = np.full(len(sensitive), "", dtype=object)
    if sensitive.any():
        alone = np.array([_flat(_sensitivity(posterior, own)) for own in priors.values()])
        columns["moved_by"][sensitive] = np.array(list(priors))[np.argmax(alone[:, sensitive], axis=0)]
    columns["moved_by"] = columns["moved_by"].astype(str)
    columns["prior_pareto_k"] = np.full(len(sensitive), _pareto_k(joint))
    columns["likelihood_pareto_k"] = np.full(len(sensitive), _pareto_k(log_likelihood))
    columns["diagnosis"] = diagnosed(columns["prior"], columns["likelihood"], columns["prior_sds"])
    names = [(str(name), element) for name, site in posterior.data_vars.items() for element in _names(site)]
    columns["site"] = np.array([site for site, _ in names])
    return xr.Dataset(
        {name: ("parameter", values) for name, values in columns.items()},
        coords={"parameter": [element for _, element in names]},
    )


def diagnosed(prior: np.ndarray, likelihood: np.ndarray, prior_sds: np.ndarray) -> np.ndarray:
    """What the sensitivities say of each parameter: "conflict", "strong prior" or "none".

    By the paper, sensitive to prior and likelihood is a potential conflict of prior and data; sensitive to the prior alone
    a strong prior, or a weak likelihood. The likelihood of a hierarchical model is that given the effects of its groups:
    these stand between data and population, so that a parameter of the population may look insensitive to data that it
    contradicts. So a posterior mean that lies FAR out in its prior is called a conflict too.
    """
    against = (likelihood >= SENSITIVE) | (np.abs(prior_sds) > FAR)
    return np.where(prior >= SENSITIVE, np.where(against, "conflict", "strong prior"), "none")


def _sensitivity(posterior: xr.Dataset, component: xr.DataArray) -> xr.Dataset:
    """ArviZ's `psense` of each parameter to one log density (chain, draw); 0 where that is flat, as it then moves nothing."""
    if _flat_density(component):
        return xr.zeros_like(posterior.isel(chain=0, draw=0, drop=True), dtype=float)
    tree = xr.DataTree.from_dict({"posterior": posterior, "log_prior": component.to_dataset(name="joint")})
    with np.errstate(invalid="ignore"):  # of a constant, which is NaN
        return psense(tree, group="prior", alphas=ALPHAS)


def _flat_density(component: xr.DataArray) -> bool:
    return bool(np.ptp(component.values) <= 1e-6 * (1 + np.abs(component.values).max()))


def _pareto_k(component: xr.DataArray) -> float:
    """The worse Pareto k of the importance weights at both powers."""
    if _flat_density(component):
        return 0.0
    found = [(-(alpha - 1) * component).azstats.psislw(dim=list(SAMPLE))[1] for alpha in ALPHAS]
    return float(max(found))


def _prior_sds(posterior: xr.Dataset, prior_draws: xr.Dataset) -> xr.Dataset:
    """Posterior mean less prior mean, in prior standard deviations; NaN where the prior has no draws of a site."""
    mean = posterior.astype(float).mean(SAMPLE)
    found = {}
    with np.errstate(invalid="ignore", divide="ignore"):  # of a constant
        for name, site in mean.data_vars.items():
            known = prior_draws.get(name, xr.full_like(posterior[name], np.nan, dtype=float))
            found[name] = (site - known.mean(SAMPLE)) / known.std(SAMPLE, ddof=1)
    return xr.Dataset(found)


def _flat(values: xr.Dataset) -> np.ndarray:
    """All elements of all sites, in C order."""
    return np.concatenate([np.ravel(site.values) for site in values.data_vars.values()]).astype(float)


def _names(site: xr.DataArray) -> list[str]:
    rest = [dim for dim in site.dims if dim not in SAMPLE]
    labels = [site[dim].values if dim in site.coords else np.arange(site.sizes[dim]) for dim in rest]
    shape = tuple(site.sizes[dim] for dim in rest)
    if not rest:
        return [str(site.name)]
    return [
        f"{site.name}[{', '.join(str(own[i]) for own, i in zip(labels, index, strict=True))}]"
        for index in np.ndindex(shape)
    ]
