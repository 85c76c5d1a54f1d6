r"""Chocolate chips per cookie, a rate of its own for each location (no pooling).

$$
\begin{aligned}
y_i &\sim \mathrm{Poisson}(\lambda_{l[i]}) \\
\lambda_l &\sim \mathrm{Gamma}(2, 1/5)
\end{aligned}
$$

The second parameter of Gamma is a rate. Source: M. Heiner, Bayesian Statistics: Techniques and
Models; J. Orduz.
"""

import numpyro
import numpyro.distributions as dist


def model(location_index, n_location, n_cookie, chips=None, *, lam_shape=2.0, lam_rate=0.2):
    """Chips in each cookie; chips and location_index have the dim cookie."""
    with numpyro.plate("location", n_location):
        lam = numpyro.sample("lam", dist.Gamma(lam_shape, lam_rate))
    with numpyro.plate("cookie", n_cookie):
        numpyro.sample("chips", dist.Poisson(lam[location_index]), obs=chips)
