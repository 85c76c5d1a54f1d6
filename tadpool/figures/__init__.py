"""Figures, one kind per file.

Each kind is a module with `draw(results, *, <options>) -> Drawn`; its name is the `kind` of a figure in a study file, and
what stands beside `kind`, `caption`, `title` and `section` there are its options. Modules that start with an underscore
are shared helpers. `drawing.draw_all` draws the standard set of every entry, sweep, comparison, calibration and recovery and
the study's own figures into results/{study}/figures:

- `<name>.svg`: transparent, text as outlines; black (#000000, or no colour at all, as in text) where the page may put its
  own text colour. Ids are unique within a figure, not among figures.
- `<name>.csv`: the numbers that the figure shows, tidy.
- `<name>.json`: what its explorer draws, where it has one: the figure's interactive form in the page.
- `figures.json`: a list in reading order, one mapping per figure:
  name      file name without suffix: `<owner>-<kind>` (an entry, a comparison and so on), or the name in the study
  kind      the module that drew it
  section   data, model, prior, sampler, posterior, sensitivity, predictive, comparison, sweep, prediction, calibration or
            story
  entry, comparison, sweep, calibration, recovery
            what the figure belongs to: one of them is a name and the others are null; all are null for the study's own
  title     a few words, without a full stop
  caption   one to three sentences: what to look for
  alt       what it shows, with the numbers, for those who cannot see it
  width, height
            size in points (1/72 inch)
  explorer  the kind of its explorer (sweep, groups, lines), or null

A figure that cannot be drawn, because a fit failed, is not in the list and has no files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

SECTIONS = (
    "data",
    "model",
    "prior",
    "sampler",
    "posterior",
    "sensitivity",
    "predictive",
    "comparison",
    "sweep",
    "prediction",
    "calibration",
    "story",
)


@dataclass(frozen=True)
class Drawn:
    """A drawn figure.

    numbers: what it shows, tidy, for the CSV. title: a few words. alt: its content in words, with the numbers.
    caption: what to look for; a study's own caption replaces it. values: what placeholders of captions stand for, e.g.
    {"best": 1.65} for `{best:.2f}`. explorer: what `report/explore_<kind>.js` draws, None where there is nothing to choose.
    """

    figure: Figure
    numbers: pd.DataFrame
    title: str
    alt: str
    caption: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    explorer: Mapping[str, Any] | None = None


class NotDrawn(Exception):
    """There is nothing to draw: the fit failed, or the model has none of what this kind of figure shows."""
