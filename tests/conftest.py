"""What all tests share: JAX set up as jobs set it up, and the tables of exact values."""

import jax
import pytest

from tadpool import lanes
from tadpool.verification import known
from tests.faults.table import (  # noqa: F401 (hooks of pytest)
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)

lanes.start(2)


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """Tests of one model share its compiled program."""
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@pytest.fixture
def reference():
    """The exact posterior means and standard deviations of a model, indexed by parameter."""
    return known.reference
