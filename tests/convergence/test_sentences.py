"""Findings in words: each code has a sentence, and rewording one runs no fit and no check again."""

from dataclasses import replace

import pytest

from tadpool import ROOT
from tadpool.convergence import diagnostics, sentences
from tadpool.convergence.diagnostics import DIAGNOSTICS, Diagnostic, Limits
from tadpool.files import provenance

CHAINS = {"chains": 4, "transitions": 4000}
THETA = {"site": "theta", "labels": ["a", "2"]}
FOUND = {
    "rhat": ({"value": 1.3, "limit": 1.05, **CHAINS}, THETA, "R-hat of theta[a, 2] is 1.300, above 1.05: the chains disagree."),
    "ess_bulk": (
        {"value": 80.4, "limit": 25, **CHAINS}, THETA,
        "Bulk ESS of theta[a, 2] is 80, below 100 (25 for each of 4 chains).",
    ),
    "ess_tail": (
        {"value": 80.4, "limit": 25, **CHAINS}, {"site": "mu", "labels": []},
        "Tail ESS of mu is 80, below 100 (25 for each of 4 chains).",
    ),
    "diverging": ({"value": 30, "limit": 0.005, **CHAINS}, {}, "30 of 4000 transitions diverged."),
    "tree_depth": (
        {"value": 400, "limit": 0.01, **CHAINS}, {}, "10% of trajectories reached the maximum tree depth.",
    ),
    "bfmi": (
        {"value": 0.07, "limit": 0.1, "bfmi_low": 2, **CHAINS}, {},
        "E-BFMI is low in 2 of 4 chains; the smallest is 0.07, below 0.1: the sampler explores heavy tails slowly.",
    ),
    "acceptance_rate": (
        {"value": 0.6, "target": 0.8}, {},
        "The acceptance rate of a chain is 0.60, well below its target of 0.8: use a longer warm-up.",
    ),
    "modes": (
        {"parameters": ["a", "b", "c"], "count": 5}, {},
        "The chains settled in separate modes of a, b, c and 2 more, and each chain mixes well within its mode. No remedy "
        "is tried, because another seed would only hide a mode: look at the model's symmetries.",
    ),
    "finite": ({}, THETA, "theta[a, 2] has draws that are not finite."),
    "constant": ({"stuck": 4, "chains": 4}, THETA, "All draws of theta[a, 2] are identical (stuck chains)."),
    "identical_chains": ({}, THETA, "All chains of theta[a, 2] are identical."),
    "one_chain": ({}, {}, "Convergence cannot be checked with a single chain."),
    "missing": ({}, THETA, "R-hat or the effective sample size of theta[a, 2] cannot be computed."),
    "status": ({"status": "failed", "reason": "no start"}, {}, "Sampling failed: no start."),
    "thresholds": (
        {"loosened": {"rhat_fail": 1.2}}, {},
        "The fit was judged with custom thresholds that are looser than the defaults: `rhat_fail` is 1.2 (default 1.05).",
    ),
    "points": (
        {"axes": ["sigma"], "places": [["0.1"], ["0.2"]], "count": 2, "of": 9, "verdict": "warn"}, {},
        "2 of 9 fits by sigma warn: 0.1, 0.2.",
    ),
}  # fmt: skip


def finding(code, severity="fail"):
    values, place, _ = FOUND[code]
    return {"severity": severity, "code": code, "values": values, **place}


def test_every_finding_has_a_sentence():
    assert {each.code for each in DIAGNOSTICS if not each.limits} <= set(sentences.SENTENCES)
    assert all(each.label for each in DIAGNOSTICS if each.limits)


@pytest.mark.parametrize("code", FOUND)
def test_sentences_of_findings(code):
    assert sentences.sentence(finding(code)) == FOUND[code][-1]


def test_a_warning_about_r_hat_asks_for_draws():
    assert sentences.sentence(finding("rhat", "warn")).endswith("above 1.05: draw more.")


@pytest.mark.parametrize("code", ["ess_bulk", "bfmi", "acceptance_rate"])
def test_a_value_that_is_missing_cannot_be_computed(code):
    nothing = finding(code)
    nothing["values"] = {**nothing["values"], "value": None}
    assert "cannot be computed" in sentences.sentence(nothing)


