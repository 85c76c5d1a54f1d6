"""NUTS for one lane, as pure functions of its key, data, hyperparameters and held-out
observations."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer.util import constrain_fn, initialize_model, potential_energy

from tadpool.engine import trajectories, warmup
from tadpool.engine.hoisting import hoisted
from tadpool.engine.trajectories import Metric, State
from tadpool.engine.warmup import Arrays
from tadpool.errors import UserError

# Statistics of an iteration, under ArviZ's names, with their types; None: the type of positions.
STATS = dict.fromkeys(("lp", "energy", "acceptance_rate", "step_size")) | {
    "diverging": bool,
    "n_steps": np.int32,
    "reached_max_treedepth": bool,
}
# What is folded into a lane's key for starts from the prior.
PRIOR = 2**31
# NumPyro adds this to the name of a site that it samples in place of a reparametrized one.
DECENTERED = "_decentered"


@dataclass(frozen=True)
class Sampler:
    """Settings of NUTS: the keys of the config's `sampler` except `chains`, `precision` and
    `platform`."""

    warmup: int
    draws: int
    target_accept: float
    max_tree_depth: int
    dense: tuple[str, ...] = ()

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "Sampler":
        """The engine's part of the settings in the config's `sampler`."""
        own = {each.name: settings[each.name] for each in fields(cls) if each.name in settings}
        return cls(**own | {"dense": tuple(own.get("dense", ()))})

    def blocks(self, latents: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Split the latent sites into those with a joint covariance and those with variances only,
        each sorted.

        Raises:
            UserError: `dense` names a site that the model does not have.
        """
        names = sorted(latents)
        if absent := [site for site in self.dense if not {site, f"{site}{DECENTERED}"} & set(names)]:
            raise UserError(
                f"sampler.dense: {absent[0]!r} is not a latent site of the model; it has {', '.join(names)}"
            )
        dense = tuple(name for name in names if name.removesuffix(DECENTERED) in self.dense)
        return dense, tuple(name for name in names if name not in dense)


class WarmStart(NamedTuple):
    """Where lanes start, from an earlier fit; the first axis of every array is the lane.

    z: unconstrained site -> its values (lanes, ...). metric: of the elements in the order of
    `Sampler.blocks`. step_size: (lanes,).
    """

    z: Arrays
    metric: Metric
    step_size: Any


def metric_of_draws(draws: Arrays, sampler: Sampler) -> Metric:
    """The metric from the draws of earlier fits alone, without gradients.

    Args:
        draws: Unconstrained site -> its draws (fits, draws, ...).
        sampler: `dense` decides which elements have covariances in place of variances.

    Returns:
        A metric whose first axis is the fit.
    """
    dense, rest = (
        np.concatenate(
            [np.zeros((fits, length, 0)), *(draws[name].reshape(fits, length, -1) for name in names)], axis=2
        )
        for fits, length in [next(iter(draws.values())).shape[:2]]
        for names in sampler.blocks(draws)
    )
    k = dense.shape[2]
    covariances = [np.cov(own, rowvar=False).reshape(k, k) for own in dense]
    return Metric(np.linalg.cholesky(np.stack(covariances)), rest.std(axis=1))


class hold_out(numpyro.primitives.Messenger):
    """Drop observations from the likelihood.

    Args:
        fn: The model.
        held_out: Observed site -> bool array, True where the observation is dropped.
        joint: For sites with `infer={"joint_log_density": function(value, weights)}`, take the
            joint log density of all values from this function. Its `weights` multiply the log
            density of each value; None for none.
    """

    def __init__(self, fn: Callable | None = None, held_out: Arrays | None = None, joint: bool = False) -> None:
        self.held_out, self.joint = held_out or {}, joint
        super().__init__(fn)

    def process_message(self, msg: Arrays) -> None:
        if msg["type"] != "sample" or not msg["is_observed"]:
            return
        included = ~self.held_out[msg["name"]] if msg["name"] in self.held_out else None
        if self.joint and "joint_log_density" in msg["infer"]:
            weights = included if msg["scale"] is None else msg["scale"] * (1.0 if included is None else included)
            msg["fn"] = JointLogDensity(msg["fn"], msg["infer"]["joint_log_density"], weights)
            msg["scale"] = None
        elif included is not None:
            msg["fn"] = msg["fn"].mask(included)


class JointLogDensity(numpyro.distributions.Distribution):
    """A distribution whose joint log density of all values is one function, function(value,
    weights)."""

    def __init__(self, each: numpyro.distributions.Distribution, function: Callable, weights: jax.Array | None) -> None:
        self.each, self.function, self.weights = each, function, weights
        super().__init__(each.batch_shape, each.event_shape)

    @property
    def support(self):
        return self.each.support

    def log_prob(self, value):
        return self.function(value, self.weights)


def lane_key(lane: Arrays) -> jax.Array:
    """The random key of the lane: the 64 bits of its fit's key, with the number of the chain folded
    in."""
    return jax.random.fold_in(jax.random.wrap_key_data(lane["key"], impl="threefry2x32"), lane["chain"])


@dataclass(frozen=True)
class Layout:
    """How the unconstrained sites lie in one vector.

    shapes: site -> its shape, in order. dense: elements at the beginning that are adapted jointly.
    kind: their type.
    """

    shapes: Mapping[str, tuple[int, ...]]
    dense: int
    kind: np.dtype

    @property
    def elements(self) -> int:
        return sum(map(math.prod, self.shapes.values()))

    def unflatten(self, z: Any) -> Arrays:
        """The sites of vectors (..., elements)."""
        sites, first = {}, 0
        for name, shape in self.shapes.items():
            last = first + math.prod(shape)
            sites[name] = z[..., first:last].reshape((*z.shape[:-1], *shape))
            first = last
        return sites

    def flatten(self, sites: Arrays, lanes: tuple[int, ...] = ()) -> list:
        """The parts of the vectors of sites (*lanes, ...), to be joined."""
        return [sites[name].reshape((*lanes, -1)) for name in self.shapes]


