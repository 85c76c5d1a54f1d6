"""Made-up results of a study, in a folder that the test works in."""

from functools import partial

import pytest

from tests.made.results import made, made_of_groups


@pytest.fixture
def make(tmp_path, monkeypatch):
    """make(kinds, difference, doubtful): a study's results, see `made`."""
    monkeypatch.chdir(tmp_path)
    return partial(made, tmp_path)


@pytest.fixture
def grouped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return made_of_groups(tmp_path)
