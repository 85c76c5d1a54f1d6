"""The rules that a model has to keep, one function each, checked when it is bound to data and before anything is sampled.

Each rule takes what the model said when it was called without computing anything (`Called`) and yields a sentence for
each site that breaks it: file and line, what is wrong, and the fix.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import xarray as xr
from numpyro import handlers

from tadpool.engine import hoisting
from tadpool.errors import UserError
from tadpool.files import plugins
from tadpool.modelling import hidden_randomness
from tadpool.modelling.inspection import Called, Candidate, Site, call, layers

RESERVED = ("chain", "draw")


def check(model: Candidate, observed_where: Mapping[str, str] | None = None) -> None:
    """Raise UserError for the first rule that the model breaks on its data. observed_where: as in `binding.bind`."""
    for name, values in model.data.items():
        if values.dtype.kind not in "biuf":
            kind = "text" if values.dtype.kind in "OUS" else f"of type {values.dtype}"
            raise UserError(f"{model.where}: {name} is {kind}, which no model can take; take {name}_index or n_{name}")
    called = call(model, model.arguments)
    _raise_first(sentence for rule in RULES for sentence in rule(called))
    _raise_first(_same_sites(called, call(model, model.arguments), "another call with equal arguments"))
    _raise_first(_same_sites(called, call(model, model.inputs), "a call without the outcomes"))
    traces = [hidden_randomness.trace(model.function, called.latents, model.arguments) for _ in range(2)]
    _raise_first(hidden_randomness.find(*traces, model.where, model.path))
    _raise_first(_values(called, observed_where))


def _raise_first(sentences: Iterator[str]) -> None:
    for sentence in sentences:
        raise UserError(sentence)


def _weights(called: Called) -> Iterator[str]:
    """Whatever weighs or adds to the log density outside an outcome's distribution."""
    outside = "the log likelihood of the outcomes would not contain it"
    for site in called.sites:
        if site.family == "Unit":
            fix = "put it into the distribution of an outcome"
            yield f"{site.where}: the factor {site.name} adds to the log density, but {outside}; {fix}"
        elif site.scaled and not site.observed:
            yield f"{site.where}: {site.name} has a scale, which weighs its prior; put it into the prior itself"
        elif site.scaled:
            fix = f"remove it and declare `weights: {{{site.name}: <variable>}}` in the study"
            yield f"{site.where}: {site.name} has a scale or is a part of a plate, but {outside}; {fix}"


def _observed(called: Called) -> Iterator[str]:
    """Outcomes are what is observed, all of them, under their own names."""
    names = [site.name for site in called.observed()]
    where, outcomes = called.model.where, [name for name in called.model.outcomes if name in called.model.data]
    if not names:
        yield f"{where}: no site is observed; pass an outcome with obs=, as in obs={outcomes[0]}"
    for site in called.observed():
        if site.name not in outcomes:
            known = ", ".join(outcomes)
            yield (
                f"{site.where}: the observed site {site.name!r} is not an argument with the default None ({known}); "
                "name it after its data"
            )
    for name in outcomes:
        if name not in names:
            yield f"{where}: the outcome {name} is not observed; pass it with obs={name} to the site {name!r}"


def _samples(called: Called) -> Iterator[str]:
    """There is something to sample."""
    if not called.latents:
        yield f"{called.model.where}: model() has no parameter to sample; give it one with a prior"


def _continuous(called: Called) -> Iterator[str]:
    """Parameters are continuous: discrete ones have no gradient, and none are summed out here."""
    for site in called.sites:
        if site.name in called.latents and site.discrete:
            yield (
                f"{site.where}: {site.name} is a discrete parameter ({site.family}), which this sampler cannot move; sum it "
                "out of the likelihood, for example with dist.MixtureSameFamily, or make it an outcome"
            )


def _names(called: Called) -> Iterator[str]:
    """A site has a name that nothing else in the results has."""
    model = called.model
    kinds = dict.fromkeys(RESERVED, "a dim of all results")
    kinds |= {str(name): "a variable of the data" for name in model.dataset.data_vars}
    kinds |= {str(name): "a coordinate of the data" for name in model.dataset.coords}
    kinds |= {str(dim): "a dim of the data" for dim in model.dataset.dims}
    kinds |= dict.fromkeys(getattr(model.function, "keywords", {}), "an argument")
    if not plugins.signature(model.path).designed:  # names of sites of the ladder follow from those of groups
        kinds |= dict.fromkeys(model.hyperparameters, "a hyperparameter")
    for site in called.sites:
        if not isinstance(site.name, str) or not site.name.isprintable() or not site.name.strip() or "/" in site.name:
            yield f"{site.where}: {site.name!r} cannot be the name of a site; use letters, digits and _"
        elif site.name in kinds and not (site.observed and site.name in model.outcomes):
            yield f"{site.where}: the site {site.name!r} has the name of {kinds[site.name]}; rename the site"


