r"""Partial pooling: the intercepts of the members of a group have a common distribution, whose
spread is learned.

Priors are weakly informative and in units of the data: the mean and the standard deviation of a
measured outcome, the scale of the link of any other, the standard deviation of a predictor that is
a number.

Source: Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models,
chapter 12.
"""

from tadpool.ladder.bind_rung import binder

DESIGNED = True


def model(
    rung, *, alpha_location=0.0, alpha_scale=1.5, beta_scale=1.0, group_scale=1.0, sd_prior="exponential",
    scaled=True, parametrization="auto", collapse=True,
):  # fmt: skip
    """rung: a `tadpool.ladder.rung.Rung`. Scales are in units of the data unless `scaled` is
    false."""
    alpha = rung.population_intercept(alpha_location, alpha_scale)
    rung.common_slopes(rung.coefficients(beta_scale))
    rung.varying_intercepts(alpha, group_scale, sd_prior)
    rung.observe(sd_prior)


bound = binder(model, "partial")
