"""A study of one's own beside the built-in ones: one model file, one study file, and nothing else
is touched."""

import textwrap

from tadpool.files import io

MODEL = '''
r"""Chips as one negative binomial.

$$
y_i \\sim \\mathrm{NegativeBinomial}(\\mu, \\phi)
$$

Source: made up.
"""

import numpyro
import numpyro.distributions as dist


def model(n_cookie, chips=None, *, mean_rate=0.1):
    mean = numpyro.sample("mean", dist.Exponential(mean_rate))
    concentration = numpyro.sample("concentration", dist.Exponential(0.1))
    with numpyro.plate("cookie", n_cookie):
        numpyro.sample("chips", dist.NegativeBinomial2(mean, concentration), obs=chips)
'''

STUDY = """
title: Overdispersion
question: Do cookies vary more than a Poisson distribution allows?
dataset: cookies
outcomes: [chips]
unit: cookie
groups: [location]
models:
  overdispersed: {model: eighth}
  poisson: {model: cookies_pooled}
comparisons:
  main: {entries: [overdispersed, poisson]}
"""


def test_a_model_file_and_a_study_file_make_a_study(finished, tmp_path):
    """The other study's results stay as they are; `studies` with one name runs that one alone."""
    workflow = finished.copy(tmp_path / "tadpool")
    before = {path: path.read_bytes() for path in (workflow.folder / "results" / "small").rglob("*.nc")}
    (workflow.folder / "models").mkdir()
    (workflow.folder / "models" / "eighth.py").write_text(textwrap.dedent(MODEL).lstrip())
    (workflow.folder / "config" / "studies" / "eighth.yaml").write_text(STUDY)
    planned = workflow.plan("--config", "studies=[eighth]")
    assert planned["fit"] == 2
    assert planned["prepare_data"] == planned["draw_figures"] == planned["render_report"] == 1
    assert planned["sweep"] == 0
    workflow.run("--config", "studies=[eighth]")
    results = workflow.folder / "results"
    assert io.read_json(results / "eighth" / "overdispersed" / "check.json")["verdict"] != "fail"
    assert "overdispersed" in (results / "eighth" / "comparisons" / "main.csv").read_text()
    assert "Overdispersion" in (results / "eighth" / "index.html").read_text()
    assert "eighth/index.html" in (results / "index.html").read_text()
    assert "small/index.html" not in (results / "index.html").read_text()
    assert before == {path: path.read_bytes() for path in before}
