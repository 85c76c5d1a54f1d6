"""The command `tadpool`: what it refuses before Snakemake starts."""

import pytest

from tadpool import ROOT
from tadpool.__main__ import command, main, misplaced, runs_jobs, without_study


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--config", "seed=2"], None),
        (["--config", "seed=2", "results/a/data.nc"], "results/a/data.nc"),
        (["results/a/data.nc", "--config", "seed=2"], None),
        (["--config", "seed=2", "--", "results/a/data.nc"], None),
        (["-C", "seed=2", "-n", "results/a/data.nc"], None),
    ],
)
def test_a_target_that_config_would_take_is_found(arguments, found):
    assert misplaced(arguments) == found


def test_a_target_after_config_is_one_sentence(capsys):
    assert main(["--config", "seed=2", "results/a/data.nc"]) == 2
    assert "not results/a/data.nc; put targets first, or after `--`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        ([], True),
        (["quick", "-c4", "results/a/data.nc", "--config", "seed=2", "--configfile=a.yaml"], True),
        (["-c", "4", "-F", "--", "all"], True),
        (["-n"], False),
        (["-nF"], False),
        (["-c4", "--dry-run"], False),
        (["--list-rules"], False),
        (["--unlock"], False),
        (["--report", "a.html"], False),
        (["--profile", "slurm"], False),
    ],
)
def test_only_a_run_on_this_machine_begins_to_import_at_once(arguments, runs):
    assert runs_jobs(arguments) == runs


@pytest.mark.parametrize(
    ("arguments", "brief"), [(["quick", "results/a/data.nc"], True), (["--quiet", "host"], False), (["-n"], False)]
)
def test_a_run_leaves_out_the_files_of_each_job_unless_its_output_is_asked_for(arguments, brief):
    made = command(arguments)
    at = made.index("--snakefile")
    assert (made[at - 4 : at] == ["--quiet", "host", "rules", "reason"]) == brief


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], True),
        (["quick", "-c2", "-n"], True),
        (["run", "--cores", "all"], True),
        (["--config", "studies=[cookies]"], False),
        (["--configfile", "mine.yaml"], False),
        (["results/cookies/data.nc"], False),
        (["--directory", "mine"], False),
    ],
)
def test_a_folder_without_a_study_is_told_how_to_begin_one(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (without_study(arguments) is not None) == told
    (tmp_path / "config" / "studies").mkdir(parents=True)
    (tmp_path / "config" / "studies" / "mine.yaml").write_text("")
    assert without_study(arguments) is None
    monkeypatch.chdir(ROOT)
    assert without_study(arguments) is None
