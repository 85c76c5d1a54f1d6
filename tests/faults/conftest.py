"""Runs of the workflow share what they compile."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def compiled_by_runs(own_compile_cache):
    """Also where a test does not ask for a finished run."""
