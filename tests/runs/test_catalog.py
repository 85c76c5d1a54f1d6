"""The folder `.test`, which Snakemake's workflow catalog expects, runs as its README says."""

import os
import shutil
import subprocess
import sys

from tadpool import ROOT
from tadpool.files import io


def test_the_folder_for_the_catalog_runs(tmp_path):
    place = shutil.copytree(ROOT / ".test", tmp_path / "test", ignore=shutil.ignore_patterns("results", ".snakemake"))
    command = [sys.executable, "-m", "snakemake", "--directory", str(place), "--cores", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Do the bakeries put different numbers" in (place / "results" / "bakeries" / "index.html").read_text()
    assert set(io.read_json(place / "results" / "gate.json").values()) <= {"pass", "warn"}
