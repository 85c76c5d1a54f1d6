"""Ranks of true values among posterior draws over many simulated data sets, and how unlikely they
are.

Where the truth comes from the prior, its rank among independent posterior draws is uniform,
whatever the model and the data (Cook, Gelman & Rubin 2006). The tests of uniformity below are exact
for any number of data sets.
"""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from tadpool import seeds
from tadpool.engine import batches, lanes
from tadpool.modelling import densities
from tadpool.modelling.binding import Bound

DATA_SETS = 64
KEPT = 50
SAMPLER = lanes.Sampler(warmup=200, draws=4 * KEPT, target_accept=0.8, max_tree_depth=10)
LOG_LIKELIHOOD = "log likelihood"


def uniforms(truth: Bound, unit: str, fitted: Bound | None = None) -> dict[str, np.ndarray]:
    """For each latent element and for the log likelihood: the truth's place among the posterior
    draws, (data sets,).

    Values lie in (0, 1). truth: the model that draws parameters and outcomes. fitted: the model
    that is fitted to the outcomes, by default the same. One chain for each data set, its draws
    thinned to KEPT. The log likelihood is that of `truth`: a model that ignores its data has
    uniform ranks in all its parameters, but not in this (Modrák et al. 2023).
    """
    fitted = fitted or truth
    fixed = {**truth.inputs, **_arrays(truth.hyperparameters)}
    sites = simulated(truth, fixed)
    outcomes = {name: sites[name].astype(truth.data[name].dtype) for name in truth.outcomes}
    latents = {name: sites[name] for name in truth.latents}
    keys = np.stack([_key(truth, "fit", number) for number in range(DATA_SETS)])
    batch = lanes.Lanes(keys, np.zeros(DATA_SETS, int), outcomes, extra=latents)

    def below(draws, statistics, lane, shared):
        def score(sites):
            arguments = {**fixed, **lane["arguments"]}
            return densities.unit_log_likelihood(truth, truth.outcomes, unit, sites, arguments).sum()

        thinned = {name: draws[name][:: SAMPLER.draws // KEPT] for name in lane["extra"]}
        counts = {name: jnp.sum(thinned[name] < value, axis=0) for name, value in lane["extra"].items()}
        return counts | {LOG_LIKELIHOOD: jnp.sum(jax.lax.map(score, thinned) < score(lane["extra"]))}

    shared = {**fitted.inputs, **_arrays(fitted.hyperparameters)}
    result = lanes.run(fitted.function, batch, shared, SAMPLER, derive=below)
    assert (result.status == lanes.Status.OK).all(), "a lane found no start or left the finite numbers"
    # The place within the gap between two draws is random, so that places are uniform on (0, 1)
    # without ties.
    within = seeds.generator(1, "recovery", truth.model, "ties")
    found = {}
    for name, ranks in result.values.items():
        places = (ranks + within.uniform(size=ranks.shape)) / (KEPT + 1)
        for index in np.ndindex(places.shape[1:]):
            found[f"{name}{list(index)}" if index else name] = places[:, *index]
    return found


def simulated(bound: Bound, fixed: dict) -> dict[str, np.ndarray]:
    """All sites of DATA_SETS forward runs of the model, (data sets, ...)."""
    keys = np.stack([_key(bound, "simulate", number) for number in range(DATA_SETS)])

    def draw(key, fixed):
        return densities.simulate(bound, jax.random.wrap_key_data(key, impl="threefry2x32"), {}, fixed)

    return batches.map_lanes(draw, keys, fixed)


def p_values(places: np.ndarray) -> dict[str, float]:
    """Two-sided p-values of uniform places: of their normal scores' sum and sum of squares, and of
    89 % coverage.

    The sum sees a bias, the sum of squares an error in scale, the coverage either; under uniformity
    they are normal, chi-square and binomial.
    """
    n, scores = len(places), stats.norm.ppf(places)
    squares = stats.chi2(n).cdf(np.sum(scores**2))
    covered = int(np.sum(np.abs(places - 0.5) < 0.445))
    return {
        "bias": 2 * stats.norm.sf(np.abs(scores.sum()) / np.sqrt(n)),
        "scale": 2 * min(squares, stats.chi2(n).sf(np.sum(scores**2))),
        "coverage": stats.binomtest(covered, n, 0.89).pvalue,
    }


def surprises(places: dict[str, np.ndarray], false_alarm: float) -> dict[str, float]:
    """The tests that fail, with their p-values; any fails with probability below `false_alarm`
    (Bonferroni)."""
    found = {f"{name}, {test}": p for name, own in places.items() for test, p in p_values(own).items()}
    return {name: p for name, p in found.items() if p < false_alarm / len(found)}


def _key(bound: Bound, role: str, number: int) -> np.ndarray:
    return seeds.key(1, "recovery", bound.model, role, number)


def _arrays(hyperparameters: dict[str, float]) -> dict[str, np.ndarray]:
    return {name: np.asarray(value) for name, value in hyperparameters.items()}
