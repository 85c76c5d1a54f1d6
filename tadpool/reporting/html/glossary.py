"""What the statistics on a page mean: headings and sentences lead to the definitions at its end."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from markupsafe import Markup, escape

CODE = re.compile("`([^`]+)`")


@dataclass(frozen=True)
class Term:
    """A statistic. text: what it is, in one sentence. reference: where it is from.

    headings: of columns that show it. words: in sentences and captions that name it.
    """

    term: str
    text: str
    reference: str
    headings: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.term.lower()).strip("-")

    def link(self, shown: str) -> Markup:
        """Text that leads to the definition, which assistive technology reads as its
        description."""
        template = Markup('<a class="term" href="#term-{slug}" aria-describedby="definition-{slug}">{shown}</a>')
        return template.format(slug=self.slug, shown=shown)


@cache
def terms(path: Path) -> tuple[Term, ...]:
    """All terms of a glossary file, in its order."""
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    tuples = [
        {key: tuple(value) if isinstance(value, list) else value for key, value in each.items()} for each in listed
    ]
    return tuple(Term(**each) for each in tuples)


class Glossary:
    """The glossary of one page; it keeps which terms the page uses."""

    def __init__(self, listed: tuple[Term, ...]) -> None:
        self._all = listed
        self._by_name = {term.term: term for term in listed}
        self._by_heading = _by(listed, "headings")
        self._by_word = _by(listed, "words")
        longest_first = sorted(self._by_word, key=lambda word: (-len(word), word))
        self._pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, longest_first))})(?![\w-])")
        self._used: set[str] = set()

    def used(self) -> list[Term]:
        """The terms that the page named so far, by name."""
        return sorted((term for term in self._all if term.term in self._used), key=lambda term: term.term.lower())

    def heading(self, text: str) -> Markup:
        """A column's heading, with its definition where it is a statistic; kinds of space make no
        difference."""
        term = self._by_heading.get(" ".join(text.split()))
        return self._linked(term, text) if term else escape(text)

    def term(self, shown: str, name: str) -> Markup:
        """Text with the definition of the term called `name`. Raises KeyError where there is
        none."""
        return self._linked(self._by_name[name], shown)

    def sentence(self, text: str) -> Markup:
        """A text, escaped, with the definition of each term where it is first named and with `code`
        as code."""
        return self.sentences([text])[0]

    def sentences(self, texts: Sequence[str]) -> list[Markup]:
        """Texts that stand together, as `sentence` gives them, with a definition where the first of
        them names a term. Raises TypeError for a text that is escaped already."""
        if any(isinstance(text, Markup) for text in texts):
            raise TypeError(f"these sentences are escaped already: {texts}")
        named: set[str] = set()
        joined = [Markup("").join(self._parts(text, named)) for text in texts]
        return [Markup(CODE.sub(r"<code>\1</code>", text)) for text in joined]  # noqa: S704 (escaped above)

    def _parts(self, text: str, named: set[str]) -> Iterator[Markup]:
        for position, part in enumerate(self._pattern.split(text)):
            term = self._by_word[part] if position % 2 else None
            yield self._linked(term, part) if term and term.term not in named else escape(part)
            named |= {term.term} if term else set()

    def _linked(self, term: Term, shown: str) -> Markup:
        self._used.add(term.term)
        return term.link(shown)


def _by(listed: tuple[Term, ...], field: str) -> Mapping[str, Term]:
    """Each heading or word -> its term. Raises ValueError where two terms claim one."""
    found: dict[str, Term] = {}
    for term in listed:
        for text in getattr(term, field):
            if text in found:
                raise ValueError(f"{text} means {found[text].term} and {term.term} in the glossary")
            found[text] = term
    return found
