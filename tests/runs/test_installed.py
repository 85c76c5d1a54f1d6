"""The wheel, installed into an environment of its own, runs a study in a folder elsewhere.

One test installs the packages that it needs as well. In the others that environment has the wheel
alone, and finds its packages in the environment of the tests.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tadpool import ROOT, config
from tadpool.files import io
from tadpool.workflow.specs import Specs
from tests.made.public_tables import TABLES

DIGESTS = """
import json, tadpool
from tadpool import config
from tadpool.workflow.specs import Specs
assert tadpool.INSTALLED
specs = Specs(config.read({"studies": ["cookies"]}))
where = {"study": "cookies", "model": "hierarchical"}
print(json.dumps({rule: specs.digest(rule, where) for rule in ("fit", "prepare_data", "render_report", "draw_figures")}))
"""


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and a folder in which somebody works."""

    environment: Path
    folder: Path

    def run(self, program, *arguments):
        variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        variables["PATH"] = f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        command = [str(self.environment / "bin" / program), *arguments]
        return subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, text=True, check=False)


def repository(place, *names):
    """A git repository with files and folders of tadpool, and the tag v0.1.0."""
    place.mkdir(parents=True)
    for name in names:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, place / name)
    author = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "first"], ["tag", "v0.1.0"]):
        subprocess.run(["git", *command], cwd=place, check=True)
    return place


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = place.glob("tadpool-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    place = tmp_path_factory.mktemp("installed")
    environment, folder = place / "environment", place / "mine"
    folder.mkdir()
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    install = [environment / "bin" / "python", "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel]
    subprocess.run(install, check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    return Installed(environment, folder)


def test_pip_installs_it_from_wheels_and_a_table_leads_to_a_page(wheel, tmp_path):
    """With the locked versions. `connection_pool`, which Snakemake needs, has no wheel; it is pure
    Python."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "environment"], check=True)
    pip = [tmp_path / "environment" / "bin" / "python", "-m", "pip"]
    probe = [*pip, "download", "-q", "--no-deps", "-d", tmp_path, "connection_pool"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no index of packages can be reached")
    locked = re.findall(r"^(\S+==.*?) *\\?$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    (tmp_path / "locked.txt").write_text("\n".join(locked))
    only = ["--only-binary", ":all:", "--no-binary", "connection_pool"]
    subprocess.run([*pip, "install", "-q", *only, "-c", tmp_path / "locked.txt", wheel], check=True)

    (tmp_path / "mine").mkdir()
    newcomer = Installed(tmp_path / "environment", tmp_path / "mine")
    TABLES["cookies"].write(newcomer.folder / "cookies.csv")
    for arguments in (["doctor"], ["new", "trial", "--table", "cookies.csv"], ["quick"]):
        done = newcomer.run("tadpool", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "How much does chips differ" in (newcomer.folder / "results" / "trial" / "index.html").read_text()


def test_a_study_runs_in_a_folder_elsewhere(installed):
    begun = installed.run("tadpool", "new", "trial")
    assert begun.returncode == 0, begun.stderr
    assert begun.stdout.endswith("Run it, and open results/index.html:\n  tadpool\n")
    TABLES["cookies"].write(installed.folder / "chips.csv")
    begun = installed.run("tadpool", "new", "chips", "--table", "chips.csv")
    assert begun.returncode == 0, begun.stderr
    assert "To look at:\n  outcome: chips, by its name. For another one, change `outcomes`.\n\n" in begun.stdout
    done = installed.run("tadpool", "quick", "-c2")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "`tadpool verify` writes results/verify.html" in done.stdout
    results = installed.folder / "results"
    assert "How much do the groups differ" in (results / "trial" / "index.html").read_text()
    assert io.read_json(results / "trial" / "varying" / "check.json")["verdict"] in ("pass", "warn")
    assert "How much does chips differ between locations" in (results / "chips" / "index.html").read_text()
    made = {path.name for path in installed.folder.iterdir()}
    assert made == {"chips.csv", "config", "data", "models", "results", ".snakemake"}
    assert "Nothing to be done" in installed.run("tadpool", "run", "quick", "-n").stdout


def test_built_in_studies_are_run_where_they_are_named(installed):
    folder = installed.folder.parent / "empty"
    folder.mkdir(exist_ok=True)
    empty = Installed(installed.environment, folder)
    planned = empty.run("tadpool", "-n", "--config", "studies=[radon]")
    assert planned.returncode == 0, planned.stderr
    assert "results/radon/index.html" in planned.stdout
    for arguments in ([], ["quick", "-c2"], ["-n"]):
        told = empty.run("tadpool", *arguments)
        assert told.returncode == 2
        assert "`tadpool new NAME --table FILE` writes one for a table of yours" in told.stderr
        assert "mundlak, radon, reedfrogs" in told.stderr


def test_the_digest_of_code_is_that_of_the_repository(installed, monkeypatch, tmp_path):
    """So results made by either are up to date for the other."""
    theirs = installed.run("python", "-P", "-c", DIGESTS)
    assert theirs.returncode == 0, theirs.stderr
    monkeypatch.chdir(tmp_path)
    specs = Specs(config.read({"studies": ["cookies"]}))
    where = {"study": "cookies", "model": "hierarchical"}
    own = {rule: specs.digest(rule, where) for rule in ("fit", "prepare_data", "render_report", "draw_figures")}
    assert json.loads(theirs.stdout) == own


def test_version_and_doctor_speak_of_the_installed_package(installed):
    (metadata,) = installed.environment.glob("lib/python*/site-packages/tadpool-*.dist-info")
    version = metadata.name.split("-")[1].removesuffix(".dist")
    assert installed.run("tadpool", "--version").stdout == f"tadpool {version}\n"
    seen = installed.run("tadpool", "doctor")
    assert seen.returncode == 0, seen.stdout
    assert str(installed.environment) in seen.stdout.splitlines()[0]


MODULE = """
module tadpool:
    snakefile: gitfile("{forge}", path="Snakefile", ref="HEAD")
    config: {{"studies": ["cookies"]}}

use rule * from tadpool as tadpool_*
"""


def test_another_workflow_fetches_the_snakefile_from_git(installed):
    """It is all that is fetched: rules and scripts are those of the installed package. A copied
    config/, as snakedeploy leaves it, is the same study."""
    forge, folder = installed.folder.parent / "forge", installed.folder.parent / "outer"
    repository(forge, "Snakefile")
    (folder / "config" / "studies").mkdir(parents=True)
    shutil.copy(ROOT / "config" / "studies" / "cookies.yaml", folder / "config" / "studies")
    (folder / "Snakefile").write_text(MODULE.format(forge=forge))
    outer = Installed(installed.environment, folder)
    done = outer.run("python", "-P", "-m", "snakemake", "-c1", "results/cookies/data.nc")
    assert done.returncode == 0, done.stderr
    assert "tadpool_prepare_data" in done.stderr + done.stdout
    assert (folder / "results" / "cookies" / "data.nc").is_file()


def test_a_workflow_that_snakedeploy_wrote_runs(installed, monkeypatch):
    """From an address of GitHub, which git replaces by a folder of this machine."""
    place = installed.folder.parent / "deployed"
    repository(place / "forge" / "someone" / "tadpool", "Snakefile", "config", "profiles", "LICENSE")
    (place / "gitconfig").write_text(f'[url "file://{place}/forge/"]\n  insteadOf = https://github.com/\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(place / "gitconfig"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    deploy = [Path(sys.executable).with_name("snakedeploy"), "deploy-workflow", "https://github.com/someone/tadpool"]
    subprocess.run([*deploy, place / "mine", "--tag", "v0.1.0"], check=True, capture_output=True)
    assert (
        'github("someone/tadpool", path="Snakefile", tag="v0.1.0")' in (place / "mine/workflow/Snakefile").read_text()
    )

    mine = Installed(installed.environment, place / "mine")
    planned = mine.run("python", "-P", "-m", "snakemake", "--dry-run", "--cores", "1")
    assert planned.returncode == 0, planned.stderr
    assert "Using workflow specific profile profiles/default" in planned.stderr
    assert "results/radon/index.html" in planned.stdout
    TABLES["cookies"].write(mine.folder / "chips.csv")
    assert mine.run("tadpool", "new", "chips", "--table", "chips.csv").returncode == 0
    config = mine.folder / "config" / "config.yaml"
    config.write_text(re.sub(r"^studies: .*$", "studies: [chips]", config.read_text(), flags=re.MULTILINE))
    done = mine.run("python", "-P", "-m", "snakemake", "--cores", "1", "results/chips/data.nc")
    assert done.returncode == 0, done.stderr
    assert (mine.folder / "results" / "chips" / "data.nc").is_file()
