"""Answers at the top of a page, what stands beside them, and when a mean says something."""

import html
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tadpool.answers.summaries import COLUMNS, NUMBERS
from tadpool.config.schema.answers import Answer
from tadpool.convergence import verdicts
from tadpool.files import contracts, io
from tadpool.files.results import StudyResults
from tadpool.reliable_means import mean_is_reliable
from tadpool.reporting.fit_view import all_fits
from tadpool.reporting.interval_words import interval
from tadpool.reporting.sections import answers, estimates
from tests.made.page import render

ROW = {
    "answer": "it",
    "quantity": "",
    "model": "first",
    "role": "own",
    "is": "mean",
    "value": 3.0,
    "sd": 0.5,
    "eti89_low": 2.2,
    "eti89_high": 3.8,
    "mcse": 0.01,
    "draws": 4000.0,
    "reason": "",
}


def asked(**keys):
    return Answer.model_validate({"label": "the mean", "entry": "first", "value": "mu", **keys}).model_dump()


def page(results, *rows, **keys):
    """The study's page with these rows of one answer."""
    table = pd.DataFrame([ROW | row for row in rows]).reindex(columns=list(COLUMNS))
    texts = [column for column in COLUMNS if column not in NUMBERS]
    table = table.astype(dict.fromkeys(NUMBERS, float)).assign(**{c: table[c].astype(object).fillna("") for c in texts})
    tree = xr.DataTree(xr.Dataset(attrs={"provenance": "{}", "status": "ok", "reason": ""}))
    tree["answers"] = xr.Dataset({c: ("row", table[c].to_numpy(float if c in NUMBERS else str)) for c in COLUMNS})
    io.write(results.folder / "answers.nc", tree, contracts.ANSWERS)
    content = results.config | {"answers": {"it": asked(**keys)}}
    return render(StudyResults(results.study, content, results.folder))


def told(text):
    """What stands at the top of a page: lines, and what is said beside them."""
    (block,) = re.findall(r'<dl class="answers">(.*?)</dl>', text.partition('<section id="data">')[0], re.DOTALL)
    plain = html.unescape(re.sub(r"<[^>]*>", "", block)).replace("\N{MINUS SIGN}", "-")
    return [line.strip() for line in plain.splitlines() if line.strip()]


def test_a_value_stands_with_its_units_interval_and_model(make):
    assert told(page(make(), {}, units="eggs")) == ["The mean by first", "3.00 eggs (89 % interval 2.20 to 3.80)"]
    median = {"is": "median", "value": 2.9}
    assert told(page(make(), median))[1] == "2.90 (median, 89 % interval 2.20 to 3.80)"


def test_a_probability_is_no_more_certain_than_its_draws(make):
    statement = {"is": "probability", "sd": np.nan, "eti89_low": np.nan, "eti89_high": np.nan, "mcse": 0.0}
    assert told(page(make(), statement | {"value": 1.0}))[1] == "> 0.999 probability"
    assert told(page(make(), statement | {"value": 0.0, "draws": 100.0}))[1] == "< 0.010 probability"
    wide = statement | {"value": 0.42, "mcse": 0.03}
    assert told(page(make(), wide))[1] == "0.42 probability (Monte Carlo error 0.03)"


def test_a_direction_is_the_likelier_one_and_a_line_the_one_asked_for(make):
    own = {"value": -3.0, "eti89_low": -3.8, "eti89_high": -2.2, "line": 0.0, "probability": 0.02}
    keys = {"value": None, "compare": {"x": 1}}
    assert told(page(make(), own, **keys))[1].endswith("; below 0 with probability 0.980")
    assert told(page(make(), own | {"line": -3.0}, above=-3))[1].endswith("; above -3 with probability 0.020")


def test_caveats_stand_where_they_hold_and_only_there(make):
    own = {"prior": 0.3, "weaker": 4.0, "truth": 5.0}
    other = {"model": "second", "role": "other", "value": 9.0}
    said = told(page(make(), own, other))[2]
    assert said == (
        "It depends on its priors: if they had half their weight it would be 4.00. The true value is 5, outside this "
        "interval. In other models: 9.00 by second (2.20 to 3.80; its interval does not include the true value)."
    )
    assert told(page(make(), own | {"weaker": np.nan}))[2].startswith("It depends on its priors; how far,")
    assert told(page(make(), {"prior": 0.01, "truth": 3.0}))[2] == "The true value is 3."
    assert len(told(page(make(), {"prior": 0.01}))) == 2


def test_a_decision_says_why_it_is_none(make):
    own = {"line": 2.0, "probability": 0.9, "decision": "undecided", "because": "prior, models"}
    line = told(page(make(), own, above=2, decide=0.9))[1]
    assert line.endswith(
        "with probability 0.90: undecided (priors of half the weight would change it and the models disagree)"
    )


def test_ranked_members_are_told_first_and_last_with_a_table_in_order(make):
    keys = ("quantity", "value", "rank", "p_best", "p_worst")
    members = (("a", 1.0, 2.8, 0.01, 0.9), ("b", 3.0, 1.2, 0.8, 0.04), ("c", 2.0, 2.0, 0.19, 0.06))
    ends = {"rank_low": 1, "rank_high": 3, "p_top": 1}
    rows = [dict(zip(keys, each, strict=True)) | ends for each in members]
    text = page(make(), *rows, value=None, rank="theta")
    assert told(text)[1:] == [
        "b, the highest with probability 0.80: 3.00 (89 % interval 2.20 to 3.80)",
        "a, the lowest with probability 0.90: 1.00 (89 % interval 2.20 to 3.80)",
    ]
    section = text.partition('<section id="answers">')[2].partition("</section>")[0]
    assert re.findall(r'<th scope="row">(.*?)</th>', section) == ["b", "c", "a"]


