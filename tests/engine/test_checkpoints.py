"""A job that is stopped goes on from what it kept, and several can share one: the same bytes as of
one that did it all."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tadpool import ROOT
from tadpool.engine import checkpoints, trajectories
from tadpool.engine.checkpoints import CheckpointStore, SavedLanes
from tadpool.errors import UserError
from tadpool.files import contracts, io
from tadpool.loading import preparation
from tadpool.workflow import child_process

FIT = str(ROOT / "scripts" / "fit.py")
SAMPLER = {
    "chains": 2,
    "warmup": 1200,
    "draws": 2000,
    "target_accept": 0.8,
    "max_tree_depth": 10,
    "precision": "float64",
}
SPEC = {
    "seed": 1,
    "study": "s",
    "entry": "e",
    "model": "cookies_hierarchical",
    "hyperparameters": {},
    "outcomes": ["chips"],
    "unit": "cookie",
    "observed_where": {},
    "sampler": SAMPLER,
    "remedies": ["draws"],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "data.nc"
    tree = preparation.prepare("cookies", {}, ["chips"], "s")
    tree.attrs["provenance"] = "{}"
    io.write(path, tree, contracts.DATA)
    return str(path)


def crashes(folder):
    return json.dumps({"record": str(folder / "crashes.json"), "earlier": []})


def job(output, **inputs):
    return {"output": str(output), "provenance": "{}", "threads": 2, **inputs}


def fit(data, folder, shares=()):
    folder.mkdir(exist_ok=True)
    child_process.guarded(FIT, job(folder / "fit.nc", data=data), SPEC, crashes(folder), shares=shares)
    return hashlib.sha256((folder / "fit.nc").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    return fit(data, tmp_path_factory.mktemp("undisturbed") / "e")


JOB = """
import json, sys
from tadpool.workflow import child_process
child_process.guarded(**json.loads(sys.argv[1]))
"""
# A fit whose lanes at work are kept after every block, and whose job is ended after some of them.
ENDED = """
import os, signal, time
from tadpool.engine import checkpoints, trajectories

def main(job, spec):
    from tadpool.fitting.fit_job import fit
    from tadpool.modelling.entry import Entry
    entry, settings = Entry.parse(spec)
    after, whom = settings.pop("after"), settings.pop("whom")
    keep, seen = checkpoints.CheckpointStore.keep, []
    def counted(self, lanes, piece):
        self._next = 0.0
        keep(self, lanes, piece)
        seen.append(piece)
        if len(seen) == after:
            {"child": lambda: os.kill(os.getpid(), signal.SIGKILL), "job": lambda: os.kill(os.getppid(), signal.SIGTERM),
             "all": lambda: os.killpg(0, signal.SIGKILL)}[whom]()
            time.sleep(60)
    checkpoints.CheckpointStore.keep = counted
    fit(job, entry, **settings)
