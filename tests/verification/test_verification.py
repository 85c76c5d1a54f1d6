"""What verification says where values hold and where they do not, with planted errors and without
them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tadpool.errors import UserError
from tadpool.files import contracts, io
from tadpool.reporting.pages.verification import lines, verification_page
from tadpool.verification import exact_comparisons, exact_values, findings, models, parts, planted_errors, run_part
from tadpool.verification.findings import compared
from tests.made.calibration import write_calibration
from tests.made.page import Page

MISSED = compared("Oracle <b>", "sigma", 1.0, 2.0, 0.1)
HELD = compared("Another", "mu", 1.0, 1.1, 0.1)


@pytest.fixture(scope="module")
def stuck():
    """A stuck chain, and the same that was not planted: the check finds the first alone, whatever
    the seed."""
    (plant,) = [plant for plant in planted_errors.SAMPLING if "stuck" in plant.what]
    return planted_errors.detect(plant), planted_errors.detect(replace(plant, planted=plant.without))


def kept(*found):
    """The findings as they are after having been written and read."""
    import json

    return findings.from_json([json.loads(json.dumps(findings.as_json(found), allow_nan=False))])


def test_a_planted_error_is_caught_and_one_that_is_not_there_is_reported(stuck):
    caught, missed = stuck
    assert (caught.planted, caught.without) == (1.0, 0.0)
    assert "1 of 4 chains of" in caught.sentence
    assert caught.problems == []
    assert missed.problems == [
        "Not caught by convergence check: one chain of four is stuck (chains that never moved is 0, not above 0, "
        "and the check says nothing)."
    ]


def test_an_alarm_without_an_error_is_a_problem(stuck):
    caught, _ = stuck
    (sentence,) = replace(caught, without=2.0).problems
    assert sentence.startswith("False alarm of convergence check without this error: one chain of four is stuck")


@pytest.mark.parametrize("right", [True, False])
def test_what_calibration_finds_is_in_words(monkeypatch, tmp_path, right):
    (tmp_path / "calibration").mkdir()
    write_calibration(tmp_path, np.random.default_rng(1), right)
    made = io.read(tmp_path / "calibration/many.nc", contracts.CALIBRATION)["simulations"].to_dataset()
    monkeypatch.setattr(planted_errors.planted_calibrations, "calibrate", lambda *_: made)
    value, words = planted_errors.calibrated.__wrapped__("")
    assert (value < planted_errors.P_VALUE, words != "") == (not right, not right)


def test_a_normal_model_is_exact(tmp_path):
    """19 values, |z| < 4.4: one false alarm in 5,000 seeds."""
    found = exact_comparisons.normal(tmp_path, 2)
    assert len(found) == 2 * (1 + 2 + models.GROUPS) + 1
    assert [value.sentence for value in found if not value.holds] == []


def test_closed_forms_agree_with_quadrature():
    for table, exact in (("cookies_pooled", "cookies_pooled"), ("cookies_unpooled", "cookies_unpooled")):
        for name, values in exact_comparisons.CONJUGATE[exact]().items():
            np.testing.assert_allclose(values, exact_values.reference(table).loc[name], rtol=1e-6)


def test_scores_of_a_normal_model_are_the_ratio_of_marginal_densities():
    from scipy.stats import multivariate_normal

    dataset = models.normal_data(1)
    _, design, prior = models.normal_design(dataset)
    y = dataset["y"].values
    covariance = design @ prior @ design.T + models.NOISE**2 * np.eye(len(y))
    others = np.arange(len(y)) != 5
    whole = multivariate_normal(cov=covariance).logpdf(y)
    without = multivariate_normal(cov=covariance[np.ix_(others, others)]).logpdf(y[others])
    assert exact_values.normal_loo(y, design, models.NOISE, prior)[5] == pytest.approx(whole - without, abs=1e-8)


@pytest.mark.parametrize(
    ("value", "holds", "bound"),
    [
        (compared("o", "q", 1.0, 1.43, 0.1), True, "|z| < 4.4"),
        (compared("o", "q", 1.0, 1.45, 0.1), False, "|z| < 4.4"),
        (compared("o", "q", 1.0, 1.45, 0.1, tolerance=0.5), True, "within 0.5"),
        (compared("o", "q", 1.0, 1.55, 0.1, tolerance=0.5), False, "within 0.5"),
        (compared("o", "q", 1.0, 1.0, tolerance=0.0), True, "equal"),
        (compared("o", "q", 1.0, 2.0, tolerance=0.0), False, "equal"),
        (compared("o", "q", 1.0, math.nan, 0.1), False, "|z| < 4.4"),
        (compared("o", "q", 1.0, 1.0, math.nan), False, "|z| < 4.4"),
        (compared("o", "q", 1.0, 1.0, 0.0), False, "|z| < 4.4"),
    ],
)
def test_a_value_holds_within_its_bound(value, holds, bound):
    assert value.holds is holds
    assert value.bound == bound
    assert (findings.problems([value], []) == []) is holds


def test_the_page_counts_what_holds_and_names_what_does_not(stuck):
    values, detections = kept(HELD, stuck[0])
    good = Page(verification_page(values, detections))
    assert "Everything holds. Values within their bounds: 1 of 1 value; the largest |z| is 1.0." in good.words
    assert "Caught: 1 of 1 planted error; false alarms where nothing was planted: 0." in good.words
    assert "not caught" not in good.words
    values, detections = kept(HELD, MISSED, *stuck)
    bad = Page(verification_page(values, detections))
    assert "2 problems: no result can be trusted until this is fixed." in bad.words
    assert "1 of 2 values" in bad.words
    assert "Caught: 1 of 2 planted errors" in bad.words
    assert "Oracle <b>, sigma: 2 found, 1 is exact (|z| < 4.4, z = 10.0)." in bad.words
    assert "not caught" in bad.words
    assert len(bad.ids) == len(set(bad.ids))
    assert [line.missed for line in lines(values)] == [1, 0]


def test_the_job_fails_with_a_sentence_for_each_problem(stuck, tmp_path):
    import runpy

    main = runpy.run_path("scripts/verify.py")["main"]
    for name, found in (("good", [HELD, stuck[0]]), ("bad", [MISSED, stuck[1]])):
        io.write_json(tmp_path / f"{name}.json", findings.as_json(found))
    main([tmp_path / "good.json"], tmp_path / "verdict.json")
    assert io.read_json(tmp_path / "verdict.json") == {"values": 1, "detections": 1}
    with pytest.raises(UserError) as caught:
        main([tmp_path / "good.json", tmp_path / "bad.json"], tmp_path / "none.json")
    assert len(str(caught.value).splitlines()) == 3
    assert not (tmp_path / "none.json").exists()


def test_every_part_has_its_function_and_every_error_is_planted():
    for name, part in parts.PARTS.items():
        assert callable(getattr(run_part.MODULES[part.module], name))
    assert len(planted_errors.CALIBRATION) + len(planted_errors.SAMPLING) == 8
    assert len({plant.what for plant in (*planted_errors.CALIBRATION, *planted_errors.SAMPLING)}) == 8
