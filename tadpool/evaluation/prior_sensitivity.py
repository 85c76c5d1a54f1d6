"""How far priors and data move the posterior of a fit, written as sensitivity.nc."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import norm

from tadpool.elements import element_labels, element_name
from tadpool.evaluation.elpd import good_k
from tadpool.evaluation.power_scaling import FAR, SAMPLE, SENSITIVE, table
from tadpool.files import contracts, io
from tadpool.fitting.job import Job
from tadpool.modelling import references
from tadpool.modelling.entry import Entry
from tadpool.modelling.formula_design import missing_of

# Why the prior of a parameter that is no effect of a group was not scaled.
CONDITIONAL = "it depends on other parameters, though it has no value for each member of a group"


def assess(
    job: Job,
    entry: Entry,
    precision: str,
) -> None:
    """Write the prior and likelihood sensitivity of every parameter of a fit into `job.output`
    (contracts.SENSITIVITY).

    A fit, or a prior, that failed or crashed gives a file without numbers that says so.

    Args:
        job: Reads `data`, `prior` and `fit`.
        entry: The entry that was fitted.
        precision: "float64" or "float32".
    """
    prior_tree, tree = io.read(job.prior, contracts.PRIOR), io.read(job.fit, contracts.FIT)
    worse = next((found for found in (tree, prior_tree) if found.attrs["status"] != "ok"), None)
    stated = {"status": "ok", "reason": ""} if worse is None else {k: worse.attrs[k] for k in ("status", "reason")}
    result = xr.DataTree(xr.Dataset(attrs={"provenance": job.provenance, **stated}))
    if worse is None:
        unit, by = entry.unit, entry.by
        posterior, prior_groups = tree["posterior"].to_dataset(), of_members(entry) - {by}
        priors, left = scaled_priors(prior_tree, posterior, tree["log_prior"].to_dataset(), prior_groups, by)
        stored = _whole(tree, entry)
        log_likelihood = _stored(tree, unit, by) if stored else _recomputed(posterior, job, entry, precision)
        wanted = posterior.drop_vars(_repeated(posterior, unit))
        prior_draws = prior_tree["prior"].to_dataset()
        members = [{by: i} for i in range(posterior.sizes[by])] if by else [{}]
        parts = [_member(wanted, priors, log_likelihood, prior_draws, member) for member in members]
        found = xr.concat(parts, dim="parameter")
        found.attrs = {"scaled": io.canonical(list(priors)), "unscaled": io.canonical(left)}
        found.attrs |= {"sensitive": SENSITIVE, "far": FAR}
        found.attrs["good_k"] = float(good_k(posterior.sizes["chain"] * posterior.sizes["draw"]))
        result["sensitivity"] = found
    io.write(job.output, result, contracts.SENSITIVITY)


def of_members(entry: Entry) -> set[str]:
    """The dims of what has a value for each member of a group, for each row or for each missing
    value."""
    return {*entry.groups, entry.unit, *map(missing_of, references.imputed(entry.model))}


def scaled_priors(
    prior_tree: xr.DataTree, posterior: xr.Dataset, log_prior: xr.Dataset, groups: Iterable[str], by: str | None = None
) -> tuple[dict[str, xr.DataArray], dict[str, str]]:
    """The priors that power-scaling scales, and why it leaves out the others.

    Args:
        prior_tree: Of the entry's prior.nc, which says what each site depends on.
        posterior: Draws (chain, draw, ...).
        log_prior: Log prior density of each latent site (chain, draw, ...).
        groups: Dims of members, see `unscaled`.
        by: A group whose members are fitted apart.

    Returns:
        Site -> log prior density (chain, draw), with `by` before where there is one; and, of the
            others, site -> reason.
    """
    left = unscaled(json.loads(prior_tree.attrs["relations"]), posterior, log_prior, groups)
    scaled = [name for name in _latents(posterior) if name not in left]
    return {name: _summed(log_prior[name], (*SAMPLE, by)) for name in scaled}, left


def unscaled(
    relations: Mapping[str, Any], posterior: xr.Dataset, log_prior: xr.Dataset, groups: Iterable[str]
) -> dict[str, str]:
    """The latent sites whose density is not scaled, as it belongs to the model and not to the
    prior, each with the reason.

    Only priors of the top level are scaled: of sites whose density depends on no other latent site.
    The others are the effects of groups, which are left to their population, or `CONDITIONAL`:
    priors all the same, of which nothing is known then. Of the top level, a site with a value for
    each member of a group, or for each missing value of a predictor, is left out if its prior is
    the standard normal: a non-centred parametrization has such sites, whose prior is governed by a
    standard deviation. So the same priors are scaled in both parametrizations of a model, as the
    paper advises for hierarchical models.

    relations: of numpyro's `get_model_relations`. posterior, log_prior: dims (chain, draw, ...).
    groups: dims.
    """
    latents = _latents(posterior)
    reasons = {}
    for name in latents:
        if _ancestors(name, relations["sample_sample"]) & set(latents):
            members = set(posterior[name].dims) & set(groups)
            reasons[name] = "it depends on other parameters" if members else CONDITIONAL
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
    """Sites that are no parameters: those with a value for each unit, such as expected outcomes,
    and auxiliary ones."""
    latents = _latents(posterior)
    return [
        str(name)
        for name, site in posterior.data_vars.items()
        if name not in latents and (unit in site.dims or site.attrs.get("site") == "auxiliary")
    ]


def _whole(tree: xr.DataTree, entry: Entry) -> bool:
    """Whether the stored log likelihood is all that the posterior was made with, not only what
    comparisons score."""
    observed = (*references.signature(entry.model).outcomes, *references.imputed(entry.model))
    return "log_likelihood" in tree.children and not entry.observed_where and set(observed) <= set(entry.outcomes)


def _stored(tree: xr.DataTree, unit: str, by: str | None) -> xr.DataArray:
    """The log likelihood of all units together (chain, draw), or of each member's own (by, chain,
    draw)."""
    (values,) = tree["log_likelihood"].to_dataset().astype(np.float64).data_vars.values()
    if by is None:
        return values.sum(unit)
    index, labels = tree["constant_data"][f"{by}_index"].values, tree["posterior"][by]
    own = [values.isel({unit: np.flatnonzero(index == number)}).sum(unit) for number in range(len(labels))]
    return xr.concat(own, dim=labels.drop_vars(set(labels.coords) - {by}))


def _recomputed(posterior: xr.Dataset, job: Job, entry: Entry, precision: str) -> xr.DataArray:
    from tadpool.engine import compile_cache, lanes
    from tadpool.fitting import sampling
    from tadpool.modelling import batched_fits, binding

    lanes.start(job.threads, precision)
    with compile_cache.active():
        _, bound = binding.open_bound(job.data, entry)
        bound, points = batched_fits.group_points(bound, entry.by, entry.unit) if entry.by else (bound, None)
        return sampling.joint_log_likelihood(bound.generative, posterior, points)


def _summed(values: xr.DataArray, kept: Sequence[str | None]) -> xr.DataArray:
    return values.astype(np.float64).sum([dim for dim in values.dims if dim not in kept])


def _member(posterior, priors, log_likelihood, prior_draws, member: Mapping[str, int]) -> xr.Dataset:
    """`table` of one fit, or of one of several separate fits, whose parameters keep the names that
    they have in the whole."""
    by = next(iter(member), None)
    chosen = posterior.isel(member)
    own = {name: value.isel(member, drop=True) for name, value in priors.items()}
    label = str(posterior[by].values[member[by]]) if by else ""
    found = table(chosen.drop_vars(by) if by else chosen, own, log_likelihood.isel(member, drop=True), prior_draws)
    if by:
        found["parameter"] = [
            element_name(str(name), (label, *labels))
            for name, site in chosen.data_vars.items()
            for labels in element_labels(site)
        ]
    return found.assign(member=("parameter", np.full(found.sizes["parameter"], label)))
