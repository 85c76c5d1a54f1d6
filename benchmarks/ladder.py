"""Time per effective sample of the ladder's partial pooling on many rows, against PyMC with
nutpie."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import ess
from benchmarks.ess import ENOUGH, UNMEASURED, Times, times
from benchmarks.processes import PEER_PYTHON, Variant
from benchmarks.tables import memory, ratio, spread, table
from tadpool.formatting import counted

TITLE = "Partial pooling of many rows: sums over groups, and one term for each row"
# Model -> rows, groups, warm-up, draws, rounds.
FULL = {"partial": [200_000, 2000, 300, 1000, 1]}
QUICK = {"partial": [2000, 20, 100, 100, 1]}

VARIANTS = {
    "tadpool": Variant("tadpool, sums over groups", "ladder_tadpool", cache="tadpool"),
    "rows": Variant("tadpool, all rows", "ladder_tadpool", arguments=("--rows",), cache="rows"),
    "pymc": Variant("PyMC + nutpie, all rows", "ess_pymc", PEER_PYTHON, cache="pymc"),
}


def simulated(rows: int, groups: int, folder: Path) -> tuple[Path, Path]:
    """Write data.nc with a normal outcome of groups and a predictor, and the same arrays as .npz;
    returns both paths."""
    import xarray as xr

    from tadpool.files import contracts, io

    rng = np.random.default_rng(1)
    index = rng.permutation(np.arange(rows) % groups)
    x = rng.normal(size=rows)
    y = rng.normal(2.0, 0.5, groups)[index] + 0.3 * x + rng.normal(size=rows)
    coords = {"row": np.arange(1, rows + 1), "school": np.arange(1, groups + 1)}
    observed = xr.Dataset({"y": ("row", y)}, {"row": coords["row"]})
    constant = xr.Dataset({"x": ("row", x), "school_index": ("row", index)}, coords)
    tree = xr.DataTree.from_dict({"observed_data": observed, "constant_data": constant})
    tree.attrs["provenance"] = "{}"
    data, arrays = folder / "ladder.nc", folder / "ladder.npz"
    io.write(data, tree, contracts.DATA)
    np.savez(arrays, y=y, x=x, school_index=index, n_school=groups)
    return data, arrays


def measure(size: dict[str, list], threads: int, caches: Path) -> dict[str, Any]:
    """As in `benchmarks.ess`: runs of one draw and of all draws, whose results have to agree."""
    measured: dict[str, Any] = {"runs": {}, "ess": {}}
    for model, (rows, groups, warmup, draws, rounds) in size.items():
        data, arrays = simulated(rows, groups, caches)
        files = {"tadpool": data, "rows": data, "pymc": arrays}
        work = {"model": model, "warmup": warmup, "threads": threads}
        ess.repeat(measured, VARIANTS, files, work, draws, rounds, caches)
    return measured


def render(size: dict[str, list], measured: dict[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    paragraphs = []
    for model, (count, groups, warmup, draws, rounds) in size.items():
        known = [name for name in VARIANTS if f"{model} {name}" in measured["ess"]]
        found = {name: times(measured["runs"], measured["ess"], f"{model} {name}") for name in known}
        rows = []
        for name, own in found.items():
            each = f"{1000 * own.sampling / ENOUGH:,.2f}" if own.sampling else UNMEASURED
            cells = [spread(own.total("cold")), spread(own.total("warm")), each, f"{own.ess:,.0f} ({own.slowest})"]
            rows.append([VARIANTS[name].label, *cells, memory(measured["runs"][f"{model} {name} long"])])
        head = ["variant", "whole, first run, s", "whole, programs kept, s", "sampling, ms per effective sample"]
        paragraphs += [
            f"A normal outcome of {count:,} rows in {groups:,} groups, one predictor, intercepts centred. 4 chains x "
            f"{warmup} + {draws}, {counted(rounds, 'round')}, float64. Whole: seconds to an ESS of {ENOUGH:,}, minimum / "
            "median. ESS is the smallest bulk effective sample size over the latent sites, mean over rounds.",
            table([*head, "ESS (slowest site)", "peak memory, MB"], rows),
        ]
        if "pymc" in found:
            paragraphs += _against(found)
    return paragraphs


def _against(found: dict[str, Times]) -> list[str]:
    rows, peer = [], found["pymc"]
    for name, own in found.items():
        if name != "pymc":
            whole = [ratio(peer.total(state), own.total(state)) for state in ("cold", "warm")]
            rows.append([VARIANTS[name].label, *whole, own.sampling_ratio(peer)])
    return [
        "How many times faster than PyMC + nutpie on all rows (ratio of the minima / median ratio of the rounds):",
        table(["variant", "whole, first run", "whole, programs kept", "sampling per effective sample"], rows),
    ]
