"""Reference pages generated from the code, and formulas as MathML, which needs no script.

A line `<!-- generated: NAME -->` in a page is replaced by the output of the function of that name
in WRITERS.
"""

import ast
import io
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes

from benchmarks import run, scaling
from tadpool.files import contracts, plugins
from tadpool.modelling.families import FAMILIES
from tadpool.modelling.references import FORMULA
from tadpool.reporting.html.environment import TEMPLATES
from tadpool.reporting.html.glossary import terms
from tadpool.reporting.html.markup import mathml
from tadpool.verification import exact_values

ROOT = Path(__file__).parent.parent
MARK = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
PAGE_OPTIONS = "`section` and `title` can be given with every kind."


def files() -> Iterator[str]:
    """The result files: their groups, required variables and attributes."""
    for path, contract in contracts.FILES.items():
        yield f"## `results/{path}`\n\n{contract.description[0].upper()}{contract.description[1:]}.\n"
        if contract.groups:
            yield "| group | dims of every variable | variables that are always there |\n|---|---|---|"
        for name, group in contract.groups.items():
            optional = " (may be absent)" if group.optional else ""
            yield f"| `{name}`{optional} | {_codes(group.dims)} | {_codes(group.variables)} |"
        yield f"\nAttributes: {_codes(contract.attributes)}.\n"


def glossary() -> Iterator[str]:
    """The statistics that pages show, with references."""
    yield "```{glossary}\n:sorted:\n"
    for term in terms(TEMPLATES / "glossary.yaml"):
        yield f"{term.term}\n: {term.text}\n  *{term.reference}*\n"
    yield "```"


def models() -> Iterator[str]:
    """The built-in models: equations, columns and hyperparameters with their defaults."""
    for path in _built_in("models"):
        signature = plugins.signature(path)
        yield f"## `{path.stem}`\n\n{_docstring(path)}"
        if path.stem == FORMULA:
            yield "See {doc}`../how-to/formula`. The numbers of its priors are hyperparameters too.\n"
        elif signature.designed:
            yield (
                "A model of the ladder: its columns follow from the study's `design`, and the report states it for them. The "
                "family of its outcome adds hyperparameters, see [families of outcomes](#families-of-outcomes).\n"
            )
        else:
            yield f"Observed: {_codes(signature.outcomes)}. Other arguments: {_codes(signature.variables)}.\n"
        if signature.hyperparameters:
            yield "| hyperparameter | default |\n|---|---|"
            yield from (f"| `{name}` | `{value}` |" for name, value in signature.hyperparameters.items())
        yield ""


def families() -> Iterator[str]:
    """The families of outcomes: their densities and links, the roles of other variables, and their
    own parameters with priors and links."""
    for name, family in FAMILIES.items():
        names = f" (elsewhere also {_codes(family.aliases)})" if family.aliases else ""
        yield f"### `{name}`\n\nOutcome: {family.outcomes}{names}. Its mean is {family.mean}.\n"
        predictor = f"{family.link.latex} = \\text{{linear predictor}}"
        yield f"$$y_i \\sim {family.latex.replace('<trials>', 'n_i')}, \\quad {predictor}$$\n"
        if family.roles:
            yield f"Roles of other variables: {_codes(family.roles)}.\n"
        if family.parameters:
            yield "| parameter | link, in a formula | prior | hyperparameters |\n|---|---|---|---|"
        for each in family.parameters:
            values = ", ".join(f"`{key}` = `{value}`" for key, value in each.hyperparameters)
            link = each.link if each.predictable else "none"
            derived = f", of which `{each.own}` is a power" if each.derived else ""
            prior = each.prior or "by `sd_prior`; exponential in a formula"
            yield f"| `{each.name}`{derived} | {link} | {prior} | {values} |"
        yield ""


def figures() -> Iterator[str]:
    """The kinds of figures and their options."""
    yield f"{PAGE_OPTIONS}\n"
    for kind, path in plugins.figures().items():
        options = plugins.defaults(path, "draw")
        first, *_ = options
        named = {name: value for name, value in options.items() if name != first}
        needed = [name for name, value in named.items() if value is plugins.REQUIRED]
        yield f"## `{kind}`\n\n{_docstring(path)}"
        yield f"Needs: {_codes(needed) or 'nothing'}. May have: {_codes([n for n in named if n not in needed]) or 'nothing'}.\n"


def exact_elpd() -> Iterator[str]:
    """The exact elpd of the reed frog model at fixed values of sigma."""
    table = exact_values.reference("reedfrogs_sigma_grid").reset_index().sort_values("sigma")
    yield "| σ | exact elpd | its SE |\n|---|---|---|"
    yield from (f"| {row.sigma:.2f} | {row.elpd_loo_exact:.1f} | {row.se:.1f} |" for row in table.itertuples())


def commands() -> Iterator[str]:
    """The targets of the Makefile."""
    yield "| command | what it does |\n|---|---|"
    for name, what in re.findall(
        r"^([a-z-]+):.*## (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    ):
        yield f"| `make {name}` | {what} |"


def benchmarks() -> Iterator[str]:
    """The README of the benchmarks with a figure, drawn from what was measured."""
    measured, drawn = run.stored()["scaling"], io.BytesIO()
    scaling.draw(measured["size"], measured["results"], drawn)
    alt = "Seconds of sampling and peak memory over lanes, groups and rows, on one core and on two"
    figure = f"```{{image}} data:image/svg+xml;base64,{b64encode(drawn.getvalue()).decode()}\n:alt: {alt}\n```"
    yield run.README.read_text(encoding="utf-8").replace(scaling.DRAWN, figure)


WRITERS = {
    write.__name__: write for write in (files, glossary, models, families, figures, exact_elpd, commands, benchmarks)
}


def _built_in(kind: str) -> list[Path]:
    return [path for path in sorted((plugins.PACKAGE / kind).glob("*.py")) if path.stem != "__init__"]


def _docstring(path: Path) -> str:
    return (ast.get_docstring(plugins.parse(path)) or "").replace("<", "\\<") + "\n\n"


def _codes(words) -> str:
    return ", ".join(f"`{word}`" for word in words)


def fill(app, name: str, source: list[str]) -> None:
    """Replace the marks in a page."""
    source[0] = MARK.sub(lambda found: "\n".join(WRITERS[found[1]]()), source[0])


def inline(translator, node: nodes.Node) -> None:
    """A formula within a sentence."""
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(translator, node: nodes.Node) -> None:
    """A displayed formula; a wide one scrolls on its own."""
    translator.body.append(f'<div class="formula" tabindex="0">{mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def setup(app) -> dict[str, bool]:
    """Register the extension with Sphinx."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
