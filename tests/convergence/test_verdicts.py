"""Verdicts on draws whose defects are known."""

import json

import numpy as np
import pytest
import xarray as xr

from tadpool.convergence import verdicts
from tadpool.convergence.sentences import sentence

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


def codes(report):
    return {(reason["severity"], reason["code"]) for reason in report["reasons"]}


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
    report = verdicts.check(fit())
    assert report["verdict"] == "pass", report["reasons"]
    (row,) = report["parameters"]
    assert row["rhat"] < 1.01
    assert row["ess_bulk"] > 3000
    assert row["mcse_mean"] == pytest.approx(1 / np.sqrt(CHAINS * DRAWS), rel=0.1)


@pytest.mark.parametrize(
    ("change", "severity", "code"),
    [
        (shifted(1.0), "fail", "rhat"),
        (shifted(0.17), "warn", "rhat"),
        (autocorrelated, "fail", "rhat"),
        (with_value(np.nan), "fail", "finite"),
        (with_value(np.inf), "fail", "finite"),
        (lambda draws: draws * 0.0, "fail", "constant"),
        (lambda draws: np.broadcast_to(draws[:1], draws.shape).copy(), "fail", "identical_chains"),
        (lambda draws: np.vstack([draws[:3], np.full((1, DRAWS), draws[0, 0])]), "fail", "rhat"),
        (lambda draws: np.vstack([draws[:2] - 10, draws[2:] + 10]), "fail", "rhat"),
    ],
)
def test_a_defect_of_the_draws_gets_its_reason(change, severity, code):
    report = verdicts.check(fit(change))
    assert (severity, code) in codes(report)
    assert report["verdict"] == severity
    json.dumps(report, allow_nan=False)


@pytest.mark.parametrize(
    ("stats", "severity", "code"),
    [
        ({"diverging": 1}, "warn", "diverging"),
        ({"diverging": 100}, "fail", "diverging"),
        ({"reached_max_treedepth": 100}, "warn", "tree_depth"),
    ],
)
def test_marked_transitions_get_their_reason(stats, severity, code):
    ((name, count),) = stats.items()
    marks = np.zeros(CHAINS * DRAWS, bool)
    marks[:count] = True
    assert (severity, code) in codes(verdicts.check(fit(**{name: marks.reshape(CHAINS, DRAWS)})))


def test_slow_energies_and_missing_codes():
    walk = np.cumsum(np.random.default_rng(3).normal(size=(CHAINS, DRAWS)), axis=1)
    assert ("fail", "bfmi") in codes(verdicts.check(fit(energy=walk)))
    nothing = np.full((CHAINS, DRAWS), np.nan)
    assert ("fail", "bfmi") in codes(verdicts.check(fit(energy=nothing)))
    assert ("fail", "acceptance_rate") in codes(verdicts.check(fit(acceptance_rate=nothing)))


def test_chains_in_separate_modes_are_told_apart_from_slow_ones():
    """Chains of a random walk disagree as much, but none of them is mixed in itself."""
    modes = verdicts.check(fit(lambda draws: np.vstack([draws[:2] - 10, draws[2:] + 10])))
    assert modes["reasons"][0]["code"] == "modes"
    words = sentence(modes["reasons"][0])
    assert "separate modes of theta" in words
    assert "another seed would only hide a mode" in words
    for change in (lambda draws: np.cumsum(draws, axis=1), autocorrelated):
        report = verdicts.check(fit(change))
        assert ("fail", "rhat") in codes(report)
        assert ("fail", "modes") not in codes(report)


def test_chains_that_are_on_their_way_have_no_modes_although_a_few_parameters_look_so():
    """One of ten parameters is mixed within each chain, nine drift; and the other way round."""
    rng, trend = np.random.default_rng(6), np.linspace(0, 8, DRAWS)
    for drifting, found in ((9, False), (1, True)):
        draws = rng.normal(size=(CHAINS, DRAWS, 10))
        draws[0] += 5
        draws[0, :, :drifting] += trend[:, None]
        tree = fit()
        tree["posterior"] = xr.DataTree(xr.Dataset({"theta": (("chain", "draw", "part"), draws, {"site": "latent"})}))
        report = verdicts.check(tree)
        assert ("fail", "rhat") in codes(report)
        assert (("fail", "modes") in codes(report)) == found


