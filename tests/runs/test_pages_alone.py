"""`tadpool report` makes pages of the results that are there, or says what is missing; it never
samples."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tadpool import __main__ as launcher


def report(folder, *arguments):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [str(folder / "bin" / "tadpool"), "report", *arguments, "--quiet", "host"]  # names every job
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def made(done):
    return set(re.findall(r"^(?:local)?rule (\w+):", done.stdout + done.stderr, re.MULTILINE))


@pytest.fixture
def folder(finished, tmp_path):
    return finished.copy(tmp_path / "copy").folder


def test_pages_are_made_again_and_nothing_else(folder):
    results = folder / "results"
    (results / "small" / "index.html").write_text("")
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*.nc")}
    done = report(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert made(done) == {"render_report", "render_index"}
    assert "Does it run?" in (results / "small" / "index.html").read_text()
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*.nc")} == before


def test_the_page_of_one_study(folder):
    done = report(folder, "small", "-n")
    assert (done.returncode, made(done)) == (0, {"render_report"}), done.stderr[-3000:]


def test_what_is_missing_is_a_sentence(folder):
    (folder / "results" / "small" / "pooled" / "loo.nc").unlink()
    (folder / "results" / "small" / "data.nc").unlink()
    page = (folder / "results" / "small" / "index.html").stat().st_mtime_ns
    done = report(folder)
    assert done.returncode == 1
    said = "The page of small cannot be made: 2 results of it are missing, such as results/small/"
    assert said in done.stderr
    assert done.stderr.endswith("; `tadpool` makes what is missing\n")
    assert "Traceback" not in done.stderr
    assert (folder / "results" / "small" / "index.html").stat().st_mtime_ns == page


def test_draws_that_were_not_kept_are_a_sentence(folder):
    study = folder / "config" / "studies" / "small.yaml"
    study.write_text(study.read_text() + "storage: {keep: summaries}\n")
    for fit in folder.glob("results/small/*/fit.nc"):
        fit.unlink()
    done = report(folder, "small")
    assert "The page of small cannot be made: its draws are not kept (`keep: summaries`)" in done.stderr


def test_results_of_another_config_are_not_shown(folder):
    done = report(folder, "--config", "seed=2")
    assert done.returncode == 1
    assert made(done) >= {"render_report"}
    assert re.search(r"check.json: made with another config|fit.nc: .*seed", done.stderr), done.stderr[-2000:]
    assert "rule fit:" not in done.stdout + done.stderr


def test_a_study_that_is_not_there_is_a_sentence(folder):
    done = report(folder, "smal")
    assert done.returncode == 1
    assert "did you mean 'results/small/index.html'?" in done.stderr


def test_report_and_quick_may_be_said_together():
    both = launcher.command(["report", "quick", "a", "-c2"])
    assert "--configfile" in both
    assert both[-2:] == ["--", "results/a/index.html"]
