"""The workflow from table to page: the same bytes everywhere, and a second run with nothing to
do."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tadpool import ROOT
from tadpool.files import contracts, io
from tadpool.verification.parts import PARTS
from tests.made.workflows import CONFIG, STUDY, digests


def test_every_promised_file_is_there(finished):
    results = finished.folder / "results"
    for name in [
        "index.html", "gate.json", "small/index.html", "small/data.nc", "small/pooled/prior.nc", "small/pooled/fit.nc",
        "small/pooled/check.json", "small/pooled/loo.nc", "small/pooled/sensitivity.nc", "small/unpooled/predictions.nc",
        "small/sweeps/shape/fit.nc", "small/run.json", "small/answers.nc", "small/answers.csv",
        "small/sweeps/shape/loo.nc", "small/sweeps/shape/check.json", "small/comparisons/main.csv",
        "small/figures/figures.json", "small/logs/pooled/fit.log", "small/benchmarks/pooled/fit.tsv",
    ]:  # fmt: skip
        assert (results / name).stat().st_size > 0, name
    listed = io.read_json(results / "small" / "figures" / "figures.json")
    assert listed
    for figure in listed:
        assert (results / "small" / "figures" / f"{figure['name']}.svg").exists()
        assert (results / "small" / "figures" / f"{figure['name']}.csv").exists()


def test_a_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.run().stderr


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux has them")
def test_jobs_are_forked_and_the_benchmarks_say_what_they_used(finished):
    """What is imported already takes no time: most jobs would need two seconds for it."""
    rows = {}
    for path in (finished.folder / "results").rglob("*.tsv"):
        (rows[path.stem],) = csv.DictReader(path.read_text().splitlines(), delimiter="\t")
    assert all(100 < float(row["max_rss"]) < 3000 for row in rows.values())
    assert all(0 < float(row["cpu_time"]) < 3 * float(row["s"]) + 1 for row in rows.values())
    quick = {name: float(rows[name]["cpu_time"]) for name in ("prepare_data", "check", "main", "render_index", "gate")}
    assert max(quick.values()) < 1.5, quick


def test_another_folder_and_one_core_give_the_same_bytes(finished, tmp_path):
    """In a user's own folder, through --directory, on one core and with no compiled programs to
    hand."""
    mine = tmp_path / "a folder with spaces"
    (mine / "config" / "studies").mkdir(parents=True)
    (mine / "config" / "config.yaml").write_text(CONFIG)
    (mine / "config" / "studies" / "small.yaml").write_text(STUDY)
    elsewhere = type(finished)(ROOT, mine)
    elsewhere.run("--config", "compile_cache=False", cores=1)
    one, other = digests(finished.folder), digests(mine)
    assert one.keys() == other.keys()
    assert len(one) > 20
    assert [name for name in one if one[name] != other[name]] == []


def test_snakemakes_own_report_holds_pages_figures_and_tables(finished, tmp_path):
    workflow = finished.copy(tmp_path / "tadpool")
    study = STUDY.replace("title: Small", "title: '</script><script>alert(1)</script>'")
    (workflow.folder / "config" / "studies" / "small.yaml").write_text(study)
    workflow.run("--report", "report.html")
    text = (workflow.folder / "report.html").read_text()
    captions = sorted((ROOT / "report" / "captions").glob("*.rst"))
    assert len(captions) == 6
    for path in captions:
        assert path.read_text().split(".")[0] in text, path.name
    for category in ("Pages", "Figures", "Comparisons", "Records", "Answers"):
        assert f'"{category}"' in text
    figures = io.read_json(workflow.folder / "results" / "small" / "figures" / "figures.json")
    assert [figure["name"] for figure in figures if f"{figure['name']}.svg" not in text] == []
    assert "\\u003c/script>" in text
    assert "<script>alert(1)" not in text


def test_results_name_their_origin_and_no_place(finished):
    for path in sorted((finished.folder / "results" / "small").rglob("*.nc")):
        content = path.read_bytes()
        for word in (str(finished.folder), os.uname().nodename * (len(os.uname().nodename) > 3) or "\0never\0"):
            assert word.encode() not in content, f"{path.name} holds {word}"
    tree = io.read(finished.folder / "results" / "small" / "pooled" / "fit.nc", contracts.FIT)
    record = json.loads(tree.attrs["provenance"])
    assert record["seed"] == 1
    assert record["spec"]["model"] == "cookies_pooled"
    assert len(record["data"]) == 64


def test_another_workflow_imports_it_as_a_module(finished, tmp_path):
    outer = tmp_path / "outer"
    shutil.copytree(
        finished.folder / "config", outer / "config", ignore=shutil.ignore_patterns("cookies*", "reedfrogs*")
    )
    (outer / "Snakefile").write_text(
        textwrap.dedent(f"""
            module tadpool:
                snakefile: "{ROOT / "Snakefile"}"
                config: {{"seed": 5}}

            use rule * from tadpool as tadpool_*

            rule all:
                default_target: True
                input: "results/small/comparisons/main.csv", "copied.txt"

            rule mine:
                input: "results/small/pooled/check.json"
                output: "copied.txt"
                shell: "cp {{input}} {{output}}"
            """)
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    done = subprocess.run(command, cwd=outer, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((outer / "copied.txt").read_text())["verdict"] in ("pass", "warn")
    tree = io.read(outer / "results" / "small" / "pooled" / "fit.nc", contracts.FIT)
    assert json.loads(tree.attrs["provenance"])["seed"] == 5


BROKEN = '''"""Fails as told. $$x$$ Source: none."""
import os
import signal
from pathlib import Path

import numpyro
import numpyro.distributions as dist


def model(n_cookie, chips=None, *, fails=False):
    if Path("kill").exists() and chips is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    rate = numpyro.sample("rate", dist.Gamma(2.0, 0.2))
    with numpyro.plate("cookie", n_cookie):
        # The data lie outside the support of the second one, wherever the prior is.
        likely, impossible = dist.Poisson(rate), dist.Uniform(0.0, 1e-6 * rate, validate_args=True)
        numpyro.sample("chips", impossible if fails else likely, obs=chips)
'''


@pytest.fixture
def broken(finished, tmp_path):
    """The finished study and a model that fails: numerically, or by SIGKILL where a file `kill`
    exists."""
    workflow = finished.copy(tmp_path / "tadpool")
    (workflow.folder / "models").mkdir()
    (workflow.folder / "models" / "broken.py").write_text(BROKEN)
    return workflow


def study_with(entry):
    return STUDY.replace("sweeps:", f"  broken: {entry}\nsweeps:").replace(
        "[pooled, unpooled]", "[pooled, unpooled, broken]"
    )


def test_a_fit_that_fails_numerically_fails_the_gate_alone(broken):
    study = broken.folder / "config" / "studies" / "small.yaml"
    study.write_text(study_with("{model: broken, hyperparameters: {fails: true}}"))
    done = broken.run(check=False)
    assert done.returncode != 0
    assert "results/small/broken failed: Sampling failed: 2 of 2 chains found no valid starting point" in done.stderr
    assert "Traceback" not in done.stderr
    check = io.read_json(broken.folder / "results" / "small" / "broken" / "check.json")
    assert check["verdict"] == "fail"
    page = (broken.folder / "results" / "small" / "index.html").read_text()
    assert "found no valid starting point" in page
    rows = (broken.folder / "results" / "small" / "comparisons" / "main.csv").read_text().splitlines()
    assert rows[3].startswith("broken,unit,,")
    assert broken.plan() == {"gate": 1}, "a failure that the same input brings again is not tried again"
    study.write_text(
        study_with('{model: broken, hyperparameters: {fails: true}, expect: {verdict: fail, because: "shown"}}')
    )
    broken.run()


def test_a_fit_that_crashes_is_shown_and_tried_again(broken):
    study = broken.folder / "config" / "studies" / "small.yaml"
    study.write_text(study_with("{model: broken}"))
    (broken.folder / "kill").touch()
    done = broken.run("--retries", "1", check=False)
    assert done.returncode != 0
    assert "it is tried again" in done.stderr, "the second attempt has more memory"
    assert "SIGKILL (most often the system ran out of memory)" in done.stderr
    assert "SIGKILL" in (broken.folder / "results" / "small" / "index.html").read_text()
    assert signal.SIGKILL.name in io.read_json(broken.folder / "results" / "small" / "broken" / "fit.crashes.json")[0]
    again = broken.plan()
    assert again["fit"] == 1
    assert "sweep" not in again
    (broken.folder / "kill").unlink()
    broken.run()
    assert io.read_json(broken.folder / "results" / "small" / "broken" / "check.json")["verdict"] in ("pass", "warn")
    assert "Nothing to be done" in broken.run().stderr


def test_a_bad_table_stops_its_study_and_no_other(finished, tmp_path):
    workflow = finished.copy(tmp_path / "tadpool")
    config = workflow.folder / "config"
    (config / "config.yaml").write_text(CONFIG.replace("[small]", "[small, frogs]"))
    frogs = "title: F\nquestion: Q?\ndataset: reedfrogs\noutcomes: [survived]\nunit: tank\n"
    frogs += "models: {a: {model: frogs_multilevel}}\n"
    (config / "studies" / "frogs.yaml").write_text(frogs)
    table = workflow.source / "data" / "reedfrogs.csv"
    table.write_text(table.read_text().replace("2,10,absent,big,10", "2,10,absent,big,11"))
    done = workflow.run(check=False)
    assert done.returncode != 0
    assert (
        "data/reedfrogs.csv, line 3, column survived: 11 is not allowed: the maximum is column density" in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert (workflow.folder / "results" / "small" / "index.html").exists()
    index = workflow.folder / "results" / "index.html"
    assert "The page of frogs could not be made." in index.read_text()
    assert "prepare_data failed: data/reedfrogs.csv, line 3, column survived: 11 is not allowed" in index.read_text()
    table.write_text(table.read_text().replace("2,10,absent,big,11", "2,10,absent,big,10"))
    workflow.run()
    assert "could not be made" not in index.read_text()


def test_verification_is_a_target_of_its_own(finished):
    assert finished.plan("verify") == {"verify_part": len(PARTS), "render_verification": 1, "verify": 1}


def test_scripts_hold_nothing_but_their_rule(finished):
    names = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    texts = [path.read_text() for path in (ROOT / "rules").glob("*.smk")]
    assert names == {name for text in texts for name in re.findall(r'"\.\./scripts/(\w+)\.py"', text)}
    for path in (ROOT / "scripts").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 30, f"{path.name} is long"
    assert len(Path(ROOT / "Snakefile").read_text().splitlines()) <= 60
