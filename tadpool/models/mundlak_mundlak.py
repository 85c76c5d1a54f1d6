r"""The Mundlak machine: partially pooled group intercepts, and the group mean of the predictor as a
predictor.

$$
\begin{aligned}
Y_i &\sim \mathrm{Bernoulli}(p_i) \\
\mathrm{logit}(p_i) &= \alpha_{g[i]} + \beta_{XY} X_i + \beta_{ZY} Z_{g[i]}
  + \beta_{\bar XY} \bar X_{g[i]} \\
\alpha_g &= \bar\alpha + \tau z_g \\
z_g, \bar\alpha, \beta_{XY}, \beta_{ZY}, \beta_{\bar XY} &\sim \mathrm{Normal}(0, 1) \\
\tau &\sim \mathrm{Exponential}(1)
\end{aligned}
$$

Source: McElreath (2023), Statistical Rethinking, lecture 12, bonus; Mundlak (1978), Econometrica
46:69-85.
"""

import numpyro
import numpyro.distributions as dist


def model(X, Z, X_bar, group_index, n_group, n_row, Y=None, *, alpha_bar_scale=1.0, tau_rate=1.0, beta_scale=1.0):
    """X, group_index and Y have the dim row, Z and X_bar the dim group."""
    alpha_bar = numpyro.sample("alpha_bar", dist.Normal(0.0, alpha_bar_scale))
    tau = numpyro.sample("tau", dist.Exponential(tau_rate))
    beta_XY = numpyro.sample("beta_XY", dist.Normal(0.0, beta_scale))
    beta_ZY = numpyro.sample("beta_ZY", dist.Normal(0.0, beta_scale))
    beta_XbarY = numpyro.sample("beta_XbarY", dist.Normal(0.0, beta_scale))
    with numpyro.plate("group", n_group):
        z = numpyro.sample("z", dist.Normal(0.0, 1.0))
        alpha = numpyro.deterministic("alpha", alpha_bar + tau * z)
    with numpyro.plate("row", n_row):
        group = alpha[group_index] + beta_ZY * Z[group_index] + beta_XbarY * X_bar[group_index]
        numpyro.sample("Y", dist.Bernoulli(logits=group + beta_XY * X), obs=Y)
