"""The engine: batches of NUTS chains, called lanes. Nothing else in tadpool calls a sampler.

A lane is one chain of one fit: a key, the data, the hyperparameters, and the observations that are
held out. A batch of lanes runs as one compiled program. On a CPU each host device samples its part
of the lanes one after another (`shard_map` over devices, `lax.map` over lanes, so that no lane
waits for the deeper trees of another); on a GPU lanes run in parallel (`vmap`). Data, keys and
hyperparameters are arguments of the program, so it compiles once for a batch. The draws of a lane
do not depend on the batch it runs in, on the number of host devices (two or more), or on the size
of the blocks of draws.
"""

import enum
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from platform import machine
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tadpool.engine.batches import batches, chunk_rows, compile_over_lanes, restore_order, side_by_side, take
from tadpool.engine.checkpoints import Call, CheckpointStore
from tadpool.engine.nuts import Arrays, Program, Sampler, WarmStart, read_stats
from tadpool.errors import UserError

PLATFORMS = {"cpu": "cpu", "gpu": "cuda,cpu"}
GPU_FIX = "use a machine with one and the environment of requirements-gpu.lock, or set `platform: cpu`"
ITERATIONS_PER_BLOCK = 500
STARTS = 100
# A start whose potential energy is above it is hopeless: the model's scales are others than those
# of (-2, 2).
HOPELESS = 1e10
PRIOR_STARTS = 20


def start(threads: int, precision: str = "float64", platform: str = "cpu") -> None:
    """Set up XLA; call this before the first JAX computation of the process.

    There are at least two host devices, even on one core: for a mesh of one XLA compiles another
    program, whose draws differ. Instructions are limited to AVX2, because wider ones round
    differently.

    Args:
        threads: Number of host devices.
        precision: float64 or float32.
        platform: cpu or gpu; with cpu no GPU is used.

    Raises:
        UserError: The platform is gpu, and there is none.
    """
    flags = ["--xla_cpu_multi_thread_eigen=false", f"--xla_force_host_platform_device_count={max(2, threads)}"]
    if machine().lower() in ("x86_64", "amd64"):
        flags.append("--xla_cpu_max_isa=AVX2")
    os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *flags]).strip()
    jax.config.update("jax_enable_x64", precision == "float64")
    jax.config.update("jax_platforms", PLATFORMS[platform])
    if platform == "gpu" and not side_by_side():
        raise UserError(f"platform: JAX finds no GPU on this machine; {GPU_FIX}")


class Status(enum.IntEnum):
    """How a lane ended."""

    OK = 0
    INVALID_START = 1
    NOT_FINITE = 2


@dataclass(frozen=True)
class Lanes:
    """A batch of lanes; the first axis of every array is the lane.

    keys: uint32 (lanes, 2), see `tadpool.seeds`; chains: int (lanes,), folded into the key.
    arguments: model arguments that differ between lanes, each (lanes, ...).
    held_out: observed site -> bool (lanes, *shape of the site), True where the observation does not
    count. extra: arrays (lanes, ...) that only `derive` sees, such as the true parameters of a
    simulation. warm_start: where to start, from an earlier fit; by default each lane looks for a
    start.
    """

    keys: np.ndarray
    chains: np.ndarray
    arguments: Arrays = field(default_factory=dict)
    held_out: Arrays = field(default_factory=dict)
    extra: Arrays = field(default_factory=dict)
    warm_start: WarmStart | None = None

    def __len__(self) -> int:
        return len(self.chains)

    def take(self, rows: np.ndarray) -> "Lanes":
        """These lanes alone."""
        return Lanes(**{each.name: take(getattr(self, each.name), rows) for each in fields(self)})

    def tree(self) -> Arrays:
        """All arrays, by the names that programs use."""
        return {
            "key": np.asarray(self.keys, np.uint32),
            "chain": np.asarray(self.chains, np.uint32),
            "start": np.zeros(len(self), np.uint32),
            "arguments": self.arguments,
            "held_out": self.held_out,
            "extra": self.extra,
            "warm_start": self.warm_start,
        }


