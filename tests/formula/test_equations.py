"""The equations of a formula."""

import numpy as np
import pandas as pd
import pytest

from tadpool import config
from tadpool.formula.equations import equations
from tadpool.modelling import references
from tests.made.formulas import bound

COLUMNS = {
    "y": {"kind": "number"},
    "x": {"kind": "number"},
    "dose": {"kind": "number"},
    "arm": {"kind": "categorical"},
    "site": {"kind": "categorical"},
}


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(8)
    columns = {name: rng.normal(size=24) for name in ("y", "x", "dose")}
    columns |= {"arm": np.resize(["a", "b"], 24), "site": np.resize(["i", "j", "k"], 24)}
    pd.DataFrame(columns).to_csv("table.csv", index=False)
    return "table.csv"


@pytest.mark.parametrize(
    ("formula", "terms"),
    [
        ("y ~ x * arm", [("_", "x"), ("_", "arm"), ("_", "x:arm")]),
        ("y ~ site + x + dose", [("^", "site"), ("_", "x"), ("_", "dose")]),
        ("y ~ x * site - x:site", [("_", "x"), ("^", "site")]),
        ("y ~ (x + dose + arm) ** 2 - arm", [("_", each) for each in ("x", "dose", "x:dose", "x:arm", "dose:arm")]),
    ],
)
def test_every_term_stands_in_the_sum_under_the_name_of_its_prior(table, formula, terms):
    facts = bound(table, COLUMNS, {"formula": formula}).facts
    design = references.formula_of(config.read({"studies": ["one"]}).studies["one"].reference("it"))
    _, mean, *rest = equations(design, {}, facts).split(" \\\\\n")
    written = [f"\\beta{place}{{\\mathrm{{{name}}}}}" for place, name in terms]
    places = [mean.find(each) for each in written]
    assert -1 not in places
    assert places == sorted(places)
    assert mean.count("\\beta") == len(terms)
    lines = [line for line in rest if line.startswith("\\beta")]
    assert all(any(line.startswith(each) for line in lines) for each in written)
    assert len(lines) == len(terms)


def test_imputed_predictors_have_equations_of_their_own(table):
    columns = {**COLUMNS, **{name: {"kind": "number", "missing": "impute"} for name in ("x", "dose")}}
    content = pd.read_csv(table)
    content.loc[[2, 5], "x"] = np.nan
    content.loc[[7], "dose"] = np.nan
    content.to_csv(table, index=False)
    model = bound(table, columns, {"formula": "y ~ x * dose + arm + (1 | site)"})
    design = references.formula_of(config.read({"studies": ["one"]}).studies["one"].reference("it"))
    lines = equations(design, {}, model.facts).split(" \\\\\n")
    (x,) = (line for line in lines if line.startswith("\\nu^{(\\mathrm{x})}_i"))
    (dose,) = (line for line in lines if line.startswith("\\nu^{(\\mathrm{dose})}_i"))
    assert "\\mathrm{arm}_i" in x
    assert "\\mathrm{dose}_i" not in x
    assert "\\mathrm{x}_i" in dose
    assert "\\mathrm{x:dose}" not in dose
    assert any(line.startswith("\\mathrm{dose}_i &\\sim \\mathrm{Normal}(\\nu^{(\\mathrm{dose})}_i") for line in lines)
    priors = [line for line in lines if line.startswith("\\beta") and "(\\mathrm{dose})" in line.split("&")[0]]
    assert len(priors) == 2
    # Every parameter of the two models that the fit has stands left of a sign.
    assert sum(line.startswith("\\sigma^{(") for line in lines) == 2
    assert sum(line.startswith("\\sigma_{\\mathrm{site}}^{(") for line in lines) == 2
    plain = equations(design, {}, None)
    assert "\\nu^{(\\mathrm{dose})}_i" in plain
