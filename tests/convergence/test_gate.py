"""The gate compares verdicts with what is expected, and says what was tried."""

import pytest

from tadpool.convergence import gate
from tadpool.errors import UserError


def report(verdict, entry="a"):
    return {
        "study": "s",
        "entry": entry,
        "verdict": verdict,
        "reasons": [{"severity": "fail", "code": "rhat", "values": {"value": 2.0, "limit": 1.05}, "site": "mu"}],
        "diagnostics": {"rhat_max": 2.0},
    }


def test_the_gate_lets_pass_what_is_expected():
    assert gate.compare([report("pass"), report("warn", "b")], {}) == {"s/a": "pass", "s/b": "warn"}
    assert gate.compare([report("fail")], {"s/a": {"verdict": "fail", "because": "a funnel"}}) == {"s/a": "fail"}


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        ("fail", {}, ["results/s/a failed", "R-hat of mu is 2.000, above 1.05: the chains disagree.", "Draw more"]),
        ("fail", {"s/a": {"verdict": "warn"}}, ["is fail", "expects warn"]),
        ("pass", {"s/a": {"verdict": "fail"}}, ["is pass", "expects fail"]),
    ],
)
def test_the_gate_stops_what_is_worse_or_no_longer_true(found, expected, words):
    with pytest.raises(UserError) as caught:
        gate.compare([report(found)], expected)
    for word in words:
        assert word in str(caught.value)


def test_the_gate_stops_predictions_without_numbers():
    others = {"results/s/a/predictions.nc": "has no numbers: row 1 does not say eggs"}
    with pytest.raises(UserError) as caught:
        gate.compare([report("warn"), report("fail", "b")], {"s/b": {"verdict": "fail"}}, others)
    assert str(caught.value) == "results/s/a/predictions.nc has no numbers: row 1 does not say eggs"


def test_in_a_quick_look_only_fits_without_numbers_are_stopped():
    assert gate.compare([report("fail")], {"s/a": {"verdict": "pass"}}, quick=True) == {"s/a": "fail"}
    crashed = {**report("fail", "b"), "diagnostics": {}}
    with pytest.raises(UserError) as caught:
        gate.compare([report("fail"), crashed], {}, quick=True)
    assert str(caught.value).startswith("results/s/b failed")


def attempt(remedy, **settings):
    used = {"draws": 100, "warmup": 100, "target_accept": 0.8, "reparametrized": []} | settings
    return {"attempt": 0, "remedy": remedy, "settings": used}


def test_the_gate_says_what_was_tried():
    tried = [attempt(""), attempt("draws", draws=200), attempt("draws", draws=400)]
    with pytest.raises(UserError) as caught:
        gate.compare([{**report("fail"), "attempts": tried}], {})
    assert str(caught.value) == (
        "results/s/a failed: R-hat of mu is 2.000, above 1.05: the chains disagree. Tried without success: 200 draws per "
        "chain; 400 draws per chain. "
        "Reparametrize the model, or look for separate modes."
    )
    last = attempt("reparametrize", reparametrized=["theta"])
    with pytest.raises(UserError) as caught:
        gate.compare([{**report("fail"), "attempts": [*tried, last]}], {})
    assert str(caught.value).endswith("reparametrized theta. Fix the model or its data.")
