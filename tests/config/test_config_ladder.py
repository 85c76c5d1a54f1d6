"""Models of the ladder in a study file: what is inferred, what `models: ladder` means, and the
sentence of each mistake."""

import json
from pathlib import Path

import pytest

from tadpool import config
from tadpool.loading.sources import ROLES
from tadpool.modelling.families import FAMILIES
from tadpool.modelling.rungs import RUNGS
from tadpool.workflow import plan
from tadpool.workflow.specs import Specs
from tests.made.config import assert_one, problems, write

TABLE = """town,street,house,y,k,n,x,z,wet,soil,size,h
a,1,1,0.5,3,4,1.5,2,0,c,small,1
a,1,2,0.7,1,4,2.0,2,1,d,big,1
a,2,3,1.1,2,4,4.5,2,0,d,small,2
b,2,4,1.5,0,4,2.5,3,1,d,big,2
b,3,5,1.2,4,4,3.0,3,0,c,big,1
b,3,6,1.9,3,4,6.5,3,0,d,small,1
c,4,7,0.3,2,4,1.0,5,1,c,small,2
c,4,8,0.8,2,4,2.5,5,0,c,big,1
c,5,9,0.1,1,4,0.5,5,1,d,small,2
"""
MEASURED = [name for name, family in FAMILIES.items() if "number" in family.columns]
COLUMNS = {
    "town": "{kind: group}",
    "street": "{kind: group, within: town}",
    "y": "{kind: number, units: mm}",
    "k": "{kind: count, trials: n}",
    "n": "{kind: count}",
    "x": "{kind: number}",
    "z": "{kind: number, per: town}",
    "wet": "{kind: binary}",
    "soil": "{kind: categorical}",
    "size": "{kind: ordered, levels: [small, big]}",
}


def tabled(models="ladder", outcome="y", columns=None, **keys):
    """The text of a study with a described table."""
    described = {name: column for name, column in (COLUMNS | (columns or {})).items() if column}
    inner = ", ".join(f"{name}: {column}" for name, column in described.items())
    lines = {
        "title": "Towns",
        "question": "How much?",
        "dataset": f"{{table: data/t.csv, columns: {{{inner}}}}}",
        "outcomes": f"[{outcome}]",
        "unit": "row",
        "groups": "[town]",
        "models": models,
    }
    return "\n".join(f"{key}: {value}" for key, value in (lines | keys).items() if value) + "\n"


def read(text):
    write("data/t.csv", TABLE)
    write("config/studies/mine.yaml", text)
    return config.read().studies["mine"]


def design(text, entry="partial"):
    return read(text).reference(entry)["design"]


def kinds(found):
    return {each["name"]: each["kind"] for each in found["predictors"]}


def test_everything_is_inferred_from_a_described_table(folder):
    found = design(tabled())
    predictors = {"x": "number", "z": "number", "wet": "binary", "soil": "categorical", "size": "ordered"}
    assert kinds(found) == predictors
    assert {each["name"]: each["per"] for each in found["predictors"]} == dict.fromkeys(predictors) | {"z": "town"}
    assert {**found, "predictors": None} == {
        "family": "normal",
        "outcome": "y",
        "groups": ["town"],
        "predictors": None,
        "slopes": ["x", "wet"],
        "group_means": ["x", "wet"],
        "unit": "row",
        **dict.fromkeys(ROLES),
        "truncated": None,
    }


@pytest.mark.parametrize(
    ("column", "family"),
    [
        ("{kind: number}", "normal"),
        ("{kind: integer}", "normal"),
        ("{kind: count}", "poisson"),
        ("{kind: count, exposure: x}", "poisson"),
        ("{kind: count, trials: n}", "binomial"),
        ("{kind: binary}", "bernoulli"),
        ("{kind: ordered, levels: [0, 3]}", "ordered"),
    ],
)
def test_the_family_is_that_of_the_outcome_s_kind(folder, column, family):
    found = design(tabled(outcome="k", columns={"k": column, "y": ""}))
    assert found["family"] == family
    assert found["trials"] == ("n" if "trials" in column else None)
    assert found["exposure"] == ("x" if "exposure" in column else None)
    assert ("x" in kinds(found)) == ("exposure" not in column)


