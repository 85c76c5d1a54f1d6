"""Whole files or none, the same bytes, and sentences that name the file."""

import errno
import hashlib
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import xarray as xr

from tadpool import ROOT
from tadpool.errors import UserError
from tadpool.files import checksums, contracts, io, run_lock


def tree(value=1.0):
    sample = ("chain", "draw")
    made = xr.DataTree.from_dict(
        {
            "predictions": xr.Dataset(
                {"y": (("chain", "draw", "row"), np.full((2, 3, 2), value))}, coords={"row": ["a", "é"]}
            ),
            "predictions_constant_data": xr.Dataset({"x": ("row", [1, 2])}),
        }
    )
    assert made["predictions"]["y"].dims[:2] == sample
    made.attrs.update(provenance="{}", status="ok")
    return made


def test_what_is_written_is_read_and_equal_content_gives_equal_bytes(tmp_path):
    for folder in ("one", "two"):
        io.write(tmp_path / folder / "predictions.nc", tree(), contracts.PREDICTIONS)
    read = io.read(tmp_path / "one" / "predictions.nc", contracts.PREDICTIONS)
    xr.testing.assert_identical(read["predictions"].to_dataset(), tree()["predictions"].to_dataset())
    digests = {hashlib.sha256((tmp_path / f / "predictions.nc").read_bytes()).hexdigest() for f in ("one", "two")}
    assert len(digests) == 1
    assert sorted(os.listdir(tmp_path / "one")) == [".predictions.nc.sha256", "predictions.nc"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "predictions.nc"
    io.write(path, tree(1.0), contracts.PREDICTIONS)
    before = path.read_bytes()
    broken = tree(2.0)
    del broken["predictions"]
    with pytest.raises(UserError, match=r"predictions.nc: the group predictions is missing"):
        io.write(path, broken, contracts.PREDICTIONS)
    with pytest.raises(ZeroDivisionError), io.replacing(path) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == [".predictions.nc.sha256", "predictions.nc"]


def test_written_files_follow_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        io.write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def flip(path, position):
    """Turn one bit over."""
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 16
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:100]), "not the file that was written here"),
        (lambda path: path.write_bytes(b""), "not the file that was written here"),
        (lambda path: flip(path, 3000), "not the file that was written here"),
        (lambda path: (path.write_bytes(b""), checksums.checksum_path(path).unlink()), "not readable as NetCDF"),
        (lambda path: path.unlink(), "does not exist"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, damage, words):
    path = tmp_path / "predictions.nc"
    io.write(path, tree(), contracts.PREDICTIONS)
    damage(path)
    with pytest.raises(UserError, match=words) as caught:
        io.read(path, contracts.PREDICTIONS)
    assert str(path) in str(caught.value)


def test_two_files_that_were_swapped_are_both_named(tmp_path):
    one, other = tmp_path / "one" / "predictions.nc", tmp_path / "other" / "predictions.nc"
    io.write(one, tree(1.0), contracts.PREDICTIONS)
    io.write(other, tree(2.0), contracts.PREDICTIONS)
    assert checksums.changed([tmp_path]) == []
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    for path in (one, other):
        with pytest.raises(UserError, match="not the file that was written here"):
            io.read(path, contracts.PREDICTIONS)
        assert [str(path) in sentence for sentence in checksums.changed([path.parent])] == [True]


def test_a_result_of_a_run_that_was_overtaken_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_lock, "_held", held := [])
    monkeypatch.setenv(run_lock.TOKEN, "")
    run_lock.take()
    io.write("results/a/predictions.nc", tree(1.0), contracts.PREDICTIONS)
    with pytest.raises(UserError, match=f"process {os.getpid()} on .* is running here"):
        run_lock.take()
    monkeypatch.setenv(run_lock.TOKEN, "that of an earlier run")
    with pytest.raises(UserError, match="another run began while this job was at work"):
        io.write("results/a/predictions.nc", tree(2.0), contracts.PREDICTIONS)
    assert float(io.read("results/a/predictions.nc", contracts.PREDICTIONS)["predictions"]["y"][0, 0, 0]) == 1.0
    os.close(held.pop())
    run_lock.take()
    os.close(held.pop())


@pytest.mark.parametrize("number", [errno.EBADF, errno.ENOSYS, errno.ENOLCK])
def test_a_disk_without_locks_stops_neither_runs_nor_jobs(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_lock, "_held", held := [])
    monkeypatch.setenv(run_lock.TOKEN, "")
    monkeypatch.setattr("fcntl.flock", refuse)
    run_lock.take()
    assert run_lock.abandoned() is False
    os.close(held.pop())


def test_a_job_whose_run_has_ended_knows_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_lock, "_held", held := [])
    monkeypatch.setenv(run_lock.TOKEN, "")
    run_lock.take()
    assert run_lock.abandoned() is False
    os.close(held.pop())
    assert run_lock.abandoned() is True


LIMITED = """
import resource
import numpy as np
import xarray as xr
from tadpool.files import io

resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
with io.replacing("a.nc") as temporary:
    xr.Dataset({"x": ("i", np.random.default_rng(1).normal(size=100_000))}).to_netcdf(temporary)
"""


def test_a_file_that_a_quota_forbids_is_one_for_which_there_is_no_room(tmp_path):
    """A limit on the size of files stands for the quota: there is room on the disk."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "UserError: a.nc: there is no room for it on the disk or in your quota" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_dim_or_variable_is_named(tmp_path):
    flat = tree()
    flat["predictions"] = flat["predictions"].to_dataset().isel(chain=0)
    with pytest.raises(UserError, match=r"group predictions: y has no dim chain"):
        io.write(tmp_path / "predictions.nc", flat, contracts.PREDICTIONS)
    stats = xr.DataTree.from_dict(
        {"posterior": xr.Dataset(), "sample_stats": xr.Dataset(), "observed_data": xr.Dataset()}
    )
    stats.attrs.update(provenance="{}", status="ok", attempts="[]")
    with pytest.raises(UserError, match=r"group sample_stats: the variable lp is missing"):
        contracts.check(stats, contracts.FIT, "fit.nc")


def test_json_refuses_nan_and_names_a_broken_file(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        io.write_json(tmp_path / "x.json", {"a": float("nan")})
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(UserError, match=r"x\.json: not readable as JSON"):
        io.read_json(tmp_path / "x.json")


LOGGED = """
import os, subprocess, sys, warnings
from tadpool.files import io
from tadpool.errors import UserError
with io.job_log("job.log"):
    print("from Python")
    os.system("echo from a child")
    warnings.warn("careful")
    {last}
"""


@pytest.mark.parametrize(
    ("last", "status", "on_terminal"),
    [
        ("pass", 0, ""),
        ("raise UserError('one sentence')", 1, "job: one sentence\n"),
        ("raise KeyError('x')", 1, "KeyError: 'x'"),
    ],
)
def test_the_log_gets_everything_and_the_terminal_what_failed(tmp_path, last, status, on_terminal):
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-c", LOGGED.format(last=last)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    log = (tmp_path / "job.log").read_text()
    assert done.returncode == status
    for words in ("from Python", "from a child", "UserWarning: careful"):
        assert words in log
        assert words not in done.stderr + done.stdout
    assert on_terminal in done.stderr
    assert ("Traceback" in done.stderr) == ("KeyError" in last)
    assert on_terminal.removeprefix("job: ") in log


def test_warnings_do_not_leak_out_of_the_log(tmp_path):
    shown = warnings.showwarning
    with io.job_log(str(tmp_path / "job.log")):
        pass
    assert warnings.showwarning is shown
