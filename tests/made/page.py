"""A page as its readers and browsers see it."""

import re
from html.parser import HTMLParser

from tadpool import config
from tadpool.files import io
from tadpool.reporting.pages.index import index_page
from tadpool.reporting.pages.study import study_page, study_record

VOID = {"meta", "br", "hr", "img", "input", "link", "col", "wbr"}


class Page(HTMLParser):
    """A page as lists of what a reader or a browser follows; raises where elements do not nest."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags, self.headings, self.text = [], [], [], [], []
        self.header_cells, self.scripts, self.data, self.open = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.text += [] if attributes.get("class") == "term" else [" "]
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.header_cells += [attributes.get("scope")] if tag == "th" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"
        self.text += [] if tag == "a" else [" "]

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            (self.data if self.tags[-1][1].get("type") == "application/json" else self.scripts).append(data)
        elif self.open[-1:] != ["style"]:
            self.text.append(data)

    @property
    def words(self):
        """The text, with a space between elements, but for links of the glossary, which stand
        within words."""
        return " ".join("".join(self.text).split())


def render(results, changes=None):
    """The page of a study as text, written with the index of that study alone."""
    samplers = dict.fromkeys(results.entries, config.Sampler().model_dump())
    io.write_json(results.folder / "run.json", study_record(results, "d" * 64, 1, samplers))
    text = study_page(results, "d" * 64, 1, samplers, changes=changes)
    io.write_text(results.folder / "index.html", text)
    io.write_text(results.folder.parent / "index.html", index_page([results]))
    return text


def without_machine(text):
    """A page without what the machine decides: a section of a study's page, a column of the
    index."""
    sections = re.sub(r'<section id="run_time">.*?</section>', "", text, flags=re.DOTALL)
    return re.sub(r'<td class="number machine">.*?</td>', "", sections)


def section(text, name):
    return Page(re.search(rf'<section id="{name}">.*?</section>', text, flags=re.DOTALL)[0]).words
