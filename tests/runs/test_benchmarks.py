"""Benchmarks run: small sizes, without the peers that have an environment of their own."""

import subprocess
import sys

import pytest

from tadpool import ROOT

pytestmark = pytest.mark.slow  # each compiles samplers in several processes of its own


@pytest.mark.parametrize("part", ["ess", "ladder", "formula"])
def test_a_part_measures_and_renders_its_tables(part):
    command = [sys.executable, "-m", "benchmarks.run", "--quick", part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "its times and ratios mean nothing" in done.stdout
    assert "| tadpool" in done.stdout
