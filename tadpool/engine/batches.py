"""A function of one lane, computed for all lanes: in chunks of one compiled shape, distributed over
the devices."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, PartitionSpec

from tadpool.engine.nuts import Arrays

# Bytes of draws in one chunk of lanes: on an accelerator, where lanes run in parallel, larger
# chunks pay off.
CHUNK_BYTES = {"cpu": 256e6, "gpu": 4e9}
LANES_PER_DEVICE = {"cpu": 64, "gpu": 4096}


def side_by_side() -> bool:
    """Whether lanes run in parallel, by `vmap`: on an accelerator."""
    return jax.default_backend() != "cpu"


def batches(lanes: int, devices: int, bytes_per_lane: float) -> tuple[int, int]:
    """The number of chunks, and of lanes in each: all have the same, so that one compiled program
    serves all.

    Args:
        lanes: Number of lanes.
        devices: Number of devices.
        bytes_per_lane: Size of what one lane returns.
    """
    backend = jax.default_backend()
    most = int(np.clip(CHUNK_BYTES[backend] / max(bytes_per_lane, 1.0), devices, LANES_PER_DEVICE[backend] * devices))
    chunks = -(-lanes // most)
    per_device = -(-lanes // (chunks * devices))
    return chunks, per_device * devices


def compile_over_lanes(
    function: Callable, vectorized: bool | None = None, *, skip_optimization: bool = False
) -> Callable:
    """Compile a function of one lane to run over all lanes of a chunk.

    Args:
        function: `function(lane, shared)`.
        vectorized: Whether lanes run in parallel, by `vmap`, or one after another on each device;
            None chooses by backend.
        skip_optimization: Compile without optimizations, in a third of the time: for functions that
            run for less time than their compilation takes.

    Returns:
        `compiled(lanes, shared)`, with the lane as the first axis of its outputs.
    """
    options = {"xla_backend_optimization_level": 0} if skip_optimization else None
    if side_by_side() if vectorized is None else vectorized:
        return jax.jit(jax.vmap(function, in_axes=(0, None)), compiler_options=options)
    mesh = jax.make_mesh((jax.device_count(),), ("lane",), axis_types=(AxisType.Auto,))
    over_lanes = PartitionSpec("lane")

    def on_device(lanes, shared):
        return jax.lax.map(lambda lane: function(lane, shared), lanes)

    return jax.jit(
        jax.shard_map(
            on_device, mesh=mesh, in_specs=(over_lanes, PartitionSpec()), out_specs=over_lanes, check_vma=False
        ),
        compiler_options=options,
    )


def chunk_rows(lanes: int, chunks: int, size: int) -> Iterator[np.ndarray]:
    """Distribute lanes in turn over chunks and devices.

    Neighbouring lanes, such as chains of one fit, tend to cost the same, so taking turns keeps the
    devices equally busy.

    Args:
        lanes: Number of lanes.
        chunks: Number of chunks.
        size: Number of lanes in each chunk.

    Yields:
        Indices (size,) of the lanes of each chunk, padded by repeating the last lane.
    """
    devices = jax.device_count()
    rows = np.minimum(np.arange(chunks * size), lanes - 1).reshape(chunks, size)
    for chunk in rows:
        yield chunk.reshape(size // devices, devices).T.ravel() if size % devices == 0 else chunk


def restore_order(values: list, rows: list[np.ndarray], lanes: int) -> Any:
    """Put the outputs of all chunks into the order of the lanes.

    Args:
        values: Outputs of each chunk.
        rows: Indices of the lanes of each chunk, as from `chunk_rows`.
        lanes: Number of lanes.

    Returns:
        The outputs with the lane as first axis, without padding.
    """
    position = np.full(lanes, -1)
    everywhere = np.concatenate(rows)
    position[everywhere[::-1]] = np.arange(len(everywhere))[::-1]
    return jax.tree.map(lambda *parts: np.concatenate(parts)[position], *values)


def map_lanes(
    function: Callable,
    lanes: Arrays,
    shared: Arrays,
    *,
    bytes_per_lane: float = 1e6,
    skip_optimization: bool = False,
    compiled: Callable | None = None,
) -> Any:
    """Apply a function to every lane.

    Args:
        function: `function(lane, shared)`.
        lanes: Arrays with the lane as first axis.
        shared: Arrays that are the same for all lanes.
        bytes_per_lane: Size of what one lane returns.
        skip_optimization: See `compile_over_lanes`.
        compiled: The function as compiled by `compile_over_lanes`, for several calls that share it.

    Returns:
        The outputs as NumPy arrays, with the lane as first axis.
    """
    count = len(jax.tree.leaves(lanes)[0])
    chunks, size = batches(count, jax.device_count(), bytes_per_lane)
    # XLA compiles a loop with one iteration without the loop, and then rounds differently.
    size = max(size, 2 * jax.device_count())
    compiled = compiled or compile_over_lanes(function, skip_optimization=skip_optimization)
    rows = list(chunk_rows(count, chunks, size))
    outputs = [jax.tree.map(np.asarray, compiled(take(lanes, chunk), shared)) for chunk in rows]
    return restore_order(outputs, rows, count)


def take(tree: Arrays, rows: np.ndarray) -> Arrays:
    """These rows of every array, as NumPy arrays."""
    return jax.tree.map(lambda array: np.asarray(array)[rows], tree)
