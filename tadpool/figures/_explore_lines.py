"""Data of the lines explorer: an arrow for each group, its data, and the line that either entry puts through them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.figures import _explore, _style, _summaries, _units

GRID = 7


def lines(
    results,
    frame: pd.DataFrame,
    entries: tuple[str, str],
    sites: tuple[str, str],
    by: str,
    predictor: str,
    outcome: str,
    names: tuple[str, str],
) -> dict[str, Any]:
    """frame: that of the kind shrinkage. entries: where arrows start and end. sites: intercept and slope of `predictor`.

    names: of both sites. The lines are posterior means of intercept + slope times predictor with 89 % intervals, where the
    predictor has few values at each of them, else on a grid.
    """
    data = results.data
    values = np.unique(data[predictor].values)
    grid = values if len(values) <= GRID else np.linspace(values.min(), values.max(), GRID)
    parts = [_units.grouped(data, name, by) for name in (predictor, outcome)]
    words = _style.meanings(data[predictor]) if "flag_meanings" in data[predictor].attrs else {}
    ticks = {str(value): text.replace("_", " ") for value, text in words.items()}
    return {
        "kind": "lines",
        "members": _explore.members(results, by),
        "arrows": {
            f"{end}_{axis}": _explore.rounded(frame[f"{end}_{site}"])
            for end in ("start", "end")
            for axis, site in zip(("x", "y"), sites, strict=True)
        },
        "names": list(names),
        "returns_prior": frame["returns_prior"].tolist(),
        "predictor": {"label": _style.quantity(data[predictor]), "grid": _explore.rounded(grid), "ticks": ticks},
        "outcome": _style.quantity(data[outcome]),
        "points": [
            {"x": _explore.rounded(x), "y": _explore.rounded(y)}
            for x, y in zip(*(p.values() for p in parts), strict=True)
        ],
        "entries": [
            _explore.entry(results, name, by) | _heights(_summaries.sites(results, name), sites, by, grid)
            for name in entries
        ],
    }


def _heights(posterior: Mapping[str, xr.DataArray], sites: tuple[str, str], by: str, grid: np.ndarray) -> dict:
    """mean, low and high of each member's line: a list of members, each a list over the grid."""
    intercept, slope = (posterior[site].transpose(by, *_summaries.SAMPLE) for site in sites)
    drawn = intercept + slope * xr.DataArray(grid, dims="grid")
    frames = [_explore.estimates(member) for member in drawn]
    return {name: [frame[name] for frame in frames] for name in ("mean", "low", "high")}
