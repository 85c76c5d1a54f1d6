"""Figures of the ladder: what a study with `models: ladder` shows beside the standard ones."""

from collections.abc import Collection, Mapping
from typing import Any

from tadpool.config.schema.analyses import Figure

LINK = {
    **dict.fromkeys(("bernoulli", "binomial", "ordered"), "log-odds"),
    **dict.fromkeys(("poisson", "negative_binomial"), "log of the mean"),
}
BARE = ("bernoulli", "ordered")
"""Families whose single outcomes are no numbers that could lie near a prediction."""


def figures(entries: Collection[str], design: Mapping[str, Any]) -> dict[str, Figure]:
    """The figures that the entries allow: estimates by group, their pull, their slopes, and predictions."""
    found = {}
    if {"unpooled", "partial"} <= set(entries):
        found |= {"estimates_by_group": _estimates(design), "pulled": _pulled(entries, design)}
    if {"unpooled", "partial_slopes"} <= set(entries):
        found |= {f"slopes_{name}": _slopes(design, name) for name in design["slopes"]}
    if design["family"] not in BARE:
        found["predicted"] = _predicted([name for name in ("pooled", "unpooled", "partial") if name in entries], design)
    return {name: Figure.model_validate(figure) for name, figure in found.items()}


def scale(design: Mapping[str, Any]) -> str:
    """What the intercepts of groups are on the scale of the linear predictor."""
    outcome = design["outcome"].replace("_", " ")
    return f"{outcome}, {LINK[design['family']]}" if design["family"] in LINK else outcome


def _estimates(design: Mapping[str, Any]) -> dict[str, Any]:
    group = design["groups"][0]
    return {
        "kind": "forest",
        "section": "story",
        "title": f"Each {group} without pooling and with partial pooling",
        "entries": ["unpooled", "partial"],
        "sites": [f"alpha_{group}"],
        "together": True,
        "label": scale(design),
        "caption": f"Partial pooling draws each {group} to the others and narrows its interval, most where data say little.",
    }


def _pulled(entries: Collection[str], design: Mapping[str, Any]) -> dict[str, Any]:
    site = f"alpha_{design['groups'][0]}"
    lines = [{"entry": "pooled", "site": "alpha"}] if "pooled" in entries and design["family"] != "ordered" else []
    return {
        "kind": "estimates_against",
        "section": "story",
        "title": "How far partial pooling pulls",
        "x": {"entry": "unpooled", "site": site},
        "y": {"entry": "partial", "site": site},
        "lines": lines,
        "label": scale(design),
        "caption": "On the diagonal pooling changes nothing; the flatter the points lie, the further they are pulled together. "
        "Estimates differ by {typical:.2g} on average and by {largest:.2g} at most.",
    }


def _slopes(design: Mapping[str, Any], name: str) -> dict[str, Any]:
    group = design["groups"][0]
    return {
        "kind": "shrinkage",
        "section": "story",
        "title": f"Intercepts and slopes over {name.replace('_', ' ')}, pulled",
        "start": "unpooled",
        "end": "partial_slopes",
        "x": f"alpha_{group}",
        "y": f"beta_{name}_{group}",
        "by": group,
        "varies": name,
        "outcome": design["outcome"],
        "centre": None if design["family"] == "ordered" else ["alpha", f"beta_{name}"],
        "labels": {"x": f"intercept ({scale(design)})", "y": f"slope over {name.replace('_', ' ')}"},
        "caption": f"Each arrow leads from a {group} by itself to the same {group} partially pooled, whose intercept and slope "
        "move together where they are correlated.",
    }


def _predicted(entries: list[str], design: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": "predicted_against_observed",
        "section": "predictive",
        "title": "Predictions of old rows by complete, no and partial pooling",
        "entries": entries,
        "outcome": design["outcome"],
        "caption": "Rows that a model was fitted to: no pooling follows them most closely, which is no merit. {shown}.",
    }
