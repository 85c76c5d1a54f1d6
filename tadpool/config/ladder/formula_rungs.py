"""The models of the ladder as formulas, made from a base formula."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tadpool.config.ladder.design import SLOPED
from tadpool.config.ladder.formulas import FormulaInference, completed
from tadpool.config.parsed_values import Problem
from tadpool.config.schema.study import Entry, Study
from tadpool.modelling.design import Design
from tadpool.modelling.families import FAMILIES
from tadpool.modelling.references import formula_of
from tadpool.modelling.rungs import PARTIAL, PARTIAL_SLOPES, POOLED, RUNGS, UNPOOLED

BASE = "base"
MUNDLAK = "mundlak"
PRIORS = {"intercept": "normal(0, 1.5)", "coefficients": "normal(0, 1)", "sd": "exponential(1)", "cor": "lkj(2)"}
"""As the models of the ladder have them."""


def entries(study: Study) -> tuple[dict[str, Entry], Design | None, list[Problem]]:
    """The entries that a study's base formula makes.

    Args:
        study: A study with `ladder`.

    Returns:
        The entries; what of their design figures and comparisons of the ladder look at; and all
            that is wrong with the base. Where something is, the base is the only entry.
    """
    base = study.ladder
    given = {"formula": base.formula, "family": base.family, "parameters": base.parameters}
    entry = Entry(**given, priors=PRIORS | base.priors)
    alone = study.model_copy(update={"models": {BASE: entry}, "ladder": None})
    whole, problems = completed(alone, BASE)
    if problems or whole.design is None:
        return {BASE: whole}, None, [_of_base(each) for each in problems]
    rungs = _Rungs(base.formula, FormulaInference(alone, BASE))
    if not rungs.groups:
        fix = "write what differs between members, such as `+ (1 | school)`"
        return {BASE: whole}, None, [Problem(("ladder", "formula"), "it has no group term", fix)]
    made = {
        name: entry.model_copy(update={"formula": text, "label": RUNGS[name].label} | rungs.changes(name))
        for name, text in rungs.formulas()
    }
    many = study.model_copy(update={"models": made, "ladder": None})
    found, wrong = {}, []
    for name in made:
        found[name], own = completed(many, name)
        wrong += [_of_base(each) for each in own]
    design = formula_of(alone.model_copy(update={"models": {BASE: whole}}).reference(BASE))
    return found, _like_ladder(design, rungs), list({str(each): each for each in wrong}.values())


def _of_base(problem: Problem) -> Problem:
    """A problem of an entry, at its place in the base."""
    inside = problem.place[:1] == ("models",)
    return replace(problem, place=("ladder", *problem.place[2:])) if inside else problem


def _like_ladder(design: Any, rungs: "_Rungs") -> Design:
    """The base as a design of the ladder has it, for its figures and comparisons."""
    first = rungs.groups[0]
    groups = (first, *(each for each in design.groups if each != first))
    return Design(design.family, design.outcome, design.unit, groups, design.predictors, tuple(rungs.slopes))


class _Rungs:
    """The formulas of the rungs. slopes: the numbers and yes/no whose effects differ between the
    members of the first group."""

    def __init__(self, text: str, inference: FormulaInference) -> None:
        from tadpool.formula import syntax  # imports SciPy, which studies without a formula do not need

        self.text, self.inference = " ".join(text.split()), inference
        self.read = syntax.read(text, None, inference.grouping)
        self.left = self.text.partition("~")[0].strip()
        self.common = [
            ("-" if sign == "MINUS" else "+", syntax.written(part))
            for sign, part in list(syntax.addends(self.read.common))[1:]
        ]
        self.common += [("+", syntax.written(each.call)) for each in self.read.smooths]
        self.groups = list(dict.fromkeys(":".join(each.factors) for each in self.read.groups))
        self.varying = {
            ":".join(each.factors): [syntax.written(part) for _, part in list(syntax.addends(each.left))[1:]]
            for each in reversed(self.read.groups)
        }
        kinds = inference.design.predictors
        self.numbers = [name for name, kind in kinds.items() if kind in SLOPED]
        self.slopes = (
            [part for part in self.varying.get(self.groups[0], []) if part in self.numbers] if self.groups else []
        )

    def formulas(self) -> Iterator[tuple[str, str]]:
        """Rung -> its formula, of the rungs that apply."""
        yield POOLED, self._with([])
        first, alone = self.groups[0], ":" not in self.groups[0]
        noisy = FAMILIES[self.inference.design.family].free_scale and not self.inference.design.standard_error
        if alone and not (first == self.inference.study.unit and noisy):
            yield UNPOOLED, self._with([self._term(first, slopes=True)])
        intercepts = [self._term(each) for each in self.groups]
        yield PARTIAL, self._with(intercepts)
        if any(part not in ("1", "0") for parts in self.varying.values() for part in parts):
            yield PARTIAL_SLOPES, self.text
        means = [f"group_mean({name}, {first})" for name in self._differing()] if alone else []
        if means:
            yield MUNDLAK, self._with([*means, *intercepts])

    @staticmethod
    def changes(name: str) -> dict[str, Any]:
        """What an entry of a rung has beside its formula."""
        return {"pooling": "none"} if name == UNPOOLED else {}

    def _with(self, further: Sequence[str]) -> str:
        """The formula with the base's common terms and further ones."""
        parts = [*self.common, *(("+", each) for each in further)]
        right = " ".join(f"{sign} {part}" for sign, part in parts).removeprefix("+ ")
        return f"{self.left} ~ {right or 1}".replace("~ - 1", "~ 0")

    def _term(self, group: str, slopes: bool = False) -> str:
        """Intercepts of the members of a group, or what varies between them in the base."""
        varying = [part for part in self.varying[group] if part != "1"] if slopes else []
        return f"({' + '.join(varying) or 1} | {group})"

    def _differing(self) -> list[str]:
        """The predictors with a mean for each member of the first group."""
        kinds = {name: self.inference.design.predictors[name] for name in self.numbers if ("+", name) in self._terms()}
        rank = self.inference.rank_of(kinds, self.groups[0])
        return self.inference.means_of(kinds, self.groups[0], rank)

    def _terms(self) -> list[tuple[str, str]]:
        from tadpool.formula import syntax

        return [("+", name) for name in syntax.terms(self.read)]
