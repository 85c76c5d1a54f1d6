"""Whatever ends a child becomes a result that says so."""

import json
import os

import pytest

from tadpool import contracts, io, isolation

SCRIPT = """
import os, signal, sys
from tadpool.errors import UserError

def main(output, provenance, how):
    if how == "well":
        open(output, "w").write("done")
    elif how == "sentence":
        raise UserError("column x is empty; fill it")
    elif how == "exception":
        raise ZeroDivisionError("by zero")
    elif how == "exit":
        os._exit(7)
    else:
        open(os.path.join(os.path.dirname(output), ".fit.nc.abc.nc"), "w").write("half")
        os.kill(os.getpid(), getattr(signal, how))
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)

    def call(how):
        output, crashes = tmp_path / "fit.nc", tmp_path / "fit.crashes.json"
        isolation.guarded(str(tmp_path / "script.py"), str(output), str(crashes), "{}", how=how)
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
    assert not [name for name in os.listdir(output.parent) if name.startswith(".")], "a partial file was left"
    assert words in capfd.readouterr().err
