"""Every key of config.yaml, including those that a study or an entry may override: type, range,
default, unit, meaning."""

from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from tadpool.config.schema.types import Distinct, Remedies, Slug, Strict, Text
from tadpool.convergence.diagnostics import LIMITS, Limits


class Sampler(Strict):
    """Settings of the No-U-Turn Sampler."""

    chains: int = Field(
        4,
        ge=2,
        le=1000,
        description="Number of chains of each fit. R-hat needs at least two; on a machine with many cores more chains give "
        "more draws in the same time.",
        examples=[8],
    )
    warmup: int = Field(
        300,
        ge=10,
        le=10**7,
        description="Warm-up iterations of each chain, which are discarded: the metric is adapted from draws and their "
        "gradients, which takes fewer than from draws alone. Use more where chains disagree.",
        examples=[1000],
    )
    draws: int = Field(
        1000,
        ge=10,
        le=10**7,
        description="Draws (iterations) of each chain after the warm-up. Use more for a larger effective sample size, "
        "fewer for a quick look.",
        examples=[4000],
    )
    until_ess: int | None = Field(
        None,
        ge=1,
        le=10**9,
        description="Smallest effective sample size, bulk and tail, that every parameter of a fit is to have: after `draws` "
        "the chains go on until they have it, at most to 8 times `draws`. By default `draws` decides alone. Every fit has "
        "`draws` at least, so set it low (250) with this. Sweeps, refits and calibrations have `draws` alone.",
        examples=[1000],
    )
    target_accept: float = Field(
        0.8,
        gt=0,
        lt=1,
        description="Target acceptance probability of the step-size adaptation. Raise it (0.9 to 0.99) where there are "
        "divergences: steps become smaller and runs longer.",
        examples=[0.95],
    )
    max_tree_depth: int = Field(
        10,
        ge=1,
        le=15,
        description="Maximum number of doublings of a trajectory, which has at most 2^depth - 1 leapfrog steps. Raise it "
        "where trajectories reach this limit.",
        examples=[12],
    )
    dense: Annotated[list[Text], Distinct] = Field(
        [],
        description="Latent sites whose joint covariance is estimated in the warm-up (a dense block of the mass matrix); for "
        "all others only variances are. For sites that are strongly correlated in the posterior, such as cutpoints and the "
        "effects of few groups: trajectories are shorter and draws more effective. Worth it up to a few hundred elements.",
        examples=[["cutpoints", "story_effect"]],
    )
    precision: Literal["float64", "float32"] = Field(
        "float64",
        description="Floating-point precision of the sampler. float32 is up to twice as fast and less accurate.",
        examples=["float32"],
    )
    platform: Literal["cpu", "gpu"] = Field(
        "cpu",
        description="What the chains run on. `gpu` runs many chains in parallel, which pays off for hundreds of small fits "
        "(sweeps, calibration, cross-validation), and needs the environment of requirements-gpu.lock: `make PLATFORM=gpu`. "
        "Draws on a GPU differ from draws on a CPU, within their Monte Carlo error.",
        examples=["gpu"],
    )


def _optional(model: type[Strict], name: str) -> type[Strict]:
    """The same keys, none of them required and none with a default: omitted keys are inherited."""
    fields: dict[str, Any] = {
        key: (
            Annotated[field.annotation, Field(), *field.metadata] | None,
            Field(None, description=field.description, examples=field.examples),
        )
        for key, field in model.model_fields.items()
    }
    return create_model(name, __base__=Strict, __doc__=f"{model.__doc__} Omitted keys are inherited.", **fields)


SamplerChanges = _optional(Sampler, "SamplerChanges")


def _threshold(limits: Limits, severity: str) -> tuple[Any, Any]:
    """A key of `Verdict`."""
    side, verb = ("below", "above")[not limits.at_least], f"{severity}s"
    anyway = "; any warns" if severity == "fail" and "warn" in limits.fixed else ""
    return float, Field(
        getattr(limits, severity),
        description=f"{limits.label} {side} which a fit {verb}{anyway}.",
        examples=[limits.examples[severity]],
        **limits.bounds,
    )


Verdict = create_model(
    "Verdict",
    __base__=Strict,
    __doc__="Thresholds of the verdict. If one is more lenient than its default, the page says so, and the verdict "
    "is never pass.",
    **{key: _threshold(each, severity) for each in LIMITS.values() for severity, key in each.keys.items()},
)
VerdictChanges = _optional(Verdict, "VerdictChanges")


