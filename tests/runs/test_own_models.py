"""Models of one's own: mistakes are sentences while other fits go on, and an edited helper re-runs
the fits that use it."""

import pytest

from tadpool.files import io

IMPORTS = "import numpyro\nimport numpyro.distributions as dist\n"
MODEL = """
def model(n_cookie, chips=None):
    rate = numpyro.sample("rate", dist.Exponential(0.1))
{more}
    with numpyro.plate("cookie", n_cookie):
        numpyro.sample("chips", dist.Poisson(rate), obs=chips)
"""
MODELS = {
    "helped": "from helpers import centred\n"
    + IMPORTS
    + MODEL.format(more='    numpyro.deterministic("excess", centred(rate))'),
    "weighed": IMPORTS + MODEL.format(more='    numpyro.factor("extra", -rate)'),
    "unimportable": "import nowhere\n" + IMPORTS + MODEL.format(more=""),
}
STUDY = """
title: Own
question: Which models are right?
dataset: cookies
outcomes: [chips]
unit: cookie
sensitivity: false
refit_budget: 0
sampler: {warmup: 100, draws: 100}
models:
"""


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    """A workflow with three models of its own, two of them wrong, and what its run said."""
    workflow = finished.copy(tmp_path_factory.mktemp("own") / "tadpool")
    (workflow.folder / "models").mkdir()
    for name, source in MODELS.items():
        (workflow.folder / "models" / f"{name}.py").write_text(source)
    (workflow.folder / "models" / "helpers.py").write_text("def centred(rate):\n    return rate - 9\n")
    entries = "".join(f"  {name}: {{model: {name}}}\n" for name in MODELS)
    (workflow.folder / "config" / "studies" / "own.yaml").write_text(STUDY + entries)
    return workflow, workflow.run("--config", "studies=[own]", check=False)


def test_mistakes_of_models_are_sentences_and_the_others_finish(run, finished):
    workflow, done = run
    results = workflow.folder / "results" / "own"
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    for name, sentence in {
        "weighed": "models/weighed.py, line 6: the factor extra adds to the log density",
        "unimportable": "models/unimportable.py, line 1: the file cannot be imported: ModuleNotFoundError: No",
    }.items():
        assert f"results/own/{name}/fit.nc: {sentence}" in done.stderr
        assert io.attributes(results / name / "fit.nc")["status"] == "crashed"
        assert sentence.split(": ", 1)[1] in (results / "index.html").read_text().replace("&#39;", "'")
    assert io.attributes(results / "helped" / "fit.nc")["status"] == "ok"
    for path in (finished.folder / "results" / "small").rglob("*.nc"):
        kept = workflow.folder / path.relative_to(finished.folder)
        assert kept.read_bytes() == path.read_bytes()


def test_an_edited_helper_reruns_the_fits_that_use_it(run):
    workflow, _ = run
    fits, both = ["results/own/helped/fit.nc", "results/small/pooled/fit.nc"], ["--config", "studies=[small,own]"]
    helper = workflow.folder / "models" / "helpers.py"
    helper.write_text(helper.read_text().replace("9", "9  # chips"))
    assert workflow.plan(*fits, *both) == {}
    helper.write_text(helper.read_text().replace("rate - 9", "rate - 8"))
    assert workflow.plan(*fits, *both) == {"fit": 1}
