r"""A latent group trait that drives the predictor and the outcome: the full model of the confound.

$$
\begin{aligned}
X_i &\sim \mathrm{Normal}(\alpha_X + \beta_{GX} u_{g[i]}, \sigma_X) \\
Y_i &\sim \mathrm{Bernoulli}(p_i) \\
\mathrm{logit}(p_i) &= \alpha_{g[i]} + \beta_{XY} X_i + \beta_{ZY} Z_{g[i]} + \beta_{GY} u_{g[i]} \\
\alpha_g &= \bar\alpha + \tau z_g \\
u_g, z_g, \bar\alpha, \beta_{XY}, \beta_{ZY}, \beta_{GY}, \alpha_X &\sim \mathrm{Normal}(0, 1) \\
\tau, \beta_{GX}, \sigma_X &\sim \mathrm{Exponential}(1)
\end{aligned}
$$

Source: McElreath (2023), Statistical Rethinking, lecture 12, bonus.
"""

import numpyro
import numpyro.distributions as dist


def model(Z, group_index, n_group, n_row, X=None, Y=None, *, alpha_bar_scale=1.0, scale_rate=1.0, beta_scale=1.0):
    """X, group_index and Y have the dim row, Z the dim group; X and Y are both observed."""
    alpha_X = numpyro.sample("alpha_X", dist.Normal(0.0, beta_scale))
    beta_GX = numpyro.sample("beta_GX", dist.Exponential(scale_rate))
    sigma_X = numpyro.sample("sigma_X", dist.Exponential(scale_rate))
    alpha_bar = numpyro.sample("alpha_bar", dist.Normal(0.0, alpha_bar_scale))
    tau = numpyro.sample("tau", dist.Exponential(scale_rate))
    beta_XY = numpyro.sample("beta_XY", dist.Normal(0.0, beta_scale))
    beta_ZY = numpyro.sample("beta_ZY", dist.Normal(0.0, beta_scale))
    beta_GY = numpyro.sample("beta_GY", dist.Normal(0.0, beta_scale))
    with numpyro.plate("group", n_group):
        u = numpyro.sample("u", dist.Normal(0.0, 1.0))
        z = numpyro.sample("z", dist.Normal(0.0, 1.0))
        alpha = numpyro.deterministic("alpha", alpha_bar + tau * z)
    with numpyro.plate("row", n_row):
        x = numpyro.sample("X", dist.Normal((alpha_X + beta_GX * u)[group_index], sigma_X), obs=X)
        group = alpha + beta_ZY * Z + beta_GY * u
        numpyro.sample("Y", dist.Bernoulli(logits=group[group_index] + beta_XY * x), obs=Y)
