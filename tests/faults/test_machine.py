"""Machines that are set up in other ways: the same bytes, and nothing where it does not belong."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import jaxlib
import pytest

from tests.made.workflows import digests, small


@pytest.fixture(scope="module")
def odd(undisturbed, tmp_path_factory):
    """A run on one core, without network, with LANG=C, umask 077, a HOME that cannot be written, a
    damaged compile cache, and jobs that start alone.

    Returns the workflow, its process, and whether it was without network.
    """
    place = tmp_path_factory.mktemp("odd")
    workflow = small(place / "tadpool")
    temporary = Path(tempfile.mkdtemp(dir=place))
    cache = temporary / f"tadpool-{os.getuid()}" / f"jaxlib-{jaxlib.__version__}-{os.uname().machine}"
    cache.mkdir(parents=True, mode=0o700)
    cache.parent.chmod(0o700)
    compiled = list(Path(os.environ["TMPDIR"], *cache.parts[-2:]).iterdir())
    assert compiled, "no other run has compiled anything"
    for entry in compiled:
        (cache / entry.name).write_bytes(b"damaged")
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "HOME": "/proc", "TMPDIR": str(temporary)}
    environment |= {"TADPOOL_FORK": "off"}
    environment["XDG_CACHE_HOME"] = str(temporary)  # Snakemake itself does not start without a place for its cache
    alone = ["unshare", "--net"] if _can("unshare", "--net", "true") else []
    pinned = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if shutil.which("taskset") else []
    command = [*alone, *pinned, *workflow.command("--cores", "1")]
    done = subprocess.run(
        command, cwd=workflow.folder, env=environment, umask=0o077, capture_output=True, text=True, check=False
    )
    return workflow, done, bool(alone)


def _can(*command):
    return bool(shutil.which(command[0])) and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    "what", ["one core", "LANG=C", "a damaged compile cache", "a HOME that cannot be written", "jobs that start alone"]
)
def test_odd_machine(odd, undisturbed, what):
    """The run ends well, with the same bytes."""
    assert odd[1].returncode == 0, odd[1].stderr[-3000:]
    assert digests(odd[0].folder) == undisturbed[1]


def test_no_network(odd, undisturbed):
    """The run ends well, with the same bytes."""
    if not odd[2]:
        pytest.skip("no network namespace can be made here")
    assert digests(odd[0].folder) == undisturbed[1]


def test_umask_077(odd, undisturbed):
    """No result can be read by others, all are as they should be."""
    files = [path for path in (odd[0].folder / "results").rglob("*") if path.is_file()]
    assert len(files) > 30
    assert [path for path in files if path.stat().st_mode & 0o077] == []
    assert digests(odd[0].folder) == undisturbed[1]


def test_table_from_two_hours_ahead(tmp_path):
    """The run says which table is from the future, and makes nothing from it."""
    workflow = small(tmp_path / "tadpool")
    os.utime(workflow.source / "data" / "cookies.csv", (time.time() + 7200,) * 2)
    done = workflow.run("results/small/data.nc", check=False)
    assert done.returncode == 1
    assert "older modification time" in done.stderr
    assert "than input data/cookies.csv" in done.stderr
    assert not (workflow.folder / "results" / "small" / "data.nc").exists()


def test_clock_that_was_two_hours_ahead(undisturbed, tmp_path):
    """Nothing is done again, and an edit re-runs what depends on it."""
    workflow = undisturbed[0].copy(tmp_path / "tadpool")
    for path in (workflow.folder / "results").rglob("*"):
        status = path.stat()
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 7200 * 10**9))
    assert workflow.plan() == {}
    config = workflow.folder / "config" / "studies" / "small.yaml"
    config.write_text(config.read_text().replace("lam_shape: 2.0", "lam_shape: 3.0"))
    assert workflow.plan()["fit"] == 1
