"""A folder of one's own: what `new` writes, and own data, models and helpers, far from the
workflow's folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tadpool import ROOT, config
from tadpool import __main__ as launcher
from tadpool.errors import UserError
from tadpool.files import io
from tadpool.workflow import new
from tests.made.workflows import copy_to

HELPER = "SCALE = 10.0\n"
MODEL = '''"""$$y \\\\sim f$$ Source: made up."""
import numpyro
import numpyro.distributions as dist

from own_helper import SCALE

def model(n_nest, eggs=None):
    rate = numpyro.sample("rate", dist.Exponential(1 / SCALE))
    with numpyro.plate("nest", n_nest):
        numpyro.sample("eggs", dist.Poisson(rate), obs=eggs)
'''
DATASET = '''"""Eggs in nests (made up)."""
import xarray as xr

from tadpool.loading.columns import integers

TABLES = ("Brutplätze.csv",)

def load(tables):
    eggs = integers(tables["Brutplätze.csv"], "Zahl der Eier", at_least=0)
    return xr.Dataset({"eggs": ("nest", eggs, {"long_name": "eggs"})}, coords={"nest": range(1, len(eggs) + 1)})
'''
STUDY = """
title: Brutplätze
question: How many eggs are in a nest?
dataset: nests
outcomes: [eggs]
unit: nest
models: {own: {model: own_model}}
figures: {eggs: {kind: histogram, section: data, variable: eggs, caption: "Look at the mean of {mean:.1f}."}}
"""


def tadpool(workflow, *arguments):
    """The command in a folder, as somebody types it who has this Python active."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [str(workflow.source / "bin" / "tadpool"), *arguments]
    return subprocess.run(command, cwd=workflow.folder, env=environment, capture_output=True, text=True, check=False)


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A run in a folder of one's own, both paths with a blank and letters beyond ASCII; what it
    printed."""
    place = tmp_path_factory.mktemp("places")
    workflow = copy_to(place / "tad pools ü")
    mine = type(workflow)(workflow.source, place / "Mappe für Étude")
    (mine.folder / "before").mkdir(parents=True)
    untouched = files(mine.source)
    begun = tadpool(mine, "new", "trial")
    assert begun.returncode == 0, begun.stderr
    for name, text in {
        "config/studies/own.yaml": STUDY,
        "datasets/nests.py": DATASET,
        "models/own_model.py": MODEL,
        "models/own_helper.py": HELPER,
        "data/Brutplätze.csv": "Zahl der Eier\n4\n6\n5\n3\n",
    }.items():
        (mine.folder / name).parent.mkdir(exist_ok=True)
        (mine.folder / name).write_text(text, encoding="utf-8")
    done = tadpool(mine, "quick", "--config", "compare_with=before")
    assert files(mine.source) == untouched, "a run writes into the workflow's own folder"
    return mine, done


def test_what_new_writes_runs_to_a_page(elsewhere):
    mine, done = elsewhere
    assert done.returncode == 0, done.stderr[-3000:]
    page = (mine.folder / "results" / "trial" / "index.html").read_text()
    assert "How much do the groups differ" in page
    for entry in ("varying", "wide"):
        assert io.read_json(mine.folder / "results" / "trial" / entry / "check.json")["verdict"] in ("pass", "warn")
    assert (mine.folder / "results" / "trial" / "varying" / "predictions.nc").exists()


def test_own_data_models_helpers_and_figures_are_used(elsewhere):
    mine, _ = elsewhere
    page = (mine.folder / "results" / "own" / "index.html").read_text()
    assert "Look at the mean of 4.5." in page
    assert "before" in page.partition('<section id="changes">')[2].partition("</section>")[0]
    assert io.read_json(mine.folder / "results" / "own" / "own" / "check.json")["verdict"] in ("pass", "warn")


def test_a_second_run_elsewhere_has_nothing_to_do_and_a_helper_counts(elsewhere):
    """The workflow's own profile is in force, so a touched file re-runs nothing."""
    mine, _ = elsewhere
    (mine.folder / "models" / "own_model.py").touch()
    quick = ("quick", "--config", "compare_with=before", "-n")
    assert "Nothing to be done" in tadpool(mine, *quick).stdout
    (mine.folder / "models" / "own_helper.py").write_text(HELPER.replace("10", "12"))
    planned = tadpool(mine, *quick).stdout
    assert re.search(r"^fit +1$", planned, re.MULTILINE)
    (mine.folder / "models" / "own_helper.py").write_text(HELPER)


OUTER = """
module tadpool:
    snakefile: "{workflow}/Snakefile"
    config: {{"quick": {{"chains": 2, "warmup": 150, "draws": 200}}, "compare_with": "before"}}

use rule * from tadpool
"""


