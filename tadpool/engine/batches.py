"""A function of one lane, computed for all lanes.

On a CPU as many threads as there are cores call one program for one lane after another; on an
accelerator lanes run side by side.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from tadpool.engine.hoisting import compiler_options
from tadpool.engine.nuts import Arrays

# On an accelerator, where lanes run in parallel: bytes of results, and lanes, of one call.
CHUNK_BYTES = 4e9
CHUNK_LANES = 4096
# Lanes of one call on a CPU, and bytes of their results, where a lane takes less time than a call:
# draws from a prior, for example.
BRIEF = 50
BRIEF_BYTES = 1e8


@dataclass
class Workers:
    """How many threads run lanes in this process."""

    threads: int = 1


workers = Workers()


def side_by_side() -> bool:
    """Whether lanes run in parallel, by `vmap`: on an accelerator."""
    return jax.default_backend() != "cpu"


def chunks(lanes: int, each: int) -> list[np.ndarray]:
    """The lanes of each call: `each` of them, the last ones padded by repeating the last lane, so
    that one compiled program serves all calls."""
    rows = np.minimum(np.arange(-(-lanes // each) * each), lanes - 1)
    return list(rows.reshape(-1, each))


def side_by_side_lanes(lanes: int, bytes_per_lane: float) -> int:
    """Lanes of one call on an accelerator: all calls have equally many."""
    most = int(np.clip(CHUNK_BYTES / max(bytes_per_lane, 1.0), 1, CHUNK_LANES))
    return -(-lanes // -(-lanes // most))


def in_threads(function: Callable, arguments: Iterable, stop: threading.Event | None = None) -> Iterator:
    """`function` of each argument, in order, computed by as many threads as the job may use.

    What one of them raises is raised here, and no further one is begun; `stop` is then set, for
    those at work to look at.
    """
    with ThreadPoolExecutor(workers.threads) as pool:
        futures = [pool.submit(function, argument) for argument in arguments]
        try:
            for future in futures:
                yield future.result()
        except BaseException:
            if stop is not None:
                stop.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass
class OverLanes:
    """A function of one lane, compiled at the first call.

    function: `function(lane, shared)`. each: lanes of one call on a CPU; more than one where each
    is a matter of microseconds. skip_optimization: see `compiler_options`.
    """

    function: Callable
    each: int = 1
    skip_optimization: bool = False
    _compiled: dict = field(default_factory=dict)

    def __call__(self, lanes: Arrays, shared: Arrays, bytes_per_lane: float = 1e6) -> Any:
        """Apply the function to every lane.

        Args:
            lanes: Arrays with the lane as first axis.
            shared: Arrays that are the same for all lanes.
            bytes_per_lane: Size of what one lane returns.

        Returns:
            The outputs as NumPy arrays, with the lane as first axis.
        """
        count = len(jax.tree.leaves(lanes)[0])
        parallel = side_by_side()
        each = min(self.each, max(1, int(BRIEF_BYTES / max(bytes_per_lane, 1))))
        each = side_by_side_lanes(count, bytes_per_lane) if parallel else each
        rows, shared = chunks(count, each), jax.device_put(shared)
        if each not in self._compiled:
            program = jax.jit(self._of_chunk(parallel, each), compiler_options=compiler_options(self.skip_optimization))
            self._compiled[each] = program.lower(take(lanes, rows[0]), shared).compile()

        def call(chunk):
            return jax.tree.map(np.asarray, self._compiled[each](take(lanes, chunk), shared))

        return restore_order(list(map(call, rows) if parallel else in_threads(call, rows)), rows, count)

    def _of_chunk(self, parallel: bool, each: int) -> Callable:
        if parallel:
            return jax.vmap(self.function, in_axes=(0, None))
        if each > 1:
            return lambda lanes, shared: jax.lax.map(lambda lane: self.function(lane, shared), lanes)
        return lambda lanes, shared: jax.tree.map(
            lambda leaf: leaf[None], self.function(jax.tree.map(lambda leaf: leaf[0], lanes), shared)
        )


def map_lanes(
    function: Callable,
    lanes: Arrays,
    shared: Arrays,
    *,
    each: int = 1,
    bytes_per_lane: float = 1e6,
    skip_optimization: bool = False,
) -> Any:
    """Apply a function to every lane, see `OverLanes`."""
    return OverLanes(function, each, skip_optimization)(lanes, shared, bytes_per_lane)


def restore_order(values: list, rows: list[np.ndarray], lanes: int) -> Any:
    """Put the outputs of all calls into the order of the lanes.

    Args:
        values: Outputs of each call, with the lane as first axis.
        rows: Numbers of the lanes of each call, as from `chunks`.
        lanes: Number of lanes.

    Returns:
        The outputs with the lane as first axis, without padding.
    """
    position = np.full(lanes, -1)
    everywhere = np.concatenate(rows)
    position[everywhere[::-1]] = np.arange(len(everywhere))[::-1]
    return jax.tree.map(lambda *parts: np.concatenate(parts)[position], *values)


def take(tree: Arrays, rows: np.ndarray) -> Arrays:
    """These rows of every array, as NumPy arrays."""
    return jax.tree.map(lambda array: np.asarray(array)[rows], tree)
