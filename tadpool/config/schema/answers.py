"""The keys of an answer, which is a quantity that answers a study's question, and of a claim of its
sources."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from tadpool.config.schema.types import Distinct, Scalar, Scalars, Strict, Text, broken_rule

KINDS = ("value", "predict", "compare", "rank", "r2")
STATEMENTS = ("above", "below", "within")
PREDICTING = ("over", "by", "outcome", "of", "at_least", "at", "where")
BELONGS = {
    "over": ("predict", "compare"),
    "by": ("predict", "compare"),
    "where": ("compare", "rank"),
    "of": ("predict",),
    "measure": ("compare",),
    "outcome": ("predict", "compare", "rank", "r2"),
    "at_least": ("predict", "compare", "rank"),
    "at": ("predict", "compare", "rank", "r2"),
    "best": ("rank",),
    "top": ("rank",),
}
"""To which kinds of answers a key belongs that not all have."""
NEED_GROUP = "members"


def _change(value: Any) -> Any:
    listed = (
        isinstance(value, list) and len(value) > 1 and all(isinstance(each, (bool, int, float, str)) for each in value)
    )
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (listed or number or value in ("sd", "slope", "levels")):
        raise PydanticCustomError("change_type", "a list of values, a number, sd, slope or levels")
    return value


def _threshold(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise PydanticCustomError("threshold_type", "a number, or an expression of numbers")
    return value


Change = Annotated[
    Any,
    AfterValidator(_change),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "string"}]}},
                {"type": "number"},
                {"enum": ["sd", "slope", "levels"]},
            ]
        }
    ),
]
Threshold = Annotated[
    Any, AfterValidator(_threshold), WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})
]
Measure = Literal["difference", "ratio", "percent", "odds_ratio"]


class Answer(Strict):
    """A quantity that answers the question, from the draws of one entry: exactly one of `value`,
    `predict`, `compare`, `rank` and `r2`."""

    label: Text = Field(description="What it is, in words.", examples=["survival with predators, less without"])
    entry: str = Field(description="Entry whose draws are used.", examples=["predator"])
    value: Text | None = Field(
        None,
        description="An expression in its parameters: names, members in brackets (`lam[5]`, `alpha['ST LOUIS']`), "
        "arithmetic, comparisons, `and`, `or`, `not`, exp, log, sqrt, abs, logistic, logit, and over all members mean, sd, "
        "min, max. A comparison is a statement, whose probability is given. Without a member, one value for each.",
        examples=["exp(beta_predator)", "lam[5] > lam[2]"],
    )
    predict: dict[str, Scalars] | None = Field(
        None,
        description="Expected outcomes where these predictors have these values, `{}` for the data's own.",
        examples=[{"floor": 0}],
    )
    compare: Annotated[dict[str, Change], Field(min_length=1, max_length=1)] | None = Field(
        None,
        description="How expected outcomes change with a predictor: from the first of a list of values to each other one, "
        "`levels` for all its levels, by a number, by one standard deviation (`sd`), or per unit at the values of the data "
        "(`slope`).",
        examples=[{"predators": [0, 1]}, {"days": 1}],
    )
    rank: Text | None = Field(
        None,
        description="Members are ranked: those of a group, by their expected outcomes at typical values of the predictors, "
        "or those of an expression.",
        examples=["location", "lam"],
    )
    r2: Literal["conditional", "marginal"] | None = Field(
        None,
        description="The share of the variance of outcomes that the model explains, with the members' own effects "
        "(`conditional`) or without them (`marginal`).",
        examples=["conditional"],
    )
    over: Literal["observed", "members", "typical", "new", "population"] = Field(
        "observed",
        description="What predictions and comparisons are averaged over: the `observed` rows with their members' effects; "
        "each of the `members` of `group` at typical values; a `typical` member, whose effects are at their mean; one `new` "
        "member, whose effects are drawn; or the `population`, the mean over new members.",
        examples=["population"],
    )
    group: str | None = Field(
        None, description="The group whose members `over` means; by default all groups.", examples=["county"]
    )
    by: str | None = Field(
        None, description="Keep averages over observed rows apart by member of this group.", examples=["county"]
    )
    where: dict[str, Scalars] = Field(
        {}, description="Values of further predictors in a comparison or ranking.", examples=[{"floor": 0}]
    )
    outcome: str | None = Field(None, description="The outcome, by default the study's first.", examples=["y1"])
    at: dict[str, Scalar] = Field(
        {},
        description="Of an outcome with several elements for each row, the one that is meant.",
        examples=[{"item": 0}],
    )
    of: Literal["mean", "outcome"] = Field(
        "mean", description="`outcome` for a single future outcome in place of its mean.", examples=["outcome"]
    )
    at_least: float | None = Field(
        None,
        description="In place of the mean, the share of outcomes that reach this value; those in levels count from 0.",
        examples=[3],
    )
    measure: Measure = Field(
        "difference", description="How a comparison compares: after the change with before.", examples=["odds_ratio"]
    )
    pairs: Measure | None = Field(
        None, description="Compare all pairs of what this gives: of members, the later with the earlier.",
        examples=["difference"],
    )  # fmt: skip
    transform: Literal["exp", "logistic"] | None = Field(
        None, description="Transformation of the draws, such as `exp` of a logarithm.", examples=["exp"]
    )
    above: Threshold | None = Field(None, description="Give the probability of lying above this.", examples=[4])
    below: Threshold | None = Field(None, description="Give the probability of lying below this.", examples=["log(4)"])
    within: Annotated[list[Threshold], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="Give the probability of lying in this range, such as one of practical equivalence.",
        examples=[[-0.1, 0.1]],
    )
    decide: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Decide yes where the probability is above this, else no; and `undecided` where the Monte Carlo error, "
        "priors of half the weight, or another model would change the decision.",
        examples=[0.9],
    )
    best: Literal["highest", "lowest"] = Field("highest", description="Which rank 1 is.", examples=["lowest"])
    top: int = Field(3, ge=1, description="Give the probability of a place among the first `top`.", examples=[5])
    also: Annotated[list[str], Distinct] | None = Field(
        None,
        description="Other entries whose values are shown with it; by default all that have it.",
        examples=[["multilevel"]],
    )
    units: Text | None = Field(None, description="Units of measurement.", examples=["log-odds"])

    @model_validator(mode="after")
    def _one_kind(self) -> "Answer":
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            found = f"{' and '.join(given)} are given" if given else "none of them is given"
            raise broken_rule(found, f"give exactly one of {', '.join(KINDS)}")
        for key, kinds in BELONGS.items():
            if given[0] not in kinds and getattr(self, key) != type(self).model_fields[key].get_default():
                raise broken_rule(
                    f"`{key}` does not belong to `{given[0]}`", f"remove it; it belongs to {', '.join(kinds)}"
                )
        asked = [each for each in STATEMENTS if getattr(self, each) is not None]
        if len(asked) > 1:
            raise broken_rule(f"{' and '.join(asked)} are given", "give one of them")
        if self.over == "members" and self.group is None:
            raise broken_rule("`over: members` does not say of which group", "add `group`")
        if self.by is not None and self.over != "observed":
            raise broken_rule(f"`by` and `over: {self.over}` are given", "remove one of them")
        if self.of == "outcome" and (self.by or self.at_least is not None):
            raise broken_rule("`of: outcome` is given with `by` or `at_least`", "remove one of them")
        states = asked or self.compare is not None or self.pairs or self.value is not None
        if self.decide is not None and not states:
            raise broken_rule("`decide` is given without a statement", "add `above`, `below` or `within`")
        return self

    @property
    def kind(self) -> str:
        """Which of KINDS it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class Claim(Strict):
    """A conclusion of a study's sources, and what is set beside it."""

    says: Text = Field(description="What the source says.", examples=["Odds of survival fall to a sixth."])
    answers: Annotated[list[str], Distinct] = Field(
        [], description="Answers that are shown beside it.", examples=[["odds_ratio"]]
    )
    comparison: str | None = Field(None, description="Comparison whose verdict is shown beside it.", examples=["main"])
    note: Text | None = Field(
        None,
        description="What else must be said, which holds whatever the numbers are.",
        examples=["The source holds out single rows."],
    )

    @model_validator(mode="after")
    def _something_beside_it(self) -> "Claim":
        if not (self.answers or self.comparison or self.note):
            raise broken_rule("nothing is set beside it", "give answers, comparison or note")
        return self
