"""One fit of many that fails, crashes, hangs or needs more memory than there is: the others go on,
and the page is made."""

import pytest

from tadpool.convergence.sentences import sentence
from tadpool.files import io
from tests.made.workflows import small

MODEL = '''"""Fails in its own way. $$x$$ Source: none."""
import os
import signal
import time

import numpy as np
import numpyro
import numpyro.distributions as dist


def model(n_cookie, chips=None, *, how="raise"):
    if chips is not None and how == "raise":
        raise ValueError("the model gives up")
    if chips is not None and how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if chips is not None and how == "hang":
        time.sleep(3600)
    if chips is not None and how == "memory":
        np.ones(1 << 55)
    rate = numpyro.sample("rate", dist.Gamma(2.0, 0.2))
    with numpyro.plate("cookie", n_cookie):
        numpyro.sample("chips", dist.Poisson(rate), obs=chips)
'''
WAYS = {
    "raise": "ValueError: the model gives up",
    "segfault": "SIGSEGV (a crash in compiled code)",
    "hang": "ran out of its time, 1 min (`runtime`)",
    "memory": "Unable to allocate",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with one good entry and one for each way to fail; fits and priors have one minute."""
    workflow = small(tmp_path_factory.mktemp("fits") / "tadpool")
    (workflow.folder / "models").mkdir()
    (workflow.folder / "models" / "failing.py").write_text(MODEL)
    study = workflow.folder / "config" / "studies" / "small.yaml"
    head = study.read_text().split("models:")[0]
    entries = "".join(f"  {how}: {{model: failing, hyperparameters: {{how: {how}}}}}\n" for how in WAYS)
    study.write_text(f"{head}sensitivity: false\nmodels:\n  good: {{model: cookies_pooled}}\n{entries}")
    return workflow, workflow.run("--set-resources", "fit:runtime=1", "sample_prior:runtime=1", check=False)


@pytest.mark.parametrize("how", WAYS)
def test_one_fit_that_fails(run, how):
    """Others finish, the page shows it as failed with its cause, and the status is not 0."""
    workflow, done = run
    results = workflow.folder / "results" / "small"
    assert done.returncode != 0
    assert f"results/small/{how} failed" in done.stderr
    check = io.read_json(results / how / "check.json")
    assert check["verdict"] == "fail"
    assert WAYS[how] in sentence(check["reasons"][0])
    assert WAYS[how].split(" (")[0] in (results / "index.html").read_text()
    assert io.read_json(results / "good" / "check.json")["diagnostics"]
    assert (results.parent / "index.html").exists()


def test_fits_that_crashed_are_tried_again(run):
    """The next run tries them again, and no other fit."""
    assert run[0].plan()["fit"] == len(WAYS)
