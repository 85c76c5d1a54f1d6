"""Shares of true values inside central intervals of the posteriors that were fitted to simulated
data."""

import numpy as np
import pandas as pd
from scipy import stats

from tadpool.figures import Drawn, Standard, _calibrations, _style

STANDARD = Standard("calibration", "calibration", place=2)
LEVELS = (50, 89)
CAPTION = (
    "Each dot is one quantity: the share of its true values that lie inside the central interval, over {n} fits. About 95 % "
    "of the dots should lie inside the grey band: {inside_50} of {quantities} do at 50 %, {inside_89} at 89 %. Left of the "
    "band, intervals are too narrow."
)


def draw(results, *, calibration: str) -> Drawn:
    """calibration: its name in the study. One row per site. Raises NotDrawn where the calibration
    has no ranks."""
    _, quantities, n = _calibrations.read_calibration(results, calibration)
    sites = _calibrations.sites(quantities)
    figure, axes = _style.panels(1, len(LEVELS), height=0.9 + 0.28 * max(3, len(sites)), sharey=True)
    values = {"n": n, "quantities": quantities.sizes["quantity"]}
    for panel, level in zip(axes.flat, LEVELS, strict=True):
        coverage = quantities[f"coverage_{level}"].values
        low, high = (float(end) for end in stats.binom.interval(0.95, n, level / 100))
        panel.axvspan(low / n, high / n, color=_style.REFERENCE, alpha=0.25, linewidth=0)
        panel.axvline(level / 100, color=_style.OBSERVED, linewidth=0.8, linestyle="dotted")
        for row, own in enumerate(sites.values()):
            offsets = np.zeros(1) if len(own) == 1 else np.linspace(-0.3, 0.3, len(own))
            panel.plot(coverage[own], row + offsets, "o", color=_style.PALETTE[0], markersize=3, alpha=0.8)
        panel.set_xlabel(f"share inside the {level} % interval")
        values[f"inside_{level}"] = int(((coverage * n >= low - 1e-9) & (coverage * n <= high + 1e-9)).sum())
        values[f"low_{level}"], values[f"high_{level}"] = float(coverage.min()), float(coverage.max())
    axes[0, 0].set_yticks(range(len(sites)), list(sites))
    axes[0, 0].set_ylim(len(sites) - 0.4, -0.6)
    numbers = pd.DataFrame(
        {name: quantities[name].values for name in ("quantity", "site", *(f"coverage_{level}" for level in LEVELS))}
    )
    alt = " ".join(
        f"Coverage of {level} % intervals runs from {values[f'low_{level}']:.3f} to {values[f'high_{level}']:.3f} over "
        f"{values['quantities']} quantities."
        for level in LEVELS
    )
    return Drawn(figure, numbers, f"Coverage, {_calibrations.label(results, calibration)}", alt, CAPTION, values)
