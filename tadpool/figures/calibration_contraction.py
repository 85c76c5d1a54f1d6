"""How much fits to simulated data contract the prior, against the errors of their posterior
means."""

import numpy as np
import pandas as pd

from tadpool.figures import Drawn, NotDrawn, Standard, _calibrations, _style

STANDARD = Standard("calibration", "calibration", place=3)
CAPTION = (
    "Each dot is one parameter. Horizontal: contraction, 1 - posterior variance / prior variance. Vertical: the mean of "
    "z = (posterior mean - true value) / posterior SD over {n} fits, with a line of one standard deviation of z to each "
    "side, which should reach from about -1 to 1. The data are least informative about {least} ({contraction:.2f}). About "
    "95 % of dots should lie inside the grey band; far outside it, estimates are biased."
)


def draw(results, *, calibration: str) -> Drawn:
    """calibration: its name in the study. The joint log likelihood has no prior to contract and is
    left out.

    Raises NotDrawn where the calibration has no ranks.
    """
    _, quantities, n = _calibrations.read_calibration(results, calibration)
    known = quantities.isel(quantity=np.flatnonzero(np.isfinite(quantities["contraction"].values)))
    if not known.sizes["quantity"]:
        raise NotDrawn("no parameter has a finite prior variance")
    figure, ((axes,),) = _style.panels(height=3.2)
    half = 1.96 / np.sqrt(n)
    axes.axhspan(-half, half, color=_style.REFERENCE, alpha=0.25, linewidth=0)
    for end in (-1, 0, 1):
        axes.axhline(end, color=_style.OBSERVED, linewidth=0.6, linestyle="dotted")
    sites = _calibrations.sites(known)
    for number, (site, own) in enumerate(sites.items()):
        shade, part = _style.PALETTE[number % len(_style.PALETTE)], known.isel(quantity=own)
        x, z, sd = (part[name].values for name in ("contraction", "z_mean", "z_sd"))
        axes.vlines(x, z - sd, z + sd, color=shade, linewidth=0.7, alpha=0.6)
        axes.plot(x, z, "o", color=shade, markersize=3.5, label=site if len(own) == 1 else f"{site} ({len(own)})")
    axes.set_xlabel("contraction of the posterior")
    axes.set_ylabel("z of the posterior mean")
    axes.set_xlim(min(0.0, float(known["contraction"].min()) - 0.05), 1.02)
    _style.legend_above(figure, axes)
    columns = ("quantity", "site", "contraction", "z_mean", "z_sd")
    numbers = pd.DataFrame({name: known[name].values for name in columns})
    least = numbers.loc[numbers["contraction"].idxmin()]
    worst = numbers.loc[numbers["z_mean"].abs().idxmax()]
    values = {"n": n, "least": least["quantity"], "contraction": float(least["contraction"])}
    x, z, sd = (numbers[name] for name in ("contraction", "z_mean", "z_sd"))
    alt = (
        f"Contraction of {len(numbers)} parameters from {x.min():.2f} to {x.max():.2f}; mean z from {z.min():.2f} to "
        f"{z.max():.2f}, largest for {worst['quantity']}; standard deviations of z from {sd.min():.2f} to {sd.max():.2f}."
    )
    title = f"Contraction and z, {_calibrations.label(results, calibration)}"
    return Drawn(figure, numbers, title, alt, CAPTION, values)
