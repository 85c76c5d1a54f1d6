"""Quantities that answer a study's question: what stands beside it, and the sentence of each
mistake."""

import re

import numpy as np
import pytest
import xarray as xr

from tadpool import formatting
from tadpool.convergence import verdicts
from tadpool.files import contracts, io
from tadpool.files.results import StudyResults
from tadpool.reporting.fit_view import all_fits
from tadpool.reporting.sections import estimands, estimates
from tests.made.config import assert_one, problems, study, write
from tests.made.page import render

QUANTITY = {
    "label": "the mean",
    "entry": "first",
    "site": "mu",
    "at": {},
    "group": "posterior",
    "scale": None,
    "units": None,
}


def shown(results, **changes):
    """What the page says of one quantity."""
    content = results.config | {"estimands": [QUANTITY | changes]}
    text = render(StudyResults(results.study, content, results.folder))
    (value,) = re.findall(r'<dl class="estimands">.*?<dd[^>]*>(.*?)</dd>', text, re.DOTALL)
    assert "The mean" in text.partition('<section id="data">')[0]
    return value


def test_a_parameter_stands_with_units_and_interval(make):
    results = make()
    draws = results.fit("first")["posterior"]["mu"].values
    low, high = np.quantile(draws, [0.055, 0.945])
    assert shown(results, units="eggs") == f"{draws.mean():.2f} eggs (89 % interval {low:.2f} to {high:.2f})"
    scaled = shown(results, scale="exp").split()
    assert float(scaled[0]) == pytest.approx(np.median(np.exp(draws)), abs=0.51)
    assert scaled[1] == "(median,"


def test_a_member_is_chosen_and_a_prediction_read(make):
    results = make()
    draws = results.fit("first")["posterior"]["theta"].sel(row=3).values
    assert shown(results, site="theta", at={"row": 3}).startswith(formatting.number(draws.mean(), 1) + " (89")
    predicted = results.predictions("first")["predictions"]["y"].values
    assert shown(results, site="y", group="predictions").startswith(f"{predicted.mean():.1f} (89")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"site": "nu"}, "not known: there is no nu in its posterior"),
        ({"site": "theta"}, "not known: theta has 14 members of row, and `at` chooses none of them"),
        ({"site": "theta", "at": {"row": 99}}, "not known: 99 is no member of row"),
    ],
)
def test_what_is_not_there_is_said(make, changes, words):
    assert shown(make(), **changes).startswith(words)


def test_nothing_is_said_of_a_fit_that_failed(make):
    assert shown(make({"first": "stuck", "second": "ok"})) == "not known: its fit failed"


def test_the_truth_stands_beside_what_was_simulated(make):
    results = make()
    tree = io.read(results.folder / "data.nc", contracts.DATA)
    tree["truth"] = xr.Dataset({"mu": ((), 3.25)})
    io.write(results.folder / "data.nc", tree, contracts.DATA)
    assert shown(results).endswith("; the true value is 3.25")


def test_intervals_have_two_significant_digits_of_the_standard_deviation():
    draws = np.random.default_rng(1).normal(100.0, 12.0, 4000)
    mean, low, high = draws.mean(), *np.quantile(draws, [0.055, 0.945])
    assert estimands.interval(draws, "points") == f"{mean:.0f} points (89 % interval {low:.0f} to {high:.0f})"


MISTAKES = [
    ("{label: x, entry: pool, site: rate}", "entry", "'pool' is not an entry of this study", "'pooled'"),
    ("{label: x, entry: pooled, site: rat}", "site", "'rat' is not a site of cookies_pooled", "'rate'"),
    (
        "{label: x, entry: pooled, site: rate, group: predictions}",
        "group",
        "the study has no predictions of pooled",
        "add",
    ),
    ("{label: x, entry: pooled, site: rate, scale: log}", "scale", "'log' is not one of the choices", "'exp'"),
    ("{label: x, entry: pooled}", "site", "missing", "`site: sigma`"),
]


@pytest.mark.parametrize(("line", "field", "words"), [(line, field, words) for line, field, *words in MISTAKES])
def test_a_mistake_is_one_sentence(folder, line, field, words):
    write("config/studies/mine.yaml", study(f"estimands: [{line}]"))
    assert_one(problems(), "config/studies/mine.yaml", f"estimands.0.{field}", *words)


