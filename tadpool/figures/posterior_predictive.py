"""What the fitted model predicts for the same units, against what was observed: whole
distributions, not means."""

from tadpool.figures import Drawn, Standard, _predictive, _style, _summaries

STANDARD = Standard("entry", "predictive", place=1)
CAPTION = (
    "Look for observed values that leave the intervals in a pattern: too many small ones, too few large ones. The "
    "89 % intervals contain what was observed at {inside} of {shown} places along the axis."
)


def draw(results, *, entry: str | None = None, entries: list[str] | None = None) -> Drawn:
    """entries: side by side on the same axes."""
    names = _summaries.usable(results, entries or [entry])
    title = "Posterior predictive distribution of " + ", ".join(_style.label(results, name) for name in names)
    return _predictive.draw(results, names, "posterior_predictive", title, CAPTION)
