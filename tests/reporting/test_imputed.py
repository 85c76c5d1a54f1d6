"""What a page says of imputed predictors, and when complete cases stand beside them."""

from types import SimpleNamespace

import numpy as np
import xarray as xr

from tadpool.modelling import formula_priors
from tadpool.reporting.sections import imputed as section
from tadpool.reporting.sections.imputed import AT_RANDOM, SCORES, imputed

PRIORS, NUMBERS = formula_priors.chosen({})
DESIGN = {
    "formula": "y ~ x + b",
    "family": "normal",
    "outcome": "y",
    "unit": "child",
    "groups": ["school"],
    "predictors": [{"name": "x", "kind": "number", "imputed": True}, {"name": "b", "kind": "binary", "imputed": True}],
    "parameters_of": {},
    "priors": PRIORS,
    "prior_numbers": NUMBERS,
}
KNOWN = {
    "x": {"location": 0.0, "scale": 1.0, "binary": False, "missing": 57},
    "b": {"location": 0.0, "scale": 1.0, "binary": True, "missing": 1},
}
SITES = {
    "beta_x": xr.DataArray(0.0),
    "alpha_school": xr.DataArray([0.0, 0.0], dims="school"),
    "beta_imputed_x_z": xr.DataArray(0.0),
}


def fit(monkeypatch, weights=(), known=KNOWN, mean=1.5, **other):
    monkeypatch.setattr(section, "sites", lambda results, entry: SITES)
    complete = np.repeat([1, 0], [100, 60])
    data = xr.Dataset({"all_known": ("child", complete)})
    results = SimpleNamespace(data=data, config={"unit": "child", "outcomes": ["y"], "groups": ["school"]})
    parameters = [
        {"site": name.split("[")[0], "parameter": name, "mean": mean, "sd": 0.1}
        for name in ("beta_x", "alpha_school[a]", "alpha_school[b]", "beta_imputed_x_z")
    ]
    made = {"results": results, "entry": "it", "failed": False, "weights": dict(weights), "facts": {"imputed": known}}
    made |= {"parameters": parameters, "config": {"hyperparameters": {}}}
    made |= {"reference": {"name": "formula", "design": DESIGN}}
    return SimpleNamespace(**made | other)


COMPLETE = {"y": "all_known"}


def test_what_is_missing_is_counted_and_what_that_assumes_is_said(monkeypatch):
    own = fit(monkeypatch)
    found = imputed(own, [own])
    assert found.table is None
    words = " ".join(found.sentences)
    assert "x is missing in 57 of 160 children and has a model of its own" in words
    assert "an element of imputed_x" in words
    assert "b is missing in 1 of 160 children" in words
    assert "both values count there" in words
    assert "Complete cases are 100 of 160 children." in words
    assert AT_RANDOM in words
    assert SCORES in words
    assert "weights: {y: all_known}" in words


def test_complete_cases_stand_beside_the_coefficients(monkeypatch):
    own, beside = fit(monkeypatch), fit(monkeypatch, COMPLETE, mean=1.25)
    found = imputed(own, [own, beside])
    (row,) = found.table.rows
    assert [cell.text for cell in found.table.cells(row)] == ["beta_x", "1.500", "0.100", "1.250", "0.100"]
    assert not any("add an entry" in words for words in found.sentences)
    assert imputed(beside, [own, beside]).sentences == []


def test_another_formula_or_a_failed_fit_stand_beside_nothing(monkeypatch):
    own = fit(monkeypatch)
    other = {"name": "formula", "design": {**DESIGN, "formula": "y ~ x"}}
    assert imputed(own, [own, fit(monkeypatch, COMPLETE, reference=other)]).table is None
    assert imputed(own, [own, fit(monkeypatch, {"y": "importance"})]).table is None
    assert imputed(own, [own, fit(monkeypatch, COMPLETE, failed=True)]).table is None


def test_nothing_is_said_where_nothing_is_imputed(monkeypatch):
    own = fit(monkeypatch, known={})
    assert imputed(own, [own]).sentences == []
