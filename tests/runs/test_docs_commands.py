"""Commands and programs in the documentation: typed as they stand, runs as dry runs; Python against
a small finished run."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import tadpool
from tadpool import ROOT
from tadpool.files import contracts, io
from tests import pages
from tests.made import programs, workflows

READ = [*pages.PAGES, ROOT / "config" / "README.md"]
SHELL = {page: found for page in READ if (found := [b for b in pages.blocks(page) if b.language == "sh" and b.run])}
# A dry run of the same command shows nothing new on another page.
ONCE = re.compile(r"(tadpool|snakemake|make)\b(?! new)[^#]*")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of tadpool whose environment is this one; Snakemake only plans."""
    place = tmp_path_factory.mktemp("clone")
    clone = workflows.copy_to(place / "tadpool").source
    for name in ("Makefile", "requirements.lock"):
        (clone / name).write_bytes((ROOT / name).read_bytes())
    for path, command in {
        clone / ".venv/bin/python": f'exec "{sys.executable}" "$@"',
        clone / ".venv/bin/snakemake": f'exec "{sys.executable}" -m snakemake "$@"',
        place / "bin/snakemake": f'exec "{sys.executable}" -m snakemake "$@"',
        place / "bin/uv": "exit 1",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{command}\n")
        path.chmod(0o755)
    (clone / ".venv/complete").touch()
    (place / "dry").mkdir()
    (place / "dry/profile.yaml").write_text("dry-run: true\n")
    return clone


@pytest.fixture(scope="module")
def typed():
    """Commands that were run already."""
    return set()


@pytest.mark.parametrize("page", SHELL, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_run(page, clone, typed):
    """In a folder of one's own beside tadpool's, with the files that the page showed before; `make`
    in tadpool's."""
    mine = clone.parent / "-".join(page.relative_to(ROOT).parts)
    mine.mkdir()
    pages.begin(mine)
    path = os.pathsep.join([str(clone.parent / "bin"), str(clone / "bin"), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "SNAKEMAKE_PROFILE": str(clone.parent / "dry")}
    for block in pages.blocks(page):
        if block.path and not block.wrong:
            pages.write(block, mine)
        if block in SHELL[page]:
            folder = clone if re.search(r"^make\b", block.text, re.MULTILINE) else mine
            lines = [line for line in block.text.splitlines() if not _again(line, typed)]
            done = subprocess.run(
                ["bash", "-eu"], input="\n".join(lines), cwd=folder, env=environment, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{block.name}:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"


def _again(line, typed):
    command = ONCE.match(line)
    words = command[0].strip().removesuffix(" -n") if command else ""
    again = words in typed
    typed |= {words} if words else set()
    return again


@pytest.fixture
def results(finished, tmp_path, monkeypatch):
    """Results in the current folder: the small study stands for those that pages name, since its
    rates by location are called alike."""
    for study in ("bakeries", "cookies"):
        names = {"hierarchical": "unpooled", "partial": "unpooled"}
        workflows.stand_in(finished.folder / "results" / "small", tmp_path / "results" / study, names)
    monkeypatch.chdir(tmp_path)
    return tadpool.load()


def test_python_of_the_pages_runs_on_results(results, capsys):
    found = [
        block for page in pages.PAGES for block in pages.blocks(page) if block.language == "python" and not block.path
    ]
    assert len(found) >= 4
    for block in found:
        exec(compile(block.text, block.name, "exec"), {})
        assert capsys.readouterr().out, f"{block.name} prints nothing"


def test_r_of_the_pages_reads_the_numbers_that_python_reads(results):
    fit = results.cookies.hierarchical
    fit.write_draws("draws.csv", ["lam"])
    by_package = {
        next(name for name in ("ncdf4", "posterior") if f"library({name})" in block.text): block
        for page in pages.PAGES
        for block in pages.blocks(page)
        if block.language == "r"
    }
    assert set(by_package) == {"ncdf4", "posterior"}
    printed = {
        name: programs.r(f"options(digits = 15)\n{block.text}", name, f"r-cran-{name}")
        for name, block in by_package.items()
    }
    means = fit.posterior["lam"].mean(["chain", "draw"]).to_numpy()
    assert np.array(re.sub(r"\[\d+\]", "", printed["ncdf4"]).split(), float) == pytest.approx(means, rel=1e-12)
    summary = [line.split() for line in printed["posterior"].splitlines() if "lam[" in line]
    assert [float(row[2]) for row in summary] == pytest.approx(means, rel=1e-2), "R prints three digits"


def test_every_netcdf_file_of_a_run_has_a_contract(finished):
    """The reference lists what there is, with the names of a study in place of <words>."""
    patterns = {re.compile(re.sub(r"<\w+>", r"[^/]+", path)): contract for path, contract in contracts.FILES.items()}
    results = finished.folder / "results"
    for path in sorted(results.rglob("*.nc")):
        found = [each for pattern, each in patterns.items() if pattern.fullmatch(str(path.relative_to(results)))]
        assert found, path
        io.read(path, found[0])
