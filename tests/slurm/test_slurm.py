"""The same studies on a real SLURM with three nodes, one job killed, and on one machine: the same bytes."""

import asyncio
import logging
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tadpool.errors import UserError
from tadpool.workflow import slurm
from tests.made import programs
from tests.made.workflows import copy_to, digests, started
from tests.slurm.cluster import Cluster, missing

CONFIG = """
seed: 1
sampler: {chains: 2, warmup: 200, draws: 200}
refit_budget: 0
studies: [cakes, plain]
"""
CAKES = """
title: Cakes
question: Is a sweep that several jobs share the same?
dataset: cookies
outcomes: [chips]
unit: cookie
models: {unpooled: {model: cookies_unpooled, hyperparameters: {lam_shape: 2.0}}}
sweeps: {shape: {entry: unpooled, over: lam_shape, values: [1.0, 2.0, 3.0], chunks: 3}}
calibration: {ranks: {entry: unpooled, simulations: 20, chunks: 2}}
sensitivity: false
remedies: none
"""
PLAIN = """
title: Plain
question: Is a second study the same?
dataset: cookies
outcomes: [chips]
unit: cookie
models: {pooled: {model: cookies_pooled}}
sensitivity: false
remedies: none
"""

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="slurmd starts jobs only as root"),
]


def study_folder(place, split):
    """A copy of the workflow with the two studies; split: whether jobs share the sweep and the calibration."""
    workflow = copy_to(place)
    (workflow.folder / "config" / "config.yaml").write_text(CONFIG)
    cakes = CAKES if split else re.sub(r", chunks: \d", "", CAKES)
    (workflow.folder / "config" / "studies" / "cakes.yaml").write_text(cakes)
    (workflow.folder / "config" / "studies" / "plain.yaml").write_text(PLAIN)
    return workflow


def require_slurm(accounting=False):
    packages = "slurmctld slurmd slurm-client munge" + accounting * " slurmdbd mariadb-server-core mariadb-client-core"
    if lacking := missing(accounting):
        programs.missing(f"A run on SLURM needs {', '.join(lacking)}{programs.ADVICE}{packages}.")


@pytest.fixture(scope="module")
def on_one_machine(tmp_path_factory):
    """Digests of the results of a local run, with nothing split."""
    require_slurm()
    workflow = study_folder(tmp_path_factory.mktemp("local") / "tadpool", split=False)
    workflow.run()
    return digests(workflow.folder)


def through_slurm(cluster, folder, status):
    """Run the studies in `folder` through the profile and end the first job of `calibrate`; returns what Snakemake said."""
    source = folder / "profiles"
    command = [sys.executable, Path(__file__).parent / "polling.py"]
    command += ["--profile", source / "slurm", "--workflow-profile", source / "default"]
    command += ["--cores", "2", "--latency-wait", "5", "--slurm-no-account", "--slurm-status-command", status]
    command += ["--slurm-init-seconds-before-status-checks", "1"]
    log = folder / "snakemake.log"
    with log.open("w") as output, started(command, cwd=folder, stdout=output, stderr=output) as running:
        killed = None
        while running.poll() is None:
            if not killed:
                killed = next((job for job, what in cluster.jobs("RUNNING").items() if "calibrate" in what), None)
                if killed:
                    cluster.ask("scancel", killed)
            time.sleep(0.5)
    said = log.read_text()
    assert running.returncode == 0, said[-5000:]
    assert killed
    return said, killed


@pytest.mark.parametrize(
    ("answers", "states"),
    [
        ({"sacct": {"7": "CANCELLED by 1000"}}, {"7": "CANCELLED"}),
        ({"sacct": None, "squeue": {"7": "FAILED"}}, {"7": "FAILED"}),  # there is no accounting
        ({"sacct": None, "squeue": None}, {}),  # its jobs stay those that are asked for
    ],
)
def test_the_executor_forgets_no_job(monkeypatch, caplog, answers, states):
    import snakemake_executor_plugin_slurm as executor
    from snakemake_executor_plugin_slurm.job_status_query import query_job_status_sacct

    async def query(command, logger):
        found = answers[command.split()[0]]
        return found, None if found is None else 0.1

    monkeypatch.setattr(executor, "query_job_status", query)
    slurm.fix_executor()
    command = query_job_status_sacct("run")
    with ThreadPoolExecutor(1) as thread:  # in this one a browser's loop may run
        found, _ = thread.submit(lambda: asyncio.run(executor.query_job_status(command, logging.getLogger()))).result()
    assert found == states
    assert ("sacct failed" in caplog.text) == (answers["sacct"] is None)
    assert ("asked again" in caplog.text) == (states == {})


@pytest.mark.parametrize("name", ["query_job_status", "query_job_status_squeue"])
def test_an_executor_without_a_function_that_is_replaced_ends_the_run(monkeypatch, name):
    import snakemake_executor_plugin_slurm as executor

    monkeypatch.delattr(executor, name)
    with pytest.raises(
        UserError, match=f"^this version of snakemake-executor-plugin-slurm has no function {name}, and "
    ):
        slurm.fix_executor()


@pytest.mark.parametrize("status", ["squeue", "sacct"])
def test_slurm_gives_the_bytes_of_one_machine(on_one_machine, tmp_path_factory, status):
    accounting = status == "sacct"
    if accounting and not os.environ.get("TADPOOL_SACCT"):
        pytest.skip("the same again with accounting takes a minute and a half more: set TADPOOL_SACCT=1")
    require_slurm(accounting)
    workflow = study_folder(tmp_path_factory.mktemp("slurm") / "tadpool", split=True)
    with (
        tempfile.TemporaryDirectory(prefix="tadpool-slurm-") as folder,
        Cluster(Path(folder), accounting=accounting) as cluster,
    ):
        said, killed = through_slurm(cluster, workflow.folder, status)
        assert f"{killed}" in said
        assert "CANCELLED" in said or "Trying to restart" in said
    assert all(f"{name}.share-" in said for name in ("sweeps/shape/fit", "sweeps/shape/loo", "calibration/ranks"))
    found = digests(workflow.folder)
    assert found.keys() == on_one_machine.keys()
    assert len(found) > 20
    assert [name for name in found if found[name] != on_one_machine[name]] == []
    assert "Nothing to be done" in workflow.run().stderr
