r"""Reed frog survival, partial pooling over tanks with a fixed standard deviation between tanks.

$$
\begin{aligned}
S_i &\sim \mathrm{Binomial}(D_i, p_i) \\
\mathrm{logit}(p_i) &= \alpha_i \\
\alpha_i &\sim \mathrm{Normal}(\bar\alpha, \sigma) \\
\bar\alpha &\sim \mathrm{Normal}(0, 1.5)
\end{aligned}
$$

The standard deviation $\sigma$ is a hyperparameter: small values pool completely, large values not
at all.

Source: McElreath (2023), Statistical Rethinking, lecture 12.
"""

import numpyro
import numpyro.distributions as dist
from jax.scipy.special import expit


def model(density, n_tank, survived=None, *, sigma=1.0, alpha_bar_scale=1.5):
    """Survivors in each tank; density and survived are counts with the dim tank."""
    alpha_bar = numpyro.sample("alpha_bar", dist.Normal(0.0, alpha_bar_scale))
    with numpyro.plate("tank", n_tank):
        alpha = numpyro.sample("alpha", dist.Normal(alpha_bar, sigma))
        numpyro.deterministic("p_survived", expit(alpha))
        numpyro.sample("survived", dist.Binomial(density, logits=alpha), obs=survived)