@dataclass(frozen=True)
class Result:
    """The results of a batch; the first axis of every array is the lane.

    values: whatever `derive` returned, by default each site's draws (lanes, draws, ...).
    stats: sample statistics (lanes, draws) under ArviZ's names. state: the sampler state after the
    last draw. unconstrained_start: the starting points, to report what was not finite there.
    """

    values: Arrays
    stats: Arrays
    status: np.ndarray
    state: Any
    unconstrained_start: Arrays


@dataclass(frozen=True)
class Execution:
    """How a batch of lanes is run, beside what is sampled.

    store: where finished lanes and those at work are kept. progress: called with the number of
    iterations done since the last call, over all lanes. vectorized: whether lanes are `vmap`ped;
    None chooses by backend. block: iterations between two checkpoints.
    """

    store: CheckpointStore = field(default_factory=CheckpointStore)
    progress: Callable[[int], None] = lambda iterations: None
    vectorized: bool | None = None
    block: int = ITERATIONS_PER_BLOCK


def run(
    model: Callable,
    lanes: Lanes,
    shared: Arrays,
    sampler: Sampler,
    *,
    derive: Callable | None = None,
    state: Any = None,
    keep_state: bool = False,
    execution: Execution | None = None,
) -> Result | None:
    """Sample every lane.

    Lanes that start at a point of zero density, or whose draws are not finite, are marked in
    `Result.status`, and their draws are NaN; other lanes are not affected.

    Args:
        model: NumPyro model whose keyword arguments are arrays.
        lanes: What differs between lanes.
        shared: Model arguments that are the same in all lanes.
        sampler: Settings of NUTS.
        derive: `derive(draws, stats, lane, shared) -> dict of arrays`, computed for each lane on
            the device from all its draws, so that other values never reach the host. By default all
            sites.
        state: `Result.state` of an earlier run of the same lanes, made with `keep_state`: they
            continue after their last draw, without warm-up, as if they had never stopped.
        keep_state: Whether to return the state of the sampler.
        execution: How the lanes are run; by default nothing is kept.

    Returns:
        What the lanes returned, in their order; None in a job that samples only a share of the
            lanes, which are then in the
        store for the job that gathers them.
    """
    execution = execution or Execution()
    program = Program(model, sampler, min(execution.block, sampler.draws))
    everything, count = lanes.tree(), len(lanes)
    first = take(everything, np.zeros(1, int))
    kept = execution.store.call(_digest(lanes, sampler, keep_state, state))
    finished = kept.finished()
    left, outputs, places = kept.left(count), [], []
    if len(left):
        chunks, size = batches(len(left), jax.device_count(), sampler.draws * _bytes_per_draw(program, first, shared))
        places = [left[chunk] for chunk in chunk_rows(len(left), chunks, size)]
        parts = _compile(program, derive, take(everything, places[0]), shared, execution.vectorized)
        for chunk in places:
            lane = take(everything, chunk)
            before = None if state is None else take(state, chunk)
            values, stats, status, now, start_z = _sampled(
                parts, program, lane, shared, before, chunk, kept, execution.progress
            )
            outputs.append((values, stats, status, now if keep_state else None, start_z))
            kept.finish(chunk, jax.tree.leaves(outputs[-1]))
    if execution.store.share is not None:
        return None
    if finished:
        structure = jax.tree.structure(outputs[0] if outputs else _output(program, derive, first, shared, keep_state))
        outputs += [structure.unflatten(piece.leaves) for piece in finished]
        places += [piece.lanes for piece in finished]
    return Result(*restore_order(outputs, places, count))


