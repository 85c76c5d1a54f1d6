"""One process of a run imports what jobs import, once, and forks a child for each job.

The imports of a job that runs a model take three processor seconds, a fork a fiftieth of one. The
run starts this process and alone can reach it, over a pair of sockets without an address; it ends
with the run, and with it its jobs. Nothing depends on it: where it is not, or no longer, jobs start
as Snakemake starts them. A job is a process of its own in either case, with the environment, the
folder and the signals that it would have.

`multiprocessing.forkserver` does not tell what a child used of memory and time, which is what the
benchmarks of Snakemake are written from: they do not see the children of another process.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import tadpool
from tadpool import PACKAGE, ROOT

SWITCH = "TADPOOL_FORK"
HANDED = "TADPOOL_FORK_SERVER"
THREADS = (
    "OMP_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # a job and the run answer them, not what forks
PR_SET_PDEATHSIG = 1
forked = False  # whether this process is a job that has everything imported, and may fork again


def end_with_parent() -> None:
    """Have the system end this process when its parent ends: nobody waits for its result then."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A fork of this process that calls a function and ends; used as `subprocess.Popen` is.

    Attributes:
        descriptor: Of the process; readable once it has ended.
        returncode: Its status, minus the signal that ended it, or None.
        usage: What it and its children used, once it was waited for.
    """

    def __init__(self, call: Callable[[], Any]) -> None:
        self.returncode: int | None = None
        parent = os.getpid()
        self.pid = os.fork()
        if not self.pid:
            end_with_parent()
            _end(call) if os.getppid() == parent else os._exit(1)
        try:
            self.descriptor = os.pidfd_open(self.pid)
        except OSError:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise

    def fileno(self) -> int:
        """For `select`."""
        return self.descriptor

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; returns its status. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("fork", timeout)
            _, status, self.usage = os.wait4(self.pid, 0)
            self.returncode = os.waitstatus_to_exitcode(status)
            os.close(self.descriptor)
        return self.returncode

    def terminate(self) -> None:
        """Tell it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.returncode is None:
            signal.pidfd_send_signal(self.descriptor, number)


def _end(call: Callable[[], Any]) -> None:
    """Call, then end the process without clearing a memory that goes anyway (0.15 s)."""
    status: Any = 1
    try:
        call()
        status = 0
    except SystemExit as end:
        status = end.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            threading._shutdown()
            atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


class Server:
    """The process that forks, as the run sees it.

    Args:
        descriptor: Of the socket to it.
        pid: Its number; it is a child of this process.
    """

    def __init__(self, descriptor: int, pid: int) -> None:
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self.pid = pid

    def run(self, script: str, environment: Mapping[str, str]) -> dict[str, float] | None:
        """Run a script in the current folder; returns its `status` and what it used, or None where
        it has to be started otherwise: the server has ended, or sources were edited since."""
        given = {"script": script, "folder": str(Path.cwd()), "environment": dict(environment)}
        given["asked"] = time.monotonic()
        ours, theirs = socket.socketpair()
        with ours, tempfile.TemporaryFile("w+", encoding="utf-8") as request:
            with theirs:
                json.dump(given, request)
                request.flush()
                try:
                    socket.send_fds(self._socket, [b"j"], [request.fileno(), theirs.fileno()])
                except OSError:
                    return None
            return _answer(ours)

    def end(self) -> None:
        """End it and wait, so that whoever measures the run counts what its jobs took."""
        self._socket.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def launch() -> tuple[int, int]:
    """Start the process; returns the descriptor of a socket to it, and its number. Both stay good
    where this process becomes another program."""
    ours, theirs = socket.socketpair()
    start = (
        f"import sys; sys.path.append({str(PACKAGE.parent)!r}); from {__name__} import serve; serve({theirs.fileno()})"
    )
    with theirs:
        os.set_inheritable(theirs.fileno(), True)
        os.set_inheritable(ours.fileno(), False)
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-c", start],
            {**os.environ, **dict.fromkeys(THREADS, "1")},
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        )
    return ours.detach(), pid


def launched() -> dict[str, str]:
    """The environment that hands the process over to the run, which this process becomes; empty
    where there is none."""
    if not _possible():
        return {}
    descriptor, pid = launch()
    os.set_inheritable(descriptor, True)
    return {HANDED: f"{descriptor} {pid} {os.getpid()}"}


def _handed() -> tuple[int, int] | None:
    descriptor, pid, run = map(int, os.environ.pop(HANDED, "0 0 0").split())
    return (descriptor, pid) if run == os.getpid() else None


def _possible() -> bool:
    """Whether the system can do it, and it is not turned off."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):  # not Linux, or an old one
        return False
    return os.environ.get(SWITCH, "on") != "off"


def _answer(connection: socket.socket) -> dict[str, float] | None:
    """What the server says of a job's end, or None, when the job has surely ended."""
    _, descriptors, _, _ = socket.recv_fds(connection, 1, 1)
    for job in descriptors:
        try:
            if line := connection.makefile(encoding="utf-8").readline():
                return json.loads(line)
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(job, signal.SIGKILL)
            select.select([job], [], [])
        finally:
            os.close(job)
    return None


