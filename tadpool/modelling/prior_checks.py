"""Whether the densities of a model of the user's own, and their gradients, are numbers where its
prior is.

A sampler refuses a point whose log density is NaN, without a word, so that the posterior would be
cut off there. It cannot move from one whose gradient is NaN.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro

from tadpool.engine import batches
from tadpool.engine.nuts import lane_key
from tadpool.errors import UserError
from tadpool.files import plugins
from tadpool.modelling import densities, hidden_randomness, inspection, parameters, references
from tadpool.modelling.binding import Bound

DRAWS = 200
NO_GRADIENT = "Reverse-mode differentiation does not work"
SHARE = 0.01  # of draws that may have a NaN, as extreme draws have by rounding


def check(bound: Bound, key: np.ndarray) -> None:
    """Look at the densities of all sites of a user's model at draws from its prior.

    key: of the draws, two numbers. A parameter that is infinite overflows: its density is 0 there,
    and nothing is said.

    Raises:
        UserError: At more than SHARE of the draws a parameter of a distribution is not what it
            needs to be, or a log density or its gradient is NaN; or there is no gradient.
    """
    if not plugins.is_own(references.path(bound.model)):
        return
    needs: dict[str, list] = {}

    def derive(lane, shared):
        inputs = {name: shared[name] for name in (*bound.inputs, *bound.hyperparameters)}
        sites = densities.simulate(bound, lane_key(lane), {}, inputs)
        trace = densities.conditioned_trace(bound, {name: sites[name] for name in bound.latents}, shared)
        found = {}
        for name, site in trace.items():
            if site["type"] == "sample":
                needs[name] = list(parameters.of(site["fn"]))
                found[name] = _at_draw(site, needs[name])
        density, slopes = jax.value_and_grad(_density)({name: sites[name] for name in bound.latents}, bound, shared)
        wrong = {name: jnp.isnan(slope).any() & jnp.isfinite(density) for name, slope in slopes.items()}
        return found, wrong

    with numpyro.validation_enabled(False):
        batch = {"key": np.tile(key, (DRAWS, 1)), "chain": np.arange(DRAWS, dtype=np.uint32)}
        size = 8.0 * sum(bound.sizes.values())
        shared = {**bound.data, **bound.hyperparameters}
        options = {"each": batches.BRIEF, "bytes_per_lane": size, "skip_optimization": True}
        try:
            found, slopes = batches.map_lanes(derive, batch, shared, **options)
        except ValueError as error:
            if NO_GRADIENT not in str(error):
                raise
            raise UserError(
                f"{_loop(bound)}: a loop whose end is not fixed has no gradient; use jax.lax.scan, or fixed ends of "
                "jax.lax.fori_loop"
            ) from error
    sentences = [words for name, values in found.items() if (words := _words(name, values, needs[name]))]
    sentences = sentences or list(_without_gradient(slopes))
    if sentences:
        candidate = _candidate(bound)
        called = inspection.call(candidate, candidate.arguments)
        places = {site.name: site.where for site in called.sites}
        raise UserError(". ".join(f"{places[name]}: {words}" for name, words in sentences))


def _density(latents: dict[str, Any], bound: Bound, shared: dict[str, Any]) -> Any:
    """The log density of all sites: a scalar."""
    trace = densities.conditioned_trace(bound, latents, shared).values()
    return sum(jnp.sum(site["fn"].log_prob(site["value"])) for site in trace if site["type"] == "sample")


def _without_gradient(slopes: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The first of the sites in which the gradient is NaN, and what is said of all of them."""
    shares = {name: float(np.asarray(wrong).mean()) for name, wrong in slopes.items()}
    names = [name for name, share in shares.items() if share > SHARE]
    if names:
        fix = "both branches of jnp.where need finite values, also where they are not chosen, and roots need positive ones"
        yield (
            names[0],
            f"the gradient of the log density in {', '.join(names)} is not a number (NaN) at {100 * shares[names[0]]:.0f} % of "
            f"the draws from the prior; {fix}",
        )


def _loop(bound: Bound) -> str:
    """File and line of the first loop without a fixed end, as messages name it."""
    candidate = _candidate(bound)
    latents = inspection.call(candidate, candidate.arguments).latents
    program = hidden_randomness.trace(bound.function, latents, candidate.arguments)
    files = {Path(file) for file in candidate.files}
    loops = [equation for equation in program.jaxpr.eqns if equation.primitive.name == "while"]
    return next(filter(None, (hidden_randomness.place(each, files) for each in loops)), candidate.where)


def _candidate(bound: Bound) -> inspection.Candidate:
    where, path = f"models/{references.name(bound.model)}.py", references.path(bound.model)
    rest = (bound.function, bound.data, bound.outcomes, bound.hyperparameters, bound.dataset)
    return inspection.Candidate(where, path, *rest)


def _at_draw(site: Any, needs: list) -> dict[str, Any]:
    """Whether the log density of a site is NaN, and which of its parameters are wrong, with an
    element that is."""
    infinite, bad, examples = jnp.zeros((), bool), [], []
    for each in needs:
        value = jnp.asarray(each[2])
        wrong = parameters.wrong(*each)
        if wrong.shape == value.shape:
            wrong &= ~jnp.isinf(value) & (value != 0)  # 0 where a positive number is rounded
        infinite |= jnp.isinf(value).any()
        bad.append(wrong.any())
        examples.append(value.ravel()[wrong.ravel().argmax() if wrong.shape == value.shape else 0].astype(float))
    nan = jnp.isnan(site["fn"].log_prob(site["value"])).any() & ~infinite
    return {"nan": nan, "bad": jnp.array(bad, bool), "example": jnp.array(examples, float)}


def _words(name: str, values: dict[str, Any], needs: list) -> tuple[str, str] | None:
    """The site, and what is said of it, None for nothing."""
    for number, (family, parameter, _, constraint) in enumerate(needs):
        bad = np.asarray(values["bad"])[:, number]
        if bad.mean() > SHARE:
            example = np.asarray(values["example"])[bad.argmax(), number]
            need = "a finite number" if np.isnan(example) else parameters.need(constraint)
            shown = ", but for example " + ("not a number (NaN)" if np.isnan(example) else f"{example:.3g}")
            said = f"is not {need} at {100 * bad.mean():.0f} % of the draws from the prior"
            said += shown if np.isnan(example) or not constraint.event_dim else ""
            return name, f"of {name}, the {parameter} of its {family} {said}; {parameters.remedy(constraint)}"
    share = np.asarray(values["nan"]).mean()
    if share > SHARE:
        fix = "look for the logarithm or root of a negative number, 0 / 0 and inf - inf"
        return (
            name,
            f"the log density of {name} is not a number (NaN) at {100 * share:.0f} % of the draws from the prior; {fix}",
        )
    return None