def test_a_workflow_that_imports_it_finds_the_same_files(elsewhere):
    """Its jobs are those of the run, so that nothing is left to do. The profile has to be named: it
    is not imported."""
    mine, _ = elsewhere
    (mine.folder / "outer.smk").write_text(OUTER.format(workflow=mine.source), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "-s", "outer.smk", "-n", "--cores", "2"]
    command += ["--workflow-profile", str(mine.source / "profiles" / "default")]
    done = subprocess.run(command, cwd=mine.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout


def test_keys_that_the_study_offers_in_comments_are_valid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study, model, table = new.write("trial", tmp_path)
    text = study.read_text()
    offered = len(re.findall("^#- ", text, re.MULTILINE))
    study.write_text(re.sub("^#- ", "", text, flags=re.MULTILINE))
    table.write_text(table.read_text().replace("note", "age"))
    read = config.read().studies["trial"]
    assert offered == len(re.findall("^#- ", (new.SKELETON / "study.yaml").read_text(), re.MULTILINE)) > 4
    assert set(read.dataset.columns) == {"response", "dose", "group", "age"}
    assert list(read.sweeps["slope"].points()) == [0.5, 1.625, 2.75, 3.875, 5.0]
    assert read.sampler.draws == 2000
    assert "NAME" not in text + model.read_text()
    assert Path(text.partition("file://")[2].partition("\n")[0]) == ROOT / "config" / "study.schema.json"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a b", "'a b' is not a valid name: a name has at most 64 characters, letters, digits, _ and -"),
        ("../x", "'../x' is not a valid name"),
        ("", "'' is not a valid name"),
        ("Sweeps", "the name 'Sweeps' is reserved for a folder of results; choose another name"),
        ("Radon", "'Radon' is the name of a built-in file, config/studies/radon.yaml; choose another name"),
        ("frogs_predator", "'frogs_predator' is the name of a built-in file, tadpool/models/frogs_predator.py"),
        ("trolley_cases", "'trolley_cases' is the name of a built-in file, data/trolley_cases.csv"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_and_nothing_written(name, words, tmp_path, capsys):
    assert new.main(["--folder", str(tmp_path), "--", name]) == 1
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["config/studies/trial.yaml", "models/trial.py", "data/trial.csv"])
def test_nothing_is_overwritten(file, tmp_path):
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text("mine")
    with pytest.raises(UserError, match=f"{file} exists and is not overwritten"):
        new.write("trial", tmp_path)
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["mine"]


def test_a_place_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="choose a folder that is writable"):
        new.write("trial", tmp_path / "file")


def test_new_says_what_to_type_next(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert new.main(["trial", "--folder", "my studies"]) == 0
    assert f"  cd 'my studies'\n  {ROOT}/bin/tadpool\n" in capsys.readouterr().out
    Path("my studies/config/config.yaml").write_text("seed: 2")
    assert new.main(["another", "--folder", "my studies"]) == 0
    assert "/bin/tadpool --config 'studies=[another]'\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "cores"),
    [
        (["-n"], True),
        (["run"], True),
        (["-c2"], False),
        (["--config", "seed=2"], True),
        (["--profile", "x"], False),
        (["quick"], True),
    ],
)
@pytest.mark.parametrize("targets", [[], ["--", "results/a/data.nc"], ["--", "-c"]])
def test_all_cores_are_used_unless_something_is_said(given, cores, targets):
    command = launcher.command([*given, *targets])
    options, last = (command[: -len(targets)], command[-len(targets) :]) if targets else (command, [])
    assert (options[-2:] == ["--cores", "all"]) is cores
    assert last == targets
    assert not {"quick", "run"} & set(command)


def test_a_profile_of_tadpool_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["--profile", "slurm", "-n"]
    command = launcher.command(given)
    assert command[-3:] == ["--profile", str(ROOT / "profiles" / "slurm"), "-n"]
    assert given[1] == "slurm"
    assert launcher.command(["--profile", "mine"])[-1] == "mine"
    (tmp_path / "slurm").mkdir()
    assert launcher.command(["--profile", "slurm"])[-1] == "slurm"


def test_help_names_what_there_is_beside_options_of_snakemake(capsys):
    assert launcher.main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(
        re.search(rf"tadpool {word}\b", said)
        for word in ("run", "quick", "plan", "new", "-n", "verify", "doctor", "--version")
    )


def test_without_snakemake_a_sentence_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert launcher.main([]) == 1
    assert f"run `make setup` in {ROOT}" in capsys.readouterr().err
