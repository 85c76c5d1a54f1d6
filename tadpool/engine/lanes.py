"""The engine: batches of NUTS chains, called lanes. Nothing else in tadpool calls a sampler.

A lane is one chain of one fit: a key, the data, the hyperparameters, and the observations that are
held out. On a CPU all lanes run the same compiled program of one lane, each from its start to its
end in one of as many threads as there are cores (`batches`); on a GPU they run side by side. Data,
keys, hyperparameters and settings are arguments of the program, so that all fits of a model share
it: those of a study, refits, sweeps and calibrations. The draws of a lane do not depend on the
batch it runs in, on the number of threads, or on the size of the blocks of draws.
"""

import enum
import hashlib
import math
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import partial
from platform import machine
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tadpool.engine import batches, warmup
from tadpool.engine.batches import in_threads, restore_order, side_by_side, take, workers
from tadpool.engine.checkpoints import Call, CheckpointStore
from tadpool.engine.hoisting import compiler_options
from tadpool.engine.nuts import STATS, Arrays, Layout, Program, Sampler, WarmStart
from tadpool.engine.trajectories import Averaging, Metric, Moments, State
from tadpool.errors import UserError

PLATFORMS = {"cpu": "cpu", "gpu": "cuda,cpu"}
GPU_FIX = "use a machine with one and the environment of requirements-gpu.lock, or set `platform: cpu`"
ITERATIONS_PER_BLOCK = 500
BLOCK_BYTES = 3e7
START_RADIUS = 2.0
STARTS = 100
# A start whose potential energy is above it is hopeless: the model's scales are others than those
# of (-2, 2).
HOPELESS = 1e10
PRIOR_STARTS = 20


def start(threads: int, precision: str = "float64", platform: str = "cpu") -> None:
    """Set up XLA; call this before the first JAX computation of the process.

    Instructions are limited to AVX2, because wider ones round differently.

    Args:
        threads: Number of lanes that run at a time.
        precision: float64 or float32.
        platform: cpu or gpu; with cpu no GPU is used.

    Raises:
        UserError: The platform is gpu, and there is none.
    """
    workers.threads = threads
    flags = ["--xla_cpu_multi_thread_eigen=false"]
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

    keys: uint32 (lanes, 2), see `tadpool.seeds`; chains: int (lanes,), which make the lane's own
    key together.
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
            "arguments": self.arguments,
            "held_out": self.held_out,
            "extra": self.extra,
            "warm_start": self.warm_start,
        }


