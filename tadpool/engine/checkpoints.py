"""What a job has sampled so far, kept beside its output: one that was stopped goes on from there,
and several can share one.

Finished lanes are kept and, every EVERY seconds, the lanes at work: the sampler's state and the
draws so far. A clock decides when they are written, never what is computed: a job that was stopped
computes what it would have computed without the stop. Files of another spec, code or data are
removed unread.
"""

import os
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tadpool.files import io

EVERY = float(os.environ.get("TADPOOL_SAVE_EVERY", 30))
"""Seconds between two writes; longer where one takes more than a twentieth of that."""
HELD = 200e6
"""Most bytes of finished lanes that wait in memory to be written."""
AT_WORK = "at-work.npz"


@dataclass(frozen=True)
class SavedLanes:
    """Arrays of some lanes of one call of the engine, finished or at work.

    call: its number in the job, and a digest of what it runs. lanes: their numbers. leaves: arrays
    (lanes, ...).
    """

    call: str
    lanes: np.ndarray
    leaves: list[np.ndarray]


def write(path: Path, identity: str, pieces: Sequence[SavedLanes]) -> None:
    """Write pieces as one file, whole or not at all. identity: of the spec, the code and the data
    that they are from."""
    arrays: dict[str, Any] = {"identity": np.array(identity), "count": np.array(len(pieces))}
    for number, piece in enumerate(pieces):
        arrays |= {f"{number}/call": np.array(piece.call), f"{number}/lanes": piece.lanes}
        arrays |= {f"{number}/{position}": leaf for position, leaf in enumerate(piece.leaves)}
    with io.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def read(path: Path, identity: str) -> list[SavedLanes]:
    """The pieces of a file; none where it is not there, is damaged or has another identity."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if str(arrays["identity"]) != identity:
                return []
            return [_piece(arrays, number) for number in range(int(arrays["count"]))]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return []


def _piece(arrays: Mapping[str, np.ndarray], number: int) -> SavedLanes:
    count = sum(name.startswith(f"{number}/") for name in arrays) - 2
    leaves = [arrays[f"{number}/{position}"] for position in range(count)]
    return SavedLanes(str(arrays[f"{number}/call"]), arrays[f"{number}/lanes"], leaves)


@dataclass
class CheckpointStore:
    """Where a job keeps what it has sampled.

    folder: its own, None for nowhere. further: files of other jobs that have sampled a share.
    share: which of how many equal parts of the lanes this job samples, from 0, where it is one of
    several.
    """

    folder: Path | None = None
    identity: str = ""
    further: Sequence[Path] = ()
    share: tuple[int, int] | None = None
    every: float = EVERY
    _calls: int = 0
    _pieces: list[SavedLanes] = field(default_factory=list)
    _unwritten: list[SavedLanes] = field(default_factory=list)
    _at_work: dict[tuple[int, ...], Callable[[], SavedLanes]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _born: float = field(default_factory=time.monotonic)
    _next: float = 0.0

    def __post_init__(self) -> None:
        self._next = self._born + self.every
        for path in [*self._own(), *self.further]:
            found = read(path, self.identity)
            if not found and path not in self.further:
                path.unlink(missing_ok=True)
            if path.name != AT_WORK:
                self._pieces += found

    def _own(self) -> list[Path]:
        return sorted(self.folder.glob("*.npz")) if self.folder is not None else []

    def within(self, part: str) -> "CheckpointStore":
        """A store for the lanes behind one part of what this one keeps: for the next try of this
        job alone, never shared."""
        return CheckpointStore(None if self.folder is None else self.folder / part, self.identity, every=self.every)

    def call(self, what: str) -> "Call":
        """The next call of the engine. what: a digest of it."""
        self._calls += 1
        return Call(self, f"{self._calls} {what}")

    def finished(self, call: str) -> list[SavedLanes]:
        """The pieces of a call, no lane twice."""
        found, seen = [], set()
        for piece in self._pieces:
            if piece.call == call and not seen & set(piece.lanes.tolist()):
                found.append(piece)
                seen |= set(piece.lanes.tolist())
        return found

    def add(self, piece: SavedLanes) -> None:
        """Keep finished lanes: in memory until the job has run for a while, then in a file."""
        if self.folder is None:
            return
        with self._lock:
            self._at_work.pop(tuple(piece.lanes), None)
            self._unwritten.append(piece)
            if self.share is not None:
                self._pieces.append(piece)
            held = sum(leaf.nbytes for own in self._unwritten for leaf in own.leaves)
            if time.monotonic() >= self._born + self.every or held > HELD:
                self._flush()

    def keep(self, lanes: np.ndarray, piece: Callable[[], SavedLanes]) -> None:
        """Write all lanes at work, and what is finished, if it is time to.

        piece: makes the arrays of these lanes, for as long as there is no newer one.
        """
        if self.folder is None:
            return
        with self._lock:
            self._at_work[tuple(np.unique(lanes))] = piece
            if (began := time.monotonic()) < self._next:
                return
            self._flush()
            write(self.folder / AT_WORK, self.identity, [own() for own in self._at_work.values()])
            now = time.monotonic()
            self._next = now + max(self.every, 20 * (now - began))

    def _flush(self) -> None:
        if self._unwritten:
            first = self._unwritten[0]
            name = f"{first.call.split()[0]}-{first.lanes[0]}.npz"
            write(self.folder / name, self.identity, self._unwritten)
            self._unwritten = []

    def write_share(self, path: Path) -> None:
        """Everything that is finished, as one file for the job that gathers it."""
        write(path, self.identity, self._pieces)


@dataclass(frozen=True)
class Call:
    """One call of the engine: what is kept of it."""

    store: CheckpointStore
    name: str

    def finished(self) -> list[SavedLanes]:
        return self.store.finished(self.name)

    def left(self, count: int) -> np.ndarray:
        """The lanes of `count` that this job still has to sample."""
        done = [piece.lanes for piece in self.finished()]
        share, shares = self.store.share or (0, 1)
        own = np.array_split(np.arange(count), shares)[share]
        own = own if len(own) else np.zeros(1, int)  # more shares than lanes
        return np.setdiff1d(own, np.concatenate(done)) if done else own

    def finish(self, lanes: np.ndarray, leaves: Sequence[np.ndarray]) -> None:
        """lanes: the number of each row of the arrays; repeated ones are padding."""
        numbers, rows = np.unique(lanes, return_index=True)
        self.store.add(SavedLanes(self.name, numbers, [np.asarray(leaf)[rows] for leaf in leaves]))

    def keep(self, lanes: np.ndarray, leaves: Callable[[], Sequence[np.ndarray]]) -> None:
        self.store.keep(lanes, lambda: SavedLanes(self.name, lanes, list(leaves())))

    def at_work(self, lanes: np.ndarray) -> list[np.ndarray] | None:
        """What was kept of just these lanes at work, in this order."""
        found = read(self.store.folder / AT_WORK, self.store.identity) if self.store.folder is not None else []
        same = [piece for piece in found if piece.call == self.name and np.array_equal(piece.lanes, lanes)]
        return same[0].leaves if same else None
