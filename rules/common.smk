"""The validated config, and what the rules ask of it."""

import sys
from functools import cache
from pathlib import Path

from tadpool import ROOT
from tadpool.config import ConfigErrors, read
from tadpool.errors import UserError
from tadpool.files import checksums, run_lock
from tadpool.verification.parts import PARTS
from tadpool.workflow import child_process, fork_server, slurm, targets, unmade
from tadpool.workflow.resources import DAY, demand
from tadpool.workflow.specs import Specs

try:
    specs = Specs(read(config))
except ConfigErrors as errors:
    sys.exit("\n".join(["The config has mistakes; nothing was run.", *errors.problems]))

specs.export()
if workflow.is_main_process:
    folders = [Path("results", study) for study in specs.config.studies]
    if changed := [*checksums.made_elsewhere(folders), *checksums.changed(folders)]:
        sys.exit(
            "\n".join(["Results are not as they were made; nothing was run.", *changed])
        )
    specs.remake_pages()

STUDIES = specs.config.studies
SUMMARISED = "|".join(specs.summarised()) or "(?!)"  # no study at all
VERIFY = "make verify" if Path.cwd() == ROOT else "tadpool verify"  # as a user types it
ON_CLUSTER = workflow.nodes is not None or workflow.remote_exec
CHAINS = specs.config.settings.sampler.chains
# Two fits side by side on a small machine, one core for each chain on a large one.
FIT_THREADS = CHAINS if ON_CLUSTER else max(1, min(CHAINS, (workflow.cores or 8) // 2))
# Of the jobs that are ready, those start first that say something at once (verdicts, 40), take long or keep long ones
# waiting (`priority` in the rules): data 30, fits 20, what fits again 10. The many short ones, at 0, then fill both cores
# to the end. Before all fits comes the prior of a model of the user's own, which says what is wrong with it.


def named(key):
    """A pattern of the names under a key of the studies: a target with another name is a sentence, not a KeyError."""
    names = {name for study in STUDIES.values() for name in getattr(study, key)}
    return "|".join(sorted(names)) or "(?!)"


# Used with `--software-deployment-method apptainer` alone.
container: specs.config.settings.container


wildcard_constraints:
    study="|".join(STUDIES),
    model=named("models"),
    sweep=named("sweeps"),
    comparison=named("comparisons"),
    calibration=named("calibration"),
    recovery=named("recovery"),
    result=".+",
    share="[0-9]+of[0-9]+",
    group="[A-Za-z0-9][A-Za-z0-9_-]*",
    part="|".join(PARTS),


def begin():
    """Hold the results folder for this run, or say who does."""
    child_process.export(workflow.execution_settings.retries)  # not known any earlier
    try:
        run_lock.take()
        if ON_CLUSTER:
            slurm.fix_executor()
    except UserError as error:
        sys.exit(str(error))
    if not ON_CLUSTER:
        # To keep to a rate of job starts that no one machine needs, the scheduler wakes up once a second for every time
        # that a job began or ended before: the more jobs, the busier.
        workflow.scheduler.job_rate_limiter = None
        fork_server.start(sum(job.is_script for job in workflow.dag.needrun_jobs()))


def whole(rule, wildcards):
    """The rule and the wildcards of a job, or of the one that it samples a share of."""
    is_share = rule == "share"
    if is_share:
        return specs.shared(wildcards.study, wildcards.result)
    return rule, dict(wildcards)


def shares(rule):
    """The files of the jobs that sample a part of the rule's lanes; none where it is not split."""
    return lambda wildcards: specs.shares(rule, dict(wildcards))


def spec(rule):
    """What the rule uses of the config, as canonical JSON."""
    return lambda wildcards: specs.spec(*whole(rule, wildcards))


def digest(rule):
    """sha256 of the code, plug-ins and other files that the rule uses."""
    return lambda wildcards: specs.digest(*whole(rule, wildcards))


def crashes(rule):
    """The record of the rule's crashes, a file beside its output."""
    return lambda wildcards: specs.crashes(rule, dict(wildcards))


@cache
def asked_by(rule, wildcards):
    """Kept, since Snakemake asks for every job that is ready each time that one ends."""
    return demand(specs.config, rule, dict(wildcards))


def asked(rule, wildcards):
    """What a job asks of a machine when it is tried for the first time."""
    name, own = whole(rule, wildcards)
    own |= {"share": wildcards.share} if rule == "share" else {}
    return asked_by(name, tuple(own.items()))


def threads(rule):
    """On a cluster one for each lane, up to what the profile allows (`cores`)."""
    return lambda wildcards: (
        asked(rule, wildcards).threads if ON_CLUSTER else FIT_THREADS
    )


def memory(rule):
    """MB, estimated; more each time that the job is tried again."""
    return lambda wildcards, attempt: (attempt * asked(rule, wildcards).memory)


def minutes(rule):
    """Wall time, estimated; more each time that the job is tried again. On one machine nobody waits for its end: a day."""
    return lambda wildcards, attempt: (
        attempt * asked(rule, wildcards).minutes if ON_CLUSTER else DAY
    )


def first_for_own_models(wildcards):
    """The priority of what looks first at an entry's model."""
    return 25 if specs.has_own_model(wildcards.study, wildcards.model) else 0


def gpus(rule):
    """1 where the config asks for `platform: gpu`; told to a cluster, and nothing on one machine."""
    return lambda wildcards: asked(rule, wildcards).gpus


def attempt(wildcards, attempt):
    """How often the job was started, this time included."""
    return attempt


def per_entry(name):
    """The file of that name of each of the study's entries."""
    return lambda wildcards: [
        f"results/{wildcards.study}/{entry}/{name}"
        for entry in STUDIES[wildcards.study].models
    ]


def per_sweep(name):
    """The file of that name of each of the study's sweeps."""
    return lambda wildcards: [
        f"results/{wildcards.study}/sweeps/{sweep}/{name}"
        for sweep in STUDIES[wildcards.study].sweeps
    ]
