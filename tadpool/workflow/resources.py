"""What a job asks of a machine, estimated before the run from its config and the size of its
tables.

Nothing here decides a result. An estimate that was too low is raised when the job is tried again
(`retries` of a profile).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tadpool.config import Config
from tadpool.convergence.remedies import MOST_STRETCHES
from tadpool.fitting import LOG_LIKELIHOOD_BYTES
from tadpool.loading import sources

SAMPLES = ("fit", "sweep", "calibrate", "recover")
FITS = (*SAMPLES, "cross_validate", "cross_validate_sweep", "cross_validate_group")
SIMULATED_ROWS = 1000  # how many a simulator makes is known once it has run
BASE_MB, BASE_MINUTES = 1000, 20  # an interpreter with its libraries, and Snakemake's own two where a cluster runs it
COPIES = 6  # of what is kept: on the device, on the host, to be written, and to be checked
PREDICTED_BYTES = 16_000  # per row: 1,000 draws of its posterior predictive, twice
SECONDS_PER_ROW, SECONDS_PER_STEP, STEPS = 3e-8, 5e-6, 30  # of one leapfrog step, and how many an iteration has
REMEDIED = 12  # iterations with all remedies, in multiples of those without
MARGIN = 2
DAY = 24 * 60  # many partitions give no more to a first attempt
MOST_THREADS = 16


@dataclass(frozen=True)
class Demand:
    """memory: MB. minutes: of wall time. threads: no more than there are lanes to fill them. gpus:
    1 where lanes run on one."""

    memory: int
    minutes: int
    threads: int
    gpus: int = 0


@dataclass(frozen=True)
class Work:
    """lanes: chains of all fits. iterations: of each, warm-up included. draws: those in memory at a
    time. gpus: 0 or 1."""

    lanes: int
    iterations: int
    draws: int
    gpus: int


def demand(config: Config, rule: str, wildcards: Mapping[str, str]) -> Demand:
    """What a job of the rule asks for when it is tried for the first time; `wildcards` as in
    `workflow.specs`, with `share` for a job that samples a part of its lanes."""
    if "study" not in wildcards:
        return Demand(BASE_MB, BASE_MINUTES, 1)
    study = wildcards["study"]
    rows = _rows_of(config, study)
    work = _work(config, rule, wildcards)
    memory = BASE_MB + (COPIES * min(4.0 * work.draws * rows, LOG_LIKELIHOOD_BYTES) + PREDICTED_BYTES * rows) / 1e6
    seconds = 0.0
    if rule in SAMPLES:
        seconds = sampling_seconds(config, study, work.lanes * work.iterations)
    elif rule in FITS:
        seconds = refitting_seconds(config, study)
    jobs = int(wildcards["share"].partition("of")[2]) if "share" in wildcards else 1
    threads = min(math.ceil(work.lanes / jobs), MOST_THREADS) if rule in FITS else 1
    minutes = min(DAY, BASE_MINUTES + math.ceil(MARGIN * seconds / jobs / 60))
    return Demand(100 * math.ceil(memory / 100), minutes, threads, work.gpus if rule in FITS else 0)


def sampling_seconds(config: Config, study: str, iterations: float) -> float:
    """Of one core, for iterations of any lanes."""
    return iterations * STEPS * (SECONDS_PER_STEP + SECONDS_PER_ROW * _rows_of(config, study))


def refitting_seconds(config: Config, study: str) -> float:
    """Of one core, for all that the study's `refit_budget` allows one job."""
    return SECONDS_PER_ROW * config.refit_budget(study)


def _rows_of(config: Config, study: str) -> int:
    return _rows(tuple(sources.tables(config.studies[study].source())))


def _work(config: Config, rule: str, wildcards: Mapping[str, str]) -> Work:
    study = wildcards["study"]
    content = config.studies[study]
    together = False  # whether the draws of all fits are in memory at once
    if "sweep" in wildcards:
        sweep = content.sweeps[wildcards["sweep"]]
        sampler, fits, together = config.sampler(study, sweep.entry), len(sweep.points()), True
    elif "calibration" in wildcards:
        calibration = content.calibration[wildcards["calibration"]]
        sampler = config.sampler(study, calibration.entry, calibration.sampler)
        fits = calibration.simulations
    elif "recovery" in wildcards:
        recovery = content.recovery[wildcards["recovery"]]
        sampler = config.sampler(study, wildcards["model"], recovery.sampler)
        fits = recovery.replicates * math.prod(len(values) for values in recovery.over.values())
    elif "model" in wildcards:
        sampler, fits = config.sampler(study, wildcards["model"]), 1
    else:  # what reads the results of the whole study, one after the other
        samplers = [config.sampler(study, entry) for entry in content.models]
        sampler, fits = max(samplers, key=lambda each: each.chains * each.draws), 1
    repeated = REMEDIED if rule == "fit" and config.remedies(study, wildcards["model"]) else 1
    longest = MOST_STRETCHES if rule == "fit" and config.until_ess(study, wildcards["model"]) else 1
    return Work(
        lanes=fits * sampler.chains,
        iterations=repeated * (sampler.warmup + longest * sampler.draws),
        draws=(fits if together else 1) * sampler.chains * sampler.draws,
        gpus=int(sampler.platform == "gpu"),
    )


@cache
def _rows(tables: tuple[Path, ...]) -> int:
    """Lines of the tables, or for a binary one its bytes by ten; a table that cannot be read is its
    own job's to name."""
    try:
        text = [path.read_bytes().count(b"\n") for path in tables if path.suffix in (".csv", ".tsv", ".txt")]
        binary = [path.stat().st_size // 10 for path in tables if path.suffix not in (".csv", ".tsv", ".txt")]
    except OSError:
        return SIMULATED_ROWS
    return sum(text + binary) or SIMULATED_ROWS
