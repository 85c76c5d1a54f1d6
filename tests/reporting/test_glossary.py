"""Every statistic that a page shows is defined, and what is defined is shown."""

import importlib
import pkgutil
import re

import pytest
from markupsafe import Markup

from tadpool import reporting
from tadpool.reporting.html.environment import TEMPLATES
from tadpool.reporting.html.glossary import Glossary, Term, terms
from tadpool.reporting.html.tables import Column

LISTED = terms(TEMPLATES / "glossary.yaml")
MODULES = [
    importlib.import_module(found.name) for found in pkgutil.walk_packages(reporting.__path__, f"{reporting.__name__}.")
]
IN_CODE = [
    column
    for module in MODULES
    for listed in vars(module).values()
    if isinstance(listed, tuple)
    for column in listed
    if isinstance(column, Column)
]
LABELS = """
Fit Verdict Reasons File Config Code Planted What Statistic Model Role
Study Answer
"""
COUNTS = """
Size Range Missing count min max Rank Truth Fits Values Bound Exact Computed Flagged Failed Impossible Seconds
Before Now Difference
"""
PLAIN = {
    *LABELS.split(),
    *COUNTS.split(),
    *[
        "Farthest off",
        "Best for prediction",
        "The source says",
        "Found here",
        "Convergence",
        "Found by",
        "What the check says",
    ],
    *["With error", "Without error", "Predictive draws", "Memory, MB", "Own data"],
    *["No pooling", "Partial pooling"],
}


def headings():
    """Every heading of numbers, and every heading of a template; those that a study or a fit names
    are not among them."""
    found = {column.heading for column in IN_CODE if column.number and not column.own}
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        lists = re.findall(r"for heading in \[(.*?)\]", text)
        found |= {heading for listed in lists for heading in re.findall(r'"([^"]+)"', listed)}
        found |= set(re.findall(r'<th scope="col"[^>]*>([^<{]+)</th>', text))
        found |= set(re.findall(r'glossary\.heading\("([^"]+)"\)', text))
    return {" ".join(heading.split()) for heading in found}


def test_every_heading_is_defined_or_no_statistic():
    defined = {heading for term in LISTED for heading in term.headings}
    assert headings() - defined - PLAIN == set()
    assert PLAIN - headings() == set()
    assert defined - headings() == set()


def test_every_term_has_one_sentence_and_a_reference():
    for term in LISTED:
        assert re.fullmatch(r"[A-Z][^.]*(\d\.\d[^.]*)*\.", term.text), term.term
        assert re.search(r"\(\d{4}\)", term.reference), term.term
    assert len({term.slug for term in LISTED}) == len(LISTED)


def test_a_sentence_names_each_term_once_and_stays_text():
    glossary = Glossary(LISTED)
    marked = glossary.sentence("<b>R-hat</b> of my_elpd & elpd, R-hat again; ESSO")
    assert re.findall(r'href="#term-([^"]+)"', marked) == ["r-hat", "elpd"]
    assert marked.startswith(
        '&lt;b&gt;<a class="term" href="#term-r-hat" aria-describedby="definition-r-hat">R-hat</a>'
    )
    assert marked.endswith("R-hat again; ESSO")
    assert " of my_elpd &amp; <a" in marked
    assert [term.term for term in glossary.used()] == ["elpd", "R-hat"]


def test_what_stands_between_backticks_is_code():
    assert Glossary(LISTED).sentence("give `<b>`, `c") == "give <code>&lt;b&gt;</code>, `c"


def test_sentences_that_stand_together_name_a_term_once():
    first, second = Glossary(LISTED).sentences(["No elpd.", "An elpd, an SE, a p_loo."])
    assert first.count("<a") == 1
    assert re.findall('#term-([^"]+)', second) == ["p-loo"]


def test_headings_that_are_no_statistics_stay_text():
    glossary = Glossary(LISTED)
    assert glossary.heading("<i>county</i>") == "&lt;i&gt;county&lt;/i&gt;"
    assert "#term-r-hat" in glossary.heading("R-hat,\N{NO-BREAK SPACE}largest")
    assert len(glossary.used()) == 1


def test_a_word_of_two_terms_is_refused():
    listed = (Term("a", "A.", "", words=("x",)), Term("b", "B.", "", words=("x",)))
    with pytest.raises(ValueError, match="x means a and b"):
        Glossary(listed)


def test_a_text_that_is_escaped_already_is_refused():
    with pytest.raises(TypeError, match="escaped already"):
        Glossary(LISTED).sentence(Markup("a &amp; b"))
