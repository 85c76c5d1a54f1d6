"""The documentation: it builds off line without a warning, its links lead somewhere, and its files
are valid."""

import ast
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from tadpool import ROOT, config
from tadpool.errors import UserError
from tadpool.files import contracts
from tadpool.loading import described_table
from tadpool.modelling.families import FAMILIES
from tests import pages

FAQ = ROOT / "docs" / "faq.md"
# Blocks that no test runs or reads as a config. Their reasons stand beside them.
MOST_NOT_RUN = 10


class Page(HTMLParser):
    """What a page refers to, and the places in it that can be referred to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.ids = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.add(given.get("id"))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif given.get("src") or (tag == "link" and given.get("href")):
            self.loaded.append(given.get("src") or given["href"])


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site as `make docs` builds it."""
    return pages.build(tmp_path_factory.mktemp("docs"))


def test_links_lead_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    read = {path: Page(path) for path in site.rglob("*.html")}
    assert len(read) > 8
    lost = []
    for path, page in read.items():
        for address in page.loaded:
            assert not re.match(r"(https?:)?//", address), f"{path.name} loads {address}"
        for address in (each for each in page.links + page.loaded if not re.match(r"[a-z]+:", each)):
            file, place = urldefrag(address)
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            if not target.exists() or (place and target in read and unquote(place) not in read[target].ids):
                lost.append(f"{path.relative_to(site)}: {address}")
    assert lost == []
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_links_of_the_readme_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "config/README.md", "SECURITY.md"):
        for address in re.findall(r"\]\(([^)#]+)", (ROOT / name).read_text()):
            assert re.match(r"https?://", address) or (ROOT / name).parent.joinpath(address).exists(), (
                f"{name}: {address}"
            )


def test_generated_pages_say_what_the_code_says(site):
    text = (site / "reference/files.html").read_text()
    assert all(path.replace("<", "&lt;").replace(">", "&gt;") in text for path in contracts.FILES)
    assert "reached_max_treedepth" in text
    assert "reference/config.html" in (site / "index.html").read_text()
    assert "Sampler settings of all fits" in (site / "reference/config.html").read_text()
    assert "<math" in (site / "reference/models.html").read_text()


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_shows_are_valid(page, tmp_path, monkeypatch):
    """Each YAML file is read as the workflow reads it, with all that the page said before."""
    monkeypatch.chdir(tmp_path)
    pages.begin(tmp_path)
    for block in (block for block in pages.blocks(page) if block.path and not block.wrong):
        pages.write(block, tmp_path)
        if block.language == "yaml":
            path = Path(block.path)
            assert said_of(path.stem if path.parent.name == "studies" else "bakeries") == "", block.name


def said_of(study):
    """What the workflow says of a study of the current folder and of its table; nothing where all
    is well."""
    try:
        source = config.read({"studies": [study]}).studies[study].source()
        if not isinstance(source, str):
            described_table.load(source)
    except UserError as error:
        return str(error)
    return ""


def test_the_page_about_formulas_names_every_family():
    text = (ROOT / "docs" / "how-to" / "formula.md").read_text()
    assert not [name for name in FAMILIES if f"`{name}`" not in text]


def test_every_yaml_block_says_which_file_it_is():
    unnamed = [
        block.name
        for page in pages.PAGES
        for block in pages.blocks(page)
        if block.language == "yaml" and block.run and Path(block.path).parts[:1] != ("config",)
    ]
    assert unnamed == []


def test_each_sentence_of_the_faq_is_said_of_the_lines_before_it(tmp_path, monkeypatch):
    pairs = [(wrong, said) for wrong, said in pairwise(pages.blocks(FAQ)) if wrong.wrong]
    assert len(pairs) > 10
    for number, (wrong, said) in enumerate(pairs):
        assert said.note == "said", f"{wrong.name} is not followed by what is said of it"
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        pages.begin(folder)
        pages.write(wrong, folder)
        assert set(said.text.splitlines()) <= set(said_of("bakeries").splitlines()), said.name


def test_each_other_sentence_of_the_faq_stands_in_the_code():
    """`...` stands for what the code puts into it."""
    texts = [text for path in (ROOT / "tadpool").rglob("*.py") for text in _texts(ast.parse(path.read_text()))]
    quoted = [block for block in pages.blocks(FAQ) if block.note == "said by the code"]
    assert len(quoted) > 4
    for block in quoted:
        assert any(block.text.strip() in text for text in texts), block.name


def _texts(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(each.value if isinstance(each, ast.Constant) else "..." for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_targets_of_make_that_pages_name_are_there():
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in [*pages.PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]:
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)\b(?!=)", page.read_text(), re.MULTILINE))
        assert named <= known, f"{page.name}: {named - known}"


def test_few_blocks_are_not_run():
    left_out = [block.name for page in pages.PAGES for block in pages.blocks(page) if not block.run]
    assert len(left_out) <= MOST_NOT_RUN, left_out
