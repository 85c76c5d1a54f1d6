"""Tables of compared models."""

import pandas as pd
import pytest

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
