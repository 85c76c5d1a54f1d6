"""A disk that is full, or cannot be written."""

import os
import shutil
import subprocess

import pytest

from tests.made.workflows import damaged, digests, small

LAST = "results/small/pooled/loo.nc"  # from data.nc and fit.nc


def mount(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def on_tmpfs(tmp_path):
    """A workflow whose results lie on a small disk; calling it with options mounts that anew."""
    workflow = small(tmp_path / "tadpool")
    results = workflow.folder / "results"
    results.mkdir()
    done = mount("-t", "tmpfs", "-o", "size=64k", "tadpool-faults", results)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield workflow, lambda options: mount("-o", f"remount,{options}", results)
    subprocess.run(["umount", results], check=True)


def test_full_at_several_moments(on_tmpfs, undisturbed):
    """The job says that there is no room, nothing partial is left, and with room the run ends with
    the same bytes.

    Too small for the data, for the draws, and for what is made from them.
    """
    workflow, remount = on_tmpfs
    results = workflow.folder / "results"
    for size in ("24k", "120k", "220k"):
        assert remount(f"size={size}").returncode == 0
        done = workflow.run(LAST, check=False)
        assert "is full" in done.stderr or "No space left on device" in done.stderr  # of a job, or of Snakemake itself
        assert damaged(results) == []
    assert remount("size=64m").returncode == 0
    workflow.run(LAST)
    found = digests(workflow.folder)
    assert len(found) == 3
    assert found == {name: undisturbed[1][name] for name in found}


def test_read_only_results(on_tmpfs, undisturbed):
    """The run ends with a sentence before any job starts; a plan and a finished run do not mind."""
    workflow, remount = on_tmpfs
    assert remount("size=64m").returncode == 0
    finished = undisturbed[0].folder
    for name in ("results", ".snakemake"):
        shutil.copytree(finished / name, workflow.folder / name, dirs_exist_ok=True)
    assert remount("ro").returncode == 0
    assert "Nothing to be done" in workflow.run().stderr
    config = workflow.folder / "config" / "config.yaml"
    config.write_text(config.read_text().replace("seed: 1", "seed: 2"))
    done = workflow.run(check=False)
    assert done.returncode != 0
    assert "results: nothing can be written there" in done.stderr or "Write-protected output files" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.access(workflow.folder, os.W_OK)
