"""A small workflow for faults: two entries and a sweep with short chains, as a quick look, in about a minute."""

import pytest

from tests.made.workflows import digests, small


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The small study, run to its end; tests copy it. Its digests are what disturbed runs have to come to."""
    workflow = small(tmp_path_factory.mktemp("undisturbed") / "tadpool")
    workflow.run()
    return workflow, digests(workflow.folder)
