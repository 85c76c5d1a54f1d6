"""What jobs are told of the config."""

import json

import pytest

from tadpool import config
from tadpool.workflow.specs import Specs


@pytest.mark.parametrize("settings", [{}, {"quick": {"draws": 50}}, {"sampler": {"until_ess": 1000}}])
def test_a_page_expects_the_sampler_that_its_fits_were_told(folder, settings):
    """Else no page can be made: a fit of another sampler is refused."""
    specs = Specs(config.read({"studies": ["cookies"], **settings}))
    expected = json.loads(specs.spec("render_report", {"study": "cookies"}))["samplers"]
    for entry, sampler in expected.items():
        assert sampler == json.loads(specs.spec("fit", {"study": "cookies", "model": entry}))["sampler"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"sampler": {"until_ess": 1000}}, 1000),
        ({"quick": {}}, 100),
        ({"quick": {"until_ess": None}}, None),
    ],
)
def test_a_quick_look_has_its_own_effective_sample_size(folder, settings, expected):
    specs = Specs(config.read({"studies": ["cookies"], **settings}))
    sampler = json.loads(specs.spec("fit", {"study": "cookies", "model": "pooled"}))["sampler"]
    assert sampler.get("until_ess") == expected
