r"""Chocolate chips per cookie, rates of the locations drawn from a common Gamma distribution
(partial pooling).

$$
\begin{aligned}
y_i &\sim \mathrm{Poisson}(\lambda_{l[i]}) \\
\lambda_l &\sim \mathrm{Gamma}(\alpha, \beta) \\
\alpha &= \mu^2 / \sigma^2 \\
\beta &= \mu / \sigma^2 \\
\mu &\sim \mathrm{Gamma}(2, 1/5) \\
\sigma &\sim \mathrm{Exponential}(1)
\end{aligned}
$$

$\mu$ and $\sigma$ are the mean and the standard deviation of the rates; the second parameter of
Gamma is a rate.
Source: M. Heiner, Bayesian Statistics: Techniques and Models; J. Orduz.
"""

import numpyro
import numpyro.distributions as dist


def model(location_index, n_location, n_cookie, chips=None, *, mu_shape=2.0, mu_rate=0.2, sigma_rate=1.0):
    """Chips in each cookie; chips and location_index have the dim cookie."""
    mu = numpyro.sample("mu", dist.Gamma(mu_shape, mu_rate))
    sigma = numpyro.sample("sigma", dist.Exponential(sigma_rate))
    alpha = numpyro.deterministic("alpha", mu**2 / sigma**2)
    beta = numpyro.deterministic("beta", mu / sigma**2)
    with numpyro.plate("location", n_location):
        lam = numpyro.sample("lam", dist.Gamma(alpha, beta))
    with numpyro.plate("cookie", n_cookie):
        numpyro.sample("chips", dist.Poisson(lam[location_index]), obs=chips)
