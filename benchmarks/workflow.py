"""The default run from a fresh copy: what its processes spend their time on, and what each rule
takes."""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.tables import table

TITLE = "The default run"
FULL = {"arguments": []}
QUICK = {"arguments": ["--config", "studies=[cookies]", "--configfile", "config/quick.yaml"]}
FOLDERS = ("rules", "scripts", "tadpool", "config", "data", "report", "profiles")
FILES = ("Snakefile", "environment.yml", "pyproject.toml")
PHASES = {
    "imports": "imports",
    "compile": "tracing and compiling",
    "sample": "sampling, and what is computed of draws",
    "files": "reading and writing NetCDF",
    "figures": "drawing figures",
    "pages": "rendering pages",
    "rest": "everything else in jobs",
    "snakemake": "Snakemake itself (processor seconds)",
}


def measure(size: dict[str, Any], threads: int, caches: Path) -> dict[str, Any]:
    """Run the workflow once in a copy, with new caches, and read what its processes and rules
    left."""
    folder, profile = caches / "run", caches / "profile"
    for place in (folder, profile, caches / "tmp"):
        place.mkdir()
    for name in FOLDERS:
        shutil.copytree(processes.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(processes.ROOT / name, folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(processes.UNSET)}
    environment |= {"TADPOOL_PROFILE": str(profile), "PYTHONPATH": str(processes.ROOT / "benchmarks" / "profiled")}
    environment |= {"TMPDIR": str(caches / "tmp")}
    started, before = time.monotonic(), os.times()
    done = subprocess.run(  # noqa: S603 (our own workflow)
        [sys.executable, "-m", "snakemake", "--cores", str(threads), *size["arguments"]],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    wall, after = time.monotonic() - started, os.times()
    if done.returncode:
        raise SystemExit(f"the run ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    found = [json.loads(path.read_text()) for path in profile.glob("*.json")]
    run = {"seconds": {"whole": wall, "cpu": cpu}, "memory_mb": 0.0, "versions": _versions()}
    rules = _rules(folder / "results")
    run["memory_mb"] = max(rule["memory_mb"] for rule in rules.values())
    return {"runs": {"default run": [run]}, "phases": _phases(found), "processes": len(found), "rules": rules}


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("jax", "numpyro", "snakemake")}


def _phases(found: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Seconds of each phase, over all processes; a process that waits for its child counts its own
    work alone."""
    seconds: dict[str, float] = defaultdict(float)
    for process in found:
        words = " ".join(process["command"])
        if "-m snakemake" in words:
            seconds["snakemake"] += process["cpu"]
            continue
        spans = process["spans"]
        for name, value in spans.items():
            seconds[name] += value
        waits = "tadpool.workflow.child_process" not in words and not spans["sample"]
        own = max(0.0, (min(process["cpu"], process["wall"]) if waits else process["wall"]) - sum(spans.values()))
        kind = "figures" if "draw_figures" in words else "pages" if "render_" in words else "rest"
        seconds[kind] += own
    return dict(seconds)


def _rules(results: Path) -> dict[str, dict[str, float]]:
    """Jobs, seconds and peak memory of each rule, from the files that Snakemake writes."""
    rules: dict[str, dict[str, float]] = defaultdict(lambda: {"jobs": 0, "seconds": 0.0, "memory_mb": 0.0})
    for path in results.rglob("benchmarks/**/*.tsv"):
        with path.open(newline="") as file:
            (row,) = csv.DictReader(file, delimiter="\t")
        rule = rules[_rule(path)]
        rule["jobs"] += 1
        rule["seconds"] += float(row["s"])
        rule["memory_mb"] = max(rule["memory_mb"], float(row["max_rss"]) if row["max_rss"] != "NA" else 0.0)
    return dict(rules)


def _rule(path: Path) -> str:
    """The rule of a benchmark file: its name, or that of the folder where files are named after
    what they are of."""
    parts = path.relative_to(next(parent for parent in path.parents if parent.name == "benchmarks")).parts
    named = ("calibration", "recovery", "comparisons")
    return parts[0] if parts[0] in named else path.stem.partition("_group")[0]


def render(size: dict[str, Any], measured: dict[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    (run,) = measured["runs"]["default run"]
    whole, cpu = run["seconds"]["whole"], run["seconds"]["cpu"]
    jobs = int(sum(rule["jobs"] for rule in measured["rules"].values()))
    say = (
        f"`snakemake` in a fresh copy, no compiled programs kept: {whole / 60:.1f} minutes, {cpu:,.0f} processor seconds, "
        f"{jobs} jobs in {measured['processes']} processes, largest job {run['memory_mb']:,.0f} MB."
    )
    total = sum(measured["phases"].values())
    phases = [
        [words, f"{measured['phases'].get(name, 0):,.0f}", f"{measured['phases'].get(name, 0) / total:.0%}"]
        for name, words in PHASES.items()
    ]
    ordered = sorted(measured["rules"].items(), key=lambda pair: -pair[1]["seconds"])
    rules = []
    for name, rule in ordered:
        each = rule["seconds"] / rule["jobs"]
        rules.append([name, str(rule["jobs"]), f"{rule['seconds']:,.0f}", f"{each:.1f}", f"{rule['memory_mb']:,.0f}"])
    return [
        say,
        table(["what processes do", "seconds, summed over processes", "share"], phases),
        table(["rule", "jobs", "seconds in all", "seconds a job", "largest memory, MB"], rules),
    ]
