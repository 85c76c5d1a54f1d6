r"""Partial pooling: the intercepts of the members of a group have a common distribution, whose spread is learned.

Priors are weakly informative and in units of the data: the mean and the standard deviation of a measured outcome, the scale of
the link of any other, the standard deviation of a predictor that is a number.

Source: Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models, chapter 12.
"""

from tadpool.ladder.bind_rung import binder

DESIGNED = True


def model(
    design, *, alpha_location=0.0, alpha_scale=1.5, beta_scale=1.0, group_scale=1.0, sigma_scale=1.0, nu_shape=2.0,
    nu_rate=0.1, overdispersion_scale=1.0, cutpoint_scale=1.5, sd_prior="exponential", scaled=True,
    parametrization="auto", collapse=True,
):  # fmt: skip
    """design: a `tadpool.ladder.rung.Instance`. Scales are in units of the data unless `scaled` is false."""
    alpha = design.population_intercept(alpha_location, alpha_scale)
    design.common_slopes(design.coefficients(beta_scale))
    design.varying_intercepts(alpha, group_scale, sd_prior)
    design.observe(
        sigma_scale=sigma_scale, nu_shape=nu_shape, nu_rate=nu_rate, overdispersion_scale=overdispersion_scale,
        cutpoint_scale=cutpoint_scale, sd_prior=sd_prior,
    )  # fmt: skip


bound = binder(model, "partial")
