r"""Ordered responses with partially pooled effects of participants and stories.

$$
\begin{aligned}
R_i &\sim \mathrm{OrderedLogistic}(\phi_i, c) \\
\phi_i &= \beta_A A_i + \beta_I I_i + \beta_C C_i + a_{p[i]} + b_{t[i]} \\
a_p &\sim \mathrm{Normal}(0, \sigma_p), \quad b_t \sim \mathrm{Normal}(0, \sigma_s) \\
\sigma_p, \sigma_s &\sim \mathrm{Exponential}(1) \\
\beta_A, \beta_I, \beta_C &\sim \mathrm{Normal}(0, 1) \\
c_k &\sim \mathrm{Normal}(0, 1.5), \quad c_1 < \dots < c_6
\end{aligned}
$$

Source: McElreath (2023), Statistical Rethinking, lectures 11 and 12.
"""

import numpyro
import numpyro.distributions as dist
from numpyro.infer.reparam import LocScaleReparam

from tadpool.modelling.distributions import OrderedLogistic, OrderedNormal

REPARAMETRIZE = ("participant_effect", "story_effect")


def model(
    action, intention, contact, participant_index, story_index, n_participant, n_story, n_row, response=None, *,
    centred=False, beta_scale=1.0, cutpoint_scale=1.5, sigma_rate=1.0,
):  # fmt: skip
    """All variables have the dim row; the features are 0/1, response is 0 to 6.

    centred: sample the effects themselves instead of their standardized distances from 0.
    """
    beta = [numpyro.sample(f"beta_{name}", dist.Normal(0.0, beta_scale)) for name in ("action", "intention", "contact")]
    cutpoints = numpyro.sample("cutpoints", OrderedNormal(0.0, cutpoint_scale, 6))
    sigma_participant = numpyro.sample("sigma_participant", dist.Exponential(sigma_rate))
    sigma_story = numpyro.sample("sigma_story", dist.Exponential(sigma_rate))
    effects = numpyro.handlers.reparam(config={} if centred else dict.fromkeys(REPARAMETRIZE, LocScaleReparam(0.0)))
    with effects, numpyro.plate("participant", n_participant):
        participant = numpyro.sample("participant_effect", dist.Normal(0.0, sigma_participant))
    with effects, numpyro.plate("story", n_story):
        story = numpyro.sample("story_effect", dist.Normal(0.0, sigma_story))
    phi = beta[0] * action + beta[1] * intention + beta[2] * contact
    phi = phi + participant[participant_index] + story[story_index]
    with numpyro.plate("row", n_row):
        numpyro.sample("response", OrderedLogistic(phi, cutpoints), obs=response)
