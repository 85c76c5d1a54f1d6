r"""A binary outcome with an intercept of its own for each group (no pooling), so that
effects of group predictors are not identified.

$$
\begin{aligned}
Y_i &\sim \mathrm{Bernoulli}(p_i) \\
\mathrm{logit}(p_i) &= \alpha_{g[i]} + \beta_{XY} X_i + \beta_{ZY} Z_{g[i]} \\
\alpha_g &\sim \mathrm{Normal}(0, 10) \\
\beta_{XY}, \beta_{ZY} &\sim \mathrm{Normal}(0, 1)
\end{aligned}
$$

Source: McElreath (2023), Statistical Rethinking, lecture 12, bonus.
"""

import numpyro
import numpyro.distributions as dist


def model(X, Z, group_index, n_group, n_row, Y=None, *, alpha_scale=10.0, beta_scale=1.0):
    """X, group_index and Y have the dim row, Z the dim group."""
    beta_XY = numpyro.sample("beta_XY", dist.Normal(0.0, beta_scale))
    beta_ZY = numpyro.sample("beta_ZY", dist.Normal(0.0, beta_scale))
    with numpyro.plate("group", n_group):
        alpha = numpyro.sample("alpha", dist.Normal(0.0, alpha_scale))
    with numpyro.plate("row", n_row):
        logits = alpha[group_index] + beta_XY * X + beta_ZY * Z[group_index]
        numpyro.sample("Y", dist.Bernoulli(logits=logits), obs=Y)
