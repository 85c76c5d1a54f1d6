"""Hoisting changes where a term is computed, never its value."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import gammaln, logsumexp

from tadpool.engine.hoisting import hoisted


def primitives(function, *arguments):
    """Names of all primitives of a function, nested ones included."""
    names = set()

    def visit(jaxpr):
        for equation in jaxpr.eqns:
            names.add(equation.primitive.name)
            for value in equation.params.values():
                inner = getattr(value, "jaxpr", None)
                if inner is not None:
                    visit(inner)

    visit(jax.make_jaxpr(function)(*arguments).jaxpr)
    return names


FUNCTIONS = {
    "a data term": lambda data: lambda z: jnp.sum(gammaln(data) + z["a"] * data),
    "nested programs": lambda data: (
        lambda z: jnp.sum(jnp.where(data > 2, jax.nn.softplus(z["a"]) * gammaln(data), z["b"]))
    ),
    "the same program twice": lambda data: lambda z: jnp.clip(z["a"], 0, 1).sum() + jnp.clip(data + z["b"], 0, 2).sum(),
    "branches and loops": lambda data: (
        lambda z: jax.lax.fori_loop(
            0, 3, lambda i, x: x + jax.lax.cond(i > 1, lambda: z["a"].sum(), lambda: data.sum()), 0.0
        )
    ),
    "logsumexp": lambda data: lambda z: logsumexp(z["a"] + data),
    "nothing unknown": lambda data: lambda z: gammaln(data).sum(),
    "nothing known": lambda data: lambda z: (z["a"] * z["b"]).sum(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_the_same(name):
    data = np.arange(1.0, 6.0)
    z = {"a": jnp.linspace(-1.0, 2.0, 5), "b": jnp.linspace(0.5, 1.0, 5)}

    @jax.jit
    def both(data, z):
        function = FUNCTIONS[name](data)
        return jax.value_and_grad(function)(z), jax.value_and_grad(hoisted(function, z))(z)

    plain, moved = both(data, z)
    for one, other in zip(jax.tree.leaves(plain), jax.tree.leaves(moved), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_terms_of_the_data_leave_the_function():
    data, z = np.arange(1.0, 6.0), {"a": jnp.ones(5), "b": jnp.ones(5)}
    function = FUNCTIONS["a data term"](data)
    assert "lgamma" in primitives(function, z)
    assert "lgamma" not in primitives(hoisted(function, z), z)
    rows = {name: jnp.ones((3, 5)) for name in z}
    whole = primitives(lambda data, rows: jax.lax.map(hoisted(FUNCTIONS["nested programs"](data), z), rows), data, rows)
    assert "lgamma" in whole, "it is still computed, before the loop"
