"""Errors that are planted, and the checks that must find them and say nothing without them.

Each is so large that its check finds it with probability above 0.99 over seeds; `power` says how
that is known.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import xarray as xr

from tadpool.calibration import sbc_verdict
from tadpool.convergence import verdicts
from tadpool.convergence.diagnostics import DEFAULTS
from tadpool.convergence.sentences import sentence
from tadpool.engine import compile_cache
from tadpool.verification import exact_comparisons, models, planted_calibrations
from tadpool.verification.findings import Detection, Z

SEED = exact_comparisons.SEED
P_VALUE = 1e-3
SIMULATIONS = 150

Outcome = tuple[float, str]
"""The statistic that a check looks at, and what the check says, "" where it says nothing."""


@dataclass(frozen=True)
class Plant:
    """An error; see `findings.Detection`. planted, without: what the check makes of a case with and
    without it."""

    what: str
    check: str
    statistic: str
    bound: float
    above: bool
    power: str
    planted: Callable[[], Outcome]
    without: Callable[[], Outcome]


def detect(plant: Plant) -> Detection:
    """Let the check look at the case with the error and at the one without it."""
    (value, sentence), (without, _) = plant.planted(), plant.without()
    said = (plant.what, plant.check, plant.statistic, plant.bound, plant.above, plant.power)
    return Detection(*said, value, without, sentence)


@cache
def calibrated(name: str, seed: int = SEED) -> Outcome:
    """The smallest p-value of a calibration with that error of `planted`, "" for none."""
    case = planted_calibrations.ERRORS[name] if name else planted_calibrations.CORRECT
    with compile_cache.active():
        simulations = planted_calibrations.calibrate(case, SIMULATIONS, seed)
    _, reasons = sbc_verdict.verdict(simulations, sbc_verdict.summary(simulations))
    words = " ".join(sentence(asdict(finding)) for finding in reasons)
    return min(planted_calibrations.p_values(simulations).values()), words


def of_calibration(name: str) -> Plant:
    """An error of `planted` that calibration is to find."""
    return Plant(
        what=planted_calibrations.ERRORS[name].what,
        check="simulation-based calibration",
        statistic="smallest p-value of uniform ranks",
        bound=P_VALUE,
        above=False,
        power="> 0.99 (1,000 of 1,000 simulated calibrations with exact posteriors)",
        planted=lambda: calibrated(name),
        without=lambda: calibrated(""),
    )


@cache
def against_closed_form(swapped: bool, seed: int = SEED) -> Outcome:
    """The largest |z| of a normal model's posterior. swapped: the model gets its two predictors in
    the wrong columns."""
    dataset = models.normal_data(SEED)
    given = dataset.assign(x=(dataset["x"].dims, dataset["x"].values[:, ::-1])) if swapped else dataset
    posterior = exact_comparisons.sampled(models.normal_bound(given), exact_comparisons.SAMPLER, seed).groups[
        "posterior"
    ]
    found = exact_comparisons.moments("normal model", posterior, exact_comparisons.normal_moments(dataset))
    worst = max(found, key=lambda value: value.distance)
    return abs(worst.z), "" if worst.holds else worst.sentence


def checked(groups: dict[str, xr.Dataset]) -> dict:
    """What the convergence check says of draws."""
    tree = xr.DataTree.from_dict(groups)
    tree.attrs.update(status="ok", reason="", attempts="[]")
    return verdicts.check(tree)


def said(report: dict, *codes: str) -> str:
    """The first finding of the check with one of these codes, as a sentence."""
    return next((sentence(reason) for reason in report["reasons"] if reason["code"] in codes), "")


@cache
def in_funnel(centred: bool, seed: int = SEED) -> Outcome:
    """The smallest effective sample size in a funnel."""
    report = checked(exact_comparisons.sampled(models.funnel(centred), exact_comparisons.SAMPLER, seed).groups)
    numbers = report["diagnostics"]
    return min(numbers["ess_bulk_min"], numbers["ess_tail_min"]), said(report, "ess_bulk", "ess_tail")


@cache
def of_signs(free: bool, seed: int = SEED) -> Outcome:
    """The largest R-hat of roots whose signs may be free."""
    report = checked(exact_comparisons.sampled(models.signs(free), exact_comparisons.SAMPLER, seed).groups)
    return report["diagnostics"]["rhat_max"], said(report, "modes")


@cache
def with_chain(stuck: bool, seed: int = SEED) -> Outcome:
    """How many chains of a normal model never moved. stuck: one of them is held at its first
    draw."""
    groups = exact_comparisons.sampled(
        models.normal_bound(models.normal_data(SEED)), exact_comparisons.SAMPLER, seed
    ).groups
    if stuck:
        draws = groups["posterior"]
        held = xr.where(draws["chain"] == 2, draws.isel(draw=0), draws, keep_attrs=True)
        groups["posterior"] = held.map(lambda variable: variable.transpose("chain", "draw", ...), keep_attrs=True)
    report = checked(groups)
    return float(max(row["stuck_chains"] for row in report["parameters"])), said(report, "constant")


CALIBRATION = tuple(of_calibration(name) for name in planted_calibrations.ERRORS)
LOWEST_ESS = DEFAULTS["ess_warn"] * exact_comparisons.CHAINS
SAMPLING = (
    Plant(
        "two columns of the data are swapped",
        "closed form of the posterior",
        "largest |z|",
        Z,
        True,
        "> 0.99 (40 of 40 seeds, at least 1,600)",
        lambda: against_closed_form(True),
        lambda: against_closed_form(False),
    ),
    Plant(
        "a funnel is sampled in its centred form",
        "convergence check",
        "smallest effective sample size",
        LOWEST_ESS,
        False,
        "> 0.99 (250 of 250 seeds, at most 106)",
        lambda: in_funnel(True),
        lambda: in_funnel(False),
    ),
    Plant(
        "the posterior has two modes for each parameter",
        "convergence check",
        "largest R-hat",
        DEFAULTS["rhat_fail"],
        True,
        "> 0.999 (four chains agree on four signs by chance once in 4,096)",
        lambda: of_signs(True),
        lambda: of_signs(False),
    ),
    Plant(
        "one chain of four is stuck",
        "convergence check",
        "chains that never moved",
        0.0,
        True,
        "1: the check counts chains",
        lambda: with_chain(True),
        lambda: with_chain(False),
    ),
)


def planted_in_models(folder: Path, threads: int) -> list[Detection]:
    """Errors that calibration finds."""
    return [detect(plant) for plant in CALIBRATION]


def planted_in_fits(folder: Path, threads: int) -> list[Detection]:
    """Errors in single fits."""
    return [detect(plant) for plant in SAMPLING]
