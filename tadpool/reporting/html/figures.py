"""The drawn figures of a study, as listed in figures/figures.json, ready to stand in its page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from markupsafe import Markup

from tadpool.figures import OWNERS, SECTIONS
from tadpool.files import io
from tadpool.reporting.html import markup

WIDE = 2.1
SAME = "Read it as the figure of this kind above."
TALL = 700.0


@dataclass(frozen=True)
class Figure:
    """One figure. owner: (kind, name) of what it belongs to, see OWNERS, or None. number: its
    place."""

    name: str
    section: str
    owner: tuple[str, str] | None
    title: str
    caption: str
    alt: str
    folder: Path
    number: int
    explored: bool = False
    told: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """What it shares with the same figure of other owners."""
        return f"{self.section} {self.name.removeprefix(f'{self.owner[1]}-')}" if self.owner else self.name

    @property
    def new(self) -> str:
        """Its caption without the sentences that stand under an earlier figure of its kind."""
        kept = [words for words in _sentences(self.caption) if words not in self.told]
        return self.caption if len(kept) == len(_sentences(self.caption)) else " ".join([*kept, SAME])

    @property
    def anchor(self) -> str:
        return "figure-" + re.sub(r"[^A-Za-z0-9_-]", "-", self.name)

    @cached_property
    def _source(self) -> str | None:
        path = self.folder / f"{self.name}.svg"
        return path.read_text(encoding="utf-8") if path.is_file() else None

    @cached_property
    def svg(self) -> Markup | None:
        """The drawing, or None where it is missing or not an SVG."""
        try:
            return (
                None if self._source is None else markup.svg(self._source, f"f{self.number}-", self.alt or self.title)
            )
        except ElementTree.ParseError:
            return None

    @cached_property
    def explorer(self) -> Mapping[str, Any] | None:
        """What its explorer draws; None where it has none."""
        path = self.folder / f"{self.name}.json"
        return io.read_json(path) if self.explored and path.is_file() else None

    @property
    def wide(self) -> bool:
        """Whether it needs the whole width of the page."""
        width, height = markup.size(self._source or "")
        return width > WIDE * height or self.explorer is not None

    @property
    def tall(self) -> bool:
        """Whether it is higher than most screens, so that the page folds it."""
        return markup.size(self._source or "")[1] > TALL

    @property
    def files(self) -> list[tuple[str, str]]:
        """Kind and relative address of the files that are there."""
        paths = [(kind, self.folder / f"{self.name}.{kind.lower()}") for kind in ("SVG", "CSV", "JSON")]
        return [(kind, f"figures/{quote(path.name)}") for kind, path in paths if path.is_file()]


class Figures:
    """All figures of a study, to be asked for by section and owner."""

    def __init__(self, folder: Path, hero: str | None = None) -> None:
        """folder: results/{study}/figures; where it or its list is missing there are no figures.

        hero: the figure at the top of the page, which then stands in no section.
        """
        path = folder / "figures.json"
        listing = io.read_json(path) if path.is_file() else []
        self.all: list[Figure] = []
        told: dict[str, frozenset[str]] = {}
        for number, item in enumerate(listing, start=1):
            figure = _figure(item, folder, number)
            before = told.get(figure.kind, frozenset())
            self.all.append(replace(figure, told=before))
            if figure.owner:
                told[figure.kind] = before | frozenset(_sentences(figure.caption))
        self.hero = next((figure for figure in self.all if figure.name == hero and figure.svg), None)

    def in_section(self, section: str, kind: str = "", name: str = "") -> list[Figure]:
        """The figures of a section that belong to one owner, or those that belong to none."""
        owner = (kind, name) if kind else None
        rest = (figure for figure in self.all if figure is not self.hero)
        return [figure for figure in rest if figure.section == section and figure.owner == owner]

    @property
    def scripts(self) -> list[str]:
        """The scripts of report/ that these figures need."""
        return ["explorer"] if any(figure.explorer for figure in self.all) else []

    def unlisted(self, owners: Mapping[str, list[str]]) -> list[Figure]:
        """Figures of unknown sections or owners: they are shown too, at the end. owners: names by
        kind."""
        return [
            figure
            for figure in self.all
            if figure.section not in SECTIONS or (figure.owner and figure.owner[1] not in owners[figure.owner[0]])
        ]


def _sentences(caption: str) -> list[str]:
    return re.split(r"(?<=[.:]) (?=[A-Z])", caption)


def _figure(item: Mapping[str, Any], folder: Path, number: int) -> Figure:
    owner = next(((kind, item[kind]) for kind in OWNERS if item.get(kind)), None)
    texts = {key: item.get(key) or "" for key in ("title", "caption", "alt")}
    texts["title"] = texts["title"] or item["name"].replace("_", " ")
    return Figure(
        item["name"],
        item.get("section", ""),
        owner,
        folder=folder,
        number=number,
        explored=bool(item.get("explorer")),
        **texts,
    )
