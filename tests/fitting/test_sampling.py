"""Posteriors against exact values, and what binding a model to data refuses."""

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats

from tadpool.engine import lanes
from tadpool.files import plugins
from tadpool.fitting import prediction, sampling
from tadpool.loading import columns
from tadpool.modelling import batched_fits, binding
from tadpool.verification import exact_comparisons

# Two-sided normal tail beyond 4.4 is 1.1e-5: over the about 780 comparisons of this module false
# alarms are below 1e-2.
Z = 4.4


def dataset(name):
    found = {file: columns.read(path) for file, path in plugins.tables(name).items()}
    return plugins.load("datasets", name).load(found)


def fit(study, model, sampler, **hyperparameters):
    bound = binding.bind(model, dataset(study), hyperparameters)
    address = {"seed": 1, "study": study, "entry": model, "role": "fit", "attempt": 0}
    outcome, unit = {
        "reedfrogs": ("survived", "tank"),
        "cookies": ("chips", "cookie"),
        "radon": ("log_radon", "house"),
    }[study]
    return sampling.posterior(bound, address, 4, sampler, outcomes=[outcome], unit=unit)


@pytest.mark.parametrize(("study", "model", "table", "skip"), exact_comparisons.EXACT)
def test_posterior_means_and_sds_are_exact_within_monte_carlo_error(reference, study, model, table, skip):
    sampler = exact_comparisons.SAMPLER if study == "reedfrogs" else exact_comparisons.LONGER
    exact = {name: tuple(row) for name, row in reference(table).iterrows()}
    found = exact_comparisons.moments(table, fit(study, model, sampler).groups["posterior"], exact, skip)
    assert [value.sentence for value in found if not value.holds] == []
    assert len(found) == 2 * sum(name.partition("[")[0] not in skip for name in exact)


def test_a_sweep_point_is_the_same_lanes_alone_or_among_others():
    bound = binding.bind("frogs_fixed_sigma", dataset("reedfrogs"))
    address = {"seed": 1, "study": "reedfrogs", "entry": "sweeps/sigma", "role": "fit", "attempt": 0}
    options = {"outcomes": ["survived"], "unit": "tank"}
    small = lanes.Sampler(100, 100, 0.8, 10)
    whole = sampling.posterior(
        bound, address, 4, small, points=batched_fits.sweep_points(bound, "sigma", [0.5, 1.0, 2.0])[1], **options
    )
    alone = sampling.posterior(
        bound, address, 4, small, points=batched_fits.sweep_points(bound, "sigma", [2.0])[1], **options
    )
    for group in ("posterior", "sample_stats", "log_likelihood"):
        xr.testing.assert_identical(whole.groups[group].sel(sigma=[2.0]), alone.groups[group])


def test_log_likelihood_and_log_prior_are_those_of_the_distributions():
    from scipy import stats

    result = fit("reedfrogs", "frogs_multilevel", lanes.Sampler(50, 20, 0.8, 10))
    data, draws = dataset("reedfrogs"), result.groups["posterior"]
    expected = stats.binom.logpmf(data.survived.values, data.density.values, draws.p_survived.values)
    np.testing.assert_allclose(result.groups["log_likelihood"]["survived"], expected, rtol=2e-6, atol=2e-6)
    prior = result.groups["log_prior"]
    np.testing.assert_allclose(prior["sigma"], stats.expon.logpdf(draws.sigma), rtol=2e-6)
    np.testing.assert_allclose(prior["alpha_bar"], stats.norm.logpdf(draws.alpha_bar, 0, 1.5), rtol=2e-6)
    loc, scale = draws.alpha_bar.values[..., None], draws.sigma.values[..., None]
    np.testing.assert_allclose(prior["alpha"], stats.norm.logpdf(draws.alpha, loc, scale), rtol=2e-6, atol=2e-6)


