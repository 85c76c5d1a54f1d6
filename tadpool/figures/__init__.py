"""Figures, one kind per file.

Each kind has `draw(results, **options) -> Drawn`. `draw_all` draws the standard set of every entry, sweep and comparison
and the study's own figures, and writes each as SVG with the numbers it shows as CSV, and a list of them as figures.json.
"""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawn:
    """A drawn figure. numbers: what it shows, for the CSV. alt: its content in words, with the numbers. caption: what to look for."""

    figure: Figure
    numbers: pd.DataFrame
    alt: str
    caption: str = ""
