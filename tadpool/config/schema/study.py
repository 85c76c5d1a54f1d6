"""Every key of a study file: type, range, default, unit and meaning, in one place."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from tadpool.config.schema.analyses import Calibration, Comparison, Figure, LeaveOut, Prediction, Recovery
from tadpool.config.schema.answers import Answer, Claim
from tadpool.config.schema.design import Design
from tadpool.config.schema.run import Sampler, SamplerChanges, Settings, Storage, VerdictChanges
from tadpool.config.schema.sweep import NAMED, Sweep
from tadpool.config.schema.table import Dim, Table
from tadpool.config.schema.types import Chunks, Distinct, EntryName, Remedies, Scalar, Slug, Strict, Text
from tadpool.convergence.diagnostics import changed
from tadpool.convergence.remedies import REMEDIES
from tadpool.modelling import references as model_references
from tadpool.modelling.families import FAMILIES

# Branches of a union, as they stand in the location of an error.
DESCRIBED, ENTRIES = "(table)", "(entries)"
LADDER = "ladder"


class Expect(Strict):
    """A verdict that is expected and accepted. A worse one fails the gate, and so does a better
    one: then remove this key."""

    verdict: Literal["warn", "fail"] = Field(description="The expected verdict.", examples=["fail"])
    because: Text = Field(
        description="Why it is accepted; shown in the report.", examples=["Shows the funnel on purpose."]
    )


class Entry(Strict):
    """A named use of a model in a study: of a file (`model`), or of a formula."""

    model: Slug | None = Field(
        None,
        description="Name of the model: its file in tadpool/models or in your models/, without .py; or a model of the "
        "ladder, which takes a `design`.",
        examples=["frogs_fixed_sigma"],
    )
    formula: Text | None = Field(
        None,
        description="A formula in place of a model's file, as in lme4, brms and bambi: interactions, transforms, `poly`, "
        "`bs`, smooths `s(x)`, `offset(log(days))`, group terms `(days | subject)`, `(days || subject)`, `(1 | a/b)`.",
        examples=["reaction ~ days + (days | subject)"],
    )
    family: Literal[*FAMILIES] | None = Field(
        None,
        description="Family of a formula's outcome; by default as in a `design`.",
        examples=["negative_binomial"],
    )
    parameters: dict[str, Text] = Field(
        {},
        description="Formulas of further parameters of the family, on the scale of their link (log, or logit of a share).",
        examples=[{"sigma": "~ floor"}],
    )
    priors: dict[str, Text] = Field(
        {},
        description="Priors of a formula, by class of parameters (`intercept`, `coefficients`, `sd`, `cor`), in multiples of "
        "the standard deviations of the outcome and of the predictor; or of one term, in their own units. Each number of a "
        "prior is a hyperparameter, such as `coefficients_scale`.",
        examples=[{"coefficients": "normal(0, 1)", "days": "normal(10, 5)", "sd": "exponential(1)", "cor": "lkj(2)"}],
    )
    pooling: Literal["partial", "none"] = Field(
        "partial",
        description="Whether the members of a formula's group have a common distribution, whose standard deviation is "
        "estimated; with `none` each has the prior of the intercept, or of a coefficient, for itself.",
        examples=["none"],
    )
    label: Text | None = Field(
        None, description="Name in figures and tables; by default the entry's name.", examples=["sigma = 1"]
    )
    hyperparameters: dict[str, Scalar] = Field(
        {},
        description="Hyperparameters that differ from the defaults in the model's file. To see what a prior does, keep the "
        "entry and add another with a different prior.",
        examples=[{"sigma": 2.0}],
    )
    design: Design | None = Field(
        None,
        description="For a model of the ladder, or a formula: keys that differ from the study's `design`.",
        examples=[{"family": "negative_binomial"}],
    )
    sampler: SamplerChanges = Field(
        default_factory=SamplerChanges,
        description="Sampler settings of this entry.",
        examples=[{"target_accept": 0.95}],
    )
    remedies: Remedies = Field(
        None,
        description="Remedies of this entry; `none` where it shows a failure on purpose.",
        examples=["none"],
    )
    verdict: VerdictChanges = Field(
        default_factory=VerdictChanges, description="Thresholds of this entry's verdict.", examples=[{"rhat_fail": 1.1}]
    )
    weights: dict[str, str] | None = Field(
        None,
        description="Observation weights of this entry instead of the study's; `{}` for none.",
        examples=[{"survived": "weight"}],
    )
    by: str | None = Field(
        None,
        description="Fit the model separately to each member of this group (no pooling), all in one batch.",
        examples=["county"],
    )
    returns_prior: dict[str, str | list[Scalar]] = Field(
        {},
        description="Parameters on which the data have no information, so that their posterior is their prior; the page "
        "labels them so. Give a list of members, or the variable that is 0 or missing for them.",
        examples=[{"w": "applies"}],
    )
    chunks: Chunks = Field(
        "auto",
        description="Number of jobs that split this entry's chains and its cross-validation refits; the results are the "
        "same. `auto` splits work that is estimated to take more than ten minutes of one core.",
        examples=[4],
    )
    expect: Expect | None = Field(
        None,
        description="An expected verdict other than pass.",
        examples=[{"verdict": "fail", "because": "Shows the funnel on purpose."}],
    )


class BaseFormula(Strict):
    """The formula that the models of `models: ladder` are made from: its common terms without
    groups, its first group without pooling, all its groups with partial pooling, their slopes too,
    and with group means."""

    formula: Text = Field(
        description="The largest of the models: what differs between members stands in its group terms.",
        examples=["score ~ hours + age + (hours | school) + (1 | district)"],
    )
    family: Literal[*FAMILIES] | None = Field(
        None, description="Family of the outcome; by default as in a `design`.", examples=["poisson"]
    )
    parameters: dict[str, Text] = Field({}, description="As in an entry.", examples=[{"sigma": "~ hours"}])
    priors: dict[str, Text] = Field(
        {},
        description="As in an entry; by default the priors in the ladder: intercept normal(0, 1.5), coefficients "
        "normal(0, 1), sd exponential(1), cor lkj(2).",
        examples=[{"coefficients": "normal(0, 0.5)"}],
    )


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
    question: Text = Field(description="Question that the study answers.", examples=["How much do tanks differ?"])
    dataset: Dataset = Field(
        description="Name of the dataset: its file in tadpool/datasets or in your datasets/, without .py; or the keys of a "
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
    unit: Dim = Field(
        description="Dimension whose elements are predicted: log likelihoods are summed over all other dimensions.",
        examples=["tank"],
    )
    observed_where: dict[str, str] = Field(
        {},
        description="Outcomes that count only where another variable is 1: elsewhere they are not scored and are predicted "
        "to be 0.",
        examples=[{"y1": "y0"}],
    )
    weights: dict[str, str] = Field(
        {},
        description="Observation weights: outcome -> variable of the data, whose values are at least 0. The log likelihood "
        "of each observation is multiplied by its weight, in fits and in all scores. The models of the ladder take "
        "none. Predictions are for single observations.",
        examples=[{"survived": "weight"}],
    )
    groups: Annotated[list[Dim], Distinct] = Field([], description="Grouping dimensions.", examples=[["tank"]])
    leave_out: dict[str, LeaveOut] = Field(
        {},
        description="How members of a group are held out: group -> how many, in how many refits.",
        examples=[{"participant": {"members": 30, "folds": 3}}],
    )
    refit_budget: float | None = Field(
        None, ge=0, le=1e18, description="Refit budget of this study instead of the run's.", examples=[2e10]
    )
    sampler: SamplerChanges = Field(
        default_factory=SamplerChanges, description="Sampler settings of this study.", examples=[{"target_accept": 0.9}]
    )
    remedies: Remedies = Field(None, description="Remedies of this study.", examples=["auto"])
    verdict: VerdictChanges = Field(
        default_factory=VerdictChanges, description="Thresholds of this study's verdicts.", examples=[{"ess_warn": 400}]
    )
    storage: Storage = Field(
        default_factory=Storage,
        description="Which draws the files of fits and sweeps keep; by default all.",
        examples=[{"every": 4, "posterior": "float32"}],
    )
    models: Models = Field(
        description="Entries: name -> model and hyperparameters. A variant of a model is another entry. Or `ladder`: all "
        "built-in models that apply, from complete pooling to none, with comparisons on old and new groups, a prediction for "
        "a new group and figures; your own are added to these.",
        examples=[
            {"multilevel": {"model": "frogs_multilevel"}, "fixed_sigma": {"model": "frogs_fixed_sigma"}},
            "ladder",
        ],
    )
    ladder: BaseFormula | None = Field(
        None,
        description="With `models: ladder`, a formula that its models are made from, with any predictors and groups.",
        examples=[{"formula": "score ~ hours + (hours | school) + (1 | district)"}],
    )
    design: Design | None = Field(
        None,
        description="Design of the models of the ladder, where it is not inferred, or inferred wrongly.",
        examples=[{"family": "normal", "predictors": {"floor": "binary"}}],
    )
    sweeps: dict[Slug, Sweep] = Field(
        {},
        description="Sweeps: name -> entry, what varies and its values; to see how much a fixed choice matters.",
        examples=[{"sigma": {"entry": "fixed_sigma", "over": "sigma", "values": {"from": 0.1, "to": 5.0, "n": 20}}}],
    )
    comparisons: dict[Slug, Comparison] = Field(
        {},
        description="Comparisons: name -> entries and target.",
        examples=[{"main": {"entries": ["multilevel", "fixed_sigma"]}}],
    )
    predictions: dict[Slug, Prediction] = Field(
        {},
        description="Predictions: entry -> a new member of a group, or rows.",
        examples=[{"multilevel": {"group": "tank"}}],
    )
    answers: dict[Slug, Answer] = Field(
        {},
        description="Quantities that answer the question: name -> what is asked of an entry's draws. Models of the ladder and "
        "formulas have some without being asked; one of the same name replaces them.",
        examples=[{"spread": {"label": "standard deviation between tanks", "entry": "multilevel", "value": "sigma"}}],
    )
    hero: Slug | None = Field(
        None, description="The figure that is shown beside the answers, one of `figures`.", examples=["rates"]
    )
    sensitivity: bool = Field(
        True,
        description="Assess how sensitive every fit is to its priors, by power-scaling. Turn this off to save time.",
        examples=[False],
    )
    calibration: dict[Slug, Calibration] = Field(
        {},
        description="Simulation-based calibrations: name -> entry and number of simulations; to check that an entry's "
        "posteriors are calibrated.",
        examples=[{"multilevel": {"entry": "multilevel", "simulations": 200}}],
    )
    recovery: dict[Slug, Recovery] = Field(
        {},
        description="Recovery studies of a simulated dataset: name -> entries, grid of arguments and parameters.",
        examples=[{"grid": {"entries": ["mundlak"], "over": {"confound_scale": [0.0, 1.5]}, "sites": ["beta_XY"]}}],
    )
    labels: dict[Text, Text] = Field(
        {},
        description="Words for parameters, by name or by element (`w[feed_speed, 1]`): tables and figures have them before "
        "the name.",
        examples=[{"beta_XY": "effect of X on Y"}],
    )
    figures: dict[Slug, Figure] = Field(
        {},
        description="Further figures of the study: name -> kind, caption and options.",
        examples=[{"causes": {"kind": "causal_graph", "caption": "Look for S.", "edges": ["T -> S"]}}],
    )
    claims: list[Claim] = Field(
        [],
        description="What the sources conclude; the page sets beside each what is found here.",
        examples=[[{"says": "Odds of survival fall to a sixth.", "answers": ["odds_ratio"]}]],
    )
    references: list[Text] = Field(
        [],
        description="Sources, shown at the end of the page.",
        examples=[["Vonesh and Bolker (2005), Ecology 86:1580-1591"]],
    )

    def source(self) -> str | dict[str, Any]:
        """The dataset as jobs receive it: its name, or the description of the table with the dim of
        its rows and the columns that models of the ladder may take as predictors."""
        if isinstance(self.dataset, str):
            return self.dataset
        return {**self.dataset.model_dump(), "unit": self.unit, "predictors": self._possible_predictors()}

    def _possible_predictors(self) -> list[str]:
        """The columns without another role in the study. Entries have no part in it, so that
        another entry does not make the data, and all that is made of them, again."""
        taken = {*(self.observed_where or {}).values(), *(self.weights or {}).values()}
        return [name for name in self.dataset.columns if name not in taken]

    def reference(self, entry: str) -> str | dict[str, Any]:
        """The reference to an entry's model that jobs receive (`tadpool.modelling.references`)."""
        of_entry = {"model", "design", "formula", "parameters", "priors", "pooling"}
        used = {"models": {entry: of_entry}, "dataset": True, "outcomes": True, "unit": True}
        reference = model_references.reference(self.model_dump(include=used), entry)
        return model_references.weighted(reference, self.weights_of(entry))

    def weights_of(self, entry: str) -> dict[str, str]:
        """The entry's observation weights, or the study's."""
        own = self.models[entry].weights
        return self.weights if own is None else own

    def quickened(self) -> "Study":
        """The study without refits, calibration, recovery and prior sensitivity."""
        comparisons = {name: each for name, each in self.comparisons.items() if not self.leaves_out(each.target)}
        left_out = {"refit_budget": 0.0, "calibration": {}, "recovery": {}, "sensitivity": False}
        return self.model_copy(update={"comparisons": comparisons, **left_out})

    def leaves_out(self, target: str) -> bool:
        """Whether a comparison's target holds out members of a group; a group that is also the unit
        does not count."""
        return target not in ("unit", self.unit)


