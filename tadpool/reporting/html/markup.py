"""SVG and MathML made safe to stand in a page: parsed, and written again from allowed elements and attributes only."""

import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape

from tadpool.reporting.html import compact_svg


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SVG_ELEMENTS = _names(
    "svg g defs use symbol path rect circle ellipse line polyline polygon text tspan clipPath mask pattern image marker "
    "linearGradient radialGradient stop title desc"
)
SVG_ATTRIBUTES = _names(
    "id class style d x y x1 y1 x2 y2 cx cy r rx ry dx dy width height viewBox points transform offset href "
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset stroke-linecap "
    "stroke-linejoin stroke-miterlimit opacity clip-path clip-rule clipPathUnits mask text-anchor dominant-baseline "
    "font-family font-size font-style font-weight textLength lengthAdjust preserveAspectRatio patternUnits "
    "patternContentUnits gradientUnits gradientTransform stop-color stop-opacity marker-start marker-mid marker-end "
    "markerWidth markerHeight refX refY orient rotate"
)
MATHML_ELEMENTS = _names(
    "math mrow mi mo mn mtext mspace msub msup msubsup munder mover munderover mfrac msqrt mroot mtable mtr mtd mpadded "
    "mphantom mstyle menclose merror ms mmultiscripts mprescripts"
)
MATHML_ATTRIBUTES = _names(
    "display displaystyle mathvariant stretchy fence separator form accent accentunder columnalign rowspacing columnspacing "
    "linethickness width height depth lspace rspace minsize maxsize scriptlevel movablelimits symmetric largeop"
)

Visit = Callable[[str, Mapping[str, str], str], tuple[str, dict[str, str]]]


def kept(text: str, elements: frozenset[str], visit: Visit) -> Element:
    """Parse XML and keep what may stand in HTML; elements that are not allowed are left out with all they hold.

    visit(tag, attributes, text): the element's tag and attributes to keep. Raises ElementTree.ParseError, also for XML
    that declares entities.
    """
    if "<!ENTITY" in text:
        raise ElementTree.ParseError("entities are not read")
    root = ElementTree.fromstring(text)  # noqa: S314 (without entities)
    if _local(root.tag) not in elements:
        raise ElementTree.ParseError(f"<{_local(root.tag)}> is not allowed")
    return _kept(root, elements, visit)


def _kept(element: Element, elements: frozenset[str], visit: Visit) -> Element:
    named = {_local(name): value for name, value in element.attrib.items()}
    made = Element(*visit(_local(element.tag), named, element.text or ""))
    made.text = element.text
    for child in element:
        if _local(child.tag) in elements:
            made.append(_kept(child, elements, visit))
            made[-1].tail = child.tail
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + (child.tail or "")
        else:
            made.text = (made.text or "") + (child.tail or "")
    return made


def written(element: Element) -> Markup:
    """The element as HTML, all its text and attributes escaped."""
    return Markup(_written(element))  # noqa: S704 (every part is escaped below)


def _written(element: Element) -> str:
    opening = f"<{element.tag}" + "".join(f' {name}="{escape(value)}"' for name, value in element.attrib.items())
    if not len(element) and not element.text:
        return f"{opening}/>"
    inner = [escape(element.text or "")]
    for child in element:
        inner += [_written(child), escape(child.tail or "")]
    return f"{opening}>{''.join(inner)}</{element.tag}>"


def _local(name: object) -> str:
    """A name without its namespace; comments and processing instructions have none."""
    return name.rsplit("}", 1)[-1] if isinstance(name, str) else ""


def svg(text: str, prefix: str, label: str) -> Markup:
    """A figure to stand in a page: ids prefixed, black in the colour of the text, white in that of the paper, places to 0.01.

    prefix: makes ids unique on the page; those that nothing in the figure refers to are left out. label: the alternative
    text. Raises ElementTree.ParseError.
    """
    referred = set(re.findall(r"(?:href=[\"']|url\(\s*[\"']?)#([^\"')\s]+)", text))

    def visit(tag: str, attributes: Mapping[str, str], _: str) -> tuple[str, dict[str, str]]:
        named = {
            name: _svg_value(name, value, prefix)
            for name, value in attributes.items()
            if name in SVG_ATTRIBUTES and (name != "id" or value in referred)
        }
        if tag == "svg":
            named |= {"role": "img", "aria-label": label}
        if tag == "path":
            named.setdefault("d", "")  # Matplotlib leaves it out where nothing is drawn, HTML requires it
        return tag, {name: value for name, value in named.items() if value is not None}

    return written(compact_svg.smaller(kept(text, SVG_ELEMENTS, visit), prefix))


def _svg_value(name: str, value: str, prefix: str) -> str | None:
    if name == "id":
        return prefix + value
    if name == "href":
        if value.startswith("#"):
            return f"#{prefix}{value[1:]}"
        return value if re.match(r"data:image/(png|jpeg);base64,", value) else None
    if name in ("d", "points", "x", "y", "transform"):
        return compact_svg.path(value) if name == "d" else compact_svg.rounded(value)
    return _themed(_local_urls(value, prefix))


def _local_urls(value: str, prefix: str) -> str:
    """References to this figure's own parts get its prefix; every other address is dropped."""
    value = re.sub(r"url\(\s*['\"]?(?!#|['\"]#)[^)]*\)", "none", value, flags=re.IGNORECASE)
    return re.sub(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)", rf"url(#{prefix}\1)", value)


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


def mathml(latex: str, display: str) -> Markup:
    """LaTeX as MathML; LaTeX that cannot be read is shown as it is. display: "block" or "inline"."""
    from latex2mathml.converter import convert

    source = re.sub(r"\\mathrm\{([A-Za-z -]+)\}", r"\\text{\1}", latex)
    source = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{align*}", source).strip()

    def visit(tag: str, attributes: Mapping[str, str], text: str) -> tuple[str, dict[str, str]]:
        tag = "mo" if text == "∼" else tag
        return tag, {name: value for name, value in attributes.items() if name in MATHML_ATTRIBUTES}

    try:
        return written(kept(convert(source, display=display).replace("&#x0007E;", "∼"), MATHML_ELEMENTS, visit))
    except Exception:  # the converter raises many kinds for LaTeX that it does not know
        return Markup("<code>{}</code>").format(latex.strip())