def start(jobs: int) -> None:
    """Let the scripts of this run, which is Snakemake's main process, be forked: where it is turned
    on and possible, and was begun already or is worth it for so many jobs."""
    handed = _handed()
    if not handed and not (jobs > 1 and _possible()):
        return
    from snakemake.script import PythonScript

    server, alone = Server(*(handed or launch())), PythonScript.execute_script
    atexit.register(server.end)

    def execute_script(self, fname: str, edit: bool = False) -> None:
        began = time.monotonic()
        own = Path(os.path.realpath(self.path.get_path_or_uri(secret_free=True))).is_relative_to(ROOT / "scripts")
        elsewhere = edit or self.conda_env or self.container_img or self.env_modules
        end = server.run(fname, _environment(self.threads, self.resources)) if own and not elsewhere else None
        if end is None:
            return alone(self, fname, edit)
        if self.bench_record is not None:
            _record(self.bench_record, time.monotonic() - began, end)
        if end["status"]:
            raise subprocess.CalledProcessError(end["status"], [sys.executable, fname])
        return None

    PythonScript.execute_script = execute_script


def _record(record: Any, seconds: float, end: Mapping[str, float]) -> None:
    """Write to Snakemake's benchmark what a job took."""
    record.running_time, record.data_collected = seconds, True
    record.max_rss, record.cpu_time, record.cpu_usage = end["memory_mb"], end["cpu"], 100 * end["cpu"]
    record.io_in, record.io_out = end["read_mb"], end["written_mb"]


def _environment(threads: int, resources: Mapping[str, Any]) -> dict[str, str]:
    """The environment that Snakemake gives a job."""
    folder = resources.get("tmpdir")
    places = dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), str(folder)) if folder else {}
    return {**os.environ, **dict.fromkeys(THREADS, str(threads)), **places}


def serve(descriptor: int) -> None:
    """Import everything, then fork for each job that the run sends, until the run has ended: then
    this process ends, and what is left of jobs."""
    _end(lambda: _import_and_fork(descriptor))


def _import_and_fork(descriptor: int) -> None:
    received: dict[int, float] = {}  # when, of each signal
    handlers = {
        number: signal.signal(number, lambda number, _: received.update({number: time.monotonic()}))
        for number in SIGNALS
    }
    sources = _sources()
    gc.disable()
    with socket.socket(fileno=descriptor) as run:
        os.set_inheritable(descriptor, False)
        for name in _modules():
            if select.select([run], [], [], 0)[0] and not run.recv(1, socket.MSG_PEEK):
                return  # the run has ended already
            importlib.import_module(name)
        if len(os.listdir("/proc/self/task")) == 1:  # a fork would lack other threads, and keep the locks they hold
            gc.collect()
            gc.freeze()
            gc.enable()
            _fork_jobs(run, partial(_job, handlers, received), sources)


def _fork_jobs(run: socket.socket, call: Callable[..., Any], sources: Mapping[str, Any]) -> None:
    jobs: dict[Child, socket.socket] = {}
    while True:
        ready = select.select([run, *jobs], [], [])[0]
        for job in jobs.keys() & set(ready):
            with jobs.pop(job) as connection, contextlib.suppress(OSError):
                connection.sendall(json.dumps(_ended(job)).encode() + b"\n")
        if run not in ready:
            continue
        _, descriptors, _, _ = socket.recv_fds(run, 1, 2)
        if not descriptors:
            for job in jobs:
                job.kill()
            return
        request, connection = descriptors[0], socket.socket(fileno=descriptors[1])
        try:
            if sources == _sources():
                job = Child(partial(call, request, [run, connection, *jobs.values()]))
                socket.send_fds(connection, [b"p"], [job.fileno()])
                jobs[job] = connection
        except OSError as error:  # no memory for a fork
            print(f"{error}; a job is started without a fork", file=sys.stderr)
        finally:
            os.close(request)
            if connection not in jobs.values():
                connection.close()


def _sources() -> dict[str, tuple[int, int]]:
    """When each source of tadpool was written, and its size."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        with contextlib.suppress(OSError):
            found[str(path)] = (path.stat().st_mtime_ns, path.stat().st_size)
    return found


def _modules() -> list[str]:
    """All of tadpool, and with it what it imports; what Snakemake puts before a script; and what
    most jobs import late."""
    found = [module.name for module in pkgutil.walk_packages(tadpool.__path__, "tadpool.")]
    own = [name for name in found if not name.endswith("__main__")]
    return ["snakemake.io", "snakemake.iocontainers", "snakemake.logging", *own, "netCDF4", "latex2mathml.converter"]


def _ended(job: Child) -> dict[str, float]:
    status, usage = job.wait(), job.usage
    return {
        "status": status,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory_mb": usage.ru_maxrss / 1024,
        "read_mb": usage.ru_inblock / 2048,
        "written_mb": usage.ru_oublock / 2048,
    }


def _job(
    handlers: Mapping[int, Any], received: Mapping[int, float], request: int, sockets: list[socket.socket]
) -> None:
    """The child: run the script as `python script` would. A signal that the run's processes got
    while the job was waiting for its fork reaches it now."""
    global forked
    for each in sockets:
        each.close()
    with os.fdopen(request, encoding="utf-8") as file:
        file.seek(0)
        given = json.load(file)
    for number, handler in handlers.items():
        signal.signal(number, handler)
        if received.get(number, 0) > given["asked"]:
            os.kill(os.getpid(), number)
    os.environ.clear()
    os.environ.update(given["environment"])
    os.chdir(given["folder"])
    sys.argv, sys.orig_argv = [given["script"]], [sys.executable, given["script"]]
    sys.path.insert(0, str(Path(given["script"]).parent))
    forked = True
    runpy.run_path(given["script"], run_name="__main__")
