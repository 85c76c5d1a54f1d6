"""A copy of the workflow in a folder of its own, with a small study that takes seconds."""

import os

import pytest

from tests.made.workflows import copy_to


@pytest.fixture(scope="session", autouse=True)
def own_compile_cache(tmp_path_factory):
    """Programs compiled by one workflow test serve the others, and no other run's."""
    old = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(tmp_path_factory.mktemp("tmp"))
    yield
    if old is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = old


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The small study, run to the end on two cores. Tests leave its files as they found them."""
    workflow = copy_to(tmp_path_factory.mktemp("finished") / "tadpool")
    workflow.run()
    return workflow