"""
ITERATION = trajectories.State._fields.index("iteration")
STATUS = {"child": 0, "job": 128 + signal.SIGTERM, "all": -signal.SIGKILL}


@pytest.mark.parametrize(("whom", "after"), [("child", 3), ("job", 5), ("all", 8)])
def test_a_fit_that_was_stopped_goes_on_to_the_same_bytes(data, undisturbed, tmp_path, whom, after):
    folder = tmp_path / "e"
    folder.mkdir()
    (tmp_path / "ended.py").write_text(ENDED)
    given = {"script": str(tmp_path / "ended.py"), "job": job(folder / "fit.nc", data=data), "crashes": crashes(folder)}
    given |= {"spec": {**SPEC, "after": after, "whom": whom}}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", JOB, json.dumps(given)]
    assert subprocess.run(command, env=environment, start_new_session=True, check=False).returncode == STATUS[whom]
    # Where the job itself lives on it says what ended its child; where it was ended there is no
    # result.
    left = {".fit.resume", *(("crashes.json", "fit.nc", ".fit.nc.sha256") if whom == "child" else ())}
    assert {path.name for path in folder.iterdir()} == left
    pieces = checkpoints.read(folder / ".fit.resume" / checkpoints.AT_WORK, identity())
    assert {int(lane) for piece in pieces for lane in piece.lanes} <= {0, 1}
    assert all(0 < piece.leaves[ITERATION] < SAMPLER["warmup"] + SAMPLER["draws"] for piece in pieces)
    assert pieces
    assert fit(data, folder) == undisturbed
    assert not (folder / ".fit.resume").exists()


def test_a_fit_that_several_jobs_share_is_the_same(data, undisturbed, tmp_path):
    paths = [str(tmp_path / f"{number}.npz") for number in range(2)]
    for number, path in enumerate(paths):
        child_process.sampled_share(FIT, job(path, data=data), SPEC, (number, 2), {})
    assert all(sum(len(piece.lanes) for piece in checkpoints.read(Path(path), identity())) == 1 for path in paths)
    assert fit(data, tmp_path / "e", shares=paths) == undisturbed


SHARE = """
import os, signal
import numpy as np

def main(job, spec):
    job.store.call("a").finish(np.array([0]), [np.zeros((1, 2))])
    job.store._flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_share_that_is_killed_is_tried_again_and_gives_what_it_has_in_the_end(tmp_path, monkeypatch):
    (tmp_path / "ended.py").write_text(SHARE)
    monkeypatch.setenv(child_process.RETRIES, "1")
    path = tmp_path / "fit.share.npz"
    given = (str(tmp_path / "ended.py"), job(path), {}, (0, 2))
    with pytest.raises(UserError, match="it is tried again"):
        child_process.sampled_share(*given, {"attempt": 1})
    assert not path.exists()
    child_process.sampled_share(*given, {"attempt": 2})
    assert [piece.lanes.tolist() for piece in checkpoints.read(path, identity())] == [[0]]
    assert [left.name for left in tmp_path.iterdir() if left.name.startswith(".")] == []


def identity():
    return child_process._kept(job("fit.nc"))["identity"]


def test_what_is_kept_of_another_spec_or_damaged_is_not_used(tmp_path):
    piece = SavedLanes("1 a", np.array([0, 1]), [np.arange(4.0).reshape(2, 2), np.array([True, False])])
    checkpoints.write(tmp_path / "1-0.npz", "mine", [piece])
    (found,) = CheckpointStore(tmp_path, "mine").finished("1 a")
    assert found.lanes.tolist() == [0, 1]
    assert all(np.array_equal(one, other) for one, other in zip(found.leaves, piece.leaves, strict=True))
    assert not CheckpointStore(tmp_path, "mine").finished("1 b")
    content = bytearray((tmp_path / "1-0.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "broken.npz").write_bytes(content)
    (tmp_path / "short.npz").write_bytes(content[:100])
    assert len(CheckpointStore(tmp_path, "mine").finished("1 a")) == 1
    assert os.listdir(tmp_path) == ["1-0.npz"]
    assert not CheckpointStore(tmp_path, "other").finished("1 a")
    assert not os.listdir(tmp_path)


def test_a_store_writes_when_it_is_time_to(tmp_path):
    store = CheckpointStore(tmp_path, "mine", every=1e9)
    call = store.call("a")
    call.finish(np.array([1, 0, 1]), [np.array([1.0, 0.0, 1.0])])
    assert not list(tmp_path.glob("*.npz"))
    store._next = 0.0
    call.keep(np.array([2, 3]), lambda: [np.zeros(2)])
    again = CheckpointStore(tmp_path, "mine")
    call = again.call("a")
    assert call.left(4).tolist() == [2, 3]
    assert call.at_work(np.array([2, 3]))[0].tolist() == [0.0, 0.0]
    assert call.at_work(np.array([3, 2])) is None
    assert again.finished("1 a")[0].leaves[0].tolist() == [0.0, 1.0]
