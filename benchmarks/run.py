"""Time tadpool against PyMC with nutpie and against NumPyro, in one run, and write the tables of benchmarks/README.md.

Every variant is a process of its own. The variants take turns, so that a busy machine slows all of them. The first
round is not timed: it fills the caches of files, keeps compiled programs for the variants that may use them, and gives
the effective sample sizes. Results that disagree beyond their Monte Carlo error end the run.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PEER_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
MOST_ERRORS = 5.0
# What a user's shell may say about compiling must not decide between the variants.
UNSET = ("PYTHONDONTWRITEBYTECODE", "JAX_", "XLA_", "NUMBA_", "PYTENSOR_", "TADPOOL_")

Run = dict
Runs = dict[str, list[Run]]


@dataclass(frozen=True)
class Variant:
    """One way to do the work.

    cache: None where nothing compiled before is used, "new" for an empty folder at each run, or the name of the folder
    that the variants of this name keep their compiled programs in.
    """

    label: str
    module: str
    python: Path = Path(sys.executable)
    arguments: tuple[str, ...] = ()
    cache: str = "new"


GRID = {
    "tadpool_cold": Variant("tadpool, first run", "sigma_grid_tadpool"),
    "tadpool_warm": Variant("tadpool, programs kept", "sigma_grid_tadpool", cache="tadpool"),
    "pymc_cold": Variant("PyMC + nutpie, one model, first run", "sigma_grid_pymc", PEER_PYTHON),
    "pymc_warm": Variant("PyMC + nutpie, one model, programs kept", "sigma_grid_pymc", PEER_PYTHON, cache="pymc"),
    "pymc_rebuild": Variant(
        "PyMC + nutpie, a model per value, programs kept", "sigma_grid_pymc", PEER_PYTHON, ("--rebuild",), cache="pymc"
    ),
    "numpyro": Variant("NumPyro, an MCMC per value, chains in parallel", "sigma_grid_numpyro"),
    "numpyro_default": Variant(
        "NumPyro, an MCMC per value, one device (the default)",
        "sigma_grid_numpyro",
        arguments=("--method", "sequential"),
    ),
}
# What a ratio is taken of: the peer, tadpool in the same state, and the goals (whole process, sampling alone).
COMPARISONS = (
    ("pymc_cold", "tadpool_cold", 4.0, None),
    ("pymc_warm", "tadpool_warm", 7.0, 12.0),
    ("pymc_rebuild", "tadpool_cold", 4.0, None),
    ("pymc_rebuild", "tadpool_warm", 7.0, 12.0),
    ("numpyro", "tadpool_cold", 12.0, 12.0),
    ("numpyro", "tadpool_warm", None, None),
    ("numpyro_default", "tadpool_cold", 12.0, 12.0),
    ("numpyro_default", "tadpool_warm", None, None),
)
MEMORY_GOAL_MB = 2000
ONCE_FROM = 5000


@dataclass(frozen=True)
class Size:
    """How much work: of the sigma grid, and of the calibration batches. No rounds: the first runs are all there is."""

    values: int
    warmup: int
    draws: int
    rounds: int
    lanes: tuple[int, ...]
    calibration_warmup: int
    calibration_draws: int


FULL = Size(20, 1000, 1000, 2, (10, 100, 1000, 10_000), 500, 500)
QUICK = Size(2, 300, 300, 0, (8,), 100, 100)


def run(variant: Variant, arguments: list[str], caches: Path) -> Run:
    """Run a variant in a fresh process: its line of JSON with `whole` and `cpu` seconds of the process added."""
    with cache_folder(variant, caches) as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(UNSET)}
        environment |= {"TMPDIR": str(folder), "PYTENSOR_FLAGS": f"base_compiledir={folder}/pytensor"}
        before, started = os.times(), time.monotonic()
        command = [variant.python, "-m", f"benchmarks.{variant.module}", "--started", str(started)]
        process = subprocess.run(  # noqa: S603 (runs this repository's own modules)
            [*command, *variant.arguments, *arguments],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        whole, after = time.monotonic() - started, os.times()
    if process.returncode:
        raise SystemExit(f"benchmarks/{variant.module}.py ended with status {process.returncode}")
    result = json.loads(process.stdout.splitlines()[-1])
    used = after.children_user + after.children_system - before.children_user - before.children_system
    result["seconds"] |= {"whole": whole, "cpu": used}
    print(f"{variant.label} {' '.join(arguments)}: {whole:.1f} s", flush=True)
    return result


@contextmanager
def cache_folder(variant: Variant, caches: Path) -> Iterator[Path]:
    """The folder for temporary files and compiled programs of one run."""
    if variant.cache == "new":
        with tempfile.TemporaryDirectory(dir=caches) as folder:
            yield Path(folder)
    else:
        folder = caches / variant.cache
        folder.mkdir(exist_ok=True)
        yield folder


def sigma_grid(size: Size, variants: dict[str, Variant], threads: int, caches: Path) -> tuple[dict[str, Run], Runs]:
    """The diagnosed first run and the timed runs of each variant."""
    work = {"values": size.values, "warmup": size.warmup, "draws": size.draws, "threads": threads}
    arguments = [text for name, value in work.items() for text in (f"--{name}", str(value))]
    diagnosed = {name: run(variant, [*arguments, "--diagnose"], caches) for name, variant in variants.items()}
    for name in variants:
        agree(diagnosed, name, "tadpool_cold")
    runs = {name: [] if size.rounds else [diagnosed[name]] for name in variants}
    for _ in range(size.rounds):
        for name, variant in variants.items():
            runs[name].append(run(variant, arguments, caches))
    return diagnosed, runs


def agree(diagnosed: dict[str, Run], one: str, other: str) -> None:
    """End the run where the posterior mean or sd of alpha_bar differs by more than MOST_ERRORS standard errors."""
    for what in ("mean", "sd"):
        columns = [diagnosed[name][key] for key in (what, f"mcse_{what}") for name in (one, other)]
        for point, (a, b, error_a, error_b) in enumerate(zip(*columns, strict=True)):
            if not abs(a - b) <= MOST_ERRORS * (error_a**2 + error_b**2) ** 0.5:
                raise SystemExit(
                    f"{GRID[one].label} and {GRID[other].label} disagree at value {point + 1} of sigma: {what} of "
                    f"alpha_bar {a:.4f} +- {error_a:.4f} against {b:.4f} +- {error_b:.4f}; no time means anything then"
                )


def scaling(size: Size, threads: int, caches: Path) -> Runs:
    """Timed runs of the calibration batch by number of lanes; a batch of ONCE_FROM lanes or more runs once."""
    variant = Variant("tadpool, calibration", "calibration_tadpool", cache="tadpool")
    work = {"warmup": size.calibration_warmup, "draws": size.calibration_draws, "threads": threads}
    runs = {str(lanes): [] for lanes in size.lanes}
    for turn in range(max(1, size.rounds)):
        for lanes in size.lanes:
            if turn == 0 or lanes < ONCE_FROM:
                arguments = [text for name, value in work.items() for text in (f"--{name}", str(value))]
                result = run(variant, [*arguments, "--lanes", str(lanes)], caches)
                believable(result, lanes)
                runs[str(lanes)].append(result)
    return runs


def believable(result: Run, lanes: int) -> None:
    """End the run where lanes failed, or where true parameters do not rank in the middle on average."""
    if result["failed"]:
        raise SystemExit(f"{result['failed']} of {lanes} calibration lanes failed; no time means anything then")
    for name, mean in result["mean_rank"].items():
        if abs(mean - 0.5) > 0.02 + MOST_ERRORS * 12**-0.5 * lanes**-0.5:
            raise SystemExit(f"the mean rank of {name} over {lanes} calibration lanes is {mean:.3f}, not 0.5")


def seconds(runs: list[Run], what: str) -> list[float]:
    """One kind of seconds in each run."""
    return [run["seconds"][what] for run in runs]


def spread(numbers: list[float]) -> str:
    """The minimum and the median."""
    return f"{min(numbers):.1f} / {statistics.median(numbers):.1f}"


def ratios(runs: Runs, peer: str, own: str, what: str) -> tuple[float, float]:
    """How many times the peer's seconds are tadpool's: of the minima, and the median over rounds."""
    theirs, ours = seconds(runs[peer], what), seconds(runs[own], what)
    return min(theirs) / min(ours), statistics.median(t / o for t, o in zip(theirs, ours, strict=True))


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


def grid_table(diagnosed: dict[str, Run], runs: Runs) -> str:
    """Seconds, memory and effective sample sizes of each variant."""
    rows = []
    for name, timed in runs.items():
        ess = diagnosed[name]["ess"]
        rows.append(
            [GRID[name].label]
            + [spread(seconds(timed, what)) for what in ("whole", "start", "compile_and_sample", "sample", "cpu")]
            + [f"{statistics.median(r['memory_mb'] for r in timed):,.0f}", f"{min(ess):,.0f}"]
            + [f"{sum(ess) / min(seconds(timed, 'sample')):,.0f}"]
        )
    head = ["variant", "whole process, s", "of it start, s", "compile and sample, s", "sampling alone, s"]
    return table([*head, "processor, s", "peak memory, MB", "lowest ESS", "ESS per s"], rows)


def ratio_table(runs: Runs) -> str:
    """How many times faster tadpool is than each peer, with the goals."""
    rows = []
    for peer, own, whole_goal, sample_goal in COMPARISONS:
        if peer not in runs:
            continue
        cells = [GRID[peer].label, GRID[own].label]
        for what, goal in (("whole", whole_goal), ("cpu", None), ("compile_and_sample", None), ("sample", sample_goal)):
            best, typical = ratios(runs, peer, own, what)
            met = "" if goal is None else f" (goal {goal:g}: {'met' if best >= goal else 'missed'})"
            cells.append(f"{best:.1f} / {typical:.1f}{met}")
        rows.append(cells)
    head = ["peer", "against", "whole process", "processor seconds", "compile and sample", "sampling alone"]
    return table(head, rows)


def scaling_table(runs: Runs) -> str:
    """Seconds, seconds per lane and peak memory by number of lanes."""
    rows = []
    for lanes, timed in runs.items():
        sample = min(seconds(timed, "sample"))
        memory = max(run["memory_mb"] for run in timed)
        whole, each = spread(seconds(timed, "whole")), f"{1000 * sample / int(lanes):.1f}"
        rows.append([f"{int(lanes):,}", str(len(timed)), whole, f"{sample:.1f}", each, f"{memory:,.0f}"])
    return table(["lanes", "runs", "whole process, s", "sampling, s", "sampling per lane, ms", "peak memory, MB"], rows)


def scaling_verdict(runs: Runs) -> str:
    """The goals for large batches, and whether they were met."""
    counts = sorted(map(int, runs))
    per_lane = {n: min(seconds(runs[str(n)], "sample")) / n for n in counts}
    largest, reference = counts[-1], counts[max(0, len(counts) - 2)]
    growth = per_lane[largest] / per_lane[reference]
    memory = max(run["memory_mb"] for run in runs[str(largest)])
    met = "met" if memory <= MEMORY_GOAL_MB else "missed"
    return (
        f"One of {largest:,} lanes takes {growth:.2f} times as long as one of {reference:,} (goal: no growth). "
        f"{largest:,} lanes take {memory:,.0f} MB (goal {MEMORY_GOAL_MB:,} MB: {met})."
    )


def machine(threads: int, *results: Run) -> str:
    """Processor, cores, memory, and the versions that took part."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = {name: number for result in results for name, number in result["versions"].items()}
    listed = ", ".join(f"{name} {number}" for name, number in sorted(versions.items()))
    return f"{processor()}, {threads} cores, {memory:.0f} GiB; Python {platform.python_version()}, {listed}."


