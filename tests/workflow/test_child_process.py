"""Whatever ends a child becomes a result that says so."""

import json
import os
import sys
from functools import partial
from pathlib import Path

import pytest

from tadpool.errors import UserError
from tadpool.files import contracts, io
from tadpool.workflow import child_process, fork_server

SCRIPT = """
import os, signal, sys, time
from tadpool.errors import UserError

def main(job, spec):
    output, how = job.output, spec["how"]
    if how == "well":
        open(output, "w").write("done")
    elif how == "sentence":
        raise UserError("column x is empty; fill it")
    elif how == "exception":
        raise ZeroDivisionError("by zero")
    elif how == "exit":
        os._exit(7)
    elif how == "hang":
        time.sleep(600)
    elif how == "memory":
        bytearray(1 << 60)
    else:
        open(os.path.join(os.path.dirname(output), ".fit.nc.abc.nc"), "w").write("half")
        os.kill(os.getpid(), getattr(signal, how))
"""


DRIVER = """
import json, os, sys
from tadpool.errors import UserError
from tadpool.workflow import child_process

os.dup2(os.open("stderr", os.O_CREAT | os.O_WRONLY), 2)
assert child_process.fork_server.forked
try:
    child_process.guarded(*json.load(open("given.json")))
except UserError as error:
    open("error", "w").write(str(error))
"""


@pytest.fixture(scope="module")
def server():
    started = fork_server.Server(*fork_server.launch())
    yield started
    started.end()


def forked(server, *given):
    """Call `guarded` in a job that is forked."""
    Path("given.json").write_text(json.dumps(given))
    Path("driver.py").write_text(DRIVER)
    Path("error").unlink(missing_ok=True)
    assert server.run("driver.py", os.environ)["status"] == 0
    sys.stderr.write(Path("stderr").read_text())
    if Path("error").exists():
        raise UserError(Path("error").read_text())


@pytest.fixture(params=["alone", "forked"])
def run(request, tmp_path, monkeypatch):
    """Run the script, in a job that starts alone or that is forked."""
    (tmp_path / "script.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    guarded = child_process.guarded
    if request.param == "forked":
        guarded = partial(forked, request.getfixturevalue("server"))

    def call(how, **resources):
        output, crashes = tmp_path / "fit.nc", tmp_path / "fit.crashes.json"
        earlier = json.loads(crashes.read_text()) if crashes.exists() else []
        known = json.dumps({"record": str(crashes), "earlier": earlier})
        job = {"output": str(output), "provenance": "{}", "threads": 2}
        guarded(str(tmp_path / "script.py"), job, {"how": how}, known, resources)
        return output, crashes

    return call


def test_a_child_that_ends_well_leaves_its_result_alone(run):
    output, crashes = run("well")
    assert output.read_text() == "done"
    assert not crashes.exists()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("sentence", "column x is empty; fill it"),
        ("exception", "ZeroDivisionError: by zero"),
        ("exit", "status 7"),
        ("SIGKILL", "SIGKILL (most often the system ran out of memory)"),
        ("SIGSEGV", "SIGSEGV (a crash in compiled code)"),
    ],
)
def test_a_child_that_dies_leaves_a_crashed_result_and_a_record(run, how, words, capfd):
    output, crashes = run(how)
    tree = io.read(output, contracts.FIT)
    assert tree.attrs["status"] == "crashed"
    assert words in tree.attrs["reason"]
    assert json.loads(crashes.read_text()) == [tree.attrs["reason"]]
    run(how)
    assert len(json.loads(crashes.read_text())) == 2, (
        "another crash is another record, so that the next run tries again"
    )
    assert not list(output.parent.glob(".fit.nc.*.nc")), "a partial file was left"
    assert words in capfd.readouterr().err


def test_a_child_that_hangs_is_stopped_at_the_end_of_its_time(run):
    output, _ = run("hang", runtime=1 / 60)
    assert "ran out of its time" in io.read(output, contracts.FIT).attrs["reason"]


@pytest.mark.parametrize("how", ["hang", "memory", "SIGKILL", "SIGTERM"])
def test_what_more_memory_or_time_may_mend_fails_until_the_last_attempt(run, monkeypatch, how):
    monkeypatch.setenv(child_process.RETRIES, "1")
    with pytest.raises(UserError, match="it is tried again"):
        run(how, runtime=1 / 60, attempt=1)
    output, crashes = run(how, runtime=1 / 60, attempt=2)
    assert io.read(output, contracts.FIT).attrs["status"] == "crashed"
    assert len(json.loads(crashes.read_text())) == 1


def test_a_mistake_is_not_tried_again(run, monkeypatch):
    monkeypatch.setenv(child_process.RETRIES, "1")
    output, _ = run("sentence", runtime=10, attempt=1)
    assert io.read(output, contracts.FIT).attrs["reason"] == "column x is empty; fill it"
