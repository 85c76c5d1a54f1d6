"""The page of all studies, also after a run in which a study's page, or what it needs, could not be
made."""

import json
import os
import runpy
import sys
from collections.abc import Iterable
from typing import Any

from tadpool import ROOT
from tadpool.files import failures
from tadpool.workflow.specs import Specs

INDEX = "results/index.html"


def write_index(workflow: Any, specs: Specs) -> None:
    """Write the page of all studies where the run was to make it and a job that failed kept it from
    that: it names the studies without a page, and why.

    It is dated before all results, so that the next run makes it again. Where results are in a
    storage such as S3, none is written: this machine has only some of the results.

    Args:
        workflow: Snakemake's workflow, at the end of a run that failed.
        specs: Of the run.
    """
    waiting = [job for job in workflow.dag.needrun_jobs() if job.rule.name in ("render_report", "render_index")]
    failed = [job for each in workflow.scheduler.failed for job in getattr(each, "jobs", [each])]
    if workflow.storage_settings.default_storage_provider:
        return
    if not failed or not any(job.rule.name == "render_index" for job in waiting):
        return
    studies = [wildcards["study"] for job in waiting if "study" in (wildcards := dict(job.wildcards.items()))]
    unmade = {study: reasons(study, failed) for study in studies}
    main = runpy.run_path(str(ROOT / "scripts" / "render_index.py"))["main"]
    main(INDEX, **json.loads(specs.spec("render_index", {})), unmade=unmade)
    os.utime(INDEX, (1, 1))  # Snakemake takes 0 for no time
    print(f"{INDEX} says which studies have no page, and why.", file=sys.stderr)


def reasons(study: str, failed: Iterable[Any]) -> list[str]:
    """Why a study has no page: of each of its jobs that failed the rule, and what its log says at
    the end."""
    return [
        failures.logged(f"{job.rule.name} failed: {failures.end_of(log)}", log)
        for job in failed
        if dict(job.wildcards.items()).get("study") == study
        for log in map(str, job.log[:1])
    ]
