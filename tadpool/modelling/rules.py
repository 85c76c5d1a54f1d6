"""The rules that a model has to follow, one function each, checked when it is bound to data, before
sampling.

Each rule takes a call of the model in which nothing is computed (`Called`) and yields a sentence
for each site that breaks it: file and line, what is wrong, and the fix. All sentences of the first
rule that is broken are said together.
"""

import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial, reduce
from itertools import zip_longest
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import xarray as xr
from numpyro import handlers

from tadpool.engine import hoisting
from tadpool.errors import UserError, with_line
from tadpool.files import plugins
from tadpool.modelling import hidden_randomness, parameters, program_checks
from tadpool.modelling.inspection import TRACED, Called, Candidate, Site, call, layers

RESERVED = ("chain", "draw")


def check(model: Candidate, observed_where: Mapping[str, str] | None = None) -> dict[str, str]:
    """Check the rules; returns file and line of each site. observed_where: as in `binding.bind`.

    Raises:
        UserError: The model breaks a rule on its data; the message is about all sites that break
            the first one.
    """
    for name, values in model.data.items():
        if values.dtype.kind not in "biuf":
            kind = "text" if values.dtype.kind in "OUS" else f"of type {values.dtype}"
            raise UserError(f"{model.where}: {name} is {kind}, but a model needs numbers; use {name}_index or n_{name}")
    called = call(model, model.arguments)
    for rule in RULES:
        _raise(rule(called))
    _raise(_same_sites(called, call(model, model.arguments), "another call with equal arguments"))
    without = _call_without_outcomes(model)
    _raise(_same_sites(called, without, "a call without the outcomes"))
    traces = [hidden_randomness.trace(model.function, called.latents, model.arguments) for _ in range(2)]
    _raise(hidden_randomness.find(*traces, model.where, model.path))
    if plugins.is_own(model.path):
        files = {Path(file) for file in model.files}
        place = partial(hidden_randomness.place, files=files)
        _raise(program_checks.outside(traces[0], model.arguments, place))
        _raise(_circular(called))
        _raise(_parameters(called))
    _raise(_values(called, observed_where))
    _raise(_idle(called, traces[0]))
    _raise(_predicted(without))
    return {site.name: site.where for site in called.sites}


def check_dims(
    places: Mapping[str, str],
    shapes: Mapping[str, tuple[int, ...]],
    dims: Mapping[str, tuple[str, ...]],
    sizes: Mapping[str, int],
) -> None:
    """Check that the dims that plates give to sites have the sizes of the data.

    Args:
        places: Site -> file and line.
        shapes: Site -> its shape.
        dims: Site -> names of its dims.
        sizes: Dim of the data -> its size.

    Raises:
        UserError: A site has another shape than the plates around it.
    """
    _raise(_dims(places, shapes, dims, sizes))


def _dims(places, shapes, dims, sizes) -> Iterator[str]:
    for site, shape in shapes.items():
        wanted = tuple(sizes.get(dim, size) for dim, size in zip_longest(dims[site], shape))
        if wanted != shape and site in places:
            named = ", ".join(dim for dim in dims[site] if dim in sizes)
            fix = f"move it out of the plate, or give it a value for each {named}"
            yield f"{places[site]}: {site} has the shape {shape}, but is in the plate {named}; {fix}"


def _raise(sentences: Iterable[str]) -> None:
    """Raise UserError with all sentences, one for each line of a file."""
    places, said = set(), []
    for sentence in sentences:
        place = sentence.split(": ")[0]
        if place not in places or ", line " not in place:
            said.append(sentence)
        places.add(place)
    if said:
        raise UserError(". ".join(dict.fromkeys(said)))


def _call_without_outcomes(model: Candidate) -> Called:
    """Call a model as predictions do. Raises UserError where it cannot do without the outcomes."""
    try:
        return call(model, model.inputs)
    except UserError:
        raise
    except Exception as error:
        if any(isinstance(error, kind) for kind, _ in TRACED):
            raise
        names = ", ".join(name for name in model.outcomes if name in model.data)
        traceback.print_exc()
        raise UserError(
            f"{with_line(model.where, error)}: this fails in a call without the outcomes, as predictions make it, where "
            f"{names} is None; compute what it needs in the dataset, as a variable of its own"
        ) from error


