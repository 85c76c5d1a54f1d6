"""SVG made smaller without a change to what it shows: fewer groups, one style for neighbours, joined lines, short ids."""

import re
from collections.abc import Iterator
from itertools import groupby
from xml.etree.ElementTree import Element

LONG = 500
SHARED = ("style", "clip-path")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def smaller(root: Element, prefix: str) -> Element:
    """The same drawing in fewer bytes; `root` is changed. prefix: what the new ids start with.

    What SVG inherits the page must leave to be inherited: its style sheet sets none of it on all elements.
    """
    _shorten_ids(root, prefix)
    _regroup(root, "opacity" in root.get("style", ""))
    return root


def _shorten_ids(root: Element, prefix: str) -> None:
    names = [element.get("id") for element in root.iter() if "id" in element.attrib]
    short = {name: f"{prefix}{_counted(i)}" for i, name in enumerate(names)}
    for element in root.iter():
        if "id" in element.attrib:
            element.set("id", short[element.get("id")])
        if element.get("href", "").startswith("#"):
            element.set("href", "#" + short.get(element.get("href")[1:], element.get("href")[1:]))
        for name in set(element.attrib) - {"id", "href"}:
            value = element.get(name)
            if "url(#" in value:
                element.set(
                    name, re.sub(r"url\(#([^)]*)\)", lambda found: f"url(#{short.get(found[1], found[1])})", value)
                )


def _counted(number: int) -> str:
    return (_counted(number // 36) if number >= 36 else "") + DIGITS[number % 36]


def _regroup(element: Element, translucent: bool) -> None:
    """The children of an element, regrouped, and theirs. translucent: whether something around them is."""
    if element.tag in ("text", "tspan"):
        return
    children = list(element)
    if element.tag in ("svg", "g"):  # what <defs> hold inherits nothing from where they stand
        for child in children:
            _regroup(child, translucent or "opacity" in child.get("style", "") or "opacity" in child.attrib)
        children = list(_together(list(_unwrapped(element)), translucent))
    for child in list(element):
        element.remove(child)
    element.extend(children)
    _part(element)


def _part(element: Element) -> None:
    """One child a line, without the spaces of an indented file."""
    if not (element.text or "").strip():
        element.text = "\n" if len(element) else None
    for child in element:
        child.tail = child.tail if (child.tail or "").strip() else "\n"


def _unwrapped(element: Element) -> Iterator[Element]:
    """The children; those of a group that says nothing instead of the group."""
    for child in element:
        if child.tag == "g" and not child.attrib and not (child.text or "").strip():
            yield from child
        else:
            yield child


def _together(children: list[Element], translucent: bool) -> Iterator[Element]:
    """Neighbours with one style in a group that has it; lines of such a group as one path."""
    for shared, run in groupby(children, _shared):
        members = list(run)
        if shared is None or len(members) < 2:
            yield from members
            continue
        for member in members:
            for name in SHARED:
                member.attrib.pop(name, None)
        style = dict(zip(SHARED, shared, strict=True))
        kept = {name: value for name, value in style.items() if value}
        opaque = not translucent and "opacity" not in style["style"]
        if (
            opaque
            and "fill: none" in style["style"]
            and all(m.tag == "path" and set(m.attrib) == {"d"} for m in members)
        ):
            yield Element("path", {"d": " ".join(member.get("d", "") for member in members), **kept})
        else:
            group = Element("g", kept)
            group.extend(members)
            _part(group)
            yield group


def _shared(element: Element) -> tuple[str, str] | None:
    """style and clip-path, where a group of such elements could have them; None where it could not.

    Not where the whole element is translucent, as a group of such elements would look otherwise, nor for a clip path in
    coordinates of the element's own.
    """
    style, clip = (element.get(name, "") for name in SHARED)
    whole = re.search(r"(^|;)\s*(opacity|display|marker[a-z-]*|clip-path|mask)\s*:", style)
    if (
        element.tag not in ("g", "path", "use")
        or not (style or clip)
        or whole
        or (clip and "transform" in element.attrib)
    ):
        return None
    return style, clip


def path(value: str) -> str:
    """A path without repeated L commands, which are understood, and without spaces that part nothing.

    Places have two decimals, in long curves one: a tenth of a point, a fifth of a pixel, moves no line that is seen.
    """
    value = rounded(value, 2 if len(value) < LONG else 1)
    parts, last = [], ""
    for part in re.split(r"([MLHVCSQTAZmlhvcsqtaz])", value):
        if part.isalpha():
            repeated = part == "L" and last in ("L", "M")
            last = part
            if repeated:
                continue
        parts.append(part)
    return re.sub(r" ?([A-Za-z]) ?", r"\1", " ".join(" ".join(parts).split()))


def rounded(value: str, decimals: int = 2) -> str:
    """Numbers with at most so many decimals, in a list of transformations those of translations alone."""
    if "(" in value:
        return re.sub(r"(?<=translate\()[^()]*(?=\))", lambda found: rounded(found[0], decimals), value)
    return re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):.{decimals}f}".rstrip("0").rstrip("."), value)
