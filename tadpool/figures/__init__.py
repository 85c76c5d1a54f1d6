"""Figures, one kind per file.

Each kind is a module with `draw(results, *, <options>) -> Drawn`; its name is the `kind` of a
figure in a study file, and what stands beside `kind`, `caption`, `title` and `section` there are
its options. A kind that every study gets has a constant `STANDARD` too, see `Standard`. Modules
that start with an underscore are shared helpers. `drawing.draw_all` draws the standard figures of
every entry, sweep, comparison, calibration and recovery and the study's own into
results/{study}/figures:

- `<name>.svg`: transparent, text as outlines; black (#000000, or no colour at all, as in text)
  where the page may put its own text colour. Ids are unique within a figure, not among figures.
- `<name>.csv`: the numbers that the figure shows, tidy.
- `<name>.json`: what its explorer draws, where it has one: the figure's interactive form in the
  page.
- `figures.json`: a list in reading order, one mapping per figure:
  name      file name without suffix: `<owner>-<kind>` (an entry, a comparison and so on), or the
            name in the study
  kind      the module that drew it
  section   one of SECTIONS
  entry, comparison, sweep, calibration, recovery
            what the figure belongs to (OWNERS): one of them is a name and the others are null; all
            are null for the study's own
  title     a few words, without a full stop
  caption   one to three sentences: what to look for
  alt       what it shows, with the numbers, for those who cannot see it
  width, height
            size in points (1/72 inch)
  explorer  whether it has one

A figure that cannot be drawn is not in the list and has no files. Why is in `failed.json` (name ->
reason), unless it is because a fit failed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pages read the lists below, and draw nothing
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
"""Where a figure may stand, in the order of standard figures."""
OWNERS = {
    "entry": "models",
    "comparison": "comparisons",
    "sweep": "sweeps",
    "calibration": "calibration",
    "recovery": "recovery",
}
"""What a figure may belong to -> the key of a study that names these, in the order of standard
figures."""


@dataclass(frozen=True)
class Standard:
    """The constant `STANDARD` of a kind of figure that is drawn for everything of one sort, without
    being asked for.

    Attributes:
        owner: One of OWNERS; `draw` has an option of this name.
        section: One of SECTIONS.
        place: Among the standard figures of the section, smallest first.
        key: Key of the study that has to be set for the figure to be drawn; "" where it always is.
    """

    owner: str
    section: str
    place: int = 0
    key: str = ""


@dataclass(frozen=True)
class Drawn:
    """A drawn figure.

    numbers: what it shows, tidy, for the CSV. title: a few words. alt: its content in words, with
    the numbers. caption: what to look for; a study's own caption replaces it. values: what
    placeholders of captions stand for, e.g. {"best": 1.65} for `{best:.2f}`. explorer: what
    `report/explorer.js` draws, see `_explore.explorer`; None where there is nothing to choose.
    """

    figure: "Figure"
    numbers: "pd.DataFrame"
    title: str
    alt: str
    caption: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    explorer: Mapping[str, Any] | None = None


class NotDrawn(Exception):
    """There is nothing to draw: the fit failed, or the model has none of what this kind of figure
    shows."""
