"""The keys of a study's analyses of its fits: type, range, default, unit and meaning."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from tadpool.config.schema.run import SamplerChanges
from tadpool.config.schema.types import Chunks, Distinct, Scalar, Scalars, Slug, Strict, Text


class Comparison(Strict):
    """Entries ranked by how well they predict."""

    entries: Annotated[list[str], Distinct] = Field(
        min_length=1,
        description="Entries to compare; one alone is scored on the target, and has no other to differ from.",
        examples=[["multilevel", "fixed_sigma"]],
    )
    target: str = Field(
        "unit",
        description="What is predicted: `unit` (a held-out row), or a group (a new member of it, with all its rows).",
        examples=["county"],
    )
    rank_failed: bool = Field(
        False,
        description="Rank entries whose fit failed too, and show the verdict beside the rank. By default they are shown "
        "without a rank.",
        examples=[True],
    )


class LeaveOut(Strict):
    """How members of a group are held out where a comparison has the group as its target."""

    members: int | None = Field(
        None,
        ge=2,
        description="How many members are held out, chosen at random, the same for every entry. By default all.",
        examples=[30],
    )
    folds: int | None = Field(
        None,
        ge=2,
        description="In how many refits: each holds out several members and scores them one by one. By default one refit "
        "for each member or, above `refit_budget`, as many as that allows.",
        examples=[3],
    )


class Prediction(Strict):
    """Predictions of a fitted entry, for a new member of a group or at given rows."""

    group: str | None = Field(
        None,
        description="Grouping dimension that gets a new member. Without it the rows belong to existing members.",
        examples=["location"],
    )
    label: Text | None = Field(
        None, description="Name of the new member in figures; by default `new <group>`.", examples=["new bakery"]
    )
    rows: list[dict[str, Scalars]] = Field(
        [],
        description="Rows to predict: values of the model's other variables (a list where a variable has more dims) and "
        "labels of groups. By default one row, which is enough where the model has no other variables. In a model of the "
        "ladder a predictor that a row omits is set to the median, or the most frequent category, of the data.",
        examples=[[{"floor": 0}, {"floor": 1}]],
    )


class Calibration(Strict):
    """Simulation-based calibration: fits to data simulated from the entry's prior, with ranks of
    the true values."""

    entry: str = Field(description="Entry that is calibrated.", examples=["multilevel"])
    hyperparameters: dict[str, Scalar] = Field(
        {},
        description="Hyperparameters that differ from the entry's, such as another parametrization of the same model.",
        examples=[{"centred": False}],
    )
    simulations: int = Field(
        200,
        ge=20,
        le=100_000,
        description="Number of simulated data sets. With 200 the power to detect a posterior that is 20 % too wide is "
        "about 80 %, with 500 nearly 100 %.",
        examples=[500],
    )
    sampler: SamplerChanges = Field(
        default_factory=SamplerChanges,
        description="Sampler settings that differ from the entry's: short runs are enough, since ranks use 100 draws.",
        examples=[{"warmup": 500, "draws": 500}],
    )
    chunks: Chunks = Field(
        "auto",
        description="Number of jobs that split the simulations; the results are the same. `auto` splits work that is "
        "estimated to take more than ten minutes of one core.",
        examples=[8],
    )


class Recovery(Strict):
    """A recovery study: which entries recover the true values, over a grid of arguments of the
    dataset's simulator?"""

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
        20, ge=2, le=10_000, description="Simulated data sets in each cell of the grid.", examples=[100]
    )
    sites: Annotated[list[str], Distinct] = Field(
        min_length=1, description="Parameters to compare with their true values.", examples=[["beta_XY"]]
    )
    sampler: SamplerChanges = Field(
        default_factory=SamplerChanges,
        description="Sampler settings that differ from the entry's.",
        examples=[{"chains": 2, "warmup": 500, "draws": 500}],
    )
    chunks: Chunks = Field(
        "auto", description="Number of jobs that split the fits of an entry, as in `calibration`.", examples=[8]
    )


class Figure(Strict):
    """A figure beyond the standard ones, for what the study is about; further keys are options of
    its kind."""

    model_config = ConfigDict(extra="allow")

    kind: Slug = Field(
        description="Kind of figure: its file in tadpool/figures without .py.", examples=["causal_graph"]
    )
    caption: Text = Field(
        description="What to look for, in one to three sentences.",
        examples=["Look for arrows that end in the outcome."],
    )

    def options(self) -> dict[str, Any]:
        """The further keys: options of the kind of figure."""
        return dict(self.model_extra or {})