def test_a_weight_is_no_predictor(folder):
    study = read(tabled("{p: {model: partial, weights: {}}}", weights="{y: x}"))
    assert "x" not in kinds(study.reference("p")["design"])


def test_a_known_standard_error_is_a_role_of_the_outcome(folder):
    columns = dict.fromkeys(COLUMNS, "") | {"town": "{kind: group}", "y": "{kind: number, standard_error: x}"}
    found = read(tabled(columns=columns | {"x": "{kind: number}"}, unit="town"))
    assert found.reference("partial")["design"]["standard_error"] == "x"
    assert not kinds(found.reference("partial")["design"])


def test_a_table_may_say_how_its_outcomes_are_censored(folder):
    """The column of labels or numbers, the upper end, and a family with a distribution function."""
    columns = COLUMNS | {"y": "{kind: number, censored: h, interval_end: x}", "h": "{kind: censoring}"}
    write("data/t.csv", TABLE.replace("small,1\n", "small,right\n"))
    write("config/studies/mine.yaml", tabled(columns=columns, design="{family: weibull, truncated: {upper: 9}}"))
    found = config.read().studies["mine"].reference("partial")["design"]
    assert (found["censored"], found["interval_end"], found["truncated"]) == ("h", "x", [None, 9.0])
    assert set(kinds(found)) == {"z", "wet", "soil", "size"}


def test_keys_of_the_design_replace_what_was_inferred_and_the_entry_s_those_of_the_study(folder):
    models = (
        "{a: {model: partial}, b: {model: partial_slopes, design: {slopes: [x], family: student}}, c: {model: c_own}}"
    )
    write("models/c_own.py", "def model(x, y=None):\n    pass\n")
    study = read(tabled(models, design="{predictors: [x, wet]}"))
    first, second = (study.reference(name)["design"] for name in "ab")
    assert kinds(first) == kinds(second) == {"x": "number", "wet": "binary"}
    assert (first["slopes"], first["family"]) == ([], "normal")
    assert (second["slopes"], second["family"]) == (["x"], "student")
    assert study.reference("c") == "c_own"


def test_a_dataset_file_says_its_family_and_predictors(folder):
    text = tabled("{p: {model: partial}}", "log_radon", unit="house", groups="[county]", dataset="radon")
    found = design(text + "design: {family: normal, predictors: {floor: binary}}\n", "p")
    assert (found["family"], kinds(found), found["slopes"]) == ("normal", {"floor": "binary"}, [])


def test_the_ladder_is_written_out(folder):
    study = read(tabled())
    assert list(study.models) == list(RUNGS)
    assert {name: entry.label for name, entry in study.models.items()}["unpooled"] == "no pooling"
    assert {name: each.target for name, each in study.comparisons.items()} == {
        "old_groups": "unit",
        "new_groups": "town",
    }
    assert all(each.entries == list(RUNGS) for each in study.comparisons.values())
    assert study.predictions["partial"].group == "town"


def test_rungs_that_do_not_apply_are_left_out_and_a_row_that_is_a_group_is_no_old_one(folder):
    columns = dict.fromkeys(COLUMNS, "") | {name: COLUMNS[name] for name in ("town", "k", "n")}
    study = read(tabled(outcome="k", columns=columns, unit="town"))
    assert list(study.models) == ["pooled", "unpooled", "partial"]
    assert {name: each.target for name, each in study.comparisons.items()} == {"new_groups": "unit"}


def test_own_comparisons_are_added_and_replace_those_of_the_ladder(folder):
    own = "{two: {entries: [pooled, partial]}, new_groups: {entries: [partial, mundlak], target: town}}"
    study = read(tabled(comparisons=own))
    assert list(study.comparisons) == ["old_groups", "new_groups", "two"]
    assert study.comparisons["new_groups"].entries == ["partial", "mundlak"]


