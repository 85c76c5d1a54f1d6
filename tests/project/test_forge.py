"""Files for a forge, containers and the workflow catalog name what there is."""

import json
import re
import subprocess
import sys
import tomllib
import urllib.parse

import pytest
import yaml

from tadpool import ROOT
from tadpool.config.schema.table import Table
from tadpool.loading import table_guesses
from tests import pages

FORGE = ROOT / ".github"
WORKFLOWS = sorted((FORGE / "workflows").glob("*.yml"))


def steps(workflow):
    content = yaml.safe_load(workflow.read_text())
    return [step for job in content["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_targets_of_make_and_files_that_are_there(workflow):
    content = yaml.safe_load(workflow.read_text())
    assert content["name"] == workflow.stem
    assert content[True]  # YAML 1.1 reads `on` as true
    assert content["permissions"] == {"contents": "read"}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for step in steps(workflow):
        assert ("uses" in step) != ("run" in step)
        assert set(re.findall(r"\bmake ([a-z][a-z-]*)(?= *(?:\||$))", step.get("run", ""))) <= targets
        assert all((ROOT / "tests" / name).exists() for name in re.findall(r"tests/(\w+)", step.get("run", "")))
    assert {step["uses"].partition("@")[0] for step in steps(workflow) if "uses" in step} >= {"actions/checkout"}


def test_lint_tests_docs_and_release_are_covered():
    run = "\n".join(step.get("run", "") for workflow in WORKFLOWS for step in steps(workflow))
    assert {"lint", "audit", "test", "test-slow", "docs", "release-check"} <= set(re.findall(r"make ([a-z-]+)", run))


def test_the_python_of_a_container_is_that_of_the_project():
    python = (ROOT / ".python-version").read_text().strip()
    jobs = yaml.safe_load((FORGE / "workflows" / "tests.yml").read_text())["jobs"]
    assert jobs["slow"]["container"] == f"python:{python}-bookworm"


def test_lint_holds_every_file_of_the_forge_against_its_schema():
    lint = (ROOT / "Makefile").read_text()
    named = re.findall(r"check-jsonschema --builtin-schema vendor\S+ (.+)", lint)
    found = {path for names in named for name in names.split() for path in ROOT.glob(name)}
    assert found == {*FORGE.rglob("*.yml"), ROOT / "CITATION.cff"}


def test_the_catalog_names_a_profile_that_is_there():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    option, profile = usage["mandatory-flags"]["flags"].split()
    assert option == "--workflow-profile"
    assert (ROOT / profile / "profile.yaml").is_file() or (ROOT / profile / "profile.v9+.yaml").is_file()
    assert usage["software-stack-deployment"]["conda"]


def test_the_folder_for_the_catalog_has_the_study_of_the_readme():
    blocks = {block.path: block.text for block in pages.blocks(ROOT / "README.md") if block.path}
    place = ROOT / ".test"
    assert (place / pages.EXAMPLE).read_text() == blocks[pages.EXAMPLE].partition("\n")[2]
    assert (place / "data" / "bakeries.csv").read_text() == blocks["data/bakeries.csv"]
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())["jobs"]["tests"]["steps"]
    assert any("--directory .test" in step.get("run", "") for step in steps)


def test_the_citation_has_the_version_that_comes_next():
    raw = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["version"]["raw-options"]
    version = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    assert raw["fallback_version"] == f"{version}.dev0"
    assert re.search(rf"^## {re.escape(version)} \(", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_badges_are_true():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (snakemake,) = (need for need in project["dependencies"] if need.startswith("snakemake>"))
    badges = re.findall(r"img\.shields\.io/badge/(\w+)-(.+?)-\w+\)", (ROOT / "README.md").read_text())
    assert {name: urllib.parse.unquote(value).replace("--", "-") for name, value in badges} == {
        "Snakemake": snakemake.removeprefix("snakemake").split(",")[0].replace(">=", "≥"),
        "Python": project["requires-python"].replace(">=", "≥"),
        "license": project["license"],
    }


@pytest.mark.parametrize("name", ["Dockerfile", "tadpool.def"])
def test_a_container_has_the_python_and_the_lock_of_the_project(name):
    text = (ROOT / "containers" / name).read_text()
    python = (ROOT / ".python-version").read_text().strip()
    assert re.findall(r"python:([\d.]+)-", text) == [python]
    assert "--require-hashes -r /build/requirements.lock" in text
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored == ["*", "!requirements.lock", "!dist"]
    assert set(re.findall(r"^(?:COPY|   ) ([\w.]+) /build", text, re.MULTILINE)) == {"requirements.lock", "dist"}


def test_the_readme_is_short_and_its_study_is_what_its_command_finds(tmp_path):
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) < 120
    blocks = {block.path: block for block in pages.blocks(ROOT / "README.md") if block.path}
    (tmp_path / "t.csv").write_text(blocks["data/bakeries.csv"].text)
    found = table_guesses.read(Table.model_construct().model_dump() | {"table": str(tmp_path / "t.csv")})
    study = yaml.safe_load(blocks[pages.EXAMPLE].text)
    described = {column["column"]: column for column in study["dataset"]["columns"].values()}
    assert {column.heading: column.kind for column in found.columns.values()} == {
        heading: column["kind"] for heading, column in described.items()
    }
    assert found.columns["Chips"].keys == {"missing": "drop"}
    assert (found.outcome, found.groups) == ("Chips", ["Bakery"])


def test_a_release_says_what_it_still_needs():
    code = "import importlib.util, json, sys; spec = importlib.util.spec_from_file_location('check', sys.argv[1]); "
    code += "check = importlib.util.module_from_spec(spec); spec.loader.exec_module(check); "
    code += "print(json.dumps([[*check.still_needed('0.1.0.dev5+gabc')], [*check.still_needed('0.1.0')]]))"
    command = [sys.executable, "-c", code, str(ROOT / ".ci" / "release_check.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    untagged, tagged = json.loads(done.stdout)
    assert untagged[0].startswith("a tag on this commit, such as `git tag v")
    assert untagged[1:] == tagged
