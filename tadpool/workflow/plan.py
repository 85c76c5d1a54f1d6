"""Show what a run would take: jobs, memory, storage, and time if earlier runs left benchmarks.

`python -m tadpool.workflow.plan [STUDY]`, or `make plan`.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tadpool import ROOT, config
from tadpool.errors import UserError
from tadpool.files import data_file
from tadpool.loading import preparation, sources
from tadpool.modelling import binding

SNAKEFILE = ROOT / "Snakefile"
BYTES_PER_STATISTIC = 30  # the sample statistics of one draw
COMPRESSED = 0.9  # zlib makes draws about a tenth smaller


@dataclass(frozen=True)
class Job:
    """A job that a run would start.

    Attributes:
        rule: Its rule.
        output: Its output file.
        memory: MB that it requests.
        seconds: Duration of its last run, if there was one.
        peak: MB that its last run used.
    """

    rule: str
    output: str
    memory: int
    seconds: float | None
    peak: float | None


def planned(overlay: list[str]) -> list[Job]:
    """The jobs of a dry run. Raises UserError with Snakemake's message if it fails. overlay:
    options for Snakemake."""
    command = [sys.executable, "-m", "snakemake", "-s", str(SNAKEFILE), "--dry-run", "--cores", "all", *overlay]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own interpreter)
    if done.returncode:
        raise UserError(done.stderr.strip())
    blocks = re.findall(r"^(?:local)?rule (\w+):\n((?:    .+\n)+)", done.stdout + done.stderr, re.MULTILINE)
    return [
        _job(rule, dict(re.findall(r"^    (\w+): (.*)$", block, re.MULTILINE)))
        for rule, block in blocks
        if rule != "all"
    ]


def _job(rule: str, fields: dict[str, str]) -> Job:
    memory = re.search(r"mem_mb=(\d+)", fields.get("resources", ""))
    benchmark = Path(fields.get("benchmark", ""))
    last = pd.read_csv(benchmark, sep="\t").iloc[-1] if benchmark.is_file() else None
    return Job(
        rule=rule,
        output=fields["output"],
        memory=int(memory.group(1)) if memory else 0,
        seconds=None if last is None else float(last["s"]),
        peak=None if last is None else float(last["max_rss"]),
    )


def draws_bytes(chosen: config.Config, study: str, entry: str, points: int = 1) -> float:
    """Estimated bytes of the fit.nc of an entry, from the numbers of draws, parameters and
    units."""
    content = chosen.studies[study]
    seed = chosen.settings.seed if sources.is_simulated(content.source()) else None
    dataset = data_file.merged(preparation.prepare(content.source(), content.arguments, content.outcomes, study, seed))
    bound = binding.bind(content.reference(entry), dataset, content.models[entry].hyperparameters)
    elements = sum(size for name, size in bound.sizes.items() if name not in bound.outcomes)
    latents = sum(bound.sizes[name] for name in bound.latents)
    sampler, stored = chosen.sampler(study, entry), content.storage
    size = 8 if stored.posterior == "float64" else 4
    per_draw = (
        size * elements + BYTES_PER_STATISTIC + 4 * dataset.sizes[content.unit] + (4 * latents if points == 1 else 0)
    )
    return COMPRESSED * points * sampler.chains * (sampler.draws / stored.every) * per_draw


def storage(job: Job, chosen: config.Config) -> float:
    """Bytes of a job's output: its current size, or an estimate for fits and sweeps; 0 for other
    jobs, which are small."""
    path = Path(job.output)
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir())
    if path.is_file():
        return path.stat().st_size
    parts = path.parts
    if job.rule == "sweep":
        sweep = chosen.studies[parts[1]].sweeps[parts[3]]
        return draws_bytes(chosen, parts[1], sweep.entry, len(sweep.points()))
    return draws_bytes(chosen, parts[1], parts[2]) if job.rule == "fit" else 0.0


def table(jobs: list[Job], chosen: config.Config) -> pd.DataFrame:
    """One row per rule: jobs, largest memory requested and last used (MB), storage (MB), seconds of
    the last runs."""
    rows = [
        {"rule": j.rule, "memory": j.memory, "peak": j.peak, "storage": storage(j, chosen) / 1e6, "seconds": j.seconds}
        for j in jobs
    ]
    groups = pd.DataFrame(rows, columns=["rule", "memory", "peak", "storage", "seconds"]).groupby("rule", sort=False)
    return groups.agg(
        jobs=("rule", "size"),
        known=("seconds", "count"),
        memory=("memory", "max"),
        peak=("peak", "max"),
        storage=("storage", "sum"),
        seconds=("seconds", lambda seconds: seconds.sum(min_count=1)),
    )


def describe(jobs: list[Job], chosen: config.Config, cores: int) -> str:
    """The plan as text."""
    if not jobs:
        return "Nothing to do: all results are up to date."
    by_rule = table(jobs, chosen)
    lines = [f"{'rule':<22}{'jobs':>5}{'request MB':>11}{'used MB':>9}{'storage MB':>12}{'seconds':>9}"]
    for rule, row in by_rule.iterrows():
        peak = f"{row['peak']:.0f}" if pd.notna(row["peak"]) else "-"
        seconds = f"{row['seconds']:.1f}" if pd.notna(row["seconds"]) else "-"
        lines.append(f"{rule:<22}{row['jobs']:>5.0f}{row['memory']:>11.0f}{peak:>9}{row['storage']:>12.1f}{seconds:>9}")
    lines.append(f"{'total':<22}{len(jobs):>5}{'':>20}{by_rule['storage'].sum():>12.1f}")
    known = int(by_rule["known"].sum())
    if known == 0:
        lines.append("Times are not known before the first run, which leaves benchmarks.")
    else:
        least = by_rule["seconds"].sum() / cores
        about = "At least" if known < len(jobs) else "About"
        unknown = f"; the other {len(jobs) - known} have not run yet" if known < len(jobs) else ""
        lines.append(f"{about} {least:.0f} s on {cores} cores, as in the last run of {known} of these jobs{unknown}.")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the plan; returns the exit status."""
    studies = {"studies": arguments} if arguments else {}
    overlay = ["--config", f"studies=[{','.join(arguments)}]"] if arguments else []
    try:
        jobs = planned(overlay)
        print(describe(jobs, config.read(studies), len(os.sched_getaffinity(0))))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
