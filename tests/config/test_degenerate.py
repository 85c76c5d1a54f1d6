"""Designs of tables whose columns say nothing, or the same as others: what the ladder leaves out,
and what a study that names such a column is told."""

import shutil
from pathlib import Path

import pytest
import yaml

from tadpool import config
from tadpool.config.ladder import entries
from tadpool.config.schema.study import Study
from tests.made.config import assert_one, problems, write

CASE = Path(__file__).parent.parent / "made/cases/degenerate-predictors"
INFERRED = {
    "constant": {"temp_c": "number"},
    "aliased": {"temp_c": "number", "rain": "number"},
}
STUDY = (CASE / "config/studies/aliased.yaml").read_text()
# What the study's columns and design are, the field, and words of the sentence.
REFUSED = [
    ("altitude", "predictors: [temp_c, altitude]", "design.predictors", ["'altitude' has one value", "120"]),
    ("rain", "slopes: [temp_c, rain]", "design.slopes", ["'rain' has one value per field", "leave it out"]),
    ("rain", "group_means: [rain]", "design.group_means", ["'rain' has one value per field", "leave it out"]),
    ("rain", "group_means: [snow]", "design.group_means", ["'snow' is not one of the predictors"]),
]


@pytest.fixture
def case(folder):
    shutil.copytree(CASE, folder, dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize("study", INFERRED)
def test_the_ladder_leaves_out_what_the_table_cannot_tell(case, study):
    found = config.read({"studies": [study]}).studies[study]
    assert found.design.predictors == INFERRED[study]
    assert found.design.slopes == found.design.group_means == ["temp_c"]
    assert [name for name in found.figures if name.startswith("slopes")] == ["slopes_temp_c"]


@pytest.mark.parametrize(("column", "design", "field", "words"), REFUSED)
def test_a_named_column_that_cannot_have_a_role_is_refused(folder, column, design, field, words):
    shutil.copytree(CASE / "data", folder / "data")
    write("config/studies/mine.yaml", STUDY.replace("rain:", f"{column}:") + f"design: {{{design}}}\n")
    assert_one(problems(), Path("config/studies/mine.yaml"), field, *words)


def test_temperature_in_two_units_is_one_predictor_unless_both_are_named(folder):
    shutil.copytree(CASE / "data", folder / "data")
    text = STUDY.replace("rain:", "temp_f:")
    write("config/studies/mine.yaml", text)
    assert config.read().studies["mine"].design.predictors == {"temp_c": "number"}
    write("config/studies/mine.yaml", text + "design: {predictors: [temp_c, temp_f]}\n")
    assert list(config.read().studies["mine"].design.predictors) == ["temp_c", "temp_f"]


@pytest.mark.parametrize(
    ("dose", "rungs"),
    [
        ("1 2 3 1 2 3 1 2 3 1 2 3", ["pooled", "unpooled", "partial", "partial_slopes"]),
        ("1 2 3 1 2 4 1 2 3 1 2 3", ["pooled", "unpooled", "partial", "partial_slopes", "mundlak", "latent_mundlak"]),
        ("1 1 1 2 2 2 3 3 3 1 1 1", ["pooled", "unpooled", "partial"]),
        ("1 1 1 1 1 1 1 1 1 1 1 1", ["pooled", "unpooled", "partial"]),
    ],
)
def test_rungs_that_have_nothing_to_say_are_left_out(folder, dose, rungs):
    rows = [f"{'abcd'[i // 3]},{each},{i % 5}" for i, each in enumerate(dose.split())]
    write("data/plots.csv", "field,dose,yield\n" + "\n".join(rows) + "\n")
    text = STUDY.replace("temp_c: {kind: number}", "dose: {kind: number}").replace("    rain: {kind: number}\n", "")
    write("config/studies/mine.yaml", text)
    assert list(config.read().studies["mine"].models) == rungs


def test_a_measured_outcome_with_one_value_is_refused(folder):
    write("data/plots.csv", "field,temp_c,rain,yield\na,1,2,5\na,2,2,5\nb,3,1,5\nb,4,1,5\n")
    write("config/studies/mine.yaml", STUDY)
    assert_one(problems(), Path("config/studies/mine.yaml"), "outcomes", "'crop' has the same value in all rows")


def test_a_table_with_a_bad_cell_is_left_to_the_job_that_reads_it(folder):
    write("data/plots.csv", "field,temp_c,rain,yield\na,1,2,5\na,x,2,6\nb,3,1,7\nb,4,1,5\n")
    write("config/studies/mine.yaml", STUDY)
    assert list(config.read().studies["mine"].design.predictors) == ["temp_c", "rain"]


@pytest.mark.parametrize(
    ("models", "weights", "predictors"),
    [
        ("ladder", None, ["temp_c", "rain"]),
        ({"p": {"model": "partial"}}, None, ["temp_c", "rain"]),
        ({"own": {"model": "cookies_pooled"}}, None, ["temp_c", "rain"]),
        ({"own": {"model": "cookies_pooled"}}, {"crop": "rain"}, ["temp_c"]),
    ],
)
def test_a_weight_is_not_looked_at_as_a_predictor(models, weights, predictors):
    """And an entry more or less does not change what the data are made from."""
    given = {**yaml.safe_load(STUDY), "models": models} | ({"weights": weights} if weights else {})
    study, _ = entries.completed(Study.model_validate(given))
    assert [name for name in study.source()["predictors"] if name in ("temp_c", "rain")] == predictors
