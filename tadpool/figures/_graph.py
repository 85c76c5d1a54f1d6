"""Directed graphs: laid out by Graphviz, drawn by matplotlib.

Graphviz measures text with the fonts of the machine. So that a figure's bytes do not depend on
them, it gets nodes and plates of sizes measured here, with matplotlib's own font, and no text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pygraphviz
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from tadpool.figures import _style

FONT_SIZE = 9.0
MARGIN = 6.0


@dataclass(frozen=True)
class Node:
    """A node. shape: ellipse or box. filled: observed. dashed: its outline, for what cannot be
    observed. small: second line."""

    text: str
    small: str = ""
    shape: str = "ellipse"
    filled: bool = False
    dashed: bool = False

    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        width = max(text_width(self.text, FONT_SIZE), text_width(self.small, FONT_SIZE - 2))
        slack = 1.35 if self.shape == "ellipse" else 1.0
        return max(32.0, slack * width + 14.0), 38.0 if self.small else 26.0


@dataclass(frozen=True)
class Graph:
    """nodes by name; edges as (from, to); plates: label -> (parent plate or None, names of its own
    nodes); marked edges."""

    nodes: Mapping[str, Node]
    edges: Sequence[tuple[str, str]]
    plates: Mapping[str, tuple[str | None, Sequence[str]]] = field(default_factory=dict)
    marked: Sequence[tuple[str, str]] = ()
    rank: str = "TB"


def text_width(text: str, size: float) -> float:
    """Width of a text in points, in the bundled font."""
    return (
        TextPath((0, 0), text, size=size, prop=FontProperties(family="DejaVu Sans")).get_extents().width
        if text.strip()
        else 0.0
    )


def draw(graph: Graph) -> Figure:
    laid_out = _layout(graph)
    left, bottom, right, top = _box(laid_out.graph_attr["bb"])
    size = ((right - left + 2 * MARGIN) / 72, (top - bottom + 2 * MARGIN) / 72)
    figure = Figure(figsize=size)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left - MARGIN, right + MARGIN), ylim=(bottom - MARGIN, top + MARGIN))
    axes.set_axis_off()
    clusters = {}
    for position, (name, (parent, _)) in enumerate(graph.plates.items()):
        clusters[name] = (clusters[parent] if parent else laid_out).get_subgraph(f"cluster_{position}")
        _draw_plate(axes, name, _box(clusters[name].graph_attr["bb"]))
    for edge in graph.edges:
        _draw_edge(axes, laid_out.get_edge(*edge).attr["pos"], edge in graph.marked)
    for name, node in graph.nodes.items():
        _draw_node(axes, node, [float(value) for value in laid_out.get_node(name).attr["pos"].split(",")])
    return figure


def _layout(graph: Graph) -> pygraphviz.AGraph:
    laid_out = pygraphviz.AGraph(directed=True, strict=True, rankdir=graph.rank, ranksep=0.35, nodesep=0.25)
    for name, node in graph.nodes.items():
        width, height = node.size()
        laid_out.add_node(name, label="", fixedsize="true", shape=node.shape, width=width / 72, height=height / 72)
    for edge in graph.edges:
        laid_out.add_edge(*edge, arrowsize=0.7)
    clusters = {}
    for position, (name, (parent, members)) in enumerate(graph.plates.items()):
        around = clusters[parent] if parent else laid_out
        space = f'<TD FIXEDSIZE="TRUE" WIDTH="{text_width(name, FONT_SIZE - 1) + 8:.0f}" HEIGHT="12"></TD>'
        label = f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"><TR>{space}</TR></TABLE>>'
        # Nodes of inner plates are named here too: a subgraph takes nodes from the graph around it
        # alone.
        clusters[name] = around.add_subgraph(
            _inside(graph, name), name=f"cluster_{position}", label=label, labelloc="b", labeljust="r", margin=8
        )
        if any(cause in members and effect not in members for cause, effect in graph.edges):
            # An edge that leaves a plate at its foot would run through the label: room beside the
            # nodes keeps it clear.
            clusters[name].add_node(
                f"room {position}", label="", fixedsize="true", width=text_width(name, 8) / 72, height=0.1
            )
    laid_out.layout(prog="dot")
    return laid_out


def _inside(graph: Graph, plate: str) -> list[str]:
    """The nodes of a plate and of all plates within it."""
    inner = [name for name, (parent, _) in graph.plates.items() if parent == plate]
    return [*graph.plates[plate][1], *(node for name in inner for node in _inside(graph, name))]


def _box(text: str) -> list[float]:
    return [float(value) for value in text.split(",")]


def _draw_plate(axes: Axes, name: str, box: Sequence[float]) -> None:
    left, bottom, right, top = box
    style = "round,pad=0,rounding_size=5"
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom), right - left, top - bottom, boxstyle=style, fill=False, edgecolor=_style.REFERENCE
        )
    )
    axes.text(right - 5, bottom + 4, name, ha="right", va="bottom", fontsize=FONT_SIZE - 1)


def _draw_node(axes: Axes, node: Node, position: Sequence[float]) -> None:
    width, height = node.size()
    x, y = position
    look = {
        "facecolor": (0.5, 0.5, 0.5, 0.3) if node.filled else "none",
        "edgecolor": _style.OBSERVED,
        "linestyle": (0, (4, 3)) if node.dashed else "solid",
        "linewidth": 1.0,
    }
    if node.shape == "ellipse":
        axes.add_patch(Ellipse((x, y), width, height, **look))
    else:
        axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle="square,pad=0", **look))
    axes.text(x, y + (6 if node.small else 0), node.text, ha="center", va="center_baseline", fontsize=FONT_SIZE)
    if node.small:
        axes.text(x, y - 7, node.small, ha="center", va="center_baseline", fontsize=FONT_SIZE - 2)


def _draw_edge(axes: Axes, spline: str, marked: bool) -> None:
    """Graphviz writes an edge as `e,<tip> <start> <three points of a Bezier curve> ...`."""
    points = [part.split(",") for part in spline.split()]
    tip = np.array(points[0][1:], float)
    curve = np.array([*points[1:]], float)
    codes = [Path.MOVETO, *[Path.CURVE4] * (len(curve) - 1), Path.LINETO]
    look = {"color": _style.PALETTE[1] if marked else _style.OBSERVED, "linewidth": 2.2 if marked else 1.0}
    path = Path([*curve, tip], codes)
    axes.add_patch(FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0, **look))
