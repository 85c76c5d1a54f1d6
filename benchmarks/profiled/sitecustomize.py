"""What a process of a run spends its time on, written as JSON to the folder TADPOOL_PROFILE when it
ends.

Python imports a module of this name at its start where it is on the path, so the run itself needs
no change. Spans are seconds of the wall clock: `imports`; `compile`, tracing and lowering included;
`sample`, what lanes take beside that; `files`, NetCDF read and written.
"""

import atexit
import builtins
import json
import os
import sys
import time
from pathlib import Path

STARTED = time.monotonic()
spans = {"imports": 0.0, "compile": 0.0, "sample": 0.0, "files": 0.0}
importing = [0]
original = builtins.__import__
watched = set()
# Functions of tadpool whose time counts, each with its span.
WATCHED = {
    "tadpool.files.io": {"read": "files", "write": "files"},
    "tadpool.engine.lanes": {"run": "sample"},
    "tadpool.engine.batches": {"map_lanes": "sample"},
}


def timed_import(*arguments, **keywords):
    """Import, and add the time of an import that is not part of another one."""
    importing[0] += 1
    began = time.monotonic()
    try:
        return original(*arguments, **keywords)
    finally:
        importing[0] -= 1
        if not importing[0]:
            spans["imports"] += time.monotonic() - began
            watch()


def watch():
    """Time the functions of modules that are now there, and what JAX compiles."""
    for name in {*WATCHED, "jax.monitoring"} - watched:
        module = sys.modules.get(name)
        if module is None or getattr(module.__spec__, "_initializing", False):
            continue
        watched.add(name)
        if name == "jax.monitoring":
            module.register_event_duration_secs_listener(heard)
        for function, span in WATCHED.get(name, {}).items():
            setattr(module, function, timed(getattr(module, function), span))


def timed(function, span):
    """The same function, its time added to the span, without what was imported or compiled
    meanwhile."""

    def run(*arguments, **keywords):
        others = spans["imports"] + spans["compile"]
        began = time.monotonic()
        try:
            return function(*arguments, **keywords)
        finally:
            spans[span] += max(0.0, time.monotonic() - began - (spans["imports"] + spans["compile"] - others))

    return run


reached = [0.0]


def heard(event, seconds, **_):
    """Add what a compilation took beyond those that overlap with it: parts compile side by side, or
    within others."""
    if event.startswith("/jax/core/compile/"):
        now = time.monotonic()
        spans["compile"] += max(0.0, now - max(now - seconds, reached[0]))
        reached[0] = now


def finish():
    """Write what was measured."""
    user, system, *_ = os.times()
    found = {"command": sys.orig_argv, "wall": time.monotonic() - STARTED, "cpu": user + system, "spans": spans}
    Path(os.environ["TADPOOL_PROFILE"], f"{os.getpid()}-{time.monotonic_ns()}.json").write_text(json.dumps(found))


def forget():
    """Count from zero in a fork: what its parent did is not its own."""
    global STARTED
    STARTED = time.monotonic()
    spans.update(dict.fromkeys(spans, 0.0))


if "TADPOOL_PROFILE" in os.environ:
    os.register_at_fork(after_in_child=forget)
    builtins.__import__ = timed_import
    atexit.register(finish)