def _weights(called: Called) -> Iterator[str]:
    """Nothing outside the distributions of outcomes adds to the log density or multiplies it."""
    outside = "the log likelihood of the outcomes would not include it"
    for site in called.sites:
        if site.family == "Unit":
            fix = "make it part of the distribution of an outcome"
            yield f"{site.where}: the factor {site.name} adds to the log density, but {outside}; {fix}"
        elif site.scaled and not site.observed:
            yield f"{site.where}: {site.name} has a scale, which multiplies its log prior; change the prior itself"
        elif site.scaled:
            fix = f"remove it and write `weights: {{{site.name}: <variable>}}` in the study"
            yield f"{site.where}: {site.name} has a scale or is in a subsampled plate, but {outside}; {fix}"


def _observed(called: Called) -> Iterator[str]:
    """The observed sites are the outcomes, all of them, under their own names."""
    names = [site.name for site in called.observed()]
    where, outcomes = called.model.where, [name for name in called.model.outcomes if name in called.model.data]
    forgotten = [site for site in called.sites if site.name in outcomes and not site.observed]
    for site in forgotten:
        yield f"{site.where}: the site {site.name} does not observe its data; pass obs={site.name}"
    if forgotten:
        return
    if not names:
        yield f"{where}: no site is observed; pass an outcome with obs=, as in obs={outcomes[0]}"
        return
    for site in called.observed():
        if site.name not in outcomes:
            known = ", ".join(outcomes)
            yield (
                f"{site.where}: the observed site {site.name!r} is not an argument with the default None ({known}); "
                "give it the name of its data"
            )
    for name in outcomes:
        if name not in names and set(names) <= set(outcomes):
            yield f"{where}: the outcome {name} is not observed; pass obs={name} to a site named {name!r}"


def _proper(called: Called) -> Iterator[str]:
    """Priors are proper."""
    for site in called.sites:
        if site.improper:
            yield f"{site.where}: the prior of {site.name} is improper; use a proper prior, such as {site.improper}"


def _samples(called: Called) -> Iterator[str]:
    """There is something to sample."""
    if not called.latents:
        yield f"{called.model.where}: model() has no parameter to sample; add one with a prior"


def _continuous(called: Called) -> Iterator[str]:
    """Parameters are continuous: discrete ones have no gradient, and they are not summed out
    here."""
    for site in called.sites:
        if site.name in called.latents and site.discrete:
            yield (
                f"{site.where}: {site.name} is a discrete parameter ({site.family}), which NUTS cannot sample; sum it "
                "out of the likelihood, for example with dist.MixtureSameFamily, or make it an outcome"
            )


def _names(called: Called) -> Iterator[str]:
    """The name of a site is unique in the results."""
    model = called.model
    kinds = dict.fromkeys(RESERVED, "a dim of all results")
    kinds |= {str(name): "a variable of the data" for name in model.dataset.data_vars}
    kinds |= {str(name): "a coordinate of the data" for name in model.dataset.coords}
    kinds |= {str(dim): "a dim of the data" for dim in model.dataset.dims}
    kinds |= dict.fromkeys(getattr(model.function, "keywords", {}), "an argument")
    if not plugins.signature(model.path).designed:  # sites of the ladder are named after groups
        kinds |= dict.fromkeys(model.hyperparameters, "a hyperparameter")
    for site in called.sites:
        if not isinstance(site.name, str) or not site.name.isprintable() or not site.name.strip() or "/" in site.name:
            yield f"{site.where}: {site.name!r} cannot be the name of a site; use letters, digits and _"
        elif site.name in kinds and site.name not in model.outcomes:
            yield f"{site.where}: the site {site.name!r} has the name of {kinds[site.name]}; rename the site"


