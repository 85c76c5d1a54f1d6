"""Simulated data match the published values exactly, and models find the values that data were made with."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats

from tadpool import seeds
from tadpool.calibration import recovery_table
from tadpool.engine import lanes
from tadpool.errors import UserError
from tadpool.files import plugins
from tadpool.files.data_file import merged
from tadpool.fitting import prediction, sampling
from tadpool.loading import columns
from tadpool.loading.preparation import prepare
from tadpool.modelling import batched_fits, binding, densities

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


# Two-sided normal tail beyond 4.4 is 1.1e-5: over the about 100 comparisons below false alarms are near 1e-3.
Z = 4.4
UNITS = {"masking": "customer", "mundlak": "row", "manufacturing": "run"}


def posterior(study, model, warmup, draws, target_accept=0.8):
    """The model bound to the study's data, and 4 chains of its posterior, labelled."""
    bound = binding.bind(model, merged(simulated(study)))
    keys = np.repeat([seeds.key(1, study, model, "fit")], 4, axis=0)
    hyperparameters = {name: np.full(4, value) for name, value in bound.hyperparameters.items()}
    sampler = lanes.Sampler(warmup, draws, target_accept, 10)
    result = lanes.run(bound.function, lanes.Lanes(keys, np.arange(4), hyperparameters), bound.data, sampler)
    assert (result.status == lanes.Status.OK).all()
    return bound, binding.labelled(bound, result.values)


@pytest.fixture(scope="module")
def masking():
    """Posteriors of both models of the published data set."""
    return {name: posterior("masking", f"masking_{name}", 300, 500)[1] for name in ("simple", "masked")}


@pytest.fixture(scope="module")
def manufacturing():
    """The masked model bound to its data, and its posterior."""
    return posterior("manufacturing", "manufacturing_masked", 500, 500)


@pytest.fixture(scope="module")
def mundlak():
    """Posteriors of the five models of the seeded data set."""
    accept = {"naive": 0.8, "fixed_effects": 0.8, "multilevel": 0.95, "mundlak": 0.95, "latent": 0.95}
    return {name: posterior("mundlak", f"mundlak_{name}", 500, 500, value)[1] for name, value in accept.items()}


def error(draws, method="mean", **options):
    """Monte Carlo standard error of draws (4, draws)."""
    return array_stats.mcse(draws, chain_axis=0, draw_axis=1, method=method, **options)


def z_scores(study, draws, skip=()):
    table = recovery_table.table(draws, simulated(study)["truth"].to_dataset()).set_index("parameter")
    return table[~table["site"].isin(skip)]


@pytest.mark.parametrize(
    ("study", "entry", "skip"),
    [
        ("masking", "masked", ()),
        ("manufacturing", 1, ()),
        # tau is 0 in truth, on the edge of its prior; the traits' scales are those of the latent model.
        ("mundlak", "latent", ("tau",)),
    ],
)
def test_a_right_model_recovers_the_truth(request, study, entry, skip):
    """Posterior z-scores of a right model are about standard normal: |z| < 4.5 for 26 values, false alarms below 2e-4."""
    table = z_scores(study, request.getfixturevalue(study)[entry], skip)
    assert len(table) >= 7
    assert table["z"].abs().max() < 4.5, table.to_string()
    assert table["covered"].mean() > 0.5


def test_the_unmasked_model_is_sure_of_wrong_values(masking):
    assert z_scores("masking", masking["simple"]).loc["Y1_given_Y0_beta[0, 0]", "z"] > 30


# Mean and sd of each element, as published: one chain of 500 draws, rounded.
VISIT = [(0.355, 0.025), (0.290, 0.026), (0.476, 0.027), (1.345, 0.026)]
PUBLISHED = {
    "simple": [
        *VISIT,
        *[(-1.030, 0.029), (-0.526, 0.026), (0.879, 0.027), (1.466, 0.033), (-0.205, 0.026), (0.512, 0.025)],
        *[(-0.461, 0.025), (0.016, 0.024)],
    ],
    "masked": [
        *VISIT,
        *[(-2.559, 0.061), (-1.450, 0.047), (1.283, 0.043), (2.290, 0.054), (-0.650, 0.037), (0.456, 0.036)],
        *[(0.517, 0.039), (0.953, 0.035)],
    ],
}


