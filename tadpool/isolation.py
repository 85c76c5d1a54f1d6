"""Run the part of a script that calls user code in a child process: whatever ends it becomes a result that says so.

The parent stays light: it imports neither JAX nor NumPyro.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
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


def guarded(script: str, output: str, crashes: str, provenance: str, **arguments) -> None:
    """Call `main(output, provenance, **arguments)` of `script` in a child; if it dies, write a crashed result instead.

    arguments: JSON values. crashes: the record of crashes beside the output; it is part of what decides a re-run, so the
    next run tries again.
    """
    cause = run(script, {"output": output, "provenance": provenance, **arguments})
    if cause is None:
        return
    print(cause, file=sys.stderr)
    os.write(int(os.environ.get("TADPOOL_TERMINAL", 2)), f"{output}: {cause}\n".encode())
    for partial in Path(output).parent.glob(f".{Path(output).name}.*"):
        partial.unlink()
    write_crashed(output, provenance, cause)
    earlier = io.read_json(crashes) if Path(crashes).exists() else []
    io.write_json(crashes, [*earlier, cause])


def run(script: str, arguments: dict[str, Any]) -> str | None:
    """Call `main(**arguments)` of `script` in a child; returns None, or in words what ended it."""
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
        child.communicate(json.dumps(arguments))
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
    if child.returncode > 0:
        return sentence or f"the process ended with status {child.returncode}; its traceback is in the log"
    name = signal.Signals(-child.returncode).name
    return f"the process was ended by {name} ({REASONS.get(name, 'a signal')})"


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
