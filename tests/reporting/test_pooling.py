"""How much to pool: what the page answers for old groups and for new ones, from made results."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tadpool import config
from tadpool.config.ladder import entries
from tadpool.config.schema.answers import Answer
from tadpool.convergence import verdicts as checks
from tadpool.files import contracts, io
from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING
from tadpool.loading import remarks
from tadpool.modelling.design import Design, Predictor
from tadpool.reporting import fit_view
from tadpool.reporting.pages.study import headline
from tadpool.reporting.sections import overview, sensitivity
from tadpool.reporting.sections import predictions as predicted
from tadpool.reporting.sections.conclusions import comparisons
from tadpool.reporting.sections.pooling import pooling
from tadpool.reporting.sections.pooling_amounts import Amounts
from tadpool.reporting.sections.pooling_own_data import own_data
from tests.made.page import render, section
from tests.made.results import PROVENANCE, compared, fit, loo, sensitive, write_plugins
from tests.made.tables import texts

GROUPS = list("abcd")
ERRORS, SPREAD, MEAN = np.array([0.5, 1.0, 2.0, 4.0]), 2.0, 10.0
FACTS = {"outcome": {"location": MEAN, "scale": 1e5}, "predictors": {}, "levels": 0, "means": []}
EFFECT = {"groups": 4, "between": 4.0, "within": 1.0, "reliability": 0.8, "centred": True}
AHEAD, TIE, BEHIND = (0.0, 0.0, False), (-1.0, 2.0, True), (-30.0, 3.0, False)


def made(
    folder,
    unit="row",
    failed=(),
    old=None,
    new=None,
    doubtful=0,
    family="normal",
    rungs=("pooled", "unpooled", "partial"),
    told=True,
    predictions=False,
    table=None,
    asked=None,
):
    """Results of rungs. failed: entries whose chains disagree. old, new: entry -> difference,
    error, whether a tie.

    told: whether the errors of rows that are groups are known. predictions: of a new group, by
    partial pooling. table: how a described table was read. asked: a column that may be trials of y.
    """
    write_plugins(folder)
    old = old or {"partial": AHEAD, "unpooled": TIE, "pooled": BEHIND}
    target = {} if unit == "group" else {"old_groups": {"entries": list(old)}}
    target["new_groups"] = {"entries": list(new or old), "target": "unit" if unit == "group" else "group"}
    study = {
        "title": "Groups", "question": "How much?", "dataset": "tinydata", "outcomes": ["y"], "unit": unit, "groups": ["group"],
        "models": {rung: {"model": rung} for rung in rungs},
        "design": {"family": family, **({"standard_error": "s"} if unit == "group" and told else {})},
        "comparisons": target if len(rungs) > 1 else {},
        "predictions": {"partial": {"group": "group"}} if predictions else {},
    }  # fmt: skip
    complete, problems = entries.completed(config.Study(**study))
    assert problems == []
    results = StudyResults("groups", complete.model_dump(by_alias=True), folder / "results" / "groups")
    size, labels = (4, GROUPS) if unit == "group" else (12, range(12))
    outcome = np.arange(float(size)) if family == "normal" else np.arange(size) % 2
    observed = xr.Dataset({"y": (unit, outcome, {"units": "mm"})}, coords={unit: labels})
    rest = {"s": ("group", ERRORS)} if unit == "group" else {"group_index": ("row", np.arange(12) % 4)}
    constant = xr.Dataset(rest, coords={"group": GROUPS})
    data = xr.DataTree.from_dict({"observed_data": observed, "constant_data": constant})
    data.attrs |= {"provenance": PROVENANCE, **({"table": json.dumps(table)} if table else {})}
    possible = [remarks.Remark("possible_trials", {"outcome": "y", "column": asked})] if asked else []
    data.attrs |= remarks.written(possible)
    io.write(results.folder / "data.nc", data, contracts.DATA)
    verdicts = {rung: write_fit(results, rung, rung in failed) for rung in results.entries}
    for name, standing in (("old_groups", old), ("new_groups", new or old)):
        if len(rungs) < 2:
            break
        frame = compared(list(standing), {e: (-50.0 + d[0], *d) for e, d in standing.items()}, verdicts, doubtful)
        io.write_csv(results.folder / "comparisons" / f"{name}.csv", frame)
    if predictions:
        io.write(results.folder / "partial/predictions.nc", new_member(), contracts.PREDICTIONS)
    io.write_json(results.folder / "figures/figures.json", [])
    return results


def new_member():
    """Predictions of a new group: its effect has mean 1 and standard deviation 2, a single outcome
    3."""
    scores = np.random.default_rng(3).normal(size=(2, 2, 500, 1))
    effect, outcome = (scores - scores.mean((1, 2), keepdims=True)) / scores.std((1, 2), keepdims=True)
    dims = ("chain", "draw")
    drawn = {"alpha_group": ((*dims, "group"), 1 + 2 * effect), "y": ((*dims, "row"), 1 + 3 * outcome)}
    tree = xr.DataTree.from_dict({"predictions": xr.Dataset(drawn, coords={"group": ["new group"], "row": [1]})})
    tree.attrs.update(provenance=PROVENANCE, status="ok", reason="")
    return tree


def write_fit(results, rung, failed):
    """A fit whose draws have exactly the moments that the answers are computed from."""
    tree, contract = fit(np.random.default_rng(1), "stuck" if failed else "ok")
    size = tree["posterior"].sizes
    scores = np.random.default_rng(2).normal(size=(size["chain"], size["draw"], 4))
    scores = (scores - scores.mean((0, 1))) / scores.std((0, 1))
    stuck = 100.0 * np.arange(size["chain"])[:, None] if failed else 0.0
    sample = ("chain", "draw")
    small = 0.01 * scores[..., 0]
    posterior = {"alpha": (sample, MEAN + small + stuck), "alpha_group": ((*sample, "group"), MEAN + scores * ERRORS)}
    if rung == "partial":
        posterior |= {"sigma_group": (sample, SPREAD + small), "sigma": (sample, SPREAD + small)}
    tree["posterior"] = xr.Dataset(posterior, coords={"group": GROUPS})
    tree.attrs["facts"] = json.dumps(FACTS | {"effects": {"alpha_group": EFFECT} if rung == "partial" else {}})
    io.write(results.folder / rung / "fit.nc", tree, contract)
    report = checks.check(tree)
    io.write_json(results.folder / rung / "check.json", {"study": "groups", "entry": rung, **report, "attempts": []})
    for name in ("loo", "logo_group"):
        io.write(results.folder / rung / f"{name}.nc", loo(-50.0, 0), contracts.LOO)
    return report["verdict"]


def answered(folder, **changes):
    results = made(folder, **changes)
    return pooling(results, fit_view.all_fits(results, {}))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_pull_is_that_of_the_groups_errors_and_the_spread_between_them(folder):
    """s^2 / (s^2 + sigma^2) for errors 0.5, 1, 2 and 4 and a spread of 2: 6, 20, 50 and 80 %,
    whatever the prior."""
    found = answered(folder)
    rows = texts(found.table)
    assert [row[-1] for row in rows] == ["6 %", "20 %", "50 %", "80 %"]
    assert [row[0] for row in rows] == GROUPS
    low, high = MEAN - 1.6 * ERRORS[1], MEAN + 1.6 * ERRORS[1]
    assert [float(each) for each in rows[1][4].split(" to ")] == pytest.approx([low, high], abs=0.25)
    assert found.shrinkage.startswith("Partial pooling moves the estimate of a group 35 % of the way from its own data")
    assert found.shrinkage.endswith("(median of 4 groups; range 6 % to 80 %).")
    assert found.scale == "y, mm"


def test_shrinkage_is_not_that_of_intercepts_which_coefficients_move(folder):
    """Intercepts without pooling are uncertain where predictors are 0; a group's own data are
    not. The planted slopes add 100 to the variance of each intercept, as if all were shrunk by
    70 % or more."""
    results = made(folder)
    path = results.folder / "unpooled" / "fit.nc"
    tree = io.read(path, contracts.FIT)
    sites = tree["posterior"].to_dataset()
    common, own = np.random.default_rng(5).normal(size=(2, *sites["alpha_group"].shape))
    moved = sites["alpha_group"] + 8.0 * common[..., :1] + 6.0 * own
    slopes = {"beta_x": (("chain", "draw"), common[..., 0]), "beta_z_group": (("chain", "draw", "group"), own)}
    tree["posterior"] = sites.assign(alpha_group=moved, **slopes)
    io.write(path, tree, contracts.FIT)
    fits = fit_view.all_fits(results, {})
    rungs, design = {fit.entry: fit for fit in fits}, fits[0].design
    seen = Amounts(results, rungs, replace(design, predictors=(Predictor("x", "number"), Predictor("z", "number"))))
    assert np.all(Amounts(results, rungs, design).shrinkages > 0.7)
    # By chance two slopes explain a share of s^2, which is above 2 % in exp(-10) of 1,000 draws.
    np.testing.assert_allclose(seen.shrinkages, [1 / 17, 0.20, 0.50, 0.80], atol=0.005)


def test_the_spread_has_units_and_a_share_of_the_variance(folder):
    spread, span, mean = answered(folder).differences
    assert mean.startswith("For a group at the common mean, the y is 10.000 mm (89 % interval ")
    assert span.startswith("Under partial pooling the y ranges from 10.0 mm (group ")
    assert "The standard deviation between groups is 2.000 mm (89 % interval" in spread
    assert "50 % of the variance (89 % interval 50 % to 50 %)." in spread


def test_the_spread_of_log_odds_is_told_as_a_factor_of_the_odds(folder):
    found = answered(folder, family="bernoulli")
    assert found.scale == "probability of y"
    assert "in log-odds: one standard deviation multiplies the odds by 7.39 (median, 89" in found.differences[0]


def test_the_spread_of_logs_has_no_units(folder):
    spread, span, _ = answered(folder, family="gamma").differences
    assert "is 2.000 (median, 89 % interval" in spread
    assert "in logs: one standard deviation multiplies the mean by 7.39" in spread
    assert "the mean y ranges from" in span
    assert " mm (group " in span


ADVICE = [
    ({"partial": AHEAD, "unpooled": BEHIND, "pooled": BEHIND}, "Use partial pooling."),
    (
        {"partial": AHEAD, "unpooled": TIE, "pooled": BEHIND},
        "Use partial pooling. No pooling is indistinguishable from it.",
    ),
    (
        {"partial": AHEAD, "pooled": TIE, "unpooled": BEHIND},
        "Use partial pooling. Complete pooling is indistinguishable from it.",
    ),
    ({"pooled": AHEAD, "partial": TIE, "unpooled": BEHIND}, "Use complete pooling: groups differ too little"),
    (
        {"unpooled": AHEAD, "partial": TIE, "pooled": BEHIND},
        "Use no pooling. Partial pooling is indistinguishable from it.",
    ),
    ({"unpooled": AHEAD, "partial": BEHIND, "pooled": BEHIND}, "Use no pooling."),
    (
        {"pooled": AHEAD, "unpooled": TIE, "partial": TIE},
        "The data do not show how much to pool: complete, partial and no pooling",
    ),
]


@pytest.mark.parametrize(("standing", "words"), ADVICE)
def test_the_advice_is_what_is_ahead_and_what_cannot_be_told_from_it(folder, standing, words):
    old, new = answered(folder, old=standing).answers
    assert old.about == "For the groups in the data"
    assert old.sentences[0].startswith(words)
    assert new.about == "For a new group"
    level = [entry for entry, (*_, tie) in standing.items() if tie or standing[entry] == AHEAD]
    if {"pooled", "partial"} <= set(level):
        assert new.sentences[0].startswith("Complete and partial pooling predict new groups about equally well")
        assert new.sentences[0].endswith("this does not say whether groups differ.")
        assert ("no pooling is indistinguishable from them" in new.sentences[0]) == ("unpooled" in level)
    else:
        assert new.sentences[0] == old.sentences[0]
    assert new.sentences[-1].startswith("Without pooling the data say nothing about a new group")


def test_a_tie_of_scores_that_are_far_apart_is_not_called_alike(folder):
    _, new = answered(folder, new={"partial": AHEAD, "pooled": (-28.0, 20.0, True), "unpooled": BEHIND}).answers
    assert new.sentences[0].startswith(
        "The data do not show whether complete or partial pooling predicts new groups better; this"
    )


def test_the_headline_begins_with_whether_groups_differ_and_ends_with_the_pull(folder):
    first, span, *answers, shrinkage = answered(folder).headline.sentences
    assert first.startswith("The standard deviation between groups is 2.000 mm (89 % interval ")
    assert span.startswith("Under partial pooling the y ranges from ")
    assert [words.partition(":")[0] for words in answers] == ["For the groups in the data", "For a new group"]
    assert shrinkage.startswith("Partial pooling moves the estimate of a group")


def test_a_new_group_is_told_by_its_effect_before_its_outcome(folder):
    results = made(folder, predictions=True)
    results = StudyResults(results.study, results.config | {"answers": {}}, results.folder)
    whole = pooling(results, fit_view.all_fits(results, {}))
    _, new = whole.answers
    assert new.sentences[1] in whole.headline.sentences
    assert new.sentences[1].startswith("The y of a new group is 1.0 mm (89 % interval ")
    found = predicted.prediction(results, "partial")
    assert found.sentences[0] == new.sentences[1]
    assert found.sentences[1].startswith("Mean of y predicted by partial, with 89 % intervals for single rows")
    assert [table.caption.partition(" ")[0] for table in found.tables] == ["Effects", "y,"]


def test_the_effect_of_a_new_group_is_on_the_scale_of_the_outcome(folder):
    results = made(folder, predictions=True, family="bernoulli")
    draws = 1 / (1 + np.exp(-new_member()["predictions"]["alpha_group"].values))
    (words,) = predicted.of_new_member(results, "partial")
    assert words.startswith(f"The probability of y of a new group is {draws.mean():.2f} (89 % interval ")


def test_a_new_group_on_a_log_scale_has_a_median_and_no_mean(folder):
    """The expectation of exp(alpha + sigma z) need not exist."""
    results = made(folder, predictions=True, family="poisson")
    draws = np.exp(new_member()["predictions"]["alpha_group"].values)
    found = predicted.prediction(results, "partial")
    assert f" of a new group is {np.median(draws):.1f} (median, 89 % interval " in found.sentences[0]
    assert found.sentences[1].startswith("Median of y predicted by partial")
    (row,) = found.tables[-1].rows
    assert row.mean == row.sd == MISSING
    assert row.median in found.sentences[1]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"entry": "partial", "predict": {}, "over": "new"}, False),
        ({"entry": "partial", "predict": {}, "over": "population"}, True),
        ({"entry": "pooled", "predict": {}, "over": "new"}, True),
        ({"entry": "partial", "compare": {"x": 1}, "over": "new"}, True),
    ],
)
def test_a_new_group_that_has_an_answer_is_not_told_again(folder, asked, told):
    results = made(folder, predictions=True)
    answer = Answer.model_validate({"label": "it", "group": "group", **asked}).model_dump()
    results = StudyResults(results.study, results.config | {"answers": {"own": answer}}, results.folder)
    _, new = pooling(results, fit_view.all_fits(results, {})).answers
    assert any(words.startswith("The y of a new group is 1.0 mm") for words in new.sentences) == told


@pytest.mark.parametrize(
    ("family", "predictors", "words"),
    [
        ("bernoulli", {"x": "number"}, "multiplies the odds by a factor between 1/7.1 and 7.1"),
        ("bernoulli", {}, ""),
        ("normal", {"x": "number"}, ""),
    ],
)
def test_what_the_prior_of_effects_means_as_a_factor_is_told(folder, family, predictors, words):
    results = made(folder, family=family)
    results.config["models"]["partial"]["design"]["predictors"] = predictors
    fit = next(fit for fit in fit_view.all_fits(results, {}) if fit.entry == "partial")
    assert words in fit.prior_of_effects
    assert bool(fit.prior_of_effects) == bool(words)


def test_doubtful_scores_give_no_advice(folder):
    old, _ = answered(folder, doubtful=6).answers
    assert old.sentences[0].startswith("Which model predicts best is not settled")


def test_rows_that_are_groups_are_no_old_ones(folder):
    found = answered(folder, unit="group")
    old, new = found.answers
    assert old.tone == "none"
    assert "each row is a group of its own, and without its row it is a new group." in old.sentences[1]
    assert new.sentences[0].startswith("Use partial pooling")


def test_nothing_is_told_of_a_pull_by_a_fit_that_failed(folder):
    found = answered(folder, failed=("partial",), old={"unpooled": AHEAD, "pooled": TIE, "partial": BEHIND})
    assert (found.differences, found.shrinkage) == ([], "Shrinkage is not known: the fit of partial pooling failed.")
    assert found.table is None
    first, *others = found.answers[0].sentences
    assert first == "The data do not show how much to pool: complete and no pooling are indistinguishable."
    assert any("Partial failed its check and has no rank" in words for words in others)


def test_without_a_fit_of_no_pooling_the_spread_is_told_alone(folder):
    found = answered(folder, failed=("unpooled",))
    assert found.table is None
    assert found.shrinkage == "Shrinkage is not known: no fit without pooling is usable."
    assert not any("prior alone" in words for words in found.answers[1].sentences)


def test_rungs_that_do_not_apply_are_told_with_the_reason(folder):
    reasons = dict(answered(folder).left_out)
    assert set(reasons) == {"partial_slopes", "mundlak", "latent_mundlak"}
    assert "needs a predictor" in reasons["mundlak"]


def test_a_table_of_one_model_says_what_the_others_lack(folder):
    """Estimates without their errors: the reason and the key that mends it, in place of a silent
    fit of one mean."""
    results = made(folder, unit="group", rungs=("pooled",), told=False)
    found = pooling(results, fit_view.all_fits(results, {}))
    assert found.answers == []
    assert "`standard_error` of y names the column" in dict(found.left_out)["partial"]
    words = section(render(results), "pooling")
    assert "The ladder has one model for this table, which says nothing about differences between groups." in words
    first, *_ = headline([], fit_view.all_fits(results, {}), found).sentences
    assert first.startswith(
        "Only complete pooling is fitted, which says nothing about differences between groups: partial pooling"
    )
    assert "unpooled , partial , partial_slopes , mundlak , latent_mundlak , each of which needs several rows" in words


def test_a_count_that_may_have_trials_is_asked_about(folder):
    """Only where neither the table nor the design says what it is out of."""
    read = {"file": "t.csv", "rows": 12, "dialect": {}, "dropped": {"rows": 0, "empty": {}}, "unused": []}
    found = answered(folder, family="poisson", table=read, asked="n")
    (question,) = found.notes
    assert question.startswith("Is y out of n?")
    assert "name it as `trials` of y" in question
    assert found.headline.sentences[-1] == question
    assert answered(folder, family="poisson", table=read).notes == []


def test_parameters_of_no_pooling_that_depend_on_their_priors_are_not_counted(folder):
    results = made(folder)
    moved = (0.4, 0.01, 0.5, "alpha_group", "strong prior", 0.1, "")
    kept = (0.01, 0.2, 0.5, "", "none", 0.1, "")
    for rung, rows in {"unpooled": {"alpha_group[a]": moved}, "partial": {"alpha": kept, "sigma": kept}}.items():
        io.write(results.folder / rung / "sensitivity.nc", sensitive(rows), contracts.SENSITIVITY)
    found = sensitivity.sensitivities(fit_view.all_fits(results, {}))
    light = overview.overview([], [], [], found, [], None)[3]
    assert (light.state, light.words) == ("pass", "0 of 2 parameters sensitive to the priors, no pooling not counted")
    words = section(render(results), "sensitivity")
    assert words.count("its estimate depends on that prior by design") == 1
    assert "✓ convergence: pass" in words


def test_badges_beside_other_checks_say_that_they_are_of_convergence(folder):
    results = made(folder, predictions=True)
    text = render(results)
    assert "✓ convergence: pass" in section(text, "predictions")
    assert "✓ pass" in section(text, "convergence")
    assert "convergence: pass" not in section(text, "convergence")


@pytest.mark.parametrize(("rows", "told"), [([], True), ([{"x": 11.0}], False)])
def test_what_rows_to_predict_have_by_default_is_told(folder, rows, told):
    results = made(folder, predictions=True)
    tree = new_member()
    tree["predictions_constant_data"] = xr.Dataset({"x": ("row", [11.0])}, coords={"row": [1]})
    io.write(results.folder / "partial/predictions.nc", tree, contracts.PREDICTIONS)
    results.config["predictions"]["partial"]["rows"] = rows
    words = "Variables that the config does not give have typical values (median, or most frequent category): x."
    assert (words in section(render(results), "predictions")) is told


def test_the_end_of_a_run_asks_what_tables_may_have_been_meant_to_say(folder):
    results = made(folder, family="poisson", asked="n")
    (question,) = remarks.of_run(["groups", "not there"])
    assert question.startswith("groups: Is y out of n?")
    assert "Is y out of n?" in section(render(results), "data")


def test_a_study_without_the_ladder_has_no_such_section(folder):
    results = made(folder)
    plain = {name: entry | {"design": None, "model": "tiny"} for name, entry in results.config["models"].items()}
    bare = StudyResults("groups", results.config | {"models": plain}, results.folder)
    assert pooling(bare, fit_view.all_fits(bare, {})) is None


def test_entries_of_one_rung_do_not_say_how_much_to_pool(folder):
    results = made(folder)
    same = {name: entry | {"model": "partial"} for name, entry in results.config["models"].items()}
    alike = StudyResults("groups", results.config | {"models": same}, results.folder)
    assert pooling(alike, fit_view.all_fits(alike, {})) is None


def test_the_page_begins_with_both_answers_and_shows_the_instance(folder):
    results = made(folder)
    for rung in results.entries:
        empty = xr.Dataset({"y": (("chain", "draw"), np.zeros((1, 2)))})
        prior = xr.DataTree.from_dict({"prior": empty, "prior_predictive": empty, "observed_data": xr.Dataset()})
        prior.attrs.update(provenance=PROVENANCE, status="ok", relations=json.dumps({"sample_dist": {}}))
        io.write(results.folder / rung / "prior.nc", prior, contracts.PRIOR)
    text = render(results)
    top = text.partition('<section id="data">')[0]
    assert "<strong>The standard deviation between groups is 2.000" in re.sub(r"</?(?!strong)[^>]*>", "", top)
    assert "For the groups in the data: use partial pooling. No pooling is indistinguishable from it." in top
    assert "For a new group: use partial pooling" in top
    words = section(text, "pooling")
    assert "80 %" in words
    assert "Own data No pooling Partial pooling" in words
    assert "a weakly informative prior of its own, centred on 10.0: where there are few data" in words
    assert text.partition('<section id="models">')[2].count('<math display="block"') >= 3
    models = section(text, "models")
    assert "Normal ( 10 , 1.5 × 10 5 )" in models  # the prior of the intercept, in units of the data
    assert "alpha_group is sampled centred: its own rows settle 80 % of the differences" in models
    all_fits = fit_view.all_fits(results, {})
    assert headline(comparisons(results), all_fits, pooling(results, all_fits)).tone == "uncertain"


OWN = [
    ({"family": "binomial", "trials": "n"}, {"y": [0, 18, 2], "n": [47, 148, 3]}, ["0/47", "20/151", "—"]),
    ({"family": "bernoulli"}, {"y": [0, 1, 1]}, ["0/1", "2/2", "—"]),
    ({"family": "poisson", "exposure": "x"}, {"y": [3, 1, 2], "x": [2.5, 1.0, 3.0]}, ["3/2.5", "3/4", "—"]),
    ({"family": "negative_binomial"}, {"y": [7, 1, 2]}, ["7", "1.5 (2 rows)", "—"]),
    ({"family": "ordered"}, {"y": [2, 0, 1]}, ["high", "low (2 rows)", "—"]),
    ({"family": "student"}, {"y": [1.25, 10.0, 20.0]}, ["1.25", "15.0 (2 rows)", "—"]),
    ({"family": "normal", "standard_error": "s"}, {"y": [28.0, 1, 3], "s": [15.0, 1, 2]}, ["28 ± 15", "1.40 ± 0.89", "—"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "columns", "expected"), OWN, ids=lambda case: case.get("family") if isinstance(case, dict) else ""
)
def test_own_data_of_a_group_are_told_as_they_are(keys, columns, expected):
    """Groups a (one row), b (two) and c, of which no row is left. Of known errors: 7/5 and
    1/sqrt(1.25) in group b."""
    design = {"outcome": "y", "unit": "row", "groups": ["group"], "predictors": [], "slopes": []}
    variables = {name: ("row", np.array(values)) for name, values in columns.items()}
    data = xr.Dataset(variables | {"group_index": ("row", [0, 1, 1])}, coords={"row": range(3), "group": list("abc")})
    data["y"].attrs |= (
        {"flag_values": [0, 1, 2], "flag_meanings": "low mid high"} if keys["family"] == "ordered" else {}
    )
    assert own_data(Design.from_json(design | keys), data) == expected
