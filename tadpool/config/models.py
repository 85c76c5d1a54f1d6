"""Every key of config.yaml and of a study file: type, range, default, unit and meaning, in one place."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, create_model

from tadpool import design as designs
from tadpool import thresholds
from tadpool.config.design import Design
from tadpool.config.sweeps import NAMED, Sweep
from tadpool.config.table import Table
from tadpool.config.types import (
    Chunks,
    Distinct,
    EntryName,
    Remedies,
    Scalar,
    Scalars,
    Slug,
    Strict,
    Text,
)
from tadpool.remedies import REMEDIES

# Branches of a union, as they stand in the location of an error.
DESCRIBED, ENTRIES = "(table)", "(entries)"
LADDER = "ladder"


class Sampler(Strict):
    """Settings of the No-U-Turn Sampler."""

    chains: int = Field(
        4,
        ge=2,
        le=1000,
        description="Chains of each fit. R-hat needs at least two; more chains give more draws in the same time on "
        "a machine with many cores.",
        examples=[8],
    )
    warmup: int = Field(
        1000,
        ge=10,
        le=10**7,
        description="Warm-up iterations of each chain, not kept. More where the check says that chains disagree.",
        examples=[2000],
    )
    draws: int = Field(
        1000,
        ge=10,
        le=10**7,
        description="Draws (iterations) kept of each chain. More for a larger effective sample size; fewer for a "
        "quick try.",
        examples=[4000],
    )
    target_accept: float = Field(
        0.8,
        gt=0,
        lt=1,
        description="Acceptance probability that the step size is adapted to. Raise it (0.9 to 0.99) where there are "
        "divergences: smaller steps, longer runs.",
        examples=[0.95],
    )
    max_tree_depth: int = Field(
        10,
        ge=1,
        le=15,
        description="Doublings of a trajectory: it has at most 2^depth - 1 leapfrog steps. Raise it where the check "
        "says that trajectories were cut.",
        examples=[12],
    )
    precision: Literal["float64", "float32"] = Field(
        "float64",
        description="Floating-point numbers of the sampler. float32 is up to twice as fast and less exact.",
        examples=["float32"],
    )
    platform: Literal["cpu", "gpu"] = Field(
        "cpu",
        description="What the chains run on. `gpu` runs many of them side by side, which pays for hundreds of small fits "
        "(sweeps, calibration, cross-validation), and needs the environment of requirements-gpu.lock: `make PLATFORM=gpu`. "
        "Its draws differ from a CPU's, within their Monte Carlo error.",
        examples=["gpu"],
    )


def _optional(model: type[Strict], name: str) -> type[Strict]:
    """The same keys, none of them required and none with a default: what is not said is inherited."""
    fields: dict[str, Any] = {
        key: (
            Annotated[field.annotation, Field(), *field.metadata] | None,
            Field(None, description=field.description, examples=field.examples),
        )
        for key, field in model.model_fields.items()
    }
    return create_model(name, __base__=Strict, __doc__=f"{model.__doc__} What is not said is inherited.", **fields)


SamplerChanges = _optional(Sampler, "SamplerChanges")


def _limit(name: str, description: str, example: float, **bounds: float) -> Any:
    return Field(getattr(thresholds.DEFAULTS, name), description=description, examples=[example], **bounds)


class Verdict(Strict):
    """Thresholds of the check. One that lets through more than its default is said beside the verdict, which never passes."""

    rhat_warn: float = _limit("rhat_warn", "R-hat above which a fit warns.", 1.02, gt=1, le=10)
    rhat_fail: float = _limit("rhat_fail", "R-hat above which it fails.", 1.1, gt=1, le=10)
    ess_warn: float = _limit("ess_warn", "Effective draws for each chain below which it warns.", 400, ge=0)
    ess_fail: float = _limit("ess_fail", "Effective draws for each chain below which it fails.", 100, ge=0)
    diverging_fail: float = _limit(
        "diverging_fail", "Share of divergent transitions above which it fails; any warns.", 0.0, ge=0, le=1
    )
    tree_depth_warn: float = _limit(
        "tree_depth_warn", "Share of trajectories of the largest tree depth above which it warns.", 0.05, ge=0, le=1
    )
    bfmi_warn: float = _limit("bfmi_warn", "E-BFMI of a chain below which it warns.", 0.2, ge=0, le=2)
    bfmi_fail: float = _limit("bfmi_fail", "E-BFMI of a chain below which it fails.", 0.3, ge=0, le=2)


VerdictChanges = _optional(Verdict, "VerdictChanges")


class Quick(Strict):
    """A quick look at everything: short chains, and nothing that fits again. Every page says so."""

    chains: int = Field(2, ge=2, le=1000, description="Most chains of a fit.", examples=[2])
    warmup: int = Field(200, ge=10, le=10**7, description="Most warm-up iterations of a chain.", examples=[200])
    draws: int = Field(200, ge=10, le=10**7, description="Most draws of a chain.", examples=[200])


class Settings(Strict):
    """The run: config/config.yaml, with what --configfile and --config lay over it."""

    seed: int = Field(
        1,
        ge=0,
        lt=2**53,
        description="Seed of the whole run. Another seed gives other draws and other simulated data, which should "
        "change no conclusion.",
        examples=[2],
    )
    studies: Annotated[list[Slug], Distinct] | None = Field(
        None,
        min_length=1,
        description="Studies to run, each the name of a file in config/studies without .yaml. By default all files "
        "in your config/studies, or else the built-in studies.",
        examples=[["reedfrogs", "cookies"]],
    )
    sampler: Sampler = Field(
        default_factory=Sampler,
        description="Sampler settings of all fits, unless a study or an entry says otherwise.",
        examples=[{"draws": 2000}],
    )
    remedies: Remedies = Field(
        "auto",
        description="What is tried where a fit's check finds something, unless a study or an entry says otherwise: "
        "`draws` (twice, then four times as many, the same chains going on), `target_accept` (0.95, then 0.99, with twice "
        "the warm-up, where there are divergences), `reparametrize` (the sites that the model names, where these did not "
        "help). `auto` is all of them. Sweeps get none: their points only warn.",
        examples=[["draws"]],
    )
    verdict: Verdict = Field(
        default_factory=Verdict,
        description="Thresholds of the check, unless a study or an entry says otherwise.",
        examples=[{"ess_warn": 400}],
    )
    refit_budget: float = Field(
        2e9,
        ge=0,
        le=1e18,
        description="What one job may spend on fits without units that PSIS cannot score, or without members of a group: "
        "leapfrog steps x rows of the data; the default takes about a minute of one core. Above it several are left "
        "out at once (K-fold). With 0 no unit is left out, and the report says which scores cannot be trusted.",
        examples=[2e10],
    )
    quick: Quick | None = Field(
        None,
        description="A quick look: fits get no more chains and iterations than stated here, none is repeated, and prior "
        "sensitivity is left out. Meant for a first look, as in config/quick.yaml, not for conclusions.",
        examples=[{"warmup": 200, "draws": 200}],
    )
    compare_with: Text | None = Field(
        None,
        description="Results folder of another run. Every page then says what changed against it: config, data, estimates, "
        "scores and verdicts. Copy `results` before you change something.",
        examples=["../before/results"],
    )
    compile_cache: bool = Field(
        True,
        description="Keep compiled programs between runs, in the temporary directory. Turn it off where that "
        "directory is small or shared.",
        examples=[False],
    )


class Storage(Strict):
    """What fit.nc keeps of the draws. Verdicts and summaries are of all of them."""

    every: int = Field(
        1,
        ge=1,
        le=10_000,
        description="Keep every k-th draw of each chain. What goes on from a fit (scores, predictions, sensitivity, figures) "
        "then has fewer draws, and larger Monte Carlo errors.",
        examples=[4],
    )
    posterior: Literal["float64", "float32"] = Field(
        "float64",
        description="Precision in which the posterior is kept: float32 has seven digits in half the space.",
        examples=["float32"],
    )


class Expect(Strict):
    """A verdict that is known and accepted. Anything worse fails the gate, and so does a better one: then remove it."""

    verdict: Literal["warn", "fail"] = Field(description="Verdict that the entry is known to get.", examples=["fail"])
    because: Text = Field(
        description="Why that is accepted; shown in the report.", examples=["Shows the funnel on purpose."]
    )


class Entry(Strict):
    """A named use of a model in a study."""

    model: Slug = Field(
        description="Name of the model: its file in tadpool/models or in your models/ without .py, or a model of the ladder, "
        "which takes a `design`.",
        examples=["frogs_fixed_sigma"],
    )
    label: Text | None = Field(
        None, description="Name in figures and tables; by default the entry's name.", examples=["sigma = 1"]
    )
    hyperparameters: dict[str, Scalar] = Field(
        {},
        description="Hyperparameters that differ from the model's defaults, which stand in its file. Change a prior "
        "here and keep both entries to see what it does.",
        examples=[{"sigma": 2.0}],
    )
    design: Design | None = Field(
        None,
        description="What this entry, whose model is one of the ladder, has otherwise than the study's `design`.",
        examples=[{"family": "negative_binomial"}],
    )
    sampler: SamplerChanges = Field(
        default_factory=SamplerChanges,
        description="Sampler settings of this entry alone.",
        examples=[{"target_accept": 0.95}],
    )
    remedies: Remedies = Field(
        None,
        description="Remedies of this entry alone. `none` where it shows a failure on purpose.",
        examples=["none"],
    )
    verdict: VerdictChanges = Field(
        default_factory=VerdictChanges, description="Thresholds of this entry's check.", examples=[{"rhat_fail": 1.1}]
    )
    weights: dict[str, str] | None = Field(
        None,
        description="Observation weights of this entry in place of the study's; `{}` for none.",
        examples=[{"survived": "weight"}],
    )
    by: str | None = Field(
        None,
        description="Fit the model to each member of this group alone (no pooling at all), as one batch.",
        examples=["county"],
    )
    returns_prior: dict[str, str | list[Scalar]] = Field(
        {},
        description="Parameters of which the data say nothing, so that they return their prior and are labelled so: a "
        "list of members, or the variable that is 0 or missing for them.",
        examples=[{"w": "applies"}],
    )
    chunks: Chunks = Field(
        "auto",
        description="Jobs that share the chains of its fit (with `by` those of all members) and the fits without something; "
        "the results are the same. `auto` splits what takes more than ten minutes of one core, as estimated.",
        examples=[4],
    )
    expect: Expect | None = Field(
        None,
        description="A known verdict other than pass.",
        examples=[{"verdict": "fail", "because": "Shows the funnel on purpose."}],
    )


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


def _origin(dataset: Any) -> str | None:
    return NAMED if isinstance(dataset, str) else DESCRIBED if isinstance(dataset, (dict, Table)) else None


Dataset = Annotated[
    Annotated[Slug, Tag(NAMED)] | Annotated[Table, Tag(DESCRIBED)],
    Discriminator(_origin, custom_error_type="dataset_type", custom_error_message="a name or a table"),
]


def _models(models: Any) -> str | None:
    return NAMED if isinstance(models, str) else ENTRIES if isinstance(models, dict) else None


Models = Annotated[
    Annotated[Literal["ladder"], Tag(NAMED)] | Annotated[dict[EntryName, Entry], Field(min_length=1), Tag(ENTRIES)],
    Discriminator(_models, custom_error_type="models_type", custom_error_message="ladder or entries"),
]


class Study(Strict):
    """One question about one dataset: config/studies/<name>.yaml."""

    title: Text = Field(description="Title of the page.", examples=["Reed frog survival"])
    question: Text = Field(description="The question that the study answers.", examples=["How much do tanks differ?"])
    dataset: Dataset = Field(
        description="Name of the dataset: its file in tadpool/datasets or in your datasets/ without .py. Or the keys of a "
        "table, see below.",
        examples=["reedfrogs", {"table": "data/cookies.csv", "columns": {"chips": {"kind": "count"}}}],
    )
    arguments: dict[str, Scalar] = Field(
        {},
        description="Arguments of the dataset's load or simulate function that differ from its defaults.",
        examples=[{"customers": 500}],
    )
    outcomes: Annotated[list[str], Distinct] = Field(
        min_length=1,
        description="Observed variables that are predicted, held out and compared.",
        examples=[["survived"]],
    )
    unit: str = Field(description="Dimension of one prediction: log likelihoods are summed to it.", examples=["tank"])
    only_where: dict[str, str] = Field(
        {},
        description="Outcomes that count only where another variable is 1: elsewhere they are not scored, and are "
        "predicted to be 0.",
        examples=[{"y1": "y0"}],
    )
    weights: dict[str, str] = Field(
        {},
        description="Observation weights: outcome -> variable of the data, numbers of at least 0. The log likelihood of each "
        "observation is multiplied by its weight, in fits and in all scores. Predictions are of single observations.",
        examples=[{"survived": "weight"}],
    )
    groups: Annotated[list[str], Distinct] = Field([], description="Grouping dimensions.", examples=[["tank"]])
    leave_out: dict[str, LeaveOut] = Field(
        {},
        description="How members of a group are left out: group -> how many, in how many fits.",
        examples=[{"participant": {"members": 30, "folds": 3}}],
    )
    refit_budget: float | None = Field(
        None, ge=0, le=1e18, description="The run's `refit_budget` for this study.", examples=[2e10]
    )
    sampler: SamplerChanges = Field(
        default_factory=SamplerChanges, description="Sampler settings of this study.", examples=[{"target_accept": 0.9}]
    )
    remedies: Remedies = Field(None, description="Remedies of this study.", examples=["auto"])
    verdict: VerdictChanges = Field(
        default_factory=VerdictChanges, description="Thresholds of this study's checks.", examples=[{"ess_warn": 400}]
    )
    storage: Storage = Field(
        default_factory=Storage,
        description="What the files of fits and sweeps keep of the draws; by default all.",
        examples=[{"every": 4, "posterior": "float32"}],
    )
    models: Models = Field(
        description="Entries: name -> model and hyperparameters. A variant of a model is another entry. Or `ladder`: all "
        "built-in models that apply, from complete pooling to none, with comparisons for old and new groups, a prediction for "
        "a new group and figures, to which yours are added.",
        examples=[
            {"multilevel": {"model": "frogs_multilevel"}, "fixed_sigma": {"model": "frogs_fixed_sigma"}},
            "ladder",
        ],
    )
    design: Design | None = Field(
        None,
        description="What the models of the ladder are made of, where it is not or not rightly inferred.",
        examples=[{"family": "normal", "predictors": {"floor": "binary"}}],
    )
    sweeps: dict[Slug, Sweep] = Field(
        {},
        description="Sweeps: name -> entry, what varies and its values. To see how much a fixed choice matters.",
        examples=[{"sigma": {"entry": "fixed_sigma", "over": "sigma", "values": {"from": 0.1, "to": 5.0, "n": 20}}}],
    )
    comparisons: dict[Slug, Comparison] = Field(
        {},
        description="Comparisons: name -> entries and target.",
        examples=[{"main": {"entries": ["multilevel", "fixed_sigma"]}}],
    )
    predictions: dict[Slug, Prediction] = Field(
        {},
        description="Predictions: entry -> new member of a group, or rows.",
        examples=[{"multilevel": {"group": "tank"}}],
    )
    estimands: list[Estimand] = Field(
        [],
        description="Quantities that answer the question: their posterior means and intervals stand beside it.",
        examples=[[{"label": "standard deviation between tanks", "entry": "multilevel", "site": "sigma"}]],
    )
    sensitivity: bool = Field(
        True,
        description="Say of every fit how far its priors move it, by power-scaling. Turn it off to save time.",
        examples=[False],
    )
    calibration: dict[Slug, Calibration] = Field(
        {},
        description="Simulation-based calibrations: name -> entry and number of simulations. To see whether an entry's "
        "sampler and likelihood do what its model says.",
        examples=[{"multilevel": {"entry": "multilevel", "simulations": 200}}],
    )
    recovery: dict[Slug, Recovery] = Field(
        {},
        description="Recovery studies of a simulated dataset: name -> entries, grid of arguments and parameters.",
        examples=[{"grid": {"entries": ["mundlak"], "over": {"confound_scale": [0.0, 1.5]}, "sites": ["beta_XY"]}}],
    )
    figures: dict[Slug, Figure] = Field(
        {},
        description="Figures of the study's own story: name -> kind, caption and options.",
        examples=[{"causes": {"kind": "causal_graph", "caption": "Look for S.", "edges": ["T -> S"]}}],
    )
    references: list[Text] = Field(
        [],
        description="Sources, shown at the end of the page.",
        examples=[["Vonesh and Bolker (2005), Ecology 86:1580-1591"]],
    )

    def source(self) -> str | dict[str, Any]:
        """The dataset as jobs are told of it: its name, or the table's description with the dim of its rows."""
        return self.dataset if isinstance(self.dataset, str) else {**self.dataset.model_dump(), "unit": self.unit}

    def reference(self, entry: str) -> str | dict[str, Any]:
        """What jobs are told of an entry's model (`tadpool.design`)."""
        used = {"models": {entry: {"model", "design"}}, "dataset": True, "outcomes": True, "unit": True}
        return designs.weighted(designs.reference(self.model_dump(include=used), entry), self.weights_of(entry))

    def weights_of(self, entry: str) -> dict[str, str]:
        """The entry's observation weights, or the study's."""
        own = self.models[entry].weights
        return self.weights if own is None else own

    def quickened(self) -> "Study":
        """The study without what fits again and without prior sensitivity: nothing is left out, calibrated or recovered."""
        comparisons = {name: each for name, each in self.comparisons.items() if not self.leaves_out(each.target)}
        left_out = {"refit_budget": 0.0, "calibration": {}, "recovery": {}, "sensitivity": False}
        return self.model_copy(update={"comparisons": comparisons, **left_out})

    def leaves_out(self, target: str) -> bool:
        """Whether a comparison's target takes fits without members of a group; a unit that is a group of its own does not."""
        return target not in ("unit", self.unit)


