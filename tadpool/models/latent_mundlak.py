r"""The Mundlak model with latent group means: those of groups with few rows are uncertain.

Priors are weakly informative and in units of the data: the mean and the standard deviation of a
measured outcome, the scale of the link of any other, the standard deviation of a predictor that is
a number.

For a predictor that is yes or no, the mean of the rows is used, as in `mundlak`.

Source: Lüdtke et al. (2008), Psychol. Methods 13:203-229; McElreath (2023), Statistical Rethinking,
lecture 12, bonus.
"""

from tadpool.ladder.bind_rung import binder

DESIGNED = True


def model(
    rung, *, alpha_location=0.0, alpha_scale=1.5, beta_scale=1.0, group_scale=1.0, mean_scale=1.0,
    predictor_scale=1.5, sd_prior="exponential", scaled=True, parametrization="auto", collapse=True,
):  # fmt: skip
    """rung: a `tadpool.ladder.rung.Rung`. Scales are in units of the data unless `scaled` is
    false."""
    alpha = rung.population_intercept(alpha_location, alpha_scale)
    rung.latent_group_means(mean_scale, predictor_scale, sd_prior)
    rung.common_slopes(rung.coefficients(beta_scale))
    rung.varying_intercepts(alpha, group_scale, sd_prior)
    rung.group_means(mean_scale)
    rung.observe(sd_prior)


bound = binder(model, "latent_mundlak")
