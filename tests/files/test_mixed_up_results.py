"""A result of another study, entry or data set is refused by whatever reads it, in a sentence."""

import json
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from tadpool import ROOT
from tadpool.config import read
from tadpool.errors import UserError
from tadpool.files import contracts, io, provenance
from tadpool.files.results import StudyResults
from tadpool.workflow.specs import Specs

MODELS = {"one": {"model": "m", "hyperparameters": {"scale": 1.0}}, "two": {"model": "m", "hyperparameters": {}}}
SAMPLER = {"chains": 4, "draws": 1000}
CONFIG = {
    "models": MODELS,
    "outcomes": ["y"],
    "unit": "row",
    "comparisons": {"main": {"entries": ["one", "two"], "target": "unit"}},
    "sweeps": {"grid": {}},
    "calibration": {"c": {"entry": "one", "simulations": 100}},
    "recovery": {"r": {"replicates": 5}},
}
SPEC = {
    "study": "s",
    "outcomes": ["y"],
    "unit": "row",
    "entry": "one",
    "hyperparameters": {"scale": 1.0},
    "seed": 1,
    "sampler": SAMPLER,
    "budget": 0.0,
}
READ = {
    "one/prior.nc": lambda results: results.prior("one"),
    "one/fit.nc": lambda results: results.fit("one"),
    "one/loo.nc": lambda results: results.loo("one"),
    "one/logo_g.nc": lambda results: results.loo("one", "g"),
    "one/sensitivity.nc": lambda results: results.sensitivity("one"),
    "one/predictions.nc": lambda results: results.predictions("one"),
    "one/check.json": lambda results: results.check("one"),
    "sweeps/grid/fit.nc": lambda results: results.sweep_fit("grid"),
    "sweeps/grid/loo.nc": lambda results: results.sweep_loo("grid"),
    "sweeps/grid/check.json": lambda results: results.sweep_check("grid"),
    "calibration/c.nc": lambda results: results.calibration("c"),
    "recovery/r/one.nc": lambda results: results.recovery("r", "one"),
}
OTHERS = {
    "study": ({"study": "t"}, 'made with study "t", but "s" is expected here'),
    "outcomes": ({"outcomes": ["z"]}, 'made with outcomes ["z"], but ["y"] is expected here'),
    "unit": ({"unit": "tray"}, 'made with unit "tray", but "row" is expected here'),
    "data": ({}, "made from data other than this study's data.nc"),
    "entry": ({"entry": "two"}, 'made with entry "two", but'),
    "hyperparameters": ({"hyperparameters": {"scale": 2.0}}, 'made with hyperparameters {"scale":2.0}, but {"scale":1.0}'),
    "seed": ({"seed": 2}, "made with seed 2, but 1 is expected here"),
    "draws": ({"sampler": {"chains": 4, "draws": 50}}, 'made with sampler {"chains":4,"draws":50}, but'),
    "scored group": ({"group": "h"}, 'made with scored group "h", but'),
    "simulations": ({"simulations": 9}, "made with simulations 9, but 100 is expected here"),
    "replicates": ({"replicates": 9}, "made with replicates 9, but 5 is expected here"),
}  # fmt: skip
OF_ENTRIES = ("one/", "sweeps/", "calibration/", "recovery/")
ONLY = {
    "hyperparameters": ("one/",),
    "draws": ("one/",),
    "scored group": ("one/loo", "one/logo", "sweeps/grid/loo"),
    "simulations": ("calibration/",),
    "replicates": ("recovery/",),
}
CASES = [
    (path, what)
    for path in READ
    for what in OTHERS
    if not (what == "entry" and not path.startswith(OF_ENTRIES)) and path.startswith(ONLY.get(what, ""))
]


def write(folder, path, spec, data):
    record = provenance.record(spec, "c" * 64, data)
    if path.endswith(".json"):
        io.write_json(folder / path, {"verdict": "pass", "reasons": [], "provenance": record})
        return
    attributes = {
        "status": "crashed",
        "reason": "r",
        "attempts": "[]",
        "relations": "{}",
        "over": "",
        "verdict": "fail",
    }
    tree = xr.DataTree(xr.Dataset(attrs={**attributes, "reasons": "[]", "provenance": record}))
    io.write(folder / path, tree, contracts.CRASHED)


def data_of(folder, value):
    tree = xr.DataTree.from_dict({"observed_data": xr.Dataset({"y": ("row", [value])})})
    tree.attrs["provenance"] = provenance.record({"study": "s", "outcomes": ["y"]}, "c" * 64)
    io.write(folder / "data.nc", tree, contracts.DATA)
    return folder / "data.nc"


@pytest.mark.parametrize(("path", "what"), CASES)
def test_a_result_of_something_else_is_refused(tmp_path, path, what):
    data, other = data_of(tmp_path / "s", 1.0), data_of(tmp_path / "other", 2.0)
    own = SPEC | ({"entry": "sweeps/grid"} if path.startswith("sweeps/") else {})
    own |= {"group": "g"} if "logo_g" in path else {}
    write(tmp_path / "s", path, own, data)
    READ[path](StudyResults("s", CONFIG, tmp_path / "s", 1, {"one": SAMPLER}))
    changes, words = OTHERS[what]
    write(tmp_path / "s", path, own | changes, other if what == "data" else data)
    with pytest.raises(UserError) as caught:
        READ[path](StudyResults("s", CONFIG, tmp_path / "s", 1, {"one": SAMPLER}))
    assert str(caught.value).startswith(f"{tmp_path / 's' / path}: {words}")
    assert str(caught.value).endswith("delete it and run again")


