"""What all tests share: JAX as jobs set it up, exact values, small finished runs, and which tests
run when.

Marks are in `tests/made/marks.py`.
"""

import tadpool  # noqa: F401, I001 (before NumPy is loaded)

import os

import jax
import pytest

from tadpool.engine import lanes
from tadpool.verification import exact_values
from tests.made import marks, programs, workflows

lanes.start(2)


def pytest_configure(config):
    for name, meaning in marks.MEANINGS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        for mark, places in marks.PLACES.items():
            if item.nodeid.startswith(places):
                item.add_marker(mark)
    items.sort(key=_position)


def _position(item):
    return next((i for i, place in enumerate(marks.FIRST) if item.nodeid.startswith(place)), len(marks.FIRST))


def pytest_unconfigure(config):
    """The last line of the output says what was not tested and what to install for it."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not hasattr(config, "workerinput"):
        skipped = {str(report.longrepr[2]) for report in reporter.stats.get("skipped", []) if report.longrepr}
        if lacking := sorted({reason.removeprefix("Skipped: ") for reason in skipped if programs.ADVICE in reason}):
            reporter.write_line(f"Not all was tested here. {' '.join(lacking)}")


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """Tests of one model share its compiled program."""
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all workers of this session see."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "shared"


@pytest.fixture(scope="session")
def own_compile_cache(shared):
    """Programs that one run of the workflow compiled serve the others of this session, and no other
    session's."""
    old, place = os.environ.get("TMPDIR"), shared / "tmp"
    place.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(place)
    yield
    if old is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = old


@pytest.fixture(scope="session")
def finished(shared, own_compile_cache):
    """The small study, run to its end on two cores. Tests change copies of it alone."""
    folder = workflows.once(shared / "finished", lambda place: workflows.copy_to(place).run(cores=2))
    return workflows.Workflow(folder, folder)


@pytest.fixture(scope="session")
def undisturbed(shared, own_compile_cache):
    """The smaller study, run to its end, and its digests, which disturbed runs have to come to."""
    folder = workflows.once(shared / "undisturbed", lambda place: workflows.small(place).run(cores=2))
    return workflows.Workflow(folder, folder), workflows.digests(folder)


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
