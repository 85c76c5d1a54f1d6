"""Effects of members as deviations that sum to zero and a mean are effects that are independent."""

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from numpyro import handlers

from tadpool.engine import lanes
from tadpool.modelling.distributions import OrderedLogistic, OrderedNormal
from tadpool.models import trolley_by_person


@pytest.mark.parametrize("seed", range(3))
def test_the_model_with_effects_by_person_has_the_density_of_its_equations(seed):
    """At any parameters, up to one constant: the logarithm of the change of coordinates, which no
    parameter enters."""
    lanes.start(1, "float64")
    rng = np.random.default_rng(7)
    rows, people, stories = 40, 6, 3
    data = {name: rng.integers(0, 2, rows) for name in ("action", "intention", "contact")}
    data |= {"participant_index": rng.integers(0, people, rows), "story_index": rng.integers(0, stories, rows)}
    data |= {"n_participant": people, "n_story": stories, "n_row": rows, "response": rng.integers(0, 7, rows)}
    differences = [_difference(data, np.random.default_rng(each)) for each in (seed, seed + 100)]
    assert differences[0] == pytest.approx(differences[1], abs=1e-9)


def _difference(data, rng):
    """The log density of the model less that of its equations, at random parameters."""
    effects = {"participant": rng.normal(size=6), "story": rng.normal(size=3)}
    sites = {f"{name}_effect": own - own.mean() for name, own in effects.items()}
    sites |= {f"{name}_mean": own.mean() for name, own in effects.items()}
    sites |= {f"sigma_{name}": rng.gamma(2.0) for name in effects}
    cutpoints = np.sort(rng.normal(size=6))
    sites["cutpoints_less_means"] = cutpoints - sum(own.mean() for own in effects.values())
    total, phi = 0.0, effects["participant"][data["participant_index"]] + effects["story"][data["story_index"]]
    for name in ("action", "intention", "contact"):
        sites |= {f"beta_{name}": rng.normal(), f"tau_{name}": rng.gamma(2.0), f"distance_{name}": rng.normal(size=6)}
        own = sites[f"beta_{name}"] + sites[f"tau_{name}"] * sites[f"distance_{name}"]
        phi = phi + own[data["participant_index"]] * data[name]
        total += dist.Normal(0, 1).log_prob(sites[f"beta_{name}"]) + dist.Exponential(1).log_prob(sites[f"tau_{name}"])
        total += dist.Normal(0, 1).log_prob(sites[f"distance_{name}"]).sum()
    for name in ("action", "contact"):
        sites[f"beta_{name}_intention"] = beta = rng.normal()
        phi = phi + beta * data[name] * data["intention"]
        total += dist.Normal(0, 1).log_prob(beta)
    for name, own in effects.items():
        sigma = sites[f"sigma_{name}"]
        total += dist.Exponential(1).log_prob(sigma) + dist.Normal(0, sigma).log_prob(own).sum()
    total += OrderedNormal(0.0, 1.5, 6).log_prob(cutpoints)
    total += OrderedLogistic(jnp.asarray(phi), jnp.asarray(cutpoints)).log_prob(data["response"]).sum()
    seeded = handlers.seed(trolley_by_person.model, 0)
    trace = handlers.trace(handlers.substitute(seeded, data={k: jnp.asarray(v) for k, v in sites.items()})).get_trace(
        **data
    )
    assert trace["cutpoints"]["value"] == pytest.approx(cutpoints)
    return float(
        sum(jnp.sum(site["fn"].log_prob(site["value"])) for site in trace.values() if site["type"] == "sample") - total
    )
