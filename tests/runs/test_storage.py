"""Results on S3: a server that runs on this machine, and Snakemake's plug-in for storage.

Both need packages older than those that are locked for studies, so Snakemake is run by an
environment of its own, which `make test-slow` sets up.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tadpool import ROOT
from tests.made import programs, workflows

PYTHON = ROOT / ".venv-storage" / "bin" / "python"
CLIENT = """
import sys
from pathlib import Path

import boto3

client = boto3.client("s3", endpoint_url=sys.argv[1])
"""
SERVER = """
import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(port=0, verbose=False)
server.start()
address = "http://{}:{}".format(*server.get_host_and_port())
boto3.client("s3", endpoint_url=address).create_bucket(Bucket="studies")
print(address, flush=True)
sys.stdin.read()
"""
DOWNLOAD = f"""{CLIENT}
for page in client.get_paginator("list_objects_v2").paginate(Bucket="studies"):
    for each in page["Contents"]:
        path = Path(sys.argv[2], each["Key"])
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file("studies", each["Key"], str(path))
"""
ACCOUNT = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Stored:
    """A workflow whose results are in a bucket of a server."""

    workflow: workflows.Workflow
    address: str

    def run(self, *arguments):
        _, *command = self.workflow.command(*arguments)
        command += ["--default-storage-provider", "s3", "--default-storage-prefix", "s3://studies"]
        command += ["--storage-s3-endpoint-url", self.address]
        command += [f"--storage-s3-{key}=nobody" for key in ("access-key", "secret-key")]
        environment = os.environ | ACCOUNT
        return subprocess.run(
            [PYTHON, *command], cwd=self.workflow.folder, env=environment, capture_output=True, text=True, check=False
        )

    def download(self, folder):
        subprocess.run([PYTHON, "-c", DOWNLOAD, self.address, folder], env=os.environ | ACCOUNT, check=True)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    if not PYTHON.is_file():
        programs.missing("Results on S3 need the packages of requirements-storage.lock: make .venv-storage/complete.")
    workflow = workflows.small(tmp_path_factory.mktemp("stored") / "mine")
    with subprocess.Popen(
        [PYTHON, "-c", SERVER], env=os.environ | ACCOUNT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield Stored(workflow, server.stdout.readline().strip())
        server.stdin.close()
        server.wait(timeout=60)


def test_results_on_s3_are_those_of_a_disk(stored, undisturbed, tmp_path):
    _, digests = undisturbed
    done = stored.run("--cores", "2")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "The results are in s3://studies/results." in done.stdout
    assert not [*Path(stored.workflow.folder, "results").rglob("*.nc")]
    stored.download(tmp_path)
    assert workflows.digests(tmp_path) == digests
    assert "<title>" in (tmp_path / "results" / "index.html").read_text()
    assert not (tmp_path / "data").exists(), "tables stay where they are"


def test_a_second_run_has_nothing_to_do_and_a_change_reaches_the_bucket(stored, undisturbed, tmp_path):
    assert "Nothing to be done" in stored.run("--cores", "1", "--dry-run").stdout
    done = stored.run("--cores", "1", "results/small/pooled/fit.nc", "--config", "seed=2")
    assert done.returncode == 0, done.stderr[-3000:]
    stored.download(tmp_path)
    now, before = workflows.digests(tmp_path), undisturbed[1]
    assert [name for name in before if now[name] != before[name]] == ["small/pooled/fit.nc"]


def test_a_failure_is_a_sentence_as_on_a_disk(stored):
    table = stored.workflow.folder / "data" / "cookies.csv"
    table.write_text(table.read_text().replace("\n", "\nx,", 1))
    done = stored.run("--cores", "1")
    assert done.returncode == 1
    assert "cookies.csv" in done.stderr
    assert "Traceback" not in done.stderr
