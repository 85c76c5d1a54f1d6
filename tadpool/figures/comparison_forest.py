"""The parameters that the compared entries share, side by side."""

from collections import Counter
from dataclasses import replace

from tadpool.figures import Drawn, NotDrawn, _explore_groups, _summaries, forest

CAPTION = (
    "The same parameter in each model: median, 50 % (thick) and 89 % (thin) equal-tailed intervals. Look for parameters that "
    "move, or that get wider or narrower, from model to model."
)


def draw(results, *, comparison: str) -> Drawn:
    """comparison: its usable entries, and the sampled sites that at least two of them have."""
    comparisons = results.config["comparisons"]
    for earlier in list(comparisons)[: list(comparisons).index(comparison)]:
        if set(comparisons[comparison]["entries"]) <= set(comparisons[earlier]["entries"]):
            raise NotDrawn(f"the comparison {earlier} shows the same parameters")
    entries = _summaries.usable(results, comparisons[comparison]["entries"])
    counts = Counter(site for entry in entries for site in _summaries.latents(_summaries.sites(results, entry)))
    shared = [site for site, count in counts.items() if count > 1]
    if not shared:
        raise NotDrawn("the compared entries share no parameter")
    shown = forest.draw(results, entries=entries, sites=shared)
    explorer = _explore_groups.groups(results, entries)
    return replace(shown, caption=CAPTION, title="Shared parameters", explorer=explorer)
