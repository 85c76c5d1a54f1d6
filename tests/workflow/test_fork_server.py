"""Jobs that are forked are processes as others are, and where nothing forks they start without."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tadpool import ROOT
from tadpool.workflow import fork_server

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux has them")
SECONDS = 20  # what the end of a process may take on a busy machine
TOLD = """
import json, os, signal, sys, threading
import jax._src.xla_bridge
from tadpool.files import io

with io.job_log("logs/told.log"):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    os.system("echo from a child")
told = {
    "name": __name__, "file": __file__, "argv": sys.argv, "folder": os.getcwd(), "path": sys.path[0],
    "environment": dict(os.environ), "umask": os.umask(0), "group": os.getpgid(0), "parent": os.getppid(),
    "signals": [signal.getsignal(number) == default for number, default in
                [(signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)]],
    "threads": len(os.listdir("/proc/self/task")), "backends": len(jax._src.xla_bridge._backends),
    "open": [os.readlink(f"/proc/self/fd/{number}").split(":")[0] for number in range(3, 20)
             if os.path.exists(f"/proc/self/fd/{number}")],
}
json.dump(told, open("told.json", "w"))
"""


@pytest.fixture(scope="module")
def server():
    started = fork_server.Server(*fork_server.launch())
    yield started
    started.end()


@pytest.fixture
def run(server, tmp_path, monkeypatch):
    """Run the text of a script in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return partial(script_run, server, tmp_path)


def script_run(server, folder, text, **environment):
    (folder / "script.py").write_text(text)
    return server.run(str(folder / "script.py"), {**os.environ, **environment})


def waited_for(condition):
    """Whether it holds within some seconds."""
    end = time.monotonic() + SECONDS
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return held