@pytest.mark.parametrize("entry", PUBLISHED)
def test_masking_has_the_published_posterior(masking, entry):
    """|z| < 4.4 with the errors of both sides for 12 means and 12 sds; the published chain's 500 draws as independent.

    The error of an sd from 500 normal draws is sd / sqrt(1000). Half of the last digit published is allowed for rounding.
    """
    draws = masking[entry]
    sites = ("Y0_beta", "Y0_intercept", "Y1_given_Y0_beta", "Y1_given_Y0_intercept")
    elements = np.concatenate([draws[site].values.reshape(4, 500, -1) for site in sites], axis=2)
    assert elements.shape[2] == len(PUBLISHED[entry])
    for own, (mean, sd) in zip(np.moveaxis(elements, 2, 0), PUBLISHED[entry], strict=True):
        assert abs(own.mean() - mean) < Z * np.hypot(error(own), sd / np.sqrt(500)) + 0.0005
        assert abs(own.std(ddof=1) - sd) < Z * np.hypot(error(own, "sd"), sd / np.sqrt(1000)) + 0.0005


def test_manufacturing_agrees_with_the_published_numbers_of_another_draw_of_the_data(manufacturing):
    """Two data sets of one truth: their posterior means differ by about sqrt(2) posterior sds, as the prior is weak.

    |z| < 4.4 for 8 values, and half of the last digit published for rounding.
    """
    draws = manufacturing[1]
    w = draws["w"].values
    ours = [*np.moveaxis(draws["alpha"].values, 2, 0), draws["scale"].values]
    ours += [w[:, :, parameter, group] for parameter, group in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 1))]
    published = [-0.03, 0.05, 0.52, 2.51, 1.00, 2.98, 0.49, 3.05]
    for own, mean in zip(ours, published, strict=True):
        assert abs(own.mean() - mean) < Z * np.sqrt(2) * own.std(ddof=1) + 0.005


@pytest.mark.parametrize(
    ("entry", "covers"),
    [("naive", False), ("fixed_effects", True), ("multilevel", False), ("mundlak", True), ("latent", True)],
)
def test_models_of_the_confound_cover_the_effect_of_x_and_others_do_not(mundlak, entry, covers):
    """A fact of this data set: whether the 89 % interval of beta_XY holds the true 1.

    The ends of the interval are more than 4.4 of their Monte Carlo standard errors away from 1 (measured: 10 or more).
    """
    draws = mundlak[entry]["beta_XY"].values
    low, high = np.quantile(draws, [0.055, 0.945])
    from_low = (1.0 - low) / error(draws, "quantile", prob=0.055)
    from_high = (high - 1.0) / error(draws, "quantile", prob=0.945)
    assert (min(from_low, from_high) > Z) if covers else (from_low < -Z), (low, high, from_low, from_high)


def test_separate_fits_are_those_of_each_group_alone():
    """A member's lanes see its own rows; padding does not count. The draws differ in rounding: |z| < 4.4 for 6 means."""
    table = columns.read(plugins.tables("radon")["radon.csv"])
    some = table[table["county"].isin(["AITKIN", "ANOKA", "CASS"])].reset_index(drop=True)
    three = plugins.load("datasets", "radon").load({"radon.csv": some})
    whole = binding.bind("radon_pooled", three)
    bound, points = batched_fits.group_points(whole, "county", "house")
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
    simple = replace(binding.bind("masking_simple", dataset), observed_where={"y1": "y0"})
    masked = binding.bind("masking_masked", dataset)
    sites = {name: np.zeros(simple.sizes[name]) for name in simple.latents}
    shapes = {"Y0_beta": (1, 3), "Y0_intercept": (1,), "Y1_given_Y0_beta": (2, 3), "Y1_given_Y0_intercept": (2,)}
    sites = {name: np.full(shape, 0.3) for name, shape in shapes.items()}
    scores = [
        densities.unit_log_likelihood(bound, ["y0", "y1"], "customer", sites, {**bound.data, **bound.hyperparameters})
        for bound in (simple, masked)
    ]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-6)
    prior = sampling.prior(simple, seeds.key(1, "masking", "simple", "prior"))["prior_predictive"]
    absent = prior["y0"].values == 0
    assert absent.any()
    assert (prior["y1"].values[absent] == 0).all()


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
