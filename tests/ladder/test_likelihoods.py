"""The likelihood of every family of outcomes against SciPy, finite differences and its draws."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from tadpool.ladder import likelihoods
from tadpool.modelling.families import FAMILIES, family

ETA = np.linspace(-3.0, 3.1, 7)  # not 0, where the gradient of NumPyro's Bernoulli is wrong
SHARES = np.array([0.001, 0.2, 0.5, 0.97])
POSITIVE = np.array([0.01, 0.3, 1.0, 5.0, 40.0])
COUNTS = np.array([0, 1, 2, 5, 40])
CUTPOINTS = np.array([-1.0, 0.2, 1.5])


def _levels(distribution, eta, cutpoints):
    below = np.array([0.0, *distribution.cdf(cutpoints - eta), 1.0])
    above = np.array([1.0, *distribution.sf(cutpoints - eta), 0.0])
    return np.where(below[1:] < 0.5, np.diff(below), -np.diff(above))


def _ordered(distribution):
    return lambda y, eta, own: np.log(_levels(distribution, eta, own["cutpoints"])[y])


def _ordered_beta(y, eta, own):
    zero, between, one = np.log(_levels(stats.logistic, eta, own["cutpoints"]))
    inner = stats.beta.logpdf(np.clip(y, 1e-9, 1 - 1e-9), *_shapes(eta, own))
    return zero if y == 0 else one if y == 1 else between + inner


def _shapes(eta, own):
    return special.expit(eta) * own["phi"], special.expit(-eta) * own["phi"]


def _nbinom(y, eta, own):
    return stats.nbinom.logpmf(y, own["phi"], own["phi"] / (own["phi"] + np.exp(eta)))


def _inflated(counts):
    def logpmf(y, eta, own):
        kept = np.log1p(-own["zi"]) + counts(y, eta, own)
        return np.logaddexp(np.log(own["zi"]), kept) if y == 0 else kept

    return logpmf


def _hurdle(above):
    return lambda y, eta, own: np.log(own["hu"]) if y == 0 else np.log1p(-own["hu"]) + above(y, eta, own)


def _poisson(y, eta, own):
    return stats.poisson.logpmf(y, np.exp(eta))


def _above(y, eta, own):
    return stats.poisson.logpmf(y, np.exp(eta)) - np.log(-np.expm1(-np.exp(eta)))


def _lognormal(y, eta, own):
    return stats.lognorm.logpdf(y, own["sigma"], scale=np.exp(eta))


def _gamma(y, eta, own):
    return stats.gamma.logpdf(y, own["shape"], scale=np.exp(eta) / own["shape"])


def _weibull(y, eta, own):
    return stats.weibull_min.logpdf(y, own["shape"], scale=np.exp(eta) / special.gamma(1 + 1 / own["shape"]))


# Name -> outcomes, own parameters, and the log density of one of them.
CASES = {
    "normal": (ETA, {"sigma": 0.7}, lambda y, eta, own: stats.norm.logpdf(y, eta, own["sigma"])),
    "student": (ETA, {"sigma": 0.7, "nu": 3.5}, lambda y, eta, own: stats.t.logpdf(y, own["nu"], eta, own["sigma"])),
    "lognormal": (POSITIVE, {"sigma": 0.7}, _lognormal),
    "gamma": (POSITIVE, {"shape": 2.3}, _gamma),
    "exponential": (POSITIVE, {}, lambda y, eta, own: stats.expon.logpdf(y, scale=np.exp(eta))),
    "weibull": (POSITIVE, {"shape": 1.6}, _weibull),
    "hurdle_lognormal": (np.array([0.0, *POSITIVE]), {"sigma": 0.7, "hu": 0.3}, _hurdle(_lognormal)),
    "beta": (SHARES, {"phi": 6.0}, lambda y, eta, own: stats.beta.logpdf(y, *_shapes(eta, own))),
    "ordered_beta": (np.array([0, *SHARES, 1]), {"phi": 6.0, "cutpoints": np.array([-1.5, 2.0])}, _ordered_beta),
    "von_mises": (ETA, {"kappa": 4.0}, lambda y, eta, own: stats.vonmises.logpdf(y, own["kappa"], 2 * np.arctan(eta))),
    "bernoulli": (np.array([0, 1]), {}, lambda y, eta, own: stats.bernoulli.logpmf(y, special.expit(eta))),
    "binomial": (np.array([0, 1, 7]), {}, lambda y, eta, own: stats.binom.logpmf(y, 7, special.expit(eta))),
    "beta_binomial": (np.array([0, 1, 7]), {"phi": 6.0}, lambda y, eta, own: stats.betabinom.logpmf(y, 7, *_shapes(eta, own))),
    "poisson": (COUNTS, {}, _poisson),
    "negative_binomial": (COUNTS, {"phi": 2.5}, _nbinom),
    "zero_inflated_poisson": (COUNTS, {"zi": 0.2}, _inflated(_poisson)),
    "zero_inflated_negative_binomial": (COUNTS, {"zi": 0.2, "phi": 2.5}, _inflated(_nbinom)),
    "hurdle_poisson": (COUNTS, {"hu": 0.3}, _hurdle(_above)),
    "ordered": (np.arange(4), {"cutpoints": CUTPOINTS}, _ordered(stats.logistic)),
    "ordered_probit": (np.arange(4), {"cutpoints": CUTPOINTS}, _ordered(stats.norm)),
    "categorical": (np.arange(3), {}, lambda y, eta, own: special.log_softmax([0, eta, 0.5 * eta])[y]),
}  # fmt: skip


compiled = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


def log_density(name, y, eta, own):
    """Of outcomes (rows,) at linear predictors (rows,)."""
    eta = jnp.stack([eta, 0.5 * eta], -1) if name == "categorical" else eta
    trials = jnp.full(jnp.shape(y), 7) if "trials" in family(name).roles else None
    return likelihoods.distribution(family(name), eta, own, trials).log_prob(jnp.asarray(y))


def grid(name):
    y, eta = (each.ravel() for each in np.meshgrid(CASES[name][0], ETA, indexing="ij"))
    return y, eta


def test_every_family_is_checked():
    assert set(CASES) == set(FAMILIES)
    for name, (_, own, _) in CASES.items():
        assert set(own) == {each.own for each in family(name).parameters}


@pytest.mark.parametrize("name", CASES)
def test_the_log_density_is_that_of_scipy_and_its_gradient_that_of_finite_differences(name):
    """Relative 1e-10 for densities; of gradients what central differences of SciPy's allow, by
    each number that the likelihood takes."""
    _, own, reference = CASES[name]
    y, eta = grid(name)
    expected = [reference(*pair, own) for pair in zip(y, eta, strict=True)]
    found = compiled(lambda eta, own: log_density(name, y, eta, own))(jnp.asarray(eta), own)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)

    def total(eta, own):
        return log_density(name, y, eta, own).sum()

    by_eta, by_own = compiled(jax.grad(total, argnums=(0, 1)))(jnp.asarray(eta), jax.tree.map(jnp.asarray, own))
    step = 1e-5

    def slope(function):
        return (function(step) - function(-step)) / (2 * step)

    for found, at, value in zip(by_eta, eta, y, strict=True):
        assert found == pytest.approx(slope(lambda h, at=at, v=value: reference(v, at + h, own)), rel=1e-5, abs=1e-6)
    for key, number in own.items():
        for i in np.ndindex(np.shape(number)):
            unit = np.zeros(np.shape(number))
            unit[i] = 1.0
            moved = slope(lambda h, key=key, u=unit: sum(
                reference(*pair, own | {key: own[key] + h * u}) for pair in zip(y, eta, strict=True)
            ))  # fmt: skip
            assert by_own[key][i] == pytest.approx(moved, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_own_parameters_may_differ_between_rows(name):
    own = CASES[name][1]
    y, eta = grid(name)
    factors = np.linspace(1.0, 1.3, len(y))
    rows = {key: factors[:, None] * value if np.ndim(value) else factors * value for key, value in own.items()}
    found = log_density(name, y, jnp.asarray(eta), rows)
    for i in (0, len(y) // 2, len(y) - 1):
        alone = log_density(name, y[i : i + 1], jnp.asarray(eta[i : i + 1]), {key: rows[key][i] for key in own})
        assert found[i] == pytest.approx(alone.item(), rel=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_densities_and_gradients_are_finite_far_out(name):
    """At linear predictors of +-200, where probabilities round to 0 and 1, and where a linear
    predictor in place of a parameter rounds it to its bound."""
    _, own, _ = CASES[name]
    y = CASES[name][0]
    vectors = {key: value for key, value in own.items() if np.ndim(value)}
    links = {each.own: each.link for each in family(name).parameters if each.predictable}

    def total(eta, linear):
        known = {key: likelihoods.inverse(link, linear[key]) for key, link in links.items()}
        return log_density(name, y, jnp.full(len(y), eta), vectors | known).sum()

    typical = {key: {"log": np.log, "logit": special.logit}[link](own[key]) for key, link in links.items()}
    places = [(eta, typical) for eta in (-200.0, 200.0)]
    places += [(0.3, typical | {key: far}) for key, link in links.items() if link == "logit" for far in (-900.0, 900.0)]
    evaluated = compiled(jax.value_and_grad(total, argnums=(0, 1)))
    for eta, linear in places:
        value, gradient = evaluated(eta, linear)
        assert np.isfinite(value)
        assert all(np.isfinite(leaf) for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("name", CASES)
def test_draws_have_the_mean_of_the_density(name):
    """40,000 draws at two linear predictors: the mean of the outcome and of its log density within
    4.4 standard errors of sums or integrals, which are 1 in all (2 x 2 x 20 checks: one false alarm
    in 1,000 changes of the generator)."""
    _, own, _ = CASES[name]
    own = own | ({"nu": 9.0} if "nu" in own else {})  # the mean of squares exists
    y, weight = support(name)
    places = np.array([-0.6, 0.8])
    predictor = jnp.stack([places, 0.5 * places], -1) if name == "categorical" else jnp.asarray(places)
    trials = jnp.array([7, 7]) if "trials" in family(name).roles else None
    made = likelihoods.distribution(family(name), predictor, own, trials)
    drawn = np.asarray(compiled(lambda key: made.sample(key, (40_000,)))(jax.random.key(11)))
    assert np.all(np.asarray(made.support(drawn)))
    both = np.concatenate([np.stack([y, y], -1), drawn])
    log = np.asarray(
        compiled(lambda both: log_density(name, both, jnp.asarray(places) * jnp.ones(both.shape), own))(both)
    )
    share = np.exp(log[: len(y)]) * weight[:, None]
    np.testing.assert_allclose(share.sum(0), 1.0, atol=1e-6)
    for values in (both, np.maximum(log, -700)):
        error = values[len(y) :].std(0) / 200
        expected = (share * values[: len(y)]).sum(0)
        assert np.all(np.abs(values[len(y) :].mean(0) - expected) < 4.4 * error + 1e-9)


def support(name):
    """Outcomes, and the weight of each in a sum that is an integral."""
    z = np.linspace(-60.0, 60.0, 40_001)
    steps = np.full(len(z), z[1] - z[0])
    match family(name).link.name:
        case "identity":
            return z, steps
        case "tan_half":
            angles = np.linspace(-np.pi, np.pi, 4001)[:-1]
            return angles, np.full(4000, 2 * np.pi / 4000)
    if family(name).columns != ("count",) and "number" in family(name).columns:
        share, number = special.expit(z / 2), np.exp(z / 4)
        y, slope = (share, share * special.expit(-z / 2) / 2) if "beta" in name else (number, number / 4)
        kept = (y > 0) & (y < 1) if "beta" in name else y > 0
        y, weight = y[kept], (steps * slope)[kept]
        ends = {"ordered_beta": [0.0, 1.0], "hurdle_lognormal": [0.0]}.get(name, [])
        return np.array([*y, *ends]), np.array([*weight, *np.ones(len(ends))])
    last = {"binomial": 7, "beta_binomial": 7, "bernoulli": 1, "categorical": 2}.get(
        name, 3 if "ordered" in name else 400
    )
    return np.arange(last + 1), np.ones(last + 1)
