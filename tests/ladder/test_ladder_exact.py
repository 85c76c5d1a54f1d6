"""The ladder's posteriors against exact ones, and the rule by which effects are centred.

Two-sided normal tail beyond 4.4 is 1.1e-5: over the about 620 comparisons of this module false
alarms are below 1e-2.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from scipy import stats
from scipy.special import logsumexp

from tadpool.convergence import verdicts
from tadpool.engine import lanes
from tadpool.files import data_file
from tadpool.ladder.data_facts import gathered, reliability
from tadpool.modelling import binding
from tadpool.modelling.design import Design
from tadpool.verification import exact_comparisons

NOTHING = {"predictors": [], "slopes": [], "trials": None, "exposure": None, "offset": None, "standard_error": None}
RADON = {**NOTHING, "family": "normal", "outcome": "log_radon", "unit": "house", "groups": ["county"]}
RADON |= {"predictors": [{"name": "floor", "kind": "binary"}], "slopes": ["floor"]}
FROGS = {
    **NOTHING,
    "family": "binomial",
    "outcome": "survived",
    "unit": "tank",
    "groups": ["tank"],
    "trials": "density",
}
COOKIES = {**NOTHING, "family": "poisson", "outcome": "chips", "unit": "cookie", "groups": ["location"]}
# The priors of the tables of exact values.
RAW = {"scaled": False, "alpha_scale": 1.0, "beta_scale": 1.0, "sd_prior": "half_cauchy", "correlated": False}
NAMES = {
    "radon_hierarchical": {"sigma_alpha": "sigma_county", "sigma_beta": "sigma_floor_county", "eps": "sigma",
                           "mu_alpha": "alpha", "mu_beta": "beta_floor", "alpha": "alpha_county", "beta": "beta_floor_county"},
    "reedfrogs_multilevel": {"alpha_bar": "alpha", "sigma": "sigma_tank", "alpha": "alpha_tank"},
}  # fmt: skip


def bound(rung, design, dataset, **hyperparameters):
    return binding.bind(
        {"name": rung, "design": design}, data_file.merged(exact_comparisons.prepared(dataset)), hyperparameters
    )


def wrong(rung, design, dataset, exact, **hyperparameters):
    model = bound(rung, design, dataset, **hyperparameters)
    posterior = exact_comparisons.sampled(model, lanes.Sampler(1000, 1000, 0.9, 10)).groups["posterior"]
    return [value.sentence for value in exact_comparisons.moments(rung, posterior, exact) if not value.holds]


def renamed(reference, table):
    """The exact moments by the ladder's names."""
    rows = {}
    for name, row in reference(table).iterrows():
        site, bracket, index = name.partition("[")
        if site in NAMES[table]:
            rows[NAMES[table][site] + bracket + index] = (row["mean"], row["sd"])
    return rows


def test_radon_with_separate_intercepts_and_slopes_is_exact(reference):
    exact = renamed(reference, "radon_hierarchical")
    assert len(exact) == 175
    assert wrong("partial_slopes", RADON, "radon", exact, **RAW) == []


@pytest.mark.parametrize("parametrization", ["centred", "non_centred"])
def test_frogs_are_exact_in_both_parametrizations(reference, parametrization):
    exact = renamed(reference, "reedfrogs_multilevel")
    assert len(exact) == 50
    assert wrong("partial", FROGS, "reedfrogs", exact, parametrization=parametrization) == []


def poisson_moments(counts, location, scale):
    """Mean and sd of mu, sigma and each alpha_j: counts_j ~ Poisson(exp(alpha_j)), alpha_j ~
    Normal(mu, sigma), mu ~ Normal(location, scale), sigma ~ Exponential(1), by sums over a grid of
    mu and log sigma and one of each alpha_j."""
    mu = np.linspace(location - 6 * scale, location + 6 * scale, 121)
    sigma = np.exp(np.linspace(np.log(0.02), np.log(30), 120))
    log_density = stats.norm.logpdf(mu, location, scale)[:, None] + (np.log(sigma) - sigma)[None]
    of_alpha = []
    for own in counts:
        width = 9 / np.sqrt(own.sum())
        alpha = np.linspace(np.log(own.mean()) - width, np.log(own.mean()) + width, 161)
        likelihood = own.sum() * alpha - len(own) * np.exp(alpha)
        joint = stats.norm.logpdf(alpha, mu[:, None, None], sigma[:, None]) + likelihood
        total = logsumexp(joint, axis=2)
        weights = np.exp(joint - total[..., None])
        of_alpha.append((weights @ alpha, weights @ alpha**2))
        log_density = log_density + total
    weights = np.exp(log_density - log_density.max())
    weights /= weights.sum()
    firsts = [(mu[:, None], mu[:, None] ** 2), (sigma[None], sigma[None] ** 2), *of_alpha]
    moments = [((weights * first).sum(), (weights * second).sum()) for first, second in firsts]
    return [(mean, np.sqrt(square - mean**2)) for mean, square in moments]


