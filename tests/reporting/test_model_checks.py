"""What the grid of models and checks says, in which state, and what follows from it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tadpool.evaluation.rmse import Error
from tadpool.figures import _style
from tadpool.reporting import fit_view
from tadpool.reporting.html.tables import Table
from tadpool.reporting.sections import accuracy, limits, model_checks, recovery, sensitivity
from tadpool.reporting.sections.model_checks import Cell, Grid, Row
from tadpool.reporting.sections.predictive import PredictiveChecks


def quantity(group="", observed=0.0, members=0, extreme=True):
    return {
        "quantity": "sd", "group": group, "what": f"{group}s", "observed": observed, "members": members, "extreme": extreme,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "extreme", "state", "words"),
    [
        ([quantity("person", 184.0, 331)], 1, "fail", "1 of 6 extreme; sd of 184 of 331 persons"),
        ([quantity("county", 8.0, 85)], 1, "warn", "1 of 6 extreme; sd of 8 of 85 countys"),
        ([quantity()], 1, "warn", "1 of 6 extreme"),
        ([quantity()] * 4, 4, "fail", "4 of 6 extreme"),
        (
            [quantity("person", 184.0, 331), quantity("cell", 6.0, 6), quantity("story", 1.0, 12)],
            3,
            "fail",
            "3 of 6 extreme; sd of 6 of 6 cells and sd of 184 of 331 persons",
        ),
        ([quantity("person", 184.0, 331, extreme=False)], 0, "pass", "0 of 6 extreme"),
    ],
)
def test_a_misfit_of_many_members_is_a_failure(rows, extreme, state, words):
    assert model_checks._predictive(PredictiveChecks(Table((), rows), [], 6, extreme)) == Cell(state, words)


@pytest.mark.parametrize(
    ("verdict", "uneven", "mild"), [("warn", False, True), ("warn", True, False), ("fail", False, False)]
)
def test_flagged_fits_say_nothing_against_intervals_where_ranks_are_uniform(verdict, uneven, mild):
    found = SimpleNamespace(verdict=verdict, finding="words", where="", uneven=uneven)
    assert (model_checks._calibration(None, found, []).means == model_checks.FLAGGED) == mild


def test_the_parameter_furthest_out_in_its_prior_is_named_and_priors_that_were_not_scaled():
    fit = SimpleNamespace(design=None, results=SimpleNamespace(named=lambda name: f"words ({name})"))
    rows = [
        {"moved_by": "beta", "parameter": "beta", "prior_sds": -3.6},
        {"moved_by": "beta", "parameter": "tau", "prior_sds": np.nan},
    ]
    found = model_checks._priors(sensitivity.Sensitivity(fit, [], rows, 49))
    where = "2 of 51 sensitive, to the prior of words (beta)"
    assert found == Cell("warn", f"{where}; words (beta) is 3.6 prior SDs from its prior mean")
    near = [row | {"prior_sds": 2.9} for row in rows]
    assert model_checks._priors(sensitivity.Sensitivity(fit, [], near, 49)).words == where
    left = model_checks._priors(sensitivity.Sensitivity(fit, [], [], 49, not_scaled=["cut"]))
    assert left == Cell("pass", "0 of 49 sensitive; the prior of words (cut) was not scaled")
    both = model_checks._priors(sensitivity.Sensitivity(fit, [], [], 49, not_scaled=["cut", "mean"]))
    assert both.words.endswith("; the priors of words (cut) and words (mean) were not scaled")


@pytest.mark.parametrize(("line", "state"), [([0.0, 0.1, 0.0], "pass"), ([0.0, 0.3, 0.0], "warn")])
def test_loo_pit_outside_its_band_is_a_warning(tmp_path, line, state):
    fit = SimpleNamespace(results=SimpleNamespace(folder=tmp_path), entry="one", failed=False, failed_members=[])
    assert model_checks._pit(fit).state == "not run"
    (tmp_path / "figures").mkdir()
    fit.results.loo = lambda entry: {"loo": {"elpd": np.zeros(3)}}
    for kind, reliability in (("numbers", False), ("yes or no", True)):
        table = pd.DataFrame({"outcome": "y", "kind": kind, "line": line, "band_low": -0.2, "band_high": 0.2})
        table.to_csv(tmp_path / "figures/one-loo_pit.csv", index=False)
        found = model_checks._pit(fit)
        assert found.state == state
        assert found.words.startswith("reliability") == reliability
        assert ("probabilities" in found.means) == (reliability and state == "warn")


def made(role, state="warn", failed=False):
    fit = SimpleNamespace(
        entry=role, label=role, failed=failed, failed_members=[], usable=True, expected={"because": "so"}
    )
    return Row(fit, role, {"Priors": Cell(state, "4 of 9 sensitive")})


def test_limits_are_those_of_models_that_are_no_baselines_or_give_answers():
    found = limits.limits(
        Grid([made("best"), made("baseline"), made("not compared", "pass"), made("expected to fail")]), ()
    )
    assert [(each.about, each.words) for each in found] == [
        ("Priors, best", "4 of 9 sensitive: another prior would give other numbers.")
    ]
    answering = limits.limits(Grid([made("baseline"), made("not compared", "pass")]), {"baseline"})
    assert [each.about for each in answering] == ["Priors, baseline"]
    own = Row(made("best").fit, "best", {"LOO-PIT": Cell("warn", "outside", means="what it means")})
    assert [each.words for each in limits.limits(Grid([own]), ())] == ["outside: what it means."]
    (failed,) = limits.limits(Grid([made("expected to fail", failed=True)]), ())
    assert failed.words == "it failed, as the study expects (so)."


def error_of(label, outer):
    fit = SimpleNamespace(entry=label, label=label, failed_members=[])
    return accuracy.Row(fit, "y", Error(1.0, 0.01, 9), None, None, {"county": outer}, 0, 9, 100)


@pytest.mark.parametrize(("pooled", "told"), [(Error(0.798, 0.001, 9), True), (Error(0.804, 0.001, 9), False)])
def test_a_smaller_error_of_another_model_is_said_where_it_is_beyond_chance(pooled, told):
    rows = [error_of("hierarchical", Error(0.806, 0.001, 9)), error_of("pooled", pooled)]
    words = accuracy.other_best(accuracy.Accuracies(rows, [], []), ["hierarchical", "pooled"], "hierarchical", "county")
    assert words.startswith("By root mean square error pooled is better (0.798 against 0.806") == told
    assert bool(words) == told
    assert accuracy.other_best(None, [], "hierarchical", "county") == ""


def test_recovery_compares_fits_on_what_they_share():
    def fit(label, **covered):
        counted = pd.DataFrame({"parameter": list(covered), "covered": list(covered.values())})
        return recovery.Recovered(SimpleNamespace(label=label), counted, Table((), []))

    sound = [fit("naive", beta=False, zeta=True), fit("latent", beta=True, zeta=True, tau=True)]
    assert recovery._of_shared(sound, {"beta", "zeta"}) == [
        "Of the 2 true values that all fits estimate (beta and zeta), in intervals: 1 for naive and 2 for latent."
    ]
    assert recovery._of_shared(sound, set()) == []


@pytest.mark.parametrize(
    ("z", "far", "words"),
    [
        ([2.3], True, "0 of 1 inside intervals; effect 0 is off by 2.3 SDs"),
        ([2.3, 0.1, -0.4], False, "2 of 3 inside intervals; effect 0 is off by 2.3 SDs"),
        ([0.1, -2.5, -0.4], True, "2 of 3 inside intervals; effect 1 is off by 2.5 SDs"),
        ([2.9] + [0.5] * 19, False, "19 of 20 inside intervals; effect 0 is off by 2.9 SDs"),
        ([1.0, 0.5], False, "2 of 2 inside intervals"),
    ],
)
def test_a_true_value_is_far_where_chance_would_not_bring_the_furthest_of_so_many(z, far, words):
    """The normal quantiles of 1 - 0.025 / n: 1.96, 2.39 and 3.02 of 1, 3 and 20 values."""
    rows = pd.DataFrame({"z": z, "covered": [abs(each) < 1.6 for each in z]})
    rows["named"] = [f"effect {i}" for i in range(len(z))]
    found = recovery.Recovered(SimpleNamespace(failed=False), rows, Table((), []))
    assert model_checks._recovery(found) == Cell("warn" if far else "pass", words)


@pytest.mark.parametrize(
    ("dims", "by", "alone"),
    [
        ({"lam": ("location",)}, None, True),
        ({"lam": ("location",), "mu": ()}, None, False),
        ({"lam": ("cookie",)}, None, False),
        ({}, None, False),
        ({}, "location", True),
    ],
)
def test_a_model_with_parameters_of_members_alone_predicts_a_new_one_from_its_prior(monkeypatch, dims, by, alone):
    sites = {name: xr.DataArray(np.zeros([2] * len(own)), dims=own) for name, own in dims.items()}
    sites["mean"] = xr.DataArray(0.0, attrs={"site": "deterministic"})
    monkeypatch.setattr(fit_view, "sites", lambda results, entry: sites)
    results = SimpleNamespace(config={"models": {"one": {"by": by}}})
    assert fit_view.prior_alone(results, "one", "location") == alone


def test_labels_count_the_separate_fits_that_failed():
    points = [{"verdict": "fail"}, {"verdict": "pass"}, {"verdict": "pass"}]
    checks = {"one": {"verdict": "fail", "points": points}, "all": {"verdict": "fail"}, "good": {"verdict": "pass"}}
    results = SimpleNamespace(
        label=str, check=checks.get, config={"models": {"one": {"by": "county"}, "all": {}, "good": {}}}
    )
    assert [_style.label(results, entry) for entry in checks] == ["one (1 failed)", "all (failed)", "good"]


@pytest.mark.parametrize(
    ("tone", "role"),
    [("clear", "best"), ("tie", "best"), ("doubt", "highest score, not settled"), ("fail", "only one scored")],
)
def test_a_model_is_called_best_only_where_that_is_settled(tone, role):
    fit = SimpleNamespace(entry="one", failed=False, expected=None)
    row = SimpleNamespace(entry="one", ranked=True, standing="best")
    compared = SimpleNamespace(rows=[row], conclusion=SimpleNamespace(tone=tone))
    assert model_checks._role(fit, [compared]) == role
