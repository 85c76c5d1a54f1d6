"""Every key of config.yaml, and of what a study or an entry may say otherwise: type, range, default, unit and meaning."""

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
    dense: Annotated[list[Text], Distinct] = Field(
        [],
        description="Latent sites whose joint covariance the sampler learns in its warm-up; of all others it learns variances. "
        "For sites that are strongly correlated in the posterior, such as cutpoints with the effects of few groups: shorter "
        "trajectories and more effective draws. Worth it up to some hundred elements.",
        examples=[["cutpoints", "story_effect"]],
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
    __doc__="Thresholds of the check. One that lets through more than its default is "
    "named beside the verdict, which then is never *pass*.",
    **{key: _threshold(each, severity) for each in LIMITS.values() for severity, key in each.keys.items()},
)
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
        description="A quick look: fits get no more chains and iterations than stated here, none is repeated, and what fits "
        "again (to leave something out, calibration, recovery) and prior sensitivity are left out. Meant for a first look, as "
        "in config/quick.yaml, not for conclusions.",
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
    """What is kept of the draws of fits and sweeps. Verdicts and summaries are of all of them."""

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
    keep: Literal["draws", "summaries"] = Field(
        "draws",
        description="`summaries` removes fit.nc when all that goes on from its draws is done: estimates (check.json), scores, "
        "predictions, figures and the page stay. What is made anew of draws later, be it a figure, samples them again first.",
        examples=["summaries"],
    )