def test_cookies_are_exact():
    found = poisson_moments(exact_comparisons.locations(), 2.0, 0.5)
    names = ["alpha", "sigma_location", *(f"alpha_location[{number}]" for number in range(5))]
    exact = dict(zip(names, found, strict=True))
    own = {"scaled": False, "alpha_location": 2.0, "alpha_scale": 0.5}
    assert wrong("partial", COOKIES, "cookies", exact, **own) == []


def effects(rung, design, dataset):
    data = data_file.merged(exact_comparisons.prepared(dataset))
    return gathered(rung, Design.from_json(design), data, True, "")["effects"]


def test_effects_are_centred_where_each_group_knows_its_own():
    """Radon: counties have few houses, most none on the first floor. Cookies: 30 to each
    location."""
    radon = effects("partial_slopes", RADON, "radon")
    assert not radon["beta_floor_county"]["centred"]
    cookies = effects("partial", COOKIES, "cookies")
    assert cookies["alpha_location"]["centred"]
    assert bound("partial", COOKIES, "cookies").latents == ("alpha", "sigma_location", "alpha_location")


@pytest.mark.parametrize(("error", "centred"), [(0.2, True), (3.0, False)])
def test_the_variance_between_groups_is_estimated(error, centred):
    """2,000 groups, variance 1: the estimate has a standard deviation of about sqrt(2 / 2000) (1 +
    error)^2, at most 0.51."""
    rng = np.random.default_rng(1)
    estimates = rng.normal(0, np.sqrt(1 + error), 2000)
    found = reliability(estimates, np.full(2000, error))
    assert abs(found["between"] - 1) < 4.4 * np.sqrt(2 / 2000) * (1 + error)
    assert found["reliability"] == pytest.approx(found["between"] / (found["between"] + error))
    assert found["centred"] == centred


@pytest.mark.parametrize("errors", [[1e-12, 1e10, 1e24], [0.0, 0.0, 0.0], [1e-24, 4e10, 1e10]])
def test_the_variance_between_groups_is_a_number_where_one_group_is_known_by_far_best(errors):
    assert np.isfinite(reliability(np.array([1e6, 1.2e6, 9e5]), np.array(errors))["between"])


UNITS = Path(__file__).parents[1] / "made" / "cases" / "units-of-measurement" / "data"


def in_units(outcome, factor=1.0):
    """Sites of partial pooling of a table of countries by year, divided by the factor that it was
    multiplied by; and the verdict."""
    table = pd.read_csv(UNITS / f"{outcome}.csv")
    country, labels = pd.factorize(table["country"])
    rows = {"y": table[outcome].to_numpy(float), "year": table["year"].to_numpy(float), "country_index": country}
    dataset = xr.Dataset({name: ("row", values) for name, values in rows.items()}, {"country": labels})
    design = {**NOTHING, "family": "normal", "outcome": "y", "unit": "row", "groups": ["country"]}
    design |= {"predictors": [{"name": "year", "kind": "number"}]}
    model = binding.bind({"name": "partial", "design": design}, dataset)
    found = exact_comparisons.sampled(model, lanes.Sampler(500, 1000, 0.8, 10))
    tree = xr.DataTree.from_dict(found.groups)
    tree.attrs.update(status="ok", reason="")
    return found.groups["posterior"] / factor, verdicts.check(tree)["verdict"]


def test_a_table_in_other_units_has_the_same_estimates():
    """Income per head, in EUR and times 1e4 and 1e-12: known values, equal verdicts, and means that
    differ by Monte Carlo error (4.4 of it)."""
    names = ("alpha", "beta_year", "sigma", "sigma_country", "alpha_country")
    income, verdict = in_units("income")
    assert verdict == "pass"
    assert float(income["beta_year"].mean()) == pytest.approx(5784, rel=0.01)
    assert float(income["sigma"].mean()) == pytest.approx(12900, rel=0.05)
    assert float(income["alpha_country"].mean(("chain", "draw")).std(ddof=1)) == pytest.approx(56900, rel=0.05)
    for table, factor in (("gdp", 1e4), ("trace", 1e-12)):
        other, verdict = in_units(table, factor)
        assert verdict == "pass"
        for name in names:
            one, two = (np.moveaxis(each[name].values, (0, 1), (-2, -1)) for each in (income, other))
            errors = [array_stats.mcse(each, method="mean") for each in (one, two)]
            z = (one.mean((-2, -1)) - two.mean((-2, -1))) / np.hypot(*errors)
            assert np.abs(z).max() < 4.4, name
