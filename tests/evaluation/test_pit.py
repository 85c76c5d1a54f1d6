"""PIT and reliability: by hand, and how often the bands are left by right and by wrong predictions.

Rates are allowed four standard errors, of the data sets and of the simulated level of the band
(false alarms: 1 in 16,000).
"""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import isotonic_regression

from tadpool.evaluation import pit

DRAWS, VALUES, SETS = 1000, 100, 400
ALLOWED = 0.05 + 4 * np.hypot(np.sqrt(0.05 * 0.95 / SETS), pit.level_error())


def even(draws):
    return np.full(draws.shape, -np.log(draws.shape[1]))


def left(line, band):
    low, high = band
    return pit.Curve(pit.POINTS, line, low, high).outside.any()


def test_mean_pit_by_hand():
    """Steps from 0 to 0.5 and from 0.25 to 0.75: halfway through the first, at a quarter of the
    points between."""
    line = dict(zip(pit.POINTS.round(2), pit.mean_pit(np.array([0.0, 0.25]), np.array([0.5, 0.75])), strict=True))
    assert [line[at] for at in (0.25, 0.5, 0.75, 0.9)] == pytest.approx([0.25, 0.75, 1.0, 1.0])
    beyond = pit.mean_pit(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert beyond == pytest.approx(0.5)


def test_steps_are_weighted():
    draws = np.array([[0, 1, 1, 3]])
    weights = np.log([[0.1, 0.2, 0.3, 0.4]])
    below, upto = pit.steps(draws, weights, np.array([1]))
    assert (below[0], upto[0]) == pytest.approx((0.1, 0.6))
    assert np.ravel(pit.steps(draws, weights, np.array([2]))) == pytest.approx([0.6, 0.6])


def test_reliability_by_hand():
    """Falling shares are pooled; equal probabilities are one point."""
    probability, observed = np.array([0.1, 0.1, 0.3, 0.3, 0.8]), np.array([1, 0, 0, 0, 1])
    found = pit.reliability(probability, observed, 1)
    assert found.at.tolist() == [0.1, 0.3, 0.8]
    assert found.line == pytest.approx([0.25, 0.25, 1.0])
    assert (found.low <= found.high).all()


def test_envelope_holds_the_share_of_new_lines_that_it_says():
    rng = np.random.default_rng(1)
    low, high = pit.envelope(rng.normal(size=(pit.SIMULATIONS, 20)).cumsum(axis=1))
    new = rng.normal(size=(SETS * 10, 20)).cumsum(axis=1)
    rate = ((new < low) | (new > high)).any(axis=1).mean()
    error = np.hypot(np.sqrt(0.05 * 0.95 / len(new)), pit.level_error())
    assert 0.025 - 4 * error < rate < 0.05 + 4 * error


def discrete(name):
    """Distributions of counts (100 Poisson of different means) or of levels (100 of five
    levels)."""
    rng = np.random.default_rng(2)
    if name == "counts":
        return stats.poisson(rng.gamma(4.0, 1.0, VALUES)[:, None])
    return stats.binom(4, rng.uniform(0.2, 0.9, VALUES)[:, None])


@pytest.fixture(scope="module", params=["counts", "levels"])
def predicted(request):
    """Draws of right predictions, their band, and the distributions."""
    truth = discrete(request.param)
    draws = truth.rvs((VALUES, DRAWS), random_state=np.random.default_rng(3))
    return truth, draws, pit.discrete_band(draws, even(draws), 4)


def test_right_discrete_predictions_leave_the_band_as_often_as_it_says(predicted):
    truth, draws, band = predicted
    observed = truth.rvs((VALUES, SETS), random_state=np.random.default_rng(5))
    outside = [left(pit.mean_pit(*pit.steps(draws, even(draws), y)) - pit.POINTS, band) for y in observed.T]
    assert 0.0 < np.mean(outside) < ALLOWED


@pytest.mark.parametrize("change", [lambda y: y + 1, lambda y: np.maximum(y - 1, 0)])
def test_shifted_discrete_predictions_leave_the_band(predicted, change):
    """Predictions are off by a whole step, several times what the band allows: missed in 5 % of 40
    data sets at most."""
    truth, draws, band = predicted
    observed = change(truth.rvs((VALUES, 40), random_state=np.random.default_rng(6)))
    outside = [left(pit.mean_pit(*pit.steps(draws, even(draws), y)) - pit.POINTS, band) for y in observed.T]
    assert np.mean(outside) > 0.95


@pytest.mark.parametrize(("shape", "sign"), [(1.0, 1), (None, -1)])
def test_too_narrow_and_too_wide_counts_leave_the_band(shape, sign):
    """Poisson predictions of overdispersed counts, and the reverse: the sides of the line tell
    which."""
    rng = np.random.default_rng(7)
    wide, narrow = rng.poisson(rng.gamma(1.0, 6.0, (VALUES, DRAWS))), rng.poisson(6.0, (VALUES, DRAWS))
    draws, observed = (narrow, wide[:, 0]) if shape else (wide, narrow[:, 0])
    found = pit.discrete(draws, even(draws), observed, 8)
    assert found.outside.any()
    assert sign * found.line[10] > 0
    assert sign * found.line[-10] < 0


def test_weights_make_wrong_draws_right():
    """Draws of Poisson(4), weighted to be of Poisson(3), are as good as draws of the latter."""
    rng = np.random.default_rng(9)
    draws = rng.poisson(4.0, (VALUES, DRAWS))
    weights = stats.poisson.logpmf(draws, 3.0) - stats.poisson.logpmf(draws, 4.0)
    weights -= np.log(np.exp(weights).sum(axis=1, keepdims=True))
    below, upto = pit.steps(draws, weights, np.full(VALUES, 3))
    # A share p of 1,000 draws with an effective size of at least 500 is known to 0.022; 100 of them
    # are averaged.
    assert below.mean() == pytest.approx(stats.poisson.cdf(2, 3.0), abs=4 * 0.0022)
    assert upto.mean() == pytest.approx(stats.poisson.cdf(3, 3.0), abs=4 * 0.0022)


def test_right_numbers_leave_the_band_as_often_as_it_says():
    rng = np.random.default_rng(10)
    outside = []
    for _ in range(40):
        draws = rng.normal(size=(50, DRAWS))
        outside.append(pit.continuous(draws, even(draws), rng.normal(size=50), 11).outside.any())
    assert np.mean(outside) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 40)


