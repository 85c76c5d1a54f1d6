"""Calibration finds errors that are planted, leaves correct models alone, and does not depend on
who computed what.

All seeds are fixed. Rates are those over seeds: a correct model fails `p > ALARM` with probability
ALARM, and power is that of `p < ALARM` by simulation with exact posteriors.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands
from scipy import stats

from tadpool import ROOT
from tadpool.calibration import bulk_diagnostics, sbc, sbc_verdict, uniformity
from tadpool.convergence.sentences import sentence
from tadpool.engine import lanes
from tadpool.files import contracts, data_file, io
from tadpool.loading import preparation
from tadpool.modelling.binding import bind
from tadpool.verification import planted_calibrations
from tadpool.workflow import child_process, failed_results

ALARM = 1e-3
ADDRESS = {"seed": 1, "study": "s", "entry": "e"}


@pytest.fixture(scope="module")
def correct():
    return planted_calibrations.calibrate(planted_calibrations.CORRECT)


def test_uniform_ranks_have_uniform_p_values():
    """4,000 p-values: each share has a standard error; six of them, false alarms below 1e-4."""
    p = uniformity.p_values(np.random.default_rng(1).integers(0, 101, (50, 4000)), 100)
    for level in (0.01, 0.05, 0.2):
        assert abs((p <= level).mean() - level) < 4.4 * np.sqrt(level / 4000) + 0.1 * level


def test_the_band_is_that_of_arviz_and_is_left_where_the_p_value_says_so():
    lower, upper = uniformity.band(100, 40)
    at = np.arange(1, 41) / 41
    simulated = simulate_confidence_bands(100, 1, at, 0.95, 2000, np.random.default_rng(2))
    for exact, other in zip((lower, upper), get_pointwise_confidence_band(simulated, 100, at), strict=True):
        assert np.abs(exact - other).max() < 0.011  # one count: its level has a Monte Carlo error
    values = np.random.default_rng(3).integers(0, 41, (100, 500))
    ecdf = uniformity.ecdf(values, 40)
    outside = ((ecdf < lower[:, None] - 1e-12) | (ecdf > upper[:, None] + 1e-12)).any(axis=0)
    assert np.array_equal(outside, uniformity.p_values(values, 40) < 0.05)
    assert 0 < outside.sum() < 60


@pytest.mark.parametrize(("sd", "bias"), [(0.8, 0.0), (1.25, 0.0), (1.0, 0.2)])
def test_errors_of_a_fifth_are_found_as_often_as_is_known(sd, bias):
    """Power at 500 simulations is 0.97 or more, so over 200 repetitions below 0.9 never happens by
    chance (1e-5)."""
    u = stats.norm.cdf(np.random.default_rng(4).normal(bias, sd, (500, 200)))
    assert (uniformity.p_values(np.floor(u * 41).astype(int), 40) < 0.05).mean() > 0.9


def test_impossible_ranks_have_no_probability():
    values = np.random.default_rng(5).integers(0, 11, (30, 2))
    values[0, 0] = 11
    p = uniformity.p_values(values, 10)
    assert p[0] == 0
    assert p[1] > ALARM


def test_diagnostics_are_those_of_arviz():
    rng = np.random.default_rng(6)
    draws = np.stack(
        [rng.standard_t(2, (4, 300)), rng.normal(size=(4, 300)).cumsum(axis=1) * 0.1 + rng.normal(size=(4, 300))]
    )
    found = bulk_diagnostics.joint(draws)
    options = {"chain_axis": -2, "draw_axis": -1}
    assert found["rhat"] == pytest.approx(array_stats.rhat(draws, **options), rel=1e-3)
    assert found["ess_bulk"] == pytest.approx(array_stats.ess(draws, method="bulk", **options), rel=0.1)


def test_a_correct_model_is_calibrated(correct):
    assert set(correct["outcome"].values) <= {sbc_verdict.OK, sbc_verdict.FLAGGED}
    assert min(planted_calibrations.p_values(correct).values()) > ALARM
    assert [*correct["quantity"].values] == ["lam[0]", "lam[1]", "lam[2]", "lam[3]", "log likelihood"]


def test_means_are_those_of_the_exact_posterior(correct):
    """400 means against Gamma(2 + chips, 2), in Monte Carlo errors: one beyond 5.5 in 6e4 runs of
    this test."""
    chips = sbc.simulate(planted_calibrations.model(), planted_calibrations.ADDRESS | {"seed": 1}, range(100)).outcomes[
        "chips"
    ]
    mean, ess = (correct[name].values[:, :4] for name in ("mean", "ess"))
    z = (mean - (2 + chips) / 2) / (np.sqrt(2 + chips) / 2 / np.sqrt(ess))
    assert np.abs(z).max() < 5.5


@pytest.mark.parametrize("name", planted_calibrations.ERRORS)
def test_a_planted_error_is_found(name):
    """Power is above 0.99 for each."""
    p = planted_calibrations.p_values(planted_calibrations.calibrate(planted_calibrations.ERRORS[name]))
    assert min(p.values()) < ALARM
    if name == "likelihood":
        assert min(value for quantity, value in p.items() if quantity != sbc_verdict.LOG_LIKELIHOOD) > ALARM


def test_a_wrong_posterior_is_not_called_right():
    assert sbc_verdict.verdict(*summarized(planted_calibrations.off_by_one(like_uniform())))[0] == "fail"
    assert sbc_verdict.verdict(*summarized(like_uniform()))[0] == "pass"


def like_uniform():
    """Made-up simulations whose ranks are as even as can be: nothing random."""
    u = np.stack([np.roll((np.arange(60) + 0.5) / 60, shift) for shift in (0, 20, 40)], axis=1)
    both = ("simulation", "quantity")
    arrays = {"rank": np.floor(u * 101).astype(int), "below": u, "ess": np.full(u.shape, 200.0)}
    arrays |= {"truth": stats.norm.ppf(u), "mean": np.zeros(u.shape), "sd": np.ones(u.shape)}
    variables = {name: (both, value) for name, value in arrays.items()}
    variables |= {"outcome": ("simulation", np.full(60, sbc_verdict.OK)), "reason": ("simulation", np.full(60, ""))}
    coords = {"simulation": range(60), "quantity": ["a", "b", "c"], "site": ("quantity", ["a", "b", "c"])}
    return xr.Dataset(variables, coords, {"largest_rank": 100})


def summarized(simulations):
    return simulations, sbc_verdict.summary(simulations)


def test_flagged_and_failed_fits_are_counted_and_flagged_ones_ranked():
    simulations = like_uniform()
    outcome = simulations["outcome"].values.astype("U10")
    outcome[:5], outcome[5:7], outcome[7] = sbc_verdict.FLAGGED, sbc_verdict.FAILED, sbc_verdict.IMPOSSIBLE
    simulations = simulations.assign(outcome=("simulation", outcome))
    verdict, reasons = sbc_verdict.verdict(*summarized(simulations))
    assert verdict == "warn"
    assert [(reason.values["outcome"], reason.values["count"]) for reason in reasons] == [
        (sbc_verdict.FAILED, 2),
        (sbc_verdict.FLAGGED, 5),
        (sbc_verdict.IMPOSSIBLE, 1),
    ]
    first, *_ = (sentence(asdict(reason)) for reason in reasons)
    assert first == "The fits to 2 of 60 simulated data sets failed and have no ranks."
    left_out = simulations.isel(simulation=slice(0, 5)).assign(rank=simulations["rank"][:5] * 0)
    changed = xr.concat([left_out, simulations.isel(simulation=slice(5, None))], dim="simulation")
    assert not np.allclose(sbc_verdict.summary(changed)["p_value"], sbc_verdict.summary(simulations)["p_value"])


def test_simulated_data_that_cannot_be_are_counted_and_not_fitted():
    """Counts beyond 2^53 overflow: these data sets are reported with a reason, and the others are
    fitted."""
    wide = planted_calibrations.model(lam_shape=0.5, lam_rate=1e-16)
    possible = sbc.simulate(wide, ADDRESS, range(6)).possible
    assert 0 < possible.sum() < 6
    found = sbc.calibrate(wide, ADDRESS, 2, lanes.Sampler(100, 50, 0.8, 10), 6)
    assert np.array_equal(found["outcome"] != sbc_verdict.IMPOSSIBLE, possible)
    assert np.array_equal((found["rank"] >= 0).all("quantity"), possible)
    assert np.array_equal(found["reason"] != "", ~np.isin(found["outcome"], [sbc_verdict.OK]))


def test_no_fit_is_run_where_no_data_set_can_be():
    found = sbc.calibrate(planted_calibrations.model(lam_rate=1e-300), ADDRESS, 2, planted_calibrations.SAMPLER, 3)
    assert (found["outcome"] == sbc_verdict.IMPOSSIBLE).all()
    assert sbc_verdict.verdict(found, sbc_verdict.summary(found))[0] == "fail"


def test_what_counts_follows_the_simulated_outcomes():
    """y1 is 0 where the simulated y0 is, and adds nothing to the joint log likelihood there."""
    tree = preparation.prepare("masking", {"customers": 40}, ["y0", "y1"], "masking", 1)
    bound = replace(bind("masking_simple", data_file.merged(tree)), observed_where={"y1": "y0"})
    simulated = sbc.simulate(bound, ADDRESS, range(3))
    y0, y1 = simulated.outcomes["y0"], simulated.outcomes["y1"]
    assert not np.array_equal(y0[0], bound.data["y0"])
    assert (y1[y0 == 0] == 0).all()
    x, sites = bound.data["x"], {name: value[0] for name, value in simulated.sites.items()}
    logits = (
        x @ sites["Y0_beta"][0] + sites["Y0_intercept"][0],
        x @ sites["Y1_given_Y0_beta"].T + sites["Y1_given_Y0_intercept"],
    )
    scores = [stats.bernoulli.logpmf(y[0], 1 / (1 + np.exp(-z))) for y, z in zip((y0, y1), logits, strict=True)]
    expected = scores[0].sum() + scores[1][y0[0] == 1].sum()
    assert simulated.log_likelihood[0] == pytest.approx(expected)


def test_parameters_are_ranked_in_the_form_that_the_model_states():
    tree = preparation.prepare("reedfrogs", {}, ["survived"], "reedfrogs")
    bound = bind("frogs_multilevel", data_file.merged(tree), {"centred": False})
    assert set(sbc.parameters(bound)) == {"alpha_bar", "sigma", "alpha"}
    names, sites = sbc.elements(bound, ["sigma", "alpha"])
    assert names[:2] == ["sigma", "alpha[1]"]
    assert sites == ["sigma"] + ["alpha"] * 48


SAMPLER = {"chains": 2, "warmup": 100, "draws": 100, "target_accept": 0.8, "max_tree_depth": 10, "precision": "float64"}
SPEC = {**ADDRESS, "model": "cookies_unpooled", "hyperparameters": {}, "observed_where": {}, "sampler": SAMPLER}
CALIBRATE = str(ROOT / "scripts" / "calibrate.py")


@pytest.fixture(scope="module")
def calibration(tmp_path_factory):
    """calibration(count, ...): the bytes of one calibration of six simulations, shared by so many
    jobs."""
    folder = tmp_path_factory.mktemp("shares")
    tree = preparation.prepare("cookies", {}, ["chips"], "cookies")
    tree.attrs["provenance"] = "{}"
    io.write(folder / "data.nc", tree, contracts.DATA)
    spec, resources = {**SPEC, "simulations": 6}, {}
    job = {"provenance": "{}", "threads": 2, "data": str(folder / "data.nc")}

    def made(count, absent=()):
        place = folder / f"{count}-{len(absent)}"
        output = place / "calibration.nc"
        shares = [str(place / f"calibration.share-{number + 1}of{count}.npz") for number in range(count)]
        for number, share in enumerate(shares if count > 1 else ()):
            child_process.sampled_share(CALIBRATE, {**job, "output": share}, spec, (number, count), resources)
            if number in absent:
                Path(share).unlink()
        crashes = json.dumps({"record": str(place / "crashes.json"), "earlier": []})
        child_process.guarded(CALIBRATE, {**job, "output": str(output)}, spec, crashes, resources, shares)
        return output.read_bytes(), shares

    return made


@pytest.fixture(scope="module")
def whole(calibration):
    return calibration(1)[0]


@pytest.mark.parametrize("count", [2, 3])
def test_bytes_do_not_depend_on_the_number_of_jobs(calibration, whole, count):
    found, shares = calibration(count)
    assert found == whole
    numbers = []
    for share in shares:
        with np.load(share) as arrays:
            numbers += [arrays[name] for name in arrays.files if name.endswith("/lanes")]
    assert np.concatenate(numbers).tolist() == list(range(6)), "each job ran its own simulations alone"


def test_the_simulations_of_a_share_that_is_missing_are_made_with_the_result(calibration, whole):
    assert calibration(2, absent=(1,))[0] == whole


def test_a_calibration_that_crashed_is_a_failure_that_says_why(tmp_path):
    failed_results.write_crashed(str(tmp_path / "c.nc"), "{}", "out of memory")
    tree = io.read(tmp_path / "c.nc", contracts.CALIBRATION)
    assert tree.attrs["verdict"] == "fail"
    (why,) = json.loads(tree.attrs["reasons"])
    assert sentence(why) == "The job crashed: out of memory."
