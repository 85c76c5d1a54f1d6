"""Variants of a benchmark as processes: how one is run and timed, and what the machine is."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PEER_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
MOST_ERRORS = 5.0
# What a user's shell may say about compiling must not decide between the variants.
UNSET = ("PYTHONDONTWRITEBYTECODE", "JAX_", "XLA_", "NUMBA_", "PYTENSOR_", "TADPOOL_")

Run = dict[str, Any]
Runs = dict[str, list[Run]]


@dataclass(frozen=True)
class Variant:
    """One way to do the work.

    cache: "new" for an empty folder of compiled programs at each run, or the name of the folder
    that the variants of this name keep theirs in.
    """

    label: str
    module: str
    python: Path = Path(sys.executable)
    arguments: tuple[str, ...] = ()
    cache: str = "new"


def present(variants: Mapping[str, Variant]) -> dict[str, Variant]:
    """The variants whose environment is set up; only a smoke run goes on without the others."""
    return {name: variant for name, variant in variants.items() if variant.python.exists()}


def run(variant: Variant, arguments: Mapping[str, Any], caches: Path) -> Run:
    """Run a variant in a fresh process: its line of JSON with `whole` and `cpu` seconds of the
    process added.

    arguments: options of the command line without their dashes; True stands for a switch.
    """
    given = [text for name, value in arguments.items() for text in _option(name, value)]
    with cache_folder(variant, caches) as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(UNSET)}
        environment |= {"TMPDIR": str(folder), "PYTENSOR_FLAGS": f"base_compiledir={folder}/pytensor"}
        before, started = os.times(), time.monotonic()
        command = [variant.python, "-m", f"benchmarks.{variant.module}", "--started", str(started)]
        process = subprocess.run(  # noqa: S603 (runs this repository's own modules)
            [*command, *variant.arguments, *given],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        whole, after = time.monotonic() - started, os.times()
    if process.returncode:
        raise SystemExit(f"benchmarks/{variant.module}.py ended with status {process.returncode}")
    result = json.loads(process.stdout.splitlines()[-1])
    used = after.children_user + after.children_system - before.children_user - before.children_system
    result["seconds"] |= {"whole": whole, "cpu": used}
    print(f"{variant.label} {' '.join(given)}: {whole:.1f} s", flush=True)
    return result


def _option(name: str, value: Any) -> list[str]:
    return [f"--{name}"] if value is True else [f"--{name}", str(value)]


@contextmanager
def cache_folder(variant: Variant, caches: Path) -> Iterator[Path]:
    """The folder for temporary files and compiled programs of one run."""
    if variant.cache == "new":
        with tempfile.TemporaryDirectory(dir=caches) as folder:
            yield Path(folder)
    else:
        folder = caches / variant.cache
        folder.mkdir(exist_ok=True, parents=True)
        yield folder


def versions(runs: Runs) -> dict[str, str]:
    """The versions of the packages that took part in any of the runs."""
    return {name: number for timed in runs.values() for run in timed for name, number in run["versions"].items()}


def kept(runs: Runs) -> Runs:
    """What is stored of runs: seconds and memory, not the results that they were compared by."""
    return {
        variant: [{name: _rounded(run[name]) for name in ("seconds", "memory_mb")} for run in timed]
        for variant, timed in runs.items()
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def agree(one: str, other: str, what: str, values: Iterable[tuple[float, float, float, float]]) -> None:
    """End the run where results differ by more than MOST_ERRORS Monte Carlo standard errors.

    one, other: the variants' labels. values: pairs of results with their errors (a, b, error of a,
    error of b).
    """
    for number, (a, b, error_a, error_b) in enumerate(values, start=1):
        if not abs(a - b) <= MOST_ERRORS * (error_a**2 + error_b**2) ** 0.5:
            raise SystemExit(
                f"{one} and {other} disagree on {what}, value {number}: {a:.4f} +- {error_a:.4f} against "
                f"{b:.4f} +- {error_b:.4f}; no time means anything then"
            )


def threads() -> int:
    """The number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine(versions: Mapping[str, str]) -> str:
    """Processor, cores, memory, and the versions that took part."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    listed = ", ".join(f"{name} {number}" for name, number in sorted(versions.items()))
    return f"{processor()}, {threads()} cores, {memory:.0f} GiB; Python {platform.python_version()}, {listed}."


def processor() -> str:
    """The processor's name as the operating system knows it."""
    try:
        fields = [row.partition(":") for row in Path("/proc/cpuinfo").read_text().splitlines()]
        known = {name.strip(): value.strip() for name, _, value in fields}
        return f"{known['model name']} (family {known['cpu family']}, model {known['model']})"
    except (OSError, KeyError):
        return platform.processor() or platform.machine()
