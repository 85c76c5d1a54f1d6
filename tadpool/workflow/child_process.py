"""Run the part of a script that computes, or calls user code, in a child process: whatever ends it
becomes a result that says so.

The parent stays light: it imports neither JAX nor NumPyro.
"""

import contextlib
import json
import math
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tadpool import INSTALLED, ROOT
from tadpool.errors import UserError
from tadpool.files import failures, io, provenance, run_lock
from tadpool.workflow import failed_results, fork_server

REASONS = {
    "SIGKILL": "most often the system ran out of memory",
    "SIGTERM": "stopped from outside or by a time limit",
    "SIGSEGV": "a crash in compiled code",
    "SIGABRT": "a crash in compiled code",
}
LOOK_SECONDS = 2
RETRIES = "TADPOOL_RETRIES"
SHARE = 0.9  # of a job's time is its child's; the rest is for its start and for saying what happened


@dataclass(frozen=True)
class End:
    """What ended a child, in words, and whether more memory or time might have prevented it."""

    cause: str
    starved: bool = False


def export(retries: int) -> None:
    """Tell jobs, wherever they run, how often the run tries one again."""
    os.environ[RETRIES] = str(retries)


def run_job(
    script: str,
    inputs: Mapping[str, Any],
    outputs: Sequence[str],
    params: Any,
    log: Sequence[str],
    threads: int,
    resources: Mapping[str, Any],
    share: str | None = None,
) -> None:
    """Run a guarded script as Snakemake describes its job, all or a share of it; `main(job, spec)`
    of it is called in a child.

    Args:
        script: Path of the script.
        inputs: Its files by name, and the list `shares` where other jobs have sampled a part of its
            lanes.
        outputs: The NetCDF file that it writes, and tables beside it.
        params: `spec`, `digest` and, of a whole job, `crashes`, see `tadpool.workflow.specs`.
        log: The file for what it prints.
        threads: How many it may use.
        resources: See `guarded`.
        share: `2of3` for the second of three equal shares of its lanes.
    """
    spec = json.loads(params.spec)
    files = {name: path for name, path in inputs.items() if isinstance(path, str)}
    with io.job_log(log[0]):
        record = provenance.record(spec, params.digest, files.get("data"))
        job = {"output": outputs[0], "provenance": record, "threads": threads, **files}
        if share is None:
            guarded(script, job, spec, params.crashes, resources, list(inputs.get("shares", [])), log[0])
            failed_results.complete(outputs)
        else:
            number, of = map(int, share.split("of"))
            sampled_share(script, job, spec, (number - 1, of), resources)