def test_a_new_diagnostic_needs_no_sentence_of_its_own(monkeypatch):
    limits = Limits("wobble", "Wobble", False, 5.0, 20.0, {"ge": 0}, {"warn": 10, "fail": 50})
    wobble = Diagnostic("wobble", "Wobble", decimals=0, limits=limits, remedies=("draws", "reparametrize"))
    monkeypatch.setitem(diagnostics.BY_CODE, "wobble", wobble)
    found = {"code": "wobble", "severity": "fail", "values": {"value": 31.0, "limit": 20.0}, **THETA}
    assert diagnostics.judge("wobble", 31.0) == ("fail", 20.0)
    assert sentences.sentence(found) == "Wobble of theta[a, 2] is 31, above 20."
    assert sentences.kind(found) == "Wobble above 20"
    assert sentences.advice(found, []) == "Draw more."


ATTEMPTS = [
    {"remedy": "", "settings": {"reparametrized": []}},
    {"remedy": "draws", "settings": {"draws": 200, "reparametrized": []}},
]


@pytest.mark.parametrize(
    ("code", "first", "then"),
    [
        ("rhat", "Draw more, or look for separate modes.", "Reparametrize the model, or look for separate modes."),
        ("ess_tail", "Draw more.", "Reparametrize the model."),
        ("diverging", "Raise target_accept, or reparametrize the model.", "Reparametrize the model."),
        ("bfmi", "Reparametrize the model.", "Reparametrize the model."),
        ("finite", "Fix the model or its data.", "Fix the model or its data."),
        ("points", "Look at the points that failed.", "Look at the points that failed."),
        ("modes", "", ""),
    ],
)
def test_advice_follows_from_the_remedies_and_from_what_was_tried(code, first, then):
    assert sentences.advice(finding(code), []) == first
    assert sentences.advice(finding(code), ATTEMPTS) == then


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("diverging", "Share of divergent transitions above 0.5 %"),
        ("rhat", "R-hat above 1.05"),
        ("ess_bulk", "Bulk ESS below 25 for each chain"),
        ("bfmi", "E-BFMI below 0.1"),
        ("status", "Sampling failed: no start."),
    ],
)
def test_findings_of_one_kind_are_counted_without_their_numbers(code, words):
    assert sentences.kind(finding(code)) == words


JUDGES = ("fit", "check", "calibrate", "recover", "cross_validate")


@pytest.mark.parametrize("script", JUDGES)
def test_rewording_runs_no_fit_and_no_check_again(script):
    files = provenance.closure(ROOT / "scripts" / f"{script}.py")
    assert not {"sentences.py", "gate.py", "formatting.py"} & {path.name for path in files}


def test_the_gate_and_the_pages_make_sentences():
    for script in ("gate", "render_report", "render_index"):
        assert "sentences.py" in {path.name for path in provenance.closure(ROOT / "scripts" / f"{script}.py")}


def test_a_missing_value_fails_and_a_failure_comes_before_a_warning():
    assert diagnostics.judge("rhat", None) == ("fail", 1.05)
    assert diagnostics.judge("bfmi", float("nan")) == ("fail", 0.1)
    assert diagnostics.judge("ess_bulk", 150.0, {"ess_fail": 50.0}, {"chains": 4}) == ("fail", 50.0)
    assert diagnostics.judge("ess_bulk", 250.0, {"ess_fail": 50.0}, {"chains": 4}) == ("warn", 100)
    assert diagnostics.judge("diverging", 1, scales={"transitions": 4000}) == ("warn", 0.0)
    assert diagnostics.judge("diverging", 0, scales={"transitions": 4000}) is None
    tree_depth = diagnostics.BY_CODE["tree_depth"]
    assert diagnostics.judge("tree_depth", 4000, scales={"transitions": 4000}) == ("warn", tree_depth.limits.warn)


def test_limits_that_are_fixed_are_no_config_keys():
    diverging = diagnostics.LIMITS["diverging"]
    assert diverging.keys == {"fail": "diverging_fail"}
    assert replace(diverging, fixed=()).keys == {"warn": "diverging_warn", "fail": "diverging_fail"}


@pytest.mark.parametrize(
    ("rhat", "shown"), [(1.0103, "1.0103"), (1.01000004, "1.01000004"), (1.0127, "1.013"), (1.3, "1.300")]
)
def test_a_value_beyond_a_limit_is_not_rounded_to_it(rhat, shown):
    values = {"value": rhat, "limit": 1.01, **CHAINS}
    said = sentences.sentence({"code": "rhat", "severity": "warn", "values": values, "site": "mu", "labels": []})
    assert said.startswith(f"R-hat of mu is {shown}, above 1.01")
