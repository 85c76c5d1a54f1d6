"""Formulas in a study: their designs, and what in them does not fit the table or the family."""

from collections.abc import Iterator, Mapping
from typing import Any

from tadpool.config.ladder.design import KIND, DesignInference
from tadpool.config.parsed_values import Problem, shown
from tadpool.config.schema.design import Design
from tadpool.config.schema.study import Entry, Study
from tadpool.errors import FormulaError, did_you_mean
from tadpool.loading.design_rank import DesignRank
from tadpool.loading.sources import ROLES
from tadpool.modelling import formula_priors
from tadpool.modelling.design import LEVELLED
from tadpool.modelling.families import FAMILIES
from tadpool.modelling.references import FORMULA


class FormulaInference(DesignInference):
    """The design of an entry that is a formula.

    design: complete, or None where the entry has too many mistakes to know it. problems: what is
    wrong.
    """

    several = True

    def _complete(self) -> None:
        from tadpool.formula import syntax  # imports SciPy, which studies without a formula do not need

        chosen = self.study.models[self.entry]
        known = list(self.columns) if self.columns is not None else None
        grouping = self.grouping
        read = {}
        for key, text in {"formula": chosen.formula, **chosen.parameters}.items():
            place = ("formula",) if key == "formula" else ("parameters", key)
            try:
                read[key] = syntax.read(text, known, grouping)
            except FormulaError as error:
                self._at(*place, what=error.what, fix=error.fix)
        main = read.get("formula")
        if main is None or len(read) <= len(chosen.parameters):
            return
        self.outcome, self.terms_of_groups = main.outcome, main.groups
        self._check_sides(read)
        if self.problems:
            return
        self.given |= main.roles | ({"family": chosen.family} if chosen.family else {})
        family = self._family()
        if family is None:
            return
        roles = {key: self._role(key, family) for key in ROLES}
        roles["truncated"] = self._truncated(family, roles)
        self._check_parameters(chosen, family)
        self._check_priors(chosen, read)
        names = dict.fromkeys(name for each in read.values() for name in each.columns)
        groups = dict.fromkeys(name for each in read.values() for term in each.groups for name in term.factors)
        predictors = {name: kind for name in names if (kind := self._kind(name))}
        self._check_computed(read, predictors)
        self._check_imputed(read)
        self._check_outcome(family)
        self._check_offset(family, roles["offset"])
        if not self.problems:
            self.design = Design(family=family, groups=list(groups) or None, predictors=predictors, **roles)

    def _place(self, key: str) -> tuple[str, ...]:
        chosen = self.study.models[self.entry]
        return ("models", self.entry, "family") if key == "family" and chosen.family else super()._place(key)

    def _at(self, *place: str, what: str, fix: str) -> None:
        self.problems.append(Problem(("models", self.entry, *place), what, fix))

    @property
    def grouping(self) -> list[str]:
        """The columns that can name the members of a group."""
        if self.columns is None:
            return [*self.study.groups, self.study.unit]
        named = [name for name, column in self.columns.items() if column.kind in ("group", "categorical")]
        return list(dict.fromkeys([*named, *self.study.groups, self.study.unit]))

    def _check_sides(self, read: dict[str, Any]) -> None:
        """The outcome stands left of ~ in the formula alone, and is the study's."""
        for key, formula in read.items():
            if key != "formula" and formula.outcome:
                self._at("parameters", key, what="an outcome stands left of ~", fix="write nothing there, `~ x`")
        if not self.outcome:
            self._at("formula", what="nothing stands left of ~", fix="write the outcome there")
        elif self.outcome not in self.study.outcomes:
            what = f"the outcome {shown(self.outcome)} is not one of the study's"
            self._at("formula", what=what, fix=f"name it in `outcomes`, or write {self.study.outcomes[0]} ~ ...")
        elif len(self.study.outcomes) > 1:
            self._at(
                "formula", what="the study has several outcomes, and a formula has one", fix="name one in `outcomes`"
            )
        for key, formula in read.items():
            if key != "formula" and self.outcome in formula.columns:
                self._at("parameters", key, what=f"the outcome {self.outcome} predicts {key}", fix="remove it")

    def _check_parameters(self, chosen: Entry, family: str) -> None:
        possible = [each.own for each in FAMILIES[family].parameters if each.predictable]
        for name in chosen.parameters:
            if name not in possible:
                fix = did_you_mean(name, possible).removeprefix("; ") or "it has none that a formula can predict"
                self._at("parameters", name, what=f"{family} has no parameter {shown(name)}", fix=fix)

    def _check_priors(self, chosen: Entry, read: dict[str, Any]) -> None:
        from tadpool.formula import syntax

        terms = [name for each in read.values() for name in syntax.terms(each)]
        try:
            formula_priors.chosen(chosen.priors, dict.fromkeys(terms))
        except FormulaError as error:
            self._at("priors", what=error.what, fix=error.fix)

    def _check_computed(self, read: dict[str, Any], kinds: Mapping[str, str]) -> None:
        """Functions compute with numbers."""
        for key, formula in read.items():
            place = ("formula",) if key == "formula" else ("parameters", key)
            for name, function in formula.computed.items():
                if kinds.get(name) in LEVELLED:
                    what = f"{shown(name)} is not a number and stands in {function}()"
                    self._at(*place, what=what, fix=f"write {name} alone, or describe its column as a number")

    def rank_of(self, kinds: Mapping[str, str], group: str) -> DesignRank | None:
        """What the table tells of predictors with these kinds; None where it cannot be read."""
        return self._rank(kinds, group)

    def means_of(self, kinds: Mapping[str, str], group: str, rank: DesignRank | None) -> list[str]:
        """Those of them whose means in the members of a group differ, and say more than they do."""
        return self._group_means(kinds, group, rank)

    def _check_imputed(self, read: dict[str, Any]) -> None:
        """Imputed columns stand alone or in products, so that rows of the columns follow from
        their values, and at most one of them is summed out."""
        imputed = {n: each for n, each in (self.columns or {}).items() if each.missing == "impute"}
        for key, formula in read.items():
            place = ("formula",) if key == "formula" else ("parameters", key)
            for name, function in (formula.computed | formula.coded).items():
                if name in imputed:
                    what = f"{shown(name)} is imputed and stands in {function}()"
                    fix = f"write {name} alone or in products such as {name}:z, or `missing: drop` in its column"
                    self._at(*place, what=what, fix=fix)
        used = dict.fromkeys(name for each in read.values() for name in each.columns)
        binary = [name for name in used if name in imputed and imputed[name].kind == "binary"]
        if len(binary) > 1:
            what = f"{' and '.join(map(shown, binary))} are yes or no and imputed, and one of them can be"
            self._at("formula", what=what, fix=f"write `missing: drop` in the column {binary[1]}")

    def _kind(self, name: str) -> str | None:
        """The kind of a column that terms look at."""
        if self.columns is None:
            given = self.given.get("predictors") or {}
            kinds = given if isinstance(given, dict) else {}
            return "categorical" if name in self.grouping else kinds.get(name, "number")
        column = self.columns[name]
        if column.missing == "mask":
            what, fix = f"{shown(name)} is masked in some rows", "leave it out, or write `missing: drop` in its column"
            self._at("formula", what=what, fix=fix)
        return "categorical" if column.kind == "group" else KIND[column.kind]


