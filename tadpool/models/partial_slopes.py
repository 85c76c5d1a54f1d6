r"""Partial pooling of intercepts and slopes: both vary between members of a group, and may do so
together.

Priors are weakly informative and in units of the data: the mean and the standard deviation of a
measured outcome, the scale of the link of any other, the standard deviation of a predictor that is
a number.

Correlations have an LKJ prior; `correlated: false` leaves them out.

Source: Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models,
chapter 13.
"""

from tadpool.ladder.bind_rung import binder

DESIGNED = True


def model(
    rung, *, alpha_location=0.0, alpha_scale=1.5, beta_scale=1.0, group_scale=1.0, slope_scale=1.0,
    correlation_concentration=2.0, sd_prior="exponential", correlated=True, scaled=True, parametrization="auto",
    collapse=True,
):  # fmt: skip
    """rung: a `tadpool.ladder.rung.Rung`. Scales are in units of the data unless `scaled` is
    false."""
    alpha = rung.population_intercept(alpha_location, alpha_scale)
    coefficients = rung.coefficients(beta_scale)
    rung.common_slopes({name: beta for name, beta in coefficients.items() if name not in rung.slopes})
    rung.varying_slopes(
        alpha, {name: coefficients[name] for name in rung.slopes}, group_scale, slope_scale, sd_prior,
        correlation_concentration if correlated else None,
    )  # fmt: skip
    rung.observe(sd_prior)


bound = binder(model, "partial_slopes")
