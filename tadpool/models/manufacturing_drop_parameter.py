r"""Production speed without any parameter that some group has not.

$$
\begin{aligned}
y_i &\sim \mathrm{Normal}(\mu_i, s) \\
\mu_i &= \alpha_{g[i]} + \sum_{p \text{ in all groups}} w_{p g[i]}\, x_{ip} \\
\alpha_g, w_{pg} &\sim \mathrm{Normal}(0, 5) \\
s &\sim \mathrm{HalfNormal}(5)
\end{aligned}
$$

The weight of a parameter that is left out keeps its prior. Source: Stechschulte (2024), for
comparison with masking.
"""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist


def model(
    settings, applies, group_index, n_group, n_parameter, n_run, production_speed=None, *,
    alpha_scale=5.0, w_scale=5.0, noise_scale=5.0,
):  # fmt: skip
    """settings (run, parameter), NaN where it does not apply; applies (group, parameter); the
    others have the dim run."""
    with numpyro.plate("group", n_group, dim=-1):
        alpha = numpyro.sample("alpha", dist.Normal(0.0, alpha_scale))
        with numpyro.plate("parameter", n_parameter, dim=-2):
            w = numpyro.sample("w", dist.Normal(0.0, w_scale))
    scale = numpyro.sample("scale", dist.HalfNormal(noise_scale))
    everywhere = jnp.prod(applies, axis=0)
    weights = (w * everywhere[:, None])[:, group_index].T
    with numpyro.plate("run", n_run):
        mu = numpyro.deterministic("mu", alpha[group_index] + jnp.sum(weights * jnp.nan_to_num(settings), axis=-1))
        numpyro.sample("production_speed", dist.Normal(mu, scale), obs=production_speed)