def test_the_data_of_another_study_are_refused(tmp_path):
    data_of(tmp_path, 1.0)
    with pytest.raises(UserError, match='made with study "s", but "t" is expected here'):
        _ = StudyResults("t", CONFIG, tmp_path).data


@pytest.mark.parametrize("name", ["data", "fit", "prior"])
def test_a_job_does_not_begin_with_a_result_of_something_else(tmp_path, name):
    from tadpool.workflow import child_process

    data = data_of(tmp_path, 1.0)
    own = provenance.record(SPEC, "d" * 64, data)
    write(tmp_path, "mine.nc", SPEC, data)
    write(tmp_path, "other.nc", SPEC | {"study": "t"}, data)
    child_process._require_own(
        {"provenance": own, "data": str(data), name: str(tmp_path / "mine.nc")}, json.loads(own)["spec"]
    )
    with pytest.raises(UserError, match=r'other\.nc: made with study "t", but "s" is expected here'):
        child_process._require_own({"provenance": own, name: str(tmp_path / "other.nc")}, json.loads(own)["spec"])


@pytest.mark.parametrize("name", ["data.nc", "one/prior.nc", "one/fit.nc", "sweeps/grid/loo.nc", "calibration/c.nc"])
@pytest.mark.parametrize("key", ["config", "code"])
def test_a_result_of_another_config_or_table_is_named_with_all_others(tmp_path, name, key):
    data = data_of(tmp_path, 1.0)
    own = SPEC | ({"entry": "sweeps/grid"} if name.startswith("sweeps/") else {})
    if name != "data.nc":
        write(tmp_path, name, own, data)
    made = json.loads(io.made_from(tmp_path / name))
    config = CONFIG | {"comparisons": {}}
    StudyResults("s", config, tmp_path, made_with={name: {key: made[key]}}).require_own()
    other = {name: {key: "0" * 64}, "two/fit.nc": {"config": "0" * 64}}
    write(tmp_path, "two/fit.nc", SPEC | {"entry": "two", "hyperparameters": {}}, data)
    with pytest.raises(UserError) as caught:
        StudyResults("s", config, tmp_path, made_with=other).require_own()
    words = {"config": "another config than that of this run", "code": "other tables or code"}
    assert str(caught.value).split("\n") == [
        f"{tmp_path / name}: made with {words[key]}; delete it and run again",
        f"{tmp_path / 'two/fit.nc'}: made with {words['config']}; delete it and run again",
    ]


RANKINGS = {
    "its own": ({}, True),
    "another entry": ({"model": ["one", "three"]}, False),
    "one entry": ({"model": ["one", "one"]}, False),
    "another target": ({"target": "g"}, False),
    "other scores": ({"elpd": [-1.0, -2.5]}, False),
    "a score of a fit without": ({"elpd": [-1.0, -2.0]}, False),
    "no numbers": ({"elpd": None}, True),
}


@pytest.mark.parametrize(("changes", "own"), RANKINGS.values(), ids=RANKINGS)
def test_a_ranking_of_something_else_is_refused(tmp_path, changes, own):
    data = data_of(tmp_path, 1.0)
    record = provenance.record(SPEC, "c" * 64, data)
    numbers = dict.fromkeys(contracts.LOO.groups["loo"].variables, 0.0) | {"total_elpd": -1.0}
    tree = xr.DataTree.from_dict({"loo": xr.Dataset(numbers)})
    tree.attrs.update(status="ok", provenance=record)
    io.write(tmp_path / "one/loo.nc", tree, contracts.LOO)
    write(tmp_path, "two/loo.nc", SPEC | {"entry": "two", "hyperparameters": {}}, data)
    table = pd.DataFrame({"model": ["one", "two"], "target": "unit", "elpd": [-1.0, None]}).assign(**changes)
    io.write_csv(tmp_path / "comparisons/main.csv", table)
    results = StudyResults("s", CONFIG, tmp_path)
    with (
        nullcontext() if own else pytest.raises(UserError, match="its entries, target or scores are not those of this")
    ):
        results.require_own()


def test_figures_of_other_results_are_refused(tmp_path):
    data_of(tmp_path, 1.0)
    results = StudyResults("s", CONFIG | {"comparisons": {}}, tmp_path)
    io.write_json(tmp_path / "figures/drawn_from.json", results.drawn_from())
    results.require_own()
    data_of(tmp_path, 2.0)
    with pytest.raises(UserError, match="figures: drawn from other results; delete it and run again"):
        results.require_own()


def test_pages_of_another_config_are_made_again(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    specs = Specs(read({"seed": 1, "studies": ["cookies"]}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(specs, "_made_with", lambda study: {"data.nc": {"config": study}})
    run = Path("results/cookies/run.json")
    for made_with, again in {"cookies": False, "other": True}.items():
        io.write_json(run, {"made_with": provenance.config_digest({"data.nc": {"config": made_with}})})
        specs.remake_pages()
        assert (run.stat().st_mtime == 1) == again


def test_an_entrys_label_is_on_one_line(tmp_path):
    config = {"models": {"one": {"label": "No\n pooling\tat all"}, "two_b": {"label": None}}}
    results = StudyResults("s", config, tmp_path)
    assert [results.label(entry) for entry in results.entries] == ["No pooling at all", "two b"]