def _sampled(
    parts: tuple[Callable, Callable, Callable, Callable],
    program: Program,
    lane: Arrays,
    shared: Arrays,
    before: Any,
    chunk: np.ndarray,
    kept: Call,
    progress: Callable[[int], None],
) -> tuple:
    """Sample the lanes of a chunk, from where they were when the job was stopped: values,
    statistics, status, state, start."""
    (begin, from_prior, advance, finish), sampler = parts, program.sampler
    now = _started(begin, from_prior, lane, shared) if before is None else _with_keys(before)
    start_z, started = jax.tree.map(np.asarray, now.z), _valid(now)
    size, real = len(chunk), len(np.unique(chunk))
    nothing = jax.tree.map(
        lambda leaf: np.asarray(leaf)[:, None][:, :0], (now.z, read_stats(now, sampler.max_tree_depth))
    )
    at_work = (_without_keys(now), start_z, started, nothing, sampler.warmup if before is None else 0)
    if (leaves := kept.at_work(chunk)) is not None:
        at_work = jax.tree.structure(at_work).unflatten(leaves)
        now = _with_keys(at_work[0])
    _, start_z, started, recorded, skip = at_work
    skip, done, recorded = int(skip), jax.tree.leaves(recorded)[0].shape[1], [recorded]
    progress((sampler.warmup * (before is None) - skip + done) * real)
    while done < sampler.draws:
        warmup = min(skip, program.block)
        todo = 0 if warmup < skip else min(program.block, sampler.draws - done)
        now, *rows = advance((lane, now, *(np.full(size, n, np.int32) for n in (warmup, todo))), shared)
        recorded.append(jax.tree.map(lambda leaf, todo=todo: np.asarray(leaf)[:, :todo], tuple(rows)))
        skip, done = skip - warmup, done + todo
        progress((warmup + todo) * real)
        kept.keep(
            chunk,
            lambda now=now, skip=skip: jax.tree.leaves((_without_keys(now), start_z, started, _joined(recorded), skip)),
        )
    draws, stats = _joined(recorded)
    values, finite = finish((lane, draws, stats), shared)
    status = np.where(~started, Status.INVALID_START, np.where(finite, Status.OK, Status.NOT_FINITE))
    return jax.tree.map(np.asarray, values), stats, status, _without_keys(now), start_z


def _joined(recorded: Sequence) -> Any:
    return jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *recorded)


def _output(program: Program, derive: Callable | None, first: Arrays, shared: Arrays, keep_state: bool) -> tuple:
    """The shapes and types of what `run` returns for a chunk."""
    lane = jax.tree.map(lambda array: array[0], first)

    def output(lane, shared):
        state = program.begin(lane, shared)
        row = (state.z, read_stats(state, program.sampler.max_tree_depth))
        rows = jax.tree.map(
            lambda leaf: jnp.zeros((program.sampler.draws, *jnp.shape(leaf)), jnp.result_type(leaf)), row
        )
        values, finite = program.finish(derive, lane, *rows, shared)
        return values, rows[1], finite, state if keep_state else None, state.z

    return jax.eval_shape(output, lane, shared)


def _digest(lanes: Lanes, sampler: Sampler, keep_state: bool, state: Any) -> str:
    """Digest of what a call of `run` samples; the model and the data are the same for all calls of
    a job."""
    hasher = hashlib.sha256(repr((sampler, keep_state, state is not None)).encode())
    hasher.update(np.asarray(lanes.keys, np.uint32).tobytes() + np.asarray(lanes.chains, np.uint32).tobytes())
    return hasher.hexdigest()


def run_each(model: Callable, lanes: Lanes, shared: Arrays, samplers: Sequence[Sampler], **options) -> Result | None:
    """`run` with a sampler for each lane, in one batch for each distinct sampler; all must have the
    same number of draws."""
    distinct = list(dict.fromkeys(samplers))
    if len(distinct) == 1:
        return run(model, lanes, shared, distinct[0], **options)
    rows = [np.flatnonzero([sampler == own for sampler in samplers]) for own in distinct]
    parts = [
        run(model, lanes.take(own), shared, sampler, **options) for own, sampler in zip(rows, distinct, strict=True)
    ]
    if None in parts:
        return None
    results = [tuple(getattr(part, each.name) for each in fields(Result)) for part in parts]
    return Result(*restore_order(results, rows, len(lanes)))


def join_runs(first: Result, second: Result) -> Result:
    """A run and its continuation as one run."""
    ok = (first.status == Status.OK) & (second.status == Status.OK)

    def join(one, other):
        rows = np.concatenate([one, other], axis=1)
        keep = ok.reshape(-1, *[1] * (rows.ndim - 1))
        return np.where(keep, rows, np.nan) if rows.dtype.kind == "f" else rows

    return Result(
        values=jax.tree.map(join, first.values, second.values),
        stats=jax.tree.map(lambda one, other: np.concatenate([one, other], axis=1), first.stats, second.stats),
        status=np.where(first.status == Status.OK, second.status, first.status),
        state=second.state,
        unconstrained_start=first.unconstrained_start,
    )