@pytest.mark.parametrize("exponential", [True, False])
def test_headline_numbers_are_within_their_error_under_other_seeds(exponential):
    """The rate at a new group, exp(sigma z) with sigma ~ Exponential(1), has no expectation: its
    median and interval are the same under 20 seeds, whether that is known or found in its draws.

    A quantile q has the error sqrt(q (1 - q) / 4000) / density. The median's density is that of the
    logarithm, sigma z, which is Laplace-like and above 0.5 at 0; of the ends it is taken from the
    draws of all seeds. 4.4 errors of 60 numbers: a false alarm in 1e-3.
    """
    draws = [rng.exponential(size=4000) * rng.normal(size=4000) for rng in map(np.random.default_rng, range(20))]
    told = [estimands.interval(np.exp(each), exponential=exponential) for each in draws]
    found = np.array(
        [
            [float(word.strip("()").replace(",", "")) for word in words.split() if word.strip("()")[:1].isdigit()]
            for words in told
        ]
    )
    first, low, high = found[:, [0, -2, -1]].T
    pooled = np.log(np.abs(np.concatenate([np.exp(each) for each in draws])))
    steady = []
    for values, q in ((first, 0.5), (low, 0.055), (high, 0.945)):
        centre = np.quantile(pooled, q)
        near = np.quantile(pooled, [q - 0.02, q + 0.02])
        error = np.sqrt(q * (1 - q) / 4000) * np.ptp(near) / 0.04
        steady.append(bool(np.all(np.abs(np.log(np.maximum(values, 1e-9)) - centre) < 4.4 * error + 0.06)))
    assert all(steady)


# Draws and whether the mean of 4,000 of them says something; a Pareto k has an error of about 0.1.
TAILS = {
    "normal": (lambda rng: rng.normal(3.0, 1e-9, 4000), True),
    "counts": (lambda rng: rng.poisson(3.0, 4000), True),
    "yes or no": (lambda rng: rng.integers(0, 2, 4000), True),
    "equal": (lambda rng: np.ones(4000), True),
    "exponential of a normal": (lambda rng: np.exp(rng.normal(size=4000)), True),
    "ratio with a sure denominator": (lambda rng: rng.normal(size=4000) / rng.normal(3.0, 0.4, 4000), True),
    "ratio": (lambda rng: rng.normal(size=4000) / rng.normal(size=4000), False),
    "Cauchy, in another unit": (lambda rng: 1e9 * rng.standard_cauchy(4000), False),
    "exponential of the effect of a new member": (
        lambda rng: np.exp(rng.exponential(size=4000) * rng.normal(size=4000)), False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("draw", "reliable"), TAILS.values(), ids=TAILS)
def test_a_mean_is_told_only_where_a_few_draws_do_not_decide_it(draw, reliable):
    values = draw(np.random.default_rng(2)).astype(float)
    assert estimands.mean_is_reliable(values) is reliable
    assert ("(median, 89 %" in estimands.interval(values)) is not reliable


def test_the_table_of_estimates_has_the_median_where_a_few_draws_decide_the_mean(make):
    results = make()
    tree = io.read(results.folder / "first/fit.nc", contracts.FIT)
    draws = np.random.default_rng(3).standard_cauchy(tree["posterior"]["mu"].shape)
    tree["posterior"] = tree["posterior"].to_dataset().assign(mu=(("chain", "draw"), draws))
    io.write(results.folder / "first/fit.nc", tree, contracts.FIT)
    report = verdicts.check(tree)
    io.write_json(results.folder / "first/check.json", {"study": "tiny", "entry": "first", **report, "attempts": []})
    both = {fit.entry: estimates.estimates(fit, {"mu": "own"}) for fit in all_fits(results, {})}
    told, plain = (both[entry].sites["mu"].rows for entry in ("first", "second"))
    assert told[0]["mark"] == f"own; median {np.median(draws):.2f}; a few draws decide its mean, which is left out"
    assert (told[0]["mean"], told[0]["sd"], told[0]["mcse_mean"]) == (None, None, None)
    assert plain[0]["mean"] is not None
    assert plain[0]["mark"] == "own"
    low, high = np.quantile(draws, [0.055, 0.945])
    assert f"{low:.2f} to {high:.2f}" in render(results).replace("\N{MINUS SIGN}", "-")
