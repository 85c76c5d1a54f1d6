"""Copies of the workflow in folders of their own, with small studies that take seconds."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tadpool import ROOT
from tadpool.files import checksums

SOURCES = (
    "Snakefile",
    "rules",
    "scripts",
    "tadpool",
    "config",
    "data",
    "report",
    "profiles",
    "environment.yml",
    "pyproject.toml",
    "bin",
)
CONFIG = """
seed: 1
sampler: {chains: 2, warmup: 300, draws: 300}
studies: [small]
"""
STUDY = """
title: Small
question: Does it run?
dataset: cookies
outcomes: [chips]
unit: cookie
groups: [location]
models:
  pooled: {model: cookies_pooled}
  unpooled: {model: cookies_unpooled, hyperparameters: {lam_shape: 2.0}}
sweeps:
  shape: {entry: unpooled, over: lam_shape, values: [1.0, 2.0]}
comparisons:
  main: {entries: [pooled, unpooled]}
  new_location: {entries: [pooled, unpooled], target: location}
predictions:
  unpooled: {group: location}
answers:
  first: {label: rate at the first location, entry: unpooled, value: "lam[1]", above: 9, decide: 0.5}
  all: {label: mean of a new cookie, entry: pooled, predict: {}}
  ranking: {label: locations in order, entry: unpooled, rank: lam}
"""


@dataclass(frozen=True)
class Workflow:
    """A copy of the workflow and the folder it runs in."""

    source: Path
    folder: Path

    def copy(self, place):
        """The same workflow, config and results in another folder."""
        return Workflow(*[shutil.copytree(self.folder, place)] * 2)

    def command(self, *arguments):
        """The command line of Snakemake in this folder."""
        start = [
            sys.executable,
            "-m",
            "snakemake",
            "-s",
            str(self.source / "Snakefile"),
            "--directory",
            str(self.folder),
        ]
        return [*start, "--workflow-profile", str(self.source / "profiles" / "default"), *arguments]

    def run(self, *arguments, cores=1, check=True, **options):
        """Run Snakemake; returns the completed process with both outputs as text."""
        command = self.command("--cores", str(cores), *arguments)
        options = {"cwd": self.folder, "capture_output": True, "text": True, "check": False} | options
        done = subprocess.run(command, **options)
        assert not check or done.returncode == 0, done.stderr[-5000:]
        return done

    def plan(self, *arguments):
        """How many jobs of each rule a run would start."""
        done = self.run("--dry-run", *arguments)
        table = re.search(r"^job\s+count\n-+\s+-+\n(.*?)^total", done.stderr + done.stdout, re.MULTILINE | re.DOTALL)
        rows = (line.split() for line in table.group(1).splitlines() if line.strip()) if table else []
        return Counter({rule: int(count) for rule, count in rows if rule != "all"})

    def jobs(self):
        """All jobs of a run that makes everything: rule, wildcards, files that it reads, and files
        that it makes."""
        done = self.run("--dry-run", "--forceall")
        blocks = re.findall(r"^(?:local)?rule (\w+):\n((?:    .+\n)+)", done.stdout + done.stderr, re.MULTILINE)
        fields = [(rule, dict(re.findall(r"^    (\w+): (.*)$", block, re.MULTILINE))) for rule, block in blocks]
        return [
            Job(rule, dict(_parts(of, "wildcards", "=")), _parts(of, "input"), _parts(of, "output"))
            for rule, of in fields
            if rule != "all"
        ]


@dataclass(frozen=True)
class Job:
    """A job of a dry run."""

    rule: str
    wildcards: dict[str, str]
    reads: list[str]
    makes: list[str]


def _parts(fields: dict[str, str], name: str, between: str = "") -> list:
    parts = [part for part in fields.get(name, "").split(", ") if part]
    return [part.split(between) for part in parts] if between else parts


@contextmanager
def started(command: list, **options) -> Iterator[subprocess.Popen]:
    """A process in a session of its own; when the block ends, however it ends, nothing of that
    session is left."""
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def stand_in(results: Path, place: Path, names: dict[str, str]) -> None:
    """The results of a study in another place, where some of its entries have further names, which
    its page knows too."""
    place.mkdir(parents=True)
    for path in results.iterdir():
        (place / path.name).symlink_to(path)
    run = json.loads((results / "run.json").read_text())
    models = run["config"]["models"]
    for name, entry in names.items():
        (place / name).symlink_to(results / entry)
        models[name] = models[entry]
    (place / "run.json").unlink()
    (place / "run.json").write_text(json.dumps(run))


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """A folder that all workers of a session share: the first that asks has it made, the others
    wait for that."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.with_suffix(".made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            folder.with_suffix(".made").touch()
    return folder


SAME = (".nc", ".csv", ".svg", "check.json", "run.json")


def digests(folder):
    """sha256 of the results that have to be the same wherever they are made."""
    results = folder / "results"
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.rglob("*"))
        if path.is_file() and path.name.endswith(SAME)
    }


def copy_to(place: Path) -> Workflow:
    place.mkdir(parents=True)
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, place / name)
    (place / "config" / "config.yaml").write_text(CONFIG)
    (place / "config" / "studies" / "small.yaml").write_text(STUDY)
    return Workflow(place, place)


def damaged(results):
    """Files under their final names that are not whole."""
    found = []
    for path in results.rglob("[!.]*"):
        try:
            if path.suffix == ".nc":
                checksums.require_intact(path)
            elif path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix in (".svg", ".html") and not path.read_text().rstrip().endswith(("</svg>", "</html>")):
                found.append(path)
        except FileNotFoundError:
            continue
        except ValueError:
            found.append(path)
    return found


QUICK_CONFIG = """
seed: 1
quick: {chains: 2, warmup: 100, draws: 100}
studies: [small]
"""
QUICK_STUDY = """
title: Small
question: Does it survive?
dataset: cookies
outcomes: [chips]
unit: cookie
models:
  pooled: {model: cookies_pooled}
  unpooled: {model: cookies_unpooled, hyperparameters: {lam_shape: 2.0}}
sweeps:
  shape: {entry: unpooled, over: lam_shape, values: [1.0, 2.0]}
comparisons:
  main: {entries: [pooled, unpooled]}
"""


def small(place):
    """A smaller one for faults: two entries and a sweep with short chains, as a quick look."""
    workflow = copy_to(place)
    (workflow.folder / "config" / "config.yaml").write_text(QUICK_CONFIG)
    (workflow.folder / "config" / "studies" / "small.yaml").write_text(QUICK_STUDY)
    return workflow