def test_a_large_log_likelihood_is_left_out_and_recomputed_in_blocks(monkeypatch):
    sampler = lanes.Sampler(50, 20, 0.8, 10)
    stored = fit("cookies", "cookies_unpooled", sampler).groups
    monkeypatch.setattr(sampling, "LOG_LIKELIHOOD_BYTES", 1.0)
    left_out = fit("cookies", "cookies_unpooled", sampler).groups
    assert "log_likelihood" not in left_out
    xr.testing.assert_identical(left_out["posterior"], stored["posterior"])
    bound = binding.bind("cookies_unpooled", dataset("cookies"))
    blocks = list(
        sampling.log_likelihood_blocks(bound, left_out["posterior"], ["chips"], "cookie", block_bytes=4 * 20 * 4 * 40)
    )
    assert [block.sizes["cookie"] for block in blocks] == [40, 40, 40, 30]
    joined = xr.concat(blocks, dim="cookie")
    np.testing.assert_array_equal(joined, stored["log_likelihood"]["chips"])


def test_outcomes_of_many_rows_are_predicted_with_fewer_draws(monkeypatch):
    """Of 1,000 draws of 48 tanks, 8 bytes each, every third in a third of the bytes; the prior's
    own are the same draws."""
    bound = binding.bind("frogs_multilevel", dataset("reedfrogs"))
    whole = sampling.prior(bound, np.array([1, 2], np.uint32))
    kept = sampling.within_bytes(sampling.thinned(400, 4), 4, bound)
    assert len(kept) == 250
    monkeypatch.setattr(sampling, "PREDICTIVE_BYTES", 1000 * 48 * 8 / 3 + 1)
    assert sampling.within_bytes(kept, 4, bound).tolist() == kept[::3].tolist()
    some = sampling.prior(bound, np.array([1, 2], np.uint32))
    xr.testing.assert_identical(some["prior"].to_dataset(), whole["prior"].to_dataset())
    fewer = whole["prior_predictive"].to_dataset().isel(draw=slice(None, None, 3))
    xr.testing.assert_identical(some["prior_predictive"].to_dataset(), fewer)


def test_prior_draws_have_the_prior_moments():
    """1000 independent draws; the sd of sigma^2-like moments is taken from the draws: |z| < 4.4 for
    four moments."""
    bound = binding.bind("frogs_multilevel", dataset("reedfrogs"))
    prior = sampling.prior(bound, np.array([1, 2], np.uint32))
    sigma, alpha_bar = prior["prior"]["sigma"].values[0], prior["prior"]["alpha_bar"].values[0]
    for values, mean in ((sigma, 1.0), (sigma**2, 2.0), (alpha_bar, 0.0), (alpha_bar**2, 2.25)):
        assert abs(values.mean() - mean) < Z * values.std(ddof=1) / np.sqrt(len(values))
    survived = prior["prior_predictive"]["survived"]
    assert survived.dims == ("chain", "draw", "tank")
    assert survived.dtype == np.int8
    assert (survived.values <= dataset("reedfrogs").density.values).all()


def test_a_new_location_is_drawn_from_the_population():
    """Exact mean of chips at a new location: E[mu]; |z| < 4.4 with the error of both parts."""
    posterior = fit("cookies", "cookies_hierarchical", lanes.Sampler(1000, 1000, 0.9, 10)).groups["posterior"]
    bound = binding.bind("cookies_hierarchical", dataset("cookies"))
    key = np.array([3, 4], np.uint32)
    tree = prediction.predict_rows(bound, posterior, "location", "new location", "cookie", [{}], key)
    chips = tree["predictions"]["chips"].values[:, :, 0].astype(float)
    assert tree["predictions"]["lam"].sizes["location"] == 1
    mcse = array_stats.mcse(chips, chain_axis=0, draw_axis=1)
    assert abs(chips.mean() - 9.1034767) < Z * mcse
    assert abs(chips.std() - 3.86) < Z * array_stats.mcse(chips, chain_axis=0, draw_axis=1, method="sd")


def test_an_invalid_start_names_its_site():
    bound = binding.bind("frogs_fixed_sigma", dataset("reedfrogs"), {"sigma": -1.0})
    address = {"seed": 1, "study": "s", "entry": "e", "role": "fit", "attempt": 0}
    sampler = lanes.Sampler(10, 10, 0.8, 10)
    result = sampling.posterior(bound, address, 2, sampler, outcomes=["survived"], unit="tank")
    assert result.status == "failed"
    assert "2 of 2 chains found no valid starting point" in result.reason
    assert "alpha" in result.reason
    assert np.isnan(result.groups["posterior"]["alpha"]).all()
