"""The plug-in contract, over every dataset and model file found."""

from pathlib import Path

import jax
import numpy as np
import pytest
import yaml
from numpyro import handlers
from numpyro.infer.util import compute_log_probs, initialize_model, log_density

from tadpool.errors import UserError
from tadpool.files import plugins
from tadpool.files.data_file import merged
from tadpool.fitting import sampling
from tadpool.loading import columns
from tadpool.loading.preparation import prepare
from tadpool.modelling import binding, densities, prior_checks
from tadpool.modelling.references import FORMULA
from tadpool.modelling.rungs import RUNGS
from tadpool.verification import exact_comparisons

STUDIES = {path.stem: yaml.safe_load(path.read_text()) for path in Path("config/studies").glob("*.yaml")}
ENTRIES = [(study, entry) for study, content in STUDIES.items() for entry in content["models"].values()]
USES = {(entry["model"], study) for study, entry in ENTRIES if "formula" not in entry}


def data_of(study):
    content = STUDIES[study]
    simulated = plugins.has_function(plugins.find("datasets", content["dataset"]), "simulate")
    arguments = content.get("arguments", {})
    return merged(prepare(content["dataset"], arguments, content["outcomes"], study, 1 if simulated else None))


@pytest.mark.parametrize("model", sorted(set(plugins.names("models")) - {*RUNGS, FORMULA}))
def test_every_model_is_used_by_a_study(model):
    assert model in {name for name, _ in USES}


@pytest.mark.parametrize("dataset", plugins.names("datasets"))
def test_every_dataset_is_used_by_a_study(dataset):
    assert dataset in {content["dataset"] for content in STUDIES.values()}


@pytest.mark.parametrize("study", sorted(STUDIES))
def test_a_dataset_has_named_dims_labels_and_descriptions(study):
    data = data_of(study)
    assert STUDIES[study]["unit"] in data.dims
    for dim in data.dims:
        assert dim in data.coords, f"{dim} has no labels"
        assert len(np.unique(data[dim])) == data.sizes[dim]
    for name, variable in data.data_vars.items():
        assert variable.attrs.get("long_name"), f"{name} has no long_name for axes and tables"


@pytest.mark.parametrize(("model", "study"), sorted(USES))
def test_a_model_keeps_the_contract(model, study, monkeypatch):
    """Looked at as a user's model is, it gets no word."""
    data = data_of(study)
    path = plugins.find("models", model)
    signature = plugins.signature(path)
    assert signature.outcomes, "no argument with the default None: nothing is observed"
    assert "$$" in plugins.load("models", model).__doc__, "the docstring states no model"
    assert "Source:" in plugins.load("models", model).__doc__, "the docstring names no source"
    monkeypatch.setattr(plugins, "is_own", lambda file: True)
    bound = binding.bind(model, data)
    prior_checks.check(bound, np.zeros(2, np.uint32))
    arguments = {**bound.data, **bound.hyperparameters}
    trace = handlers.trace(handlers.seed(bound.function, 0)).get_trace(**arguments)
    plates = {frame.name for site in trace.values() for frame in site.get("cond_indep_stack", [])}
    assert plates <= set(data.dims), "a plate is not a dim of the dataset"
    for name in signature.outcomes:
        assert trace[name]["is_observed"]
        assert trace[name]["value"].shape == data[name].shape
    prior = handlers.trace(handlers.seed(bound.function, 1)).get_trace(**bound.inputs, **bound.hyperparameters)
    for name, site in prior.items():
        if site["type"] in ("sample", "deterministic"):
            assert np.isfinite(site["value"]).all(), f"a prior draw of {name} is not finite"
    latents = {name: prior[name]["value"] for name in bound.latents}
    density, _ = log_density(bound.function, (), arguments, latents)
    assert np.isfinite(density)
    info = initialize_model(jax.random.key(2), bound.function, model_kwargs=arguments).param_info
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(info.z_grad))


def test_models_have_the_known_log_densities():
    found = exact_comparisons.log_densities(None, 1)
    assert [(value.quantity, value.exact) for value in found] == [
        ("frogs_predator", -424.2154),
        ("mundlak_latent", -647.5650),
    ]
    assert [value.sentence for value in found if not value.holds] == []


def test_finding_names_what_is_missing_or_there_twice(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="did you mean 'frogs_multilevel'"):
        plugins.find("models", "frog_multilevel")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "frogs_multilevel.py").write_text("")
    (tmp_path / "models" / "mine.py").write_text("def model(y=None, *, a=1.0, b=True, c='x', d=2): pass\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="rename yours"):
        plugins.find("models", "frogs_multilevel")
    assert plugins.find("models", "mine") == tmp_path / "models" / "mine.py"
    assert plugins.signature(plugins.find("models", "mine")).hyperparameters == {"a": 1.0, "b": True, "c": "x", "d": 2}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def model(:", "line 1"),
        ("x = 1", "no function model"),
        ("def model(y=None, *, a): pass", "hyperparameter a needs"),
        ("def model(y=None, *, a=dist.Normal): pass", "hyperparameter a needs"),
    ],
)
def test_a_model_that_cannot_be_read_is_named(tmp_path, source, words):
    path = tmp_path / "mine.py"
    path.write_text(source)
    with pytest.raises(UserError, match=words) as caught:
        plugins.signature(path)
    assert "mine.py" in str(caught.value)


