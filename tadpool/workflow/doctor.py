"""What this machine has for a run, and what is missing: `tadpool doctor`.

It says nothing about a config; `tadpool -n` does.
"""

import argparse
import importlib.util
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from tadpool import INSTALLED, ROOT
from tadpool.files import provenance

OLDEST = (3, 12)
MEMORY_GB = 4
DISK_GB = 2
FIXES = {True: "install tadpool again", False: f"run `make setup` in {ROOT}"}


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and what to do about it ("" where nothing is wrong).

    needed: whether no run is possible without it.
    """

    what: str
    found: str
    fix: str = ""
    needed: bool = True


def findings(folder: Path) -> Iterator[Finding]:
    """Everything that is looked at, in the order of the printed list. folder: where a run would
    write."""
    yield Finding("tadpool", f"{provenance.own_version()} in {ROOT.parent if INSTALLED else ROOT}")
    old = sys.version_info[:2] < OLDEST
    yield Finding(
        "Python", platform.python_version(), f"use Python {'.'.join(map(str, OLDEST))} or newer" if old else ""
    )
    if " " in sys.executable:  # Snakemake starts scripts with it, without quotes
        yield Finding("Python's path", sys.executable, "install tadpool into a folder whose path has no blank")
    yield from _packages()
    yield _system()
    cores, memory = len(_cores()), _memory_gb()
    yield Finding("cores", str(cores))
    if memory is not None:
        few = "close other programs, or run on fewer cores (`tadpool -c1`)" if memory < MEMORY_GB else ""
        yield Finding("free memory", f"{memory:.1f} GB", few, needed=False)
    yield _writable("this folder", folder)
    yield _writable("temporary folder", Path(tempfile.gettempdir()))
    yield _optional("polars", "Parquet tables", "install polars for tables in Parquet")
    gpu = next((name for name in ("jax-cuda13-plugin", "jax-cuda12-plugin") if _version(name)), None)
    yield Finding("GPU", f"JAX runs on the GPU with {gpu}" if gpu else "JAX runs on the processor alone")
    slurm = shutil.which("sbatch")
    yield Finding("SLURM", slurm or "no sbatch here: `--profile` of a cluster is for other machines")


def _packages() -> Iterator[Finding]:
    """The packages that tadpool needs, one finding for all that are there and one for each that is
    not, or has another version."""
    wrong = []
    for requirement in _requirements():
        version = _version(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found = f"{version}, but {requirement.specifier} is needed" if version else "not installed"
            wrong.append(Finding(requirement.name, found, FIXES[INSTALLED]))
    yield Finding("packages", f"{len(_requirements()) - len(wrong)} of {len(_requirements())} as needed")
    yield from wrong


def _requirements() -> list[Requirement]:
    """What tadpool needs, without extras."""
    if INSTALLED:
        texts = metadata.requires("tadpool") or []
    else:
        import tomllib

        texts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return [each for each in map(Requirement, texts) if not (each.marker and "extra" in str(each.marker))]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _system() -> Finding:
    name = f"{platform.system()} on {platform.machine()}"
    if platform.system() == "Windows":
        return Finding("system", name, "use the Windows Subsystem for Linux (WSL)")
    if platform.system() == "Linux" and not hasattr(os, "pidfd_open"):
        return Finding("system", f"{name}; jobs start one by one, without a fork", needed=False)
    return Finding("system", name)


def _cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def _memory_gb() -> float | None:
    """Memory that programs can still have, GB (10^9 bytes); None where the system does not say."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"^MemAvailable: +(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 / 1e9 if found else None


def _writable(what: str, folder: Path) -> Finding:
    """Whether a file can be written, and how much room there is."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return Finding(what, f"{folder} cannot be written to ({error.strerror})", "choose a folder that is writable")
    few = f"make room: a run can take some GB ({DISK_GB} at least)" if free < DISK_GB else ""
    return Finding(what, f"{folder}, {free:.1f} GB free", few, needed=False)


def _optional(module: str, use: str, fix: str) -> Finding:
    there = importlib.util.find_spec(module) is not None
    return Finding(module, f"installed, for {use}" if there else f"not installed; {fix}")


def main(arguments: list[str], look: Callable[[Path], Iterator[Finding]] = findings) -> int:
    """Print what was found; returns 1 where something that a run needs is missing."""
    description = "Show what this machine has for a run, and what is missing."
    argparse.ArgumentParser(prog="tadpool doctor", description=description).parse_args(arguments)
    found = list(look(Path.cwd()))
    width = max(len(each.what) for each in found)
    for each in found:
        mark = "ok" if not each.fix else "MISSING" if each.needed else "note"
        print(f"{mark:<8}{each.what:<{width}}  {each.found}{f'; {each.fix}' if each.fix else ''}")
    missing = [each.what for each in found if each.fix and each.needed]
    print(f"A run needs what is missing: {', '.join(missing)}." if missing else "A run can start.")
    return 1 if missing else 0