@pytest.mark.parametrize(
    ("mean", "sd", "signs"), [(0, 2.0, (1, -1)), (0, 0.4, (-1, 1)), (1, 1, (-1, -1)), (-1, 1, (1, 1))]
)
def test_wrong_numbers_leave_the_band_on_the_side_that_tells_why(mean, sd, signs):
    """Observations with another sd or mean than predicted; 100 of them make such lines leave by
    several widths."""
    rng = np.random.default_rng(12)
    draws = rng.normal(size=(VALUES, DRAWS))
    found = pit.continuous(draws, even(draws), rng.normal(mean, sd, VALUES), 13)
    assert found.outside.any()
    assert np.sign(found.line[[15, -16]]).tolist() == list(signs)


@pytest.fixture(scope="module")
def probabilities():
    at = np.sort(np.random.default_rng(14).beta(1.0, 1.0, 200))
    return at, pit.reliability_band(at, np.ones(200, int), 15)


def test_right_probabilities_leave_the_band_as_often_as_it_says(probabilities):
    at, (low, high) = probabilities
    observed = np.random.default_rng(16).binomial(1, at, (SETS, 200))
    lines = [isotonic_regression(y.astype(float)).x for y in observed]
    outside = [pit.Curve(at, line, low, high).outside.any() for line in lines]
    assert 0.0 < np.mean(outside) < ALLOWED


@pytest.mark.parametrize("change", [lambda p: p**3, lambda p: 1 - (1 - p) ** 3, lambda p: 0.5 + 0.1 * (p - 0.5)])
def test_wrong_probabilities_leave_the_band(probabilities, change):
    """Yes is rarer, more frequent, or less certain than predicted."""
    at, _ = probabilities
    observed = np.random.default_rng(17).binomial(1, change(at))
    assert pit.reliability(at, observed, 18).outside.any()


def test_equal_seeds_give_equal_bands():
    draws = np.random.default_rng(19).poisson(3.0, (10, 50))
    first, second = (pit.discrete_band(draws, even(draws), 1) for _ in range(2))
    np.testing.assert_array_equal(first, second)
