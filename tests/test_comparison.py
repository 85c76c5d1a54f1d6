"""Leave-one-out numbers against exact ones."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from tadpool import comparison
from tadpool.errors import UserError


def normal_model(rows=60, draws=4000, seed=5):
    """Independent posterior draws of a normal mean with known sd 1 and a flat prior, and the exact elpd of each row."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=rows)
    mu = rng.normal(y.mean(), 1 / np.sqrt(rows), size=(4, draws // 4))
    log_likelihood = xr.DataArray(
        stats.norm.logpdf(y, mu[..., None], 1.0), dims=("chain", "draw", "row")
    ).assign_coords(row=np.arange(rows))
    others = (y.sum() - y) / (rows - 1)
    exact = stats.norm.logpdf(y, others, np.sqrt(1 + 1 / (rows - 1)))
    return log_likelihood, xr.Dataset({"mu": (("chain", "draw"), mu)}), exact


def loo(log_likelihood, posterior):
    pointwise = comparison.psis(iter([log_likelihood]), posterior)
    totals = comparison.totals(pointwise, posterior.sizes["chain"] * posterior.sizes["draw"])
    return pointwise.assign({f"total_{name}": value for name, value in totals.items()})


def test_psis_is_exact_within_its_monte_carlo_error():
    """60 rows, |z| < 4.4: false alarms below 1e-3 even if every row were independent."""
    log_likelihood, posterior, exact = normal_model()
    pointwise = loo(log_likelihood, posterior)
    assert (pointwise["pareto_k"] < 0.7).all()
    z = (pointwise["elpd"].values - exact) / pointwise["mcse"].values
    assert np.abs(z).max() < 4.4
    assert np.abs(z).mean() > 0.2, "the Monte Carlo error is far too large"
    assert float(pointwise["total_elpd"]) == pytest.approx(pointwise["elpd"].values.sum())
    assert float(pointwise["total_se"]) == pytest.approx(np.sqrt(60 * pointwise["elpd"].values.var()))
    assert 0.5 < float(pointwise["total_p_loo"]) < 2.0


def test_blocks_of_units_give_what_the_whole_gives():
    log_likelihood, posterior, _ = normal_model()
    whole = comparison.psis(iter([log_likelihood]), posterior)
    parts = comparison.psis((log_likelihood.isel(row=slice(i, i + 25)) for i in range(0, 60, 25)), posterior)
    xr.testing.assert_allclose(whole, parts, rtol=1e-12)


def test_a_log_likelihood_that_is_not_finite_is_refused():
    log_likelihood, posterior, _ = normal_model()
    log_likelihood[1, 2, 3] = np.nan
    with pytest.raises(UserError, match="not finite"):
        comparison.psis(iter([log_likelihood]), posterior)


def test_the_table_ranks_names_ties_and_keeps_failures_last():
    log_likelihood, posterior, _ = normal_model()
    best, worse = loo(log_likelihood, posterior), loo(log_likelihood - 1.0, posterior)
    close = loo(log_likelihood - 0.001, posterior)
    verdicts = {"worse": "pass", "best": "pass", "close": "warn", "broken": "fail"}
    table = comparison.table("unit", {"worse": worse, "best": best, "close": close}, verdicts, list(verdicts))
    assert list(table["model"]) == ["best", "close", "worse", "broken"]
    assert list(table["rank"][:3]) == [1, 2, 3]
    assert list(table["tie"][:3]) == [False, True, False]
    assert table["elpd_diff"][2] == pytest.approx(-60.0)
    assert table["weight"][:3].sum() == pytest.approx(1.0)
    assert pd.isna(table["elpd"][3])
    assert pd.isna(table["rank"][3])
    assert list(table["verdict"]) == ["pass", "warn", "pass", "fail"]
    assert table["rows_psis"][0] == 60


def test_no_entry_with_numbers_and_one_alone():
    log_likelihood, posterior, _ = normal_model()
    nothing = comparison.table("unit", {}, {"a": "fail", "b": "fail"}, ["a", "b"])
    assert nothing["elpd"].isna().all()
    alone = comparison.table("unit", {"a": loo(log_likelihood, posterior)}, {"a": "pass", "b": "fail"}, ["a", "b"])
    assert list(alone["rank"][:1]) == [1]
    assert alone["weight"][0] == 1.0
