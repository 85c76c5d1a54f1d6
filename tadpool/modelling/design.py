"""A design: what a model of the ladder is told of a study, and from which what it asks of the data
follows.

The first of the groups is what pooled, unpooled, slopes and group means are about; further ones
have intercepts too where these are partially pooled. A group may be the unit: each row is a member.

No JAX here: the Snakefile's process reads config with it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tadpool.loading.sources import ROLES
from tadpool.modelling.families import Family, Parameter, family

LEVELLED = ("categorical", "ordered")


@dataclass(frozen=True)
class Predictor:
    """A predictor.

    Attributes:
        name: Its name in config.
        kind: number, binary, categorical (`<name>_index` in data.nc, with the dim `<name>`) or
            ordered (counted from 0, with the dim `<name>_level`).
        per: The group whose members have one value each, if the config says so: it has no group
            mean.
        imputed: Whether missing values of it are imputed.
    """

    name: str
    kind: str
    per: str | None = None
    imputed: bool = False

    @property
    def variable(self) -> str:
        """The variable of data.nc that holds it."""
        return f"{self.name}_index" if self.kind == "categorical" else self.name

    @property
    def levels_dim(self) -> str | None:
        """The dim of its levels; None where it has none."""
        return {"categorical": self.name, "ordered": f"{self.name}_level"}.get(self.kind)


@dataclass(frozen=True)
class Design:
    """What a model of the ladder is made of.

    Attributes:
        family: The family of the outcome.
        outcome: The variable that is observed.
        unit: The dim of the rows.
        groups: The groups that are pooled, the first one before further ones.
        predictors: What predicts the outcome.
        slopes: Names of the predictors, numbers or yes/no, whose slope varies by the first group.
        censored: Variable that says how each outcome is censored (`loading.sources.CENSORED`).
        interval_end: Variable with the upper end of each outcome that lies in an interval.
        truncated: Ends between which outcomes are seen at all, either of which may be None.
        group_means: Names of the predictors, numbers or yes/no, whose group means are predictors
            too in the rungs that have these; None stands for all without `per` the first group.
        trials: Variable with the number of trials of each row.
        exposure: Variable with the exposure of each row.
        offset: Variable that is added to the linear predictor.
        standard_error: Variable with the known standard deviation of each row, in place of a common
            one.
    """

    family: Family
    outcome: str
    unit: str
    groups: tuple[str, ...]
    predictors: tuple[Predictor, ...]
    slopes: tuple[str, ...]
    trials: str | None = None
    exposure: str | None = None
    offset: str | None = None
    standard_error: str | None = None
    censored: str | None = None
    interval_end: str | None = None
    truncated: tuple[float | None, float | None] | None = None
    group_means: tuple[str, ...] | None = None

    @classmethod
    def from_json(cls, design: Mapping[str, Any]) -> "Design":
        """The design that `to_json` wrote.

        Raises:
            KeyError: There is no such family.
        """
        lists = {key: tuple(design[key]) for key in ("groups", "slopes")}
        lists |= {key: tuple(design[key]) for key in ("group_means", "truncated") if design.get(key) is not None}
        predictors = tuple(Predictor(**each) for each in design["predictors"])
        return cls(**{**design, **lists, "family": family(design["family"]), "predictors": predictors})

    def to_json(self) -> dict[str, Any]:
        """The design as JSON, which specs of jobs and their files hold."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        lists = {key: list(value) for key, value in plain.items() if isinstance(value, tuple)}
        return {**plain, **lists, "family": self.family.name, "predictors": [asdict(each) for each in self.predictors]}

    @property
    def group(self) -> str:
        """The first group."""
        return self.groups[0]

    @property
    def rows_are_members(self) -> bool:
        """Whether each row is a member of the first group of its own."""
        return self.groups[:1] == (self.unit,)

    @property
    def roles(self) -> dict[str, str]:
        """Role -> the variable that has it."""
        return {role: getattr(self, role) for role in ROLES if getattr(self, role)}

    @property
    def bounded(self) -> bool:
        """Whether outcomes are censored or truncated."""
        return self.censored is not None or self.truncated is not None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the family has beside the linear predictor, nothing where the standard errors of
        rows stand in its place."""
        return () if self.standard_error else self.family.parameters

    @property
    def within(self) -> tuple[Predictor, ...]:
        """The predictors, numbers or yes/no, that have a group mean: those that `group_means`
        names, or else as far as the design says, those that differ within groups."""
        if self.group_means is not None:
            return tuple(each for each in self.predictors if each.name in self.group_means)
        group = self.groups[0] if self.groups else None
        return tuple(
            each
            for each in self.predictors
            if each.kind in ("number", "binary") and (each.per is None or each.per != group)
        )

    def predictor(self, name: str) -> Predictor:
        """The predictor of a name."""
        return next(each for each in self.predictors if each.name == name)
