"""The templates of `report/`: everything that goes into them is escaped, unknown names are
errors."""

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tadpool import ROOT, formatting
from tadpool.convergence import sentences
from tadpool.reporting.html import scripts
from tadpool.reporting.html.glossary import Glossary, terms

MOST_ROWS = 100
"""Rows of a table that a page shows; the file with all of them is linked."""

SORTABLE_ROWS = 8
"""From how many rows on a reader can sort a table."""

OVERRIDES = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd")
"""Characters that turn the direction of all text after them, so that a name could change what a
sentence says."""

TEMPLATES = ROOT / "report"


def environment() -> Environment:
    """The environment of one page, with the filters that the templates use; its glossary keeps what
    that page names."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in ("number", "whole", "general", "counted", "first_of", "plural", "sentence"):
        made.filters[name] = getattr(formatting, name)
    made.filters["finding"] = sentences.sentence
    made.filters["script"] = lambda name: scripts.script(TEMPLATES / f"{name}.js")
    made.globals |= {
        "most_rows": MOST_ROWS,
        "sortable_rows": SORTABLE_ROWS,
        "policy": scripts.policy,
        "glossary": Glossary(terms(TEMPLATES / "glossary.yaml")),
    }
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return made


def rendered(template: str, **values: Any) -> str:
    """A page as HTML; a character of OVERRIDES is shown as a replacement character."""
    return environment().get_template(template).render(**values).translate(OVERRIDES)