def table(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    return columns.read(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("text", "read", "words"),
    [
        (
            "a\n1\nx\n",
            lambda t: columns.numbers(t, "a"),
            "line 3, column a: x is not allowed: it must be a finite number",
        ),
        (
            "a\n1\n\n2.5\n",
            lambda t: columns.integers(t, "a"),
            "line 3, column a: 2.5 is not allowed: it must be a whole",
        ),
        (
            "a\n1\n-1\n",
            lambda t: columns.integers(t, "a", at_least=0),
            "line 3, column a: -1 is not allowed: the minimum is 0",
        ),
        (
            "a,n\n3,2\n",
            lambda t: columns.integers(t, "a", at_most=t["n"]),
            "line 2, column a: 3 .* the maximum is column n",
        ),
        ("a\nyes\nmaybe\n", lambda t: columns.binary(t, "a", "no", "yes"), "line 3, column a: maybe"),
        (
            "a,b\n,1\nx,2\n",
            lambda t: columns.index(t, "a"),
            "line 2, column a: nan is not allowed: every row must have a group",
        ),
        ("acb\n1\n", lambda t: columns.numbers(t, "abc"), "no column 'abc'; did you mean 'acb'"),
        ("a\n", lambda t: t, "no rows"),
        ("", lambda t: t, "cannot be read as CSV"),
    ],
)
def test_a_bad_cell_is_named_by_line_and_column(tmp_path, text, read, words):
    with pytest.raises(UserError, match=words) as caught:
        read(table(tmp_path, text))
    assert "data/t.csv" in str(caught.value)


def test_a_group_index_points_into_sorted_labels(tmp_path):
    positions, labels = columns.index(table(tmp_path, "g\nb\na\nb\n"), "g")
    assert list(labels) == ["a", "b"]
    assert list(positions) == [1, 0, 1]


DATASET = """
import numpy as np
import xarray as xr

TABLES = ()


def load(tables, *, gap=False, broken=False):
    if broken:
        return tables["no.csv"]
    x = np.array([0.5, np.nan if gap else 1.0])
    return xr.Dataset({"y": ("nest", [1, 2]), "x": ("nest", x)}, coords={"nest": ["a", "b"]})
"""


@pytest.mark.parametrize(
    ("arguments", "dims", "words"),
    [
        ({}, ["nset"], "study s: 'nset' is not a dim of dataset mine; did you mean 'nest'?"),
        ({"gap": True}, ["nest"], "dataset mine: x of nest b is missing"),
        ({"broken": True}, ["nest"], "datasets/mine.py, line 10: loading the tables failed: KeyError: 'no.csv'"),
    ],
)
def test_a_dataset_that_cannot_serve_is_explained(tmp_path, monkeypatch, arguments, dims, words):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mine.py").write_text(DATASET)
    monkeypatch.chdir(tmp_path)
    assert prepare("mine", {}, ["y"], "s", dims=["nest"])["observed_data"].sizes == {"nest": 2}
    with pytest.raises(UserError) as caught:
        prepare("mine", arguments, ["y"], "s", dims=dims)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("model", "study"),
    [
        ("frogs_predator", "reedfrogs"),
        ("masking_masked", "masking"),
        ("mundlak_latent", "mundlak"),
        ("radon_hierarchical", "radon"),
        ("trolley_partial_pooling", "trolley"),
    ],
)
def test_log_prior_and_log_likelihood_are_those_of_numpyro(model, study):
    """At two prior draws: the sums over sites' elements against NumPyro's own log densities."""
    bound = binding.bind(model, data_of(study))
    arguments = {**bound.data, **bound.hyperparameters}
    points, likelihoods = [], []
    for seed in range(2):
        drawn = handlers.trace(handlers.seed(bound.function, seed)).get_trace(**bound.inputs, **bound.hyperparameters)
        points.append({name: np.asarray(drawn[name]["value"]) for name in bound.latents})
        expected, _ = compute_log_probs(bound.function, (), arguments, points[-1])
        found = densities.site_log_prior(bound, points[-1], arguments)
        assert set(found) == set(bound.latents) == set(expected) - set(bound.outcomes)
        for name, values in found.items():
            assert values.sum() == pytest.approx(float(expected[name]), rel=1e-9), name
        likelihoods.append(sum(float(expected[name]) for name in bound.outcomes))
    posterior = binding.labelled(bound, {name: np.stack([p[name] for p in points])[None] for name in bound.latents})
    np.testing.assert_allclose(sampling.joint_log_likelihood(bound, posterior), [likelihoods], rtol=1e-9)
