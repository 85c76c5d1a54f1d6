r"""Log radon by floor, intercepts and slopes of the counties drawn from common distributions
(partial pooling).

$$
\begin{aligned}
y_i &\sim \mathrm{Normal}(\alpha_{c[i]} + \beta_{c[i]}\, \mathrm{floor}_i, \epsilon) \\
\alpha_c &\sim \mathrm{Normal}(\mu_\alpha, \sigma_\alpha) \\
\beta_c &\sim \mathrm{Normal}(\mu_\beta, \sigma_\beta) \\
\mu_\alpha, \mu_\beta &\sim \mathrm{Normal}(0, 1) \\
\sigma_\alpha, \sigma_\beta, \epsilon &\sim \mathrm{HalfCauchy}(1)
\end{aligned}
$$

Source: Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models,
chapter 12; T. Wiecki, F. Elbers.
"""

import numpyro
import numpyro.distributions as dist
from numpyro.infer.reparam import LocScaleReparam

REPARAMETRIZE = ("alpha", "beta")


def model(
    floor,
    county_index,
    n_county,
    n_house,
    log_radon=None,
    *,
    centred=False,
    mu_scale=1.0,
    sigma_scale=1.0,
    eps_scale=1.0,
):
    """Log radon of each house; floor, county_index and log_radon have the dim house.

    centred: sample the counties' effects themselves instead of their standardized distances from
    the mean.
    """
    mu_alpha = numpyro.sample("mu_alpha", dist.Normal(0.0, mu_scale))
    mu_beta = numpyro.sample("mu_beta", dist.Normal(0.0, mu_scale))
    sigma_alpha = numpyro.sample("sigma_alpha", dist.HalfCauchy(sigma_scale))
    sigma_beta = numpyro.sample("sigma_beta", dist.HalfCauchy(sigma_scale))
    eps = numpyro.sample("eps", dist.HalfCauchy(eps_scale))
    reparam = {} if centred else {name: LocScaleReparam(0.0) for name in ("alpha", "beta")}
    with numpyro.handlers.reparam(config=reparam), numpyro.plate("county", n_county):
        alpha = numpyro.sample("alpha", dist.Normal(mu_alpha, sigma_alpha))
        beta = numpyro.sample("beta", dist.Normal(mu_beta, sigma_beta))
    with numpyro.plate("house", n_house):
        mean = alpha[county_index] + beta[county_index] * floor
        numpyro.sample("log_radon", dist.Normal(mean, eps), obs=log_radon)
