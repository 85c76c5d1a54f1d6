"""Every key of what a study does with its fits: type, range, default, unit and meaning."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from tadpool.config.schema.run import SamplerChanges
from tadpool.config.schema.types import Chunks, Distinct, Scalar, Scalars, Slug, Strict, Text


class Comparison(Strict):
    """Entries ranked by how well they predict."""

    entries: Annotated[list[str], Distinct] = Field(
        min_length=2, description="Entries to compare.", examples=[["multilevel", "fixed_sigma"]]
    )
    target: str = Field(
        "unit",
        description="What is predicted: unit (a row that was left out) or a group (a new member of it, all its rows "
        "at once).",
        examples=["county"],
    )
    rank_failed: bool = Field(
        False,
        description="Rank entries whose fit failed its check too, with the verdict beside the rank. By default they are "
        "shown without a rank.",
        examples=[True],
    )


class LeaveOut(Strict):
    """How the members of a group are left out where a comparison has the group as its target."""

    members: int | None = Field(
        None,
        ge=2,
        description="How many members are left out, chosen at random, the same for every entry. By default all.",
        examples=[30],
    )
    folds: int | None = Field(
        None,
        ge=2,
        description="In how many fits: each leaves out several members and scores them one by one. By default one fit "
        "for each member or, above `refit_budget`, as many as that allows.",
        examples=[3],
    )


class Prediction(Strict):
    """Predictions of a fitted entry, for a new member of a group or at stated rows."""

    group: str | None = Field(
        None,
        description="Grouping dimension that gets a new member. Without it the rows are of existing members.",
        examples=["location"],
    )
    label: Text | None = Field(
        None, description="Name of the new member in figures; by default `new <group>`.", examples=["new bakery"]
    )
    rows: list[dict[str, Scalars]] = Field(
        [],
        description="Rows to predict: values of the model's other variables, a list where a variable has more dims, "
        "and the labels of groups. By default one row, which is enough where the model has no others. In a model of the ladder "
        "what a row does not say is the median, or the most frequent category, of the data.",
        examples=[[{"floor": 0}, {"floor": 1}]],
    )


class Estimand(Strict):
    """A quantity that answers the question, shown beside it: a parameter or a prediction of one entry, with its interval."""

    label: Text = Field(description="What it is, in words.", examples=["standard deviation between tanks"])
    entry: str = Field(description="Entry whose draws are used.", examples=["multilevel"])
    site: str = Field(description="Its parameter, or an outcome where `group` is predictions.", examples=["sigma"])
    at: dict[str, Scalar] = Field(
        {},
        description="Where the site has dims: the label of the member of each.",
        examples=[{"tank": 3}],
    )
    group: Literal["posterior", "predictions"] = Field(
        "posterior",
        description="`predictions` for what the study's `predictions` of the entry say.",
        examples=["predictions"],
    )
    scale: Literal["exp", "logistic"] | None = Field(
        None,
        description="Function that is shown of it: `exp` of a log, an odds ratio for example, `logistic` of log-odds.",
        examples=["exp"],
    )
    units: Text | None = Field(None, description="Its units of measurement.", examples=["log-odds"])


class Calibration(Strict):
    """Simulation-based calibration of an entry: data simulated from its own prior are fitted, and the truth is ranked."""

    entry: str = Field(description="Entry that is calibrated.", examples=["multilevel"])
    hyperparameters: dict[str, Scalar] = Field(
        {},
        description="Hyperparameters that differ from the entry's, such as another form of the same model.",
        examples=[{"centred": False}],
    )
    simulations: int = Field(
        200,
        ge=20,
        le=100_000,
        description="Simulated data sets. With 200 a posterior that is a fifth too wide is found four times in five, with 500 "
        "practically always.",
        examples=[500],
    )
    sampler: SamplerChanges = Field(
        default_factory=SamplerChanges,
        description="Sampler settings that differ from the entry's: shorter runs are enough to rank 100 draws.",
        examples=[{"warmup": 500, "draws": 500}],
    )
    chunks: Chunks = Field(
        "auto",
        description="Jobs that share the simulations; the results are the same. `auto` splits what takes more than ten "
        "minutes of one core, as estimated.",
        examples=[8],
    )


class Recovery(Strict):
    """Data simulated over a grid of arguments of the dataset's simulator: which entries find the true values where?"""

    entries: Annotated[list[str], Distinct] = Field(
        min_length=1, description="Entries that are fitted.", examples=[["multilevel", "mundlak"]]
    )
    over: dict[str, Annotated[list[Scalar], Field(min_length=1), Distinct]] = Field(
        min_length=1,
        max_length=2,
        description="One or two arguments of the simulator, each with its values.",
        examples=[{"confound_scale": [0.0, 1.5], "groups": [10, 30]}],
    )
    replicates: int = Field(
        20, ge=2, le=10_000, description="Simulated data sets of each cell of the grid.", examples=[100]
    )
    sites: Annotated[list[str], Distinct] = Field(
        min_length=1, description="Parameters whose true values are looked for.", examples=[["beta_XY"]]
    )
    sampler: SamplerChanges = Field(
        default_factory=SamplerChanges,
        description="Sampler settings that differ from the entry's.",
        examples=[{"chains": 2, "warmup": 500, "draws": 500}],
    )
    chunks: Chunks = Field(
        "auto", description="Jobs that share the fits of an entry, as in `calibration`.", examples=[8]
    )


class Figure(Strict):
    """A figure of the study's own story, beyond the standard ones; further keys are options of its kind."""

    model_config = ConfigDict(extra="allow")

    kind: Slug = Field(
        description="Kind of figure: its file in tadpool/figures without .py.", examples=["causal_graph"]
    )
    caption: Text = Field(
        description="What to look for, in one to three sentences.",
        examples=["Look for arrows that end in the outcome."],
    )

    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})
