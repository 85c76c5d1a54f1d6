r"""A linear regression whose intercepts vary by group, with partial pooling of the groups.

$$
\begin{aligned}
y_i &\sim \mathrm{Normal}(\alpha_{g[i]} + \beta\, \mathrm{dose}_i, \sigma) \\
\alpha_g &\sim \mathrm{Normal}(\mu, \tau) \\
\mu &\sim \mathrm{Normal}(0, 10) \\
\beta &\sim \mathrm{Normal}(0, 2) \\
\tau, \sigma &\sim \mathrm{HalfNormal}(5)
\end{aligned}
$$

Source: replace this by the source of your model.
"""

import numpyro
import numpyro.distributions as dist

# Sites with a location and a scale that may be sampled as standardized distances if there are
# divergences.
REPARAMETRIZE = ("intercept",)


def model(dose, group_index, n_group, n_row, response=None, *, slope_scale=2.0, spread_scale=5.0):
    """Arguments are columns of the study, those with the default None are observed, and
    hyperparameters come after the *."""
    centre = numpyro.sample("centre", dist.Normal(0.0, 10.0))
    spread = numpyro.sample("spread", dist.HalfNormal(spread_scale))
    slope = numpyro.sample("slope", dist.Normal(0.0, slope_scale))
    noise = numpyro.sample("noise", dist.HalfNormal(spread_scale))
    # Plates are named after the groups and the unit, so that results have dims with these names.
    with numpyro.plate("group", n_group):
        intercept = numpyro.sample("intercept", dist.Normal(centre, spread))
    with numpyro.plate("row", n_row):
        numpyro.sample("response", dist.Normal(intercept[group_index] + slope * dose, noise), obs=response)
