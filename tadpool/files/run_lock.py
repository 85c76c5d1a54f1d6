"""One run at a time in a folder, and no results of jobs that outlive their run.

Snakemake's lock does not say who holds it, remains after a killed run, and is released when any
other run ends, so profiles/default turns it off. This lock is held by the operating system for as
long as the process lives. Jobs that outlive a killed run keep the token of that run, and what they
finish after another run has begun is discarded.
"""

import errno
import json
import os
import secrets
import socket
import sys
import time
from pathlib import Path

from tadpool.errors import UserError

PLACE = Path("results", ".running")
TOKEN = "TADPOOL_RUN"  # noqa: S105 (it is not secret)
_held: list[int] = []  # open for as long as the process lives


def take(place: Path = PLACE) -> None:
    """Begin a run in the working directory. Raises UserError if another run is active, or nothing
    can be written."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise UserError(f"{place.parent}: nothing can be written there ({error.strerror}); make it writable") from error
    # Try a held lock twice: a job may have held it for a moment, to look whether the run is alive.
    if _locked(descriptor) is False and (time.sleep(0.5) or _locked(descriptor) is False):
        raise UserError(f"{place.parent}: {_holder(place)} is running here; wait for it or stop it, then run again")
    token = secrets.token_hex(8)
    record = {"token": token, "host": socket.gethostname(), "process": os.getpid()}
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(record).encode(), 0)
    except OSError as error:
        raise UserError(f"{place}: cannot be written ({error.strerror}); free some space") from error
    _held.append(descriptor)
    os.environ[TOKEN] = token


def require_current(path: str | Path, place: Path = PLACE) -> None:
    """Raise UserError if another run has begun since this job's run, so that `path` must not be
    replaced."""
    own = os.environ.get(TOKEN)
    current = _record(place).get("token")
    if own and current and own != current:
        raise UserError(f"{path}: another run began while this job was running; its result is discarded")


def abandoned(place: Path = PLACE) -> bool:
    """Whether this job's run has ended before it. False for a run on another machine, where this
    cannot be known."""
    own, current = os.environ.get(TOKEN), _record(place)
    if not own or current.get("host") != socket.gethostname():
        return False
    if current.get("token") != own:
        return True
    try:
        with place.open("r+b") as file:  # over NFS only a file that is open for writing can be locked
            return _locked(file.fileno()) is True
    except OSError:
        return False


def _locked(descriptor: int) -> bool | None:
    """Whether the lock is ours now; None if the file system has no locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
    return True


def _holder(place: Path) -> str:
    record = _record(place)
    return f"process {record['process']} on {record['host']}" if "process" in record else "another process"


def _record(place: Path) -> dict:
    try:
        return json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
