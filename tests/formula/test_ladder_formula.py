"""The models of the ladder as formulas made from a base: their texts, and the densities of the
models of the ladder themselves where these can say the same."""

from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest
from numpyro import handlers
from numpyro.infer.util import log_density

from tadpool import config
from tadpool.loading import described_table
from tadpool.modelling import binding
from tests.made.config import problems

STUDY = """\
title: Scores
question: How do they differ?
dataset:
  table: t.csv
  columns:
    score: {kind: number}
    hours: {kind: number}
    age: {kind: number}
    school: {kind: group}
    district: {kind: group}
outcomes: [score]
unit: pupil
groups: [school, district]
models: ladder
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A study of pupils whose hours have the mean 0, so that intercepts at 0 and at the mean are
    the same."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(4)
    rows = 60
    school = np.arange(rows) % 6
    hours = np.tile([-2.0, -1.0, 0.0, 1.0, 2.0], 12) + np.array([1.0, -1.0, 2.0, -2.0, 0.5, -0.5])[school]
    table = pd.DataFrame({"score": rng.normal(20, 3, rows), "hours": hours, "age": rng.normal(size=rows)})
    table["school"], table["district"] = school, rng.integers(0, 3, rows)
    table.to_csv("t.csv", index=False)
    Path("config/studies").mkdir(parents=True)


def entries(text):
    Path("config/studies/mine.yaml").write_text(STUDY + text)
    return config.read({"studies": ["mine"]}).studies["mine"]


def test_each_rung_is_the_base_without_something(place):
    found = entries('ladder: {formula: "score ~ hours * age + (hours | school) + (1 | district)"}\n')
    assert {name: entry.formula for name, entry in found.models.items()} == {
        "pooled": "score ~ hours * age",
        "unpooled": "score ~ hours * age + (hours | school)",
        "partial": "score ~ hours * age + (1 | school) + (1 | district)",
        "partial_slopes": "score ~ hours * age + (hours | school) + (1 | district)",
        "mundlak": "score ~ hours * age + group_mean(hours, school) + group_mean(age, school) + (1 | school) + "
        "(1 | district)",
    }
    assert [name for name, entry in found.models.items() if entry.pooling == "none"] == ["unpooled"]
    assert found.comparisons["new_groups"].target == "school"
    assert found.predictions == {}
    assert "estimates_by_group" in found.figures


def test_a_base_of_one_group_without_slopes(place):
    found = entries(
        'ladder: {formula: "score ~ 0 + hours + s(age, k=5) + (1 | school)", priors: {sd: half_normal(2)}}\n'
    )
    texts = {name: entry.formula for name, entry in found.models.items()}
    assert texts["pooled"] == "score ~ 0 + hours + s(age, k=5)"
    assert texts["partial"] == "score ~ 0 + hours + s(age, k=5) + (1 | school)"
    assert "partial_slopes" not in texts
    assert found.predictions["partial"].group == "school"
    assert found.models["partial"].priors["sd"] == "half_normal(2)"
    assert found.models["partial"].priors["coefficients"] == "normal(0, 1)"


@pytest.mark.parametrize(
    ("text", "field", "what"),
    [
        ('ladder: {formula: "score ~ hour + (1 | school)"}', "ladder.formula", "'hour' is not a column of the study"),
        ('ladder: {formula: "score ~ hours"}', "ladder.formula", "it has no group term"),
        ('ladder: {formula: "score ~ hours + (1 | school)", family: poisson}', "ladder.family", "poisson is for count"),
        (
            'ladder: {formula: "score ~ hours + (1 | school)", priors: {sd: "normal(0, 1)"}}',
            "ladder.priors",
            "cannot be",
        ),
    ],
)
def test_a_mistake_in_the_base_is_one_sentence(place, text, field, what):
    Path("config/studies/mine.yaml").write_text(STUDY + text + "\n")
    (found,) = problems({"studies": ["mine"]})
    assert f": {field}" in found
    assert what in found


def test_a_base_belongs_to_the_ladder(place):
    text = STUDY.replace("models: ladder", 'models: {it: {formula: "score ~ hours"}}')
    Path("config/studies/mine.yaml").write_text(text + 'ladder: {formula: "score ~ hours + (1 | school)"}\n')
    (found,) = problems({"studies": ["mine"]})
    assert "ladder: it belongs to `models: ladder`" in found


def test_members_of_one_group_are_without_pooling(place):
    text = STUDY.replace(
        "models: ladder", 'models: {it: {formula: "score ~ (1 | school) + (1 | district)", pooling: none}}'
    )
    Path("config/studies/mine.yaml").write_text(text)
    (found,) = problems({"studies": ["mine"]})
    assert "models.it.pooling: it has 2 group terms" in found


def bind(study, name):
    dataset = described_table.load(study.source())[0]
    chosen = {} if name in ("pooled", "unpooled") else {"parametrization": "centred"}
    return binding.bind(study.reference(name), dataset, chosen)


@pytest.mark.parametrize("name", ["pooled", "unpooled", "partial", "partial_slopes"])
def test_densities_are_those_of_the_models_of_the_ladder(place, name):
    """Of all sites together, at draws of the prior; so their posteriors are the same, and with
    them all scores."""
    plain = entries("design: {groups: [school], predictors: [hours], slopes: [hours]}\n")
    text = 'ladder: {formula: "score ~ hours + (hours | school)"}\n'
    one, other = bind(plain, name), bind(entries(text), name)
    with jax.enable_x64(True):
        for seed in range(3):
            arguments = {**one.data, **one.hyperparameters}
            trace = handlers.trace(handlers.seed(one.function, jax.random.key(seed))).get_trace(**arguments)
            latent = {site: trace[site]["value"] for site in one.latents}
            assert set(one.latents) == set(other.latents)
            expected, _ = log_density(one.function, (), arguments, latent)
            found, _ = log_density(other.function, (), {**other.data, **other.hyperparameters}, latent)
            np.testing.assert_allclose(float(found), float(expected), rtol=1e-9)


def test_group_means_are_those_of_the_ladder(place):
    """The linear predictors are the same; the prior of the coefficient is in units of the means in
    place of the predictor."""
    plain = entries("design: {groups: [school], predictors: [hours]}\n")
    one = bind(plain, "mundlak")
    other = bind(entries('ladder: {formula: "score ~ hours + (1 | school)"}\n'), "mundlak")
    with jax.enable_x64(True):
        trace = handlers.trace(handlers.seed(one.function, jax.random.key(2))).get_trace(
            **one.data, **one.hyperparameters
        )
        latent = {site: trace[site]["value"] for site in one.latents}
        mapped = {name.replace("beta_mean_hours", "beta_group_mean(hours,school)"): v for name, v in latent.items()}
        # Members have their part of the group means in their intercepts.
        means = one.dataset["hours"].groupby(one.dataset["school_index"]).mean().values
        mapped["alpha_school"] = latent["alpha_school"] + latent["beta_mean_hours"] * means
        assert set(mapped) == set(other.latents)
        _, left = log_density(one.function, (), {**one.data, **one.hyperparameters}, latent)
        _, right = log_density(other.function, (), {**other.data, **other.hyperparameters}, mapped)
        scores = [np.asarray(t["score"]["fn"].log_prob(t["score"]["value"])) for t in (left, right)]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-9)


@pytest.mark.parametrize(
    ("formula", "what"),
    [
        ("score ~ group_mean(hours)", "group_mean(hours) has not two arguments"),
        ("score ~ group_mean(hours, age)", "'age' in group_mean(hours, age) is not a group"),
        ("score ~ group_mean(hour, school)", "'hour' is not a column of the study"),
        ("score ~ group_mean(school, district)", "'school' is not a number and stands in group_mean()"),
    ],
)
def test_a_mistake_in_a_group_mean_is_said(place, formula, what):
    text = STUDY.replace("models: ladder", f'models: {{it: {{formula: "{formula}"}}}}')
    Path("config/studies/mine.yaml").write_text(text)
    assert what in problems({"studies": ["mine"]})[0]