def completed(study: Study, name: str) -> tuple[Entry, list[Problem]]:
    """An entry that is a formula with its complete design, and all that is wrong with it."""
    entry, found = study.models[name], FormulaInference(study, name)
    problems = list(found.problems)
    if entry.pooling == "none" and found.design is not None and len(found.terms_of_groups) != 1:
        what = f"it has {len(found.terms_of_groups)} group terms, and members of one group can be without pooling"
        problems.append(Problem(("models", name, "pooling"), what, "write one, or leave `pooling` out"))
    if entry.by is not None:
        fix = f"remove it; write (1 | {entry.by}), or {entry.by} among the terms"
        problems.append(Problem(("models", name, "by"), "a formula is fitted to all members of a group at once", fix))
    problems += _named_like_parameters(study, name, found)
    return entry.model_copy(update={"model": FORMULA, "design": found.design}), problems


def _named_like_parameters(study: Study, name: str, found: FormulaInference) -> Iterator[Problem]:
    """Columns and groups of the formula whose names are those of its parameters."""
    if found.design is None:
        return
    own = [site for each in FAMILIES[found.design.family].parameters for site in (each.name, each.own)]
    for each in dict.fromkeys([study.unit, found.outcome, *(found.design.groups or []), *found.design.predictors]):
        if each in ("alpha", "alpha_at_means", *own):
            what = f"{each!r} is also the name of a parameter of the formula"
            yield Problem(("models", name, "formula"), what, "rename it")
