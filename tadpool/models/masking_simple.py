r"""Store visits and purchases; purchases count for every customer, visitor or not, which biases
their coefficients.

$$
\begin{aligned}
y_{0i} &\sim \mathrm{Bernoulli}(p_i) \\
\mathrm{logit}(p_i) &= x_i \cdot \beta_0 + a_0 \\
y_{1ij} &\sim \mathrm{Bernoulli}(q_{ij}) \\
\mathrm{logit}(q_{ij}) &= x_i \cdot \beta_{1j} + a_{1j} \\
\beta_0, a_0, \beta_1, a_1 &\sim \mathrm{Normal}(0, 1)
\end{aligned}
$$

Source: J. Orduz (2024), on the mask handler of NumPyro.
"""

import numpyro
import numpyro.distributions as dist


def model(x, n_customer, n_feature, n_item, y0=None, y1=None, *, scale=1.0):
    """x (customer, feature); y0, a visit, has the dim customer; y1, purchases, the dims customer
    and item."""
    normal = dist.Normal(0.0, scale)
    beta_0 = numpyro.sample("Y0_beta", normal.expand([1, n_feature]).to_event(2))
    intercept_0 = numpyro.sample("Y0_intercept", normal.expand([1]).to_event(1))
    items = {"event_dims": ["item", "feature"]}
    beta_1 = numpyro.sample("Y1_given_Y0_beta", normal.expand([n_item, n_feature]).to_event(2), infer=items)
    intercept_1 = numpyro.sample(
        "Y1_given_Y0_intercept", normal.expand([n_item]).to_event(1), infer={"event_dims": ["item"]}
    )
    with numpyro.plate("customer", n_customer):
        numpyro.sample("y0", dist.Bernoulli(logits=x @ beta_0[0] + intercept_0[0]), obs=y0)
    with numpyro.plate("customer", n_customer, dim=-2), numpyro.plate("item", n_item, dim=-1):
        numpyro.sample("y1", dist.Bernoulli(logits=x @ beta_1.T + intercept_1), obs=y1)
