"""The sigma grid: one model at 20 values of a hyperparameter, in one program against one fit after
another."""

from pathlib import Path
from typing import Any

from benchmarks.processes import PEER_PYTHON, Run, Runs, Variant, agree, present, run
from benchmarks.tables import RATIOS, memory, run_ratio, seconds, spread, table

TITLE = "Sigma grid"
FULL = {"values": 20, "warmup": 1000, "draws": 1000, "rounds": 2}
QUICK = {"values": 2, "warmup": 300, "draws": 300, "rounds": 0}

VARIANTS = {
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
# What a ratio is taken of: the peer, tadpool in the same state, and the goals (whole process,
# sampling alone).
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


def measure(size: dict[str, int], threads: int, caches: Path) -> dict[str, Any]:
    """The timed runs of each variant, and the effective sample sizes of a first run that is not
    timed."""
    variants = present(VARIANTS)
    work = {name: size[name] for name in ("values", "warmup", "draws")} | {"threads": threads}
    diagnosed = {name: run(variant, {**work, "diagnose": True}, caches) for name, variant in variants.items()}
    for name in variants:
        _agree(diagnosed, name, "tadpool_cold")
    runs: Runs = {name: [] if size["rounds"] else [diagnosed[name]] for name in variants}
    for _ in range(size["rounds"]):
        for name, variant in variants.items():
            runs[name].append(run(variant, work, caches))
    ess = {name: [round(value, 1) for value in result["ess"]] for name, result in diagnosed.items()}
    return {"runs": runs, "ess": ess}


def _agree(diagnosed: dict[str, Run], one: str, other: str) -> None:
    for what in ("mean", "sd"):
        columns = [diagnosed[name][key] for key in (what, f"mcse_{what}") for name in (one, other)]
        agree(VARIANTS[one].label, VARIANTS[other].label, f"{what} of alpha_bar", zip(*columns, strict=True))


def render(size: dict[str, int], measured: dict[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    return [
        f"{size['values']} values x 4 chains x ({size['warmup']} + {size['draws']}) iterations, float64, "
        f"{size['rounds']} timed rounds. Seconds are minimum / median; ESS per s is of sampling alone.",
        _variants(measured["runs"], measured["ess"]),
        RATIOS,
        _ratios(measured["runs"]),
    ]


def _variants(runs: Runs, ess: dict[str, list[float]]) -> str:
    rows = []
    for name, timed in runs.items():
        rows.append(
            [VARIANTS[name].label]
            + [spread(seconds(timed, what)) for what in ("whole", "start", "compile_and_sample", "sample", "cpu")]
            + [memory(timed), f"{min(ess[name]):,.0f}"]
            + [f"{sum(ess[name]) / min(seconds(timed, 'sample')):,.0f}"]
        )
    head = ["variant", "whole process, s", "of it start, s", "compile and sample, s", "sampling alone, s"]
    return table([*head, "processor, s", "peak memory, MB", "lowest ESS", "ESS per s"], rows)


def _ratios(runs: Runs) -> str:
    rows = []
    for peer, own, whole, sample in COMPARISONS:
        if peer in runs:
            kinds = (("whole", whole), ("cpu", None), ("compile_and_sample", None), ("sample", sample))
            cells = [run_ratio(runs, peer, own, what, goal) for what, goal in kinds]
            rows.append([VARIANTS[peer].label, VARIANTS[own].label, *cells])
    head = ["peer", "against", "whole process", "processor seconds", "compile and sample", "sampling alone"]
    return table(head, rows)
