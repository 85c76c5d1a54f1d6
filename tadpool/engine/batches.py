"""A function of one lane, computed for all lanes: in chunks of one compiled shape, dealt out over the devices."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, PartitionSpec

from tadpool.engine.nuts import Arrays

# Of the draws of one chunk of lanes: more are worth it where they run side by side.
CHUNK_BYTES = {"cpu": 256e6, "gpu": 4e9}
LANES_PER_DEVICE = {"cpu": 64, "gpu": 4096}


def side_by_side() -> bool:
    """Whether lanes are `vmap`ped: on an accelerator."""
    return jax.default_backend() != "cpu"


def batches(lanes: int, devices: int, bytes_per_lane: float) -> tuple[int, int]:
    """Number of chunks and lanes in each: chunks are equal so that one compiled shape serves all."""
    backend = jax.default_backend()
    most = int(np.clip(CHUNK_BYTES[backend] / max(bytes_per_lane, 1.0), devices, LANES_PER_DEVICE[backend] * devices))
    chunks = -(-lanes // most)
    per_device = -(-lanes // (chunks * devices))
    return chunks, per_device * devices


def spread(function: Callable, vectorized: bool | None = None, *, brief: bool = False) -> Callable:
    """Compile `function(lane, shared)` to run over all lanes of a chunk: `compiled(lanes, shared)`.

    `vectorized` None chooses by backend: `vmap` on an accelerator, one lane after another on each CPU device. brief: it runs
    for less time than its compilation takes, which is then done without optimizations, in a third of the time.
    """
    options = {"xla_backend_optimization_level": 0} if brief else None
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
    """Indices of each chunk's lanes, padded by repeating the last, dealt out like cards over the devices.

    Neighbouring lanes tend to cost the same (chains of one fit), so dealing them keeps the devices equally busy.
    """
    devices = jax.device_count()
    rows = np.minimum(np.arange(chunks * size), lanes - 1).reshape(chunks, size)
    for chunk in rows:
        yield chunk.reshape(size // devices, devices).T.ravel() if size % devices == 0 else chunk


def restore_order(values: list, rows: list[np.ndarray], lanes: int) -> Any:
    """Put the chunks' outputs back into the order of the lanes, without the padding."""
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
    brief: bool = False,
    compiled: Callable | None = None,
) -> Any:
    """Apply `function(lane, shared)` to every lane; returns its outputs with the lane as first axis, as NumPy arrays.

    brief: see `spread`. compiled: what it made of the function, for several calls that share it.
    """
    count = len(jax.tree.leaves(lanes)[0])
    chunks, size = batches(count, jax.device_count(), bytes_per_lane)
    # A loop of one turn is compiled as no loop, and rounds differently.
    size = max(size, 2 * jax.device_count())
    compiled = compiled or spread(function, brief=brief)
    rows = list(chunk_rows(count, chunks, size))
    outputs = [jax.tree.map(np.asarray, compiled(take(lanes, chunk), shared)) for chunk in rows]
    return restore_order(outputs, rows, count)


def take(tree: Arrays, rows: np.ndarray) -> Arrays:
    """The rows of every array, as NumPy arrays."""
    return jax.tree.map(lambda array: np.asarray(array)[rows], tree)
