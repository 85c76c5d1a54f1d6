r"""Log radon by floor, one line for all houses (complete pooling), or one for each county that it
is fitted to alone.

$$
\begin{aligned}
y_i &\sim \mathrm{Normal}(\alpha + \beta\, \mathrm{floor}_i, \epsilon) \\
\alpha, \beta &\sim \mathrm{Normal}(0, 1) \\
\epsilon &\sim \mathrm{HalfCauchy}(1)
\end{aligned}
$$

Source: Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models,
chapter 12; T. Wiecki, F. Elbers.
"""

import numpyro
import numpyro.distributions as dist


def model(floor, n_house, log_radon=None, *, alpha_scale=1.0, beta_scale=1.0, eps_scale=1.0):
    """Log radon of each house; floor (0 basement, 1 first floor) and log_radon have the dim
    house."""
    alpha = numpyro.sample("alpha", dist.Normal(0.0, alpha_scale))
    beta = numpyro.sample("beta", dist.Normal(0.0, beta_scale))
    eps = numpyro.sample("eps", dist.HalfCauchy(eps_scale))
    with numpyro.plate("house", n_house):
        numpyro.sample("log_radon", dist.Normal(alpha + beta * floor, eps), obs=log_radon)
