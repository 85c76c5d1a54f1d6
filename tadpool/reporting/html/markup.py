"""Figures and equations to stand in a page: SVG in the page's colours, MathML of allowed elements
and attributes only."""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOT_SHOWN = ("metadata", "style", "script", "foreignObject")
"""Elements of a figure that a page leaves out: they show nothing of it, or would hold for all of
the page."""
ADDRESSES = ("#", "data:image/")
"""How an address in a figure may begin: a part of the figure, or a picture within it."""
MATHML_ELEMENTS = _names(
    "math mrow mi mo mn mtext mspace msub msup msubsup munder mover munderover mfrac msqrt mroot mtable mtr mtd mpadded "
    "mphantom mstyle menclose merror ms mmultiscripts mprescripts"
)
MATHML_ATTRIBUTES = _names(
    "display displaystyle mathvariant stretchy fence separator form accent accentunder columnalign rowspacing columnspacing "
    "linethickness width height depth lspace rspace minsize maxsize scriptlevel movablelimits symmetric largeop"
)


def svg(text: str, prefix: str, label: str) -> Markup:
    """A figure to stand in a page: black in the colour of the page's text, white in the colour of
    its paper.

    Figures are drawn by the same run. What nevertheless came from elsewhere runs nothing and loads
    nothing, by the page's Content-Security-Policy.

    Args:
        text: The SVG file.
        prefix: Makes ids unique on the page; ids that nothing in the figure refers to are left out.
        label: The alternative text.

    Returns:
        The figure as HTML, numbers of paths with at most two decimals.

    Raises:
        ElementTree.ParseError: The text is no SVG, or declares entities.
    """
    root = _parsed(text)
    if root.tag != "svg":
        raise ElementTree.ParseError(f"<{root.tag}> is not <svg>")
    referred = set(re.findall(r"(?:href=[\"']|url\(\s*[\"']?)#([^\"')\s]+)", text))
    for element in root.iter():
        for child in [child for child in element if child.tag in NOT_SHOWN]:
            element.remove(child)
        element.attrib = {
            name: _svg_value(name, value, prefix)
            for name, value in element.attrib.items()
            if not name.startswith("on")
            and (name != "id" or value in referred)
            and (name != "href" or value.startswith(ADDRESSES))
        }
        if element.tag == "path":
            element.attrib.setdefault("d", "")  # Matplotlib leaves it out where nothing is drawn, HTML requires it
    root.attrib |= {"role": "img", "aria-label": label}
    return _written(root)


def _parsed(text: str) -> Element:
    """XML without its namespaces, comments and processing instructions."""
    if "<!ENTITY" in text:
        raise ElementTree.ParseError("entities are not read")
    root = ElementTree.fromstring(text)  # noqa: S314 (without entities)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(name): value for name, value in element.attrib.items()}
    return root


def _local(name: str) -> str:
    return name.rsplit("}", 1)[-1]


def _svg_value(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return prefix + value
    if name == "href" and value.startswith("#"):
        return f"#{prefix}{value[1:]}"
    if name == "d":
        return re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
    if name in ("fill", "stroke", "style", "clip-path"):
        return _themed(re.sub(r"url\(\s*['\"]?#", f"url(#{prefix}", value))
    return value


def _themed(value: str) -> str:
    """Greys follow the page: dark ones its text, white its paper, very light ones its lines."""
    value = re.sub(r"#([0-9a-f]{6})\b", _theme_colour, value, flags=re.IGNORECASE)
    named = {"black": "currentColor", "white": "var(--paper)"}
    return re.sub(r"(?<![\w-])(black|white)(?![\w-])", lambda found: named[found[1]], value)


def _theme_colour(found: re.Match) -> str:
    red, green, blue = (int(found[1][i : i + 2], 16) for i in (0, 2, 4))
    if max(red, green, blue) - min(red, green, blue) > 8:
        return found[0]
    if red == 255:
        return "var(--paper)"
    return "currentColor" if red <= 0x40 else "var(--line)" if red >= 0xD0 else found[0]


def size(text: str) -> tuple[float, float]:
    """Width and height of an SVG by its viewBox; 1 and 1 where it has none."""
    found = re.search(r"viewBox=[\"']\s*[-\d.]+[ ,]+[-\d.]+[ ,]+([\d.]+)[ ,]+([\d.]+)", text)
    return (float(found[1]), float(found[2])) if found else (1.0, 1.0)


def _written(element: Element) -> Markup:
    """The element as HTML, all its text and attributes escaped."""
    return Markup(_text(element))  # noqa: S704 (every part is escaped below)


def _text(element: Element) -> str:
    opening = f"<{element.tag}" + "".join(f' {name}="{escape(value)}"' for name, value in element.attrib.items())
    if not len(element) and not element.text:
        return f"{opening}/>"
    inner = [escape(element.text or "")]
    for child in element:
        inner += [_text(child), escape(child.tail or "")]
    return f"{opening}>{''.join(inner)}</{element.tag}>"


def mathml(latex: str, display: str) -> Markup:
    """LaTeX as MathML.

    Args:
        latex: As in the docstring of a model.
        display: "block" or "inline".

    Returns:
        MathML of allowed elements and attributes; LaTeX that cannot be read, as it is.
    """
    from latex2mathml.converter import convert

    source = re.sub(r"\\mathrm\{([A-Za-z -]+)\}", r"\\text{\1}", latex)
    source = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{align*}", source).strip()
    try:
        root = _parsed(convert(source, display=display).replace("&#x0007E;", "∼"))
        return _written(_allowed(root, MATHML_ELEMENTS, MATHML_ATTRIBUTES))
    except Exception:  # the converter raises many kinds for LaTeX that it does not know
        return Markup("<code>{}</code>").format(latex.strip())


def _allowed(element: Element, elements: frozenset[str], attributes: frozenset[str]) -> Element:
    """The element without what is not allowed; elements that are not allowed are left out with all
    they contain."""
    if element.tag not in elements:
        raise ElementTree.ParseError(f"<{element.tag}> is not allowed")
    found = {name: value for name, value in element.attrib.items() if name in attributes}
    made = Element("mo" if element.text == "∼" else element.tag, found)
    made.text = element.text
    made.extend(_allowed(child, elements, attributes) for child in element if child.tag in elements)
    for child, kept in zip([child for child in element if child.tag in elements], made, strict=True):
        kept.tail = child.tail
    return made
