"""Jobs and runs that are killed at random moments: nothing is lost but what was running, and the
bytes are the same."""

import base64
import os
import random
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tadpool.errors import UserError
from tadpool.files import io
from tests.made.workflows import damaged, digests, small, started

KILLS = int(os.environ.get("TADPOOL_KILLS", "40"))
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
MADE_FROM_DATA = ("data.nc", "prior.nc", "fit.nc")  # others are made again where what they read comes from a crash


def processes(session):
    """Command line of each process of a session that lives."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found[int(place.name)] = (place / "cmdline").read_text()
        except OSError:
            continue
    return found


def jobs(session):
    """Processes that do the work of jobs: scripts, the children that sample for them, and what
    forks them."""
    return [
        pid
        for pid, command in processes(session).items()
        if "tadpool.workflow.child_process" in command
        or "tadpool.workflow.fork_server" in command
        or ("/.snakemake/scripts/" in command and "set -euo" not in command)
    ]


def finished(folder):
    """When each result was written that its job was done with, and that is not the mark of a
    crash."""
    marks = {path.name for path in (folder / ".snakemake" / "incomplete").glob("*")}
    found = {}
    for path in (folder / "results").rglob("*.nc"):
        name = path.relative_to(folder).as_posix()
        if path.name not in MADE_FROM_DATA or base64.urlsafe_b64encode(name.encode()).decode() in marks:
            continue
        try:
            status, when = io.attributes(path).get("status", "ok"), path.stat().st_mtime_ns
        except (FileNotFoundError, UserError):
            if path.exists():
                raise
            continue  # a run that goes on has removed it, to make it again
        if status == "ok":
            found[name] = when
    return found


@dataclass
class Torture:
    """Runs of one workflow that are disturbed. kept: results that were finished at some kill, with
    their times."""

    workflow: object
    moments: random.Random
    kills: int = 0
    kept: dict = field(default_factory=dict)
    lost: list = field(default_factory=list)
    partial: list = field(default_factory=list)

    def run(self):
        """One run; jobs are killed in it, and it is in the end. Returns whether it came to its end
        all the same."""
        command, options = self.workflow.command("--cores", "2"), {"cwd": self.workflow.folder}
        options |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
        with started(command, **options) as running:
            whole_run_after = self.moments.randint(1, 4)
            of_jobs = 0
            while self.kills < KILLS:
                try:
                    return running.wait(self.moments.uniform(1.0, 5.0)) == 0
                except subprocess.TimeoutExpired:
                    pass
                targets = jobs(running.pid)
                if of_jobs < whole_run_after and targets:
                    self.kill(self.moments.choice(sorted(targets)))
                    of_jobs += 1
                elif of_jobs >= whole_run_after:
                    self.kill(running.pid)
                    running.wait()
            return running.wait() == 0

    def kill(self, pid):
        try:
            os.kill(pid, self.moments.choice(SIGNALS))
        except ProcessLookupError:
            return
        self.kills += 1
        self.look()

    def look(self):
        """What is there now: nothing partial, and nothing gone that was finished before."""
        self.partial += damaged(self.workflow.folder / "results")
        now = finished(self.workflow.folder)
        self.lost += [name for name, when in self.kept.items() if now.get(name) != when]
        self.kept = self.kept | now


def test_killed_at_random_moments(undisturbed, tmp_path):
    """Nothing partial under a final name, nothing lost but what ran, the same bytes, then nothing
    to do.

    SIGKILL, SIGTERM and SIGINT to jobs, their children, the process that forks them and whole
    runs, at moments that a seed chooses.
    """
    expected = undisturbed[1]
    torture = Torture(small(tmp_path / "tadpool"), random.Random(7))
    results = torture.workflow.folder / "results"
    while torture.kills < KILLS:
        if torture.run() and torture.kills < KILLS:
            assert digests(torture.workflow.folder) == expected
            shutil.rmtree(results / "small")  # there is work again
            torture.kept = {}
    torture.workflow.run()
    torture.look()
    found = digests(torture.workflow.folder)
    assert torture.partial == []
    assert torture.lost == []
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []
    assert "Nothing to be done" in torture.workflow.run().stderr
    assert list(results.rglob(".*.nc.*.nc")) == []