class Config(Strict):
    """Everything that is configured: settings and, by name, the studies to run."""

    settings: Settings
    studies: dict[str, Study]

    def sampler(self, study: str, entry: str, *further: SamplerChanges) -> Sampler:
        """The entry's sampler: `further` changes over its own settings over the study's over the run's."""
        changes = [self.studies[study].sampler, self.studies[study].models[entry].sampler, *further]
        update = {key: value for change in changes for key, value in change.model_dump(exclude_none=True).items()}
        chosen = self.settings.sampler.model_copy(update=update)
        if self.settings.quick is None:
            return chosen
        most = self.settings.quick.model_dump()
        return chosen.model_copy(update={key: min(getattr(chosen, key), limit) for key, limit in most.items()})

    def thresholds(self, study: str, entry: str) -> dict[str, float]:
        """Thresholds of the entry's check that are not the defaults: its own over the study's over the run's."""
        given = (self.settings.verdict, self.studies[study].verdict, self.studies[study].models[entry].verdict)
        return thresholds.changed({k: v for each in given for k, v in each.model_dump(exclude_none=True).items()})

    def remedies(self, study: str, entry: str) -> list[str]:
        """What may be tried for the entry: as it says, else as the study, else as the run; nothing in a quick look."""
        if self.settings.quick:
            return []
        chosen = self.studies[study]
        said = (chosen.models[entry].remedies, chosen.remedies, self.settings.remedies)
        found = next(each for each in said if each is not None)
        return [name for name in REMEDIES if found == "auto" or (found != "none" and name in found)]

    def refit_budget(self, study: str) -> float:
        """The study's own budget, or the run's."""
        own = self.studies[study].refit_budget
        return self.settings.refit_budget if own is None else own
