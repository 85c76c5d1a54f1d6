"""Separate fits of the 85 counties of the radon study: the workflow's fit job against a loop in
NumPyro."""

from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import Runs, Variant, agree, run
from benchmarks.tables import memory, run_ratio, seconds, spread, table

TITLE = "Separate fits of 85 counties"
FULL = {"counties": 85, "warmup": 1000, "draws": 1000, "rounds": 2}
QUICK = {"counties": 2, "warmup": 100, "draws": 100, "rounds": 1}
GOAL = 8.0
# Counties whose every parameter has so many effective draws in both are compared; with few houses
# neither converges.
ENOUGH = 400

OWN = {
    "tadpool_cold": Variant("tadpool, fit job, first run", "county_tadpool"),
    "tadpool_warm": Variant("tadpool, fit job, programs kept", "county_tadpool", cache="tadpool"),
}
# Each runs once: a loop takes minutes.
PEERS = {
    "numpyro": Variant(
        "NumPyro, an MCMC per county, chains in parallel", "county_numpyro", arguments=("--method", "parallel")
    ),
    "numpyro_default": Variant("NumPyro, an MCMC per county, one device (the default)", "county_numpyro"),
}
VARIANTS = OWN | PEERS


def measure(size: dict[str, int], threads: int, caches: Path) -> dict[str, Any]:
    """Rounds of tadpool's fit job before, between and after the loops; the loops have one round.

    One run of the job before that is not timed keeps its programs for the variant that may use
    them.
    """
    from benchmarks import studies

    data, arrays = studies.prepared("radon", caches)
    spec, fit = caches / "fit.json", caches / "fit.nc"
    spec.write_text(studies.fit_spec("radon", "individual", size["warmup"], size["draws"]), encoding="utf-8")
    job = {"data": data, "spec": spec, "output": fit, "threads": _fit_threads(threads)}
    loop = {name: size[name] for name in ("counties", "warmup", "draws")} | {"data": arrays, "threads": threads}
    run(OWN["tadpool_warm"], job, caches)
    runs: Runs = {name: [] for name in VARIANTS}
    for _, peer in zip_longest(range(size["rounds"]), PEERS):
        if len(runs["tadpool_cold"]) < size["rounds"]:
            for name, variant in OWN.items():
                runs[name].append(run(variant, job, caches))
        if peer:
            draws = caches / f"{peer}.npz"
            runs[peer].append(run(PEERS[peer], {**loop, "output": draws}, caches))
            _agree(fit, draws, PEERS[peer].label)
    return {"runs": runs}


def _fit_threads(cores: int) -> int:
    """What the workflow gives a fit job on so many cores (rules/common.smk)."""
    return max(1, min(4, cores // 2))


def _agree(fit: Path, draws: Path, peer: str) -> None:
    """End the run where the means of a parameter differ in a county that both sampled well."""
    from arviz_stats.base import array_stats

    from tadpool.files import contracts, io

    tree = io.read(fit, contracts.FIT)
    if tree.attrs["status"] != "ok":
        raise SystemExit(f"the fit job failed ({tree.attrs['reason']}); no time means anything then")
    theirs = dict(np.load(draws))
    count = len(theirs["alpha"])
    ours = {name: tree["posterior"][name].values[:count] for name in theirs}
    axes = {"chain_axis": 1, "draw_axis": 2}
    ess = [array_stats.ess(d[name], **axes, method="bulk") for d in (ours, theirs) for name in d]
    well = np.min(ess, axis=0) >= ENOUGH
    print(f"compared in {well.sum()} of {count} counties", flush=True)
    for name in ("alpha", "beta"):
        pair = (ours[name][well], theirs[name][well])
        means = [values.mean(axis=(1, 2)) for values in pair]
        errors = [array_stats.mcse(values, **axes, method="mean") for values in pair] if well.any() else [[], []]
        agree("tadpool", peer, f"the mean of {name}", zip(*means, *errors, strict=True))


def render(size: dict[str, int], measured: dict[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    runs = measured["runs"]
    rows = [
        [
            VARIANTS[name].label, str(len(timed)), spread(seconds(timed, "whole")), spread(seconds(timed, "cpu")),
            memory(timed),
        ]
        for name, timed in runs.items()
    ]  # fmt: skip
    ratios = [
        [
            VARIANTS[peer].label, VARIANTS[own].label,
            run_ratio(runs, peer, own, "whole", GOAL), run_ratio(runs, peer, own, "cpu"),
        ]
        for peer in PEERS
        for own in OWN
    ]  # fmt: skip
    return [
        f"{size['counties']} counties x 4 chains x ({size['warmup']} + {size['draws']}) iterations, float64. A loop in "
        "NumPyro runs once, tadpool's job before, between and after. Seconds are minimum / median.",
        table(["variant", "runs", "whole process, s", "processor, s", "peak memory, MB"], rows),
        "How many times faster tadpool is (ratio of the minima / median over tadpool's rounds):",
        table(["peer", "against", "whole process", "processor seconds"], ratios),
    ]
