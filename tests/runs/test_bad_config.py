"""What a user sees of a mistake in the config: sentences, no traceback, a failed command."""

import subprocess
import sys

import pytest

from tadpool import ROOT, config

FIRST = "The config has mistakes; nothing was run."


def dry_run(folder, *arguments):
    """`snakemake -n` in a user's own folder."""
    command = [sys.executable, "-m", "snakemake", "-n", "-s", ROOT / "Snakefile", "--directory", folder, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, check=False)


def assert_sentences(done, *sentences):
    """The sentences are the last that is said, and the command failed."""
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.splitlines()[-len(sentences) - 1 :] == [FIRST, *sentences]


def test_mistakes_in_files(folder):
    (folder / "config" / "config.yaml").write_text("sampler: {draws: 0}\nstudies: [mine, cookeis]\n")
    (folder / "config" / "studies" / "mine.yaml").write_text("title: [\n")
    done = dry_run(folder)
    assert_sentences(
        done,
        "config/config.yaml: sampler.draws: 0 is too small; give at least 10",
        "config/studies/mine.yaml: line 2: expected the node content, but found '<stream end>'; correct the YAML there",
        "config/config.yaml: studies: 'cookeis': there is no file config/studies/cookeis.yaml; did you mean 'cookies'?",
    )


def test_mistakes_on_the_command_line_and_in_a_file_given_there(folder):
    (folder / "quick.yaml").write_text("sampler: {chains: 1, target_accept: .nan}\n")
    start = "--config or --configfile: "
    given = ("sead=2", "compile_cache=false", "sampler={draws: 500}", "studies=[cookies]")
    assert_sentences(
        dry_run(folder, "--configfile", "quick.yaml", "--config", *given),
        f"{start}sampler.target_accept: .nan is not a finite number; give a finite number",
        f"{start}sampler.chains: 1 is too small; give at least 2",
        f"{start}sampler.draws: '500' (text) is not a whole number; inside --config every nested value is text: "
        "write it in a file and pass that with --configfile",
        f"{start}compile_cache: 'false' (text) is not true or false; write compile_cache=False",
        f"{start}sead: there is no such key; did you mean 'seed'?",
    )


def test_a_folder_in_place_of_the_config(folder, monkeypatch):
    (folder / "config" / "config.yaml").mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(config.ConfigErrors) as caught:
        config.read()
    assert caught.value.problems == ["config/config.yaml: it is a folder; put a YAML file in its place"]


def test_a_good_config_on_the_command_line_and_a_study_of_the_user(folder):
    text = (ROOT / "config" / "studies" / "cookies.yaml").read_text()
    (folder / "config" / "studies" / "mine.yaml").write_text(text)
    (folder / "quick.yaml").write_text("sampler: {draws: 50}\n")
    done = dry_run(folder, "--configfile", "quick.yaml", "--config", "seed=2", "studies=[mine]")
    assert done.returncode == 0, done.stderr
    assert "results/mine/pooled/fit.nc" in done.stdout + done.stderr
    assert "results/cookies" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("targets", "known"),
    [
        (["results/cookeis/data.nc"], "did you mean 'results/cookies/data.nc'?"),
        (["results/cookies/poled/fit.nc", "fit.nc"], "did you mean 'results/cookies/pooled/fit.nc'?"),
        (["quik"], "did you mean 'quick'?"),
        (["--", "results/cookies/index.htm"], "did you mean 'results/cookies/index.html'?"),
        (["data/cookies.csv"], "`tadpool -n` lists the files that a run makes"),
    ],
)
def test_a_target_that_no_study_has_is_a_sentence(folder, targets, known):
    done = dry_run(folder, "--config", "studies=[cookies]", "--cores=1", *targets)
    assert done.returncode != 0
    first = next(each for each in targets if not each.startswith("-"))
    assert f"There is no target {first!r}; {known}\n" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