def _shapes(called: Called) -> Iterator[str]:
    """Nothing is broadcast by accident: outcomes have the shape of their data, and parameters only
    the dims of plates."""
    data, dataset = called.model.data, called.model.dataset
    for site in called.observed():
        shape = data[site.name].shape
        if site.event:
            fix = "remove .to_event(), or use a univariate distribution"
            yield f"{site.where}: {site.name} has one joint density ({site.family}) for several values; {fix}"
        elif site.log_prob != shape:
            words = f"{site.name} has shape {shape}, but its distribution has {site.log_prob}"
            yield f"{site.where}: {words}; align their dims"
        for name, dim, size in site.plates:
            if -dim > len(shape):
                what = f"{site.name} has the shape {shape}, but the plate {name} is its dim {dim}"
                yield f"{site.where}: {what}; remove dim={dim} from the plate"
                continue
            own = dataset[site.name].dims[dim]
            if name in dataset.dims and name != own:
                yield f"{site.where}: {site.name} has the dim {own}, but is in the plate {name} ({size}); use n_{own}"
    for site in called.sites:
        covered = {dim: size for _, dim, size in site.plates}
        for position, size in enumerate(site.batch, -len(site.batch)):
            grown = position < min(covered, default=position)  # its dims would be named in the wrong order
            if position not in covered and (grown or (size > 1 and size in covered.values())):
                yield (
                    f"{site.where}: {site.name} has the shape {site.batch + site.event}, but only the plates "
                    f"{', '.join(name for name, _, _ in site.plates)}; align the shapes of its arguments, such as (3, 1) "
                    "and (3,), or add a plate"
                )


RULES = (_weights, _names, _observed, _proper, _continuous, _shapes, _samples)


def _same_sites(called: Called, again: Called, what: str) -> Iterator[str]:
    """Every call has the same parameters and outcomes."""
    first, second = (Counter(site.name for site in c.sites if not site.deterministic) for c in (called, again))
    for name in {**first, **second}:
        if first[name] != second[name]:
            where = next(site.where for site in (*called.sites, *again.sites) if site.name == name)
            yield (
                f"{where}: {name} is a site in some calls but not in others, as {what} shows; make the sites the same in every "
                "call"
            )


def _parameters(called: Called) -> Iterator[str]:
    """Parameters of distributions that no other parameter changes are what these need."""
    model, needs = called.model, {}

    def at(latents):
        trace = handlers.trace(handlers.substitute(model.function, data=latents)).get_trace(**model.arguments)
        found = {}
        for site in called.sites:
            for number, each in enumerate(() if site.deterministic else parameters.of(trace[site.name]["fn"])):
                needs[site.name, number] = each
                found[site.name, number] = jnp.asarray(each[2]), parameters.wrong(*each)
        return list(found.values())

    known = dict(zip(needs, hoisting.independent(at, called.latents), strict=True))
    places = {site.name: site.where for site in called.sites}
    for (name, number), (value, bad) in known.items():
        if value is not None and bad is not None and np.any(bad):
            family, parameter, _, constraint = needs[name, number]
            said = parameters.words(family, parameter, value, bad, constraint)
            yield f"{places[name]}: of {name}, {said}; correct {parameter}"


def _circular(called: Called) -> Iterator[str]:
    """No distribution depends on an outcome that is drawn from it or after it."""
    model, sites = called.model, [site for site in called.sites if not site.deterministic]
    observed = [site.name for site in called.observed()]

    def densities(latents, arguments, values):
        trace = handlers.trace(handlers.substitute(model.function, data=latents)).get_trace(**arguments)
        values = {**latents, **values}
        return [_unmasked(trace[each.name]["fn"]).log_prob(values[each.name]) for each in sites]

    values = {name: model.data[name] for name in observed}
    program = jax.make_jaxpr(densities)(dict(called.latents), dict(model.arguments), values)
    places, names = {site.name: site.where for site in sites}, [site.name for site in sites]
    for name, outcome in program_checks.circular(
        program, tuple(called.latents), tuple(model.arguments), names, observed
    ):
        what = f"the {'distribution' if name in observed else 'prior'} of {name} depends on the outcome {outcome}"
        fix = "compute what it needs in the dataset, as a variable of its own"
        yield f"{places[name]}: {what}, so a prediction of {outcome} is made without it; {fix}"