class Quick(Strict):
    """A quick look at everything: short chains and no refits. Every page says so."""

    chains: int = Field(2, ge=2, le=1000, description="Maximum number of chains of a fit.", examples=[2])
    warmup: int = Field(
        150, ge=10, le=10**7, description="Maximum number of warm-up iterations of a chain.", examples=[200]
    )
    draws: int = Field(200, ge=10, le=10**7, description="Maximum number of draws of a chain.", examples=[200])
    until_ess: int | None = Field(
        100,
        ge=1,
        le=10**9,
        description="Chains of a fit go on until every parameter has this effective sample size, at most to 8 times `draws`: "
        "with less a fit would fail its check.",
        examples=[50],
    )


class Settings(Strict):
    """Settings of the run: config/config.yaml, overridden by --configfile and --config."""

    seed: int = Field(
        1,
        ge=0,
        lt=2**53,
        description="Seed of the whole run. Another seed gives other draws and other simulated data, which should not "
        "change any conclusion.",
        examples=[2],
    )
    studies: Annotated[list[Slug], Distinct] | None = Field(
        None,
        min_length=1,
        description="Studies to run: names of files in config/studies, without .yaml. By default all files in your "
        "config/studies or, if there are none, the built-in studies.",
        examples=[["reedfrogs", "cookies"]],
    )
    sampler: Sampler = Field(
        default_factory=Sampler,
        description="Sampler settings of all fits, unless a study or an entry overrides them.",
        examples=[{"draws": 2000}],
    )
    remedies: Remedies = Field(
        "auto",
        description="Remedies to try where a fit does not pass, unless a study or an entry overrides them: `draws` (the same "
        "chains continue to twice, then four times as many draws), `target_accept` (0.95, then 0.99, with twice the warm-up, "
        "where there are divergences), `reparametrize` (the sites that the model names, where the others did not help). "
        "`auto` is all of them. Sweeps get no remedies: their points only warn.",
        examples=[["draws"]],
    )
    verdict: Verdict = Field(
        default_factory=Verdict,
        description="Thresholds of the verdict, unless a study or an entry overrides them.",
        examples=[{"ess_warn": 400}],
    )
    refit_budget: float = Field(
        2e9,
        ge=0,
        le=1e18,
        description="Budget of one job for cross-validation refits (of units that PSIS cannot score, and of members of a "
        "group), in leapfrog steps x rows of the data; the default takes about a minute of one core. Above it several are "
        "held out together (K-fold). With 0 there are no refits, and the report says which scores cannot be trusted.",
        examples=[2e10],
    )
    quick: Quick | None = Field(
        None,
        description="A quick look: fits get at most the chains and iterations given here, no remedies are tried, and "
        "cross-validation refits, calibration, recovery and prior sensitivity are skipped. For a first look, as in "
        "config/quick.yaml, not for conclusions.",
        examples=[{"warmup": 200, "draws": 200}],
    )
    compare_with: Text | None = Field(
        None,
        description="Results folder of another run. Every page then says what changed since that run: config, data, "
        "estimates, scores and verdicts. Copy `results` before you change something.",
        examples=["../before/results"],
    )
    compile_cache: bool = Field(
        True,
        description="Keep compiled programs between runs, in the temporary directory. Turn this off where that directory "
        "is small or shared.",
        examples=[False],
    )
    container: Text | None = Field(
        None,
        description="Image in which jobs run where Snakemake is told `--software-deployment-method apptainer`: a file, or "
        "an address that Apptainer knows (containers/README.md). Without that option jobs run as they are.",
        examples=["tadpool.sif"],
    )


class Storage(Strict):
    """Which draws of fits and sweeps are kept. Verdicts and summaries always use all draws."""

    every: int = Field(
        1,
        ge=1,
        le=10_000,
        description="Keep every k-th draw of each chain. Scores, predictions, sensitivity and figures then use fewer draws, "
        "with larger Monte Carlo errors.",
        examples=[4],
    )
    posterior: Literal["float64", "float32"] = Field(
        "float64",
        description="Precision in which the posterior is stored: float32 has seven digits and takes half the space.",
        examples=["float32"],
    )
    keep: Literal["draws", "summaries"] = Field(
        "draws",
        description="`summaries` removes fit.nc once all results that need its draws are done: estimates (check.json), "
        "scores, predictions, figures and the page stay. If a figure or another result needs the draws later, they are "
        "sampled again.",
        examples=["summaries"],
    )