@pytest.mark.parametrize("change", [autocorrelated, shifted(0.2)])
def test_a_verdict_does_not_depend_on_units(change):
    """Statistics of draws in other units are the same, or the same in those units."""
    one = verdicts.check(fit(lambda draws: 5 + change(draws)))
    for factor in (1e-30, 1e-12, 3e4, 1e12):
        other = verdicts.check(fit(lambda draws, factor=factor: factor * (5 + change(draws))))
        assert codes(one) == codes(other)
        for name, value in one["parameters"][0].items():
            if isinstance(value, float):
                unit = 1.0 if name in ("rhat", "ess_bulk", "ess_tail") else factor
                assert other["parameters"][0][name] / unit == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize(("factor", "named"), [(1.0, False), (5e6, True), (1e-9, True)])
def test_chains_apart_in_a_parameter_far_from_one_are_told_of_its_scale(factor, named):
    (found,) = [
        reason for reason in verdicts.check(fit(lambda draws: factor * (shifted(20.0)(draws) + 10)))["reasons"]
        if reason["code"] == "modes"
    ]  # fmt: skip
    assert ("theta has values near" in sentence(found)) == named
    assert ("the model's symmetries" in sentence(found)) != named


def test_one_chain_that_jumps_once_is_not_mixed():
    jump = np.repeat([-10.0, 10.0], DRAWS // 2)
    assert ("fail", "modes") not in codes(verdicts.check(fit(lambda draws: np.vstack([draws[:3], jump]))))


def test_a_stuck_chain_among_others_is_named():
    report = verdicts.check(fit(lambda draws: np.vstack([draws[:3], np.full((1, DRAWS), draws[0, 0])])))
    words = "1 of 4 chains of theta is stuck: all draws of such a chain are identical."
    assert words in map(sentence, report["reasons"])


@pytest.mark.parametrize(("rate", "target", "warns"), [(0.8, 0.8, False), (0.6, 0.8, True), (0.84, 0.95, True)])
def test_the_acceptance_rate_of_every_chain_is_held_against_its_target(rate, target, warns):
    rates = np.full((CHAINS, DRAWS), target)
    rates[2] = rate
    tree = fit(acceptance_rate=rates)
    tree.attrs["attempts"] = json.dumps([{"settings": {"target_accept": 0.1}}, {"settings": {"target_accept": target}}])
    assert (("warn", "acceptance_rate") in codes(verdicts.check(tree))) is warns


def test_slow_energies_of_one_chain_are_enough():
    energy = np.random.default_rng(3).normal(size=(CHAINS, DRAWS))
    energy[1] = np.cumsum(energy[1])
    (reason,) = [r for r in verdicts.check(fit(energy=energy))["reasons"] if r["code"] == "bfmi"]
    assert "in 1 of 4 chains" in sentence(reason)


def test_one_chain_fails():
    tree = fit()
    alone = xr.DataTree.from_dict({name: tree[name].to_dataset().isel(chain=[0]) for name in tree.children})
    alone.attrs.update(tree.attrs)
    assert ("fail", "one_chain") in codes(verdicts.check(alone))


def test_a_deterministic_site_may_be_constant():
    tree = fit(lambda draws: draws * 0.0)
    tree["posterior"]["theta"].attrs["site"] = "deterministic"
    assert verdicts.check(tree)["verdict"] == "pass"


@pytest.mark.parametrize("status", ["failed", "crashed"])
def test_a_fit_without_numbers_fails(status):
    tree = fit()
    tree.attrs.update(status=status, reason="out of memory")
    report = verdicts.check(tree)
    assert report["verdict"] == "fail"
    assert "out of memory" in sentence(report["reasons"][0])


def test_a_sweep_has_a_verdict_for_every_point():
    points = [fit(), fit(shifted(1.0))]
    groups = {
        name: xr.concat([p[name].to_dataset() for p in points], dim="sigma").assign_coords(sigma=[0.5, 2.0])
        for name in ("posterior", "sample_stats")
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs.update(status="ok", reason="")
    report = verdicts.check_points(tree, "sigma")
    assert [(point["sigma"], point["verdict"]) for point in report["points"]] == [(0.5, "pass"), (2.0, "fail")]
    assert report["verdict"] == "fail"


LOOSENED = (
    "The fit was judged with custom thresholds that are looser than the defaults: `diverging_fail` is 0.1 "
    "(default 0.005)."
)


def test_a_loosened_threshold_is_said_and_never_passes():
    diverging = np.arange(CHAINS * DRAWS).reshape(CHAINS, DRAWS) < 100
    assert verdicts.check(fit(diverging=diverging))["verdict"] == "fail"
    report = verdicts.check(fit(diverging=diverging), {"diverging_fail": 0.1})
    assert report["verdict"] == "warn"
    assert report["thresholds"] == {"diverging_fail": 0.1}
    (found,) = [reason for reason in report["reasons"] if reason["code"] == "thresholds"]
    assert (found["severity"], sentence(found)) == ("warn", LOOSENED)
    healthy = verdicts.check(fit(), {"diverging_fail": 0.1})
    assert list(map(sentence, healthy["reasons"])) == [LOOSENED]
    assert healthy["verdict"] == "warn"


@pytest.mark.parametrize(
    ("own", "change", "stats", "expected"),
    [
        ({"rhat_warn": 1.0001}, shifted(0.05), {}, ("warn", "rhat")),
        ({"ess_warn": 2000}, shifted(0.0), {}, ("warn", "ess_bulk")),
        ({"ess_warn": 2000, "ess_fail": 2000}, shifted(0.0), {}, ("fail", "ess_bulk")),
        ({"ess_fail": 2000}, shifted(0.0), {}, ("fail", "ess_bulk")),
        ({"bfmi_fail": 3.0}, shifted(0.0), {}, ("fail", "bfmi")),
        ({"rhat_fail": 1.0001}, shifted(0.05), {}, ("fail", "rhat")),
        ({"diverging_fail": 0.0}, shifted(0.0), {"diverging": 1}, ("fail", "diverging")),
        ({"tree_depth_warn": 0.0}, shifted(0.0), {"reached_max_treedepth": 1}, ("warn", "tree_depth")),
        ({"bfmi_warn": 3.0}, shifted(0.0), {}, ("warn", "bfmi")),
        ({"bfmi_warn": 3.0, "bfmi_fail": 3.0}, shifted(0.0), {}, ("fail", "bfmi")),
    ],
)
def test_a_tightened_threshold_decides_and_needs_no_word(own, change, stats, expected):
    """The E-BFMI of independent energies is about 2."""
    marks = {name: np.arange(CHAINS * DRAWS).reshape(CHAINS, DRAWS) < count for name, count in stats.items()}
    report = verdicts.check(fit(change, **marks), own)
    assert report["thresholds"] == own
    assert "thresholds" not in {reason["code"] for reason in report["reasons"]}
    assert expected in codes(report)


def test_points_are_judged_by_thresholds_of_their_own():
    tree = xr.DataTree.from_dict(
        {name: group.to_dataset().expand_dims(sigma=[1.0, 2.0]) for name, group in fit().children.items()}
    )
    tree.attrs.update(status="ok", reason="", attempts="[]")
    assert verdicts.check_points(tree, "sigma")["verdict"] == "pass"
    report = verdicts.check_points(tree, "sigma", own={"rhat_fail": 10.0})
    assert report["verdict"] == "warn"
    assert report["thresholds"] == {"rhat_fail": 10.0}