def processor() -> str:
    """The processor's name as the operating system knows it."""
    try:
        fields = [row.partition(":") for row in Path("/proc/cpuinfo").read_text().splitlines()]
        known = {name.strip(): value.strip() for name, _, value in fields}
        return f"{known['model name']} (family {known['cpu family']}, model {known['model']})"
    except (OSError, KeyError):
        return platform.processor() or platform.machine()


def measured(size: Size, threads: int, diagnosed: dict[str, Run], grid: Runs, calibration: Runs) -> str:
    """The part of the README that a run writes."""
    smoke = [] if size.rounds else ["**A smoke run of small sizes: its times and ratios mean nothing.**"]
    return "\n\n".join(
        [
            *smoke,
            f"Machine: {machine(threads, *diagnosed.values())}",
            "### Sigma grid",
            f"{size.values} values x 4 chains x ({size.warmup} + {size.draws}) iterations, float64, "
            f"{size.rounds} timed rounds. Seconds are minimum / median; ESS per s is of sampling alone.",
            grid_table(diagnosed, grid),
            "How many times faster tadpool is (ratio of the minima / median ratio of the rounds):",
            ratio_table(grid),
            "### Calibration batches",
            f"Lanes of ({size.calibration_warmup} + {size.calibration_draws}) iterations, float64.",
            scaling_table(calibration),
            scaling_verdict(calibration),
        ]
    )


def write(path: Path, text: str) -> None:
    """Put the text between the markers of the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a smoke run of small sizes, one run each; it writes no README"
    )
    parser.add_argument("--output", type=Path, help="where to write the README with the tables")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    variants = {name: v for name, v in GRID.items() if v.python.exists() or not options.quick}
    if not all(variant.python.exists() for variant in variants.values()):
        raise SystemExit(f"{PEER_PYTHON.relative_to(ROOT)} does not exist; `make bench` sets it up")
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with tempfile.TemporaryDirectory(prefix="tadpool-benchmarks-") as caches:
        diagnosed, grid = sigma_grid(size, variants, threads, Path(caches))
        calibration = scaling(size, threads, Path(caches))
    text = measured(size, threads, diagnosed, grid, calibration)
    print(text)
    if output := options.output or (None if options.quick else README):
        write(output, text)


if __name__ == "__main__":
    main()
