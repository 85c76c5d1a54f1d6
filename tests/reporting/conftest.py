"""Made-up results of a study, in a folder that the test works in."""

from functools import partial

import pytest
from jinja2 import FileSystemBytecodeCache

from tadpool.reporting.html import environment
from tests.made.results import made, made_of_groups


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(tmp_path_factory):
    """Templates are compiled once for all pages, which takes most of the time of one."""
    kept = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "Environment", partial(environment.Environment, bytecode_cache=kept))
        yield


@pytest.fixture
def make(tmp_path, monkeypatch):
    """make(kinds, difference, doubtful): a study's results, see `made`."""
    monkeypatch.chdir(tmp_path)
    return partial(made, tmp_path)


@pytest.fixture
def grouped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return made_of_groups(tmp_path)