def test_where_no_member_is_probably_first_that_is_said(make):
    ends = {"rank": 2.0, "rank_low": 1, "rank_high": 3, "p_top": 1}
    rows = [{"quantity": each, "p_best": first, "p_worst": 0.3} | ends for each, first in (("a", 0.4), ("b", 0.35))]
    lines = told(page(make(), *rows, value=None, rank="theta"))
    assert lines[1].startswith("None stands out as the highest; the likeliest is a, with probability 0.40: 3.00")


def test_a_decision_of_no_is_as_sure_as_one_of_yes(make):
    """Above 1 with a probability of 0.95, 0.5 and 0.02, where 0.9 is asked."""
    chances = {"a": (0.95, "yes"), "b": (0.5, "no"), "c": (0.02, "no"), "d": (0.9, "undecided")}
    rows = [{"quantity": name, "probability": p, "decision": word} for name, (p, word) in chances.items()]
    text = page(make(), *rows, value="theta", above=1, decide=0.9)
    section = text.partition('<section id="answers">')[2].partition("</section>")[0]
    assert re.findall(r"<td>(yes|no|not above 0.9|undecided)</td>", section) == [
        "yes",
        "not above 0.9",
        "no",
        "undecided",
    ]


def test_many_quantities_are_a_range_and_a_table(make):
    rows = [
        {"quantity": f"m{i}", "value": float(i), "decision": "yes" if i > 2 else "no", "probability": 0.5}
        for i in range(5)
    ]
    lines = told(page(make(), *rows, value="theta", above=1, decide=0.9))
    assert lines[1] == "2 of 5 above 1 with a probability above 0.9 and 3 with one between"
    assert lines[2] == "0.00 to 4.00, from m0 to m4 (5 in the table below)"


def test_what_checks_found_about_a_model_stands_below_its_answers(make):
    results = make()
    assert "Checks of first that did not pass" not in page(results, {})
    check = io.read_json(results.folder / "first/check.json")
    io.write_json(results.folder / "first/check.json", check | {"verdict": "warn"})
    assert "Checks of first that did not pass: convergence (warn)" in page(results, {})
    assert "that found something" not in page(make({"first": "ok", "second": "stuck"}), {})


def test_what_is_not_known_says_why(make):
    gone = {"value": np.nan, "reason": "its fit failed"}
    assert told(page(make({"first": "stuck", "second": "ok"}), gone))[1] == "not known: its fit failed"


def test_intervals_have_two_significant_digits_of_the_standard_deviation():
    draws = np.random.default_rng(1).normal(100.0, 12.0, 4000)
    mean, low, high = draws.mean(), *np.quantile(draws, [0.055, 0.945])
    assert interval(draws, "points") == f"{mean:.0f} points (89 % interval {low:.0f} to {high:.0f})"


@pytest.mark.parametrize("exponential", [True, False])
def test_headline_numbers_are_within_their_error_under_other_seeds(exponential):
    """The rate at a new group, exp(sigma z) with sigma ~ Exponential(1), has no expectation: its
    median and interval are the same under 20 seeds, whether that is known or found in its draws.

    A quantile q has the error sqrt(q (1 - q) / 4000) / density. The median's density is that of the
    logarithm, sigma z, which is Laplace-like and above 0.5 at 0; of the ends it is taken from the
    draws of all seeds. 4.4 errors of 60 numbers: a false alarm in 1e-3.
    """
    draws = [rng.exponential(size=4000) * rng.normal(size=4000) for rng in map(np.random.default_rng, range(20))]
    told = [interval(np.exp(each), exponential=exponential) for each in draws]
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
    assert mean_is_reliable(values) is reliable
    assert ("(median, 89 %" in interval(values)) is not reliable


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


@pytest.mark.parametrize(("value", "beside"), [(9.0, True), (3.1, False)])
def test_the_index_names_models_that_say_something_else(make, value, beside):
    """Only where the value in another model lies outside the interval."""
    results = make()
    page(results, {}, {"model": "second", "role": "other", "value": value})
    asked_for = StudyResults(results.study, results.config | {"answers": {"it": asked()}}, results.folder)
    (shown,) = answers.answers(asked_for, all_fits(asked_for, {}))
    assert shown.disputed == beside


def test_claims_of_sources_stand_beside_what_is_found(make):
    """An answer with what must be said of it, a comparison's verdict, and a remark."""
    results = make()
    results.config["claims"] = [
        {"says": "The mean is 3 & more.", "answers": ["it"], "comparison": None, "note": None},
        {"says": "One is better.", "answers": [], "comparison": "main", "note": "They score rows."},
    ]
    text = page(results, {"prior": 0.2, "weaker": 3.4}, {"model": "second", "role": "other", "value": 9.0})
    (block,) = re.findall(r'<section id="claims">(.*?)</section>', text, re.DOTALL)
    plain = " ".join(html.unescape(re.sub(r"<[^>]*>", "", block)).split())
    assert (
        "The mean is 3 & more. The mean (first): 3.00 (89 % interval 2.20 to 3.80). It depends on its priors" in plain
    )
    assert "In other models" not in plain, "that stands with the answer"
    (verdict,) = re.findall(r"One is better\. (.*?) They score rows\.", plain)
    assert verdict in " ".join(html.unescape(re.sub(r"<[^>]*>", "", text.partition('id="claims"')[0])).split())
    assert 'href="#claims"' in text


def test_a_study_without_claims_does_not_mention_them(make):
    text = page(make(), {})
    assert 'id="claims"' not in text
    assert "hat the sources say" not in text
