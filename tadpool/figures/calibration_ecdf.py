"""ECDF of the ranks of the true values minus the uniform ECDF, with simultaneous bands."""

import numpy as np
import pandas as pd

from tadpool.calibration import uniformity
from tadpool.figures import Drawn, Standard, _calibrations, _style

STANDARD = Standard("calibration", "calibration", place=1)
COLUMNS = 3
CAPTION = (
    "Each line is one quantity: the share of simulations whose true value ranks at or below x among the draws, minus the share "
    "expected of a calibrated posterior. One line in twenty leaves the band by chance; of {quantities} lines {outside} "
    "{leave}. A hump means that estimates are too high, a dip that they are too low, an S shape that intervals are too "
    "wide or too narrow.{found}"
)


def draw(results, *, calibration: str) -> Drawn:
    """calibration: its name in the study. Elements of a site share a panel.

    Raises NotDrawn where the calibration has no ranks.
    """
    simulations, quantities, ranked = _calibrations.read_calibration(results, calibration)
    largest = int(simulations.attrs["largest_rank"])
    ranks = simulations["rank"].values[(simulations["rank"].values >= 0).all(axis=1)]
    at = np.arange(1, largest + 1) / (largest + 1)
    difference = uniformity.ecdf(ranks, largest) - at[:, None]
    lower, upper = (end - at for end in uniformity.band(ranked, largest))
    bad = _calibrations.suspicious(quantities)
    sites = _calibrations.sites(quantities)
    columns = min(COLUMNS, len(sites))
    rows = -(-len(sites) // columns)
    figure, axes = _style.panels(rows, columns, height=0.9 + 1.6 * rows, sharex=True, sharey=True)
    for panel, (site, own) in zip(axes.flat, sites.items(), strict=False):
        panel.fill_between(at, lower, upper, step="post", color=_style.REFERENCE, alpha=0.25, linewidth=0)
        width = 1.2 if len(own) == 1 else 0.6
        for position in own:
            shade = _calibrations.HIGHLIGHT if bad[position] else _style.PALETTE[0]
            panel.plot(at, difference[:, position], color=shade, linewidth=width, drawstyle="steps-post")
        panel.axhline(0, color=_style.OBSERVED, linewidth=0.6, linestyle="dotted")
        panel.set_title(site if len(own) == 1 else f"{site} ({len(own)} elements)")
    for panel in axes.flat[len(sites) :]:
        panel.set_visible(False)
    figure.supxlabel("rank of the true value, as a share", fontsize=9)
    figure.supylabel("ECDF minus uniform", fontsize=9)
    names = quantities["quantity"].values
    values = _values(quantities, bad)
    numbers = pd.DataFrame(
        {
            "quantity": np.repeat(names, largest),
            "rank": np.tile(np.arange(largest), len(names)),
            "difference": difference.T.ravel(),
            "band_low": np.tile(lower, len(names)),
            "band_high": np.tile(upper, len(names)),
        }
    )
    alt = (
        f"ECDF differences of {len(names)} quantities over {ranked} simulations; the 95 % band reaches "
        f"{upper.max():.3f}. {values['outside']} of them leave it. Smallest p-value: {values['worst']}, {values['p']:.2g}; "
        f"largest difference {np.abs(difference).max():.3f}."
    )
    title = f"Ranks of true values, {_calibrations.label(results, calibration)}"
    return Drawn(figure, numbers, title, alt, CAPTION, values)


def _values(quantities, bad: np.ndarray) -> dict:
    p, names = quantities["p_value"].values, quantities["quantity"].values
    outside = int((p < 0.05).sum())
    shown = ", ".join(map(str, names[bad][:5])) + (f" and {bad.sum() - 5} more" if bad.sum() > 5 else "")
    return {
        "quantities": len(p),
        "outside": outside,
        "leave": "leaves it" if outside == 1 else "leave it",
        "worst": str(names[np.argmin(p)]),
        "p": float(p.min()),
        "found": f" Marked: {shown}, which chance does not explain." if bad.any() else "",
    }
