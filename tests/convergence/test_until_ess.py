"""Chains that go on until their effective sample size is enough: how long, and that their draws are
those of one run of that length."""

import json

import numpy as np
import pytest
import xarray as xr

from tadpool import config
from tadpool.convergence import remedies
from tadpool.engine import lanes
from tadpool.engine.checkpoints import CheckpointStore
from tadpool.files.data_file import merged
from tadpool.fitting import fit_job, sampling
from tadpool.loading.preparation import prepare
from tadpool.modelling import binding
from tadpool.workflow.specs import Specs

SAMPLER = {"chains": 2, "warmup": 150, "draws": 50, "target_accept": 0.8, "max_tree_depth": 10, "precision": "float64"}
ADDRESS = {"seed": 1, "study": "s", "entry": "e", "role": "fit"}


def following(draws, ess, tail=None, until=1000, reasons=()):
    """The draws of the stretch after one of so many draws with this smallest ESS."""
    step = remedies.Step(0, {"draws": draws})
    diagnostics = {"ess_bulk_min": ess, "ess_tail_min": ess if tail is None else tail}
    report = {"diagnostics": diagnostics, "reasons": [{"code": code} for code in reasons]}
    longer = remedies.longer(step, report, 250, until)
    return longer and longer.settings["draws"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"draws": 250, "ess": 1000}, None),
        ({"draws": 250, "ess": 999}, 500),  # at least another block
        ({"draws": 250, "ess": 3000, "tail": 700}, 500),  # bulk and tail
        ({"draws": 500, "ess": 800}, 750),  # 1.1 x 500 x 1000 / 800, in whole blocks
        ({"draws": 500, "ess": 20}, 1000),  # no more than twice as many
        ({"draws": 1250, "ess": 300}, 2000),  # no more than 8 times the draws
        ({"draws": 2000, "ess": 300}, None),
        ({"draws": 250, "ess": None}, None),  # nothing to go by
        ({"draws": 250, "ess": 3, "reasons": ["modes"]}, None),
    ],
)
def test_chains_go_on_for_as_long_as_they_seem_to_need(arguments, expected):
    assert following(**arguments) == expected


@pytest.fixture(scope="module")
def bound():
    return binding.bind("frogs_multilevel", merged(prepare("reedfrogs", {}, ["survived"], "s", None, ["tank"])))


def test_a_fit_goes_on_until_it_has_what_is_asked_for(bound):
    """Its draws are, bit for bit, those of one run; a stretch is recorded as one sampling."""
    sampled, attempts, report = fit_job.sample_with_remedies(bound, ADDRESS, {**SAMPLER, "until_ess": 300}, None, [])
    (attempt,) = attempts
    draws = attempt["settings"]["draws"]
    assert 150 <= draws <= 400
    assert sampled.groups["posterior"].sizes["draw"] == draws
    assert min(report["diagnostics"][name] for name in ("ess_bulk_min", "ess_tail_min")) >= 300 or draws == 400
    assert (attempt["verdict"], attempt["diagnostics"]) == (report["verdict"], report["diagnostics"])
    whole = sampling.sample(
        bound, {**ADDRESS, "attempt": 0}, 2, lanes.Sampler.from_settings({**SAMPLER, "draws": draws})
    )
    xr.testing.assert_identical(sampled.groups["posterior"], whole.groups["posterior"])


def test_a_fit_that_was_stopped_goes_on_to_the_same_draws(bound, tmp_path):
    """Whatever the store has of it, each stretch is kept by itself: the second run only reads."""
    runs = [
        fit_job.sample_with_remedies(
            bound,
            ADDRESS,
            {**SAMPLER, "until_ess": 300},
            None,
            [],
            store=CheckpointStore(tmp_path / "kept", "key", every=0.0),
        )
        for _ in range(2)
    ]
    xr.testing.assert_identical(runs[0][0].groups["posterior"], runs[1][0].groups["posterior"])
    draws = runs[0][0].groups["posterior"]["alpha_bar"].values.reshape(-1)
    assert len(np.unique(draws)) == len(draws)  # no stretch stands for another


def test_only_fits_go_on():
    """The key reaches no other job, and a fit of a quick look has its own."""
    overlay = {"studies": ["reedfrogs"], "sampler": {"until_ess": 1000, "draws": 250}}
    quick = {"quick": {"draws": 100}}

    def spec(rule, further=None, **wildcards):
        return json.loads(
            Specs(config.read({**overlay, **(further or {})})).spec(rule, {"study": "reedfrogs", **wildcards})
        )

    assert spec("fit", model="multilevel")["sampler"]["until_ess"] == 1000
    assert spec("fit", quick, model="multilevel")["sampler"]["until_ess"] == 100
    assert "until_ess" not in json.dumps([spec("sweep", quick, sweep="sigma"), spec("sweep", sweep="sigma")])
