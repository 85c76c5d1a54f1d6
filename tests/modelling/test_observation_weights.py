"""Observation weights: fits and scores in which each observation counts with its weight."""

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from numpyro.infer.util import log_density
from scipy.special import gammaln
from scipy.stats import gamma, poisson

from tadpool.engine import lanes
from tadpool.engine.nuts import hold_out
from tadpool.errors import UserError
from tadpool.evaluation import elpd
from tadpool.files.data_file import merged
from tadpool.fitting import sampling
from tadpool.loading.preparation import prepare
from tadpool.modelling import binding, references

WEIGHTED = references.weighted("cookies_pooled", {"chips": "w"})
WEIGHTS = np.arange(150) % 4 / 2
SHAPE, RATE = 2.0, 0.2
# Two-sided normal tail beyond 4.4 is 1.1e-5: over the 152 comparisons below false alarms are below
# 2e-3.
Z = 4.4


def cookies(weights=WEIGHTS, dims=("cookie",)):
    return merged(prepare("cookies", {}, ["chips"], "s")).assign(w=(dims, weights, {"long_name": "weight"}))


@pytest.fixture(scope="module")
def fit():
    bound = binding.bind(WEIGHTED, cookies())
    address = {"seed": 1, "study": "s", "entry": "e", "role": "fit", "attempt": 0}
    options = {"outcomes": ["chips"], "unit": "cookie"}
    return bound, sampling.posterior(bound, address, 4, lanes.Sampler(500, 1000, 0.8, 10), **options).groups


def exact(chips):
    """Shape and rate of the conjugate posterior of the rate."""
    return SHAPE + (WEIGHTS * chips).sum(), RATE + WEIGHTS.sum()


def test_a_weighted_posterior_is_the_conjugate_one(fit):
    bound, groups = fit
    shape, rate = exact(bound.data["chips"])
    draws = groups["posterior"]["rate"].values
    for value, method in ((gamma.mean(shape, scale=1 / rate), "mean"), (gamma.std(shape, scale=1 / rate), "sd")):
        found = draws.mean() if method == "mean" else draws.std(ddof=1)
        assert abs(found - value) < Z * array_stats.mcse(draws, chain_axis=0, draw_axis=1, method=method)


def test_scores_are_weighted_and_those_of_psis_exact(fit):
    """A unit's exact score is the log of a ratio of gamma integrals; a weight of 0 leaves nothing
    to score."""
    bound, groups = fit
    chips, stored = bound.data["chips"], groups["log_likelihood"]["chips"]
    rate = groups["posterior"]["rate"].values[..., None]
    np.testing.assert_allclose(stored, WEIGHTS * poisson.logpmf(chips, rate), rtol=1e-5)
    joint = sampling.joint_log_likelihood(bound, groups["posterior"])
    np.testing.assert_allclose(joint, (WEIGHTS * poisson.logpmf(chips, rate)).sum(-1), rtol=1e-9)
    scores = elpd.psis(stored, elpd.relative_efficiency(groups["posterior"]))
    shape, rate = exact(chips)
    a, b = shape - WEIGHTS * chips, rate - WEIGHTS
    value = gammaln(shape) - gammaln(a) + a * np.log(b) - shape * np.log(rate) - WEIGHTS * gammaln(chips + 1)
    error = np.abs(scores["elpd"].values - value)
    assert (error <= Z * scores["mcse"].values + 1e-6).all()
    assert (scores["elpd"].values[WEIGHTS == 0] == 0).all()


def test_weights_leave_predictions_and_held_out_rows_alone(fit):
    bound, groups = fit
    assert "w" in bound.data
    assert "w" not in bound.inputs
    assert groups["posterior_predictive"]["chips"].sizes["cookie"] == 150
    held_out = np.arange(150) % 3 == 0
    model = hold_out(bound.function, {"chips": held_out})
    density, _ = log_density(model, (), {**bound.data, **bound.hyperparameters}, {"rate": 9.0})
    terms = (WEIGHTS * poisson.logpmf(bound.data["chips"], 9.0))[~held_out]
    assert float(density) == pytest.approx(gamma.logpdf(9.0, SHAPE, scale=1 / RATE) + terms.sum(), rel=1e-9)


def test_a_weight_of_each_group_counts_for_all_its_rows():
    """Weights broadcast along dims that they have not."""
    dataset = xr.Dataset({"y": (("row", "item"), np.ones((2, 3), int)), "w": ("row", [1.0, 3.0])})
    function = binding.observation_weights.add_weights("m", lambda **arguments: None, {"y": "w"}, dataset, ["y"])
    assert function.axes == {"y": (1,)}
    assert function.extra == ("w",)


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        (lambda: cookies().drop_vars("w"), "weights: there is no variable 'w'; known: chips, location_index"),
        (lambda: cookies(-WEIGHTS), "weights: w of cookie 2 is -0.5; give weights of at least 0"),
        (
            lambda: cookies(WEIGHTS / np.where(WEIGHTS == 0, np.nan, 1)),
            "weights: w of cookie 1 is nan; give weights of",
        ),
        (lambda: cookies(0 * WEIGHTS), "weights: w is 0 everywhere, so no observation counts; give positive weights"),
        (lambda: cookies(["a"] * 150), "weights: w is text; give a variable of numbers"),
        (
            lambda: cookies(np.ones(5), ("location",)),
            "weights: w has the dims ('location',), but chips has ('cookie',); give",
        ),
    ],
)
def test_weights_that_cannot_be_are_sentences(dataset, sentence):
    with pytest.raises(UserError) as caught:
        binding.bind(WEIGHTED, dataset())
    assert str(caught.value).startswith(f"models/cookies_pooled.py: {sentence}")
