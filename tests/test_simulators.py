"""Simulated data match the published values exactly, and models find the values that data were made with."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tadpool import binding, lanes, plugins, prediction, recovery, sampling, seeds, tables
from tadpool.data import merged, prepare
from tadpool.errors import UserError

OUTCOMES = {"masking": ["y0", "y1"], "mundlak": ["Y"], "manufacturing": ["production_speed"]}


def simulated(name, **arguments):
    return prepare(name, arguments, OUTCOMES[name], name, seed=1)


def test_masking_reproduces_the_published_draws():
    tree = simulated("masking")
    truth, observed = tree["truth"], tree["observed_data"]
    np.testing.assert_allclose(truth["Y0_beta"][0], [0.371232, 0.304784, 0.504125], atol=5e-7)
    np.testing.assert_allclose(truth["Y0_intercept"], [1.352996], atol=5e-7)
    expected = [[-2.474242, -1.462732, 1.257190], [2.196709, -0.646848, 0.477828]]
    np.testing.assert_allclose(truth["Y1_given_Y0_beta"], expected, atol=5e-7)
    np.testing.assert_allclose(truth["Y1_given_Y0_intercept"], [0.448704, 0.887091], atol=5e-7)
    assert int(observed["y0"].sum()) == 7737
    assert observed["y1"].sum("customer").values.tolist() == [4178, 5008]


def test_mundlak_reproduces_the_published_draws():
    tree = simulated("mundlak")
    assert int(tree["observed_data"]["Y"].sum()) == 49
    np.testing.assert_allclose(tree["constant_data"]["X"][:3], [1.43324178, 0.08183426, 1.29695252], atol=5e-9)


def test_manufacturing_follows_its_seed():
    one, again = simulated("manufacturing"), simulated("manufacturing")
    xr.testing.assert_identical(one["observed_data"].to_dataset(), again["observed_data"].to_dataset())
    settings = one["constant_data"]["settings"]
    assert np.isnan(settings.values[:250, 2]).all()
    assert np.isfinite(settings.values[250:]).all()


@pytest.mark.parametrize(
    ("study", "model", "arguments", "skip"),
    [
        ("masking", "masking_masked", {"customers": 2000}, ()),
        ("manufacturing", "manufacturing_masked", {}, ()),
        # tau is 0 in truth, on the edge of its prior; the traits' scales are those of the latent model.
        ("mundlak", "mundlak_latent", {"rows": 600}, ("tau",)),
    ],
)
def test_a_right_model_recovers_the_truth(study, model, arguments, skip):
    """Posterior z-scores of a right model are about standard normal: |z| < 4.5 for 24 values, false alarms below 2e-4."""
    tree = simulated(study, **arguments)
    dataset = merged(tree)
    bound = binding.bind(model, dataset)
    address = {"seed": 1, "study": study, "entry": model, "role": "fit", "attempt": 0}
    unit = {"masking": "customer", "manufacturing": "run", "mundlak": "row"}[study]
    sampler = lanes.Sampler(500, 500, 0.9, 10)
    fit = sampling.posterior(bound, address, 4, sampler, outcomes=OUTCOMES[study], unit=unit)
    table = recovery.table(fit.groups["posterior"], tree["truth"].to_dataset())
    table = table[~table["site"].isin(skip)]
    assert len(table) >= 7
    assert table["z"].abs().max() < 4.5, table.to_string()
    assert table["covered"].mean() > 0.5


def test_the_unmasked_model_is_biased_as_published():
    """Published: Y1 beta[0, 0] is -1.030 (.029) unmasked against -2.474 in truth."""
    tree = simulated("masking")
    dataset = merged(tree)
    bound = binding.bind("masking_simple", dataset)
    address = {"seed": 1, "study": "masking", "entry": "simple", "role": "fit", "attempt": 0}
    sampler = lanes.Sampler(500, 500, 0.8, 10)
    fit = sampling.posterior(bound, address, 4, sampler, outcomes=["y0", "y1"], unit="customer")
    beta = fit.groups["posterior"]["Y1_given_Y0_beta"].values[:, :, 0, 0]
    assert abs(beta.mean() + 1.030) < 4.4 * 0.029 * np.sqrt(1 / 1000 + 1 / 500) + 0.0005
    table = recovery.table(fit.groups["posterior"], tree["truth"].to_dataset()).set_index("parameter")
    assert table.loc["Y1_given_Y0_beta[0, 0]", "z"] > 30


def test_separate_fits_are_those_of_each_group_alone():
    """A member's lanes see its own rows; padding does not count. The draws differ in rounding: |z| < 4.4 for 6 means."""
    table = tables.read(plugins.tables("radon")["radon.csv"])
    some = table[table["county"].isin(["AITKIN", "ANOKA", "CASS"])].reset_index(drop=True)
    three = plugins.load("datasets", "radon").load({"radon.csv": some})
    whole = binding.bind("radon_pooled", three)
    bound, points = binding.separated(whole, "county", "house")
    address = {"seed": 1, "study": "radon", "entry": "individual", "role": "fit", "attempt": 0}
    sampler = lanes.Sampler(500, 1000, 0.9, 10)
    fit = sampling.posterior(bound, address, 4, sampler, outcomes=["log_radon"], unit="house", points=points)
    assert fit.groups["posterior"]["alpha"].dims == ("county", "chain", "draw")
    assert fit.groups["log_likelihood"]["log_radon"].shape == (4, 1000, three.sizes["house"])
    for number, county in enumerate(three.county.values):
        rows = three["county_index"].values == number
        alone = binding.bind("radon_pooled", three.isel(house=rows))
        own = sampling.posterior(alone, {**address, "entry": "alone"}, 4, sampler, outcomes=["log_radon"], unit="house")
        for site in ("alpha", "beta"):
            one, other = fit.groups["posterior"][site].sel(county=county).values, own.groups["posterior"][site].values
            ess = 400  # a lower bound of the effective draws of these easy posteriors
            error = np.sqrt((one.var() + other.var()) / ess)
            assert abs(one.mean() - other.mean()) < 4.4 * error
        scores = fit.groups["log_likelihood"]["log_radon"].values[:, :, rows]
        draws = fit.groups["posterior"].sel(county=county)
        y, floor = three["log_radon"].values[rows], three["floor"].values[rows]
        mean = draws["alpha"].values[..., None] + draws["beta"].values[..., None] * floor
        scale = draws["eps"].values[..., None]
        expected = -0.5 * ((y - mean) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)
        np.testing.assert_allclose(scores, expected, rtol=2e-5, atol=2e-5)


