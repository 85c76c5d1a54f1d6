"""Root mean square errors against their exact values, within four Monte Carlo errors (false alarms:
1 in 16,000)."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from tadpool.evaluation import loo_predictive, rmse

CHAINS, DRAWS, ROWS, SD = 4, 500, 30, 0.7


@pytest.fixture(scope="module")
def known():
    """Normal outcomes with a flat prior on their mean: its posterior, with and without a row, is
    known exactly."""
    rng = np.random.default_rng(3)
    outcomes = rng.normal(2.0, SD, ROWS)
    means = rng.normal(outcomes.mean(), SD / np.sqrt(ROWS), (CHAINS, DRAWS, 1)) + np.zeros(ROWS)
    return outcomes, means, means + rng.normal(0.0, SD, means.shape)


def test_in_sample_error(known):
    outcomes, means, predicted = known
    exact = np.sqrt(np.mean((outcomes - outcomes.mean()) ** 2))
    for draws in (means, predicted):
        found = rmse.root_mean_square_error(outcomes, draws)
        assert abs(found.rmse - exact) < 4 * found.mcse + 1e-4
        assert found.values == ROWS


def test_the_variance_of_the_mean_of_few_draws_is_taken_away():
    rng = np.random.default_rng(4)
    outcomes = rng.normal(0.0, 1.0, 2000)
    found = rmse.root_mean_square_error(outcomes, rng.normal(0.0, 3.0, (2, 10, 2000)))
    assert abs(found.rmse - outcomes.std()) < 4 * found.mcse + 0.02


def test_leave_one_out_error(known):
    outcomes, means, predicted = known
    scores = xr.DataArray(norm.logpdf(outcomes, means, SD), dims=("chain", "draw", "row")).assign_coords(
        draw=range(DRAWS), row=range(ROWS)
    )
    drawn, weights = loo_predictive.leave_one_out(scores.rename("y"), scores, xr.DataTree(), "row")
    np.testing.assert_allclose(np.exp(weights).sum(axis=(1, 2)), 1.0)
    np.testing.assert_array_equal(drawn, np.moveaxis(scores.values, 2, 0))
    weights = np.moveaxis(weights, 0, 2)
    exact = np.sqrt(np.mean(((outcomes - outcomes.mean()) * ROWS / (ROWS - 1)) ** 2))
    for draws in (means, predicted):
        found = rmse.root_mean_square_error(outcomes, draws, weights)
        assert abs(found.rmse - exact) < 4 * found.mcse + 1e-3


def test_monte_carlo_error_is_the_spread_over_repetitions(known):
    outcomes, means, _ = known
    rng = np.random.default_rng(5)
    found = [rmse.root_mean_square_error(outcomes, means + rng.normal(0.0, SD, means.shape)) for _ in range(200)]
    spread = np.std([each.rmse for each in found])
    assert 0.7 < np.mean([each.mcse for each in found]) / spread < 1.6


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(-30, 30))
def test_errors_have_the_unit_of_the_outcome(power):
    rng, factor = np.random.default_rng(1), 10.0**power
    draws = np.cumsum(rng.normal(size=(4, 100, 3)), axis=1) / 10
    one, other = (rmse.root_mean_square_error(by * np.ones(3), by * draws) for by in (1.0, factor))
    assert (other.rmse / factor, other.mcse / factor) == pytest.approx((one.rmse, one.mcse))


def test_leave_one_out_r2_is_the_share_of_the_variance_that_is_predicted(known):
    """With an intercept alone, means without the row predict worse than the mean of all rows, and
    R² is 1 - (n / (n - 1))^2. With 1,000 rows the interval agrees with large-sample theory."""
    outcomes, _, predicted = known
    without = np.broadcast_to((outcomes.sum() - outcomes) / (ROWS - 1), predicted.shape)
    equal = np.full(predicted.shape, -np.log(CHAINS * DRAWS))
    middle, low, high = rmse.leave_one_out_r2(outcomes, without, equal)
    assert low < 1 - (ROWS / (ROWS - 1)) ** 2 < high < 0
    assert middle == pytest.approx(1 - (ROWS / (ROWS - 1)) ** 2, abs=0.02)
    rng = np.random.default_rng(6)
    signal, noise = rng.normal(0, 2.0, 1000), rng.normal(0, 1.0, 1000)
    draws = np.broadcast_to(signal, (1, 2, 1000))
    middle, low, high = rmse.leave_one_out_r2(signal + noise, draws, np.full(draws.shape, -np.log(2)))
    own = (noise**2 - noise.var() / (signal + noise).var() * (signal + noise - (signal + noise).mean()) ** 2).std()
    half = 1.598 * own / np.sqrt(1000) / (signal + noise).var()
    assert middle == pytest.approx(1 - (noise**2).mean() / (signal + noise).var(), abs=0.003)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)


def test_perfect_predictions_have_no_error():
    found = rmse.root_mean_square_error(np.ones(3), np.ones((2, 50, 3)))
    assert (found.rmse, found.mcse) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="the same values"):
        rmse.root_mean_square_error(np.ones(3), np.ones((2, 50, 4)))


@pytest.mark.parametrize(
    ("distribution", "numeric"),
    [("Normal", True), ("BinomialLogits", True), ("BernoulliLogits", False), ("OrderedLogistic", False)],
)
def test_outcomes_whose_mean_is_a_number(distribution, numeric):
    assert rmse.has_numeric_mean(distribution) == numeric