@dataclass(frozen=True)
class Program:
    """The parts of a program that samples one model.

    All take a lane (`Lanes.tree`) and `shared`, the model arguments that are the same in every
    lane. Whatever differs between fits of the model is an argument, so that they share the compiled
    program.

    Attributes:
        model: A NumPyro model whose keyword arguments are all arrays.
        sampler: Settings of NUTS.
    """

    model: Callable
    sampler: Sampler

    def call(self, lane: Arrays, shared: Arrays) -> Callable:
        """The model with all its arguments, and with the lane's held-out observations dropped."""

        def model():
            with hold_out(held_out=lane["held_out"], joint=True):
                return self.model(**shared, **lane["arguments"])

        return model

    def layout(self, lane: Arrays, shared: Arrays) -> Layout:
        """How the sites lie in one vector: those of `dense` first."""

        def start(lane, shared):
            model = self.call(lane, shared)
            return initialize_model(jax.random.key(0), model, validate_grad=False).param_info.z

        sites = jax.eval_shape(start, lane, shared)
        dense, rest = self.sampler.blocks(sites)
        shapes = {name: sites[name].shape for name in (*dense, *rest)}
        joint = sum(math.prod(shapes[name]) for name in dense)
        return Layout(shapes, joint, np.dtype(jnp.result_type(*sites.values())))

    def advance(self, layout: Layout, inputs: Arrays, state: State, how: Arrays, block: int):
        """Run `how["skip"]` iterations of the warm-up and `how["todo"]` recorded ones.

        One program serves both: discarded iterations overwrite each other in row 0.

        Args:
            layout: How the sites lie in the vectors.
            inputs: All `arguments` of the model, and what is `held_out`.
            state: The chain.
            how: skip, todo, the `depth` of trees, the `target` of the acceptance, and the
                `warmup.schedule`.
            block: Number of rows; todo is at most that.

        Returns:
            The state, the draws (block, elements) and the statistics (block,), of which the first
                `todo` count.
        """
        model = self.call(inputs, {})
        example = jax.tree.map(lambda shape: jnp.zeros(shape, layout.kind), dict(layout.shapes), is_leaf=_is_shape)
        gradient_of = jax.value_and_grad(hoisted(lambda sites: potential_energy(model, (), {}, sites), example))

        def potential_and_gradient(z):
            potential, gradient = gradient_of(layout.unflatten(z))
            return potential, jnp.concatenate(layout.flatten(gradient))

        stats = {name: jnp.zeros(block, kind or layout.kind) for name, kind in STATS.items()}
        draws = jnp.zeros((block, layout.elements), layout.kind)
        checkpoints = jnp.zeros((2, self.sampler.max_tree_depth + 1, layout.elements), layout.kind)

        def step(number, carry):
            state, draws, stats, checkpoints = carry
            shallow = state.iteration.astype(jnp.int32) < how["shallow"]
            depth = jnp.where(shallow, jnp.minimum(how["depth"], warmup.SHALLOW_DEPTH), how["depth"])
            new, now, checkpoints = trajectories.iterate(potential_and_gradient, state, checkpoints, depth)
            adapted = warmup.adapted(state, new, now["acceptance_rate"], how)
            state = jax.tree.map(lambda one, other: jnp.where(number < how["skip"], one, other), adapted, state)
            place = {"z": new.z, "potential": new.potential, "gradient": new.gradient}
            state = state._replace(iteration=state.iteration + 1, **place)
            row = jnp.maximum(number - how["skip"], 0)
            stats = {name: stats[name].at[row].set(now[name]) for name in stats}
            return state, draws.at[row].set(new.z), stats, checkpoints

        count = how["skip"] + how["todo"]
        return jax.lax.fori_loop(0, count, step, (state, draws, stats, checkpoints))[:3]

    def from_prior(self, layout: Layout, lane: Arrays, number: jax.Array, shared: Arrays) -> jax.Array:
        """Draw `number` of the unconstrained sites from the prior: a vector (elements,)."""
        key = jax.random.fold_in(jax.random.fold_in(lane_key(lane), PRIOR), number)
        trace = handlers.trace(handlers.seed(self.call(lane, shared), key)).get_trace()
        sites = {name: biject_to(trace[name]["fn"].support).inv(trace[name]["value"]) for name in layout.shapes}
        return jnp.concatenate(layout.flatten(sites))

    def constrain(self, lane: Arrays, shared: Arrays, sites: Arrays) -> Arrays:
        """Every latent and deterministic site (draws, ...) at unconstrained sites (draws, ...)."""
        model = self.call(lane, shared)
        return jax.lax.map(lambda z: constrain_fn(model, (), {}, z, return_deterministic=True), sites)

    def finish(self, layout: Layout, derive: Callable | None, lane: Arrays, draws: Any, stats: Arrays, shared: Arrays):
        """All sites of a lane's draws (draws, elements), or what `derive` computes from them, and
        whether the draws are finite."""
        sites = layout.unflatten(draws)
        values = self.constrain(lane, shared, sites)
        sampled = (draws, {name: values[name] for name in sites}, stats["lp"])
        finite = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(sampled)]).all()
        values = {
            name: jnp.where(finite, value, jnp.nan) if jnp.issubdtype(value.dtype, jnp.floating) else value
            for name, value in values.items()
        }
        return (values if derive is None else derive(values, stats, lane, shared)), finite


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple)
