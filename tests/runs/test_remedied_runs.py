"""A funnel, two modes and a likelihood of 0, beside a sound model: each gets what
it needs."""

import json

import pytest

from tadpool.files import contracts, io
from tests.made.workflows import copy_to

DATASET = '''"""Effects of coaching in eight schools (Rubin 1981)."""

import xarray as xr


def load(tables):
    """Dims: school."""
    effects, errors = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0], [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]
    return xr.Dataset(
        {
            "y": ("school", effects, {"long_name": "effect", "units": "points"}),
            "error": ("school", errors, {"long_name": "standard error", "units": "points"}),
        },
        coords={"school": list("ABCDEFGH")},
    )
'''
HEAD = '''"""{title}. $$x$$ Source: Rubin (1981), Journal of Educational Statistics 6:377-401."""
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

{constant}

def model(error, y=None, *, scale=5.0):
    mu = numpyro.sample("mu", dist.Normal(0.0, scale))
'''
PLATE = """    with numpyro.plate("school", error.shape[0]):
"""
OBSERVED = """        numpyro.sample("y", dist.Normal({mean}, {error}), obs=y)
"""
MODELS = {
    "sound": HEAD.format(title="One effect", constant="") + PLATE + OBSERVED.format(mean="mu", error="error"),
    "funnel": HEAD.format(title="Centred", constant='REPARAMETRIZE = ("theta",)\n')
    + '    tau = numpyro.sample("tau", dist.HalfCauchy(scale))\n'
    + PLATE
    + '        theta = numpyro.sample("theta", dist.Normal(mu, tau))\n'
    + OBSERVED.format(mean="theta", error="error"),
    "modes": HEAD.format(title="Two modes", constant="")
    + PLATE
    + OBSERVED.format(mean="8.0 * jnp.abs(mu)", error="0.1 * error"),
    "broken": HEAD.format(title="Impossible data", constant="")
    + PLATE
    + '        numpyro.sample("y", dist.Uniform(0.0 * mu, 100.0, validate_args=True), obs=y)\n',
}
STUDY = """
title: Schools
question: What is remedied, and what is not?
dataset: schools
outcomes: [y]
unit: school
groups: [school]
models:
  sound: {model: sound}
  funnel: {model: funnel}
  modes: {model: modes, sampler: {chains: 10}}
  broken: {model: broken}
comparisons:
  main: {entries: [sound, funnel, modes, broken]}
predictions:
  funnel: {group: school, rows: [{error: 10.0}]}
"""
CONFIG = "seed: 1\nsampler: {chains: 4, warmup: 400, draws: 400}\nstudies: [schools]\n"


@pytest.fixture(scope="module")
def schools(tmp_path_factory):
    """The finished run, which failed, and its folder of results."""
    workflow = copy_to(tmp_path_factory.mktemp("schools") / "tadpool")
    for name, text in MODELS.items():
        io.write_text(workflow.folder / "models" / f"{name}.py", text)
    io.write_text(workflow.folder / "datasets" / "schools.py", DATASET)
    io.write_text(workflow.folder / "config" / "config.yaml", CONFIG)
    io.write_text(workflow.folder / "config" / "studies" / "schools.yaml", STUDY)
    return workflow.run(check=False), workflow.folder / "results" / "schools"


def check(schools, entry):
    return io.read_json(schools[1] / entry / "check.json")


def test_the_run_fails_after_the_report_is_built(schools):
    done, results = schools
    assert done.returncode != 0
    assert "results/schools/modes failed: The chains settled in separate modes of mu" in done.stderr
    assert "results/schools/broken failed: Sampling failed" in done.stderr
    assert "results/schools/funnel failed" not in done.stderr
    assert "Traceback" not in done.stderr
    assert (results / "index.html").is_file()
    assert (results.parent / "index.html").is_file()
    assert not (results.parent / "gate.json").exists()


def test_a_funnel_is_caught_and_reparametrized(schools):
    """In 50 seeds 1600 draws of the centred model had at least 6 divergences: none at all is a rare
    event."""
    found = check(schools, "funnel")
    attempts = found["attempts"]
    assert found["verdict"] == "pass", found["reasons"]
    assert attempts[0]["verdict"] in ("warn", "fail")
    assert attempts[0]["diagnostics"]["diverging"] > 0
    assert attempts[1]["because"]["code"] == "diverging"
    assert [each["attempt"] for each in attempts] == sorted(each["attempt"] for each in attempts)
    last = attempts[-1]
    assert last["settings"]["reparametrized"] == ["theta"]
    assert last["verdict"] == "pass"
    tree = io.read(schools[1] / "funnel" / "fit.nc", contracts.FIT)
    assert json.loads(tree.attrs["attempts"]) == attempts
    assert last["settings"]["draws"] == tree["posterior"].sizes["draw"]
    assert tree["posterior"]["theta"].attrs["site"] == "latent"
    predicted = io.read(schools[1] / "funnel" / "predictions.nc", contracts.PREDICTIONS)
    assert predicted["predictions"]["theta"].sizes["school"] == 1
    page = (schools[1] / "index.html").read_text()
    assert "reparametrized theta" in page
    assert "theta_decentered" not in page


def test_two_modes_are_named_and_not_sampled_again(schools):
    """All 10 chains start in the same mode once in 512 seeds."""
    found = check(schools, "modes")
    assert found["verdict"] == "fail"
    assert found["reasons"][0]["code"] == "modes"
    assert {each["attempt"] for each in found["attempts"]} == {0}
    assert "another seed would only hide a mode" in (schools[1] / "index.html").read_text()


def test_values_that_are_not_numbers_fail_alone(schools):
    assert check(schools, "broken")["verdict"] == "fail"
    assert len(check(schools, "broken")["attempts"]) == 1
    assert check(schools, "sound")["verdict"] == "pass"


def test_failed_models_have_no_rank(schools):
    _, *rows = (schools[1] / "comparisons" / "main.csv").read_text().splitlines()
    ranked = {row.split(",")[0]: row.split(",")[2] for row in rows}
    assert {name: bool(rank) for name, rank in ranked.items()} == {
        "sound": True,
        "funnel": True,
        "modes": False,
        "broken": False,
    }
