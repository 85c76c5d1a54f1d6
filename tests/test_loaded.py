"""`tadpool.load`: results as objects, what the Tab key and notebooks show, and draws for R."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import polars
import pytest
import xarray as xr

import tadpool
from tadpool.errors import UserError
from tadpool.files import contracts, draws_tables, io, provenance
from tests.made import programs
from tests.made.results import made


@pytest.fixture
def results(tmp_path):
    made(tmp_path, {"first": "ok", "second": "stuck", "third": "crashed"})
    return tadpool.load(tmp_path / "results")


def test_studies_and_entries_are_attributes_items_and_completions(results):
    assert list(results) == ["tiny"]
    assert list(results.tiny) == ["first", "second", "third"]
    assert results["tiny"]["first"].folder == results.tiny.first.folder
    assert "tiny" in dir(results)
    assert {"first", "comparisons", "data"} <= set(dir(results.tiny))
    assert results.tiny._ipython_key_completions_() == ["first", "second", "third"]
    with pytest.raises(KeyError, match=r"no entry is named 'frist' in .*; did you mean 'first'"):
        results.tiny["frist"]
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        results.absent  # noqa: B018


def test_entries_that_were_removed_from_the_study_are_not_listed(results):
    study = results.tiny
    (study.folder / "run.json").write_text(json.dumps({"config": {"models": {"first": {}, "third": {}}}}))
    assert list(study) == ["first", "third"]


def test_results_are_objects_of_xarray_and_pandas(results):
    study, fit = results.tiny, results.tiny.first
    assert (fit.verdict, study.second.verdict) == ("pass", "fail")
    assert isinstance(fit.tree, xr.DataTree)
    assert fit.posterior["theta"].dims == ("chain", "draw", "row")
    assert list(study.data.data_vars)[:1] == ["y"]
    assert study.truth is None
    assert list(study.comparisons["main"]["model"]) == ["first", "second", "third"]
    assert study.verdicts.loc["second", "verdict"] == "fail"
    assert study.verdicts.loc["second", "rhat_max"] > 1.5
    assert fit.summary.loc["mu", "mean"] == pytest.approx(float(fit.posterior["mu"].mean()), rel=1e-12)
    assert fit.scores()["elpd"].sum() == pytest.approx(-50.0)
    assert any("the chains disagree" in reason for reason in study.second.reasons)
    assert "lost" not in study.figures
    assert study.figures["data_plot"].is_file()


def test_answers_are_a_table_with_draws_behind_it(results):
    columns = {
        "answer": "it",
        "quantity": "a",
        "model": "first",
        "role": "own",
        "is": "mean",
        "value": 2.0,
        "reason": "",
    }
    tree = xr.DataTree(xr.Dataset(attrs={"provenance": "{}", "status": "ok", "reason": ""}))
    tree["answers"] = xr.Dataset({name: ("row", [value]) for name, value in columns.items()})
    tree["it"] = xr.Dataset({"value": (("chain", "draw", "quantity"), [[[1.0], [3.0]]])}, {"quantity": ["a"]})
    io.write(results.tiny.folder / "answers.nc", tree, contracts.ANSWERS)
    assert results.tiny.answers.loc[0].to_dict() == columns
    assert results.tiny.answer_draws("it").sel(quantity="a").values.ravel().tolist() == [1.0, 3.0]
    with pytest.raises(KeyError):
        results.tiny.answer_draws("other")


def test_what_is_absent_is_a_sentence(results, tmp_path):
    with pytest.raises(UserError, match=r"logo_town.nc does not exist; groups with scores: none"):
        results.tiny.first.scores("town")
    with pytest.raises(UserError, match=r"fit.nc has no log_likelihood: it was not stored"):
        results.tiny.first.log_likelihood  # noqa: B018
    with pytest.raises(UserError, match="has no results of a study; give the folder `results` of a run"):
        tadpool.load(tmp_path)


def test_notebooks_show_tables_in_which_texts_of_users_are_escaped(results):
    shown = [each._repr_html_() for each in (results, results.tiny, results.tiny.first, results.tiny.third)]
    assert all(text.count("<table") >= 1 for text in shown[:3])
    assert "pass" in shown[0]
    assert "main" in shown[1]
    assert "rhat" in shown[2]
    assert "SIGKILL" in shown[3]
    assert "first (pass)" in repr(results)
    results.tiny.third.__dict__["check"] = {"verdict": "<b>", "reasons": [], "parameters": [], "diagnostics": {}}
    fit = results.tiny.third
    fit.__dict__["check"] = {"verdict": "<b>", "reasons": [], "parameters": [], "diagnostics": {}}
    assert "&lt;b&gt;" in fit._repr_html_()


def test_draws_are_in_the_layout_of_posterior(results):
    fit = results.tiny.first
    table = fit.draws(["theta", "mu"])
    assert list(table)[:2] == ["theta[0]", "theta[1]"]
    assert list(table)[-4:] == ["mu", ".chain", ".iteration", ".draw"]
    second = table[(table[".chain"] == 2) & (table[".iteration"] == 7)].iloc[0]
    assert second[".draw"] == 257
    assert second["theta[3]"] == fit.posterior["theta"].values[1, 6, 3]
    assert list(table[".draw"]) == list(range(1, 1001))
    with pytest.raises(UserError, match="there is no parameter 'nu'; known: mu, theta"):
        fit.draws(["nu"])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_draws_are_read_back_as_they_were(results, tmp_path, ending):
    path = results.tiny.first.write_draws(tmp_path / f"draws.{ending}")
    again = pd.read_csv(path) if ending == "csv" else pd.DataFrame(polars.read_parquet(path).to_dict(as_series=False))
    pd.testing.assert_frame_equal(again, results.tiny.first.draws(), check_exact=True)


def test_another_ending_is_refused(results, tmp_path):
    with pytest.raises(UserError, match=r"draws.txt: draws are written as .csv or .parquet"):
        results.tiny.first.write_draws(tmp_path / "draws.txt")


def test_a_fit_with_several_dims_has_one_column_for_each_element():
    values = np.arange(2 * 3 * 2 * 2, dtype=float).reshape(2, 3, 2, 2)
    coords = {"town": ["a", "b"], "year": [1, 2]}
    posterior = xr.Dataset({"x": (("town", "chain", "draw", "year"), values.transpose(2, 0, 1, 3))}, coords=coords)
    table = draws_tables.table(posterior)
    assert list(table)[:4] == ["x[a, 1]", "x[a, 2]", "x[b, 1]", "x[b, 2]"]
    assert list(table["x[b, 1]"]) == list(values[:, :, 1, 0].ravel())


def test_no_job_depends_on_what_is_for_notebooks():
    files = {path.name for path in provenance.closure(tadpool.ROOT / "scripts" / "fit.py")}
    assert "__init__.py" in files
    assert not {"loaded.py", "draws_tables.py"} & files


def test_loading_results_needs_no_jax(results):
    code = f"import sys, tadpool; print(tadpool.load({str(results.folder)!r}).tiny.first.verdict, 'jax' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(tadpool.ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "pass False\n"


R = """
draws <- read.csv("draws.csv", check.names = FALSE)
stopifnot(all(c(".chain", ".iteration", ".draw") %in% names(draws)))
cat(sprintf("%.17g %d", mean(draws[["theta[3]"]]), max(draws$.chain)))
"""


def test_r_reads_the_same_numbers(results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results.tiny.first.write_draws("draws.csv")
    mean, chains = programs.r(R).split()
    assert float(mean) == pytest.approx(float(results.tiny.first.posterior["theta"][..., 3].mean()), rel=1e-12)
    assert chains == "4"
