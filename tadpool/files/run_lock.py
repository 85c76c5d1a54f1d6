"""One run at a time in a folder, and no result of a run that was overtaken.

Snakemake's own lock does not say who holds it, stays after a killed run, and goes when any other run ends; profiles/default
turns it off. This one is held by the operating system for as long as the process lives. Jobs that outlive a killed run keep
the token of that run: what they finish once another has begun is not published.
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
TOKEN = "TADPOOL_RUN"  # noqa: S105 (it keeps no secret)
_held: list[int] = []  # open for as long as the process lives


def take(place: Path = PLACE) -> None:
    """Begin a run in the working directory. Raises UserError where another one is under way, or nothing can be written."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise UserError(f"{place.parent}: nothing can be written there ({error.strerror}); make it writable") from error
    # A lock that is held is asked for twice: a job may have looked just now.
    if _locked(descriptor) is False and (time.sleep(0.5) or _locked(descriptor) is False):
        raise UserError(f"{place.parent}: {_holder(place)} is running here; wait for it or stop it, then run again")
    token = secrets.token_hex(8)
    record = {"token": token, "host": socket.gethostname(), "process": os.getpid()}
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(record).encode(), 0)
    except OSError as error:
        raise UserError(f"{place}: it cannot be written ({error.strerror}); make room") from error
    _held.append(descriptor)
    os.environ[TOKEN] = token


def require_current(path: str | Path, place: Path = PLACE) -> None:
    """Raise UserError where a job's run was overtaken by another, so that `path` may not be replaced."""
    own = os.environ.get(TOKEN)
    current = _record(place).get("token")
    if own and current and own != current:
        raise UserError(f"{path}: another run began while this job was at work; its result is not kept")


def abandoned(place: Path = PLACE) -> bool:
    """Whether this job's run has ended without it. Of a run on another machine that cannot be told."""
    own, current = os.environ.get(TOKEN), _record(place)
    if not own or current.get("host") != socket.gethostname():
        return False
    if current.get("token") != own:
        return True
    try:
        with place.open("r+b") as file:  # over NFS a file is only locked for one who may write it
            return _locked(file.fileno()) is True
    except OSError:
        return False


def _locked(descriptor: int) -> bool | None:
    """Whether the lock is ours now; None where the file system has no locks."""
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
