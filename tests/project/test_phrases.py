"""Phrases that statisticians do not write are not in the documentation, the pages, the studies and
the package's strings."""

import ast
import re

import pytest

from tadpool import ROOT

# Phrase -> what to write instead. Phrases are whole words, and may run over a line break.
PHRASES = {
    r"(cannot|can not) be told (from|apart)": "is indistinguishable from, predicts about equally well",
    r"mend(s|ed|ing)?": "fix",
    r"anew": "again, new",
    r"held against": "compared with, checked against",
    r"(that|those) of the": "the noun itself",
    r"alike": "the same, equal",
    r"(knows?|knew) of": "has, is known to",
    r"believes?": "implies, assumes",
    r"(says?|said|tells?|told) nothing of": "has no information about",
    r"(is|are) nothing that": "a verb with not",
    r"(with|by|in|among|every) so many": "the number itself",
    r"(pull|pulls|pulled) (to|toward|towards|against)": "shrink; a prior-data conflict",
    r"left out altogether": "held out",
    r"fits? without something": "cross-validation refits",
    r"\d+ % from(?= [\d−{]| $)": "89 % interval 1.3 to 2.0",
    r"(Scaled|Shown|Named|Kept|Compared|Drawn|Counted|Given) (is|are)|Least is": "the subject first",
    r"is the (least|most)(?=[;,.])": "the minimum is, the maximum is",
    r"tells? apart": "distinguishes",
    r"promises? too (much|little)": "intervals are too narrow, too wide",
    r"(is|are|was|were) learnt of": "the data are informative about",
    r"shared out among": "Bonferroni-corrected for",
    r"(?<!there\s)is no (model|number|parameter|site|column|group|table)": "is not a",
    r"(is|are) said beside": "is shown with",
    r"(of|for) one's own": "your own",
}
PATTERNS = {phrase: re.compile(rf"(?<![\w-])(?:{phrase})(?![\w-])".replace(" ", r"\s+")) for phrase in PHRASES}
PROSE = (
    "*.md",
    "docs/**/*.md",
    "report/**/*.html",
    "report/*.yaml",
    "config/**/*.yaml",
    "config/*.md",
    "tadpool/**/*.py",
)


def find(text):
    """The phrases in a text: position, and advice."""
    for phrase, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            yield match.start(), f"{' '.join(match.group().split())!r}: write {PHRASES[phrase]}"


def pieces(path):
    """First line and text of each docstring and string of a Python file, or of all of any other."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return [(1, text)]
    constants = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    return [(node.lineno, node.value) for node in constants if isinstance(node.value, str)]


def test_no_text_has_a_phrase_that_statisticians_do_not_write():
    places = [
        f"{path.relative_to(ROOT)}:{line + text.count(chr(10), 0, position)}: {advice}"
        for path in sorted({path for pattern in PROSE for path in ROOT.glob(pattern)})
        for line, text in pieces(path)
        for position, advice in find(text)
    ]
    assert places == [], "\n".join(["", *places])


@pytest.mark.parametrize(
    "text",
    [
        "cannot be told\nfrom the best",
        "correct the mend.",
        "sd 1.4 (89 % from 1.2 to 2.0)",
        "Scaled are the priors",
        "0 is the least;",
    ],
)
def test_odd_phrases_are_found(text):
    assert list(find(text))


@pytest.mark.parametrize(
    "text",
    ["I recommend it", "there is no column 'x'", "at least 10 % from the prior", "the data say nothing about it"],
)
def test_plain_phrases_pass(text):
    assert not list(find(text))
