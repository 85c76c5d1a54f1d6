"""Predictions of formulas: rows that say little, members that are new, and combinations of groups
with them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tadpool import ROOT
from tadpool.engine import lanes
from tadpool.errors import UserError
from tadpool.fitting.prediction import predict_rows
from tests.made.formulas import bound

DATA = ROOT / "tests" / "formula" / "data"
NUMBER, GROUP = {"kind": "number"}, {"kind": "group"}
DRAWS = 400


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    lanes.start(1, "float64")


def model(table, columns, formula, **entry):
    shutil.copy(DATA / f"{table}.csv", "data/table.csv")
    return bound("data/table.csv", columns, {"formula": formula, **entry})


def posterior(model, **values):
    """Draws of a posterior that is known: every site at the value given, or at 0."""
    sizes = {site: model.dims[site] for site in model.dims if site not in model.outcomes}
    found = {}
    for site, dims in sizes.items():
        shape = [model.dataset.sizes.get(dim, model.sizes[site]) for dim in dims]
        value = np.broadcast_to(np.asarray(values.get(site, 0.0), float), shape)
        found[site] = (("chain", "draw", *dims), np.broadcast_to(value, (2, DRAWS // 2, *shape)))
    return xr.Dataset(found)


def predicted(model, draws, group, rows):
    key = np.array([1, 2], np.uint32)
    tree = predict_rows(model, draws, group, f"new {group}" if group else "", "row", rows, key)
    return tree["predictions"].to_dataset()


SLEEP = {"reaction": NUMBER, "days": NUMBER, "subject": GROUP}


def test_a_row_has_the_median_of_what_it_does_not_say(place):
    slopes = model("sleepstudy", SLEEP, "reaction ~ days + (1 | subject)")
    draws = posterior(slopes, alpha_subject=300.0, beta_days=10.0, sigma=1e-9, sigma_subject=1.0)
    at = predicted(slopes, draws, None, [{"subject": "308"}, {"subject": "308", "days": 9}])["reaction"]
    # The intercept is where days are at their mean, 4.5; their median, of values that occur, is 4.
    np.testing.assert_allclose(at.mean(("chain", "draw")), [295.0, 345.0], rtol=1e-9)


def test_a_new_member_of_an_outer_group_has_new_members_within_it(place):
    columns = {"strength": NUMBER, "batch": GROUP, "cask": GROUP}
    nested = model("pastes", columns, "strength ~ 1 + (1 | batch/cask)", family="normal")
    known = {"sigma_batch": 3.0, "sigma_batch:cask": 4.0, "sigma": 1e-9, "alpha": 60.0}
    draws = posterior(nested, **known)
    found = predicted(nested, draws, "batch", [{"cask": "a"}, {"cask": "b"}])
    assert list(found["batch:cask"].values) == ["new batch:a", "new batch:b"]
    one, other = (found["strength"].isel(row=i).values.ravel() for i in (0, 1))
    # Variances 9 + 16, covariance 9, 400 independent draws: 4.4 errors, false alarms below 1e-4.
    assert abs(one.mean() - 60.0) < 4.4 * 5 / np.sqrt(DRAWS)
    assert abs(one.var() - 25.0) < 4.4 * 25 * np.sqrt(2 / DRAWS)
    assert abs(np.cov(one, other)[0, 1] - 9.0) < 4.4 * np.sqrt((25 * 25 + 81) / DRAWS)


def test_rows_of_known_and_of_new_combinations_are_predicted_apart(place):
    columns = {"herd": GROUP, "incidence": {"kind": "count"}, "size": {"kind": "count"}, "period": GROUP}
    crossed = model("cbpp", columns, "prop(incidence, size) ~ 1 + (1 | herd:period)")
    draws = posterior(crossed)
    known, new = {"herd": 1, "period": 1}, {"herd": 8, "period": 2}
    assert list(predicted(crossed, draws, None, [known]).sizes.values()) == [2, DRAWS // 2, 1]
    with pytest.raises(UserError, match="some rows are of known members of herd:period and some are not"):
        predicted(crossed, draws, None, [known, new])


def test_what_a_member_has_is_part_of_its_intercept_and_can_be_changed_in_a_row(place):
    columns = {"y": {"kind": "count"}, "trt": {"kind": "categorical"}, "base": NUMBER, "subject": GROUP}
    epil = model("epil", columns, "y ~ trt + base + (1 | subject)", family="poisson")
    (group,) = epil.function.keywords["formula:bound"].predictors[0].groups
    assert [each.column for each in group.own] == ["formula:trt.progabide", "formula:base"]
    draws = posterior(epil, alpha_subject=np.log(1e6), beta_trt=np.log(2.0))
    rows = [{"subject": 1, "trt": "placebo"}, {"subject": 1, "trt": "progabide"}]
    means = predicted(epil, draws, None, rows)["y"].mean(("chain", "draw")).values
    # Poisson means of 1e6 and 2e6 over 400 draws: 4.4 errors, false alarms below 1e-4.
    np.testing.assert_allclose(means, [1e6, 2e6], rtol=4.4 / np.sqrt(1e6 * DRAWS))


def test_rows_of_one_new_member_can_differ_in_what_members_have(place):
    """Funding is declared as that of schools (`per`); a row that does not say it has the median."""
    rows = [f"{i // 4},{i // 4 + 1},{i % 3},{i % 5}" for i in range(24)]
    Path("data/table.csv").write_text("\n".join(["school,funding,hours,score", *rows]) + "\n")
    columns = {"score": NUMBER, "hours": NUMBER, "funding": {**NUMBER, "per": "school"}, "school": GROUP}
    pupils = bound("data/table.csv", columns, {"formula": "score ~ hours + funding + (1 | school)"})
    assert pupils.dataset["funding"].dims == ("school",)
    draws = posterior(pupils, alpha_at_means=50.0, beta_funding=2.0, sigma_school=3.0, sigma=1e-9)
    found = predicted(pupils, draws, "school", [{"hours": 1}, {"hours": 1, "funding": 8}, {"hours": 1, "funding": 9}])
    one, other, further = (found["score"].isel(row=i).values for i in range(3))
    np.testing.assert_allclose(other - one, 2.0 * (8 - 3), rtol=1e-6)
    np.testing.assert_allclose(further - other, 2.0, rtol=1e-6)
    assert one.std() > 1.0, "the new school differs between draws"


OWN = '''"""y ~ Normal(b f, 1), f of groups."""
import numpyro
import numpyro.distributions as dist


def model(f, g_index, y=None):
    b = numpyro.sample("b", dist.Normal(0.0, 1.0))
    with numpyro.plate("row", g_index.shape[0]):
        numpyro.sample("y", dist.Normal(b * f[g_index], 1.0), obs=y)
'''


def test_a_model_file_has_one_value_for_its_new_member(place):
    Path("models").mkdir()
    Path("models/own.py").write_text(OWN)
    Path("data/table.csv").write_text("y,f,g\n" + "\n".join(f"{i},{i // 2},{i // 2}" for i in range(8)) + "\n")
    columns = {"y": NUMBER, "f": {**NUMBER, "per": "g"}, "g": GROUP}
    own = bound("data/table.csv", columns, {"model": "own"})
    draws = posterior(own, b=2.0)
    assert predicted(own, draws, "g", [{"f": 4}, {"f": 4}])["y"].sizes["row"] == 2
    with pytest.raises(UserError, match="f differs between rows, but they are of one new g; give one value"):
        predicted(own, draws, "g", [{"f": 4}, {"f": 5}])
