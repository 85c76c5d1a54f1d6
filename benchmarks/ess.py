"""Time to an effective sample size of 1000 for the slowest parameter, against PyMC with nutpie."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import PEER_PYTHON, Run, Runs, Variant, agree, present, run
from benchmarks.tables import memory, ratio, seconds, spread, table

TITLE = "Time to an effective sample size of 1000"
# Model -> study, warm-up, draws, rounds.
FULL = {
    "radon_hierarchical": ["radon", 300, 4000, 2],
    "mundlak_latent": ["mundlak", 300, 4000, 2],
    "masking_masked": ["masking", 300, 2000, 2],
    "trolley_partial_pooling": ["trolley", 300, 500, 1],
}
QUICK = {"radon_hierarchical": ["radon", 200, 200, 1]}
ENOUGH = 1000
UNMEASURED = "too little to measure"

# Of each round: what its first run compiles in an empty folder, the other two keep.
VARIANTS = {
    "tadpool": Variant("tadpool", "ess_tadpool", cache="tadpool"),
    "pymc": Variant("PyMC + nutpie", "ess_pymc", PEER_PYTHON, cache="pymc"),
}
# Runs that differ in their draws alone, and so in sampling alone.
STAGES = {"first": 1, "kept": 1, "long": None}


def measure(size: dict[str, list], threads: int, caches: Path) -> dict[str, Any]:
    """Per round and variant: a run of one draw in an empty folder, another with programs kept, one
    of all draws.

    Rounds differ in their random seed; within a round the warm-up of a variant is the same in its
    three runs.
    """
    from benchmarks import studies

    measured: dict[str, Any] = {"runs": {}, "ess": {}}
    for model, (study, warmup, draws, rounds) in size.items():
        data, arrays = studies.prepared(study, caches)
        files = {"tadpool": data, "pymc": arrays}
        work = {"model": model, "warmup": warmup, "threads": threads}
        repeat(measured, VARIANTS, files, work, draws, rounds, caches)
    return measured


def repeat(
    measured: dict[str, Any],
    variants: Mapping[str, Variant],
    files: Mapping[str, Path],
    work: Mapping[str, Any],
    draws: int,
    rounds: int,
    caches: Path,
) -> None:
    """Run all stages of all variants for one model, and add what they took to `measured` (runs,
    ess).

    files: variant -> its data. work: the options that are common to all runs, with the name of the
    model.
    """
    model = work["model"]
    for number in range(rounds):
        long = {}
        for stage, few in STAGES.items():
            for name, variant in present(variants).items():
                last = {"draws": few} if few else {"draws": draws, "diagnose": True}
                given = {**work, "data": files[name], "number": number, **last}
                result = run(variant, given, caches / f"{model}-{number}")
                measured["runs"].setdefault(f"{model} {name} {stage}", []).append(result)
                long[name] = result
        for name, result in long.items():
            measured["ess"].setdefault(f"{model} {name}", []).append({s: round(v, 1) for s, v in result["ess"].items()})
            _agree(model, long["tadpool"], result)


def _agree(model: str, one: Run, other: Run) -> None:
    for name, (mean, sd, *errors) in one["moments"].items():
        theirs = other["moments"][name]
        for what, a, b, error_a, error_b in (
            ("mean", mean, theirs[0], errors[0], theirs[2]),
            ("sd", sd, theirs[1], errors[1], theirs[3]),
        ):
            agree("tadpool", "another variant", f"{what} of {model} {name}", zip(a, b, error_a, error_b, strict=True))


@dataclass(frozen=True)
class Times:
    """Seconds of each round before the first draw (first run, programs kept), and of sampling to
    ENOUGH.

    sampling: the median over rounds, because a difference of two times has no meaningful minimum.
    """

    cold: list[float]
    warm: list[float]
    sampling: float
    ess: float
    slowest: str

    def total(self, state: str) -> list[float]:
        """Whole seconds of each round; state: cold or warm."""
        return [fixed + self.sampling for fixed in getattr(self, state)]

    def sampling_ratio(self, peer: "Times") -> str:
        """How many times faster this samples than the peer."""
        return f"{peer.sampling / self.sampling:.1f}" if self.sampling else UNMEASURED


def times(runs: Runs, ess: dict[str, list[dict[str, float]]], which: str) -> Times:
    """How long one variant takes for one model; which: "<model> <variant>"."""
    first, kept, long = (runs[f"{which} {stage}"] for stage in STAGES)
    mean = {site: statistics.mean(found[site] for found in ess[which]) for site in ess[which][0]}
    slowest = min(mean, key=mean.get)
    lowest = statistics.mean(min(found.values()) for found in ess[which])
    extra = [b - a for a, b in zip(seconds(kept, "sample"), seconds(long, "sample"), strict=True)]
    # Where sampling takes less than runs differ by, the difference may be below 0.
    sampling = max(0.0, statistics.median(extra)) * ENOUGH / lowest
    return Times(seconds(first, "whole"), seconds(kept, "whole"), sampling, lowest, slowest)


def render(size: dict[str, list], measured: dict[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    runs, ess = measured["runs"], measured["ess"]
    rows, ratios = [], []
    for model, (_, warmup, draws, rounds) in size.items():
        found = {name: times(runs, ess, f"{model} {name}") for name in VARIANTS if f"{model} {name}" in ess}
        for name, own in found.items():
            cells = [own.total("cold"), own.total("warm"), own.cold, own.warm]
            slowest = f"{own.ess:,.0f} ({own.slowest})"
            rows.append(
                [
                    model, f"{warmup} + {draws}", str(rounds), VARIANTS[name].label, *map(spread, cells),
                    f"{own.sampling:,.1f}", slowest,
                    memory(runs[f"{model} {name} long"]),
                ]
            )  # fmt: skip
        if len(found) > 1:
            peer, own = found["pymc"], found["tadpool"]
            pairs = [
                (peer.total("cold"), own.total("cold")), (peer.total("warm"), own.total("warm")),
                (peer.cold, own.cold), (peer.warm, own.warm),
            ]  # fmt: skip
            ratios.append([model, *(ratio(*pair) for pair in pairs), own.sampling_ratio(peer)])
    kinds = ["whole, first run", "whole, programs kept", "fixed, first run", "fixed, programs kept", "sampling"]
    head = ["model", "iterations", "rounds", "variant", *(f"{kind}, s" for kind in kinds)]
    return [
        f"4 chains, float64. Seconds to an ESS of {ENOUGH:,}, minimum / median. ESS is the smallest bulk effective "
        "sample size over the latent sites of a run of the draws named, mean over rounds (another seed each).",
        table([*head, "ESS (slowest site)", "peak memory, MB"], rows),
        "How many times faster tadpool is than PyMC + nutpie (ratio of the minima / median ratio of the rounds):",
        table(["model", *kinds], ratios),
    ]
