"""A causal graph as the study declares it."""

import pandas as pd

from tadpool.errors import UserError
from tadpool.figures import Drawn, _graph


def draw(
    results,
    *,
    edges: list[str],
    meanings: dict[str, str] | None = None,
    unobserved: list[str] = (),
    marked: list[str] = (),
) -> Drawn:
    """edges: `T -> S`. meanings: node -> what it stands for. unobserved: nodes drawn dashed.
    marked: edges in colour.

    Raises UserError for an edge that is not written so, and for a marked edge that is not an edge.
    """
    meanings = meanings or {}
    parsed, chosen = [_edge(text) for text in edges], [_edge(text) for text in marked]
    for edge in chosen:
        if edge not in parsed:
            raise UserError(f"figures: marked: {' -> '.join(edge)} is not one of the edges; add it there")
    names = list(dict.fromkeys([*meanings, *(node for edge in parsed for node in edge)]))
    nodes = {name: _graph.Node(name, meanings.get(name, ""), dashed=name in unobserved) for name in names}
    figure = _graph.draw(_graph.Graph(nodes, parsed, marked=chosen))
    numbers = pd.DataFrame(
        [{"cause": cause, "effect": effect, "marked": (cause, effect) in chosen} for cause, effect in parsed]
    )
    arrows = ", ".join(f"{meanings.get(a, a)} to {meanings.get(b, b)}" for a, b in parsed)
    hidden = f" Not observed: {', '.join(meanings.get(name, name) for name in unobserved)}." if unobserved else ""
    highlighted = f" Marked: {', '.join(marked)}." if marked else ""
    return Drawn(figure, numbers, "Causal graph", f"Causal graph with arrows from {arrows}.{hidden}{highlighted}")


def _edge(text: str) -> tuple[str, str]:
    parts = [part.strip() for part in str(text).split("->")]
    if len(parts) != 2 or not all(parts):
        raise UserError(f"figures: edges: {text!r} is not an edge; write `cause -> effect`")
    return parts[0], parts[1]
