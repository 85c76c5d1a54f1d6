"""A plug-in's docstring as paragraphs of text and mathematics."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from tadpool.files import plugins
from tadpool.reporting.html.markup import mathml


@dataclass(frozen=True)
class Paragraph:
    """An equation, or text with mathematics in it. parts: plain strings (to be escaped) and
    MathML."""

    equation: bool
    parts: tuple[str | Markup, ...]


def docstring(path: Path) -> tuple[str, list[Paragraph]]:
    """The first sentence of a plug-in's docstring, and the paragraphs after it."""
    text = ast.get_docstring(plugins.parse(path)) or ""
    first, _, rest = text.partition("\n\n")
    return " ".join(first.split()), list(_paragraphs(rest))


def _paragraphs(text: str) -> Iterator[Paragraph]:
    for position, part in enumerate(text.split("$$")):
        if position % 2:
            yield Paragraph(True, (mathml(part, "block"),))
        else:
            for block in re.split(r"\n\s*\n", part):
                if block.strip():
                    yield Paragraph(False, _inline(" ".join(block.split())))


def _inline(text: str) -> tuple[str | Markup, ...]:
    """Text with `$...$` as mathematics; a lone dollar sign stays one."""
    parts = re.split(r"\$([^$]+)\$", text)
    return tuple(mathml(part, "inline") if position % 2 else part for position, part in enumerate(parts))
