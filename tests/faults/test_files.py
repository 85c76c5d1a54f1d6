"""Result files that are not what was written, folders that moved, and two runs in one folder."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from tadpool.files import checksums, run_lock
from tests.made.workflows import digests, small, started

FIT = "results/small/pooled/fit.nc"
CHECK = "results/small/pooled/check.json"
RANKING = "results/small/comparisons/main.csv"
NAMED = "it is not the file that was written here"


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1000])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def swap(path):
    path.write_bytes((path.parent.parent / "unpooled" / "fit.nc").read_bytes())


def edit(path):
    path.write_text(path.read_text().replace("0.", "1.").replace('"fail"', '"pass"'))


@pytest.fixture
def workflow(undisturbed, tmp_path):
    """A copy of the finished study."""
    return undisturbed[0].copy(tmp_path / "tadpool")


@pytest.mark.parametrize(
    ("file", "damage"),
    [(FIT, truncate), (FIT, flip_a_bit), (FIT, empty), (FIT, swap), (CHECK, truncate), (CHECK, edit), (RANKING, edit)],
    ids=lambda value: value if isinstance(value, str) else value.__name__.replace("_", " "),
)
def test_damaged_result(workflow, file, damage):
    """The run names the file and says what to delete, and nothing is made from it."""
    damage(workflow.folder / file)
    done = workflow.run("--dry-run", check=False)
    assert done.returncode != 0
    assert f"{file}: {NAMED} (damaged, edited, replaced or put back); delete the file and run again" in done.stderr
    assert "Traceback" not in done.stderr


def test_old_result_put_back_with_its_time(workflow, undisturbed):
    """The job that reads it names it, the file that it says to delete is made again, with the same
    bytes."""
    fit = workflow.folder / FIT
    swap(fit)
    os.utime(fit, (1e9, 1e9))
    (workflow.folder / "results" / "small" / "pooled" / "check.json").unlink()
    done = workflow.run(check=False)
    assert done.returncode != 0
    assert f"{FIT}: {NAMED}" in done.stderr
    assert "Traceback" not in done.stderr
    fit.unlink()
    workflow.run()
    assert digests(workflow.folder) == undisturbed[1]


def test_results_copied_to_another_place(workflow, tmp_path):
    """With its .snakemake folder nothing is left to do; without it the run says so and ends."""
    other = small(tmp_path / "other")
    other.plan()  # Snakemake has records there, but none of what is copied
    subprocess.run(["cp", "-a", workflow.folder / "results", other.folder], check=True)
    done = other.run("--dry-run", check=False)
    assert done.returncode != 0
    assert "results/small was made elsewhere" in done.stderr
    subprocess.run(["cp", "-a", workflow.folder / ".snakemake", other.folder], check=True)
    assert other.plan() == {}


def test_orphan_of_an_old_config(workflow, monkeypatch):
    """Its result is refused, and the newer one stays."""
    monkeypatch.chdir(workflow.folder)
    from tadpool.errors import UserError
    from tadpool.files import contracts, io

    newer = io.read(FIT, contracts.FIT)
    run_lock.PLACE.write_text('{"token": "newer", "host": "here", "process": 1}')
    monkeypatch.setenv(run_lock.TOKEN, "older")
    before = checksums.line(workflow.folder / FIT, "fit.nc")
    with pytest.raises(UserError, match="another run began while this job was running; its result is discarded"):
        io.write(FIT, newer, contracts.FIT)
    assert checksums.line(workflow.folder / FIT, "fit.nc") == before
    assert run_lock.abandoned() is False, "of a run on another machine nothing can be said"


def test_two_runs_in_one_folder(tmp_path):
    """The second is told which process holds the folder, also after a third; plans need no lock; a
    killed run leaves none."""
    workflow = small(tmp_path / "tadpool")
    holder = workflow.folder / "results" / ".running"
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with started(workflow.command("--cores", "1"), cwd=workflow.folder, **nowhere) as first:
        while not holder.exists() or not holder.read_text():
            assert first.poll() is None
            time.sleep(0.1)
        first.send_signal(signal.SIGSTOP)  # or it would have made what the second is asked for
        for target in ("results/small/pooled/prior.nc", "results/verify.html", "results/small/pooled/prior.nc"):
            second = workflow.run(target, check=False)
            assert second.returncode != 0
            assert f"results: process {first.pid} on " in second.stderr
            assert "Traceback" not in second.stderr
        assert workflow.plan()
    workflow.run("results/small/data.nc")
    shutil.rmtree(workflow.folder)
