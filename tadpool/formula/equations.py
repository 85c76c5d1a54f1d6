"""The equations of a formula, in LaTeX; no JAX here, so that pages can be made without it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tadpool.formula import syntax
from tadpool.formula.syntax import Formula, GroupTerm
from tadpool.ladder.equations import distribution, number, word
from tadpool.modelling.families import Parameter
from tadpool.modelling.formula_design import FormulaDesign, PriorChoice

NAMES = {
    "normal": "Normal",
    "student_t": "StudentT",
    "cauchy": "Cauchy",
    "laplace": "Laplace",
    "exponential": "Exponential",
    "half_normal": "HalfNormal",
    "half_cauchy": "HalfCauchy",
}


def equations(design: FormulaDesign, hyperparameters: Mapping[str, Any], facts: Mapping[str, Any] | None) -> str:
    """A formula as an `aligned` environment.

    Args:
        design: Its design.
        hyperparameters: Those that differ from its defaults.
        facts: Those of a fit (its attribute `facts`, JSON), without which priors are left out.

    Returns:
        The equations in LaTeX.
    """
    writer = _Writer(design, {**design.hyperparameters, **hyperparameters}, facts)
    lines = [*writer.likelihood(), *writer.effects(), *writer.imputed()]
    lines += [*writer.priors(), *writer.priors_of_imputed()] if facts is not None else []
    return "\\begin{aligned}\n" + " \\\\\n".join(f"{left} &{right}" for left, right in lines) + "\n\\end{aligned}"


@dataclass(frozen=True)
class _Writer:
    """Each method gives lines as pairs: what stands left and right of the sign that lines are
    aligned at."""

    design: FormulaDesign
    prior: Mapping[str, Any]
    facts: Mapping[str, Any] | None

    @property
    def main(self) -> str:
        """The predictor of the outcome; of each of its levels where it has several."""
        return "" if self.design.family.predictors else "k"

    @property
    def predictors(self) -> Iterator[tuple[str, Formula]]:
        """Parameter -> its formula, the outcome's first."""
        yield self.main, syntax.read(self.design.formula)
        for name, text in self.design.parameters_of:
            yield name, syntax.read(text)

    def likelihood(self) -> Iterator[tuple[str, str]]:
        yield distribution(self.design)
        for parameter, formula in self.predictors:
            yield self._left(parameter), f"= {self._sum(parameter, formula)}"

    def _left(self, parameter: str) -> str:
        if parameter == self.main:
            return self.design.family.link.latex
        record = self._record(parameter)
        symbol = f"{{{_symbol(record)}}}_i"
        return symbol if record.link == "identity" else f"\\mathrm{{{record.link}}}({symbol})"

    def _alone(self, formula: Formula) -> list[str]:
        """What each member has for itself, "" for the intercept, where members are not pooled."""
        return [column for group in formula.groups for column in _varying(group)] if self.design.unpooled else []

    def _labels(self, parameter: str) -> Mapping[str, Sequence[str]]:
        """Term -> labels of its columns, as far as the data are known."""
        known = (self.facts or {}).get("terms", {})
        return known.get(parameter, {}) if self.design.family.predictors else next(iter(known.values()), {})

    def _record(self, parameter: str) -> Parameter:
        return next(each for each in self.design.family.parameters if each.own == parameter)

    def _sum(self, parameter: str, formula: Formula) -> str:
        """A linear predictor."""
        cutpoints = self.design.family.link.cutpoints and parameter == self.main
        alone = self._alone(formula)
        free = syntax.has_intercept(formula.common) and "" not in alone and not cutpoints
        terms = [_of("\\alpha", parameter)] if free else []
        terms += self._common(parameter, formula)
        terms += [
            _of(f"f_{{{word(each.name)}}}", parameter) + f"({word(syntax.name(each.of))}_i)" for each in formula.smooths
        ]
        for group in formula.groups:
            name = _group(group)
            for column in _varying(group):
                value = f" {word(column)}_i" if column else ""
                if self.design.unpooled:
                    symbol = f"\\beta_{{{word(column)}, {name}[i]}}" if column else f"\\alpha_{{{name}[i]}}"
                    terms.append(_of(symbol, parameter) + value)
                    continue
                terms.append(_of(f"u^{{{_both(name, column)}}}_{{{name}[i]}}", parameter) + value)
        if parameter == self.main and self.design.exposure:
            terms.append(f"\\log({word(self.design.exposure)}_i)")
        if parameter == self.main and self.design.offset:
            terms.append(f"{word(self.design.offset)}_i")
        return " + ".join(terms).replace("+ -", "- ") or "0"

    def _common(self, parameter: str, formula: Formula) -> Iterator[str]:
        """The common terms with the names of their priors: `a * b` is three. Without facts they are
        the parts of the formula, as written."""
        parts = [
            (sign, syntax.name(part))
            for sign, part in syntax.addends(formula.common)
            if not isinstance(part, syntax.Literal)
        ]
        offsets = [name for _, name in parts if name.startswith("offset(")]
        alone, text = self._alone(formula), syntax.name(formula.common)
        labels = {name: own for name, own in self._labels(parameter).items() if name not in alone}
        parts = [(sign, name) for sign, name in parts if name not in alone]
        if self.facts is None:
            rest = [(sign, name) for sign, name in parts if name not in offsets]
            yield from (f"- {word(name)}" if sign == "MINUS" else _times("^", name, parameter) for sign, name in rest)
        for name in sorted(labels, key=lambda each: (each.count(":"), text.find(each.split(":")[0]))):
            yield _times("_" if len(labels[name]) <= 1 else "^", name, parameter)
        yield from (f"{word(name.removeprefix('offset(').removesuffix(')'))}_i" for name in offsets)

    def effects(self) -> Iterator[tuple[str, str]]:
        """What members of groups have for themselves, and smooths."""
        for parameter, formula in self.predictors:
            for group in formula.groups if not self.design.unpooled else ():
                name, columns = _group(group), _varying(group)
                effects = [_of(f"u^{{{_both(name, column)}}}_j", parameter) for column in columns]
                sds = [_of(f"\\sigma_{{{_both(name, column)}}}", parameter) for column in columns]
                if len(columns) == 1 or not group.correlated:
                    yield from (
                        (each, f"\\sim \\mathrm{{Normal}}(0, {sd})") for each, sd in zip(effects, sds, strict=True)
                    )
                else:
                    matrix, diagonal = _of(f"R_{{{name}}}", parameter), f"D = \\mathrm{{diag}}({', '.join(sds)})"
                    yield f"({', '.join(effects)})", f"\\sim \\mathrm{{Normal}}(0, D {matrix} D), \\quad {diagonal}"
            for smooth in formula.smooths:
                f, of = _of(f"f_{{{word(smooth.name)}}}", parameter), word(syntax.name(smooth.of))
                yield f"{f}({of})", f"= \\beta_{{{word(smooth.name)}}} z({of}) + \\textstyle\\sum_k d_k b_k({of})"
                yield "d_k", f"\\sim \\mathrm{{Normal}}(0, \\sigma_{{{word(smooth.name)}}})"

    @property
    def missing(self) -> dict[str, list[str]]:
        """Predictor that is imputed -> the terms of its model, as far as the data are known; those
        that are numbers first."""
        if self.facts is None:
            known = sorted(
                (each.kind == "binary", at, each.name) for at, each in enumerate(self.design.predictors) if each.imputed
            )
            return {name: [] for _, _, name in known}
        names = list(self.facts.get("imputed", {}))
        terms = next(iter(self.facts["terms"].values()))
        return {name: [t for t in terms if not {*names[at:]} & {*t.split(":")}] for at, name in enumerate(names)}

    def imputed(self) -> Iterator[tuple[str, str]]:
        """The models of imputed predictors."""
        formula = syntax.read(self.design.formula)
        groups = dict.fromkeys(_group(each) for each in formula.groups)
        for name, terms in self.missing.items():
            binary = self.design.predictor(name).kind == "binary"
            mean = _of("p" if binary else "\\nu", name) + "_i"
            family = f"Bernoulli}}({mean})" if binary else f"Normal}}({mean}, {_of('\\sigma', name)})"
            yield f"{word(name)}_i", f"\\sim \\mathrm{{{family}"
            parts = [_of("\\alpha", name)]
            parts += [_times("_" if len(self._labels(self.main)[t]) <= 1 else "^", t, name) for t in terms]
            parts += [
                _of(f"f_{{{word(each.name)}}}", name) + f"({word(syntax.name(each.of))}_i)" for each in formula.smooths
            ]
            parts += [_of(f"u^{{{group}}}_{{{group}[i]}}", name) for group in groups]
            yield (f"\\mathrm{{logit}}({mean})" if binary else mean), f"= {' + '.join(parts)}"
            for group in groups:
                sd = _of(f"\\sigma_{{{group}}}", name)
                yield _of(f"u^{{{group}}}_j", name), f"\\sim \\mathrm{{Normal}}(0, {sd})"

    def priors_of_imputed(self) -> Iterator[tuple[str, str]]:
        """The priors of these models, in units of the predictors."""
        choices = {each.of: each for each in self.design.priors}
        formula = syntax.read(self.design.formula)
        for name, terms in self.missing.items():
            known = self.facts["imputed"][name]
            location, scale = known["location"], known["scale"]
            yield _of("\\alpha_{\\mathrm{at~means}}", name), self._real(choices["intercept"], location, scale)
            for term in terms:
                own = self._columns(term, self._labels(self.main)[term])
                widths = {self.facts["columns"][each]["scale"] for each in own}
                symbol = _of(f"\\beta_{{{word(term)}}}" if len(own) == 1 else f"\\beta^{{{word(term)}}}_k", name)
                if len(widths) == 1:
                    yield symbol, self._real(choices["coefficients"], 0.0, scale / widths.pop())
                else:
                    per = f", \\quad \\text{{per sd of }} {word(term)}"
                    yield symbol, self._real(choices["coefficients"], 0.0, scale) + per
            for group in dict.fromkeys(_group(each) for each in formula.groups):
                yield _of(f"\\sigma_{{{group}}}", name), self._sd(choices["sd"], scale)
            if not known["binary"]:
                yield _of("\\sigma", name), self._sd(choices["sd"], scale)

    def priors(self) -> Iterator[tuple[str, str]]:
        choices = {each.of: each for each in self.design.priors}
        for parameter, formula in self.predictors:
            outcome = self.facts["outcome"] if parameter == self.main else {"location": 0.0, "scale": 1.0}
            record = None if parameter == self.main else self._record(parameter)
            location = f"\\log({number(self.facts['outcome']['scale'])})" if record and not record.prior else None
            alone = self._alone(formula)
            columns = {
                name: self._columns(name, labels)
                for name, labels in self._labels(parameter).items()
                if name not in alone
            }
            cutpoints = self.design.family.link.cutpoints and parameter == self.main
            if "" in alone:
                centre = 0.0 if cutpoints else outcome["location"]
                symbol = _of("\\alpha_j", parameter)
                yield symbol, self._real(choices["intercept"], centre, outcome["scale"], location)
            elif syntax.has_intercept(formula.common) and not cutpoints:
                moved = any(self.facts["columns"][each]["location"] for c in columns.values() for each in c)
                left = _of("\\alpha_{\\mathrm{at~means}}" if moved else "\\alpha", parameter)
                if moved:
                    yield _of("\\alpha", parameter), f"= {left} - \\textstyle\\sum_k \\beta_k \\bar x_k"
                yield left, self._real(choices["intercept"], outcome["location"], outcome["scale"], location)
            for name, own in columns.items():
                choice = choices.get(name)
                scales = [self.facts["columns"][each]["scale"] for each in own]
                symbol = _of(f"\\beta_{{{word(name)}}}" if len(own) == 1 else f"\\beta^{{{word(name)}}}_k", parameter)
                if choice:
                    yield symbol, self._real(choice, 0.0, 1.0)
                elif max(scales) - min(scales) > 1e-6 * max(scales):
                    yield (
                        symbol,
                        self._real(choices["coefficients"], 0.0, outcome["scale"])
                        + f", \\quad \\text{{per sd of }} {word(name)}",
                    )
                else:
                    yield symbol, self._real(choices["coefficients"], 0.0, outcome["scale"] / scales[0])
            for smooth in formula.smooths:
                yield f"\\beta_{{{word(smooth.name)}}}", self._real(choices["coefficients"], 0.0, outcome["scale"])
                yield f"\\sigma_{{{word(smooth.name)}}}", self._sd(choices["sd"], outcome["scale"])
            for group in formula.groups:
                yield from self._of_group(group, parameter, choices, outcome["scale"])
        for parameter in self.design.parameters:
            yield parameter.latex, self._own(parameter)

    def _columns(self, name: str, labels: Sequence[str]) -> list[str]:
        return [f"formula:{name}.{label}" for label in labels] or [f"formula:{name}"]

    def _of_group(
        self, group: GroupTerm, parameter: str, choices: Mapping[str, PriorChoice], scale: float
    ) -> Iterator[tuple[str, str]]:
        for column in _varying(group):
            known = self.facts["columns"].get(f"formula:{column}") if column else {"scale": 1.0}
            if self.design.unpooled:
                if column:
                    symbol, width = _of(f"\\beta_{{{word(column)}, j}}", parameter), known["scale"] if known else 1.0
                    each = "" if known else f", \\quad \\text{{per sd of }} {word(column)}"
                    yield symbol, self._real(choices["coefficients"], 0.0, scale / width) + each
                continue
            symbol = _of(f"\\sigma_{{{_both(_group(group), column)}}}", parameter)
            each = "" if known else f", \\quad \\text{{per sd of }} {word(column)}"
            yield symbol, self._sd(choices["sd"], scale / (known["scale"] if known else 1.0)) + each
        if group.correlated and len(_varying(group)) > 1 and not self.design.unpooled:
            (concentration,) = choices["cor"].numbers
            yield (
                _of(f"R_{{{_group(group)}}}", parameter),
                f"\\sim \\mathrm{{LKJ}}({number(self.prior[concentration])})",
            )

    def _real(self, choice: PriorChoice, location: float, scale: float, words: str | None = None) -> str:
        *shape, at, width = (self.prior[each] for each in choice.numbers)
        mean = number(location + at * scale, scale) if words is None else words
        numbers = [*(number(each) for each in shape), mean, number(width * scale)]
        return f"\\sim \\mathrm{{{NAMES[choice.kind]}}}({', '.join(numbers)})"

    def _sd(self, choice: PriorChoice, scale: float) -> str:
        (value,) = (self.prior[each] for each in choice.numbers)
        if choice.kind == "exponential":
            mean = number(scale / value)
            return f"\\sim \\mathrm{{Exponential}}({mean if mean == '1' else f'1 / {mean}'})"
        return f"\\sim \\mathrm{{{NAMES[choice.kind]}}}({number(scale * value)})"

    def _own(self, parameter: Parameter) -> str:
        values = [self.prior[name] for name, _ in parameter.hyperparameters]
        if not parameter.prior:
            return f"\\sim \\mathrm{{Exponential}}(1 / {number(values[0] * self.facts['outcome']['scale'])})"
        written = parameter.prior_latex
        for name, value in zip((name for name, _ in parameter.hyperparameters), values, strict=True):
            written = written.replace(f"<{name}>", number(value))
        return written


