"""Predictions, comparisons and slopes against their closed forms at known draws, by target."""

import re

import numpy as np
import pytest

from tadpool.answers.predicted import Fitted
from tadpool.answers.quantities import quantities
from tadpool.errors import UserError

NUMBER, GROUP, BINARY = {"kind": "number"}, {"kind": "group"}, {"kind": "binary"}
ROWS = 40
X = np.round(np.random.default_rng(5).normal(2.0, 1.5, ROWS), 3)
T = np.tile([0, 1, 1, 0], ROWS // 4)
G = np.repeat(np.arange(8), ROWS // 8)
Y = np.tile([0, 1], ROWS // 2)


def normal(seed, scale=1.0, at=0.0):
    return lambda shape: np.random.default_rng(seed).normal(at, scale, shape)


@pytest.fixture
def glm(fitted):
    table = {"y": Y, "x": X, "t": T}
    entry = {"formula": "y ~ x * t", "family": "bernoulli"}
    return fitted(
        table, {"y": BINARY, "x": NUMBER, "t": BINARY}, entry, alpha_at_means=normal(1), beta_x=normal(2, 0.5),
        beta_t=normal(3), **{"beta_x:t": normal(4, 0.3)},
    )  # fmt: skip


def probabilities(model, x, t):
    """Expected outcomes (chain, draw, row) of the generalized linear model, by NumPy."""
    site = {name: model.posterior[name].values[..., None] for name in model.posterior.data_vars}
    at = {name: model.bound.facts["columns"][f"formula:{name}"]["location"] for name in ("x", "t", "x:t")}
    eta = site["alpha_at_means"] + site["beta_x"] * (x - at["x"]) + site["beta_t"] * (t - at["t"])
    return 1 / (1 + np.exp(-eta - site["beta_x:t"] * (x * t - at["x:t"])))


MEASURES = {
    "difference": lambda p, q: q - p,
    "ratio": lambda p, q: q / p,
    "percent": lambda p, q: 100 * (q / p - 1),
    "odds_ratio": lambda p, q: q / (1 - q) / (p / (1 - p)),
}


@pytest.mark.parametrize("measure", MEASURES)
def test_average_comparisons_of_a_glm_are_those_of_its_formula(glm, asked, measure):
    """As avg_comparisons() of marginaleffects: predictions averaged, then compared."""
    found = quantities(asked(compare={"t": [0, 1]}, measure=measure), glm).draws.values[0]
    expected = MEASURES[measure](probabilities(glm, X, 0).mean(-1), probabilities(glm, X, 1).mean(-1))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize(("change", "step"), [(1, 1.0), (-2.5, -2.5), ("sd", X.std(ddof=1))])
def test_a_number_changes_by_what_is_said(glm, asked, change, step):
    found = quantities(asked(compare={"x": change}, where={"t": 1}), glm).draws.values[0]
    expected = (probabilities(glm, X + step, 1) - probabilities(glm, X, 1)).mean(-1)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)


def test_a_slope_is_the_mean_derivative(glm, asked):
    found = quantities(asked(compare={"x": "slope"}), glm).draws.values[0]
    p = probabilities(glm, X, T)
    site = {name: glm.posterior[name].values[..., None] for name in ("beta_x", "beta_x:t")}
    np.testing.assert_allclose(
        found, (p * (1 - p) * (site["beta_x"] + site["beta_x:t"] * T)).mean(-1), rtol=1e-5, atol=1e-9
    )


def test_predictions_are_averaged_over_the_observed_rows(glm, asked):
    found = quantities(asked(predict={}), glm).draws.values[0]
    np.testing.assert_allclose(found, probabilities(glm, X, T).mean(-1), rtol=1e-8)
    fixed = quantities(asked(predict={"x": 1.5}), glm).draws.values[0]
    np.testing.assert_allclose(fixed, probabilities(glm, np.full(ROWS, 1.5), T).mean(-1), rtol=1e-8)


@pytest.fixture
def grouped(fitted):
    """y ~ x + t + (1 | g): t is the same in all rows of a member, whose intercept includes its
    part."""
    of_member = np.array([0, 1, 0, 1, 1, 0, 1, 0])[G]
    table = {"y": X + G, "x": X, "t": of_member, "g": G}
    columns = {"y": NUMBER, "x": NUMBER, "t": BINARY, "g": GROUP}
    made = fitted(
        table, columns, {"formula": "y ~ x + t + (1 | g)", "family": "normal"}, alpha_at_means=normal(1, 1.0, 5.0),
        beta_x=2.0, beta_t=3.0, alpha_g=normal(2, 2.0, 10.0), sigma_g=1.5, sigma=0.5,
    )  # fmt: skip
    return made


def test_what_a_member_has_changes_with_its_predictor_too(grouped, asked):
    found = quantities(asked(compare={"t": [0, 1]}), grouped).draws.values[0]
    np.testing.assert_allclose(found, 3.0, rtol=1e-9)
    by_member = quantities(asked(compare={"x": 1}, by="g"), grouped)
    assert by_member.names == tuple(map(str, range(8)))
    np.testing.assert_allclose(by_member.draws.values, 2.0, rtol=1e-9)


def test_a_number_of_members_changes_from_their_own_value(fitted, asked):
    """Its part stands in the members' intercepts, which keep it in rows that are not changed."""
    of_member = np.array([0.5, 1.0, 2.0, 4.0, 1.5, 3.0, 2.5, 0.0])[G]
    columns = {"y": NUMBER, "z": NUMBER, "g": GROUP}
    entry = {"formula": "y ~ z + (1 | g)", "family": "normal"}
    model = fitted(
        {"y": X + G, "z": of_member, "g": G}, columns, entry, beta_z=3.0, alpha_g=normal(2), sigma_g=1.0, sigma=1.0
    )
    np.testing.assert_allclose(quantities(asked(compare={"z": 1}), model).draws.values, 3.0, rtol=1e-9)
    np.testing.assert_allclose(quantities(asked(compare={"z": "slope"}), model).draws.values, 3.0, rtol=1e-6)


def test_targets_differ_in_whose_effects_they_have(grouped, asked):
    """The observed members have their own intercepts; a typical one has the mean, a new one a draw
    around it with the standard deviation 1.5; and a population hardly varies.

    600 draws: 4.4 standard errors of eight numbers, a false alarm in 1e-4.
    """
    at = {"x": float(X.mean()), "t": 0}
    own = {over: quantities(asked(predict=at, over=over), grouped).draws.values[0] for over in ("observed", "typical")}
    intercepts = grouped.posterior["alpha_g"].values
    t_part = 3.0 * np.array([0, 1, 0, 1, 1, 0, 1, 0])
    np.testing.assert_allclose(own["observed"], (intercepts - t_part).mean(-1), rtol=1e-9)
    middle = grouped.posterior["alpha_at_means"].values - 3.0 * grouped.bound.facts["columns"]["formula:t"]["location"]
    np.testing.assert_allclose(own["typical"], middle, rtol=1e-9)
    new = quantities(asked(predict=at, over="new"), grouped).draws.values[0] - middle
    assert abs(new.mean()) < 4.4 * 1.5 / np.sqrt(new.size)
    assert abs(new.std() - 1.5) < 4.4 * 1.5 / np.sqrt(2 * new.size)
    population = quantities(asked(predict=at, over="population"), grouped).draws.values[0] - middle
    assert abs(population.mean()) < 4.4 * 1.5 / np.sqrt(200 * population.size)
    assert abs(population.std() - 1.5 / np.sqrt(200)) < 4.4 * 1.5 / np.sqrt(200 * 2 * population.size)
    outcome = quantities(asked(predict=at, over="new", of="outcome"), grouped).draws.values[0] - middle
    assert abs(outcome.std() - np.hypot(1.5, 0.5)) < 4.4 * np.hypot(1.5, 0.5) / np.sqrt(2 * outcome.size)


@pytest.mark.parametrize("over", ["typical", "new"])
def test_a_planted_error_of_the_target_is_caught(grouped, asked, monkeypatch, over):
    """Members in the data in place of a typical or a new one: the numbers of the test above differ
    by far more than it allows."""
    at = {"x": float(X.mean()), "t": 0}
    right = quantities(asked(predict=at, over=over), grouped).draws.values[0]
    monkeypatch.setattr(Fitted, "_replaced", lambda *_: [])
    wrong = quantities(
        asked(predict=at, over=over), Fitted(grouped.bound, grouped.entry, grouped.posterior)
    ).draws.values[0]
    middle = grouped.posterior["alpha_at_means"].values - 3.0 * grouped.bound.facts["columns"]["formula:t"]["location"]
    if over == "typical":
        np.testing.assert_allclose(right, middle, rtol=1e-9)
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(wrong, middle, rtol=1e-9)
    else:
        assert abs((right - middle).std() - 1.5) < 4.4 * 1.5 / np.sqrt(2 * right.size)
        assert abs((wrong - middle).std() - 1.5) > 4.4 * 1.5 / np.sqrt(2 * right.size)


def test_members_are_told_apart_at_typical_values(grouped, asked):
    found = quantities(asked(predict={}, over="members", group="g"), grouped)
    typical = np.quantile(X, 0.5, method="lower") - X.mean()
    assert found.names == tuple(map(str, range(8)))
    middle_t = np.quantile(np.array([0, 1, 0, 1, 1, 0, 1, 0])[G], 0.5, method="lower")
    t_part = 3.0 * (middle_t - np.array([0, 1, 0, 1, 1, 0, 1, 0]))
    expected = grouped.posterior["alpha_g"].values + 2.0 * typical + t_part
    np.testing.assert_allclose(np.moveaxis(found.draws.values, 0, -1), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("entry", "design", "sites"),
    [
        ({"formula": "y ~ x + group_mean(x, g) + (1 | g)", "family": "normal"}, None, {"beta_group_mean(x,g)": 7.0}),
        ({"model": "mundlak"}, {"groups": ["g"], "predictors": ["x"]}, {"beta_mean_x": 7.0}),
    ],
)
def test_groups_keep_their_means_where_a_predictor_changes(fitted, asked, entry, design, sites):
    """The mean of a group stands for what the group is like: 7 is no effect of x."""
    table, columns = {"y": X + G, "x": X, "g": G}, {"y": NUMBER, "x": NUMBER, "g": GROUP}
    model = fitted(table, columns, entry, design, beta_x=2.0, alpha_g=normal(2), sigma_g=1.0, sigma=0.5, **sites)
    for keys in ({"compare": {"x": 1}}, {"compare": {"x": 1}, "by": "g"}, {"compare": {"x": 1}, "over": "typical"}):
        np.testing.assert_allclose(quantities(asked(**keys), model).draws.values, 2.0, rtol=1e-9)
    np.testing.assert_allclose(quantities(asked(compare={"x": "slope"}), model).draws.values, 2.0, rtol=1e-6)

    members = quantities(asked(predict={}, over="members", group="g"), model).draws.values
    means = np.array([X[member == G].mean() for member in range(8)])
    own = model.posterior["alpha_g"].values + (0.0 if design is None else 7.0 * (means - X.mean()))
    expected = own + 2.0 * (np.quantile(X, 0.5, method="lower") - X.mean())
    np.testing.assert_allclose(np.moveaxis(members, 0, -1), expected, rtol=1e-9)


def test_shares_of_variance_of_balanced_normal_data(fitted, asked):
    """y ~ 1 + (1 | g) with members at 1..8: the variance of their means over rows is 5.25."""
    table = {"y": G + X, "g": G}
    model = fitted(
        table, {"y": NUMBER, "g": GROUP}, {"formula": "y ~ 1 + (1 | g)", "family": "normal"},
        alpha_g=lambda shape: np.broadcast_to(np.arange(1.0, 9.0), shape), sigma=2.0, sigma_g=3.0, alpha=4.5,
    )  # fmt: skip
    conditional, marginal = (quantities(asked(r2=kind), model).draws.values for kind in ("conditional", "marginal"))
    np.testing.assert_allclose(conditional, 5.25 / (5.25 + 4.0), rtol=1e-9)
    np.testing.assert_allclose(marginal, 0.0, atol=1e-12)
    icc = quantities(asked(value="sigma_g**2 / (sigma_g**2 + sigma**2)"), model).draws.values
    np.testing.assert_allclose(icc, 9 / 13, rtol=1e-12)


def test_probabilities_of_counts_are_exact(fitted, asked):
    from scipy.stats import poisson

    table = {"y": np.tile([0, 3], ROWS // 2), "x": X}
    columns = {"y": {"kind": "count"}, "x": NUMBER}
    model = fitted(table, columns, {"formula": "y ~ x", "family": "poisson"}, alpha_at_means=0.7, beta_x=0.2)
    found = quantities(asked(predict={}, at_least=3), model).draws.values
    np.testing.assert_allclose(found, poisson.sf(2, np.exp(0.7 + 0.2 * (X - X.mean()))).mean(), rtol=1e-9)


@pytest.mark.parametrize("family", ["binomial", "beta_binomial"])
def test_a_row_without_trials_has_an_expected_share_too(fitted, asked, family):
    table = {"y": np.tile([0, 0, 3, 5], ROWS // 4), "n": np.tile([0, 4, 6, 8], ROWS // 4), "x": X}
    columns = {"y": {"kind": "count", "trials": "n"}, "n": {"kind": "count"}, "x": NUMBER}
    entry = {"formula": "prop(y, n) ~ x", "family": family}
    model = fitted(table, columns, entry, alpha_at_means=0.3, beta_x=0.5, dispersion=0.4)
    shares = 1 / (1 + np.exp(-0.3 - 0.5 * (X - X.mean())))
    np.testing.assert_allclose(quantities(asked(predict={}), model).draws.values, shares.mean(), rtol=1e-8)


@pytest.mark.parametrize("family", ["negative_binomial", "poisson", "gamma", "lognormal", "exponential"])
def test_expected_outcomes_are_means_of_their_family(fitted, asked, family):
    """The linear predictor is the logarithm of the mean, or of the median of a lognormal."""
    table = {"y": np.tile([1, 3], ROWS // 2), "x": X}
    columns = {"y": {"kind": "count"} if family in ("poisson", "negative_binomial") else NUMBER, "x": NUMBER}
    own = {"overdispersion": 0.8, "variation": 0.7, "sigma": 0.6}
    model = fitted(table, columns, {"formula": "y ~ x", "family": family}, alpha_at_means=0.4, beta_x=0.5, **own)
    means = np.exp(0.4 + 0.5 * (X - X.mean())) * (np.exp(0.6**2 / 2) if family == "lognormal" else 1.0)
    np.testing.assert_allclose(quantities(asked(predict={}), model).draws.values, means.mean(), rtol=1e-8)


def test_levels_are_ordered_and_compared_with_the_first(fitted, asked):
    table = {"y": X, "c": np.tile(["a", "b", "c", "d"], ROWS // 4)}
    model = fitted(
        table, {"y": NUMBER, "c": {"kind": "categorical"}}, {"formula": "y ~ c", "family": "normal"},
        beta_c=lambda shape: np.broadcast_to([1.0, 2.0, 4.0], shape), sigma=1.0,
    )  # fmt: skip
    found = quantities(asked(compare={"c": "levels"}), model)
    assert found.names == ("b against a", "c against a", "d against a")
    np.testing.assert_allclose(found.draws.values[:, 0, 0], [1.0, 2.0, 4.0], rtol=1e-9)
    two = quantities(asked(compare={"c": ["b", "d"]}), model)
    np.testing.assert_allclose(two.draws.values, 3.0, rtol=1e-9)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"predict": {"z": 1}}, "does not look at 'z'"),
        ({"compare": {"z": 1}}, "does not look at 'z'"),
        ({"predict": {}, "by": "g"}, "'g' is not a group of the data"),
        ({"value": "beta"}, "has no parameter 'beta'"),
        ({"value": "beta_x[1]"}, "beta_x has no members"),
        ({"value": "log(beta_x - beta_x)"}, "some of its draws are not finite"),
        ({"rank": "beta_x"}, "has no members to be ranked"),
        ({"value": "beta_x", "pairs": "difference"}, "pairs need two"),
    ],
)
def test_what_cannot_be_answered_is_told(glm, asked, keys, words):
    with pytest.raises(UserError, match=re.escape(words)), np.errstate(divide="ignore"):
        quantities(asked(**keys), glm)
