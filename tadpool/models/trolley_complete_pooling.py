r"""Ordered responses given the features of a case, the same for all stories and participants
(complete pooling).

$$
\begin{aligned}
R_i &\sim \mathrm{OrderedLogistic}(\phi_i, c) \\
\phi_i &= \beta_A A_i + \beta_I I_i + \beta_C C_i \\
\beta_A, \beta_I, \beta_C &\sim \mathrm{Normal}(0, 1) \\
c_k &\sim \mathrm{Normal}(0, 1.5), \quad c_1 < \dots < c_6
\end{aligned}
$$

Source: McElreath (2023), Statistical Rethinking, lectures 11 and 12.
"""

import numpyro
import numpyro.distributions as dist

from tadpool.modelling.distributions import OrderedLogistic, OrderedNormal


def model(action, intention, contact, n_row, response=None, *, beta_scale=1.0, cutpoint_scale=1.5):
    """All variables have the dim row; the features are 0/1, response is 0 to 6."""
    beta = [numpyro.sample(f"beta_{name}", dist.Normal(0.0, beta_scale)) for name in ("action", "intention", "contact")]
    cutpoints = numpyro.sample("cutpoints", OrderedNormal(0.0, cutpoint_scale, 6))
    phi = beta[0] * action + beta[1] * intention + beta[2] * contact
    with numpyro.plate("row", n_row):
        numpyro.sample("response", OrderedLogistic(phi, cutpoints), obs=response)