def _unmasked(distribution: Any) -> Any:
    return next(layer for layer in layers(distribution) if not isinstance(layer, dist.MaskedDistribution))


def _idle(called: Called, program: Any) -> Iterator[str]:
    """Some outcome depends on every parameter."""
    sites = [site for site in called.sites if site.family != "Unit"]
    observed = [site.name for site in called.observed()]
    places = {site.name: site.where for site in sites}
    names = [site.name for site in sites]
    for name in program_checks.idle(program, tuple(called.latents), names, observed):
        yield (
            f"{places[name]}: no outcome depends on {name}, so its posterior would be its prior; use it in the "
            "distribution of an outcome, or remove it"
        )


def _predicted(without: Called) -> Iterator[str]:
    """Outcomes that are drawn have the shape of the data."""
    for site in without.sites:
        if site.name in without.model.outcomes and site.name in without.model.dataset:
            variable = without.model.dataset[site.name]
            if site.batch + site.event != variable.shape:
                plates = ", ".join(f'numpyro.plate("{dim}", n_{dim})' for dim in variable.dims)
                yield (
                    f"{site.where}: without the data, as in predictions, {site.name} has shape {site.batch + site.event} "
                    f"instead of {variable.shape}; put it into {plates}"
                )


def _values(called: Called, observed_where: Mapping[str, str] | None) -> Iterator[str]:
    """Observed values are the data, lie in the support of their distributions, and all count."""
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
            fix = "observe the data unchanged, and transform them in the dataset"
            yield f"{site.where}: the values of the observed site {site.name} differ from the data {site.name}; {fix}"
        if inside is not None and not np.all(inside):
            at, labels = _first(data, ~np.broadcast_to(inside, data.shape))
            yield (
                f"{site.where}: {site.name} of {labels} is {data.values[at]}, outside the support of its {site.family}; "
                "correct the table or choose another distribution"
            )
        if inside is None and not site.ends:
            what = (
                f"the support of the {site.family} of {site.name} depends on parameters, but without validate_args=True"
            )
            fix = "write it in the distribution"
            yield f"{site.where}: {what} NumPyro gives values outside of it a density all the same; {fix}"
        if observed_where is not None and site.masked:
            yield from _masked(site, data, counted, model.dataset, observed_where)


def _masked(
    site: Site, data: xr.DataArray, counted: Any, dataset: xr.Dataset, observed_where: Mapping[str, str]
) -> Iterator[str]:
    """Masks agree with the study. counted: False where the outcome is masked; None if that depends
    on parameters."""
    fix = f"write `observed_where: {{{site.name}: <variable>}}` in the study, or remove the mask"
    if counted is None:
        yield f"{site.where}: which values of {site.name} are masked depends on parameters; let the mask depend on data only"
        return
    declared = dataset[observed_where[site.name]] != 0 if site.name in observed_where else xr.DataArray(True)
    undeclared = ~np.broadcast_to(counted, data.shape) & declared.broadcast_like(data).transpose(*data.dims).values
    if undeclared.any():
        _, labels = _first(data, undeclared)
        yield f"{site.where}: {site.name} of {labels} is masked, so it does not count; {fix}"


def _mask(distribution: Any) -> Any:
    """True where the values of a distribution are not masked."""
    masks = [layer._mask for layer in layers(distribution) if isinstance(layer, dist.MaskedDistribution)]
    return reduce(jnp.logical_and, masks, jnp.ones((), bool))


def _first(data: xr.DataArray, bad: np.ndarray) -> tuple[tuple[int, ...], str]:
    """The position and labels of the first element of the data where `bad` is true."""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    places = zip(data.dims, at, strict=True)
    return at, ", ".join(f"{dim} {data[dim].values[i] if dim in data.coords else i}" for dim, i in places)
