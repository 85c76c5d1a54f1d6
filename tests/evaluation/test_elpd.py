"""Scores of what was left out against exact ones."""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import stats

from tadpool.errors import UserError
from tadpool.evaluation import elpd, psis
from tests.made.scores import normal_model, scored


def test_psis_is_exact_within_its_monte_carlo_error():
    """60 rows, |z| < 4.4: false alarms below 1e-3 even if every row were independent."""
    log_likelihood, posterior, exact = normal_model()
    pointwise = scored(log_likelihood, posterior)
    assert (pointwise["pareto_k"] < 0.7).all()
    z = (pointwise["elpd"].values - exact) / pointwise["mcse"].values
    assert np.abs(z).max() < 4.4
    assert np.abs(z).mean() > 0.2, "the Monte Carlo error is far too large"
    assert float(pointwise["total_elpd"]) == pytest.approx(pointwise["elpd"].values.sum())
    assert float(pointwise["total_se"]) == pytest.approx(np.sqrt(60 * pointwise["elpd"].values.var(ddof=1)))
    assert 0.5 < float(pointwise["total_p_loo"]) < 2.0
    assert int(pointwise["total_doubtful"]) == 0


@pytest.mark.parametrize("draws", [60, 400, 4000])
@pytest.mark.parametrize("efficiency", [0.3, 1.0, 1.7, 0.001])
def test_psis_of_many_units_has_the_bits_of_one_at_a_time(draws, efficiency):
    """Light and heavy tails, equal values in the tail, and more units than are taken at a time."""
    rng = np.random.default_rng(2)
    shape = (70, draws)
    kinds = [
        rng.normal(size=shape),
        -rng.pareto(0.8, shape),
        rng.standard_t(1.5, shape),
        rng.normal(size=shape).round(1),
    ]
    log_likelihood = np.concatenate(kinds)
    with np.errstate(all="ignore"):
        wanted = array_stats.psislw(log_likelihood, r_eff=efficiency)
    for own, other in zip(psis.psislw(log_likelihood, efficiency), wanted, strict=True):
        np.testing.assert_array_equal(own, other)


def test_a_tail_of_one_value_is_refused():
    log_likelihood = np.zeros((2, 400))
    log_likelihood[1] = np.linspace(0, 1, 400)
    with pytest.raises(ValueError, match="same"):
        psis.psislw(log_likelihood, 1.0)


def test_a_log_likelihood_that_is_not_finite_is_refused():
    log_likelihood, _, _ = normal_model()
    log_likelihood[1, 2, 3] = np.nan
    with pytest.raises(UserError, match="not finite"):
        elpd.psis(log_likelihood, 1.0)


@pytest.mark.parametrize("unit", ["row", "sample"])
@pytest.mark.parametrize("silent", [[3], [0, 59], [*range(60)]])
def test_rows_that_say_nothing_score_their_constant_and_change_no_other(unit, silent):
    """A row of weight 0 or without trials, whatever the unit is called; exact."""
    log_likelihood, _, _ = normal_model()
    (dim,) = set(log_likelihood.dims) - {"chain", "draw"}
    log_likelihood = log_likelihood.rename({dim: unit})
    before = elpd.psis(log_likelihood, 0.9)
    log_likelihood[{unit: silent}] = 0.0
    after = elpd.psis(log_likelihood, 0.9)
    others = np.setdiff1d(np.arange(60), silent)
    for name in ("elpd", "mcse", "pareto_k", "elpd_psis"):
        assert (after[name][silent] == 0).all()
        np.testing.assert_array_equal(after[name][others], before[name][others])
    assert np.abs(after["p_loo"][silent]).max() < 1e-12


def conjugate(targets=200, spread=10.0, rows=30, draws=1000, seed=8):
    """Groups of `rows` normal observations with sd 1, whose mean has the prior N(0, spread).

    Returns log likelihoods (target, chain, draw) at draws of the prior and of the posterior, and
    log marginal likelihoods.
    """
    rng = np.random.default_rng(seed)
    y = rng.normal(rng.normal(0, spread, (targets, 1)), 1.0, (targets, rows))
    sd = 1 / np.sqrt(rows + 1 / spread**2)
    prior = rng.normal(0, spread, (targets, 4, draws))
    posterior = rng.normal((y.sum(1) * sd**2)[:, None, None], sd, (targets, 4, draws))

    def likelihood(mean):
        return stats.norm.logpdf(y[:, None, None, :], mean[..., None], 1.0).sum(-1)

    total = stats.multivariate_normal(np.zeros(rows), np.eye(rows) + spread**2).logpdf(y)
    return likelihood(prior), likelihood(posterior), total


def test_the_bridge_scores_groups_whose_prior_is_wide():
    """200 targets, |z| < 4.9: false alarms below 2e-4. The posterior is 55 times narrower than the
    prior."""
    without, within, exact = conjugate()
    found = elpd.bridged(without, within)
    z = (found["elpd"] - exact) / found["mcse"]
    assert np.abs(z).max() < 4.9
    assert z.std() == pytest.approx(1.0, abs=5 / np.sqrt(2 * 200)), "the Monte Carlo error is wrong"
    alone = elpd.left_out(without)
    assert np.median(found["mcse"]) < 0.15
    assert np.abs(alone["elpd"] - exact).mean() > 1.5 * np.abs(found["elpd"] - exact).mean()


def test_the_mean_likelihood_scores_targets_that_the_fit_without_them_foresees():
    """100 targets, |z| < 4.7: false alarms below 3e-4."""
    without, _, exact = conjugate(targets=100, spread=0.5, rows=3)
    found = elpd.left_out(without)
    assert np.abs((found["elpd"] - exact) / found["mcse"]).max() < 4.7


def test_a_target_that_the_draws_do_not_change_has_no_error():
    same = np.full((1, 4, 100), -1.5)
    for found in (elpd.left_out(same), elpd.bridged(same, same)):
        assert found["elpd"] == pytest.approx(-1.5)
        assert found["mcse"] == 0


def test_scores_in_doubt_are_counted():
    log_likelihood, posterior, _ = normal_model()
    pointwise = scored(log_likelihood, posterior).load()
    pointwise["pareto_k"].values[:3] = 0.9
    pointwise["method"] = ("row", np.where(np.arange(60) == 0, "refit", "psis"))
    pointwise["rhat"].values[0] = 1.2
    assert elpd.totals(pointwise, 4000)["doubtful"] == 3
