"""A formula's design: what a model that is a formula is told of a study.

No JAX here: the Snakefile's process reads config with it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tadpool.loading.sources import ROLES
from tadpool.modelling.design import Predictor
from tadpool.modelling.families import Family, Parameter, family


def imputation_of(predictor: str) -> str:
    """What names of parameters of the model of an imputed predictor have after `beta_` and the
    like; its imputed values have this name."""
    return f"imputed_{predictor}"


def missing_of(predictor: str) -> str:
    """The dim of the missing values of an imputed predictor."""
    return f"missing_{predictor}"


@dataclass(frozen=True)
class PriorChoice:
    """A prior of a formula, without its numbers, which are hyperparameters.

    Attributes:
        of: The class of parameters that has it, or one term or group term.
        kind: Name of the distribution.
        numbers: Names of its hyperparameters, in the order of its arguments.
    """

    of: str
    kind: str
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class FormulaDesign:
    """What a formula is made of.

    Attributes:
        formula: The formula.
        family: The family of the outcome.
        outcome: The variable that is observed.
        unit: The dim of the rows.
        groups: Every column that names the members of a group term.
        predictors: Every column that its terms look at.
        parameters_of: Further parameters of the family with a formula of their own.
        priors: The prior of each class of parameters, and of terms that have one of their own.
        prior_numbers: Hyperparameters of priors with their values.
        unpooled: Whether effects of members have nothing in common: each has the prior of the
            intercept or of a coefficient.
        trials, exposure, offset, standard_error, censored, interval_end, truncated: As in
            `tadpool.modelling.design.Design`.
    """

    formula: str
    family: Family
    outcome: str
    unit: str
    groups: tuple[str, ...]
    predictors: tuple[Predictor, ...]
    parameters_of: tuple[tuple[str, str], ...] = ()
    priors: tuple[PriorChoice, ...] = ()
    prior_numbers: tuple[tuple[str, float], ...] = ()
    unpooled: bool = False
    trials: str | None = None
    exposure: str | None = None
    offset: str | None = None
    standard_error: str | None = None
    censored: str | None = None
    interval_end: str | None = None
    truncated: tuple[float | None, float | None] | None = None

    @classmethod
    def from_json(cls, design: Mapping[str, Any]) -> "FormulaDesign":
        """The design that `to_json` wrote.

        Raises:
            KeyError: There is no such family.
        """
        made = {
            "family": family(design["family"]),
            "groups": tuple(design["groups"] or ()),
            "predictors": tuple(Predictor(**each) for each in design["predictors"]),
            "parameters_of": tuple(design["parameters_of"].items()),
            "priors": tuple(PriorChoice(each["of"], each["kind"], tuple(each["numbers"])) for each in design["priors"]),
            "prior_numbers": tuple(design["prior_numbers"].items()),
        }
        made |= {"truncated": tuple(design["truncated"])} if design.get("truncated") is not None else {}
        return cls(**{**design, **made})

    def to_json(self) -> dict[str, Any]:
        """The design as JSON, which specs of jobs and their files hold."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        made = {
            "family": self.family.name,
            "groups": list(self.groups),
            "predictors": [asdict(each) for each in self.predictors],
            "parameters_of": dict(self.parameters_of),
            "priors": [{**asdict(each), "numbers": list(each.numbers)} for each in self.priors],
            "prior_numbers": dict(self.prior_numbers),
        }
        return {**plain, **made}

    @property
    def written(self) -> str:
        """The formula, the family, and formulas of further parameters, in a line."""
        parts = [self.formula, f"family {self.family.name}", *(f"{n} {text}" for n, text in self.parameters_of)]
        return "; ".join([*parts, *(["members are not pooled"] if self.unpooled else [])])

    @property
    def roles(self) -> dict[str, str]:
        """Role -> the variable that has it."""
        return {role: getattr(self, role) for role in ROLES if getattr(self, role, None)}

    @property
    def bounded(self) -> bool:
        """Whether outcomes are censored or truncated."""
        return self.censored is not None or self.truncated is not None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the family has beside the linear predictor as one number each: nothing where the
        standard errors of rows or a formula stand in its place."""
        replaced = {name for name, _ in self.parameters_of}
        own = () if self.standard_error else self.family.parameters
        return tuple(each for each in own if each.own not in replaced)

    @property
    def imputed(self) -> tuple[str, ...]:
        """Names of the predictors whose missing values are imputed, if there are any."""
        return tuple(each.name for each in self.predictors if each.imputed)

    def predictor(self, name: str) -> Predictor:
        """The predictor of a name."""
        return next(each for each in self.predictors if each.name == name)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of the dataset that it needs, without the outcome."""
        needed = [each.variable for each in self.predictors]
        needed += [f"{group}_index" for group in self.groups if group != self.unit]
        return tuple(dict.fromkeys([*needed, *self.roles.values()]))

    @property
    def hyperparameters(self) -> dict[str, float]:
        """Numbers of its priors and of its family's, with their defaults."""
        own = {key: value for parameter in self.parameters for key, value in parameter.hyperparameters}
        return {**dict(self.prior_numbers), **own}
