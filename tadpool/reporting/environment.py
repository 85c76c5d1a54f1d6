"""The templates of `report/`: everything that goes into them is escaped, unknown names are errors."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tadpool.reporting import formatting

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
    for function in (formatting.number, formatting.whole, formatting.general, formatting.counted, formatting.sentence):
        made.filters[function.__name__] = function
    return made