def guarded(
    script: str,
    job: Mapping[str, Any],
    spec: Mapping[str, Any],
    crashes: str,
    resources: Mapping[str, Any] | None = None,
    shares: Sequence[str] = (),
    log: str = "",
) -> None:
    """Call `main(job, spec)` of a script in a child; if it dies, write a crashed result instead.

    What the child has sampled is kept in a folder beside the output until there is a result, and
    the next try goes on from there; so is what other jobs have sampled for this one (see
    `engine.checkpoints`).

    Args:
        script: Path of the script.
        job: The fields of `tadpool.fitting.job.Job`, without the store.
        spec: What the job uses of the config, JSON values.
        crashes: Where crashes are recorded, and the earlier ones (`Specs.crashes`); this decides a
            re-run, so the next run tries again.
        resources: `runtime` (minutes), at whose end the child is stopped, and `attempt`: where the
            run will try again with more memory and time, and these may have been too little, no
            result is written and the job fails. So it does where this process itself is told to
            end.
        shares: Files of the jobs that have sampled a share of the lanes.
        log: The file for what the job prints, which the result names.

    Raises:
        UserError: The run will try again with more memory or time.
    """
    output, resources = job["output"], resources or {}
    kept = _kept(job) | {"further": list(shares)}
    end = run(script, {"job": job, "spec": spec, "kept": kept}, resources.get("runtime"))
    if end is None:
        shutil.rmtree(kept["folder"], ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        Path(kept["folder"]).rmdir()  # where nothing is kept
    _retry(end, output, resources)
    cause = _said(end, output, log)
    failed_results.write_crashed(output, job["provenance"], cause)
    failed_results.remember(crashes, cause)


def sampled_share(
    script: str,
    job: Mapping[str, Any],
    spec: Mapping[str, Any],
    share: tuple[int, int],
    resources: Mapping[str, Any],
) -> None:
    """Sample one share of the lanes of a script's job into `job["output"]`, for the job that
    gathers them.

    Nothing depends on it: what a share does not hold, because its child died in the last attempt,
    that job samples itself.

    Args:
        script: Path of the script.
        job: As in `guarded`.
        spec: As in `guarded`.
        share: Number of the share, from 0, and how many there are.
        resources: As in `guarded`.

    Raises:
        UserError: The run will try again with more memory or time.
    """
    output, kept = job["output"], _kept(job) | {"share": list(share), "gathered": job["output"]}
    unused = str(Path(kept["folder"]) / "unused.nc")
    given = {"job": {**job, "output": unused}, "spec": spec, "kept": kept}
    end = run(script, given, resources.get("runtime"))
    if end is not None:
        _retry(end, output, resources)
        failed_results.say(output, end.cause)
        from tadpool.engine.checkpoints import CheckpointStore

        CheckpointStore(Path(kept["folder"]), kept["identity"]).write_share(Path(output))
    shutil.rmtree(kept["folder"], ignore_errors=True)


def run_plain(
    script: str,
    files: Mapping[str, Any],
    outputs: Sequence[str],
    params: Any,
    log: Sequence[str],
    resources: Mapping[str, Any],
) -> None:
    """Run a script that runs no model: its `main` is called in a child with its files and its spec.
    If that fails, write the result of a job that failed instead.

    Args:
        script: Path of the script.
        files: What it reads and writes, by name of the argument; JSON values.
        outputs: The file, or the folder of figures, that it makes.
        params: `spec` and `crashes` of the job.
        log: The file for what it prints.
        resources: As in `guarded`.

    Raises:
        SystemExit: The run will try again with more memory or time, or no result could be written.
    """
    output, spec = outputs[0], json.loads(params.spec)
    with io.job_log(log[0]):
        end = run(script, {"arguments": {**files, **spec}}, resources.get("runtime"))
        if end is not None:
            _retry(end, output, resources)
            cause = _said(end, output, log[0])
            failed_results.write(output, spec, cause)
            failed_results.remember(params.crashes, cause)


def _said(end: End, output: str, log: str) -> str:
    """Say why there is no result, and remove what there is of it; returns the cause with the
    log."""
    cause = failures.logged(end.cause, log)
    failed_results.say(output, cause)
    io.remove_partial(output)
    return cause


def _retry(end: End, output: str, resources: Mapping[str, Any]) -> None:
    """Raise UserError where more memory or time may help and the run will try again with more."""
    if end.starved and resources.get("attempt", 1) <= int(os.environ.get(RETRIES, 0)):
        raise UserError(f"{output}: {end.cause}; it is tried again")


def _kept(job: Mapping[str, Any]) -> dict[str, Any]:
    """Where what is sampled for an output is kept, and what it is from: spec, code, data, and the
    fit that it goes on from."""
    fit = [Path(job["fit"]).read_bytes()] if "fit" in job else []
    output = Path(job["output"])
    folder = output.parent / f".{output.stem}.resume"
    return {"folder": str(folder), "identity": provenance.sha256(job["provenance"], *fit)}


def run(script: str, given: Mapping[str, Any], minutes: float | None = None) -> End | None:
    """Call `main` of a script in a child, which has its share of the minutes; returns None or what
    ended it.

    given: `arguments`, or the job, its spec, and where what it samples is kept. Raises SystemExit
    where this process is told to end meanwhile.
    """
    read_end, write_end = os.pipe()
    child = _started(script, json.dumps(given), write_end)
    os.close(write_end)
    told = []
    previous = signal.signal(signal.SIGTERM, lambda *_: (told.append(True), child.terminate()))
    try:
        if not _ended(child, 60 * SHARE * minutes if minutes else math.inf):
            child.kill()
            child.wait()
            return End(f"it ran out of its time, {minutes:g} min (`runtime`)", starved=True)
    except BaseException:
        child.kill()
        child.wait()
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)
        with os.fdopen(read_end, encoding="utf-8") as pipe:
            sentence = pipe.read()
    if child.returncode == 0:
        return None
    if told:
        print("Stopped from outside; the next run goes on from what is kept.", file=sys.stderr)
        raise SystemExit(128 + signal.SIGTERM)
    if child.returncode > 0:
        words = sentence or f"the process ended with status {child.returncode}; its traceback is in the log"
        return End(words, starved="MemoryError" in words or "RESOURCE_EXHAUSTED" in words)
    name = signal.Signals(-child.returncode).name
    words = f"the process was ended by {name} ({REASONS.get(name, 'a signal')})"
    return End(words, starved=name in ("SIGKILL", "SIGTERM"))


