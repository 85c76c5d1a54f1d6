"""Pages from results."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent.parent / "report"


def environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def study_page(results, digest, seed, samplers) -> str:
    return environment().get_template("study.html").render(results=results, checks={e: results.check(e) for e in results.entries})


def index_page(studies) -> str:
    return environment().get_template("index.html").render(studies=studies)