def test_an_outcome_that_does_not_count_is_not_scored_and_predicted_as_zero():
    tree = simulated("masking", customers=300)
    dataset = merged(tree)
    simple = replace(binding.bind("masking_simple", dataset), only_where={"y1": "y0"})
    masked = binding.bind("masking_masked", dataset)
    sites = {name: np.zeros(simple.sizes[name]) for name in simple.latents}
    shapes = {"Y0_beta": (1, 3), "Y0_intercept": (1,), "Y1_given_Y0_beta": (2, 3), "Y1_given_Y0_intercept": (2,)}
    sites = {name: np.full(shape, 0.3) for name, shape in shapes.items()}
    scores = [
        sampling.unit_log_likelihood(bound, ["y0", "y1"], "customer", sites, {**bound.data, **bound.hyperparameters})
        for bound in (simple, masked)
    ]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-6)
    prior = sampling.prior(simple, seeds.key(1, "masking", "simple", "prior"))["prior_predictive"]
    absent = prior["y0"].values == 0
    assert absent.any()
    assert (prior["y1"].values[absent] == 0).all()


@pytest.fixture(scope="module")
def manufacturing():
    """The masked model bound to its data, and its posterior."""
    tree = simulated("manufacturing")
    bound = binding.bind("manufacturing_masked", merged(tree))
    address = {"seed": 1, "study": "manufacturing", "entry": "masked", "role": "fit", "attempt": 0}
    sampler = lanes.Sampler(500, 500, 0.8, 10)
    fit = sampling.posterior(bound, address, 4, sampler, outcomes=["production_speed"], unit="run")
    return bound, fit.groups["posterior"]


def test_stated_rows_of_existing_groups_are_predicted(manufacturing):
    """Expected 13.5, 10, 21 and 13 up to the posterior sd of the mean, about 0.1: |z| < 4.4 with it."""
    bound, posterior = manufacturing
    rows = [
        {"group": 1, "settings": [3, 2, 0]},
        {"group": 2, "settings": [3, 2, 2]},
        {"group": 1, "settings": [6, 2, 2]},
        {"group": 2, "settings": [6, 2, 2]},
    ]
    tree = prediction.predict_rows(bound, posterior, None, "", "run", rows, np.array([1, 2], np.uint32))
    speed = tree["predictions"]["production_speed"].values.reshape(-1, 4)
    noise = 0.5 * np.sqrt(1 / len(speed))
    assert np.all(np.abs(speed.mean(axis=0) - [13.5, 10.0, 21.0, 13.0]) < 4.4 * (0.1 + noise))
    assert np.all(np.abs(speed.std(axis=0) - 0.51) < 0.06)
    assert tree["predictions_constant_data"]["settings"].values.tolist()[0] == [3.0, 2.0, 0.0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"group": 3, "settings": [1, 1, 1]}, "row 1: group 3 is not in the data"),
        ({"group": 1}, "row 1 does not say settings"),
        ({"settings": [1, 1, 1]}, "row 1 does not say group"),
    ],
)
def test_a_row_that_cannot_be_predicted_is_named(manufacturing, row, words):
    bound, posterior = manufacturing
    with pytest.raises(UserError, match=words):
        prediction.predict_rows(bound, posterior, None, "", "run", [row], np.array([1, 2], np.uint32))
