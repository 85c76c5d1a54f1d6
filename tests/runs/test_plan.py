"""`make plan`: what a run would do."""

import re
import subprocess
import sys

from tests.made.workflows import copy_to


def plan(folder):
    done = subprocess.run(
        [sys.executable, "-m", "tadpool.workflow.plan"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def row(text, rule):
    return next(line.split() for line in text.splitlines() if line.startswith(f"{rule} "))


def test_before_the_first_run_storage_is_estimated_and_time_unknown(finished, tmp_path):
    workflow = copy_to(tmp_path / "tadpool")
    text = plan(workflow.folder)
    assert "Times are not known before the first run" in text
    fits = sum(
        (finished.folder / "results" / "small" / entry / "fit.nc").stat().st_size for entry in ("pooled", "unpooled")
    )
    jobs, asked, used, storage, seconds = row(text, "fit")[1:]
    assert (jobs, used, seconds) == ("2", "-", "-")
    assert int(asked) > 0
    assert 0.7 < float(storage) / (fits / 1e6) < 1.4


def test_after_a_run_time_and_storage_are_those_of_the_run(finished, tmp_path):
    again = finished.copy(tmp_path / "tadpool").folder
    assert plan(again) == "Nothing to do: all results are up to date.\n"
    config = again / "config" / "config.yaml"
    config.write_text(config.read_text().replace("seed: 1", "seed: 2"))
    text = plan(again)
    assert float(row(text, "fit")[5]) > 0
    assert float(row(text, "fit")[3]) > 50
    assert re.search(r"About \d+ s on \d+ cores", text)


def test_a_bad_config_is_a_sentence(tmp_path):
    workflow = copy_to(tmp_path / "tadpool")
    config = workflow.folder / "config" / "config.yaml"
    config.write_text(config.read_text().replace("draws: 300", "draws: 0"))
    done = subprocess.run(
        [sys.executable, "-m", "tadpool.workflow.plan"],
        cwd=workflow.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "draws" in done.stderr
    assert "Traceback" not in done.stderr