@dataclass(frozen=True)
class Result:
    """The results of a batch; the first axis of every array is the lane.

    values: whatever `derive` returned, by default each site's draws (lanes, draws, ...).
    stats: sample statistics (lanes, draws) under ArviZ's names. state: the chains after their last
    draw. unconstrained_start: the starting points, to report what was not finite there.
    """

    values: Arrays
    stats: Arrays
    status: np.ndarray
    state: State
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
            lanes, which are then in the store for the job that gathers them.
    """
    execution = execution or Execution()
    everything, count = lanes.tree(), len(lanes)
    work = _Work(model, sampler, take(everything, np.zeros(1, int)), shared, derive, execution)
    kept = execution.store.call(_digest(lanes, sampler, keep_state, state))
    finished = kept.finished()
    left, outputs, places = kept.left(count), [], []
    if len(left):
        each = work.lanes_of_a_call(len(left))
        places = [left[rows] for rows in batches.chunks(len(left), each)]
        work.compile(take(everything, places[0]))

        def sampled(chunk):
            before = None if state is None else take(state, chunk)
            values, stats, status, now, start = work.sample(take(everything, chunk), before, chunk, kept)
            output = (values, stats, status, now if keep_state else None, start)
            kept.finish(chunk, jax.tree.leaves(output))
            return output

        outputs = list(map(sampled, places) if work.vectorized else in_threads(sampled, places, work.stop))
    if execution.store.share is not None:
        return None
    if finished:
        structure = jax.tree.structure(outputs[0] if outputs else work.output(keep_state))
        outputs += [structure.unflatten(piece.leaves) for piece in finished]
        places += [piece.lanes for piece in finished]
    return Result(*restore_order(outputs, places, count))


class _Work:
    """What one call of `run` samples, and the compiled program that does it."""

    def __init__(
        self,
        model: Callable,
        sampler: Sampler,
        first: Arrays,
        shared: Arrays,
        derive: Callable | None,
        execution: Execution,
    ) -> None:
        """first: the first lane, with an axis of one lane."""
        self.program, self.sampler, self.derive, self.execution = Program(model, sampler), sampler, derive, execution
        self.first, self.shared = jax.tree.map(lambda array: array[0], first), jax.device_put(shared)
        self.vectorized = side_by_side() if execution.vectorized is None else execution.vectorized
        self.layout: Layout = self.program.layout(self.first, shared)
        bytes_per_draw = self.layout.elements * self.layout.kind.itemsize
        self.block = int(np.clip(BLOCK_BYTES / max(bytes_per_draw, 1), 1, execution.block))
        self.from_prior: Callable | None = None
        self.lock, self.stop = threading.Lock(), threading.Event()

    def lanes_of_a_call(self, lanes: int) -> int:
        if not self.vectorized:
            return 1
        values = jax.tree.leaves(self.output(False))
        return batches.side_by_side_lanes(lanes, sum(leaf.size * leaf.dtype.itemsize for leaf in values))

    def compile(self, lane: Arrays) -> None:
        """Compile the parts for the lanes of one call, in parallel; the start from the prior, which
        few models need, is compiled once it is called."""
        count, kind, layout = len(lane["chain"]), self.layout.kind, self.layout
        state = self.state(lane, np.zeros((count, layout.elements), kind), self.identity(count))
        draws = jax.ShapeDtypeStruct((count, self.sampler.draws, layout.elements), kind)
        advance = partial(self.program.advance, layout, block=self.block)
        advance = self.over_lanes(advance, (self.axes(lane) if self.vectorized else None, 0, None))
        finish = self.over_lanes(
            partial(self.program.finish, layout, self.derive), (0, 0, 0, None), skip_optimization=self.derive is None
        )
        longest = advance.lower(self.inputs(lane), state, self.how(lane, 0, 0, 0))  # takes longest, so it is first
        stats = {
            name: jax.ShapeDtypeStruct((count, self.sampler.draws), rows.dtype)
            for name, rows in longest.out_info[2].items()
        }
        with ThreadPoolExecutor(2) as pool:
            compiled = pool.submit(longest.compile)
            self.finish = finish.lower(lane, draws, stats, self.shared).compile()
            self.advance = compiled.result()

    def over_lanes(self, function: partial, axes: tuple, skip_optimization: bool = False) -> Callable:
        """The function for the lanes of one call, to be compiled.

        axes: of each argument 0, where the lane is its first axis, or None; where lanes run side by
        side also a pytree of these.
        """

        def of_one(*arguments):
            own = [
                jax.tree.map(lambda leaf: leaf[0], argument) if axis == 0 else argument
                for argument, axis in zip(arguments, axes, strict=True)
            ]
            return jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], function(*own))

        options = compiler_options(skip_optimization)
        over = jax.vmap(function, in_axes=axes) if self.vectorized else of_one
        over.__name__ = function.func.__name__  # by which kept programs and profiles call it
        return jax.jit(over, compiler_options=options)

    def inputs(self, lane: Arrays) -> Arrays:
        """What the sampler sees of the lanes of a call: the arguments by name, whether lanes share
        them or not, so that the program is the same for all fits of a model."""
        own = {name: lane[name] for name in ("arguments", "held_out")}
        own = own if self.vectorized else jax.tree.map(lambda leaf: leaf[0], own)
        return {**own, "arguments": {**self.shared, **own["arguments"]}}

    def axes(self, lane: Arrays) -> Arrays:
        """Of each of these the axis of the lanes, or None."""
        return {"arguments": dict.fromkeys(self.shared) | dict.fromkeys(lane["arguments"], 0), "held_out": 0}

    def how(self, lane: Arrays, skip: int, todo: int, depth: int) -> Arrays:
        counts = {"skip": skip, "todo": todo, "depth": depth}
        target = np.asarray(self.sampler.target_accept, self.layout.kind)
        schedule = warmup.schedule(self.sampler.warmup, lane["warm_start"] is not None)
        return {name: np.int32(value) for name, value in counts.items()} | {"target": target} | schedule

    def identity(self, lanes: int) -> Metric:
        return warmup.first_metric(np.ones((lanes, self.layout.elements), self.layout.kind), self.layout.dense)

    def state(self, lane: Arrays, z: np.ndarray, metric: Metric) -> State:
        """Chains at z (lanes, elements), whose energy is not known yet."""
        count = len(z)
        zero = np.zeros(count, self.layout.kind)
        return State(
            key=np.stack([_words(*own) for own in zip(lane["key"], lane["chain"], strict=True)]),
            iteration=np.zeros(count, np.uint32),
            z=z,
            potential=zero + np.inf,
            gradient=np.zeros_like(z),
            metric=metric,
            step_size=zero,
            averaging=Averaging(zero, zero, zero, zero),
            moments=self.no_moments(count),
        )

    def run(self, lane: Arrays, state: State, how: Arrays) -> tuple[State, np.ndarray, Arrays]:
        return jax.tree.map(np.asarray, self.advance(self.inputs(lane), state, how))

    def evaluated(self, lane: Arrays, z: np.ndarray) -> State:
        """Chains at z with its energy and gradient.

        An iteration of one step of length zero computes them, and is taken whatever the energy.
        """
        state = self.run(lane, self.state(lane, z, self.identity(len(z))), self.how(lane, 1, 0, 1))[0]
        return state._replace(iteration=np.zeros_like(state.iteration))

    def no_moments(self, lanes: int) -> Moments:
        """Moments of no draws, of each lane."""
        elements, dense = self.layout.elements, self.layout.dense
        shapes = ((), (2, elements), (2, elements), (2, dense, dense))
        return Moments(*(np.zeros((lanes, *shape), self.layout.kind) for shape in shapes))

    def sample(self, lane: Arrays, before: State | None, chunk: np.ndarray, kept: Call) -> tuple:
        """Sample lanes, from where they were when the job was stopped: values, statistics, status,
        state, start."""
        sampler, real = self.sampler, len(np.unique(chunk))
        state = self.started(lane) if before is None else before
        draws = np.zeros((len(chunk), 0, self.layout.elements), self.layout.kind)
        start, started, recorded = state.z, _valid(state), []
        if (leaves := kept.at_work(chunk)) is not None:
            structure = jax.tree.structure((state, start, started))
            state, start, started = structure.unflatten(leaves[: structure.num_leaves])
            if len(leaves) > structure.num_leaves:
                draws, *stats = leaves[structure.num_leaves :]
                recorded = [(draws, dict(zip(sorted(STATS), stats, strict=True)))]
        done, left = draws.shape[1], 0 if before is not None else max(0, sampler.warmup - int(state.iteration[0]))
        self.progressed((sampler.warmup * (before is None) - left + done) * real)
        while done < sampler.draws:
            skip = min(self.block, left)
            todo = 0 if skip < left else min(self.block, sampler.draws - done)
            state, *rows = self.run(lane, state, self.how(lane, skip, todo, sampler.max_tree_depth))
            left, done = left - skip, done + todo
            if todo:
                recorded.append(jax.tree.map(lambda leaf, todo=todo: leaf[:, :todo], tuple(rows)))
            self.progressed((skip + todo) * real)
            if self.stop.is_set():
                raise RuntimeError("another lane has failed, or the run was interrupted")
            kept.keep(chunk, partial(_leaves, (state, start, started, tuple(recorded))))
        draws, stats = _joined(recorded)
        values, finite = jax.tree.map(np.asarray, self.finish(lane, draws, stats, self.shared))
        status = np.where(~started, Status.INVALID_START, np.where(finite, Status.OK, Status.NOT_FINITE))
        return values, stats, status, state, self.layout.unflatten(start)

    def progressed(self, iterations: int) -> None:
        with self.lock:
            self.execution.progress(iterations)

    def started(self, lane: Arrays) -> State:
        """The chains at the beginning of the warm-up.

        Without a warm start each lane is at its first point, uniform on (-2, 2) for each element,
        with a finite density and gradient, or at the last one tried. Where all are hopeless, it is
        at the first draw from the prior with a larger density, if there is one.
        """
        if (warm := lane["warm_start"]) is not None:
            z = np.concatenate(self.layout.flatten(warm.z, (len(lane["chain"]),)), axis=1)
            state = self.evaluated(lane, z)
            step_size = np.asarray(warm.step_size, self.layout.kind)
            metric = jax.tree.map(lambda leaf: np.asarray(leaf, self.layout.kind), warm.metric)
        else:
            state = self.searched(lane)
            metric = warmup.first_metric(state.gradient, self.layout.dense)
            step_size = np.full(len(state.z), warmup.FIRST_STEP, self.layout.kind)
        fresh = self.state(lane, state.z, metric)
        return fresh._replace(
            potential=state.potential,
            gradient=state.gradient,
            step_size=step_size,
            averaging=fresh.averaging._replace(centre=np.array([math.log(10 * size) for size in step_size])),
        )

    def searched(self, lane: Arrays) -> State:
        state = self.evaluated(lane, self.uniform(lane, 0))
        for number in range(1, STARTS):
            if (valid := _valid(state)).all():
                break
            state = _where(valid, state, self.evaluated(lane, self.uniform(lane, number)))
        energy = np.where(_valid(state), state.potential, np.inf)
        hopeless = energy > HOPELESS
        for number in range(PRIOR_STARTS):
            if not hopeless.any():
                break
            drawn = self.evaluated(lane, self.drawn(lane, number))
            better = hopeless & _valid(drawn) & (drawn.potential < energy)
            state, hopeless = _where(better, drawn, state), hopeless & ~better
        return state

    def drawn(self, lane: Arrays, number: int) -> np.ndarray:
        """Draw `number` from the prior of each lane."""
        arguments = lane, np.uint32(number), self.shared
        with self.lock:  # NumPyro traces a model in one thread at a time
            if self.from_prior is None:
                program = partial(self.program.from_prior, self.layout)
                program = self.over_lanes(program, (0, None, None), skip_optimization=True)
                self.from_prior = program.lower(*arguments).compile()
        return np.asarray(self.from_prior(*arguments))

    def uniform(self, lane: Arrays, number: int) -> np.ndarray:
        """Starting point `number` of each lane."""
        own = zip(lane["key"], lane["chain"], strict=True)
        generators = [np.random.Generator(np.random.Philox(_seed(*each, number))) for each in own]
        points = [generator.uniform(-START_RADIUS, START_RADIUS, self.layout.elements) for generator in generators]
        return np.stack(points).astype(self.layout.kind)

    def output(self, keep_state: bool) -> tuple:
        """The shapes and types of what `sample` returns for one lane."""
        draws, kind = self.sampler.draws, self.layout.kind
        lane = jax.tree.map(lambda array: array[None], self.first)
        state = self.state(lane, np.zeros((1, self.layout.elements), kind), self.identity(1))
        whole = jax.ShapeDtypeStruct((draws, self.layout.elements), kind)
        stats = {name: jax.ShapeDtypeStruct((draws,), own or kind) for name, own in STATS.items()}
        finish = partial(self.program.finish, self.layout, self.derive)
        values, finite = jax.eval_shape(finish, self.first, whole, stats, self.shared)
        start = self.layout.unflatten(np.zeros(self.layout.elements, kind))
        return values, stats, finite, state if keep_state else None, start


def _seed(key: np.ndarray, chain: int, *numbers: int) -> np.random.SeedSequence:
    return np.random.SeedSequence([*map(int, key), int(chain), *numbers])


def _words(key: np.ndarray, chain: int) -> np.ndarray:
    """The key (2,) of a lane's random numbers."""
    return _seed(key, chain).generate_state(2, np.uint32)


def _leaves(at_work: tuple) -> list:
    """What `sample` keeps of lanes at work: the chains, and the draws so far."""
    *chains, recorded = at_work
    return jax.tree.leaves((*chains, _joined(recorded) if recorded else ()))


def _joined(recorded: Sequence) -> Any:
    return jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *recorded)


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


def _where(chosen: np.ndarray, state: State, other: State) -> State:
    """One state for the chosen lanes, and another for the rest."""
    return jax.tree.map(
        lambda one, two: np.where(chosen.reshape(-1, *[1] * (np.ndim(one) - 1)), one, two), state, other
    )


def _valid(state: State) -> np.ndarray:
    """Which lanes have a finite energy and gradient."""
    return np.isfinite(state.potential) & np.isfinite(state.gradient).all(axis=1)
