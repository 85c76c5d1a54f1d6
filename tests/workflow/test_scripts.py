"""Scripts run without Snakemake: what they are given is what they use."""

import json
import runpy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from snakemake.iocontainers import InputFiles, OutputFiles

from tadpool import ROOT, sweep_axes
from tadpool.convergence.sentences import sentence
from tadpool.evaluation.loo_predictive import leave_one_out
from tadpool.files import contracts, failures, io
from tadpool.loading import preparation

SCRIPTS = ROOT / "scripts"


def run(name, folder, spec, digest="d", threads=2, **files):
    """Run a script as Snakemake does; files: input and output names with their paths."""
    crashes = json.dumps({"record": str(folder / f"{name}.crashes.json"), "earlier": []})
    snakemake = SimpleNamespace(
        input=InputFiles(fromdict=files.get("input", {})),
        output=OutputFiles(fromdict=files["output"]),
        params=SimpleNamespace(spec=json.dumps(spec), digest=digest, crashes=crashes),
        log=[str(folder / f"{name}.log")],
        threads=threads,
        resources={"runtime": 10, "attempt": 1},
    )
    runpy.run_path(str(SCRIPTS / f"{name}.py"), init_globals={"snakemake": snakemake}, run_name="__main__")


BASE = {"seed": 1, "study": "s", "entry": "e", "model": "cookies_pooled", "hyperparameters": {}}
SCORED = {"outcomes": ["chips"], "unit": "cookie", "observed_where": {}}
SAMPLER = {"chains": 2, "warmup": 300, "draws": 300, "target_accept": 0.8, "max_tree_depth": 10, "precision": "float64"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data, fit, check and LOO of one small entry, each made by its script."""
    place = tmp_path_factory.mktemp("results") / "e"
    place.mkdir()
    data, fit = str(place / "data.nc"), str(place / "fit.nc")
    run(
        "prepare_data",
        place,
        {"study": "s", "dataset": "cookies", "arguments": {}, "outcomes": ["chips"], "dims": ["cookie"]},
        output={"data": data},
    )
    run("fit", place, {**BASE, **SCORED, "sampler": SAMPLER}, input={"data": data}, output={"fit": fit})
    run(
        "check",
        place,
        {"study": "s", "entry": "e", "over": None, "by": None},
        input={"fit": fit},
        output={"check": str(place / "check.json")},
    )
    spec = {**BASE, **SCORED, "groups": ["location"], "by": None, "over": None, "budget": 1e9}
    run("cross_validate", place, spec, input={"data": data, "fit": fit}, output={"loo": str(place / "loo.nc")})
    return place


def test_the_data_file_holds_outcomes_and_the_rest(folder):
    tree = io.read(folder / "data.nc", contracts.DATA)
    assert list(tree["observed_data"].data_vars) == ["chips"]
    assert tree["observed_data"].sizes == {"cookie": 150}
    assert list(tree["constant_data"].data_vars) == ["location_index"]
    assert tree["observed_data"]["chips"].attrs["units"] == "per cookie"


def test_the_fit_file_holds_every_group(folder):
    tree = io.read(folder / "fit.nc", contracts.FIT)
    assert {"posterior", "sample_stats", "log_likelihood", "log_prior", "posterior_predictive", "observed_data"} <= set(
        tree.children
    )
    assert tree["log_likelihood"]["chips"].dtype == "float32"
    assert tree["posterior_predictive"]["chips"].dtype == "int8"
    (attempt,) = json.loads(tree.attrs["attempts"])
    assert attempt["settings"] == {**SAMPLER, "reparametrized": []}
    assert attempt["verdict"] == "pass"
    assert "fit" not in {path.stem.split(".")[0] for path in folder.glob("*.crashes.json")}


def test_the_check_says_pass_and_keeps_the_attempts(folder):
    check = io.read_json(folder / "check.json")
    assert check["verdict"] == "pass"
    assert check["attempts"][0]["settings"]["draws"] == 300


def test_the_pooled_elpd_is_exact(folder):
    """Exact -421.98; the Monte Carlo error of 600 draws is below 0.1 and the bound is 4.4 of the
    stored ones."""
    loo = io.read(folder / "loo.nc", contracts.LOO)["loo"]
    assert abs(float(loo["total_elpd"]) + 421.98) < 4.4 * float(loo["total_mcse"]) + 0.005


def test_compare_and_gate_read_what_the_others_wrote(folder, tmp_path):
    table = tmp_path / "main.csv"
    inputs = {"loos": [str(folder / "loo.nc")], "checks": [str(folder / "check.json")]}
    run("compare", tmp_path, {"entries": ["e"], "target": "unit"}, input=inputs, output={"table": str(table)})
    (row,) = pd.read_csv(table).to_dict("records")
    assert (row["model"], row["rank"], row["verdict"]) == ("e", 1, "pass")
    checks = {"checks": [str(folder / "check.json")], "results": [str(folder / "loo.nc")]}
    run("gate", tmp_path, {"expected": {}, "quick": False}, input=checks, output={"gate": str(tmp_path / "gate.json")})
    assert io.read_json(tmp_path / "gate.json") == {"s/e": "pass"}


def test_scores_on_different_data_are_not_compared(folder, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "loo.nc"
    tree = io.read(folder / "loo.nc", contracts.LOO)
    tree.attrs["provenance"] = json.dumps(json.loads(tree.attrs["provenance"]) | {"data": "0" * 64})
    io.write(other, tree, contracts.LOO)
    inputs = {"loos": [str(folder / "loo.nc"), str(other)], "checks": [str(folder / "check.json")]}
    table = str(tmp_path / "main.csv")
    run("compare", tmp_path, {"entries": ["e"], "target": "unit"}, input=inputs, output={"table": table})
    assert "has no ranks" in failures.told(table)[table]
    assert "were made from different data" in failures.told(table)[table]


def test_a_failed_fit_is_ranked_only_where_the_study_says_so(folder, tmp_path):
    place = tmp_path / "e"
    place.mkdir()
    io.write_json(place / "check.json", io.read_json(folder / "check.json") | {"verdict": "fail"})
    inputs = {"loos": [str(folder / "loo.nc")], "checks": [str(place / "check.json")]}
    for rank_failed in (False, True):
        spec = {"entries": ["e"], "target": "unit", "rank_failed": rank_failed}
        run("compare", tmp_path, spec, input=inputs, output={"table": str(tmp_path / "main.csv")})
        (row,) = pd.read_csv(tmp_path / "main.csv").to_dict("records")
        assert row["verdict"] == "fail"
        assert (row["rank"] == 1) is rank_failed


def sweep(folder, place, points, over="rate_rate"):
    """fit, check and LOO of a sweep, each made by its script."""
    data, fit = str(folder / "data.nc"), str(place / "fit.nc")
    spec = {**BASE, **SCORED, "sampler": SAMPLER, "sweep": {"over": over, "points": points}}
    run("fit", place, spec, input={"data": data}, output={"fit": fit})
    spec = {**BASE, **SCORED, "groups": ["location"], "by": None, "over": over, "budget": 1e9}
    run("cross_validate", place, spec, input={"data": data, "fit": fit}, output={"loo": str(place / "loo.nc")})
    spec = {"study": "s", "entry": "e", "over": sweep_axes.dim(over), "by": None}
    run("check", place, spec, input={"fit": fit}, output={"check": str(place / "check.json")})
    loo = io.read(place / "loo.nc", contracts.LOO)["loo"]
    return io.read(fit, contracts.SWEEP), io.read_json(place / "check.json"), loo


def test_a_sweep_has_one_more_dim_through_all_its_files(folder, tmp_path):
    fit, check, loo = sweep(folder, tmp_path, [0.1, 0.2])
    assert fit["posterior"]["rate"].dims == ("rate_rate", "chain", "draw")
    assert list(loo["rate_rate"].values) == [0.1, 0.2]
    assert [point["rate_rate"] for point in check["points"]] == [0.1, 0.2]
    assert check["verdict"] == "pass"


def test_a_sweep_over_a_prior_and_the_sampler_has_points_with_both(folder, tmp_path):
    over = ["rate_rate", "sampler.target_accept"]
    fit, check, loo = sweep(folder, tmp_path, [[0.1, 0.8], [0.1, 0.95]], over)
    assert fit["posterior"]["rate"].dims == ("sweep_point", "chain", "draw")
    assert loo["sampler.target_accept"].values.tolist() == [0.8, 0.95]
    assert [[point[axis] for axis in over] for point in check["points"]] == [[0.1, 0.8], [0.1, 0.95]]
    step_size = fit["sample_stats"]["step_size"].mean(["chain", "draw"]).values
    assert step_size[1] < 0.8 * step_size[0]  # a higher target takes smaller steps
    assert check["verdict"] != "fail"


SIMULATOR = """
import numpy as np
import xarray as xr
def simulate(rng, *, rows=20, spread=1.0):
    y = rng.normal(0.0, spread, rows)
    return xr.Dataset({"y": ("row", y)}, {"row": np.arange(rows)}), xr.Dataset({"spread": ((), spread)})
"""
MODEL = """
import numpyro
import numpyro.distributions as dist
def model(n_row, y=None, *, scale=2.0):
    mu = numpyro.sample("mu", dist.Normal(0.0, scale))
    with numpyro.plate("row", n_row):
        numpyro.sample("y", dist.Normal(mu, 1.0), obs=y)
"""


def test_a_sweep_over_the_simulator_has_its_own_data_at_each_point(tmp_path, monkeypatch):
    for kind, name, text in (("datasets", "made", SIMULATOR), ("models", "mean", MODEL)):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    io.write("data.nc", with_provenance(preparation.prepare("made", {}, ["y"], "s", 1)), contracts.DATA)
    base = {**BASE, "model": "mean", "outcomes": ["y"], "unit": "row", "observed_where": {}}
    sweep = {"over": "arguments.spread", "points": [1.0, 2.0], "dataset": "made", "arguments": {}}
    spec = {**base, "sampler": SAMPLER, "sweep": sweep}
    run("fit", tmp_path, spec, input={"data": "data.nc"}, output={"fit": "fit.nc"})
    fit, data = io.read("fit.nc", contracts.SWEEP), io.read("data.nc", contracts.DATA)["observed_data"]["y"]
    y = fit["observed_data"]["y"]
    assert y.sel({"arguments.spread": 1.0}).values.tolist() == data.values.tolist()
    assert y.sel({"arguments.spread": 2.0}).values == pytest.approx(2.0 * data.values)  # the same random numbers
    assert fit["truth"]["spread"].values.tolist() == [1.0, 2.0]
    # The exact posterior mean, within 4.4 standard errors at an effective sample size of 100.
    exact, sd = y.sum("row").values / (20 + 1 / 4), (20 + 1 / 4) ** -0.5
    assert np.abs(fit["posterior"]["mu"].mean(["chain", "draw"]).values - exact).max() < 4.4 * sd / 10
    spec = {**base, "groups": [], "by": None, "over": "arguments.spread", "budget": 0.0}
    run("cross_validate", tmp_path, spec, input={"data": "data.nc", "fit": "fit.nc"}, output={"loo": "loo.nc"})
    elpd = io.read("loo.nc", contracts.LOO)["loo"]["total_elpd"].values
    assert elpd[1] < elpd[0] - 10  # a spread of 2 under a model with 1
    spec = {**base, "sampler": SAMPLER, "sweep": {**sweep, "over": "arguments.rows", "points": [20, 21]}}
    run("fit", tmp_path, spec, input={"data": "data.nc"}, output={"fit": "other.nc"})
    reason = io.read("other.nc", contracts.CRASHED).attrs["reason"]
    assert "the data at arguments.rows = 21 have other shapes" in reason
    assert "`recovery`" in reason


def with_provenance(tree):
    tree.attrs["provenance"] = "{}"
    return tree


def test_a_value_of_a_sweep_that_cannot_be_sampled_leaves_the_others_their_scores(folder, tmp_path):
    fit, check, loo = sweep(folder, tmp_path, [-0.1, 0.1])
    assert fit.attrs["status"] == "ok"
    assert np.isfinite(fit["posterior"]["rate"]).all(["chain", "draw"]).values.tolist() == [False, True]
    assert [point["verdict"] for point in check["points"]] == ["fail", "pass"]
    assert check["verdict"] == "fail"
    assert "2 of 4 chains found no valid starting point" in sentence(check["reasons"][0])
    assert list(loo["rate_rate"].values) == [0.1]
    assert np.isfinite(loo["elpd"]).all()


def test_a_file_of_fewer_draws_has_the_verdict_of_all(folder, tmp_path):
    data, fit = str(folder / "data.nc"), str(tmp_path / "fit.nc")
    storage = {"every": 4, "posterior": "float32"}
    run(
        "fit",
        tmp_path,
        {**BASE, **SCORED, "sampler": SAMPLER, "storage": storage},
        input={"data": data},
        output={"fit": fit},
    )
    spec = {"study": "s", "entry": "e", "over": None, "by": None}
    run("check", tmp_path, spec, input={"fit": fit}, output={"check": str(tmp_path / "check.json")})
    thin, whole = (io.read(place / "fit.nc", contracts.FIT) for place in (tmp_path, folder))
    assert thin["posterior"]["rate"].dtype == np.float32
    assert thin["posterior"]["draw"].values.tolist() == list(range(3, SAMPLER["draws"], 4))
    assert np.array_equal(thin["posterior"]["rate"], whole["posterior"]["rate"][:, 3::4].astype(np.float32))
    assert np.array_equal(thin["log_likelihood"]["chips"], whole["log_likelihood"]["chips"][:, 3::4])
    found, expected = (io.read_json(place / "check.json") for place in (tmp_path, folder))
    assert found | {"provenance": ""} == expected | {"provenance": ""}
    spec = {**BASE, **SCORED, "groups": ["location"], "by": None, "over": None, "budget": 1e9}
    loo = str(tmp_path / "loo.nc")
    run("cross_validate", tmp_path, spec, input={"data": data, "fit": fit}, output={"loo": loo})
    scores = [io.read(place / "loo.nc", contracts.LOO)["loo"] for place in (tmp_path, folder)]
    drawn, weights = leave_one_out(
        thin["posterior_predictive"]["chips"], thin["log_likelihood"]["chips"], io.read(loo, contracts.LOO), "cookie"
    )
    assert drawn.sizes["draw"] == thin["posterior"].sizes["draw"]
    assert np.isfinite(weights).all()
    # From a quarter of the draws: within 4.4 of the scores' own Monte Carlo errors.
    error = 4.4 * float(scores[0]["total_mcse"] + scores[1]["total_mcse"])
    assert abs(float(scores[0]["total_elpd"] - scores[1]["total_elpd"])) < error


def test_what_depends_on_a_crashed_fit_says_so(folder, tmp_path):
    from tadpool.workflow import failed_results

    fit, data = str(tmp_path / "fit.nc"), str(folder / "data.nc")
    failed_results.write_crashed(fit, "{}", "it ran out of memory")
    run(
        "check",
        tmp_path,
        {"study": "s", "entry": "e", "over": None, "by": None},
        input={"fit": fit},
        output={"check": str(tmp_path / "check.json")},
    )
    assert "it ran out of memory" in sentence(io.read_json(tmp_path / "check.json")["reasons"][0])
    spec = {**BASE, **SCORED, "groups": ["location"], "by": None, "over": None, "budget": 1e9}
    run("cross_validate", tmp_path, spec, input={"data": data, "fit": fit}, output={"loo": str(tmp_path / "loo.nc")})
    assert io.read(tmp_path / "loo.nc", contracts.LOO).attrs["status"] == "crashed"
    spec = {
        **BASE,
        "group": "location",
        "label": None,
        "rows": [],
        "unit": "cookie",
        "observed_where": {},
        "precision": "float64",
    }
    predictions = str(tmp_path / "predictions.nc")
    run("predict", tmp_path, spec, input={"data": data, "fit": fit}, output={"predictions": predictions})
    failed_results.write_crashed(str(tmp_path / "prior.nc"), "{}", "it crashed as well")
    inputs = {"data": data, "prior": str(tmp_path / "prior.nc"), "fit": fit}
    spec = {**BASE, **SCORED, "groups": ["location"], "by": None, "precision": "float64"}
    found = str(tmp_path / "sensitivity.nc")
    run("assess_sensitivity", tmp_path, spec, input=inputs, output={"sensitivity": found})
    assert io.read(found, contracts.SENSITIVITY).attrs["reason"] == "it ran out of memory"
    assert io.read(predictions, contracts.PREDICTIONS).attrs["reason"] == "it ran out of memory"


def test_a_missing_file_is_one_sentence(tmp_path, capfd):
    spec, check = {"study": "s", "entry": "e", "over": None, "by": None}, tmp_path / "check.json"
    run("check", tmp_path, spec, input={"fit": "nowhere.nc"}, output={"check": str(check)})
    said = f"nowhere.nc does not exist; run the workflow to make it (log: {tmp_path / 'check.log'})"
    assert capfd.readouterr().err.endswith(f"{check}: {said}\n")
    assert io.read_json(check)["reasons"][0]["values"]["reason"] == said


def answers_of(folder, tmp_path, entries, **answers):
    """The table of answers that the script writes for these entries."""
    from tadpool.config.schema.answers import Answer

    asked = {
        name: Answer.model_validate({"label": name, "entry": "e", **each}).model_dump()
        for name, each in answers.items()
    }
    own = {"model": "cookies_pooled", "hyperparameters": {}}
    spec = {"seed": 1, "study": "s", **SCORED, "groups": ["location"], "sensitivity": False, "precision": "float64"}
    spec |= {"entries": dict.fromkeys(entries, own), "answers": asked}
    outputs = {"answers": str(tmp_path / "answers.nc"), "table": str(tmp_path / "answers.csv")}
    run("answer", tmp_path, spec, input={"data": str(folder / "data.nc")}, output=outputs)
    return pd.read_csv(outputs["table"], keep_default_na=False)


def test_answers_come_from_sound_fits_alone(folder, tmp_path):
    from tadpool.workflow import failed_results

    (tmp_path / "e").symlink_to(folder)
    (tmp_path / "gone").mkdir()
    failed_results.write_crashed(str(tmp_path / "gone/fit.nc"), '{"entry": "gone"}', "it ran out of memory")
    asked = {"mean": {"predict": {}}, "rate": {"value": "rate", "above": 9}, "lost": {"entry": "gone", "value": "rate"}}
    table = answers_of(folder, tmp_path, ["e", "gone"], **asked).set_index("answer")
    rate = io.read(folder / "fit.nc", contracts.FIT)["posterior"]["rate"].values
    assert float(table.loc["rate", "value"]) == pytest.approx(rate.mean(), rel=1e-9)
    assert float(table.loc["mean", "value"]) == pytest.approx(rate.mean(), rel=1e-6)
    assert float(table.loc["rate", "probability"]) == pytest.approx((rate > 9).mean())
    lost = table.loc["lost"].set_index("model")
    assert lost.loc["gone", "reason"] == "its fit failed"
    assert float(lost.loc["e", "value"]) == pytest.approx(rate.mean(), rel=1e-9)  # by another model that has it
    draws = io.read(tmp_path / "answers.nc", contracts.ANSWERS)["rate"]["value"]
    np.testing.assert_allclose(draws.values[..., 0], rate, rtol=1e-6)


def test_answers_of_other_results_are_refused_and_the_table_says_so(folder, tmp_path):
    (tmp_path / "other").symlink_to(folder)
    table = answers_of(folder, tmp_path, ["other"], rate={"entry": "other", "value": "rate"})
    told = io.read(tmp_path / "answers.nc", contracts.ANSWERS).attrs
    assert told["status"] == "crashed"
    assert 'other/fit.nc: made with entry "e"' in told["reason"]
    assert list(failures.told(tmp_path / "answers.csv")) == [str(tmp_path / "answers.csv")]
    assert len(table) == 1
