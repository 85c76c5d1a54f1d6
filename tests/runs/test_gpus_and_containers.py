"""What runs of other machines ask for: GPUs under the names that Snakemake's executor for SLURM
reads, and an image for jobs, with a stand-in for Apptainer."""

import os
import re
import sys
from pathlib import Path

import pytest
from snakemake_executor_plugin_slurm.utils import set_gres_string

from tadpool.workflow.resources import FITS
from tests.made import workflows


class Asked(dict):
    """The resources of a job, which Snakemake also has as attributes."""

    __getattr__ = dict.__getitem__


class Job:
    def __init__(self, **resources):
        self.resources = Asked(resources)


@pytest.fixture
def small(tmp_path):
    return workflows.small(tmp_path / "small")


def asked(workflow, *arguments):
    """The resources of a dry run's jobs: rule, and names with values."""
    done = workflow.run("--dry-run", *arguments)
    blocks = re.findall(r"^(?:local)?rule (\w+):\n((?:    .+\n)+)", done.stdout + done.stderr, re.MULTILINE)
    for rule, block in blocks:
        found = re.search(r"^    resources: (.*)$", block, re.MULTILINE)[1]
        yield rule, dict(each.split("=", 1) for each in found.split(", "))


def test_jobs_that_sample_ask_slurm_for_a_gpu(small):
    (small.folder / "gpu.yaml").write_text("sampler: {platform: gpu}\n")
    with_gpu = dict(asked(small, "--configfile", "gpu.yaml"))
    sampling = {rule for rule in with_gpu if rule in FITS}
    assert sampling >= {"fit", "sweep"}
    for rule, resources in with_gpu.items():
        gpus = int(resources.get("gpu", 0))
        assert set_gres_string(Job(gpu=gpus)) == (" --gpus=1" if rule in sampling else ""), rule
    assert {resources.get("gpu", "0") for _, resources in asked(small)} == {"0"}


def test_a_model_of_gpu_is_named_in_the_profile(small):
    (small.folder / "gpu.yaml").write_text("sampler: {platform: gpu}\n")
    found = dict(asked(small, "--configfile", "gpu.yaml", "--set-resources", "fit:gpu_model=a100"))
    assert found["fit"]["gpu_model"] == "a100"
    assert set_gres_string(Job(gpu=int(found["fit"]["gpu"]), gpu_model="a100")) == " --gpus=a100:1"


APPTAINER = """#!/bin/sh
[ "$1" = --version ] && { echo "apptainer version 1.3.4"; exit; }
echo "$@" | tr '\\n' ' ' >> calls.txt
echo >> calls.txt
while [ "$1" != tadpool.sif ]; do shift; done
shift
exec "$@"
"""


def test_jobs_run_in_the_image_where_apptainer_is_asked_for(small):
    programs = small.folder / "programs"
    programs.mkdir()
    for name in ("apptainer", "singularity"):
        (programs / name).write_text(APPTAINER)
        (programs / name).chmod(0o755)
    path = [str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = os.environ | {"PATH": os.pathsep.join(path), "PYTHONPATH": str(small.source)}
    target, calls = "results/small/data.nc", small.folder / "calls.txt"
    (small.folder / "tadpool.sif").write_text("")
    image = ("--config", "container=tadpool.sif")
    small.run("--software-deployment-method", "apptainer", *image, "--", target, env=environment)
    assert (small.folder / target).is_file()
    (call,) = calls.read_text().splitlines()
    assert "exec" in call
    assert "prepare_data" in call
    calls.unlink()
    small.run(*image, "--forcerun", "prepare_data", "--", target, env=environment)
    assert not calls.exists(), "without the option jobs run as they are"
