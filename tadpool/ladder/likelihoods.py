"""The likelihoods of the families of outcomes (`tadpool.modelling.families`), and the priors of
what else they have."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

from tadpool.modelling import measured_outcomes
from tadpool.modelling.bounded_distributions import Censored, Truncated
from tadpool.modelling.counted_outcomes import BetaBinomial, HurdlePoisson, OrderedProbit, Poisson, ZeroInflated
from tadpool.modelling.distributions import Exponential, HalfCauchy, HalfNormal, OrderedLogistic, OrderedNormal
from tadpool.modelling.families import Family, Parameter
from tadpool.modelling.measured_outcomes import Beta, Gamma, HurdleLogNormal, LogNormal, OrderedBeta, Weibull

STANDARD_DEVIATIONS = {
    "exponential": lambda scale, unit: Exponential(1.0 / scale, unit=unit),
    "half_normal": lambda scale, unit: HalfNormal(scale, unit=unit),
    "half_cauchy": lambda scale, unit: HalfCauchy(scale, unit=unit),
}

INVERSES: dict[str, Callable[[Any], Any]] = {"identity": lambda eta: eta, "log": jnp.exp, "logit": jax.nn.sigmoid}


def standard_deviation(name: str, kind: str, scale: Any, unit: Any = 1.0) -> Any:
    """Sample a standard deviation.

    Args:
        name: Name of the site.
        kind: Its prior, a key of STANDARD_DEVIATIONS.
        scale: Scale of the prior, in the units of the standard deviation.
        unit: Its typical size in the data, in the same units: what the sampler counts in.

    Returns:
        Its value.
    """
    return numpyro.sample(name, STANDARD_DEVIATIONS[kind](scale, unit))


def own_parameters(
    family: Family,
    prior: Mapping[str, Any],
    sd_prior: str,
    scale: Any,
    unit: Any,
    levels: int,
    middle: Any = 0.0,
) -> dict[str, Any]:
    """Sample what a family has beside its linear predictor.

    Args:
        family: The family.
        prior: Its hyperparameters by name.
        sd_prior: Kind of prior of standard deviations, a key of STANDARD_DEVIATIONS.
        scale: Scale of the outcome that priors are stated in.
        unit: Scale of the outcome in the data.
        levels: Number of levels of an ordered outcome.
        middle: What the sampler takes off cutpoints.

    Returns:
        What `distribution` needs, by name.

    Raises:
        KeyError: A parameter of the family has no prior here.
    """
    found = {}
    for parameter in family.parameters:
        values = [prior[name] for name, _ in parameter.hyperparameters]
        if not parameter.prior:
            value = standard_deviation(parameter.name, sd_prior, values[0] * scale, unit)
        else:
            prior_of = _prior(family, parameter, values, parameter.elements or levels - 1, middle)
            value = numpyro.sample(parameter.name, prior_of)
        if parameter.derived:
            value = numpyro.deterministic(parameter.derived, value**parameter.power)
        found[parameter.own] = value
    return found


def _prior(family: Family, parameter: Parameter, values: list[Any], elements: int, middle: Any) -> dist.Distribution:
    match parameter.prior:
        case "HalfNormal":
            return HalfNormal(*values)
        case "Gamma":
            return dist.Gamma(*values)
        case "Beta":
            return dist.Beta(*values)
        case "Increasing":
            return OrderedNormal(0.0, *values, elements, origin=middle)
    what = f"the parameter {parameter.name!r} of the family {family.name!r}"
    raise KeyError(f"{what} has no prior: there is none of the name {parameter.prior!r}")


def inverse(link: str, eta: Any) -> Any:
    """What a parameter of a family is where a linear predictor stands in its place.

    Args:
        link: Name of its link (`Parameter.link`).
        eta: The linear predictor (rows,).

    Returns:
        The parameter (rows,), under its own name (`Parameter.own`) for `distribution`.

    Raises:
        KeyError: There is no such link.
    """
    return INVERSES[link](eta)


def bounded(
    likelihood: dist.Distribution, truncated: tuple[Any, Any] | None, status: Any = None, interval_end: Any = None
) -> dist.Distribution:
    """The distribution of outcomes that are censored or truncated.

    Args:
        likelihood: Their distribution if they were not, of a family that is `bounded`.
        truncated: The ends between which they are seen, either of which may be None; or None.
        status: How each is censored (rows,), values of `loading.sources.CENSORED`; or None.
        interval_end: Upper ends (rows,) of those in an interval, or None.

    Returns:
        A distribution of the same batch shape.
    """
    inside = likelihood if truncated is None else Truncated(likelihood, *truncated)
    return inside if status is None else Censored(inside, status, interval_end)


def distribution(family: Family, eta: Any, own: Mapping[str, Any], trials: Any = None) -> dist.Distribution:
    """The distribution of the outcome.

    Args:
        family: The family.
        eta: The linear predictor (rows,), offsets included; of the family categorical
            (rows, levels - 1), one for each level but the first.
        own: What the family has beside it, by the names `Parameter.own`: numbers, or arrays (rows,)
            where they differ between rows; cutpoints (levels - 1,) or (rows, levels - 1).
        trials: Number of trials (rows,) of a binomial or beta-binomial outcome.

    Returns:
        A distribution of batch shape (rows,).

    Raises:
        KeyError: The family has no likelihood here.
    """
    match family.name:
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
        case "ordered_probit":
            return OrderedProbit(eta, own["cutpoints"])
        case "categorical":
            return dist.CategoricalLogits(jnp.concatenate([jnp.zeros((*eta.shape[:-1], 1)), eta], -1))
        case "lognormal":
            return LogNormal(eta, own["sigma"])
        case "gamma":
            return Gamma(own["shape"], eta)
        case "exponential":
            return measured_outcomes.Exponential(eta)
        case "weibull":
            return Weibull(own["shape"], eta)
        case "beta":
            return Beta(eta, own["phi"])
        case "ordered_beta":
            return OrderedBeta(eta, own["cutpoints"], own["phi"])
        case "beta_binomial":
            return BetaBinomial(trials, eta, own["phi"])
        case "zero_inflated_poisson":
            return ZeroInflated(Poisson(eta), own["zi"])
        case "zero_inflated_negative_binomial":
            counts = dist.NegativeBinomialLogits(own["phi"], eta - jnp.log(own["phi"]))
            return ZeroInflated(counts, own["zi"])
        case "hurdle_poisson":
            return HurdlePoisson(eta, own["hu"])
        case "hurdle_lognormal":
            return HurdleLogNormal(eta, own["sigma"], own["hu"])
        case "von_mises":
            return dist.VonMises(2 * jnp.arctan(eta), own["kappa"])
    raise KeyError(f"the family {family.name!r} has no likelihood")
