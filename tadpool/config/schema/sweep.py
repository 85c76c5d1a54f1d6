"""The keys of a sweep."""

from itertools import product
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from tadpool.config.schema.types import Chunks, Distinct, Strict, broken_rule

# Branches of a union, as they stand in the location of an error.
SPACED, LISTED, NAMED, GRID = "(spaced)", "(list)", "(name)", "(grid)"
LARGEST = 10_000


class Spaced(Strict):
    """Equally spaced values, both ends included."""

    from_: float = Field(alias="from", description="First value.", examples=[0.1])
    to: float = Field(description="Last value.", examples=[5.0])
    n: int = Field(ge=2, le=LARGEST, description="Number of values.", examples=[20])
    spacing: Literal["linear", "log"] = Field(
        "linear",
        description="`log` for values with equal ratios, all above 0; the axes of figures are then logarithmic too.",
        examples=["log"],
    )

    @model_validator(mode="after")
    def _differ(self):
        if self.spacing == "log" and min(self.from_, self.to) <= 0:
            what = f"values from {self.from_:g} to {self.to:g} cannot have equal ratios"
            raise broken_rule(what, "give ends above 0 or write `spacing: linear`")
        values = self.values()
        if len(set(values)) < self.n or not all(isfinite(value) for value in values):
            what = f"{self.n} values from {self.from_:g} to {self.to:g} are not distinct, finite numbers"
            raise broken_rule(what, "give ends that differ more")
        return self

    def values(self) -> list[float]:
        """The values, from the first to the last."""
        shares = [i / (self.n - 1) for i in range(self.n - 1)]
        if self.spacing == "log":
            return [self.from_ * (self.to / self.from_) ** share for share in shares] + [self.to]
        step = (self.to - self.from_) / (self.n - 1)
        return [self.from_ + step * i for i in range(self.n - 1)] + [self.to]


def _form(value: Any) -> str | None:
    """The branch of a value that is a text, a list or a mapping."""
    if isinstance(value, (dict, Spaced)):
        return SPACED
    return LISTED if isinstance(value, list) else NAMED if isinstance(value, str) else None


def _axis_form(value: Any) -> str | None:
    form = _form(value)
    return None if form == NAMED else form


def _over_form(value: Any) -> str | None:
    return GRID if isinstance(value, dict) else _form(value)


def _several_form(value: Any) -> str | None:
    """As `_axis_form`; a list whose members are lists is one of points."""
    several = isinstance(value, list) and value and all(isinstance(each, list) for each in value)
    return GRID if several else _axis_form(value)


Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
_ListOfValues = Annotated[list[float], Field(min_length=1), Distinct, Tag(LISTED)]
_WORDS = {"custom_error_type": "values_type", "custom_error_message": "a list or {from, to, n}"}
Values = Annotated[Annotated[Spaced, Tag(SPACED)] | _ListOfValues, Discriminator(_axis_form, **_WORDS)]
Points = Annotated[
    Annotated[Spaced, Tag(SPACED)] | _ListOfValues | Annotated[list[Pair], Tag(GRID)],
    Discriminator(_several_form, **_WORDS),
]
Over = Annotated[
    Annotated[str, Tag(NAMED)]
    | Annotated[list[str], Field(min_length=2, max_length=2), Distinct, Tag(LISTED)]
    | Annotated[dict[str, Values], Field(min_length=2, max_length=2), Tag(GRID)],
    Discriminator(_over_form, custom_error_type="over_type", custom_error_message="a name, two names or a grid"),
]
Site = Annotated[
    Annotated[str, Tag(NAMED)] | Annotated[list[str], Field(min_length=2, max_length=2), Distinct, Tag(LISTED)],
    Discriminator(_form, custom_error_type="site_type", custom_error_message="a name or two names"),
]


class Overlay(Strict):
    """A posterior to show beside a sweep, on the axes of what varies."""

    entry: str = Field(description="Entry whose posterior is shown.", examples=["multilevel"])
    site: Site = Field(
        description="Its parameter that corresponds to what varies; for two, a list in the order of `over`.",
        examples=["sigma"],
    )


class Sweep(Strict):
    """An entry repeated over values of one or two hyperparameters, arguments of the simulator or
    sampler settings."""

    entry: str = Field(description="Entry that is repeated.", examples=["fixed_sigma"])
    over: Over = Field(
        description="What varies. `sigma` is a hyperparameter whose default is a decimal number; `arguments.spread` is "
        "an argument of the study's simulator (each point gets a new data set, simulated from the same random numbers, "
        "with arrays of the same shapes); `sampler.target_accept` is a setting of the sampler (or `sampler.warmup`, "
        "`sampler.max_tree_depth`). Two of them are a grid, each with its values, "
        "`{sigma: {from: 0.1, to: 5.0, n: 8}, sampler.warmup: [200, 1000]}`, or a list of two names, whose points are "
        "listed in `values`.",
        examples=["sigma"],
    )
    values: Points | None = Field(
        None,
        description="For one name its values: a list, or {from, to, n} for equally spaced ones. For two names the points: "
        "a list of pairs, `[[0.5, 1.0], [1.0, 2.0]]`. A grid has its values in `over`.",
        examples=[{"from": 0.1, "to": 5.0, "n": 20}, [0.5, 1.0, 2.0]],
    )
    overlay: Overlay | None = Field(
        None,
        description="A posterior to compare the sweep with.",
        examples=[{"entry": "multilevel", "site": "sigma"}],
    )

    chunks: Chunks = Field(
        "auto",
        description="Number of jobs that split the sweep's fits and its cross-validation refits; the results are the same. "
        "`auto` splits work that is estimated to take more than ten minutes of one core.",
        examples=[4],
    )

    @model_validator(mode="after")
    def _consistent(self):
        pairs = isinstance(self.values, list) and isinstance(self.values[0], list)
        if isinstance(self.over, dict):
            if self.values is not None:
                raise broken_rule("`over` is a grid, which has its own values", "remove `values`")
        elif self.values is None:
            raise broken_rule("values: missing", "add it, for example `values: {from: 0.1, to: 5.0, n: 20}`")
        elif isinstance(self.over, list) and not pairs:
            raise broken_rule(
                "`over` has two names, but `values` has no pairs", "write values: [[0.5, 1.0], [1.0, 2.0]]"
            )
        elif isinstance(self.over, str) and pairs:
            raise broken_rule("`over` has one name, but `values` has pairs", "write over: [first, second]")
        if pairs and len(set(map(tuple, self.values))) < len(self.values):
            raise broken_rule("values: a point is given twice", "give each point once")
        if len(self.points()) > LARGEST:
            raise broken_rule(f"the grid has {len(self.points()):,} points", f"give at most {LARGEST:,}")
        if self.overlay and isinstance(self.overlay.site, str) != isinstance(self.over, str):
            raise broken_rule("overlay.site needs one parameter for each name in `over`", "name as many")
        return self

    def points(self) -> list[float] | list[list[float]]:
        """The values of one name, or a pair of values for each point; in a grid the second name
        varies fastest."""
        if isinstance(self.over, dict):
            return [list(point) for point in product(*map(_listed, self.over.values()))]
        return _listed(self.values)


def _listed(values: Any) -> list:
    return values.values() if isinstance(values, Spaced) else list(values)
