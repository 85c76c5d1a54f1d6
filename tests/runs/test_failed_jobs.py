"""Jobs of many kinds fail in one run: everything else is made, and the next run makes the rest."""

import pytest

from tadpool.files import contracts, io
from tests.made import workflows

PLANTED = """
    from pathlib import Path
    if Path("planted").exists() and ({where}):
        raise RuntimeError("planted in {name}")
"""
SCRIPTS = {
    "sample_prior": "True",
    "cross_validate": "entry.entry == 'pooled' or 'sweeps' in job.output",
    "compare": "True",
}
"""Script -> where it fails."""


def plant(path, name, where, after):
    text = path.read_text()
    at = text.index(after) + len(after)
    path.write_text(text[:at] + PLANTED.format(name=name, where=where) + text[at:])


@pytest.fixture
def planted(tmp_path, own_compile_cache):
    """A small study in which jobs fail while there is a file `planted`."""
    made = workflows.small(tmp_path / "run")
    for name in ("sample_prior", "cross_validate"):
        after = "    entry, settings = Entry.parse(spec)\n"
        plant(made.source / f"scripts/{name}.py", name, SCRIPTS[name], after)
    after = "def main(loos, checks, table, entries, target, rank_failed=False):\n"
    plant(made.source / "scripts/compare.py", "compare", SCRIPTS["compare"], after)
    after = "def draw(results, *, entry: str) -> Drawn:\n"
    plant(made.source / "tadpool/figures/energy.py", "energy", "entry == 'pooled'", after)
    (made.folder / "planted").touch()
    return made


def test_failed_jobs_cost_what_they_make_and_are_tried_again(planted):
    done = planted.run(cores=2, check=False)
    assert done.returncode != 0
    results = planted.folder / "results"
    missing = {
        "pooled/prior.nc has no numbers": "sample_prior",
        "unpooled/prior.nc has no numbers": "sample_prior",
        "pooled/loo.nc has no numbers": "cross_validate",
        "sweeps/shape/loo.nc has no numbers": "cross_validate",
        "comparisons/main.csv has no ranks": "compare",
        "figures/pooled-energy could not be drawn": "energy",
    }
    page = (results / "small/index.html").read_text()
    for what, name in missing.items():
        said = f"results/small/{what}: RuntimeError: planted in {name} (log: results/small/logs/"
        assert said in done.stderr
        assert f"planted in {name} (log:" in page
    assert f"{len(missing)} results of this study could not be made." in page
    assert f"{len(missing)} results of small could not be made." in (results / "index.html").read_text()
    assert (results / "small/figures/unpooled-energy.svg").is_file()
    assert "loo" in io.read(results / "small/unpooled/loo.nc", contracts.LOO).children
    again = planted.plan()
    assert {name: again[name] for name in ("sample_prior", "cross_validate", "cross_validate_sweep", "compare")} == {
        "sample_prior": 2,
        "cross_validate": 1,
        "cross_validate_sweep": 1,
        "compare": 1,
    }
    assert again["fit"] == 0
    (planted.folder / "planted").unlink()
    planted.run(cores=2)
    assert "could not be made" not in (results / "small/index.html").read_text()
    assert not planted.plan()
