"""Probabilities, ranks, decisions and weaker priors against exact values."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import integrate, stats

from tadpool.answers.quantities import Quantities
from tadpool.answers.summaries import above_each_other, decided, summary, threshold
from tadpool.errors import UserError

CHAINS, DRAWS = 4, 2000
LIMIT = 4.4
"""Standard errors: a false alarm in 1e-5 for one number, and in 1e-3 for all of this file."""
BETAS = {"a": (3 + 1, 9 + 1), "b": (6 + 1, 6 + 1), "c": (9 + 1, 5 + 1)}
"""Posteriors of three shares, by their counts of yes and no and a uniform prior."""


def of_draws(**named):
    values = np.stack([np.broadcast_to(each, (CHAINS, DRAWS)) for each in named.values()])
    coords = {"chain": np.arange(CHAINS), "draw": np.arange(DRAWS)}
    return Quantities(tuple(named), xr.DataArray(values, coords, ("quantity", "chain", "draw")))


@pytest.fixture
def shares():
    rng = np.random.default_rng(11)
    return of_draws(**{name: rng.beta(*ab, (CHAINS, DRAWS)) for name, ab in BETAS.items()})


def exceeds(first, second):
    """P(first > second) of two independent betas, as a sum over the whole parameter of the first
    (Cook 2005, exact calculation of beta inequalities)."""
    (a, b), (c, d) = BETAS[first], BETAS[second]
    terms = [stats.betabinom.pmf(i, a + b - 1, c, d) for i in range(a)]
    return float(np.sum(terms))


def test_the_probability_that_one_share_is_larger_is_that_of_the_finite_sum(shares, asked):
    quad, _ = integrate.quad(lambda p: stats.beta.pdf(p, *BETAS["a"]) * stats.beta.cdf(p, *BETAS["b"]), 0, 1)
    assert exceeds("a", "b") == pytest.approx(quad, abs=1e-9)
    difference = Quantities(("a − b",), shares.draws.isel(quantity=[0]) - shares.draws.isel(quantity=[1]).values)
    (row,) = summary("it", asked(value="a", above=0), difference).to_dict("records")
    assert abs(row["probability"] - exceeds("a", "b")) < LIMIT * row["probability_mcse"]
    matrix = above_each_other(shares.draws.values)
    error = 0.5 / np.sqrt(CHAINS * DRAWS)
    for i, one in enumerate(BETAS):
        for j, other in enumerate(BETAS):
            assert np.isnan(matrix[i, j]) if i == j else abs(matrix[i, j] - exceeds(one, other)) < LIMIT * error


def extremes(name, best):
    """The probabilities that a share is first and last, by quadrature."""
    others = [BETAS[other] for other in BETAS if other != name]

    def density(p, beats):
        return stats.beta.pdf(p, *BETAS[name]) * np.prod([beats(p, *ab) for ab in others])

    above, below = (integrate.quad(density, 0, 1, (each,))[0] for each in (stats.beta.cdf, stats.beta.sf))
    return (above, below) if best == "highest" else (below, above)


@pytest.mark.parametrize("best", ["highest", "lowest"])
def test_ranks_are_those_of_quadrature(shares, asked, best):
    table = summary("it", asked(rank="a", best=best, top=2), shares).set_index("quantity")
    error = 0.5 / np.sqrt(CHAINS * DRAWS)
    for name in BETAS:
        first, last = extremes(name, best)
        row = table.loc[name]
        assert abs(row["p_best"] - first) < LIMIT * error
        assert abs(row["p_worst"] - last) < LIMIT * error
        assert abs(row["p_top"] - (1 - last)) < LIMIT * error
        assert abs(row["rank"] - (1 + (1 - first) + last)) < LIMIT * 2 * error
    assert table[["p_best", "p_worst"]].sum().tolist() == pytest.approx([1, 1])


def test_members_that_are_equal_share_ranks_and_probabilities(asked):
    table = summary("it", asked(rank="a", top=1), of_draws(a=1.0, b=1.0, c=0.0))
    assert table["rank"].tolist() == [1.5, 1.5, 3.0]
    assert table["p_best"].tolist() == [0.5, 0.5, 0.0]
    assert table["p_worst"].tolist() == [0.0, 0.0, 1.0]
    assert table["p_top"].tolist() == [0.5, 0.5, 0.0]


def test_ratios_have_medians_and_statements_probabilities(asked):
    draws = np.random.default_rng(1).normal(size=(CHAINS, DRAWS))
    plain = of_draws(a=draws)
    ratio = Quantities(plain.names, np.exp(plain.draws), ratios=True)
    statement = Quantities(plain.names, (plain.draws > 0).astype(float), statement=True)
    kinds = {name: summary("it", asked(value="a"), each).iloc[0] for name, each in
             {"mean": plain, "median": ratio, "probability": statement}.items()}  # fmt: skip
    assert {name: row["is"] for name, row in kinds.items()} == {name: name for name in kinds}
    assert kinds["median"]["value"] == np.median(np.exp(draws))
    assert kinds["probability"]["value"] == (draws > 0).mean()
    assert abs(kinds["probability"]["mcse"] - 0.5 / np.sqrt(draws.size)) < 0.1 * 0.5 / np.sqrt(draws.size)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"above": "log(4)"}, stats.norm.sf(np.log(4))),
        ({"below": -1}, stats.norm.cdf(-1)),
        ({"within": [-0.5, "exp(0)"]}, stats.norm.cdf(1) - stats.norm.cdf(-0.5)),
    ],
)
def test_statements_about_a_value(asked, keys, expected):
    draws = np.random.default_rng(2).normal(size=(CHAINS, DRAWS))
    (row,) = summary("it", asked(value="a", **keys), of_draws(a=draws)).to_dict("records")
    assert abs(row["probability"] - expected) < LIMIT * row["probability_mcse"]


def test_a_line_is_a_number():
    with pytest.raises(UserError, match="'mu' names mu"):
        threshold("mu")
    with pytest.raises(UserError, match="cannot stand in a number"):
        threshold("sd(3)")


def test_priors_of_half_the_weight_are_those_of_twice_the_variance(asked):
    """One observation y = 2 with standard deviation 1 and a Normal(0, 1) prior: the posterior is
    Normal(1, 1 / sqrt(2)), and with a Normal(0, sqrt(2)) prior Normal(4 / 3, sqrt(2 / 3))."""
    draws = np.random.default_rng(3).normal(1.0, np.sqrt(0.5), (CHAINS, DRAWS))
    found = of_draws(a=draws)
    log_prior = xr.DataArray(stats.norm.logpdf(draws), found.draws.isel(quantity=0).coords, ("chain", "draw"))
    (row,) = summary("it", asked(value="a", above=1), found, log_prior).to_dict("records")
    # The weights exp(a² / 4) leave an effective sample of about half the draws.
    assert abs(row["weaker"] - 4 / 3) < LIMIT * np.sqrt(2 / 3) / np.sqrt(draws.size / 2)
    assert abs(row["probability_weaker"] - stats.norm.sf(1, 4 / 3, np.sqrt(2 / 3))) < LIMIT * 0.5 / np.sqrt(
        draws.size / 2
    )
    assert row["weaker"] > row["value"] + 0.2
    assert row["prior"] > 0.05


DECISIONS = [
    # probability, its error, with weaker priors, by another model: what is decided, and why
    (0.99, 0.002, 0.98, 0.97, "yes", ""),
    (0.20, 0.010, 0.25, 0.10, "no", ""),
    (0.91, 0.010, 0.92, 0.95, "undecided", "Monte Carlo error"),
    (0.95, 0.002, 0.80, 0.96, "undecided", "prior"),
    (0.95, 0.002, 0.94, 0.50, "undecided", "models"),
    (0.905, 0.010, 0.80, 0.50, "undecided", "Monte Carlo error, prior, models"),
    (0.95, 0.002, np.nan, np.nan, "yes", ""),
]


@pytest.mark.parametrize(("p", "mcse", "weaker", "other", "decision", "because"), DECISIONS)
def test_a_decision_stands_only_where_nothing_moves_it(asked, p, mcse, weaker, other, decision, because):
    rows = [{"quantity": "a", "role": "own", "probability": p, "probability_mcse": mcse, "probability_weaker": weaker}]
    if not np.isnan(other):
        rows.append({**rows[0], "role": "other", "probability": other, "probability_weaker": np.nan})
    table = pd.DataFrame(rows).assign(**{"is": "mean", "value": 0.0, "weaker": np.nan, "mcse": 0.0})
    found = decided(table, asked(value="a", above=0, decide=0.9)).iloc[0]
    assert (found["decision"], found["because"]) == (decision, because)
