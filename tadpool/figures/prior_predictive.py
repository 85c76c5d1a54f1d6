"""What the priors alone predict, against what was observed."""

from tadpool.figures import Drawn, Standard, _predictive, _style

STANDARD = Standard("entry", "prior")
CAPTION = (
    "Predictions from the priors alone should be wide, cover what was observed and allow nothing impossible. They need not "
    "agree with the observations, which are shown for scale."
)


def draw(results, *, entry: str | None = None, entries: list[str] | None = None) -> Drawn:
    """entries: side by side on the same axes."""
    names = entries or [entry]
    title = "Prior predictive distribution of " + ", ".join(_style.label(results, name) for name in names)
    return _predictive.draw(results, names, "prior_predictive", title, CAPTION)
