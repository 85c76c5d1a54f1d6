"""Exact leave-one-out of the whole sigma grid: 48 tanks at 20 values, against refits in PyMC with
nutpie."""

import csv
from pathlib import Path
from typing import Any

from benchmarks.processes import PEER_PYTHON, ROOT, Run, Runs, Variant, agree, present, run
from benchmarks.tables import memory, ratio, seconds, spread, table

TITLE = "Exact leave-one-out of the sigma grid"
TANKS = 48
FULL = {"values": 20, "warmup": 1000, "draws": 1000, "refits": 20, "rounds": 2}
QUICK = {"values": 2, "warmup": 100, "draws": 100, "refits": 2, "rounds": 1}
EXACT = ROOT / "tadpool" / "verification" / "reference" / "reedfrogs_sigma_grid.csv"

# Of each round: what tadpool's first run compiles in an empty folder, its second keeps.
VARIANTS = {
    "tadpool_cold": Variant("tadpool, all refits, first run", "loo_tadpool", cache="tadpool"),
    "tadpool_warm": Variant("tadpool, all refits, programs kept", "loo_tadpool", cache="tadpool"),
    "pymc_warm": Variant("PyMC + nutpie, one model, programs kept", "loo_pymc", PEER_PYTHON, cache="pymc"),
    "pymc_rebuild": Variant(
        "PyMC + nutpie, a model per refit, programs kept", "loo_pymc", PEER_PYTHON, ("--rebuild",), cache="pymc"
    ),
}


def measure(size: dict[str, int], threads: int, caches: Path) -> dict[str, Any]:
    """The timed runs of each variant; tadpool does all refits, PyMC some of them.

    A small run of PyMC before that is not timed keeps its compiled model.
    """
    variants = present(VARIANTS)
    work = {name: size[name] for name in ("values", "warmup", "draws")} | {"threads": threads}
    if "pymc_warm" in variants:
        run(variants["pymc_warm"], {**work, "refits": 1, "draws": 10}, caches)
    runs: Runs = {name: [] for name in variants}
    for number in range(size["rounds"]):
        for name, variant in variants.items():
            peer = name.startswith("pymc")
            some = {"refits": size["refits"]} if peer else {}
            runs[name].append(run(variant, {**work, **some}, caches if peer else caches / f"round-{number}"))
    for name, timed in runs.items():
        _agree(runs["tadpool_cold"][0], timed[0], VARIANTS[name].label, size)
    return {"runs": runs}


def _agree(own: Run, other: Run, label: str, size: dict[str, int]) -> None:
    """End the run where the sum over the common refits, or tadpool's sum at a value of the grid, is
    wrong.

    An error of one refit comes from 4 chains and is poorly known, that of a sum over refits is not.
    """
    if "points" in other:
        pairs = [(own["elpd"][value][tank], own["error"][value][tank]) for value, tank in other["points"]]
        sums = [sum(score for score, _ in pairs), sum(other["elpd"])]
        errors = [sum(e**2 for e in column) ** 0.5 for column in ((e for _, e in pairs), other["error"])]
        agree("tadpool", label, "the sum of elpd over the refits", [(*sums, *errors)])
    else:
        if other["failed"]:
            raise SystemExit(f"{label}: {other['failed']} lanes failed; no time means anything then")
        with EXACT.open(newline="") as file:
            exact = {round(float(row["sigma"]), 4): float(row["elpd_loo_exact"]) for row in csv.DictReader(file)}
        sigmas = [round(0.1 + 4.9 * i / max(1, size["values"] - 1), 4) for i in range(size["values"])]
        for sigma, scores, errors in zip(sigmas, other["elpd"], other["error"], strict=True):
            agree(
                label, "quadrature", f"elpd at sigma {sigma}",
                [(sum(scores), exact[sigma], sum(e**2 for e in errors) ** 0.5, 0.0)],
            )  # fmt: skip


def whole(timed: list[Run], name: str, size: dict[str, int]) -> list[float]:
    """Seconds of all refits in each run: as measured, or with the repeated part of PyMC's loop
    scaled up."""
    if not name.startswith("pymc"):
        return seconds(timed, "whole")
    times = size["values"] * TANKS / size["refits"]
    pairs = zip(seconds(timed, "whole"), seconds(timed, "repeated"), strict=True)
    return [measured + (times - 1.0) * repeated for measured, repeated in pairs]


def render(size: dict[str, int], measured: dict[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    runs, all_refits = measured["runs"], size["values"] * TANKS
    totals = {name: whole(timed, name, size) for name, timed in runs.items()}
    rows = [
        [
            VARIANTS[name].label, f"{size['refits'] if name.startswith('pymc') else all_refits:,}",
            spread(seconds(timed, "whole")), spread(totals[name]), memory(timed),
        ]
        for name, timed in runs.items()
    ]  # fmt: skip
    ratios = [
        [VARIANTS[peer].label, VARIANTS[own].label, ratio(totals[peer], totals[own])]
        for peer in runs
        for own in runs
        if peer.startswith("pymc") and own.startswith("tadpool")
    ]
    return [
        f"{TANKS} tanks x {size['values']} values x 4 chains x ({size['warmup']} + {size['draws']}) iterations, float64, "
        f"{size['rounds']} rounds. PyMC does {size['refits']} of the {all_refits:,} refits, the rest is extrapolated. "
        "Seconds are minimum / median.",
        table(["variant", "refits done", "whole process, s", f"all {all_refits:,} refits, s", "peak memory, MB"], rows),
        "How many times faster tadpool is with all refits (ratio of the minima / median ratio of the rounds):",
        table(["peer", "against", "all refits"], ratios),
    ]
