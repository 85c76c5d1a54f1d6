"""What all tests share: JAX set up as jobs set it up, the tables of exact values, and how workers share the tests."""

import tadpool  # noqa: F401, I001 (before NumPy is loaded)

import jax
import pytest
from xdist.scheduler import LoadScopeScheduling

from tadpool.engine import lanes
from tadpool.verification import exact_values
from tests.faults import table
from tests.faults.table import pytest_configure, pytest_runtest_logreport, pytest_sessionfinish  # noqa: F401 (hooks of pytest)

# They take minutes, and their tests share what one worker has made. What starts last is short.
SLOW = ("tests/runs", "tests/faults", "tests/slurm", "tests/browser")

lanes.start(2)


class Together(LoadScopeScheduling):
    """One worker runs all tests of a slow folder, or of a file."""

    def _split_scope(self, nodeid):
        path = nodeid.partition("::")[0]
        return next((folder for folder in SLOW if path.startswith(f"{folder}/")), path)


def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)


def pytest_collection_modifyitems(items):
    table.pytest_collection_modifyitems(items)
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """Tests of one model share its compiled program."""
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A user's empty working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "studies").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def reference():
    """The exact posterior means and standard deviations of a model, indexed by parameter."""
    return exact_values.reference
