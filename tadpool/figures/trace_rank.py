"""Traces of the parameters that mixed worst, and the distribution of their ranks over the chains."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from tadpool.elements import element_labels
from tadpool.figures import Drawn, NotDrawn, Standard, _style, _summaries

STANDARD = Standard("entry", "sampler", place=1)
ROWS = 6
TRACE_POINTS = 125
RANK_POINTS = 40
CAPTION = (
    "Left: chains should overlap and show no trend. Right: each chain's ranks among all draws, as the difference from "
    "equal shares; a line that leaves the grey band means that this chain explores other values. The figure shows scalars "
    "and the elements with the smallest effective sample size; the worst R-hat here is {rhat_max:.3f}."
)


def draw(results, *, entry: str, rows: int = ROWS) -> Drawn:
    """rows: the largest number of parameters to show."""
    posterior = _summaries.sites(results, entry)
    chosen = _worst(results.check(entry)["parameters"], rows)
    if not chosen:
        raise NotDrawn(f"{entry} has no parameter that moved")
    figure, axes = _style.panels(len(chosen), 2, height=0.7 + 1.05 * len(chosen), sharex="col", width=_style.WIDTH)
    frames = []
    for (trace, rank), row in zip(axes, chosen, strict=True):
        values = _element(posterior[row["site"]], row["labels"])
        frames += [
            _trace(trace, values).assign(parameter=row["parameter"], panel="trace"),
            _ranks(rank, values, row["ess_bulk"]).assign(parameter=row["parameter"], panel="rank"),
        ]
        trace.set_title(row["parameter"], fontsize=8)
        rank.set_title(
            f"R-hat {row['rhat']:.3f}, bulk ESS {row['ess_bulk']:.0f}, tail ESS {row['ess_tail']:.0f}", fontsize=8
        )
    axes[-1, 0].set_xlabel("draw")
    axes[-1, 1].set_xlabel("rank among all draws (share)")
    _style.legend_above(figure, axes[0, 0], columns=8)
    worst = max(chosen, key=lambda row: row["rhat"])
    alt = f"Traces and ranks of {len(values)} chains for " + "; ".join(
        f"{row['parameter']} (R-hat {row['rhat']:.3f}, bulk ESS {row['ess_bulk']:.0f})" for row in chosen
    )
    title = f"Traces and ranks of {_style.label(results, entry)}"
    return Drawn(figure, pd.concat(frames, ignore_index=True), title, alt + ".", CAPTION, {"rhat_max": worst["rhat"]})


def _worst(rows: Sequence[dict], most: int) -> list[dict]:
    """Scalars first, then elements of arrays, those with the smallest effective sample sizes; in the order of the report."""
    moved = [
        row
        for row in rows
        if row["kind"] == "latent" and row.get("rhat") and row.get("ess_bulk") and row.get("ess_tail")
    ]

    def size(row):
        return bool(row["labels"]), min(row["ess_bulk"], row["ess_tail"])

    scalars = [row for row in moved if not row["labels"]]
    kept = sorted(scalars, key=size)[: max(1, most - 2)]
    kept += sorted((row for row in moved if row not in scalars), key=size)[: most - len(kept)]
    return [row for row in moved if row in kept]


def _element(site: xr.DataArray, labels: Sequence[str]) -> np.ndarray:
    values = site.transpose(..., *_summaries.SAMPLE).values
    flat = values.reshape(-1, *values.shape[-2:])
    return flat[element_labels(site).index(tuple(labels))].astype(float)


def _trace(axes: Axes, values: np.ndarray) -> pd.DataFrame:
    step = max(1, -(-values.shape[1] // TRACE_POINTS))
    at = np.arange(0, values.shape[1], step)
    for chain, chain_values in enumerate(values[:, at]):
        shade = _style.PALETTE[chain % len(_style.PALETTE)]
        axes.plot(at, chain_values, color=shade, linewidth=0.5, alpha=0.8)
        axes.plot([], [], color=shade, label=f"chain {chain + 1}")
    return _long(at, values[:, at])


def _ranks(axes: Axes, values: np.ndarray, ess: float) -> pd.DataFrame:
    """Cumulative share of each chain's fractional ranks less the expected share (Vehtari et al. 2021; Säilynoja et al. 2022).

    The band holds all of a chain's line with 99 % probability (Kolmogorov) if it had ess / chains independent draws.
    """
    chains, draws = values.shape
    ranks = np.argsort(np.argsort(values, axis=None, kind="stable"), kind="stable").reshape(chains, draws)
    at = np.linspace(0, 1, RANK_POINTS + 1)
    cumulative = np.stack([np.searchsorted(np.sort(row), at * chains * draws) / draws for row in ranks]) - at
    half = np.sqrt(np.log(2 / 0.01) / 2 / (min(ess, chains * draws) / chains))
    axes.axhspan(-half, half, color=_style.REFERENCE, alpha=0.25, linewidth=0)
    for chain, line in enumerate(cumulative):
        axes.plot(at, line, color=_style.PALETTE[chain % len(_style.PALETTE)])
    axes.set_ylim(np.array([-1, 1]) * max(1.4 * half, 1.1 * np.abs(cumulative).max()))
    return _long(at, cumulative)


def _long(at: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """Lines (chain, point) as one row per point."""
    chain = np.repeat(np.arange(len(values)), len(at))
    return pd.DataFrame({"chain": chain, "x": np.tile(at, len(values)), "y": values.ravel()})
