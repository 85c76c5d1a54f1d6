"""Calibration batches: how the time of a lane and the memory grow with the number of lanes."""

from pathlib import Path
from typing import Any

from benchmarks.processes import MOST_ERRORS, Run, Runs, Variant, run
from benchmarks.tables import seconds, spread, table

TITLE = "Calibration batches"
FULL = {"lanes": [10, 100, 1000, 10_000], "warmup": 500, "draws": 500, "rounds": 2}
QUICK = {"lanes": [8], "warmup": 100, "draws": 100, "rounds": 0}
MEMORY_GOAL_MB = 2000
ONCE_FROM = 5000


def measure(size: dict[str, Any], threads: int, caches: Path) -> dict[str, Any]:
    """Timed runs by number of lanes; a batch of ONCE_FROM lanes or more runs once."""
    variant = Variant("tadpool, calibration", "calibration_tadpool", cache="tadpool")
    work = {"warmup": size["warmup"], "draws": size["draws"], "threads": threads}
    runs: Runs = {str(lanes): [] for lanes in size["lanes"]}
    for turn in range(max(1, size["rounds"])):
        for lanes in size["lanes"]:
            if turn == 0 or lanes < ONCE_FROM:
                result = run(variant, {**work, "lanes": lanes}, caches)
                _believable(result, lanes)
                runs[str(lanes)].append(result)
    return {"runs": runs}


def _believable(result: Run, lanes: int) -> None:
    """End the run where lanes failed, or where true parameters do not rank in the middle on
    average."""
    if result["failed"]:
        raise SystemExit(f"{result['failed']} of {lanes} calibration lanes failed; no time means anything then")
    for name, mean in result["mean_rank"].items():
        if abs(mean - 0.5) > 0.02 + MOST_ERRORS * 12**-0.5 * lanes**-0.5:
            raise SystemExit(f"the mean rank of {name} over {lanes} calibration lanes is {mean:.3f}, not 0.5")


def render(size: dict[str, Any], measured: dict[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    settings = f"Lanes of ({size['warmup']} + {size['draws']}) iterations, float64."
    return [settings, _scaling(measured["runs"]), _verdict(measured["runs"])]


def _scaling(runs: Runs) -> str:
    rows = []
    for lanes, timed in sorted(runs.items(), key=lambda pair: int(pair[0])):
        sample = min(seconds(timed, "sample"))
        memory = max(run["memory_mb"] for run in timed)
        whole, each = spread(seconds(timed, "whole")), f"{1000 * sample / int(lanes):.1f}"
        rows.append([f"{int(lanes):,}", str(len(timed)), whole, f"{sample:.1f}", each, f"{memory:,.0f}"])
    return table(["lanes", "runs", "whole process, s", "sampling, s", "sampling per lane, ms", "peak memory, MB"], rows)


def _verdict(runs: Runs) -> str:
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
