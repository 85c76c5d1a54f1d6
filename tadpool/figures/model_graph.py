"""A model as a directed graph: sampled and derived quantities, data, and plates."""

import json
from typing import Any

import pandas as pd

from tadpool.figures import Drawn, NotDrawn, Standard, _graph, _style

STANDARD = Standard("entry", "model")
CAPTION = (
    "Read from top to bottom: each arrow points to a quantity that is drawn, or computed, given those it comes from. "
    "Grey: observed. Dashed: computed, not drawn. A frame repeats its contents, once for each member."
)


def draw(results, *, entry: str) -> Drawn:
    """Works from the model and the data alone: also where the fit failed, unless the model cannot
    be run at all."""
    relations = json.loads(results.prior(entry).attrs["relations"])
    if not relations:
        raise NotDrawn
    parents = relations["sample_sample"]
    kinds = relations["sample_dist"]
    plates = relations["plate_sample"]
    nodes = {
        name: _graph.Node(
            name,
            "" if kind == "Deterministic" else _family(kind),
            filled=name in relations["observed"],
            dashed=kind == "Deterministic",
        )
        for name, kind in kinds.items()
    }
    edges = [(parent, child) for child in parents for parent in parents[child]]
    sizes = results.data.sizes
    labels = {name: f"{name} ({sizes[name]})" if name in sizes else name for name in plates}
    boxes = {labels[name]: (labels.get(outer), members) for name, (outer, members) in _nested(plates).items()}
    figure = _graph.draw(_graph.Graph(nodes, edges, boxes))
    rows = [
        {"node": name, "distribution": kind, "observed": name in relations["observed"], "parents": " ".join(parents[name]),
         "plates": " ".join(plate for plate, members in plates.items() if name in members)}
        for name, kind in kinds.items()
    ]  # fmt: skip
    sentences = "; ".join(_sentence(row) for row in rows)
    title = f"Model graph of {_style.label(results, entry)}"
    return Drawn(figure, pd.DataFrame(rows), title, f"Directed graph of the model. {sentences}.", CAPTION)


def _family(kind: str) -> str:
    """NumPyro's name of the distribution without the name of its parametrization."""
    return kind.removesuffix("Logits").removesuffix("Probs")


def _nested(plates: dict[str, list[str]]) -> dict[str, tuple[str | None, list[str]]]:
    """Each plate with the smallest plate that holds all of it, outer plates first, and the nodes
    that are in no inner plate."""
    order = sorted(plates, key=lambda name: -len(plates[name]))
    nested = {}
    for position, name in enumerate(order):
        outside = [other for other in order[:position] if set(plates[name]) <= set(plates[other])]
        inner = {
            node for other in order[position + 1 :] if set(plates[other]) <= set(plates[name]) for node in plates[other]
        }
        nested[name] = (outside[-1] if outside else None, [node for node in plates[name] if node not in inner])
    return nested


def _sentence(row: dict[str, Any]) -> str:
    given = f" given {row['parents'].replace(' ', ', ')}" if row["parents"] else ""
    each = f", one for each {row['plates'].replace(' ', ' and ')}" if row["plates"] else ""
    kind = "computed" if row["distribution"] == "Deterministic" else _family(row["distribution"])
    return f"{row['node']}: {'observed, ' if row['observed'] else ''}{kind}{given}{each}"
