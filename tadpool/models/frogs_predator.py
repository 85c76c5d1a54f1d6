r"""Reed frog survival, partial pooling over tanks and an effect of predators.

$$
\begin{aligned}
S_i &\sim \mathrm{Binomial}(D_i, p_i) \\
\mathrm{logit}(p_i) &= \alpha_i + \beta_P P_i \\
\alpha_i &\sim \mathrm{Normal}(\bar\alpha, \sigma) \\
\bar\alpha &\sim \mathrm{Normal}(0, 1.5) \\
\sigma &\sim \mathrm{Exponential}(1) \\
\beta_P &\sim \mathrm{Normal}(0, 0.5)
\end{aligned}
$$

$P_i = 1$ where predators are present. Source: McElreath (2023), Statistical Rethinking, lecture 12.
"""

import numpyro
import numpyro.distributions as dist
from jax.scipy.special import expit

REPARAMETRIZE = ("alpha",)


def model(density, predators, n_tank, survived=None, *, alpha_bar_scale=1.5, sigma_rate=1.0, beta_predator_scale=0.5):
    """Survivors in each tank; density, predators (0/1) and survived have the dim tank."""
    alpha_bar = numpyro.sample("alpha_bar", dist.Normal(0.0, alpha_bar_scale))
    sigma = numpyro.sample("sigma", dist.Exponential(sigma_rate))
    beta_predator = numpyro.sample("beta_predator", dist.Normal(0.0, beta_predator_scale))
    with numpyro.plate("tank", n_tank):
        alpha = numpyro.sample("alpha", dist.Normal(alpha_bar, sigma))
        logit_p = alpha + beta_predator * predators
        numpyro.deterministic("p_survived", expit(logit_p))
        numpyro.sample("survived", dist.Binomial(density, logits=logit_p), obs=survived)
