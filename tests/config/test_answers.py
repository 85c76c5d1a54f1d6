"""Answers in a study: the sentence of each mistake, and those that a study has without asking."""

import pytest

from tadpool import config
from tests.made.config import assert_one, problems, study, write

MISTAKES = [
    ("{label: x, entry: pool, value: rate}", "entry", "'pool' is not an entry of this study", "'pooled'"),
    ("{label: x, entry: pooled, value: rat}", "value", "'rat' is not a parameter of cookies_pooled", "'rate'"),
    ("{label: x, entry: pooled, value: rate +}", "value", "is not an expression", "write it like"),
    ("{label: x, entry: pooled, value: 3 > 2}", "value", "names no parameter", "name one"),
    ("{label: x, entry: pooled, value: open(rate)}", "value", "open() in", "known: abs"),
    ("{label: x, entry: pooled}", "", "none of them is given", "exactly one of value, predict"),
    ("{label: x, entry: pooled, value: rate, r2: marginal}", "", "value and r2 are given", "exactly one"),
    ("{label: x, entry: pooled, value: rate, over: new}", "", "`over` does not belong to `value`", "remove it"),
    ("{label: x, entry: pooled, predict: {}, over: members}", "", "does not say of which group", "add `group`"),
    ("{label: x, entry: pooled, predict: {}, over: new, by: location}", "", "`by` and `over: new`", "remove one"),
    ("{label: x, entry: pooled, predict: {z: 1}}", "predict", "'z' is not a variable that the model of pooled", ""),
    ("{label: x, entry: pooled, predict: {}, by: place}", "by", "'place' is not one of the study's groups", "location"),
    ("{label: x, entry: pooled, predict: {}, outcome: chip}", "outcome", "not one of the study's outcomes", "'chips'"),
    ("{label: x, entry: pooled, value: rate, above: mu}", "above", "'mu' names mu", "write a number"),
    ("{label: x, entry: pooled, value: rate, above: 1, below: 2}", "", "above and below are given", "one of them"),
    ("{label: x, entry: pooled, predict: {}, decide: 0.9}", "", "without a statement", "add `above`"),
    ("{label: x, entry: pooled, value: rate, above: 1, decide: 9}", "decide", "9 is too large", "give less than 1"),
    ("{label: x, entry: pooled, compare: {z: maybe}}", "compare.z", "a list of values, a number, sd", ""),
    ("{label: x, entry: pooled, value: rate, transform: log}", "transform", "not one of the choices", "'exp'"),
    ("{label: x, entry: pooled, value: rate, also: [other]}", "also", "'other' is not an entry", ""),
    ("{entry: pooled, value: rate}", "label", "missing", "label"),
]


@pytest.mark.parametrize(("line", "field", "words"), [(line, field, words) for line, field, *words in MISTAKES])
def test_a_mistake_is_one_sentence(folder, line, field, words):
    write("config/studies/mine.yaml", study(f"answers: {{it: {line}}}"))
    assert_one(problems(), "config/studies/mine.yaml", f"answers.it{'.' if field else ''}{field}", *words)


def test_an_answer_has_not_the_name_of_the_table_of_all(folder):
    write("config/studies/mine.yaml", study("answers: {answers: {label: x, entry: pooled, value: rate}}"))
    assert_one(problems(), "config/studies/mine.yaml", "answers.answers", "table of all answers", "choose another name")


def test_a_hero_is_one_of_the_figures(folder):
    write("config/studies/mine.yaml", study("hero: rates"))
    assert_one(problems(), "config/studies/mine.yaml", "hero", "'rates' is not one of the study's figures")


CLAIMS = [
    ("claims: [{says: x}]", "claims.0", "nothing is set beside it", "answers, comparison or note"),
    ("claims: [{says: x, answers: [rates]}]", "claims.0.answers", "'rates' is not one of the study's answers", ""),
    ("claims: [{says: x, comparison: all}]", "claims.0.comparison", "'all' is not one of the study's", ""),
    ("labels: {rats: rate}", "labels", "'rats' is not a parameter of a model", "'rate'"),
]


