"""Verdicts on draws whose defects are known."""

import json

import numpy as np
import pytest
import xarray as xr

from tadpool import checks
from tadpool.errors import UserError

CHAINS, DRAWS = 4, 1000


def fit(change=lambda draws: draws, **stats):
    """A fit of independent normal draws, changed."""
    rng = np.random.default_rng(20)
    draws = change(rng.normal(size=(CHAINS, DRAWS)))
    values = {
        "energy": rng.normal(size=draws.shape),
        "lp": rng.normal(size=draws.shape),
        "diverging": np.zeros(draws.shape, bool),
        "reached_max_treedepth": np.zeros(draws.shape, bool),
        "acceptance_rate": np.full(draws.shape, 0.8),
        "n_steps": np.full(draws.shape, 7),
        **stats,
    }
    dims = ("chain", "draw")
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"theta": (dims, draws, {"site": "latent"})}),
            "sample_stats": xr.Dataset({name: (dims, value) for name, value in values.items()}),
        }
    )
    tree.attrs.update(status="ok", reason="", attempts="[]")
    return tree


def statistics(report):
    return {(reason["severity"], reason["statistic"]) for reason in report["reasons"]}


def shifted(by):
    return lambda draws: draws + by * np.arange(len(draws))[:, None]


def autocorrelated(draws):
    out = draws.copy()
    for i in range(1, out.shape[1]):
        out[:, i] = 0.99 * out[:, i - 1] + draws[:, i]
    return out


def with_value(value):
    def change(draws):
        draws[2, 500] = value
        return draws

    return change


def test_independent_draws_pass():
    report = checks.check(fit())
    assert report["verdict"] == "pass", report["reasons"]
    (row,) = report["parameters"]
    assert row["rhat"] < 1.01
    assert row["ess_bulk"] > 3000
    assert row["mcse_mean"] == pytest.approx(1 / np.sqrt(CHAINS * DRAWS), rel=0.1)


@pytest.mark.parametrize(
    ("change", "severity", "statistic"),
    [
        (shifted(1.0), "fail", "rhat"),
        (shifted(0.17), "warn", "rhat"),
        (autocorrelated, "fail", "rhat"),
        (with_value(np.nan), "fail", "finite"),
        (with_value(np.inf), "fail", "finite"),
        (lambda draws: draws * 0.0, "fail", "constant"),
        (lambda draws: np.broadcast_to(draws[:1], draws.shape).copy(), "fail", "chains"),
        (lambda draws: np.vstack([draws[:3], np.full((1, DRAWS), draws[0, 0])]), "fail", "rhat"),
        (lambda draws: np.vstack([draws[:2] - 10, draws[2:] + 10]), "fail", "rhat"),
    ],
)
def test_a_defect_of_the_draws_gets_its_reason(change, severity, statistic):
    report = checks.check(fit(change))
    assert (severity, statistic) in statistics(report)
    assert report["verdict"] == severity
    json.dumps(report, allow_nan=False)


@pytest.mark.parametrize(
    ("stats", "severity", "statistic"),
    [
        ({"diverging": 1}, "warn", "diverging"),
        ({"diverging": 100}, "fail", "diverging"),
        ({"reached_max_treedepth": 100}, "warn", "tree_depth"),
    ],
)
def test_marked_transitions_get_their_reason(stats, severity, statistic):
    ((name, count),) = stats.items()
    marks = np.zeros(CHAINS * DRAWS, bool)
    marks[:count] = True
    assert (severity, statistic) in statistics(checks.check(fit(**{name: marks.reshape(CHAINS, DRAWS)})))


def test_slow_energies_and_missing_statistics():
    walk = np.cumsum(np.random.default_rng(3).normal(size=(CHAINS, DRAWS)), axis=1)
    assert ("fail", "bfmi") in statistics(checks.check(fit(energy=walk)))
    nothing = np.full((CHAINS, DRAWS), np.nan)
    assert ("fail", "bfmi") in statistics(checks.check(fit(energy=nothing)))
    assert ("fail", "acceptance_rate") in statistics(checks.check(fit(acceptance_rate=nothing)))


def test_one_chain_fails():
    tree = fit()
    alone = xr.DataTree.from_dict({name: tree[name].to_dataset().isel(chain=[0]) for name in tree.children})
    alone.attrs.update(tree.attrs)
    assert ("fail", "chains") in statistics(checks.check(alone))


def test_a_deterministic_site_may_be_constant():
    tree = fit(lambda draws: draws * 0.0)
    tree["posterior"]["theta"].attrs["site"] = "deterministic"
    assert checks.check(tree)["verdict"] == "pass"


@pytest.mark.parametrize("status", ["failed", "crashed"])
def test_a_fit_without_numbers_fails(status):
    tree = fit()
    tree.attrs.update(status=status, reason="out of memory")
    report = checks.check(tree)
    assert report["verdict"] == "fail"
    assert "out of memory" in report["reasons"][0]["sentence"]


def test_a_sweep_has_a_verdict_for_every_point():
    points = [fit(), fit(shifted(1.0))]
    groups = {
        name: xr.concat([p[name].to_dataset() for p in points], dim="sigma").assign_coords(sigma=[0.5, 2.0])
        for name in ("posterior", "sample_stats")
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs.update(status="ok", reason="")
    report = checks.check_points(tree, "sigma")
    assert [(point["sigma"], point["verdict"]) for point in report["points"]] == [(0.5, "pass"), (2.0, "fail")]
    assert report["verdict"] == "fail"


def report(verdict, entry="a"):
    return {
        "study": "s",
        "entry": entry,
        "verdict": verdict,
        "reasons": [{"sentence": "R-hat is 2.", "statistic": "rhat"}],
    }


def test_the_gate_lets_pass_what_is_expected():
    assert checks.gate([report("pass"), report("warn", "b")], {}) == {"s/a": "pass", "s/b": "warn"}
    assert checks.gate([report("fail")], {"s/a": {"verdict": "fail", "because": "a funnel"}}) == {"s/a": "fail"}


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        ("fail", {}, ["results/s/a failed", "R-hat is 2.", "Draw more"]),
        ("fail", {"s/a": {"verdict": "warn"}}, ["is fail", "expects warn"]),
        ("pass", {"s/a": {"verdict": "fail"}}, ["is pass", "expects fail"]),
    ],
)
def test_the_gate_stops_what_is_worse_or_no_longer_true(found, expected, words):
    with pytest.raises(UserError) as caught:
        checks.gate([report(found)], expected)
    for word in words:
        assert word in str(caught.value)


def test_the_gate_stops_predictions_without_numbers():
    others = {"results/s/a/predictions.nc": "row 1 does not say eggs", "results/s/b/loo.nc": "its fit failed"}
    with pytest.raises(UserError) as caught:
        checks.gate([report("warn"), report("fail", "b")], {"s/b": {"verdict": "fail"}}, others)
    assert str(caught.value) == "results/s/a/predictions.nc has no numbers: row 1 does not say eggs"
