"""One lane: NUTS for one model as pure functions of the lane's key, data, hyperparameters and held-out observations."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpyro
from jax.flatten_util import ravel_pytree
from numpyro.infer import NUTS
from numpyro.infer.util import constrain_fn, initialize_model, potential_energy

from tadpool.engine.hoisting import hoisted
from tadpool.errors import UserError

Arrays = dict[str, Any]
START_RADIUS = 2.0
# What NumPyro adds to the name of a site when it samples another one in its place.
DECENTERED = "_decentered"


@dataclass(frozen=True)
class Sampler:
    """Settings of NUTS; the keys of the config's `sampler` without `chains`, `precision` and `platform`."""

    warmup: int
    draws: int
    target_accept: float
    max_tree_depth: int
    dense: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Sampler":
        """Those of the config's `sampler` that are the engine's."""
        own = {each.name: settings[each.name] for each in fields(cls) if each.name in settings}
        return cls(**own | {"dense": tuple(own.get("dense", ()))})

    def blocks(self, latents: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The latent sites as they are sampled, parted: those with a joint covariance, and those with variances alone.

        Raises UserError where `dense` names a site that is not there.
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

    z: unconstrained site -> its values (lanes, ...). inverse_mass_matrix: for each of `Sampler.blocks` that has sites, the
    variances of their elements (lanes, elements) or their covariances (lanes, elements, elements). step_size: (lanes,).
    """

    z: Arrays
    inverse_mass_matrix: dict[tuple[str, ...], Any]
    step_size: Any


class hold_out(numpyro.primitives.Messenger):
    """Drop observations from the likelihood: `held_out` maps an observed site to a bool array, True where dropped.

    together: take the log density of a site that offers it, `infer={"together": function(value, weights)}`, from that function
    as one number; weights: an array that multiplies the log density of each value, or None.
    """

    def __init__(self, fn: Callable | None = None, held_out: Arrays | None = None, together: bool = False) -> None:
        self.held_out, self.together = held_out or {}, together
        super().__init__(fn)

    def process_message(self, msg: Arrays) -> None:
        if msg["type"] != "sample" or not msg["is_observed"]:
            return
        kept = ~self.held_out[msg["name"]] if msg["name"] in self.held_out else None
        if self.together and "together" in msg["infer"]:
            weights = kept if msg["scale"] is None else msg["scale"] * (1.0 if kept is None else kept)
            msg["fn"], msg["scale"] = Together(msg["fn"], msg["infer"]["together"], weights), None
        elif kept is not None:
            msg["fn"] = msg["fn"].mask(kept)


class Together(numpyro.distributions.Distribution):
    """A distribution whose log density of all values is known as one number, function(value, weights)."""

    def __init__(self, each: numpyro.distributions.Distribution, function: Callable, weights: jax.Array | None) -> None:
        self.each, self.function, self.weights = each, function, weights
        super().__init__(each.batch_shape, each.event_shape)

    @property
    def support(self):
        return self.each.support

    def log_prob(self, value):
        return self.function(value, self.weights)


def lane_key(lane: Arrays) -> jax.Array:
    """The lane's own random key: its name's 64 bits with the chain folded in."""
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
    """The compiled parts of one model under one sampler setting.

    model: a NumPyro model whose keyword arguments are all arrays. All parts take a lane (`Lanes.tree`) and `shared`,
    the model arguments that are the same in every lane.
    """

    model: Callable
    sampler: Sampler
    block: int

    def call(self, lane: Arrays, shared: Arrays) -> Callable:
        def model():
            with hold_out(held_out=lane["held_out"], together=True):
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
        """The sampler state at the lane's warm start, or at start number `lane["start"]`, uniform on (-2, 2) unconstrained."""
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

    def advance(self, lane_and_state, shared: Arrays):
        """Run `skip` iterations unrecorded, then `todo` recorded ones; returns the state, the draws and the statistics.

        One program serves warm-up and sampling, any number of times: what is discarded is overwritten in row 0.
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
        """Unconstrained draws (draws, ...) -> every latent and deterministic site (draws, ...)."""
        model = self.call(lane, shared)
        return jax.lax.map(lambda z: constrain_fn(model, (), {}, z, return_deterministic=True), draws)

    def finish(self, derive: Callable | None, lane: Arrays, draws: Arrays, stats: Arrays, shared: Arrays):
        """The values of a lane's draws (all sites, or what `derive` makes of them), and whether its draws are finite."""
        values = self.constrain(lane, shared, draws)
        sampled = (draws, {name: values[name] for name in draws}, stats["lp"])
        finite = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(sampled)]).all()
        values = {
            name: jnp.where(finite, value, jnp.nan) if jnp.issubdtype(value.dtype, jnp.floating) else value
            for name, value in values.items()
        }
        return (values if derive is None else derive(values, stats, lane, shared)), finite
