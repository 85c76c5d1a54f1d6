"""Correlations of the effects of one group."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro.distributions.transforms import AffineTransform


def cholesky_factor(group: str, size: int, concentration: Any, order: Sequence[int] | None = None) -> Any:
    """The Cholesky factor (size, size) of a correlation matrix that is LKJ(concentration).

    It is made of partial correlations that are independent, of Beta distributions on (-1, 1)
    (Lewandowski, Kurowicka & Joe 2009, J. Multivar. Anal. 100:1989), so that no latent number is
    constant. With two effects the one latent number is their correlation, `correlation_<group>`;
    with more they are `partial_correlations_<group>`, row by row, and `correlation_<group>` is the
    matrix, with its rows and columns in `order`.
    """
    if size == 2:
        rho = numpyro.sample(f"correlation_{group}", _on_minus_one_to_one(concentration))
        return jnp.array([[1.0, 0.0], [0.0, 0.0]]) + jnp.stack([jnp.zeros(2), jnp.stack([rho, jnp.sqrt(1 - rho**2)])])
    places = [(i, j) for i in range(1, size) for j in range(i)]
    shapes = concentration + jnp.array([(size - 2 - j) / 2 for _, j in places])
    partial = numpyro.sample(f"partial_correlations_{group}", _on_minus_one_to_one(shapes).to_event(1))
    rows = [[jnp.ones(())] + [jnp.zeros(())] * (size - 1)]
    for i in range(1, size):
        left, row = jnp.ones(()), []
        for j in range(i):
            value = partial[places.index((i, j))]
            row.append(value * left)
            left = left * jnp.sqrt(1 - value**2)
        rows.append([*row, left, *[jnp.zeros(())] * (size - 1 - i)])
    factor = jnp.stack([jnp.stack(row) for row in rows])
    shown = jnp.array(order or range(size))
    numpyro.deterministic(f"correlation_{group}", (factor @ factor.T)[shown][:, shown])
    return factor


def _on_minus_one_to_one(shape: Any) -> dist.Distribution:
    doubled = AffineTransform(-1.0, 2.0, domain=dist.constraints.unit_interval)
    return dist.TransformedDistribution(dist.Beta(shape, shape), doubled)
