"""NUTS for one lane, as pure functions of its key, data, hyperparameters and held-out
observations."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpyro
from jax.flatten_util import ravel_pytree
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer import NUTS
from numpyro.infer.util import constrain_fn, initialize_model, potential_energy

from tadpool.engine.hoisting import hoisted
from tadpool.errors import UserError

Arrays = dict[str, Any]
START_RADIUS = 2.0
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

    z: unconstrained site -> its values (lanes, ...). inverse_mass_matrix: for each of
    `Sampler.blocks` that has sites, the variances of their elements (lanes, elements) or their
    covariances (lanes, elements, elements). step_size: (lanes,).
    """

    z: Arrays
    inverse_mass_matrix: dict[tuple[str, ...], Any]
    step_size: Any


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


def read_stats(state, max_tree_depth: int) -> Arrays:
    """The sample statistics of one iteration, under ArviZ's names."""
    return {
        "lp": -state.potential_energy,
        "energy": state.energy,
        "acceptance_rate": state.accept_prob,
        "step_size": state.adapt_state.step_size,
        "diverging": state.diverging,
        "n_steps": state.num_steps.astype(jnp.int32),
        "reached_max_treedepth": state.num_steps >= 2**max_tree_depth - 1,
    }


@dataclass(frozen=True)
class Program:
    """The parts of a program that samples one model with one sampler setting.

    All take a lane (`Lanes.tree`) and `shared`, the model arguments that are the same in every
    lane.

    Attributes:
        model: A NumPyro model whose keyword arguments are all arrays.
        sampler: Settings of NUTS.
        block: Largest number of draws of one call of `advance`.
    """

    model: Callable
    sampler: Sampler
    block: int

    def call(self, lane: Arrays, shared: Arrays) -> Callable:
        """The model with all its arguments, and with the lane's held-out observations dropped."""

        def model():
            with hold_out(held_out=lane["held_out"], joint=True):
                return self.model(**shared, **lane["arguments"])

        return model

    def kernel(self, lane: Arrays, shared: Arrays, z: Arrays) -> NUTS:
        """NUTS on the lane's potential; `z` is an unconstrained point, for its shape."""
        model, warm_start = self.call(lane, shared), lane["warm_start"]
        dense, rest = self.sampler.blocks(z)
        start = {}
        if warm_start is not None:
            masses = warm_start.inverse_mass_matrix
            # NumPyro writes into a dict that it is given.
            start = {"step_size": warm_start.step_size, "inverse_mass_matrix": {**masses} if dense else masses[rest]}
        return NUTS(
            potential_fn=hoisted(lambda z: potential_energy(model, (), {}, z), z),
            target_accept_prob=self.sampler.target_accept,
            max_tree_depth=self.sampler.max_tree_depth,
            dense_mass=[dense] if dense else False,
            **start,
        )

    def begin(self, lane: Arrays, shared: Arrays):
        """The sampler state at the lane's warm start or, without one, at start number
        `lane["start"]`.

        The latter is uniform on (-2, 2) for each unconstrained element.
        """
        model = self.call(lane, shared)
        start_key, key = jax.random.split(lane_key(lane))
        if lane["warm_start"] is not None:
            z = lane["warm_start"].z
            return self.kernel(lane, shared, z).init(key, self.sampler.warmup, z, (), {})
        points = jax.eval_shape(lambda: initialize_model(jax.random.key(0), model, validate_grad=False).param_info.z)
        start_key = jax.random.fold_in(start_key, lane["start"])
        flat, unflatten = ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), points))
        z = unflatten(jax.random.uniform(start_key, flat.shape, flat.dtype, -START_RADIUS, START_RADIUS))
        return self.kernel(lane, shared, z).init(key, self.sampler.warmup, z, (), {})

    def begin_from_prior(self, lane: Arrays, shared: Arrays):
        """The sampler state at draw number `lane["start"]` from the prior."""
        model = self.call(lane, shared)
        start_key, key = jax.random.split(lane_key(lane))
        prior_key = jax.random.fold_in(jax.random.fold_in(start_key, PRIOR), lane["start"])
        trace = handlers.trace(handlers.seed(model, prior_key)).get_trace()
        latents = {name: site for name, site in trace.items() if site["type"] == "sample" and not site["is_observed"]}
        z = {name: biject_to(site["fn"].support).inv(site["value"]) for name, site in latents.items()}
        return self.kernel(lane, shared, z).init(key, self.sampler.warmup, z, (), {})

    def advance(self, lane_and_state, shared: Arrays):
        """Run `skip` iterations without recording them, then `todo` recorded ones.

        One program serves both warm-up and sampling: discarded iterations overwrite each other in
        row 0.

        Returns:
            The state, the draws and the statistics; the latter two have `block` rows, of which the
                first `todo` count.
        """
        lane, state, skip, todo = lane_and_state
        kernel = self.kernel(lane, shared, state.z)
        # This sets the kernel up; its result is not used.
        kernel.init(lane_key(lane), self.sampler.warmup, state.z, (), {})

        def read(state):
            return state.z, read_stats(state, self.sampler.max_tree_depth)

        empty = jax.tree.map(lambda leaf: jnp.zeros((self.block, *jnp.shape(leaf)), jnp.result_type(leaf)), read(state))

        def step(i, carry):
            state, record = carry
            state = kernel.sample(state, (), {})
            row = jnp.maximum(i - skip, 0)
            return state, jax.tree.map(lambda rows, leaf: rows.at[row].set(leaf), record, read(state))

        state, (draws, stats) = jax.lax.fori_loop(0, skip + todo, step, (state, empty))
        return state, draws, stats

    def constrain(self, lane: Arrays, shared: Arrays, draws: Arrays) -> Arrays:
        """Every latent and deterministic site (draws, ...) at unconstrained draws (draws, ...)."""
        model = self.call(lane, shared)
        return jax.lax.map(lambda z: constrain_fn(model, (), {}, z, return_deterministic=True), draws)

    def finish(self, derive: Callable | None, lane: Arrays, draws: Arrays, stats: Arrays, shared: Arrays):
        """All sites of a lane's draws, or what `derive` computes from them, and whether the draws
        are finite."""
        values = self.constrain(lane, shared, draws)
        sampled = (draws, {name: values[name] for name in draws}, stats["lp"])
        finite = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(sampled)]).all()
        values = {
            name: jnp.where(finite, value, jnp.nan) if jnp.issubdtype(value.dtype, jnp.floating) else value
            for name, value in values.items()
        }
        return (values if derive is None else derive(values, stats, lane, shared)), finite