def _symbol(parameter: Parameter) -> str:
    """The symbol of what the likelihood takes."""
    return parameter.latex if not parameter.derived else f"\\{parameter.derived}"


def _of(symbol: str, parameter: str) -> str:
    """A symbol of the linear predictor of a further parameter, or of a level."""
    if not parameter:
        return symbol
    name = f"({word(parameter)})"
    return symbol.replace("^{", f"^{{{name}, ", 1) if "^{" in symbol else f"{symbol}^{{{name}}}"


def _times(place: str, name: str, parameter: str) -> str:
    """A term times its coefficient, whose symbol has the name below, or coefficients, above."""
    beta = _of(f"\\beta{place}{{{word(name)}}}", parameter)
    return f"{beta} {word(name)}_i" if place == "_" else f"{beta} \\cdot {word(name)}_i"


def _group(group: GroupTerm) -> str:
    return word(":".join(group.factors))


def _both(group: str, column: str) -> str:
    return f"{group}, {word(column)}" if column else group


def _varying(group: GroupTerm) -> list[str]:
    """What varies between members, "" for the intercept."""
    columns = [syntax.name(part) for _, part in list(syntax.addends(group.left))[1:]]
    own = [each for each in columns if each not in ("0", "1", "-1")]
    return ["", *own] if syntax.has_intercept(group.left) else own
