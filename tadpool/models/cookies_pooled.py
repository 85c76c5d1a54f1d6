r"""Chocolate chips per cookie, one rate for all locations (complete pooling).

$$
\begin{aligned}
y_i &\sim \mathrm{Poisson}(\lambda) \\
\lambda &\sim \mathrm{Gamma}(2, 1/5)
\end{aligned}
$$

The second parameter of Gamma is a rate. Source: M. Heiner, Bayesian Statistics: Techniques and
Models; J. Orduz.
"""

import numpyro
import numpyro.distributions as dist


def model(n_cookie, chips=None, *, rate_shape=2.0, rate_rate=0.2):
    """Chips in each cookie; chips is a count with the dim cookie."""
    rate = numpyro.sample("rate", dist.Gamma(rate_shape, rate_rate))
    with numpyro.plate("cookie", n_cookie):
        numpyro.sample("chips", dist.Poisson(rate), obs=chips)
