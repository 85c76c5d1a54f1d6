"""Run the part of a script that calls user code in a child process: whatever ends it becomes a result that says so.

The parent stays light: it imports neither JAX nor NumPyro.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tadpool import io
from tadpool.errors import UserError

REASONS = {
    "SIGKILL": "most often the system ran out of memory",
    "SIGTERM": "stopped from outside or by a time limit",
    "SIGSEGV": "a crash in compiled code",
    "SIGABRT": "a crash in compiled code",
}
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
    script: str, output: str, crashes: str, provenance: str, resources: Mapping[str, Any] | None = None, **arguments
) -> None:
    """Call `main(output, provenance, **arguments)` of `script` in a child; if it dies, write a crashed result instead.

    arguments: JSON values. crashes: the record of crashes beside the output; it is part of what decides a re-run, so the
    next run tries again. resources: `runtime` (minutes), at whose end the child is stopped, and `attempt`: where the run
    will try again with more memory and time, and these may have been too little, no result is written and the job fails.
    """
    resources = resources or {}
    end = run(script, {"output": output, "provenance": provenance, **arguments}, resources.get("runtime"))
    if end is None:
        return
    cause = end.cause
    if end.starved and resources.get("attempt", 1) <= int(os.environ.get(RETRIES, 0)):
        raise UserError(f"{output}: {cause}; it is tried again")
    print(cause, file=sys.stderr)
    os.write(int(os.environ.get("TADPOOL_TERMINAL", 2)), f"{output}: {cause}\n".encode())
    for partial in Path(output).parent.glob(f".{Path(output).name}.*"):
        partial.unlink()
    write_crashed(output, provenance, cause)
    earlier = io.read_json(crashes) if Path(crashes).exists() else []
    io.write_json(crashes, [*earlier, cause])


def run(script: str, arguments: dict[str, Any], minutes: float | None = None) -> End | None:
    """Call `main(**arguments)` of `script` in a child, which has its share of the minutes; returns None or what ended it."""
    read_end, write_end = os.pipe()
    terminal = [int(os.environ[name]) for name in ("TADPOOL_TERMINAL",) if name in os.environ]
    root = str(Path(__file__).parent.parent)
    child = subprocess.Popen(  # noqa: S603 (our own module)
        [sys.executable, "-m", "tadpool.isolation", script, str(write_end)],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))},
        text=True,
        pass_fds=[write_end, *terminal],
    )
    os.close(write_end)
    previous = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        child.communicate(json.dumps(arguments), timeout=60 * SHARE * minutes if minutes else None)
    except BrokenPipeError:
        child.wait()
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return End(f"it ran out of its time, {minutes} minutes (`runtime`)", starved=True)
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
    if child.returncode > 0:
        words = sentence or f"the process ended with status {child.returncode}; its traceback is in the log"
        return End(words, starved="MemoryError" in words or "RESOURCE_EXHAUSTED" in words)
    name = signal.Signals(-child.returncode).name
    words = f"the process was ended by {name} ({REASONS.get(name, 'a signal')})"
    return End(words, starved=name in ("SIGKILL", "SIGTERM"))


def write_crashed(path: str, provenance: str, cause: str) -> None:
    """Write a result without numbers whose status is "crashed"."""
    import xarray as xr

    from tadpool import contracts

    nothing = {"attempts": "[]", "over": "", "relations": "{}"}
    attributes = {"provenance": provenance, "status": "crashed", "reason": cause, **nothing}
    io.write(path, xr.DataTree(xr.Dataset(attrs=attributes)), contracts.CRASHED)


def main(script: str, sentences: str) -> int:
    """The child: arguments come on standard input, the sentence of a UserError or an exception goes to a pipe."""
    arguments = json.loads(sys.stdin.read())
    try:
        runpy.run_path(script, run_name="tadpool_child")["main"](**arguments)
    except Exception as error:
        words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        with os.fdopen(int(sentences), "w", encoding="utf-8") as pipe:
            pipe.write(words)
        if isinstance(error, UserError):
            return 1
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
