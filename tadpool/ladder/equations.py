"""The equations of a rung for a design, in LaTeX; no JAX here, so that pages can be made without
it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tadpool.formatting import digits_for
from tadpool.modelling import references
from tadpool.modelling.design import Design, Predictor
from tadpool.modelling.families import IDENTITY, Parameter
from tadpool.modelling.rungs import RUNGS, RungType

ENDS = ("-\\infty", "\\infty")
SD_PRIORS = {"exponential": "Exponential", "half_normal": "HalfNormal", "half_cauchy": "HalfCauchy"}


def equations(
    rung: str, design: Design, hyperparameters: Mapping[str, Any], facts: Mapping[str, Any] | None = None
) -> str:
    """The instance as an `aligned` environment.

    Args:
        rung: Name of the rung.
        design: The design that it is built for.
        hyperparameters: Those that differ from the rung's defaults.
        facts: Those of a fit (its attribute `facts`, JSON), with which priors are written in
            numbers; without them m and s stand for locations and scales of the data.

    Returns:
        The equations in LaTeX.
    """
    defaults = references.signature({"name": rung, "design": design.to_json()}).hyperparameters
    writer = _Writer(RUNGS[rung], design, {**defaults, **hyperparameters}, facts)
    lines = [*writer.likelihood(), *writer.effects(), *writer.priors()]
    return "\\begin{aligned}\n" + " \\\\\n".join(f"{left} &{right}" for left, right in lines) + "\n\\end{aligned}"


def word(name: str) -> str:
    """A name in upright letters."""
    return "\\mathrm{" + name.replace("_", "\\_") + "}"


def normal(mean: str, sd: str) -> str:
    """The right side of a normal prior."""
    return f"\\sim \\mathrm{{Normal}}({mean}, {sd})"


def number(value: float, scale: float = 0.0) -> str:
    """Three significant digits, or as many as show two of `scale`; powers of ten as such."""
    mantissa, _, power = f"{value:.{digits_for(value, scale, 3)}g}".partition("e")
    return f"{mantissa} \\times 10^{{{int(power)}}}" if power else mantissa


def distribution(design: Any) -> tuple[str, str]:
    """The line of the outcome's distribution. design: of a rung or of a formula."""
    latex = design.family.latex
    if design.trials:
        latex = latex.replace("<trials>", f"{word(design.trials)}_i")
    if design.standard_error:
        latex = latex.replace("\\sigma", f"{word(design.standard_error)}_i")
    if design.truncated:
        low, high = (
            infinite if end is None else number(end) for end, infinite in zip(design.truncated, ENDS, strict=True)
        )
        latex += f", \\quad {low} < {word(design.outcome)}_i < {high}"
    if design.censored:
        latex += f", \\quad \\text{{censored as {design.censored} says}}".replace("_", "\\_")
    return f"{word(design.outcome)}_i", f"\\sim {latex}"


