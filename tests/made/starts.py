"""What a sampler sees where its chains start."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpyro
from jax.flatten_util import ravel_pytree
from numpyro.infer.util import constrain_fn, initialize_model, potential_energy


def values(
    function: Callable, latents: Sequence[str], arguments: Mapping[str, Any], order: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Latent sites, gradients and potential energies at four points on (-2, 2) of the unconstrained
    space. order: site -> which of the point's elements each of its elements has; gradients are
    those with respect to the point."""
    with numpyro.validation_enabled(False):
        shapes = jax.eval_shape(
            lambda: initialize_model(jax.random.key(0), function, model_kwargs=arguments).param_info.z
        )
        flat, unflatten = ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), shapes))
        points = jax.vmap(unflatten)(jax.random.uniform(jax.random.key(1), (4, *flat.shape), minval=-2, maxval=2))

        def placed(z):
            return {name: value[order[name]] if name in (order or {}) else value for name, value in z.items()}

        def at(z):
            def energy(z):
                return potential_energy(function, (), arguments, placed(z))

            value, gradient = jax.value_and_grad(energy)(z)
            sites = constrain_fn(function, (), arguments, placed(z))
            return {name: sites[name] for name in latents}, gradient, value

        return jax.lax.map(at, points)