class Config(Strict):
    """The whole config: settings and, by name, the studies to run."""

    settings: Settings
    studies: dict[str, Study]

    def sampler(self, study: str, entry: str, *further: SamplerChanges) -> Sampler:
        """The entry's sampler: `further` changes override its own settings, which override the
        study's, then the run's."""
        changes = [self.studies[study].sampler, self.studies[study].models[entry].sampler, *further]
        update = {key: value for change in changes for key, value in change.model_dump(exclude_none=True).items()}
        chosen = self.settings.sampler.model_copy(update=update)
        if self.settings.quick is None:
            return chosen
        most = self.settings.quick.model_dump(exclude={"until_ess"})
        return chosen.model_copy(update={key: min(getattr(chosen, key), limit) for key, limit in most.items()})

    def until_ess(self, study: str, entry: str) -> int | None:
        """The effective sample size until which the chains of the entry's fit go on; None where
        `draws` decides alone."""
        return (self.settings.quick or self.sampler(study, entry)).until_ess

    def thresholds(self, study: str, entry: str) -> dict[str, float]:
        """Thresholds of the entry's verdict that differ from the defaults: its own, else the
        study's, else the run's."""
        given = (self.settings.verdict, self.studies[study].verdict, self.studies[study].models[entry].verdict)
        return changed({k: v for each in given for k, v in each.model_dump(exclude_none=True).items()})

    def remedies(self, study: str, entry: str) -> list[str]:
        """Remedies that may be tried for the entry: its own, else the study's, else the run's; none
        in a quick look."""
        if self.settings.quick:
            return []
        chosen = self.studies[study]
        levels = (chosen.models[entry].remedies, chosen.remedies, self.settings.remedies)
        remedies = next(each for each in levels if each is not None)
        return [name for name in REMEDIES if remedies == "auto" or (remedies != "none" and name in remedies)]

    def refit_budget(self, study: str) -> float:
        """The study's own budget, or the run's."""
        own = self.studies[study].refit_budget
        return self.settings.refit_budget if own is None else own