def test_jobs_are_told_of_the_design_and_its_change_decides_re_runs(folder):
    def specs(text):
        read(text)
        return Specs(config.read())

    wildcards = {"study": "mine", "model": "partial"}
    made, changed = specs(tabled()), specs(tabled(design="{family: student}"))
    for rule in ("sample_prior", "fit", "cross_validate", "assess_sensitivity", "predict"):
        spec = json.loads(made.spec(rule, wildcards))
        assert spec["model"] == made.config.studies["mine"].reference("partial")
        assert spec != json.loads(changed.spec(rule, wildcards))
        assert made.digest(rule, wildcards) == changed.digest(rule, wildcards)
    again = specs(tabled(design="{predictors: [x, z, wet, soil, size], slopes: [x, wet]}"))
    assert again.spec("fit", wildcards) == made.spec("fit", wildcards)


# A mistake: models, further keys of the study, field, words of the sentence

PARTIAL = "{p: {model: partial}}"
MISTAKES = [
    ("laddr", {}, "models", "'laddr' is not one of the choices", "'ladder'"),
    ("5", {}, "models", "5 (a whole number) is not ladder or a set of", "fixed_sigma"),
    ("[partial]", {}, "models", "(a list) is not ladder or a set of"),
    ("ladder", {"design": "{family: skewed}"}, "design.family", "'skewed' is not one of the choices", "'normal'"),
    ("ladder", {"design": "{famly: normal}"}, "design.famly", "there is no such key", "'family'"),
    ("ladder", {"design": "{predictors: x}"}, "design.predictors", "'x' (text) is not a list of names or"),
    ("ladder", {"design": "{predictors: {x: real}}"}, "design.predictors.x", "'real' is not one of the choices"),
    (
        "ladder",
        {"design": "{family: poisson}"},
        "design.family",
        "poisson is for count, and y is a number column",
        f"choose {', '.join(MEASURED[:-1])} or {MEASURED[-1]},",
    ),
    (
        PARTIAL,
        {"outcome": "k", "columns": {"k": "{kind: count}"}, "design": "{family: binomial}"},
        "design.trials",
        "missing: binomial counts successes among trials",
        "as `trials` of k",
    ),
    (
        "ladder",
        {"outcome": "k", "design": "{family: poisson}"},
        "dataset.columns.k.trials",
        "poisson has no trials",
        "choose binomial or beta_binomial as family",
    ),
    ("ladder", {"design": "{trials: n}"}, "design.trials", "normal has no trials", "binomial"),
    ("ladder", {"design": "{offset: xx}"}, "design.offset", "'xx' is not a column of numbers", "'x'"),
    ("ladder", {"design": "{offset: soil}"}, "design.offset", "'soil' is not a column of numbers", "known: "),
    ("ladder", {"design": "{predictors: [y]}"}, "design.predictors", "'y' is the outcome", "leave it out"),
    ("ladder", {"design": "{predictors: [xx]}"}, "design.predictors", "'xx' is not a column that can", "'x'"),
    ("ladder", {"design": "{predictors: [town]}"}, "design.predictors", "'town' is not a column that can"),
    ("ladder", {"design": "{predictors: {x: binary}}"}, "design.predictors", "x is a number column", "as a list"),
    ("ladder", {"design": "{predictors: [x], offset: x}"}, "design.predictors", "'x' is named as offset too"),
    ("ladder", {"design": "{slopes: [xx]}"}, "design.slopes", "'xx' is not one of the predictors", "'x'"),
    ("ladder", {"design": "{slopes: [soil]}"}, "design.slopes", "'soil' is categorical", "number or binary"),
    ("ladder", {"design": "{slopes: [z]}"}, "design.slopes", "'z' has one value per town", "leave it out"),
    ("ladder", {"groups": "[]"}, "groups", "none is named", "`groups: [county]`"),
    ("ladder", {"design": "{groups: [street]}"}, "design.groups", "'street' is not one of the study's groups"),
    ("ladder", {"outcomes": "[y, k]"}, "outcomes", "['y', 'k'] are 2 outcomes", "name one"),
    ("{p: {model: partial_slopes}}", {}, "models.p.model", "partial_slopes needs a predictor whose slope", "another"),
    ("{p: {model: partial, by: town}}", {}, "models.p.by", "all members of a group at once", "`unpooled`"),
    (
        "{p: {model: partial, design: {slopes: [xx]}}}",
        {},
        "models.p.design.slopes",
        "'xx' is not one of the predictors",
    ),
    (
        "{p: {model: own, design: {slopes: [x]}}}",
        {},
        "models.p.design",
        "'own' is not a model of the ladder and has no design",
        "partial",
    ),
    ("{p: {model: partial, hyperparameters: {no_such: 1.0}}}", {}, "models.p.hyperparameters", "a hyperparameter of"),
    (PARTIAL, {"comparisons": "{m: {entries: [p, q]}}"}, "comparisons.m.entries", "'q' is not an entry"),
]
MISTAKES += [
    ("ladder", {"design": "{family: gaussian}"}, "design.family", "'gaussian' is not", "did you mean 'normal'?"),
    ("ladder", {"design": "{family: NegBin}"}, "design.family", "'NegBin' is not", "did you mean 'negative_binomial'?"),
    ("ladder", {"family": "normal"}, "family", "there is no such key", "write it under `design`: `design: {family: ...}`"),
    ("{p: {model: partial, slopes: [x]}}", {}, "models.p.slopes", "there is no such key", "write it under `design`"),
    ("ladder", {"weights": "{y: x}"}, "weights", "no model of `models: ladder` takes", "name the models yourself"),
]  # fmt: skip
STATUS = {"y": "{kind: number, censored: h}"}
MISTAKES += [
    ("ladder", {"columns": STATUS | {"h": "{kind: integer}"}}, "dataset.columns.y.censored", "is an integer column"),
    (
        "ladder",
        {"columns": STATUS | {"h": "{kind: censoring}"}, "design": "{family: beta}"},
        "dataset.columns.y.censored",
        "beta has no censored",
        "weibull",
    ),
    ("ladder", {"design": "{family: beta, truncated: {lower: 0}}"}, "design.truncated", "no distribution function"),
    ("ladder", {"design": "{truncated: {lower: 2, upper: 1}}"}, "design.truncated", "lower (2) is not below upper (1)"),
    ("ladder", {"design": "{truncated: {}}"}, "design.truncated", "it has no end"),
    ("ladder", {"design": "{interval_end: x}"}, "design.interval_end", "no use without `censored`"),
]
RADON = {"dataset": "radon", "outcome": "log_radon", "unit": "house", "groups": "[county]"}
MISTAKES += [
    (PARTIAL, RADON, "design.family", "missing, and a dataset file does not say it", "`family: normal`"),
    (
        PARTIAL,
        RADON | {"design": "{family: normal, predictors: [floor]}"},
        "design.predictors",
        "a dataset file does not say of what kind they are",
        "write {floor: number}",
    ),
    (
        PARTIAL,
        RADON | {"design": "{family: normal, predictors: {county: categorical}}"},
        "design.predictors",
        "'county' is a group",
        "leave it out",
    ),
    (
        PARTIAL,
        RADON | {"design": "{family: categorical}"},
        "design.family",
        "categorical needs a linear predictor for each level but the first",
        "choose another family",
    ),
    (PARTIAL, RADON | {"design": "{family: binomial}"}, "design.trials", "missing: binomial", "holds them"),
]


