"""A simulator in the working directory: what it may return, and recovery with it as with a built-in one."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from tadpool import ROOT
from tadpool.calibration import recovery_study
from tadpool.config import ConfigErrors, read
from tadpool.errors import UserError
from tadpool.files import contracts, io
from tadpool.files.data_file import merged
from tadpool.fitting import fit_job
from tadpool.fitting.job import Job
from tadpool.loading.preparation import prepare
from tadpool.modelling import binding
from tadpool.modelling.entry import Entry

SIMULATOR = """
import numpy as np
import xarray as xr

calls = []


def simulate(rng, *, clusters=4, spread=1.0):
    effect = rng.normal(0.0, spread, clusters)
    cluster = np.repeat(np.arange(clusters), 5)
    y = rng.normal(effect[cluster], 1.0)
    data = xr.Dataset(
        {"y": ("row", y), "cluster_index": ("row", cluster)}, coords={"row": range(len(y)), "cluster": range(clusters)}
    )
    truth = xr.Dataset({"spread": spread, "effect": ("cluster", effect)})
    return data, truth
"""
MODEL = """
import numpyro
import numpyro.distributions as dist


def model(cluster_index, n_cluster, n_row, y=None):
    spread = numpyro.sample("spread", dist.HalfNormal(2.0))
    with numpyro.plate("cluster", n_cluster):
        effect = numpyro.sample("effect", dist.Normal(0.0, spread))
    with numpyro.plate("row", n_row):
        numpyro.sample("y", dist.Normal(effect[cluster_index], 1.0), obs=y)
"""
STUDY = """
title: Own
question: Is the spread found?
dataset: own_clusters
arguments: {spread: 0.5}
outcomes: [y]
unit: row
groups: [cluster]
models: {partial: {model: own_partial}}
recovery:
  grid: {entries: [partial], over: {spread: [0.5, 1.0]}, sites: [spread, effect], replicates: 2}
calibration:
  partial: {entry: partial, simulations: 20}
"""
SAMPLER = {"chains": 2, "warmup": 50, "draws": 50, "target_accept": 0.8, "max_tree_depth": 10, "precision": "float64"}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A working directory with a simulator (changed: old -> new text), a model and a study."""
    monkeypatch.chdir(tmp_path)
    for name in ("datasets", "models", "config/studies"):
        (tmp_path / name).mkdir(parents=True)

    def write(changes=None):
        source = SIMULATOR
        for old, new in (changes or {}).items():
            assert old in source
            source = source.replace(old, new)
        (tmp_path / "datasets" / "own_clusters.py").write_text(source)
        (tmp_path / "models" / "own_partial.py").write_text(MODEL)
        (tmp_path / "config" / "studies" / "own.yaml").write_text(STUDY)
        return lambda **arguments: prepare("own_clusters", arguments, ["y"], "own", 1, ["row", "cluster"])

    return write


def test_data_and_truth_follow_the_seed_alone(own):
    prepared = own()
    one, again = prepared(), prepared()
    for group in ("observed_data", "truth"):
        xr.testing.assert_identical(one[group].to_dataset(), again[group].to_dataset())
    assert float(one["truth"]["spread"]) == 1.0
    assert binding.bind("own_partial", merged(one)).latents == ("spread", "effect")


RETURN = "return data, truth"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({RETURN: "return data"}, "simulate() returns a Dataset; return two xarray.Dataset: data, truth"),
        ({RETURN: "return data, {'spread': spread}"}, "simulate() returns 2 values (Dataset, dict); "
         "return two xarray.Dataset: data, truth"),
        ({RETURN: "pass"}, "simulate() returns nothing; return two xarray.Dataset: data, truth"),
        ({RETURN: "return data, truth.assign(kind='a')"}, "the truth of kind has the type <U1, but a parameter is a "
         "number; correct"),
        ({"y = rng.normal": "y = np.random.default_rng().normal"}, "two calls of simulate() with equal generators differ in y; "
         "draw all random numbers from rng"),
        ({RETURN: "calls.append(1)\n    return data, truth + len(calls)"}, "two calls of simulate() with equal generators "
         "differ in the truth of spread;"),
        ({"rng.normal(0.0": "rng.nomal(0.0"}, "line 9: simulating failed: AttributeError: "),
    ],
)  # fmt: skip
def test_a_simulator_that_cannot_serve_is_a_sentence(own, changes, sentence):
    prepared = own(changes)
    with pytest.raises(UserError) as caught:
        prepared()
    assert str(caught.value).startswith(
        f"datasets/own_clusters.py{',' if sentence.startswith('line') else ':'} {sentence}"
    )
    assert len(str(caught.value).splitlines()) == 1


def test_an_outcome_without_the_unit_is_a_sentence(own):
    prepared = own({'{"y": ("row", y)': '{"y": ("cluster", effect)'})
    with pytest.raises(UserError) as caught:
        prepared()
    assert str(caught.value) == (
        "dataset own_clusters: the outcome y has cluster, but not row, the unit of the study; add this dim"
    )


def test_a_truth_of_another_size_is_a_sentence_before_sampling(own, tmp_path):
    prepared = own({'("cluster", effect)}': '("cluster", effect[:3])}'})
    tree = prepared()
    tree.attrs["provenance"] = "{}"
    io.write(tmp_path / "data.nc", tree, contracts.DATA)
    entry = Entry(1, "own", "partial", "own_partial", outcomes=["y"], unit="row")
    with pytest.raises(UserError) as caught:
        fit_job.fit(Job(str(tmp_path / "fit.nc"), "{}", 2, data=str(tmp_path / "data.nc")), entry, SAMPLER)
    assert str(caught.value) == (
        "the truth of effect has the dims cluster (3), but the site has cluster, 4 in all; give both the same dims"
    )


def test_recovery_fits_data_of_an_own_simulator(own, tmp_path):
    """Truths are those of the grid; 4 fits of 2 x 50 draws."""
    own()
    recovery_study.recover(
        Job(str(tmp_path / "recovery.nc"), "{}", 2), Entry(1, "own", "partial", "own_partial", outcomes=["y"]),
        dataset="own_clusters", arguments={"clusters": 3}, over={"spread": [0.5, 1.0]}, replicates=2,
        sites=["spread", "effect"], sampler=SAMPLER,
    )  # fmt: skip
    estimates = io.read(tmp_path / "recovery.nc", contracts.RECOVERY)["estimates"].to_dataset()
    assert estimates["parameter"].values.tolist() == ["spread", "effect[0]", "effect[1]", "effect[2]"]
    assert estimates["truth"].sel(parameter="spread").values.tolist() == [[0.5, 0.5], [1.0, 1.0]]
    assert np.isfinite(estimates["mean"]).all()


def test_a_simulator_without_a_generator_is_refused_with_the_config(own, tmp_path):
    own({"simulate(rng, *, clusters=4, spread=1.0)": "simulate()"})
    with pytest.raises(ConfigErrors) as caught:
        read()
    assert "dataset: 'own_clusters': own_clusters.py: simulate() takes no arguments; write simulate(rng)" in str(
        caught.value
    )


def test_a_study_of_an_own_simulator_is_planned(own, tmp_path):
    own()
    command = [sys.executable, "-m", "snakemake", "-n", "-s", ROOT / "Snakefile", "--directory", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    for path in ("data.nc", "partial/fit.nc", "recovery/grid/partial.nc", "calibration/partial.nc"):
        assert f"results/own/{path}" in done.stdout + done.stderr