def _started(begin: Callable, from_prior: Callable, lane: Arrays, shared: Arrays):
    """The state of each lane at its first starting point with a finite density and gradient, or at
    the last one tried.

    Where all are hopeless, it is the first draw from the prior with a larger density, if there is
    one.
    """
    numbers = lane["start"].copy()
    state = begin(lane, shared)
    for number in range(1, STARTS if lane["warm_start"] is None else 1):
        valid = _valid(state)
        if valid.all():
            break
        numbers = np.where(valid, numbers, np.uint32(number))
        state = begin(lane | {"start": numbers}, shared)
    if lane["warm_start"] is not None:
        return state
    energy = np.where(_valid(state), np.asarray(state.potential_energy), np.inf)
    hopeless = energy > HOPELESS
    for number in range(PRIOR_STARTS):
        if not hopeless.any():
            break
        drawn = from_prior(lane | {"start": np.full_like(numbers, number)}, shared)
        better = hopeless & _valid(drawn) & (np.asarray(drawn.potential_energy) < energy)
        state, hopeless = _where(better, drawn, state), hopeless & ~better
    return state


def _where(chosen: np.ndarray, state, other):
    """One state for the chosen lanes, and another for the rest."""

    def either(one, two):
        return np.where(chosen.reshape(-1, *[1] * (np.ndim(one) - 1)), one, two)

    return _with_keys(jax.tree.map(either, _without_keys(state), _without_keys(other)))


def _valid(state) -> np.ndarray:
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves((state.potential_energy, state.z_grad))]
    return np.all([np.isfinite(leaf).reshape(len(leaf), -1).all(axis=1) for leaf in leaves], axis=0)


def _compile(program: Program, derive: Callable | None, lane: Arrays, shared: Arrays, vectorized: bool | None):
    """The parts: start, start from the prior, advance, finish. XLA compiles them in parallel, one
    thread each; the second, which few models need, once it is called."""

    def finish(packed, shared):
        return program.finish(derive, *packed, shared)

    size = len(lane["chain"])
    begin, advance = (
        compile_over_lanes(program.begin, vectorized, skip_optimization=True),
        compile_over_lanes(program.advance, vectorized),
    )
    finish = compile_over_lanes(finish, vectorized, skip_optimization=derive is None)
    count = jax.ShapeDtypeStruct((size,), jnp.int32)
    packed = (lane, jax.eval_shape(begin, lane, shared), count, count)
    with ThreadPoolExecutor() as pool:
        longest = advance.lower(packed, shared)  # its compilation takes longest, so it starts first
        compiled = [pool.submit(longest.compile)]
        _, draws, stats = longest.out_info
        whole = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct((size, program.sampler.draws, *leaf.shape[2:]), leaf.dtype),
            (draws, stats),
        )
        compiled.append(pool.submit(begin.lower(lane, shared).compile))
        compiled.append(pool.submit(finish.lower((lane, *whole), shared).compile))
        advance, begin, finish = (part.result() for part in compiled)
    return begin, compile_over_lanes(program.begin_from_prior, vectorized, skip_optimization=True), advance, finish


def _without_keys(state) -> Any:
    """The sampler state as NumPy arrays, its random keys as their data, so that it can be
    stored."""
    return jax.tree.map(lambda leaf: np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf), state)


def _with_keys(state) -> Any:
    """The inverse of `_without_keys`."""
    keys = {"rng_key": jax.random.wrap_key_data(state.rng_key, impl="threefry2x32")}
    adapted = {"rng_key": jax.random.wrap_key_data(state.adapt_state.rng_key, impl="threefry2x32")}
    return state._replace(**keys, adapt_state=state.adapt_state._replace(**adapted))


def _is_key(leaf) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _bytes_per_draw(program: Program, first: Arrays, shared: Arrays) -> int:
    lane = jax.tree.map(lambda array: array[0], first)
    state = jax.eval_shape(program.begin, lane, shared)
    sites = jax.eval_shape(program.constrain, lane, shared, jax.tree.map(_one_draw, state.z))
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves((state.z, sites))) + 64


def _one_draw(leaf):
    return jax.ShapeDtypeStruct((1, *leaf.shape), leaf.dtype)
