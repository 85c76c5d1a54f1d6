"""Average predictions, comparisons and slopes of models without groups are those of marginaleffects
at the same coefficients."""

import json
from pathlib import Path

import numpy as np
import pytest

from tadpool.answers.quantities import MEASURES, quantities

REFERENCE = json.loads(Path(__file__).with_name("reference").joinpath("marginaleffects.json").read_text())
KINDS = {"x": "number", "t": "binary", "c": "categorical", "happened": "binary", "number": "count", "size": "number"}


def coefficients(reference, model):
    """The coefficients by site, and the intercept where all columns are at their means."""
    own = reference["coefficients"]
    sites = {f"beta_{name}": own[name] for name in own if name in ("x", "t", "x:t")}
    levels = {f"c.{name[4:-1]}": own[name] for name in own if name.startswith("c[T.")}
    at_means = own["Intercept"]
    for name, column in model.bound.facts["columns"].items():
        at_means += (own | levels)[name.removeprefix("formula:")] * column["location"]
    return {**sites, "beta_c": list(levels.values()), "alpha_at_means": at_means, "sigma": 1.0}


def assert_agree(fitted, asked, reference):
    formula, family = reference["formula"], reference["family"]
    used = [name for name in KINDS if name in formula.replace("~", " ").replace("*", " ").replace("+", " ").split()]
    table = {name: REFERENCE["table"][name] for name in used}
    model = fitted(table, {name: {"kind": KINDS[name]} for name in used}, {"formula": formula, "family": family})
    posterior = model.posterior
    for site, value in coefficients(reference, model).items():
        if site in posterior:
            posterior[site] = posterior[site].dims, np.broadcast_to(value, posterior[site].shape)
    for answer in reference["answers"]:
        found = quantities(asked(**answer["asked"]), model).draws.values[:, 0, 0]
        np.testing.assert_allclose(found, answer["values"], rtol=1e-8, err_msg=str(answer["asked"]))


@pytest.mark.parametrize("reference", REFERENCE["models"], ids=lambda each: each["family"])
def test_averages_of_a_glm_are_those_of_marginaleffects(fitted, asked, reference):
    assert_agree(fitted, asked, reference)


WRONG = {"sign": lambda before, after: before - after, "ratio": lambda before, after: after / before}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_planted_error_of_the_measure_is_caught(fitted, asked, monkeypatch, wrong):
    monkeypatch.setitem(MEASURES, "difference", WRONG[wrong])
    with pytest.raises(AssertionError, match="compare"):
        assert_agree(fitted, asked, REFERENCE["models"][0])
