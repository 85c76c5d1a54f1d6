"""Figures of the ladder: what a study with `models: ladder` shows beside the standard ones."""

from collections.abc import Collection
from typing import Any

from tadpool.config.schema.analyses import Figure
from tadpool.formatting import an
from tadpool.modelling.design import Design
from tadpool.modelling.rungs import PARTIAL, PARTIAL_SLOPES, POOLED, UNPOOLED


def figures(entries: Collection[str], design: Design) -> dict[str, Figure]:
    """The figures that the entries allow: estimates by group, their pull, their slopes, and
    predictions."""
    found = {}
    if {UNPOOLED, PARTIAL} <= set(entries):
        found |= {"estimates_by_group": _estimates(design), "shrinkage": _shrinkage(entries, design)}
    if {UNPOOLED, PARTIAL_SLOPES} <= set(entries):
        found |= {f"slopes_{name}": _slopes(design, name) for name in design.slopes}
    if design.family.mean_is_number:
        found["predicted"] = _predicted([name for name in (POOLED, UNPOOLED, PARTIAL) if name in entries], design)
    return {name: Figure.model_validate(figure) for name, figure in found.items()}


def scale(design: Design) -> str:
    """What the intercepts of groups are on the scale of the linear predictor."""
    outcome = design.outcome.replace("_", " ")
    axis = design.family.link.axis
    return f"{outcome}, {axis}" if axis else outcome


def _estimates(design: Design) -> dict[str, Any]:
    group = design.group
    return {
        "kind": "forest",
        "section": "story",
        "title": f"Each {group} without pooling and with partial pooling",
        "entries": [UNPOOLED, PARTIAL],
        "sites": [f"alpha_{group}"],
        "together": True,
        "label": scale(design),
        "caption": f"Partial pooling shrinks the estimate of each {group} towards the common mean and narrows its interval, "
        "most where there are few data.",
    }


def _shrinkage(entries: Collection[str], design: Design) -> dict[str, Any]:
    site = f"alpha_{design.group}"
    common = POOLED in entries and not design.family.link.cutpoints
    return {
        "kind": "estimates_against",
        "section": "story",
        "title": "Shrinkage by partial pooling",
        "x": {"entry": UNPOOLED, "site": site},
        "y": {"entry": PARTIAL, "site": site},
        "lines": [{"entry": POOLED, "site": "alpha"}] if common else [],
        "label": scale(design),
        "caption": "On the diagonal pooling changes nothing; the flatter the points lie, the stronger is the shrinkage. "
        "Estimates differ by {typical:.2g} on average and by {largest:.2g} at most.",
    }


def _slopes(design: Design, name: str) -> dict[str, Any]:
    group = design.group
    return {
        "kind": "shrinkage",
        "section": "story",
        "title": f"Intercepts and slopes over {name.replace('_', ' ')}, with shrinkage",
        "start": UNPOOLED,
        "end": PARTIAL_SLOPES,
        "x": f"alpha_{group}",
        "y": f"beta_{name}_{group}",
        "by": group,
        "varies": name,
        "outcome": design.outcome,
        "centre": None if design.family.link.cutpoints else ["alpha", f"beta_{name}"],
        "labels": {"x": f"intercept ({scale(design)})", "y": f"slope over {name.replace('_', ' ')}"},
        "caption": f"Each arrow leads from {an(group)} without pooling to the same {group} with partial pooling, whose "
        "intercept and slope "
        "move together where they are correlated.",
    }


def _predicted(entries: list[str], design: Design) -> dict[str, Any]:
    return {
        "kind": "predicted_against_observed",
        "section": "predictive",
        "title": "Predictions of old rows by complete, no and partial pooling",
        "entries": entries,
        "outcome": design.outcome,
        "caption": "Rows that a model was fitted to: no pooling follows them most closely, which does not make it the "
        "best. {shown}.",
    }