def lives(pid):
    """Whether there is a process that is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_job_is_as_if_it_were_started_alone(run, server, tmp_path):
    assert run(TOLD, OF_THE_JOB="here", OMP_NUM_THREADS="3")["status"] == 0
    told = json.loads((tmp_path / "told.json").read_text())
    own = os.umask(0o22)
    os.umask(own)
    assert told["name"] == "__main__"
    assert told["file"] == str(tmp_path / "script.py")
    assert told["argv"] == [str(tmp_path / "script.py")]
    assert told["folder"] == told["path"] == str(tmp_path)
    assert told["environment"] == {**os.environ, "OF_THE_JOB": "here", "OMP_NUM_THREADS": "3"}
    assert told["umask"] == own
    assert told["group"] == os.getpgid(0), "Ctrl-C goes to the group of the run"
    assert told["parent"] == server.pid
    assert told["signals"] == [True, True]
    assert told["threads"] == 1
    assert told["backends"] == 0, "flags of XLA come too late"
    assert "socket" not in told["open"], "it would keep others from seeing that the run has ended"
    log = (tmp_path / "logs" / "told.log").read_text()
    assert log == "to stdout\nto stderr\nfrom a child\n"


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("raise SystemExit('why')", 1),
        ("raise ValueError('why')", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("import os; os._exit(7)", 7),
        ("import atexit, os; atexit.register(os._exit, 8)", 8),
    ],
)
def test_the_end_of_a_job_is_told(run, how, status):
    assert run(how)["status"] == status


def test_memory_and_time_are_those_of_the_job_and_its_children(run):
    nothing = run("pass")
    assert nothing["cpu"] < 0.5, "it imported something"
    work = """
        import os, time
        kept = b"x" * 400_000_000
        while time.process_time() < 0.5:
            pass
    """.replace("\n        ", "\n")
    alone, child = (
        run(work),
        run(f"from tadpool.workflow.fork_server import Child\nChild(lambda: exec({work!r})).wait()"),
    )
    for used in (alone, child):
        assert used["memory_mb"] - nothing["memory_mb"] == pytest.approx(400, abs=50)
        assert 0.5 < used["cpu"] < 2


@contextmanager
def made_otherwise(text, *arguments):
    """A server without imports, of which other things are set before it serves."""
    ours, theirs = socket.socketpair()
    text = f"import errno, pathlib, sys\nfrom tadpool.workflow import fork_server\n{text}"
    text += "\nfork_server._modules = list\nfork_server.serve(int(sys.argv[1]))\n"
    with theirs:
        command = [sys.executable, "-c", text, str(theirs.fileno()), *arguments]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    yield fork_server.Server(ours.detach(), process.pid), process
    process.communicate()


def test_edited_sources_are_not_served(tmp_path):
    source = tmp_path / "tadpool" / "models" / "source.py"
    source.parent.mkdir(parents=True)
    source.write_text("x = 1")
    with made_otherwise("fork_server.PACKAGE = pathlib.Path(sys.argv[2])", str(tmp_path / "tadpool")) as (server, _):
        assert script_run(server, tmp_path, "pass")["status"] == 0
        source.write_text("x = 2")
        os.utime(source, (1, 1))
        assert script_run(server, tmp_path, "pass") is None
        server._socket.close()


def test_without_memory_for_a_fork_the_job_starts_otherwise(tmp_path):
    full = "def full():\n    raise OSError(errno.ENOMEM, 'no memory')\nfork_server.os.fork = full"
    with made_otherwise(full) as (server, process):
        assert [script_run(server, tmp_path, "pass") for _ in range(2)] == [None, None]
        assert process.poll() is None, "it ended"
        server._socket.close()
        assert process.stderr.read().count("no memory; a job is started without a fork") == 2


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_reaches_a_job_that_waits_for_its_fork(tmp_path, number, status):
    """Ctrl-C while the process still imports: the job would otherwise run to its end after it."""
    slow = "import time\ndef slow():\n    pathlib.Path(sys.argv[2]).touch()\n    time.sleep(1)\n    return {}\n"
    began = tmp_path / "began"
    with made_otherwise(slow + "fork_server._sources = slow", str(began)) as (server, process):
        assert waited_for(began.exists)
        threading.Timer(0.3, process.send_signal, [number]).start()
        assert script_run(server, tmp_path, "pass")["status"] == status
        assert script_run(server, tmp_path, "pass")["status"] == 0, "it came before this one"
        server._socket.close()


def test_what_was_started_before_the_run_is_taken_over_by_it_alone(monkeypatch):
    monkeypatch.setattr(fork_server, "launch", lambda: (os.open(os.devnull, os.O_RDONLY), 7))
    handed = fork_server.launched()[fork_server.HANDED]
    descriptor = int(handed.split()[0])
    assert os.get_inheritable(descriptor)
    os.close(descriptor)
    monkeypatch.setenv(fork_server.HANDED, handed)
    assert fork_server._handed() == (descriptor, 7)
    assert fork_server.HANDED not in os.environ, "jobs do not see it"
    monkeypatch.setenv(fork_server.HANDED, f"{descriptor} 7 {os.getppid()}")
    assert fork_server._handed() is None, "it belongs to another run"
    monkeypatch.setenv(fork_server.SWITCH, "off")
    assert fork_server.launched() == {}


RUN = """
import os, sys
sys.path.append(sys.argv[2])
from tadpool.workflow import fork_server
server = fork_server.Server(*fork_server.launch())
print(server.pid, flush=True)
print(server.run(sys.argv[1], os.environ), flush=True)
print(server.run(sys.argv[1], os.environ), flush=True)
"""
HANGING = """
import os, pathlib, time
from tadpool.workflow.fork_server import Child
child = Child(lambda: time.sleep(600))
pathlib.Path("pids").write_text(f"{os.getpid()} {child.pid}")
child.wait()
"""


@pytest.mark.parametrize("whom", ["server", "run"])
def test_nothing_is_left_of_a_killed_server_or_run(tmp_path, whom):
    """A job of a killed server has ended, with its child, when the run hears of it; all end with a
    killed run."""
    (tmp_path / "script.py").write_text(HANGING)
    with subprocess.Popen(
        [sys.executable, "-c", RUN, "script.py", str(ROOT)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        server = int(process.stdout.readline())
        assert waited_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text())
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        for number in fork_server.SIGNALS:
            os.kill(server, number)
        assert lives(pids[0]), "it is the run that answers a signal"
        os.kill(server if whom == "server" else process.pid, signal.SIGKILL)
        said = process.stdout.read()
        assert waited_for(lambda: not any(map(lives, [*pids, server])))
    assert said == ("None\nNone\n" if whom == "server" else "")
