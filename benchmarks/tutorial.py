"""From a table to a page, and from a table to one verdict: what a user waits for; of the single fit
also with bambi and nutpie."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.processes import PEER_PYTHON, ROOT, Variant
from benchmarks.tables import spread, table

TITLE = "From a table to its page"
FULL = {"rounds": 2, "quick": False}
QUICK = {"rounds": 1, "quick": True}
BAKERIES = """\
title: Chips at five bakeries
question: Do the bakeries put different numbers of chips into their cookies?
dataset:
  table: data/bakeries.csv
  columns:
    chips: {kind: count}
    bakery: {column: location, kind: group}
outcomes: [chips]
unit: cookie
groups: [bakery]
models: ladder
"""
SLEEP = """\
title: Reaction times of 18 people on ten days
question: How do reaction times grow with days of too little sleep?
dataset:
  table: data/sleep.csv
  columns:
    reaction: {kind: number, units: ms}
    days: {kind: number}
    subject: {kind: group}
outcomes: [reaction]
unit: trial
groups: [subject]
design: {slopes: [days]}
models:
  slopes: {model: partial_slopes}
"""
# Belenky and others (2003), Journal of Sleep Research 12:1, as `sleepstudy` of the R package lme4.
SLEEPSTUDY = ROOT / "benchmarks" / "sleepstudy.csv"
VERDICT = "results/sleep/slopes/check.json"
# What is run, in which study, and with what the study is edited before.
STEPS: dict[str, tuple[str, list[str], str]] = {
    "quick run of three models": ("bakeries", ["quick"], ""),
    "full run of three models": ("bakeries", [], ""),
    "one model to its verdict": ("sleep", [VERDICT], ""),
    "the same again after one changed prior": ("sleep", [VERDICT], "    hyperparameters: {slope_scale: 2.0}\n"),
}
PEER = Variant("bambi + nutpie", "tutorial_bambi", PEER_PYTHON)


def measure(size: dict[str, Any], threads: int, caches: Path) -> dict[str, Any]:
    """Seconds of each step, from the command to its end, with no compiled programs kept before."""
    runs: dict[str, list[processes.Run]] = {}
    for number in range(size["rounds"]):
        place = caches / str(number)
        for study, text in {"bakeries": BAKERIES, "sleep": SLEEP}.items():
            folder = place / study
            (folder / "config" / "studies").mkdir(parents=True)
            (folder / "data").mkdir()
            (folder / "config" / "studies" / f"{study}.yaml").write_text(text)
        shutil.copy(ROOT / "data" / "cookies.csv", place / "bakeries" / "data" / "bakeries.csv")
        sleep = place / "sleep" / "data" / "sleep.csv"
        shutil.copy(SLEEPSTUDY, sleep)
        for step, (study, arguments, edit) in STEPS.items():
            if size["quick"] and "full" in step:
                continue
            runs.setdefault(step, []).append(_step(place / study, study, arguments, edit, threads))
        if PEER_PYTHON.exists():
            peer = processes.run(PEER, {"data": sleep, "threads": threads}, place)
            runs.setdefault(PEER.label, []).append(peer)
    return {"runs": runs}


def _step(folder: Path, study: str, arguments: list[str], edit: str, threads: int) -> processes.Run:
    """Run tadpool in a folder; `first` is when the first verdict was there."""
    config = folder / "config" / "studies" / f"{study}.yaml"
    if edit:
        config.write_text(config.read_text().replace("{model: partial_slopes}", f"\n    model: partial_slopes\n{edit}"))
    elif (folder / "results").exists():
        shutil.rmtree(folder / "results")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(processes.UNSET)}
    with tempfile.TemporaryDirectory(dir=folder) as kept:
        before, started = os.times(), time.monotonic()
        process = subprocess.Popen(  # noqa: S603 (our own command)
            [sys.executable, "-m", "tadpool", *arguments, "--cores", str(threads)],
            cwd=folder, env={**environment, "TMPDIR": kept, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        first, lines = None, []
        for line in process.stdout or ():
            lines.append(line)
            if first is None and line.startswith(f"{study}/"):
                first = time.monotonic() - started
        process.wait()
        whole, after = time.monotonic() - started, os.times()
    if process.returncode:
        raise SystemExit(
            f"tadpool {' '.join(arguments)} ended with status {process.returncode}:\n{''.join(lines[-30:])}"
        )
    used = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"tadpool {' '.join(arguments)}: {whole:.1f} s, {used:.1f} processor seconds", flush=True)
    seconds = {"whole": whole, "cpu": used} | ({} if first is None else {"first": first})
    return {"seconds": seconds, "memory_mb": 0.0, "versions": {name: version(name) for name in ("jax", "snakemake")}}


def render(size: Mapping[str, Any], measured: Mapping[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    rows = []
    for step, runs in measured["runs"].items():
        columns = [[run["seconds"].get(name) for run in runs] for name in ("whole", "cpu", "first")]
        rows.append([step, *(spread(column) if None not in column else "" for column in columns)])
    return [
        "The tutorial's study (150 rows, three models) with `tadpool quick` and `tadpool`, and one model of a table of 180 "
        "rows with varying intercepts and slopes to its verdict; bambi does that one fit alone: model, four chains of nutpie, "
        "summary. Whole processes, no compiled programs kept; minimum / median.",
        table(["what", "seconds", "processor seconds", "seconds to the first verdict"], rows),
    ]
