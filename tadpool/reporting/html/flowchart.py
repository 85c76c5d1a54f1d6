"""The graph of a run's rules as SVG: Graphviz places the rules, in sizes set here, so that no font of the machine counts."""

from collections.abc import Iterator, Mapping
from typing import Any

import pygraphviz
from markupsafe import Markup, escape

from tadpool.formatting import counted

LETTER, LINE, MARGIN = 6.4, 13.0, 4.0
"""Width of a letter, height of a line, and the space around, in points at FONT_SIZE."""
FONT_SIZE = 11
TIP = Markup(
    '<defs><marker id="tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
    '<path d="M 0 0 6 3 0 6 z"/></marker></defs>'
)


def alt(graph: Mapping[str, Any]) -> str:
    """The graph in words. graph: of `flow.graph`."""
    jobs = sum(graph["jobs"].values())
    readers: dict[str, list[str]] = {}
    for rule, reader in graph["edges"]:
        readers.setdefault(rule, []).append(reader)
    steps = "; ".join(f"{rule} leads to {', '.join(leads)}" for rule, leads in readers.items())
    return f"{counted(len(graph['jobs']), 'rule')} with {counted(jobs, 'job')}: {steps}."


def svg(graph: Mapping[str, Any]) -> Markup:
    """The drawing, with edges that others imply left out."""
    laid_out = pygraphviz.AGraph(directed=True, strict=True, rankdir="TB", ranksep=0.22, nodesep=0.06)
    labels = {rule: _label(rule, count) for rule, count in graph["jobs"].items()}
    for rule, lines in labels.items():
        width, height = LETTER * max(map(len, lines)) + 8, LINE * len(lines) + 6
        laid_out.add_node(rule, label="", shape="box", fixedsize="true", width=width / 72, height=height / 72)
    laid_out.add_edges_from(graph["edges"])
    laid_out.tred()
    laid_out.layout(prog="dot")
    left, bottom, right, top = (float(value) for value in laid_out.graph_attr["bb"].split(","))
    box = f"{left - MARGIN:g} {-top - MARGIN:g} {right - left + 2 * MARGIN:g} {top - bottom + 2 * MARGIN:g}"
    parts = [_edge(edge.attr["pos"]) for edge in sorted(laid_out.edges(), key=tuple)]
    for rule, lines in labels.items():
        node = laid_out.get_node(rule).attr
        x, y = (float(value) for value in node["pos"].split(","))
        parts += _node(lines, x, -y, 72 * float(node["width"]), 72 * float(node["height"]))
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{right - left + 2 * MARGIN:g}"'
    return Markup('{} role="img" aria-label="{}">{}{}</svg>').format(
        Markup(opening),  # noqa: S704 (numbers alone)
        alt(graph),
        TIP,
        Markup("\n").join(parts),
    )


def _label(rule: str, count: int) -> list[str]:
    """The rule's words, one line each, with how many jobs it has."""
    *first, last = rule.split("_")
    return [*first, last, f"× {count}"] if count > 1 else [*first, last]


def _node(lines: list[str], x: float, y: float, width: float, height: float) -> Iterator[Markup]:
    yield Markup('<rect x="{}" y="{}" width="{}" height="{}" rx="4"/>').format(
        *(f"{value:.1f}" for value in (x - width / 2, y - height / 2, width, height))
    )
    start = y - LINE * (len(lines) - 1) / 2 + FONT_SIZE / 3
    for position, line in enumerate(lines):
        yield Markup('<text x="{}" y="{}">{}</text>').format(f"{x:.1f}", f"{start + LINE * position:.1f}", escape(line))


def _edge(position: str) -> Markup:
    """A spline as Graphviz writes it: `e,x,y` where its arrow ends, then its start and triples of control points."""
    end, *points = (tuple(map(float, part.removeprefix("e,").split(","))) for part in position.split())
    start, *controls = [*points, end]
    curve = " ".join(f"{x:.1f} {-y:.1f}" for x, y in controls[:-1])
    tip = f"{end[0]:.1f} {-end[1]:.1f}"
    path = f"M {start[0]:.1f} {-start[1]:.1f} C {curve} L {tip}"
    return Markup('<path d="{}" marker-end="url(#tip)"/>').format(path)
