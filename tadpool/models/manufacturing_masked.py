r"""Production speed with a weight for each parameter and group, where only weights that apply enter
the mean.

$$
\begin{aligned}
y_i &\sim \mathrm{Normal}(\mu_i, s) \\
\mu_i &= \alpha_{g[i]} + \sum_p m_{p g[i]}\, w_{p g[i]}\, x_{ip} \\
\alpha_g, w_{pg} &\sim \mathrm{Normal}(0, 5) \\
s &\sim \mathrm{HalfNormal}(5)
\end{aligned}
$$

$m_{pg}$ is 1 where parameter $p$ applies to group $g$, otherwise 0; a weight that does not apply
keeps its prior. This is valid where the parameter does not apply, not where it was merely not
measured.
Source: Stechschulte (2024).
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
    weights = (w * applies.T)[:, group_index].T
    with numpyro.plate("run", n_run):
        mu = numpyro.deterministic("mu", alpha[group_index] + jnp.sum(weights * jnp.nan_to_num(settings), axis=-1))
        numpyro.sample("production_speed", dist.Normal(mu, scale), obs=production_speed)
