"""A small workflow for faults: two entries and a sweep with short chains, as a quick look, in about a minute."""

import pytest

from tests.runs.conftest import copy_to, digests

CONFIG = """
seed: 1
quick: {chains: 2, warmup: 100, draws: 100}
studies: [small]
"""
STUDY = """
title: Small
question: Does it survive?
dataset: cookies
outcomes: [chips]
unit: cookie
models:
  pooled: {model: cookies_pooled}
  unpooled: {model: cookies_unpooled, hyperparameters: {lam_shape: 2.0}}
sweeps:
  shape: {entry: unpooled, over: lam_shape, values: [1.0, 2.0]}
comparisons:
  main: {entries: [pooled, unpooled]}
"""


def small(place):
    """The small study in a new folder."""
    workflow = copy_to(place)
    (workflow.folder / "config" / "config.yaml").write_text(CONFIG)
    (workflow.folder / "config" / "studies" / "small.yaml").write_text(STUDY)
    return workflow


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The small study, run to its end; tests copy it. Its digests are what disturbed runs have to come to."""
    workflow = small(tmp_path_factory.mktemp("undisturbed") / "tadpool")
    workflow.run()
    return workflow, digests(workflow.folder)