def _shapes(called: Called) -> Iterator[str]:
    """Nothing is broadcast by accident: outcomes have their data's shape, and parameters in plates the plates' alone."""
    data, dataset = called.model.data, called.model.dataset
    for site in called.sites:
        for name, _, size in site.plates:
            if dataset.sizes.get(name, size) != size:
                fix = f"take its size as the argument n_{name}"
                yield f"{site.where}: the plate {name} has size {size}, but the dim has {dataset.sizes[name]}; {fix}"
    for site in called.observed():
        shape = data[site.name].shape
        if site.event:
            fix = "remove .to_event(), or use a distribution of single values"
            yield f"{site.where}: {site.name} has one density ({site.family}) for several values of its data; {fix}"
        elif site.log_prob != shape:
            words = f"{site.name} has shape {shape} but its distribution has {site.log_prob}"
            yield f"{site.where}: {words}; align their dims"
        for name, dim, size in site.plates:
            own = dataset[site.name].dims[dim]
            if name in dataset.dims and name != own:
                yield f"{site.where}: {site.name} has the dim {own} where the plate {name} ({size}) is; use n_{own}"
    for site in called.sites:
        covered = {dim for _, dim, _ in site.plates}
        for position, size in enumerate(site.batch, -len(site.batch)):
            if size > 1 and position not in covered and size in [size for _, _, size in site.plates]:
                yield (
                    f"{site.where}: {site.name} has the shape {site.batch + site.event}, but only the plates "
                    f"{', '.join(name for name, _, _ in site.plates)}; align the shapes of its arguments, such as (3, 1) "
                    "and (3,), or add a plate"
                )


RULES = (_weights, _names, _observed, _continuous, _shapes, _samples)


def _same_sites(called: Called, again: Called, what: str) -> Iterator[str]:
    """Parameters and outcomes do not depend on the call."""
    first, second = (Counter(site.name for site in c.sites if not site.deterministic) for c in (called, again))
    for name in {**first, **second}:
        if first[name] != second[name]:
            where = next(site.where for site in (*called.sites, *again.sites) if site.name == name)
            yield f"{where}: {name} is a site of some calls but not of all, as {what} shows; let no call change the sites"


def _values(called: Called, observed_where: Mapping[str, str] | None) -> Iterator[str]:
    """Outcomes are observed as the data have them, within the support of their distributions, and all of them count."""
    model = called.model

    def outcomes(latents):
        substituted = handlers.substitute(model.function, data=latents)
        trace = handlers.trace(substituted).get_trace(**model.arguments)
        sites = {site.name: trace[site.name] for site in called.observed()}
        return {
            name: (site["value"], site["fn"].support(jnp.asarray(site["value"])), _mask(site["fn"]))
            for name, site in sites.items()
        }

    known = hoisting.independent(outcomes, called.latents)
    for site in called.observed():
        value, inside, counted = known[site.name]
        data = model.dataset[site.name]
        if value is not None and not np.array_equal(value, model.data[site.name], equal_nan=True):
            fix = "observe the data as they are, and change them in the dataset"
            yield f"{site.where}: the observed site {site.name} does not hold the data {site.name}; {fix}"
        if inside is not None and not np.all(inside):
            at, labels = _first(data, ~np.broadcast_to(inside, data.shape))
            yield (
                f"{site.where}: {site.name} of {labels} is {data.values[at]}, outside the support of its {site.family}; "
                "correct the table or choose another distribution"
            )
        if observed_where is not None and site.masked:
            yield from _masked(site, data, counted, model.dataset, observed_where)


def _masked(
    site: Site, data: xr.DataArray, counted: Any, dataset: xr.Dataset, observed_where: Mapping[str, str]
) -> Iterator[str]:
    """counted: False where the outcome is masked; None where that depends on parameters."""
    fix = f"declare `observed_where: {{{site.name}: <variable>}}` in the study, or remove the mask"
    if counted is None:
        yield f"{site.where}: which values of {site.name} are masked depends on parameters; mask by data alone"
        return
    declared = dataset[observed_where[site.name]] != 0 if site.name in observed_where else xr.DataArray(True)
    undeclared = ~np.broadcast_to(counted, data.shape) & declared.broadcast_like(data).transpose(*data.dims).values
    if undeclared.any():
        _, labels = _first(data, undeclared)
        yield f"{site.where}: {site.name} of {labels} is masked, so that it does not count; {fix}"


def _mask(distribution: Any) -> Any:
    """Where the values of a distribution count, as far as masks say so."""
    masks = [layer._mask for layer in layers(distribution) if isinstance(layer, dist.MaskedDistribution)]
    return reduce(jnp.logical_and, masks, jnp.ones((), bool))


def _first(data: xr.DataArray, bad: np.ndarray) -> tuple[tuple[int, ...], str]:
    """Position and labels of the first element of the data where `bad` is true."""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    places = zip(data.dims, at, strict=True)
    return at, ", ".join(f"{dim} {data[dim].values[i] if dim in data.coords else i}" for dim, i in places)
