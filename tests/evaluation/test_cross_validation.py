"""Cross-validation against exact scores: reed frogs by quadrature, cookies in closed form."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tadpool.evaluation import cross_validation, refits
from tadpool.evaluation.cross_validation import cross_validate
from tadpool.evaluation.folds import Fold
from tadpool.files import contracts, data_file, io
from tadpool.fitting import fit_job
from tadpool.fitting.job import Job
from tadpool.loading import preparation
from tadpool.modelling import binding
from tadpool.modelling.entry import Entry
from tadpool.verification import exact_comparisons, exact_values

SAMPLER = {"chains": 4, "warmup": 500, "draws": 500, "target_accept": 0.8, "max_tree_depth": 10, "precision": "float64"}
COOKIES = {"outcomes": ["chips"], "unit": "cookie"}
FROGS = {"outcomes": ["survived"], "unit": "tank"}


def prepared(folder, dataset, scored, group):
    tree = preparation.prepare(dataset, {}, scored["outcomes"], "s", dims=[scored["unit"], group])
    tree.attrs["provenance"] = "{}"
    io.write(folder / "data.nc", tree, contracts.DATA)
    return str(folder / "data.nc")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """fitted(model, by): the paths of its data and fit, its entry, and what a sweep goes over."""
    places = {}

    def fit(model, by=None, over=None, points=(), **hyperparameters):
        key = (model, by, over, *hyperparameters.items())
        if key not in places:
            folder = tmp_path_factory.mktemp(model)
            scored, group = (FROGS, "tank") if model.startswith("frogs") else (COOKIES, "location")
            path = prepared(folder, "reedfrogs" if scored is FROGS else "cookies", scored, group)
            entry = Entry(1, "s", model, model, hyperparameters, **scored, groups=[group], by=by)
            job = Job(str(folder / "fit.nc"), "{}", 2, data=path)
            fit_job.fit(job, entry, SAMPLER, sweep={"over": over, "points": points} if over else None)
            places[key] = SimpleNamespace(folder=folder, data=path, fit=job.output, entry=entry, over=over)
        return places[key]

    return fit


def scores(place, **changes):
    job = Job(str(place.folder / "scores.nc"), "{}", 2, data=place.data, fit=place.fit)
    cross_validate(job, place.entry, **{"over": place.over, "budget": 1e10, **changes})
    tree = io.read(job.output, contracts.LOO)
    return tree, tree["loo"].to_dataset(), json.loads(tree.attrs["plan"])


@pytest.fixture(scope="module")
def frogs(fitted):
    return scores(fitted("frogs_multilevel"))


def test_reed_frogs_are_scored_exactly_where_importance_sampling_is_off(frogs):
    """Exact elpd by quadrature; |z| < 4.4 has a false-alarm rate of 1e-5, the Monte Carlo error is
    below 0.3."""
    tree, loo, plan = frogs
    assert plan["exact"]
    assert plan["folds"] == 48
    assert (loo["method"] == "refit").all()
    assert float(loo["total_mcse"]) < 0.3
    assert abs(float(loo["total_elpd"]) - -134.92) < 4.4 * float(loo["total_mcse"])
    assert float(loo["elpd_psis"].sum()) > -120
    assert int(loo["total_doubtful"]) == 0
    assert float(loo["rhat"].max()) < 1.05
    assert float(loo["total_p_loo"]) == pytest.approx(55.8, abs=4.4 * float(loo["total_mcse"]) + 0.6)
    assert tree["predictive"]["survived"].sizes == {"chain": 4, "draw": 250, "tank": 48}


def test_predictions_of_what_was_left_out_do_not_know_it(frogs):
    """A tank that is left out is any tank: even the most certain prediction is wider than binomial
    by far."""
    tree, _, _ = frogs
    assert (tree["predictive"]["survived"].std(["chain", "draw"]) > 1.5).all()


def test_above_the_budget_units_are_left_out_together(fitted, frogs):
    """|z| < 4.4 for each unit against its own exact fit: false alarms below 1e-3 for 48 units."""
    place, (_, exact, plan) = fitted("frogs_multilevel"), frogs
    _, loo, found = scores(place, budget=1.001 * plan["cost"] / 6)
    together = loo["method"].values == "kfold"
    assert not found["exact"]
    assert found["above"] == pytest.approx(0.697, abs=1e-3)
    assert found["folds"] == 8
    assert together.sum() > 20
    assert (loo["pareto_k"].values[~together] <= found["above"]).all()
    z = (loo["elpd"] - exact["elpd"]) / np.hypot(loo["mcse"], exact["mcse"])
    # Without five more tanks the population is known a little less well, which moves single scores.
    assert np.abs(z.values[together]).mean() < 3
    _, none, found = scores(place, budget=0.0)
    assert found["folds"] == 0
    assert (none["method"] == "psis").all()
    assert int(none["total_doubtful"]) > 20


@pytest.mark.parametrize("dense", [[], ["alpha", "alpha_bar"]])
def test_a_unit_alone_has_the_same_fit_whatever_else_is_left_out(fitted, dense):
    place = fitted("frogs_multilevel")
    _, bound = binding.open_bound(place.data, place.entry)
    labels = bound.dataset["tank"].values.tolist()
    folds = [Fold((labels[row],), np.array([row]), np.array([0])) for row in (3, 7, 11)]
    settings = {**SAMPLER, "warmup": 100, "draws": 100, "dense": dense}
    main = io.read(place.fit, contracts.FIT)
    several, one = (refits.refit(bound, some, place.entry, settings, main) for some in (folds, folds[1:2]))
    assert several.finite.all()
    np.testing.assert_array_equal(several.scores[1], one.scores[0])
    np.testing.assert_array_equal(several.predictive["survived"][1], one.predictive["survived"][0])


@pytest.fixture(scope="module")
def locations():
    return exact_comparisons.locations()


@pytest.mark.parametrize("model", ["cookies_pooled", "cookies_unpooled"])
def test_groups_are_scored_jointly(fitted, locations, model):
    """Five locations in closed form, |z| < 4.4: false alarms below 1e-4."""
    tree, logo, plan = scores(fitted(model), group="location")
    exact = exact_values.gamma_groups(locations, **exact_comparisons.GAMMA, shared=model == "cookies_pooled")
    assert plan == {"budget": 1e10, "cost": plan["cost"], "exact": True, "folds": 5, "members": 5, "of": 5}
    assert (np.abs(logo["elpd"] - exact) < 4.4 * logo["mcse"]).all()
    assert logo["mcse"].max() < 0.15
    assert logo["rows"].values.tolist() == [30] * 5
    assert tree["predictive"]["chips"].sizes == {"chain": 4, "draw": 250, "cookie": 150}


def test_groups_left_out_together_are_scored_one_by_one(fitted, locations):
    """Without a population the others say nothing: the exact score is that of the prior. |z| < 4.4
    as above."""
    _, logo, plan = scores(fitted("cookies_unpooled"), group="location", members=4, folds=2)
    assert (plan["folds"], plan["members"], plan["exact"]) == (2, 4, False)
    assert logo.sizes["location"] == 4
    assert (logo["method"] == "kfold").all()
    exact = dict(
        zip("12345", exact_values.gamma_groups(locations, **exact_comparisons.GAMMA, shared=False), strict=True)
    )
    for label in logo["location"].values:
        here = logo.sel(location=label)
        assert abs(float(here["elpd"]) - exact[str(label)]) < 4.4 * float(here["mcse"])


def test_separate_fits_leave_a_unit_out_of_its_own_group(fitted, locations):
    """Closed form for every cookie, |z| < 4.9: false alarms below 2e-4 for 150."""
    place = fitted("cookies_pooled", by="location")
    _, loo, _ = scores(place)
    exact = np.concatenate([exact_values.gamma_loo(own, **exact_comparisons.GAMMA) for own in locations])
    index = data_file.merged(io.read(place.data, contracts.DATA))["location_index"].values
    z = (loo["elpd"].values - exact[np.argsort(np.argsort(index, kind="stable"))]) / loo["mcse"].values
    assert np.abs(z).max() < 4.9
    _, logo, _ = scores(place, group="location")
    alone = exact_values.gamma_groups(locations, **exact_comparisons.GAMMA, shared=False)
    assert (np.abs(logo["elpd"] - alone) < 4.4 * logo["mcse"]).all()


def test_the_points_of_a_sweep_are_scored_like_single_fits(fitted):
    """Exact elpd of the sigma grid by quadrature; |z| < 4.4 at both points: false alarms 2e-5."""
    place = fitted("frogs_fixed_sigma", over="sigma", points=(0.873684, 3.194737), sigma=1.0)
    tree, loo, plan = scores(place)
    assert plan["folds"] == 96
    assert "predictive" not in tree.children
    z = (loo["total_elpd"].values - [-147.025, -144.951]) / loo["total_mcse"].values
    assert np.abs(z).max() < 4.4


def test_parts_do_not_span_separate_fits():
    rows, fits = np.arange(10)[::-1], np.repeat([0, 1], 5)
    parts = cross_validation._split(rows, fits, 5)
    assert [part.tolist() for part in parts] == [[7, 8, 9], [5, 6], [2, 3, 4], [0, 1]]
    assert [len(part) for part in cross_validation._split(rows, np.zeros(10), 3)] == [4, 3, 3]


def test_a_member_that_cannot_be_left_out_leaves_no_numbers(fitted, monkeypatch):
    whole = refits.refit

    def broken(*arguments, **options):
        found = whole(*arguments, **options)
        return replace(found, finite=np.arange(len(found.finite)) != 1)

    monkeypatch.setattr(refits, "refit", broken)
    place = fitted("cookies_pooled")
    job = Job(str(place.folder / "broken.nc"), "{}", 2, data=place.data, fit=place.fit)
    cross_validate(job, place.entry, over=None, budget=1e10, group="location")
    tree = io.read(job.output, contracts.LOO)
    assert tree.attrs["status"] == "failed"
    assert tree.attrs["reason"] == "1 of 5 fits, each without one location, reached values that are not finite"
    assert not tree.children
