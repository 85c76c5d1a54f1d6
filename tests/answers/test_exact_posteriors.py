"""Answers under partial pooling, from posteriors that were sampled, against quadrature: survival of
tadpoles, the ranking of hospitals by their mortality (the surgical example of WinBUGS), and
coaching in eight schools (Rubin 1981)."""

from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr
from scipy.special import expit
from scipy.stats import binom, halfcauchy, norm

from tadpool.answers.predicted import Fitted
from tadpool.answers.quantities import quantities
from tadpool.answers.summaries import summary
from tadpool.engine import lanes
from tadpool.files import plugins
from tadpool.fitting import sampling
from tadpool.loading import columns
from tadpool.modelling import binding
from tadpool.modelling.entry import Entry

Z = 4.4
"""Monte Carlo errors: with 41 comparisons a false alarm in 5e-4."""
OPERATIONS = [47, 148, 119, 810, 211, 196, 148, 215, 207, 97, 256, 360]
DEATHS = [0, 18, 8, 46, 8, 13, 9, 31, 14, 8, 29, 24]
GAINS, ERRORS = [28.0, 8, -3, 7, -1, 1, 18, 12], [15.0, 10, 16, 11, 9, 11, 10, 18]
SCHOOLS = {
    "family": "normal", "outcome": "gain", "unit": "school", "groups": ["school"], "predictors": [], "slopes": [],
    "trials": None, "exposure": None, "offset": None, "standard_error": "error",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A model with a mean and a spread of its members' effects, their data, and what quadrature
    needs: grids of the mean, the spread and an effect, priors and likelihood on them, and the
    expected outcome of an effect.

    names: of the sites of the mean, the spread and the effects. best: how ranks are counted.
    """

    model: object
    data: xr.Dataset
    outcome: str
    names: tuple[str, str, str]
    grids: tuple[np.ndarray, np.ndarray, np.ndarray]
    log_prior: object
    likelihood: object
    expected: object
    best: str
    hyperparameters: dict
    unit: str = "tank"


def frogs():
    tables = {file: columns.read(path) for file, path in plugins.tables("reedfrogs").items()}
    return plugins.load("datasets", "reedfrogs").load(tables)


def hospitals():
    found = xr.Dataset({"density": ("tank", OPERATIONS), "survived": ("tank", DEATHS)})
    return found.assign_coords(tank=np.array([f"h{number}" for number in range(1, 13)]))


def binomial(data):
    """alpha_bar ~ Normal(0, 1.5), sigma ~ Exponential(1)."""
    trials, counts = data["density"].values[:, None], data["survived"].values[:, None]
    return Case(
        "frogs_multilevel", data, "survived", ("alpha_bar", "sigma", "alpha"),
        (np.linspace(-4.0, 3.0, 141), np.linspace(0.02, 3.5, 117), np.linspace(-8.0, 8.0, 801)),
        lambda mean, spread: norm.logpdf(mean, 0, 1.5) - spread,
        lambda effects: binom.pmf(counts, trials, expit(effects)), expit, "lowest", {},
    )  # fmt: skip


def schools():
    """alpha ~ Normal(0, 20), sigma_school ~ HalfCauchy(5)."""
    data = xr.Dataset(
        {"gain": ("school", GAINS), "error": ("school", ERRORS), "school_index": ("school", np.arange(8))},
        {"school": list("ABCDEFGH")},
    )
    return Case(
        {"name": "partial", "design": SCHOOLS}, data, "gain", ("alpha", "sigma_school", "alpha_school"),
        (np.linspace(-25.0, 40.0, 101), np.arange(0.25, 60.0, 0.5), np.linspace(-90.0, 110.0, 801)),
        lambda mean, spread: norm.logpdf(mean, 0, 20) + halfcauchy.logpdf(spread, 0, 5),
        lambda effects: norm.pdf(np.array(GAINS)[:, None], effects, np.array(ERRORS)[:, None]),
        lambda effects: effects, "highest",
        {"scaled": False, "alpha_scale": 20.0, "sd_prior": "half_cauchy", "group_scale": 5.0}, "school",
    )  # fmt: skip


class Quadrature:
    """effect_i ~ Normal(mean, spread) and outcomes given their effects, on a grid of (mean, spread)
    with the effects integrated out."""

    def __init__(self, case):
        means, spreads, effects = case.grids
        self.means, self.spreads = (grid.ravel() for grid in np.meshgrid(means, spreads, indexing="ij"))
        likelihood, prior = case.likelihood(effects), case.log_prior(self.means, self.spreads)
        self.effects = norm.pdf(effects, self.means[:, None], self.spreads[:, None])
        self.effects /= self.effects.sum(1, keepdims=True)
        joint = prior + np.log(self.effects @ likelihood.T + 1e-300).sum(1)
        self.weights = np.exp(joint - joint.max())
        self.weights /= self.weights.sum()
        kept = self.weights > 1e-7 * self.weights.max()
        self.kept, self.likelihood, self.best = kept, likelihood, case.best

    def mean(self, values):
        return float(self.weights @ values)

    def first(self):
        """The probability of each member to have rank 1."""
        found = np.zeros(len(self.likelihood))
        for effects, weight in zip(self.effects[self.kept], self.weights[self.kept], strict=True):
            own = effects * self.likelihood
            own /= own.sum(1, keepdims=True)
            below = np.cumsum(own, 1) - own / 2
            logs = np.log(np.clip(below if self.best == "highest" else 1 - below, 1e-300, 1))
            found += weight * (own * np.exp(logs.sum(0) - logs)).sum(1)
        return found / found.sum()


MADE = {"frogs": lambda: binomial(frogs()), "surgical": lambda: binomial(hospitals()), "schools": schools}


@pytest.fixture(params=MADE)
def case(request):
    lanes.start(2, "float64")
    case = MADE[request.param]()
    bound = binding.bind(case.model, case.data, case.hyperparameters)
    address = {"seed": 1, "study": request.param, "entry": "it", "role": "fit", "attempt": 0}
    fit = sampling.posterior(
        bound, address, 4, lanes.Sampler(500, 2000, 0.95, 10), outcomes=[case.outcome], unit=case.unit
    )
    entry = Entry(1, "one", "it", case.model, outcomes=[case.outcome], unit=case.unit, groups=[case.unit])
    return case, Quadrature(case), Fitted(bound, entry, fit.groups["posterior"])


def test_targets_and_ranks_under_partial_pooling_are_those_of_quadrature(case, asked):
    case, exact, fitted = case
    mean, spread, effects = case.names
    expected = {
        "typical": exact.mean(case.expected(exact.means)),
        "population": exact.mean(exact.effects @ case.expected(case.grids[2])),
        "new": exact.mean(exact.effects @ case.expected(case.grids[2])),
    }
    for over, value in expected.items():
        (row,) = summary("it", asked(predict={}, over=over), quantities(asked(predict={}, over=over), fitted)).to_dict(
            "records"
        )
        assert abs(row["value"] - value) < Z * row["mcse"] + 1e-4, over
    chance = asked(value=f"{mean} > 0.5 * {spread}")
    (row,) = summary("it", chance, quantities(chance, fitted)).to_dict("records")
    assert abs(row["value"] - exact.mean(exact.means > 0.5 * exact.spreads)) < Z * row["mcse"] + 0.01  # the grid's step
    ranked = asked(rank=effects, best=case.best)
    found = summary("it", ranked, quantities(ranked, fitted))["p_best"].to_numpy()
    # 8,000 draws, of which at least a tenth count as independent.
    assert np.abs(found - exact.first()).max() < Z * 0.5 / np.sqrt(800)
    assert found.argmax() == exact.first().argmax()