@pytest.mark.parametrize(("line", "field", "words"), [(line, field, words) for line, field, *words in CLAIMS])
def test_claims_and_labels_refer_to_what_there_is(folder, line, field, words):
    write("config/studies/mine.yaml", study(line))
    assert_one(problems(), "config/studies/mine.yaml", field, *words)


TABLE = """
title: Herds
question: Does it help?
dataset:
  table: data/herds.csv
  columns:
    sick: {kind: count, trials: size}
    size: {kind: count}
    herd: {kind: group}
    period: {kind: categorical}
    treated: {kind: binary}
outcomes: [sick]
unit: visit
groups: [herd]
"""


def asked(folder, rest):
    write("config/studies/herds.yaml", TABLE + rest)
    rows = [f"{i % 3},{4 + i % 2},h{i % 4},{'early' if i % 2 else 'late'},{i // 3 % 2}" for i in range(16)]
    write("data/herds.csv", "\n".join(["sick,size,herd,period,treated", *rows]) + "\n")
    return config.read({"studies": ["herds"]}).studies["herds"].answers


def labelled(folder, levels):
    """What the answer on a column with two labels is called."""
    text = TABLE.replace("treated: {kind: binary}", f"treated: {{kind: binary, levels: {levels}}}")
    write("config/studies/herds.yaml", text + "models: ladder\n")
    return config.read({"studies": ["herds"]}).studies["herds"].answers["effect_treated"].label


def test_the_ladder_has_comparisons_a_ranking_and_shares_of_variance(folder):
    found = asked(folder, "models: ladder\n")
    names = ["effect_period", "effect_treated", "ranking_herd", "new_herd", "icc_herd", "r2_conditional", "r2_marginal"]
    assert list(found) == names
    assert {each.entry for each in found.values()} == {"partial"}
    assert found["effect_treated"].label == "share of sick with treated, less that without"
    assert labelled(folder, "[early, late]") == "share of sick with treated late, less that with early"
    assert labelled(folder, '["no", "yes"]') == "share of sick with treated, less that without"
    assert found["icc_herd"].value == "sigma_herd**2 / (sigma_herd**2 + pi**2 / 3)"


def test_means_have_the_units_of_the_outcome_and_shares_have_none(folder):
    assert {each.units for each in asked(folder, "models: ladder\n").values()} == {None}
    text = TABLE.replace("sick: {kind: count, trials: size}", "sick: {kind: count, units: cows}")
    write("config/studies/herds.yaml", text + "models: ladder\n")
    found = config.read({"studies": ["herds"]}).studies["herds"].answers
    assert {name for name, each in found.items() if each.units == "cows"} == {
        "effect_period", "effect_treated", "ranking_herd", "new_herd",
    }  # fmt: skip


def test_own_answers_come_first_and_replace_those_of_their_name(folder):
    own = "answers: {mine: {label: x, entry: partial, value: sigma_herd}, r2_marginal: {label: y, entry: pooled, r2: marginal}}"
    found = asked(folder, f"models: ladder\n{own}\n")
    assert list(found)[:2] == ["mine", "r2_marginal"]
    assert found["r2_marginal"].entry == "pooled"
    assert len(found) == 8


@pytest.mark.parametrize(
    ("formula", "family", "absent"),
    [
        ("prop(sick, size) ~ period + (1 | herd)", "binomial", set()),
        ("prop(sick, size) ~ period + treated + (treated | herd)", "binomial", {"icc_herd"}),
        ("prop(sick, size) ~ period", "binomial", {"icc_herd", "ranking_herd", "r2_conditional", "r2_marginal"}),
        ("prop(sick, size) ~ period + (1 | herd)", "beta_binomial", {"icc_herd", "r2_conditional", "r2_marginal"}),
    ],
)
def test_a_formula_has_what_its_terms_allow(folder, formula, family, absent):
    found = asked(folder, f'models: {{it: {{formula: "{formula}", family: {family}}}}}\n')
    assert {"effect_period", "ranking_herd", "icc_herd", "r2_conditional", "r2_marginal"} - set(found) == absent
