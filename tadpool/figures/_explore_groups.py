"""Data of the group explorer: what is known of each member of a group, and its estimates in each entry."""

from typing import Any

from tadpool.figures import _explore, _summaries


def groups(results, entries: list[str]) -> dict[str, Any] | None:
    """Views of all sites over the unit or a group; None where no usable entry has one.

    A view that stands beside what was observed comes first, then those of more entries. Sites that were made by another
    parametrization only (standardized distances) are left out.
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
    views = [_view(results, posteriors, *key, having) for key, having in found.items()]
    views.sort(key=lambda view: (view["axis"]["observed"] is None, -len(view["entries"])))
    used = [by for by in dims if by in {view["by"] for view in views}]
    return {"kind": "groups", "members": {by: _explore.members(results, by) for by in used}, "views": views}


def _view(results, posteriors, site: str, by: str, having: list[str]) -> dict[str, Any]:
    shown = [
        _explore.entry(results, name, by) | _explore.estimates(posteriors[name][site].transpose(..., by))
        for name in having
        if _explore.own_dim(posteriors[name][site]) == by
    ]
    return {"site": site, "by": by, "axis": _explore.axis(results, site), "entries": shown}
