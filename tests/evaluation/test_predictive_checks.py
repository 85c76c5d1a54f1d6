"""Test quantities: by hand on tiny data, and over replicated data sets of predictions that are
right or wrong.

Rates of chance are allowed four standard errors (false alarms: 1 in 16,000 each).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tadpool.evaluation import predictive_checks
from tadpool.evaluation.predictive_checks import COUNTS, LEVELS, NUMBERS, YES_NO, Outcome

CHAINS, DRAWS, UNITS = 4, 250, 60
INDEX = np.arange(UNITS) % 6


def outcome(kind, observed, replicated, **options):
    observed = np.asarray(observed)
    return Outcome("y", kind, observed, np.asarray(replicated).reshape(2, -1, len(observed)), **options)


def table(*outcomes):
    return predictive_checks.table(outcomes).set_index(["quantity", "group"])


def test_counts_by_hand():
    found = table(outcome(COUNTS, [0, 2, 4], [[0, 0, 3], [1, 2, 3], [0, 4, 5], [6, 0, 0]]))
    observed = {"mean": 2.0, "sd": 2.0, "share of zeros": 1 / 3, "min": 0.0, "max": 4.0}
    assert found["observed"].droplevel("group").to_dict() == pytest.approx(observed)
    # Replicated: means 1, 2, 3, 2; shares 2/3, 0, 1/3, 2/3; smallest 0, 1, 0, 0; largest 3, 3, 5,
    # 6.
    tails = {"mean": 0.5, "sd": 0.5, "share of zeros": 0.625, "min": 0.625, "max": 0.5}
    assert found["tail_probability"].droplevel("group").to_dict() == pytest.approx(tails)
    assert (found["replicates"] == 4).all()
    assert not found["extreme"].any()


def test_levels_have_a_share_each_and_a_yes_or_no_one_share():
    found = table(outcome(LEVELS, [0, 1, 1, 2], [[0, 0, 0, 0], [1, 1, 1, 2]], first_level=1))
    assert found["observed"].droplevel("group").to_dict() == pytest.approx(
        {"mean": 2.0, "sd": np.sqrt(2 / 3), "share of 1": 0.25, "share of 2": 0.5, "share of 3": 0.25}
    )
    found = table(outcome(YES_NO, [0, 1, 1, 1], [[0, 0, 1, 1], [1, 1, 1, 1]], members={"g": np.array([0, 0, 7, 7])}))
    assert found.loc[("share of zeros", ""), "observed"] == 0.25
    assert list(found.index) == [("share of zeros", ""), ("mean", "g")]


def test_values_that_do_not_count_are_left_out_of_both():
    counted, replicated = np.array([True, True, False]), np.array([[[True, True, True]], [[True, False, False]]])
    only = outcome(YES_NO, [1, 0, 0], [[0, 0, 1], [1, 0, 0]], counted=counted, counted_replicated=replicated)
    found = table(only).loc[("share of zeros", "")]
    assert found["observed"] == 0.5
    assert found["mean"] == pytest.approx((2 / 3 + 0) / 2)
    shared = table(outcome(NUMBERS, [1.0, 3.0, 99.0], [[1.0, 3.0, 0.0], [3.0, 5.0, 0.0]], counted=counted))
    assert shared.loc[("max", ""), "observed"] == 3.0
    assert shared.loc[("mean", ""), ["observed", "mean", "tail_probability"]].tolist() == [2.0, 3.0, 0.75]


def test_work_in_parts_changes_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    made = outcome(NUMBERS, rng.normal(size=UNITS), rng.normal(size=(40, UNITS)), members={"g": INDEX})
    whole = predictive_checks.table([made])
    monkeypatch.setattr(predictive_checks, "MOST_CELLS", 7 * UNITS)
    assert whole.equals(predictive_checks.table([made]))


def test_members_outside_by_hand():
    replicated = np.arange(100.0)[:, None] + [0.0, 100.0]
    outside, seen = predictive_checks.outside_intervals(replicated, np.array([1.9, 197.1]))
    # The 3rd smallest and the 98th smallest of 100 are the ends, so two lie below and two above.
    assert outside.sum(axis=0).tolist() == [4, 4]
    assert seen.tolist() == [True, True]
    assert not predictive_checks.outside_intervals(replicated, np.array([2.0, 197.0]))[1].any()


def test_standard_deviations_need_rows():
    rng, index = np.random.default_rng(2), np.repeat([0, 1], [5, 4])
    found = table(outcome(NUMBERS, rng.normal(size=9), rng.normal(size=(50, 9)), members={"g": index}))
    assert found.loc[("mean", "g"), "members"] == 2
    assert found.loc[("sd", "g"), "members"] == 1


def test_error_of_a_tail_that_no_draw_reaches():
    p, mcse = predictive_checks.tail_probability(np.zeros((2, 500)), 1.0)
    assert p == 0
    assert mcse == pytest.approx(1e-3, rel=0.01)
    assert predictive_checks.tail_probability(np.ones((2, 500)), 1.0)[0] == 0.5


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(-30, 30))
def test_quantities_of_tiny_numbers_are_no_ties(power):
    """Tails and members outside their intervals are the same in all units."""
    rng, factor = np.random.default_rng(1), 10.0**power
    replicated, observed = rng.normal(size=(2, 500)), np.array([1.5, 3.0])
    alone = predictive_checks.tail_probability(replicated, 1.5)
    assert predictive_checks.tail_probability(factor * replicated, factor * 1.5) == pytest.approx(alone)
    each = rng.normal(size=(1000, 2))
    outside = predictive_checks.outside_intervals(each, observed)
    for one, other in zip(outside, predictive_checks.outside_intervals(factor * each, factor * observed), strict=True):
        np.testing.assert_array_equal(one, other)
    assert predictive_checks.tail_probability(np.zeros((2, 500)), 0.0)[0] == 0.5


def test_monte_carlo_error_is_the_spread_over_repetitions():
    rng = np.random.default_rng(3)
    found = [predictive_checks.tail_probability(rng.normal(size=(CHAINS, DRAWS)), 1.0) for _ in range(200)]
    spread = np.std([p for p, _ in found])
    # Of 200 the standard deviation is known to 5 %.
    assert 0.8 < np.mean([mcse for _, mcse in found]) / spread < 1.25


def made_up(rng, kind, shift=0.0, stretch=1.0):
    """100 data sets and predictions of the same distribution, or of one that is shifted or
    stretched."""
    shape, many = (CHAINS, DRAWS, UNITS), (100, UNITS)
    if kind == NUMBERS:
        return rng.normal(size=many), rng.normal(shift, stretch, shape)
    if kind == COUNTS:
        return rng.poisson(3.0, many), rng.poisson(3.0 + shift, shape)
    if kind == YES_NO:
        return rng.binomial(1, 0.4, many), rng.binomial(1, 0.4 + shift, shape)
    return rng.integers(0, 5, many), np.minimum(rng.integers(0, 5, shape) + rng.binomial(1, shift, shape), 4)


@pytest.mark.parametrize("kind", [NUMBERS, COUNTS, YES_NO, LEVELS])
def test_rate_of_false_alarms(kind):
    """Each quantity of a right model is in a tail at most once in 20 data sets, four standard
    errors allowed."""
    observed, replicated = made_up(np.random.default_rng(4), kind)
    tables = [
        predictive_checks.table([Outcome("y", kind, values, replicated, members={"g": INDEX})]) for values in observed
    ]
    extreme = np.stack([each["extreme"] for each in tables])
    assert (extreme.mean(axis=0) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 100)).all()
    # The tail probability of means is uniform but for its steps: its mean is one half.
    tail = np.array([each["tail_probability"].iloc[0] for each in tables])
    assert abs(tail.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 100)


@pytest.mark.parametrize(
    ("kind", "changes", "quantity"),
    [
        (NUMBERS, {"shift": 0.8}, "mean"),
        (NUMBERS, {"stretch": 0.5}, "sd"),
        (COUNTS, {"shift": 2.0}, "share of zeros"),
        (YES_NO, {"shift": 0.4}, "share of zeros"),
        (LEVELS, {"shift": 0.9}, "share of 0"),
    ],
)
def test_wrong_predictions_are_found(kind, changes, quantity):
    """Off by six standard errors of the quantity or more, where 2.5 are needed: missed once in
    2,000 times at most."""
    observed, replicated = made_up(np.random.default_rng(5), kind, **changes)
    found = table(Outcome("y", kind, observed[0], replicated))
    assert found.loc[(quantity, ""), "extreme"]


def test_members_that_differ_are_counted_and_too_few_are_no_alarm():
    rng = np.random.default_rng(6)
    differing = rng.normal(size=UNITS) + 2.0 * INDEX
    alike, own = rng.normal(differing.mean(), 1.0, (2, 500, UNITS)), rng.normal(differing, 0.1, (2, 500, UNITS))
    found = table(Outcome("y", NUMBERS, differing, alike, members={"g": INDEX})).loc[("mean", "g")]
    assert found["observed"] >= 4
    assert found["extreme"]
    fitted = table(Outcome("y", NUMBERS, differing, own, members={"g": INDEX})).loc[("mean", "g")]
    assert fitted["observed"] == 0
    assert not fitted["extreme"]


@pytest.mark.parametrize(
    ("distribution", "values", "kind"),
    [
        ("BernoulliLogits", [0, 1], YES_NO),
        ("OrderedLogistic", [0, 1], LEVELS),
        ("CategoricalLogits", [0, 3], LEVELS),
        ("Poisson", [0, 1], COUNTS),
        ("BinomialLogits", [0, 1], COUNTS),
        ("", [0, 1], YES_NO),
        ("", [0, 2], COUNTS),
        ("Normal", [0.0, 1.0], NUMBERS),
    ],
)
def test_sorts_of_outcomes(distribution, values, kind):
    assert predictive_checks.kind(distribution, np.array(values)) == kind
