"""The locks and environment.yml name what pyproject.toml asks for, at the same versions, and
nothing that is not used."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from tadpool import ROOT

CONDA_NAMES = {"snakemake": "snakemake-minimal"}
# conda packages that pip gets in another way: with an extra, or bundled in a wheel.
BESIDES = {"python", "graphviz", "xarray-einstats"}
# Dependencies that are used without an import: Snakemake's plug-in and its report, and what xarray
# reads NetCDF with.
NOT_IMPORTED = {"snakemake-executor-plugin-slurm", "pygments", "netcdf4"}


def locked(name="requirements.lock"):
    lines = (ROOT / name).read_text().splitlines()
    pins = [re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line) for line in lines]
    return {CONDA_NAMES.get(pin[1], pin[1]): pin[2] for pin in pins if pin}


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements):
    return {re.match(r"[A-Za-z0-9._-]+", requirement)[0] for requirement in requirements}


def wanted():
    return {CONDA_NAMES.get(name, name) for name in names(project()["project"]["dependencies"])}


def conda():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    return dict([*dependency.split("="), ""][:2] for dependency in environment["dependencies"])


def test_every_direct_dependency_is_named_and_nothing_else():
    assert set(conda()) - BESIDES == wanted()


def test_versions_are_those_of_the_lock():
    versions = {name: version for name, version in conda().items() if name in locked()}
    assert versions == {name: locked()[name] for name in versions}
    assert set(conda()) - set(versions) == {"python", "graphviz"}


def test_the_lock_of_studies_has_no_tools_of_developers_and_theirs_has_the_same_versions():
    studies, tools = locked(), locked("requirements-dev.lock")
    groups, extras = project()["dependency-groups"], project()["project"]["optional-dependencies"]
    needed = names([*groups["test"], *groups["lint"], *groups["docs"], *extras["parquet"]])
    assert needed <= set(tools)
    assert not needed & set(studies)
    shared = set(studies) & set(tools)
    assert {name: tools[name] for name in shared} == {name: studies[name] for name in shared}


def test_the_lock_with_storage_has_the_versions_of_studies_but_one():
    """The client of S3 needs an older python-dateutil."""
    studies, storage = locked(), locked("requirements-storage.lock")
    assert names(project()["dependency-groups"]["storage"]) <= set(storage)
    assert {name for name in studies if storage[name] != studies[name]} <= {"python-dateutil"}


def test_every_dependency_is_imported():
    imported = set()
    for path in [*(ROOT / "tadpool").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.partition(".")[0])
    packages = {each.lower() for name, found in packages_distributions().items() if name in imported for each in found}
    packages.add("snakemake")  # the Snakefile imports it
    assert names(project()["project"]["dependencies"]) - packages == NOT_IMPORTED


def test_python_is_that_of_the_project():
    assert conda()["python"] == (ROOT / ".python-version").read_text().strip()


NUMBERS = """
import hashlib
import numpy as np

x = np.random.default_rng(1).normal(size=(256, 256))
found = [np.exp(x), np.log(np.abs(x)), np.log1p(np.abs(x)), np.tanh(x)]
print(hashlib.sha256(b"".join(array.tobytes() for array in found)).hexdigest())
"""


def numbers(first, **environment):
    held = "NPY_DISABLE_CPU_FEATURES"
    environment |= {name: value for name, value in os.environ.items() if name != held} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", first + NUMBERS]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_numpy_rounds_as_on_a_processor_without_the_widest_instructions():
    widest = Path("/proc/cpuinfo")
    if not widest.is_file() or " avx512f " not in widest.read_text():
        pytest.skip("this processor has no AVX-512")
    narrow = numbers("", NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR")
    assert numbers("import tadpool") == narrow != numbers("")
