"""The templates of `report/`: everything that goes into them is escaped, unknown names are errors."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tadpool.reporting import formatting, scripts

MOST_ROWS = 100
"""Rows of a table that a page shows; the file with all of them is linked."""

TEMPLATES = Path(__file__).parent.parent.parent / "report"


def environment() -> Environment:
    """The environment with the filters that the templates use."""
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
    made.filters["script"] = lambda name: scripts.script(TEMPLATES / f"{name}.js")
    made.globals |= {"most_rows": MOST_ROWS, "policy": scripts.policy}
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return made
