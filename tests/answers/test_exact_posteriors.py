"""Answers under partial pooling, from posteriors that were sampled, against quadrature: survival of
tadpoles, and the ranking of hospitals by their mortality (the surgical example of WinBUGS)."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import expit
from scipy.stats import binom, norm

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
"""Monte Carlo errors: with 22 comparisons a false alarm in 3e-4."""
OPERATIONS = [47, 148, 119, 810, 211, 196, 148, 215, 207, 97, 256, 360]
DEATHS = [0, 18, 8, 46, 8, 13, 9, 31, 14, 8, 29, 24]
MEANS, SPREADS = np.linspace(-4.0, 3.0, 141), np.linspace(0.02, 3.5, 117)
EFFECTS = np.linspace(-8.0, 8.0, 801)


def frogs():
    tables = {file: columns.read(path) for file, path in plugins.tables("reedfrogs").items()}
    return plugins.load("datasets", "reedfrogs").load(tables)


def surgical():
    found = xr.Dataset({"density": ("tank", OPERATIONS), "survived": ("tank", DEATHS)})
    return found.assign_coords(tank=np.array([f"h{number}" for number in range(1, 13)]))


class Quadrature:
    """alpha_i ~ Normal(alpha_bar, sigma), alpha_bar ~ Normal(0, 1.5), sigma ~ Exponential(1), and
    binomial outcomes, on a grid of (alpha_bar, sigma) with the effects integrated out."""

    def __init__(self, data):
        trials, counts = data["density"].values[:, None], data["survived"].values[:, None]
        likelihood = binom.pmf(counts, trials, expit(EFFECTS))
        self.means, self.spreads = (grid.ravel() for grid in np.meshgrid(MEANS, SPREADS, indexing="ij"))
        prior = norm.logpdf(self.means, 0, 1.5) - self.spreads
        step = EFFECTS[1] - EFFECTS[0]
        self.effects = norm.pdf(EFFECTS, self.means[:, None], self.spreads[:, None]) * step
        self.effects /= self.effects.sum(1, keepdims=True)
        joint = prior + np.log(self.effects @ likelihood.T + 1e-300).sum(1)
        self.weights = np.exp(joint - joint.max())
        self.weights /= self.weights.sum()
        kept = self.weights > 1e-7 * self.weights.max()
        self.kept, self.likelihood = kept, likelihood

    def mean(self, values):
        return float(self.weights @ values)

    def lowest(self):
        """The probability of each member to have the lowest effect."""
        found = np.zeros(len(self.likelihood))
        for effects, weight in zip(self.effects[self.kept], self.weights[self.kept], strict=True):
            own = effects * self.likelihood
            own /= own.sum(1, keepdims=True)
            above = np.clip(1 - np.cumsum(own, 1) + own / 2, 1e-300, 1)
            logs = np.log(above)
            found += weight * (own * np.exp(logs.sum(0) - logs)).sum(1)
        return found / found.sum()


@pytest.fixture(params=[frogs, surgical], ids=lambda each: each.__name__)
def case(request):
    lanes.start(2, "float64")
    data = request.param()
    bound = binding.bind("frogs_multilevel", data)
    address = {"seed": 1, "study": request.param.__name__, "entry": "it", "role": "fit", "attempt": 0}
    fit = sampling.posterior(bound, address, 4, lanes.Sampler(500, 2000, 0.9, 10), outcomes=["survived"], unit="tank")
    entry = Entry(1, "one", "it", "frogs_multilevel", outcomes=["survived"], unit="tank", groups=["tank"])
    return Quadrature(data), Fitted(bound, entry, fit.groups["posterior"])


def test_targets_and_ranks_under_partial_pooling_are_those_of_quadrature(case, asked):
    exact, fitted = case
    expected = {
        "typical": exact.mean(expit(exact.means)),
        "population": exact.mean(exact.effects @ expit(EFFECTS)),
        "new": exact.mean(exact.effects @ expit(EFFECTS)),
    }
    for over, value in expected.items():
        (row,) = summary("it", asked(predict={}, over=over), quantities(asked(predict={}, over=over), fitted)).to_dict(
            "records"
        )
        assert abs(row["value"] - value) < Z * row["mcse"] + 1e-4, over
    chance = asked(value="alpha_bar > 0.5 * sigma")
    (row,) = summary("it", chance, quantities(chance, fitted)).to_dict("records")
    assert abs(row["value"] - exact.mean(exact.means > 0.5 * exact.spreads)) < Z * row["mcse"] + 0.01  # the grid's step
    ranked = asked(rank="alpha", best="lowest")
    found = summary("it", ranked, quantities(ranked, fitted))["p_best"].to_numpy()
    # 8,000 draws, of which at least a tenth count as independent.
    assert np.abs(found - exact.lowest()).max() < Z * 0.5 / np.sqrt(800)
    assert found.argmax() == exact.lowest().argmax()
