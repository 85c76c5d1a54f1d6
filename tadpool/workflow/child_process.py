"""Run the part of a script that calls user code in a child process: whatever ends it becomes a result that says so.

The parent stays light: it imports neither JAX nor NumPyro.
"""

import contextlib
import ctypes
import json
import math
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tadpool import ROOT
from tadpool.errors import UserError
from tadpool.files import io, run_lock
from tadpool.files.provenance import sha256

REASONS = {
    "SIGKILL": "most often the system ran out of memory",
    "SIGTERM": "stopped from outside or by a time limit",
    "SIGSEGV": "a crash in compiled code",
    "SIGABRT": "a crash in compiled code",
}
PR_SET_PDEATHSIG = 1
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


def guarded(
    script: str,
    output: str,
    crashes: str,
    provenance: str,
    resources: Mapping[str, Any] | None = None,
    shares: Sequence[str] = (),
    **arguments,
) -> None:
    """Call `main(output, provenance, **arguments)` of `script` in a child; if it dies, write a crashed result instead.

    arguments: JSON values. crashes: where crashes are recorded, and the earlier ones (`Specs.crashes`); this decides a re-run,
    so the next run tries again. resources: `runtime` (minutes), at whose end the child is stopped, and `attempt`: where the run
    will try again with more memory and time, and these may have been too little, no result is written and the job fails. So it
    does where this process itself is told to end. What the child has sampled is kept in a folder beside the output until there
    is a result, and the next try goes on from there; so is what the jobs of `shares` have sampled (see `engine.checkpoints`).
    """
    resources, kept = resources or {}, _kept(output, provenance, arguments) | {"further": list(shares)}
    end = run(script, {"output": output, "provenance": provenance, **arguments}, resources.get("runtime"), kept)
    if end is None:
        shutil.rmtree(kept["folder"], ignore_errors=True)
        return
    cause = end.cause
    with contextlib.suppress(OSError):
        Path(kept["folder"]).rmdir()  # where nothing is kept
    _retry(end, output, resources)
    _say(output, cause)
    io.remove_partial(output)
    write_crashed(output, provenance, cause)
    known = json.loads(crashes)
    io.write_json(known["record"], [*known["earlier"], cause])


def shared(
    script: str, output: str, share: tuple[int, int], provenance: str, resources: Mapping[str, Any], **arguments
) -> None:
    """Sample one share (number from 0, of how many) of the lanes of `script` into `output`, for the job that gathers them.

    Nothing depends on it: what a share does not hold, because its child died in the last attempt, that job samples itself.
    """
    kept = _kept(output, provenance, arguments) | {"share": list(share), "gathered": output}
    unused = str(Path(kept["folder"]) / "unused.nc")
    end = run(script, {"output": unused, "provenance": provenance, **arguments}, resources.get("runtime"), kept)
    if end is not None:
        _retry(end, output, resources)
        _say(output, end.cause)
        from tadpool.engine import checkpoints

        checkpoints.Store(Path(kept["folder"]), kept["identity"]).write_share(Path(output))
    shutil.rmtree(kept["folder"], ignore_errors=True)


def _retry(end: End, output: str, resources: Mapping[str, Any]) -> None:
    """Raise UserError where more memory or time may help and the run will try again with more."""
    if end.starved and resources.get("attempt", 1) <= int(os.environ.get(RETRIES, 0)):
        raise UserError(f"{output}: {end.cause}; it is tried again")


def _kept(output: str, provenance: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where what is sampled for an output is kept, and what it is from: spec, code, data, and the fit that it goes on from."""
    fit = [Path(arguments["fit"]).read_bytes()] if "fit" in arguments else []
    folder = Path(output).parent / f".{Path(output).stem}.resume"
    return {"folder": str(folder), "identity": sha256(provenance, *fit)}


def _say(output: str, cause: str) -> None:
    print(cause, file=sys.stderr)
    os.write(int(os.environ.get("TADPOOL_TERMINAL", 2)), f"{output}: {cause}\n".encode())


def run(
    script: str, arguments: dict[str, Any], minutes: float | None = None, kept: Mapping[str, Any] | None = None
) -> End | None:
    """Call `main(**arguments)` of `script` in a child, which has its share of the minutes; returns None or what ended it.

    kept: where it keeps what it has sampled. Raises SystemExit where this process is told to end meanwhile.
    """
    read_end, write_end = os.pipe()
    terminal = [int(os.environ[name]) for name in ("TADPOOL_TERMINAL",) if name in os.environ]
    root = str(ROOT)
    child = subprocess.Popen(  # noqa: S603 (our own module)
        [sys.executable, "-m", "tadpool.workflow.child_process", script, str(write_end)],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))},
        text=True,
        pass_fds=[write_end, *terminal],
    )
    os.close(write_end)
    told = []
    previous = signal.signal(signal.SIGTERM, lambda *_: (told.append(True), child.terminate()))
    try:
        if not _ended(
            child, json.dumps({"arguments": arguments, "kept": kept}), 60 * SHARE * minutes if minutes else math.inf
        ):
            child.kill()
            child.wait()
            return End(f"it ran out of its time, {minutes:g} min (`runtime`)", starved=True)
    except BrokenPipeError:
        child.wait()
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


def _ended(child: subprocess.Popen, arguments: str | None, seconds: float) -> bool:
    """Wait for the child, which is told its arguments; False where its time is over. Raises UserError where the run is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            child.communicate(arguments, timeout=min(LOOK_SECONDS, end - time.monotonic()))
            return True
        except subprocess.TimeoutExpired:
            arguments = None
        if run_lock.abandoned():
            raise UserError("the run that started this job has ended; the job ends too")
    return False


def write_crashed(path: str, provenance: str, cause: str) -> None:
    """Write a result without numbers whose status is "crashed"."""
    import xarray as xr

    from tadpool.files import contracts

    nothing = {"attempts": "[]", "over": "", "relations": "{}"}
    attributes = {"provenance": provenance, "status": "crashed", "reason": cause, **nothing}
    io.write(path, xr.DataTree(xr.Dataset(attrs=attributes)), contracts.CRASHED)


def main(script: str, sentences: str) -> int:
    """The child: arguments come on standard input, the sentence of a UserError or an exception goes to a pipe."""
    if sys.platform == "linux":  # without the job that started it nobody waits for its result
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    given = json.loads(sys.stdin.read())
    try:
        _main(script, given["arguments"], given["kept"])
    except Exception as error:
        words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        with os.fdopen(int(sentences), "w", encoding="utf-8") as pipe:
            pipe.write(words)
        if isinstance(error, UserError):
            return 1
        raise
    return 0


def _main(script: str, arguments: Mapping[str, Any], kept: Mapping[str, Any] | None) -> None:
    from tadpool.engine import checkpoints

    store = checkpoints.Store()
    if kept is not None:
        further = [Path(path) for path in kept.get("further", ())]
        share = tuple(kept["share"]) if "share" in kept else None
        store = checkpoints.Store(Path(kept["folder"]), kept["identity"], further, share)
    checkpoints.use(store)
    with contextlib.suppress(checkpoints.Shared):
        runpy.run_path(script, run_name="tadpool_child")["main"](**arguments)
    if store.share is not None:
        store.write_share(Path(kept["gathered"]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
