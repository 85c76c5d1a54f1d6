r"""Reed frog survival, partial pooling over tanks.

$$
\begin{aligned}
S_i &\sim \mathrm{Binomial}(D_i, p_i) \\
\mathrm{logit}(p_i) &= \alpha_i \\
\alpha_i &\sim \mathrm{Normal}(\bar\alpha, \sigma) \\
\bar\alpha &\sim \mathrm{Normal}(0, 1.5) \\
\sigma &\sim \mathrm{Exponential}(1)
\end{aligned}
$$

Source: McElreath (2023), Statistical Rethinking, lecture 12.
"""

import numpyro
import numpyro.distributions as dist
from jax.scipy.special import expit
from numpyro.infer.reparam import LocScaleReparam

REPARAMETRIZE = ("alpha",)


def model(density, n_tank, survived=None, *, centred=True, alpha_bar_scale=1.5, sigma_rate=1.0):
    """Survivors in each tank; density and survived are counts with the dim tank.

    centred: sample the tanks' effects themselves, not their standardized distances from the mean.
    """
    alpha_bar = numpyro.sample("alpha_bar", dist.Normal(0.0, alpha_bar_scale))
    sigma = numpyro.sample("sigma", dist.Exponential(sigma_rate))
    reparam = {} if centred else {"alpha": LocScaleReparam(0.0)}
    with numpyro.handlers.reparam(config=reparam), numpyro.plate("tank", n_tank):
        alpha = numpyro.sample("alpha", dist.Normal(alpha_bar, sigma))
        numpyro.deterministic("p_survived", expit(alpha))
        numpyro.sample("survived", dist.Binomial(density, logits=alpha), obs=survived)
