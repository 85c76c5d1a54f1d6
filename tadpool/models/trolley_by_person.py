r"""Ordered responses with effects of participants and stories, where participants differ in the
effects of the features too, and intention has another effect with action or contact than alone.

$$
\begin{aligned}
R_i &\sim \mathrm{OrderedLogistic}(\phi_i, c) \\
\phi_i &= \beta_{A,p[i]} A_i + \beta_{I,p[i]} I_i + \beta_{C,p[i]} C_i + \gamma_i
  + a_{p[i]} + b_{t[i]} \\
\gamma_i &= \beta_{AI} A_i I_i + \beta_{CI} C_i I_i \\
\beta_{f,p} &\sim \mathrm{Normal}(\beta_f, \tau_f), \quad f \in \{A, I, C\} \\
a_p &\sim \mathrm{Normal}(0, \sigma_p), \quad b_t \sim \mathrm{Normal}(0, \sigma_s) \\
\sigma_p, \sigma_s, \tau_f &\sim \mathrm{Exponential}(1) \\
\beta_A, \beta_I, \beta_C, \beta_{AI}, \beta_{CI} &\sim \mathrm{Normal}(0, 1) \\
c_k &\sim \mathrm{Normal}(0, 1.5), \quad c_1 < \dots < c_6
\end{aligned}
$$

The cutpoints trade off with the means of the effects of participants and stories. Each $a_p$ is
therefore the sum of a mean, $\mathrm{Normal}(0, \sigma_p / \sqrt{n})$, and of deviations that sum
to zero, and the cutpoints are sampled less both means: the same model, in coordinates that mix.

Source: McElreath (2023), Statistical Rethinking, lectures 11 to 14, and the interactions of its
second edition (2020), section 12.3; varying effects added.
"""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

from tadpool.modelling.distributions import OrderedLogistic, OrderedNormal


def model(
    action, intention, contact, participant_index, story_index, n_participant, n_story, n_row, response=None, *,
    beta_scale=1.0, cutpoint_scale=1.5, sigma_rate=1.0,
):  # fmt: skip
    """All variables have the dim row; the features are 0/1, response is 0 to 6."""
    person, person_mean = _effects("participant", n_participant, sigma_rate)
    story, story_mean = _effects("story", n_story, sigma_rate)
    phi = person[participant_index] + story[story_index]
    for name, feature in (("action", action), ("intention", intention), ("contact", contact)):
        beta = numpyro.sample(f"beta_{name}", dist.Normal(0.0, beta_scale))
        tau = numpyro.sample(f"tau_{name}", dist.Exponential(sigma_rate))
        with numpyro.plate("participant", n_participant):
            distance = numpyro.sample(f"distance_{name}", dist.Normal(0.0, 1.0))
        phi = phi + (beta + tau * distance[participant_index]) * feature
    for name, feature in (("action", action), ("contact", contact)):
        phi = phi + numpyro.sample(f"beta_{name}_intention", dist.Normal(0.0, beta_scale)) * feature * intention
    means = person_mean + story_mean
    shifted = numpyro.sample("cutpoints_less_means", OrderedNormal(-means, cutpoint_scale, 6))
    numpyro.deterministic("cutpoints", shifted + means)
    with numpyro.plate("row", n_row):
        numpyro.sample("response", OrderedLogistic(phi, shifted), obs=response)


def _effects(group, size, rate):
    """Effects of members as deviations from their mean, and the mean."""
    sigma = numpyro.sample(f"sigma_{group}", dist.Exponential(rate))
    deviations = numpyro.sample(f"{group}_effect", dist.ZeroSumNormal(sigma, (size,)), infer={"event_dims": [group]})
    return deviations, numpyro.sample(f"{group}_mean", dist.Normal(0.0, sigma / jnp.sqrt(size)))
