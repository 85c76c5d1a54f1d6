"""The keys of a design: what the models of the ladder are told of a study."""

from collections.abc import Iterable
from itertools import groupby
from textwrap import indent
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from tadpool.config.schema.types import Distinct, Strict, broken_rule
from tadpool.modelling.families import FAMILIES
from tadpool.modelling.rungs import RUNGS

# Branches of the union, as they stand in the location of an error.
NAMES, KINDS = "(names)", "(kinds)"
BOUNDED = [name for name, family in FAMILIES.items() if family.bounded]

Kind = Literal["number", "binary", "categorical", "ordered"]


def _form(predictors: Any) -> str | None:
    return KINDS if isinstance(predictors, dict) else NAMES if isinstance(predictors, list) else None


Predictors = Annotated[
    Annotated[list[str], Distinct, Tag(NAMES)] | Annotated[dict[str, Kind], Tag(KINDS)],
    Discriminator(_form, custom_error_type="predictors_type", custom_error_message="a list or {name: kind}"),
]


def _families() -> str:
    """The table of families, in which those that differ in neither outcomes nor mean share a
    line."""
    rows = groupby(FAMILIES.values(), lambda each: (each.outcomes, each.mean))
    lines = [f"| {_codes(each.name for each in alike)} | {outcomes} | {mean} |" for (outcomes, mean), alike in rows]
    return "\n".join(["| family | outcome | its mean is |", "|---|---|---|", *lines])


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


class Truncation(Strict):
    """Between which numbers outcomes are seen at all: rows beyond are missing from the table."""

    lower: float | None = Field(None, description="Smallest outcome that is seen.", examples=[0])
    upper: float | None = Field(None, description="Largest outcome that is seen.", examples=[100])

    @model_validator(mode="after")
    def _ordered(self) -> "Truncation":
        if self.lower is None and self.upper is None:
            raise broken_rule("it has no end", "give `lower`, `upper` or both")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise broken_rule(f"lower ({self.lower:g}) is not below upper ({self.upper:g})", "swap them")
        return self


class Design(Strict):  # noqa: D101 (its docstring holds the table of families)
    __doc__ = f"""What models of the ladder are made of: {_codes(RUNGS)}.

    With a described table all of it is inferred, and a key here replaces what was. With a dataset file `family` is needed, and
    `predictors`, `trials` and the like where there are any. The outcome is the study's only one.

{indent(_families(), "    ")}
    """

    family: Literal[*FAMILIES] | None = Field(
        None,
        description="Distribution of the outcome. Of a described table by the kind of the outcome: `number` and `integer` "
        "normal, `count` poisson or, with trials, binomial, `binary` bernoulli, `ordered` ordered.",
        examples=["negative_binomial"],
    )
    groups: Annotated[list[str], Distinct] | None = Field(
        None,
        min_length=1,
        description="Groups that are pooled, by default the study's. The first is what the rungs differ in; each further one "
        "gets intercepts of its own where they are partially pooled.",
        examples=[["county"]],
    )
    predictors: Predictors | None = Field(
        None,
        description="Predictors: of a described table their names, by default all columns of kind number, integer, binary, "
        "categorical or ordered that have no other role; of a dataset file name -> number, binary, categorical or ordered.",
        examples=[{"floor": "binary"}, ["floor"]],
    )
    slopes: Annotated[list[str], Distinct] | None = Field(
        None,
        description="Predictors whose slopes differ between members of the first group. By default none or, with `models: "
        "ladder`, all of kind number and binary that have not one value `per` member of a group.",
        examples=[["floor"]],
    )
    group_means: Annotated[list[str], Distinct] | None = Field(
        None,
        description="Predictors, numbers or yes/no, whose mean in each member of the first group is a predictor too in "
        "`mundlak` and `latent_mundlak`. By default all whose values differ within members and whose means differ between "
        "them.",
        examples=[["floor"]],
    )
    trials: str | None = Field(
        None,
        description="Variable with the number of trials of a binomial outcome; by default the outcome's column says it.",
        examples=["density"],
    )
    exposure: str | None = Field(
        None, description="Variable with the exposure of a count; by default likewise.", examples=["hours"]
    )
    offset: str | None = Field(
        None, description="Variable that is added to the linear predictor; by default likewise.", examples=["log_hours"]
    )
    standard_error: str | None = Field(
        None,
        description="Variable with the known standard deviation of each row's outcome, of the family normal; by default "
        "likewise.",
        examples=["stderr"],
    )
    censored: str | None = Field(
        None,
        description="Variable that says how each row's outcome is censored: -1 (left), 0 (not), 1 (right) or 2 (interval); by "
        f"default likewise. Of the families {', '.join(BOUNDED)}.",
        examples=["status"],
    )
    interval_end: str | None = Field(
        None,
        description="Variable with the upper end of each interval-censored outcome, whose lower end the outcome is; by default "
        "likewise.",
        examples=["last_seen"],
    )
    truncated: Truncation | None = Field(
        None,
        description="Ends of truncation, of the same families: outcomes beyond them have no rows.",
        examples=[{"lower": 0}],
    )