def _started(script: str, given: str, sentences: int) -> subprocess.Popen | fork_server.Child:
    """Start the child: a fork where everything is imported, otherwise another interpreter."""
    if fork_server.forked:
        return fork_server.Child(lambda: sys.exit(main(script, sentences, given)))
    paths = os.pathsep.join(filter(None, ["" if INSTALLED else str(ROOT), os.environ.get("PYTHONPATH")]))
    terminal = [int(os.environ[name]) for name in ("TADPOOL_TERMINAL",) if name in os.environ]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as stdin:
        stdin.write(given)
        stdin.seek(0)
        return subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-m", "tadpool.workflow.child_process", script, str(sentences)],
            stdin=stdin,
            env={**os.environ, "PYTHONPATH": paths},
            pass_fds=[sentences, *terminal],
        )


def _ended(child: subprocess.Popen | fork_server.Child, seconds: float) -> bool:
    """Wait for the child; False where its time is over. Raises UserError where the run is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            child.wait(min(LOOK_SECONDS, end - time.monotonic()))
            return True
        except subprocess.TimeoutExpired:
            if run_lock.abandoned():
                raise UserError("the run that started this job has ended; the job ends too") from None
    return False


def main(script: str, sentences: int, given: str) -> int:
    """The child: given are job and spec, or arguments, as JSON; the sentence of a UserError or an
    exception goes to a pipe."""
    try:
        own = json.loads(given)
        if "arguments" in own:
            _function(script)(**own["arguments"])
        else:
            _main(script, **own)
    except Exception as error:
        with os.fdopen(sentences, "w", encoding="utf-8") as pipe:
            pipe.write(failures.words(error))
        if isinstance(error, UserError):
            return 1
        raise
    return 0


def _main(script: str, job: Mapping[str, Any], spec: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    from tadpool.engine.checkpoints import CheckpointStore
    from tadpool.fitting.job import Job

    further = [Path(path) for path in kept.get("further", ())]
    share = tuple(kept["share"]) if "share" in kept else None
    store = CheckpointStore(Path(kept["folder"]), kept["identity"], further, share)
    _require_own(job, spec)
    _function(script)(Job(**job, store=store), spec)
    if share is not None:
        store.write_share(Path(kept["gathered"]))


def _function(script: str) -> Callable[..., None]:
    return runpy.run_path(script, run_name="tadpool_child")["main"]


def _require_own(job: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    """Raise UserError where a result that the job reads was made for something else."""
    data = json.loads(job["provenance"]).get("data")
    for path in (job[name] for name in ("data", "fit", "prior") if job.get(name)):
        with contextlib.suppress(OSError):  # of a file that is not whole: reading it says so
            provenance.require_made_for(path, io.made_from(path), spec, data)


if __name__ == "__main__":
    fork_server.end_with_parent()
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.stdin.read()))