@pytest.mark.parametrize(("models", "keys", "field", "words"), [(m, k, f, words) for m, k, f, *words in MISTAKES])
def test_a_mistake_is_one_sentence(folder, models, keys, field, words):
    write("data/t.csv", TABLE)
    write("models/own.py", "def model(x, y=None):\n    pass\n")
    write("config/studies/mine.yaml", tabled(models, **keys))
    found = problems()
    assert_one(found, Path("config/studies/mine.yaml"), field, *words)


def test_a_plan_knows_the_size_of_a_fit_of_the_ladder(folder):
    read(tabled())
    found = config.read()
    draws = found.sampler("mine", "partial")
    assert plan.draws_bytes(found, "mine", "partial") > 8 * draws.chains * draws.draws


# Columns that are added, the study's unit and groups, the field and words of the sentence.
NAMED_LIKE_PARAMETERS = [
    ({"y": None, "alpha": "{kind: number, column: y}"}, {"outcome": "alpha"}, "dataset.columns", "'alpha'"),
    ({"y": None, "sigma": "{kind: number, column: y}"}, {"outcome": "sigma"}, "dataset.columns", "'sigma'"),
    ({"sigma": "{kind: group, column: street}"}, {"groups": "[sigma]"}, "dataset.columns", "'sigma'"),
    ({"alpha": "{kind: categorical, column: house}"}, {}, "dataset.columns", "'alpha'"),
    ({}, {"unit": "sigma"}, "unit", "'sigma'"),
    ({"mean": None, "mean_x": "{kind: number, column: k}"}, {}, "dataset.columns", "would be called 'beta_mean_x'"),
]


