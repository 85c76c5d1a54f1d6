"""The families of outcomes: their distributions, given the linear predictor, and the priors of what else they have."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.scipy.special import gammaln
from numpyro.distributions.util import validate_sample

from tadpool.modelling.distributions import OrderedLogistic, OrderedNormal

STANDARD_DEVIATIONS = {
    "exponential": lambda scale: dist.Exponential(1.0 / scale),
    "half_normal": dist.HalfNormal,
    "half_cauchy": dist.HalfCauchy,
}


class Poisson(dist.Poisson):
    """NumPyro's Poisson distribution, given the log of its rate: finite wherever the rate underflows."""

    pytree_data_fields = ("log_rate",)

    def __init__(self, log_rate, *, validate_args=None) -> None:
        self.log_rate = log_rate
        super().__init__(jnp.exp(log_rate), validate_args=validate_args)

    @validate_sample
    def log_prob(self, value):
        return value * self.log_rate - self.rate - gammaln(value + 1.0)


def standard_deviation(name: str, kind: str, scale: Any) -> Any:
    """Sample a standard deviation whose prior is `kind` (a key of STANDARD_DEVIATIONS) with this scale."""
    return numpyro.sample(name, STANDARD_DEVIATIONS[kind](scale))


def own_parameters(family: str, levels: int, scale: Any, prior: Mapping[str, Any]) -> dict[str, Any]:
    """Sample what a family has beside its linear predictor. scale: of the outcome. prior: hyperparameters by name."""
    found = {}
    if family in ("normal", "student"):
        found["sigma"] = standard_deviation("sigma", prior["sd_prior"], prior["sigma_scale"] * scale)
    if family == "student":
        found["nu"] = numpyro.sample("nu", dist.Gamma(prior["nu_shape"], prior["nu_rate"]))
    if family == "negative_binomial":
        overdispersion = standard_deviation("overdispersion", "half_normal", prior["overdispersion_scale"])
        found["phi"] = numpyro.deterministic("phi", overdispersion**-2.0)
    if family == "ordered":
        found["cutpoints"] = numpyro.sample("cutpoints", OrderedNormal(0.0, prior["cutpoint_scale"], levels - 1))
    return found


def distribution(family: str, eta: Any, own: Mapping[str, Any], trials: Any = None) -> dist.Distribution:
    """The outcome's distribution (rows,) given the linear predictor (rows,), offsets included."""
    match family:
        case "normal":
            return dist.Normal(eta, own["sigma"])
        case "student":
            return dist.StudentT(own["nu"], eta, own["sigma"])
        case "bernoulli":
            return dist.Bernoulli(logits=eta)
        case "binomial":
            return dist.Binomial(trials, logits=eta)
        case "poisson":
            return Poisson(eta)
        case "negative_binomial":
            return dist.NegativeBinomialLogits(own["phi"], eta - jnp.log(own["phi"]))
        case "ordered":
            return OrderedLogistic(eta, own["cutpoints"])
    raise ValueError(family)