@dataclass(frozen=True)
class _Writer:
    """Each method gives lines as pairs: what stands left and right of the sign that lines are
    aligned at."""

    rung: RungType
    design: Design
    prior: Mapping[str, Any]
    facts: Mapping[str, Any] | None

    @property
    def group(self) -> str:
        return self.design.group

    @property
    def pooled(self) -> bool:
        return self.rung.pooling == "complete"

    @property
    def cutpoints(self) -> bool:
        return self.design.family.link.cutpoints

    @property
    def slopes(self) -> Sequence[str]:
        """The predictors whose coefficient differs between members."""
        return self.design.slopes if self.rung.slopes else ()

    def likelihood(self) -> Iterator[tuple[str, str]]:
        design = self.design
        yield distribution(design)
        yield design.family.link.latex, f"= {self._predictor()}"

    def _predictor(self) -> str:
        intercept = [] if self.cutpoints else ["\\alpha"]
        terms = intercept if self.pooled else [self._member("\\alpha", self.group)]
        if self.rung.partial:
            terms += [f"\\delta^{{{word(other)}}}_{{{word(other)}[i]}}" for other in self.design.groups[1:]]
        terms += [self._term(each) for each in self.design.predictors]
        terms += [f"\\beta_{{\\overline{{{word(name)}}}}} {self._mean_of_row(name)}" for name in self._means()]
        if self.design.exposure:
            terms.append(f"\\log({word(self.design.exposure)}_i)")
        if self.design.offset:
            terms.append(f"{word(self.design.offset)}_i")
        return " + ".join(terms) or "0"

    def _member(self, symbol: str, group: str) -> str:
        return f"{symbol}_{{{word(group)}[i]}}"

    def _term(self, predictor: Predictor) -> str:
        name, kind = predictor.name, predictor.kind
        if kind in ("categorical", "ordered"):
            return f"\\beta^{{{word(name)}}}_{{{word(name)}[i]}}"
        if name in self.slopes:
            return f"\\beta^{{{word(name)}}}_{{{word(self.group)}[i]}} {self._value(predictor)}"
        return f"\\beta_{{{word(name)}}} {self._value(predictor)}"

    def _value(self, predictor: Predictor) -> str:
        name = predictor.name
        if predictor.kind != "number" or not self.prior["scaled"]:
            return f"{word(name)}_i"
        return f"({word(name)}_i {self._less(name)})"

    def _means(self) -> list[str]:
        names = [each.name for each in self.design.within] if self.rung.group_means else []
        return [name for name in names if self.facts is None or name in self.facts["means"]]

    def _latent(self) -> list[str]:
        return [name for name in self._means() if name in self.rung.latent(self.design)]

    def _mean_of_row(self, name: str) -> str:
        if name in self._latent():
            mean = f"m^{{{word(name)}}}_{{{word(self.group)}[i]}}"
        else:
            mean = f"\\overline{{{word(name)}}}_{{{word(self.group)}[i]}}"
        measured = self.design.predictor(name).kind == "number"
        return f"({mean} {self._less(name)})" if measured and self.prior["scaled"] else mean

    def effects(self) -> Iterator[tuple[str, str]]:
        """What members of groups have for themselves."""
        for name in self._latent():
            x = word(name)
            yield f"{x}_i", normal(f"m^{{{x}}}_{{{word(self.group)}[i]}}", f"\\omega_{{{x}}}")
            yield f"m^{{{x}}}_j", normal(f"\\mu_{{{x}}}", f"\\tau_{{{x}}}")
        if self.pooled:
            return
        mean = "0" if self.cutpoints else "\\alpha"
        if not self.rung.partial:
            yield "\\alpha_j", self._intercept_prior()
            for name in self.slopes:
                yield f"\\beta^{{{word(name)}}}_j", normal("0", self._coefficient_scale(name, "beta_scale"))
        elif self.slopes:
            yield from self._slope_effects(mean)
        else:
            yield "\\alpha_j", normal(mean, f"\\sigma_{{{word(self.group)}}}")
        if self.rung.partial:
            for other in self.design.groups[1:]:
                yield f"\\delta^{{{word(other)}}}_j", normal("0", f"\\sigma_{{{word(other)}}}")

    def _slope_effects(self, mean: str) -> Iterator[tuple[str, str]]:
        group = word(self.group)
        names = ["\\alpha_j", *(f"\\beta^{{{word(name)}}}_j" for name in self.slopes)]
        means = [mean, *(f"\\beta_{{{word(name)}}}" for name in self.slopes)]
        sds = [f"\\sigma_{{{group}}}", *(f"\\sigma_{{{word(name)}, {group}}}" for name in self.slopes)]
        if not self.prior["correlated"]:
            yield from ((name, normal(at, sd)) for name, at, sd in zip(names, means, sds, strict=True))
            return
        vector, diagonal = f"({', '.join(names)})", f"D = \\mathrm{{diag}}({', '.join(sds)})"
        yield vector, f"\\sim \\mathrm{{Normal}}(({', '.join(means)}), D R D), \\quad {diagonal}"
        yield "R", f"\\sim \\mathrm{{LKJ}}({number(self.prior['correlation_concentration'])})"

    def priors(self) -> Iterator[tuple[str, str]]:
        prior = self.prior
        if not self.cutpoints and self.rung.pooling != "none":
            yield "\\alpha", self._intercept_prior()
        for each in self.design.predictors:
            yield from self._coefficient_prior(each)
        for name in self._means():
            yield f"\\beta_{{\\overline{{{word(name)}}}}}", normal("0", self._coefficient_scale(name, "mean_scale"))
        if self.rung.partial:
            names = [f"\\sigma_{{{word(group)}}}" for group in self.design.groups]
            yield ", ".join(names), self._sd(self._times(prior["group_scale"], self._outcome_scale()))
            for name in self.slopes:
                sd = f"\\sigma_{{{word(name)}, {word(self.group)}}}"
                yield sd, self._sd(self._coefficient_scale(name, "slope_scale"))
        for name in self._latent():
            x, scale = word(name), self._times(prior["predictor_scale"], self._scale(name))
            yield f"\\mu_{{{x}}}", normal(self._location(name), scale)
            yield f"\\tau_{{{x}}}, \\omega_{{{x}}}", self._sd(scale)
        for parameter in self.design.parameters:
            yield parameter.latex, self._own_prior(parameter)

    def _own_prior(self, parameter: Parameter) -> str:
        """The prior of a parameter of the family."""
        names = [name for name, _ in parameter.hyperparameters]
        written = parameter.prior_latex
        if not written:
            return self._sd(self._times(self.prior[names[0]], self._outcome_scale()))
        for name in names:
            written = written.replace(f"<{name}>", number(self.prior[name]))
        return written

    def _coefficient_prior(self, predictor: Predictor) -> Iterator[tuple[str, str]]:
        name, scale = predictor.name, self._coefficient_scale(predictor.name, "beta_scale")
        if predictor.kind == "categorical":
            yield f"\\beta^{{{word(name)}}}", f"\\sim \\mathrm{{ZeroSumNormal}}({scale})"
        elif predictor.kind == "ordered":
            yield f"\\beta^{{{word(name)}}}_k", f"= r_{{{word(name)}}} \\textstyle\\sum_{{l \\le k}} s_l"
            yield f"r_{{{word(name)}}}", normal("0", scale) + ", \\quad s \\sim \\mathrm{Dirichlet}(1, \\dots, 1)"
        elif self.rung.partial or name not in self.slopes:
            yield f"\\beta_{{{word(name)}}}", normal("0", scale)

    def _intercept_prior(self) -> str:
        if self.cutpoints:
            return normal("0", number(self.prior["alpha_scale"]))
        location, at, scale = self._location(None), self.prior["alpha_location"], self._outcome_scale()
        if self.facts is not None:
            own = self.facts["outcome"]
            mean = number(own["location"] + at * own["scale"], own["scale"])
        elif not at:
            mean = location
        else:
            mean = self._times(at, scale) if location == "0" else f"{location} + {self._times(at, scale)}"
        return normal(mean, self._times(self.prior["alpha_scale"], scale))

    def _sd(self, scale: str) -> str:
        """A standard deviation's prior; the exponential one with its mean, not its rate."""
        kind = self.prior["sd_prior"]
        if kind != "exponential":
            return f"\\sim \\mathrm{{{SD_PRIORS[kind]}}}({scale})"
        below = f"({scale})" if " " in scale else scale
        return f"\\sim \\mathrm{{Exponential}}(1 / {below})" if scale != "1" else "\\sim \\mathrm{Exponential}(1)"

    def _coefficient_scale(self, name: str, hyperparameter: str) -> str:
        """The scale of a coefficient: of the outcome, for one standard deviation or step of the
        predictor."""
        above = self._times(self.prior[hyperparameter], self._outcome_scale())
        below = self._scale(name)
        if self.facts is not None:
            return number(
                float(self.prior[hyperparameter]) * self.facts["outcome"]["scale"] / self._fact(name)["scale"]
            )
        return above if below == "1" else f"{above} / {below}"

    def _times(self, factor: float, scale: str) -> str:
        if scale == "1":
            return number(factor)
        if self.facts is not None:
            return number(factor * float(scale))
        return scale if factor == 1 else f"{number(factor)} {scale}"

    def _outcome_scale(self) -> str:
        if self.facts is not None:
            return repr(self.facts["outcome"]["scale"]) if self.facts["outcome"]["scale"] != 1 else "1"
        return "s_y" if self.prior["scaled"] and self.design.family.link == IDENTITY else "1"

    def _location(self, name: str | None) -> str:
        """Location of a predictor, or of the outcome."""
        if self.facts is not None:
            own = self.facts["outcome"] if name is None else self._fact(name)
            return number(own["location"], own["scale"])
        if name is None:
            return "m_y" if self.prior["scaled"] and self.design.family.link.name in ("identity", "log") else "0"
        return f"m_{{{word(name)}}}" if self.prior["scaled"] else "0"

    def _less(self, name: str) -> str:
        """The location of a predictor, subtracted."""
        location = self._location(name)
        return f"+ {location[1:]}" if location.startswith("-") else f"- {location}"

    def _scale(self, name: str) -> str:
        measured = self.design.predictor(name).kind == "number"
        if self.facts is not None:
            return repr(self._fact(name)["scale"]) if self._fact(name)["scale"] != 1 else "1"
        return f"s_{{{word(name)}}}" if self.prior["scaled"] and measured else "1"

    def _fact(self, name: str) -> Mapping[str, float]:
        return self.facts["predictors"][name]