@pytest.mark.parametrize(("columns", "keys", "field", "words"), NAMED_LIKE_PARAMETERS)
def test_a_name_that_is_also_a_parameter_is_told_before_anything_runs(folder, columns, keys, field, words):
    write("data/t.csv", TABLE)
    write("config/studies/mine.yaml", tabled(columns=columns, **keys))
    found = [each for each in problems() if words in each]
    assert_one(found, "config/studies/mine.yaml", field, "name")


@pytest.mark.parametrize("name", ["y", "x"])
def test_a_unit_that_is_a_column_is_one_sentence(folder, name):
    write("data/t.csv", TABLE)
    write("config/studies/mine.yaml", tabled(unit=name))
    assert_one(problems(), "config/studies/mine.yaml", "unit", f"'{name}' is a number column")


def test_groups_nested_in_each_other_are_named_with_the_ladder_too(folder):
    write("data/t.csv", TABLE)
    write("config/studies/mine.yaml", tabled(columns={"town": "{kind: group, within: street}"}))
    assert all("is nested in itself" in each for each in problems())


@pytest.mark.parametrize(
    ("outcome", "column", "words"),
    [
        ("h", "{kind: count, offset: people}", ["'people' has values beyond 100", "`exposure: people`"]),
        ("wet", "{kind: binary, offset: people}", ["added to log-odds", "give it on that scale"]),
    ],
)
def test_an_offset_that_is_on_no_scale_of_logarithms_is_refused(folder, outcome, column, words):
    write(
        "data/t.csv",
        "\n".join(line + (",people" if i == 0 else f",{1000 + i}") for i, line in enumerate(TABLE.split())),
    )
    text = tabled(outcome=outcome, columns={outcome: column, "people": "{kind: number}"})
    write("config/studies/mine.yaml", text)
    assert_one(problems(), "config/studies/mine.yaml", f"dataset.columns.{outcome}.offset", *words)
    write("config/studies/mine.yaml", text.replace("outcomes: [" + outcome, "outcomes: [y"))
    assert config.read()


@pytest.mark.parametrize("target", ["nowhere.csv", "t.csv"])
def test_a_link_that_leads_to_no_table_is_said_to_be_one(folder, target):
    write("config/studies/mine.yaml", tabled())
    Path("data").mkdir()
    Path("data/t.csv").symlink_to(target)
    words = [f"'data/t.csv' is a link to '{target}', which leads to no file", "correct the link"]
    assert_one(problems(), "config/studies/mine.yaml", "dataset.table", *words)
