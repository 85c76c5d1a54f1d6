"""Fits to tables whose columns say nothing or are properties of groups."""

import re
from pathlib import Path

import numpy as np
import pytest

from tadpool import config
from tadpool.engine import lanes
from tadpool.files import data_file
from tadpool.ladder.data_facts import gathered
from tadpool.loading.preparation import prepare
from tadpool.modelling import binding
from tadpool.modelling.references import design_of
from tadpool.verification import exact_comparisons

CASE = Path(__file__).parent.parent / "made/cases/degenerate-predictors"
# Estimate and standard error by restricted maximum likelihood; the error of a standard deviation
# between eight fields is about 0.8 / sqrt(2 (8 - 2)).
EXPECTED = {"beta_rain": (0.0029, 0.0039), "beta_temp_c": (0.410, 0.0293), "sigma_field": (0.80, 0.23)}


def read(study):
    chosen = config.read({"studies": [study]}).studies[study]
    tree = prepare(chosen.source(), {}, chosen.outcomes, study, None, [chosen.unit, *chosen.groups])
    return chosen, data_file.merged(tree)


@pytest.fixture
def case(monkeypatch):
    monkeypatch.chdir(CASE)


def test_a_property_of_groups_has_the_estimates_of_a_mixed_model(case):
    """The prior moves an estimate by less than its standard error; its Monte Carlo error at 500
    effective draws is a twentieth of that."""
    study, data = read("aliased")
    model = binding.bind(study.reference("partial"), data, {})
    found = exact_comparisons.sampled(model, lanes.Sampler(500, 500, 0.9, 10)).groups["posterior"]
    for site, (value, error) in EXPECTED.items():
        assert abs(float(np.mean(found[site])) - value) < error, site


def test_no_rung_has_what_the_table_cannot_tell(case):
    """No slope of rain by field, no group mean of it, and no coefficient of altitude."""
    for name, sites in (("aliased", "beta_rain_field|beta_mean_rain|mean_rain"), ("constant", "altitude")):
        study, data = read(name)
        for entry in study.models:
            latents = binding.bind(study.reference(entry), data, {}).latents
            assert [site for site in latents if re.search(sites, site)] == [], entry


def test_a_constant_that_is_kept_leaves_the_intercept_alone(case):
    """No design is inferred for a dataset file; there a constant is measured from its value."""
    study, data = read("aliased")
    constant = data.assign(rain=data["rain"] * 0 + 660)
    facts = gathered("partial", design_of(study.reference("partial")), constant, True, "")
    assert facts["predictors"]["rain"] == {"location": 660.0, "scale": 1.0}
