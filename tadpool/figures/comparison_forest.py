"""The parameters that the compared entries share, side by side."""

from collections import Counter
from dataclasses import replace
from typing import Any

from tadpool.figures import Drawn, NotDrawn, Standard, _explore, _summaries, forest

STANDARD = Standard("comparison", "comparison", place=2)
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
    return replace(shown, caption=CAPTION, title="Shared parameters", explorer=_explorer(results, entries))


def _explorer(results, entries: list[str]) -> dict[str, Any] | None:
    """Views of all sites over the unit or a group; None where no usable entry has one.

    A view that has an observed counterpart comes first, then those of more entries. Sites that were
    made by another parametrization only (standardized distances) are left out.
    """
    posteriors = {entry: _summaries.sites(results, entry) for entry in entries if results.usable(entry)}
    dims = _explore.choices(results)
    found = {
        (site, by): [name for name, posterior in posteriors.items() if site in posterior]
        for by in dims
        for posterior in posteriors.values()
        for site in map(str, posterior.data_vars)
        if _explore.own_dim(posterior[site]) == by and not site.endswith("_decentered")
    }
    if not found:
        return None
    used = [by for by in dims if by in {by for _, by in found}]
    views = [_view(results, posteriors, *key, having, len(used) > 1) for key, having in found.items()]
    views.sort(key=lambda view: (view["axis"]["observed"] is None, -len(view["entries"])))
    hint = f"Point at a {views[0]['by']} to see its data and its estimates in each model."
    return _explore.explorer(hint, {by: _explore.members(results, by) for by in used}, views, "Parameter")


def _view(results, posteriors, site: str, by: str, having: list[str], several: bool) -> dict[str, Any]:
    """several: whether there are views over other dims, so that the name says the dim."""
    shown = [
        _explore.entry(results, name, by) | _explore.estimates(posteriors[name][site].transpose(..., by))
        for name in having
        if _explore.own_dim(posteriors[name][site]) == by
    ]
    name = f"{site} by {by}" if several else site
    return {"name": name, "words": "", "by": by, "axis": _explore.axis(results, site), "entries": shown}
