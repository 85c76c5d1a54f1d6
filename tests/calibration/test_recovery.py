"""Every model finds the parameters that its own prior drew, and planted errors are seen by the same
tests."""

from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpyro.distributions as dist
import pytest
import xarray as xr
import yaml
from numpyro.primitives import Messenger

from tadpool import seeds
from tadpool.engine import nuts
from tadpool.files import plugins
from tadpool.files.data_file import merged
from tadpool.loading.preparation import prepare
from tadpool.modelling import binding
from tadpool.verification import exact_comparisons
from tests.made import ranks

STUDIES = {path.stem: yaml.safe_load(path.read_text()) for path in Path("config/studies").glob("*.yaml")}
# Models that tests/fitting/test_sampling.py compares with their exact posteriors need no simulated
# data. Those of the ladder are made from designs, see tests/ladder/test_ladder.py.
DESIGNED = {name for name in plugins.names("models") if plugins.signature(plugins.find("models", name)).designed}
MODELS = sorted(set(plugins.names("models")) - DESIGNED - {model for _, model, _, _ in exact_comparisons.EXACT})
# Probability that any test of a right model fails, over all models, parameters and tests of
# uniformity.
FALSE_ALARM = 1e-4


def whole(study, **arguments):
    """The study's dataset, simulated ones with other arguments."""
    content = STUDIES[study]
    simulated = plugins.has_function(plugins.find("datasets", content["dataset"]), "simulate")
    arguments = content.get("arguments", {}) | arguments
    return merged(prepare(content["dataset"], arguments, content["outcomes"], study, 1 if simulated else None))


def some_houses():
    """At most four houses of each of the first six counties."""
    data = whole("radon")
    index = data["county_index"].values
    first = np.concatenate([np.flatnonzero(index == county)[:4] for county in range(6)])
    return data.isel(house=first, county=slice(6))


def some_judgments():
    """150 responses of 10 participants to 6 stories with random features; the models draw their own
    responses."""
    random = seeds.generator(1, "recovery", "trolley", "design")
    row = np.arange(150)
    features = {name: ("row", random.integers(0, 2, 150)) for name in ("action", "intention", "contact")}
    groups = {"participant_index": ("row", row % 10), "story_index": ("row", row // 10 % 6)}
    coords = {"row": row, "participant": np.arange(10), "story": np.arange(6)}
    return xr.Dataset({"response": ("row", row % 7), **features, **groups}, coords=coords)


# Smaller data of the same kind, so that 64 fits take a second. A study that is not named here is
# taken whole.
SMALL = {
    "reedfrogs": lambda: whole("reedfrogs").isel(tank=slice(None, None, 4)),
    "radon": some_houses,
    "masking": partial(whole, "masking", customers=100),
    "manufacturing": partial(whole, "manufacturing", runs=60),
    "mundlak": partial(whole, "mundlak", groups=5, rows=40),
    "trolley": some_judgments,
}


@cache
def small(study):
    return SMALL.get(study, partial(whole, study))()


def case(model):
    """The model bound to the data of the first study that uses it, and the study's unit."""
    for study, content in sorted(STUDIES.items()):
        if any(entry.get("model") == model for entry in content["models"].values()):
            return binding.bind(model, small(study)), content["unit"]
    pytest.fail(
        f"models/{model}.py: no file in config/studies uses it, so there are no data to try it on; add an entry"
    )


@pytest.mark.parametrize("model", MODELS)
def test_true_parameters_rank_uniformly_among_posterior_draws(model):
    """Parameters and outcomes are drawn from the model, then fitted: the ranks of the truth are
    uniform.

    Three exact tests for each parameter and for the log likelihood, each at FALSE_ALARM over the
    number of models and tests (Bonferroni, about 5.3 standard errors). At 64 data sets they see a
    bias of 0.7 posterior sds and posterior sds that are a third too small or three quarters too
    large, each with probability about 1/2, larger errors nearly always. The draws are thinned by 4;
    the autocorrelation that is left widens the ranks far less than that.
    """
    bound, unit = case(model)
    found = ranks.uniforms(bound, unit)
    assert len(found) == 1 + sum(bound.sizes[name] for name in bound.latents)
    assert ranks.surprises(found, FALSE_ALARM / len(MODELS)) == {}


class double_scale(Messenger):
    """A planted error: the outcome's standard deviation is twice what the model says."""

    def process_message(self, msg):
        if msg["name"] == "log_radon":
            msg["fn"] = dist.Normal(msg["fn"].loc, 2.0 * msg["fn"].scale)


def test_a_likelihood_of_twice_the_scale_is_seen():
    bound, unit = case("radon_pooled")
    wrong = replace(bound, function=double_scale(bound.function))
    found = ranks.surprises(ranks.uniforms(bound, unit, wrong), FALSE_ALARM / len(MODELS))
    assert "eps, bias" in found


def test_a_group_index_that_is_off_by_one_is_seen():
    bound, unit = case("cookies_unpooled")
    shifted = (bound.data["location_index"] + 1) % bound.dataset.sizes["location"]
    wrong = replace(bound, data={**bound.data, "location_index": shifted})
    found = ranks.surprises(ranks.uniforms(bound, unit, wrong), FALSE_ALARM / len(MODELS))
    assert {f"lam[{location}], scale" for location in range(5)} <= set(found)


def test_data_that_do_not_count_are_seen_by_the_log_likelihood_alone():
    """Half of the cookies are held out: the posterior is right for the other half, so parameters
    rank uniformly."""
    bound, unit = case("cookies_unpooled")
    half = np.arange(bound.dataset.sizes["cookie"]) % 2 == 0
    wrong = replace(bound, function=nuts.hold_out(bound.function, {"chips": half}))
    found = ranks.surprises(ranks.uniforms(bound, unit, wrong), FALSE_ALARM / len(MODELS))
    assert found
    assert {name.partition(",")[0] for name in found} == {ranks.LOG_LIKELIHOOD}


def test_a_model_without_data_is_named(monkeypatch):
    monkeypatch.delitem(STUDIES, "radon")
    with pytest.raises(pytest.fail.Exception, match=r"models/radon_pooled.py: no file in config/studies uses it"):
        case("radon_pooled")
