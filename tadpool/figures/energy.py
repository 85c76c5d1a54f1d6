"""How well the sampler explores energies: their distribution against that of their changes
(Betancourt 2016)."""

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats

from tadpool.convergence.diagnostics import DEFAULTS
from tadpool.elements import element_names
from tadpool.figures import Drawn, Standard, _style, _summaries

STANDARD = Standard("entry", "sampler", place=2)
CAPTION = (
    "The two curves should be about equally wide. If the changes are much narrower, the sampler needs many steps to cross "
    "the range of energies and misses tails. E-BFMI is at least {bfmi_min:.2f} here; below {threshold} it is too small."
)


def draw(results, *, entry: str) -> Drawn:
    """Draws the energy of an entry; of separate fits, the one with the smallest E-BFMI."""
    _summaries.sites(results, entry)
    energy = results.fit(entry)["sample_stats"]["energy"].transpose(..., *_summaries.SAMPLE)
    flat = energy.values.reshape(-1, *energy.shape[-2:])
    bfmi = array_stats.bfmi(flat, chain_axis=-2, draw_axis=-1)
    worst = int(np.argmin(bfmi.min(axis=1)))
    values, by_chain = flat[worst], bfmi[worst]
    curves = {"energy, centred": values - values.mean(), "change from draw to draw": np.diff(values, axis=1)}
    figure, ((axes,),) = _style.panels(height=2.6, width=5.0)
    frames = []
    for (name, sample), shade in zip(curves.items(), _style.PALETTE, strict=False):
        grid, height = _summaries.density(sample)
        axes.fill_between(grid, height, color=shade, alpha=0.25, linewidth=0)
        axes.plot(grid, height, color=shade, label=name)
        frames.append(pd.DataFrame({"curve": name, "energy": grid, "density": height}))
    axes.set(xlabel="energy (nats)", ylabel="density", yticks=[], ylim=(0, None))
    _style.legend_above(figure, axes)
    shown = ", ".join(f"{value:.2f}" for value in by_chain)
    where = f" ({element_names(energy)[worst]})" if len(flat) > 1 else ""
    axes.set_title(f"E-BFMI by chain: {shown}" + where, fontsize=8)
    alt = f"Densities of the energies and of their changes. E-BFMI by chain: {shown}; the threshold is {DEFAULTS['bfmi_warn']}."
    values = {"bfmi_min": float(by_chain.min()), "threshold": DEFAULTS["bfmi_warn"]}
    return Drawn(
        figure, pd.concat(frames, ignore_index=True), f"Energy of {_style.label(results, entry)}", alt, CAPTION, values
    )
