r"""Partial pooling of intercepts and slopes: both vary between members of a group, and may do so together.

Priors are weakly informative and in units of the data: the mean and the standard deviation of a measured outcome, the scale of
the link of any other, the standard deviation of a predictor that is a number.

Correlations have an LKJ prior; `correlated: false` leaves them out.

Source: Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models, chapter 13.
"""

from tadpool.ladder.bind_rung import binder

DESIGNED = True


def model(
    design, *, alpha_location=0.0, alpha_scale=1.5, beta_scale=1.0, group_scale=1.0, slope_scale=1.0,
    correlation_concentration=2.0, sigma_scale=1.0, nu_shape=2.0, nu_rate=0.1, overdispersion_scale=1.0,
    cutpoint_scale=1.5, sd_prior="exponential", correlated=True, scaled=True, parametrization="auto", collapse=True,
):  # fmt: skip
    """design: a `tadpool.ladder.rung.Instance`. Scales are in units of the data unless `scaled` is false."""
    alpha = design.population_intercept(alpha_location, alpha_scale)
    coefficients = design.coefficients(beta_scale)
    design.common_slopes({name: beta for name, beta in coefficients.items() if name not in design.form.slopes})
    design.varying_slopes(
        alpha, {name: coefficients[name] for name in design.form.slopes}, group_scale, slope_scale, sd_prior,
        correlation_concentration if correlated else None,
    )  # fmt: skip
    design.observe(
        sigma_scale=sigma_scale, nu_shape=nu_shape, nu_rate=nu_rate, overdispersion_scale=overdispersion_scale,
        cutpoint_scale=cutpoint_scale, sd_prior=sd_prior,
    )  # fmt: skip


bound = binder(model, "partial_slopes")
