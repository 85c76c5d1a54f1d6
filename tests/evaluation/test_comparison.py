"""Tables of compared models."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tadpool.evaluation import comparison
from tests.made.scores import normal_model, scored


def test_the_table_ranks_names_ties_and_keeps_failures_last():
    log_likelihood, posterior, _ = normal_model()
    best, worse = scored(log_likelihood, posterior), scored(log_likelihood - 1.0, posterior)
    close = scored(log_likelihood - 0.001, posterior)
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
    alone = comparison.table("unit", {"a": scored(log_likelihood, posterior)}, {"a": "pass", "b": "fail"}, ["a", "b"])
    assert list(alone["rank"][:1]) == [1]
    assert alone["weight"][0] == 1.0


@pytest.mark.parametrize(
    ("difference", "dse", "word"),
    [
        (-0.1, 0.7, "about equal"),
        (-3.9, 0.1, "about equal"),
        (-3.9, 1.99, "about equal"),
        (-1.0, 5.0, "too close to call"),  # small, but not known to be
        (-3.0, 2.0, "too close to call"),
        (-27.7, 19.0, "too close to call"),
        (-9.4, 4.6, "worse"),
        (-4.0, 0.1, "worse"),
        (-30.0, float("nan"), "too close to call"),  # a single unit has no error
    ],
)
def test_small_and_uncertain_are_two_verdicts(difference, dse, word):
    assert comparison.standing(difference, dse) == word


def test_errors_of_few_groups_divide_by_one_less_and_p_worse_follows():
    log_likelihood, posterior, _ = normal_model()
    best = scored(log_likelihood, posterior)
    steps = np.linspace(0.0, 2.0, best["elpd"].size)
    behind = best.assign(elpd=best["elpd"] - steps, total_elpd=best["total_elpd"] - steps.sum())
    table = comparison.table(
        "unit", {"best": best, "behind": behind}, {"best": "pass", "behind": "pass"}, ["best", "behind"]
    )
    dse = np.sqrt(len(steps)) * steps.std(ddof=1)
    assert table["dse"][1] == pytest.approx(dse, rel=1e-12)
    assert table["p_worse"][1] == pytest.approx(norm.cdf(steps.sum() / dse), rel=1e-12)
    assert pd.isna(table["p_worse"][0])
    assert table["diag_diff"].tolist() == ["", "N < 100"]
