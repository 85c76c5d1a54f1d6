"""An outcome with levels in no order: a linear predictor for each level but the first."""

from pathlib import Path

import jax
import numpy as np
import pandas as pd
from numpyro import handlers
from numpyro.infer.util import log_density
from scipy.special import log_softmax

from tests.made.formulas import bound

COLUMNS = {
    "travel": {"kind": "ordered", "levels": ["bus", "car", "bike"]},
    "x": {"kind": "number"},
    "town": {"kind": "group"},
}


def made(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    rng = np.random.default_rng(1)
    levels = np.array(["bus", "car", "bike"])[rng.integers(3, size=60)]
    table = pd.DataFrame({"travel": levels, "x": rng.normal(size=60), "town": rng.choice(["a", "b", "c"], 60)})
    table.to_csv("data/table.csv", index=False)
    entry = {"formula": "travel ~ x + (1 | town)", "family": "categorical"}
    return table, bound("data/table.csv", COLUMNS, entry)


def test_the_log_likelihood_is_that_of_a_softmax_with_the_first_level_at_0(monkeypatch, tmp_path):
    table, model = made(monkeypatch, tmp_path)
    rng = np.random.default_rng(2)
    with jax.enable_x64(True):
        function = handlers.seed(model.function, jax.random.key(0))
        trace = handlers.trace(function).get_trace(**model.data, **model.hyperparameters)
        latent = {name: np.exp(0.3 * rng.normal(size=np.shape(trace[name]["value"]))) for name in model.latents}
        whole, trace = log_density(model.function, (), {**model.data, **model.hyperparameters}, latent)
        prior = sum(float(trace[name]["fn"].log_prob(trace[name]["value"]).sum()) for name in model.latents)
    town = table.town.map({"a": 0, "b": 1, "c": 2}).to_numpy()
    etas = [np.zeros(len(table))]
    for level in ("car", "bike"):
        effects = np.asarray(trace[f"alpha_{level}_town"]["value"])
        etas.append(effects[town] + latent[f"beta_{level}_x"] * (table.x - table.x.mean()).to_numpy())
    scores = log_softmax(np.column_stack(etas), axis=1)
    observed = scores[np.arange(len(table)), table.travel.map({"bus": 0, "car": 1, "bike": 2})]
    np.testing.assert_allclose(float(whole) - prior, observed.sum(), rtol=1e-9)


def test_each_level_but_the_first_has_coefficients_and_effects(monkeypatch, tmp_path):
    _, model = made(monkeypatch, tmp_path)
    for level in ("car", "bike"):
        assert {f"alpha_at_means_{level}", f"beta_{level}_x", f"sigma_{level}_town"} <= set(model.latents)
    assert not any("bus" in name for name in model.latents)
