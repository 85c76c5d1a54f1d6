"""The row of checks at the top of a study's page: what was looked at, and whether it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from tadpool.evaluation.predictive_checks import TAIL
from tadpool.formatting import counted, first_of, number
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.sections.calibration import Calibration
from tadpool.reporting.sections.conclusions import Conclusion
from tadpool.reporting.sections.model_checks import outside_band
from tadpool.reporting.sections.predictive import PredictiveChecks
from tadpool.reporting.sections.recovery import Recovery
from tadpool.reporting.sections.sensitivity import Sensitivity

NOT_RUN = "not run"
ORDER = ("fail", "warn", "pass", NOT_RUN)
TONES = {"clear": "pass", "equal": "pass", "uncertain": "pass", "partial": "warn", "doubt": "warn", "fail": "fail"}
FOUND = {
    "clear": "one model predicts best",
    "equal": "models predict about equally well",
    "uncertain": "too close to call",
    "partial": "failed fits are left out",
    "doubt": "too many unreliable scores",
    "fail": "no model can be called best",
}
NAMED = 2


@dataclass(frozen=True)
class Light:
    """One check. state: "pass", "warn", "fail" or "not run". words: what was found. anchor: of its
    section."""

    name: str
    state: str
    words: str
    anchor: str


def overview(
    fits: Sequence[Fit],
    conclusions: Sequence[Conclusion],
    replicated: Sequence[PredictiveChecks],
    sensitivities: Sequence[Sensitivity],
    calibrations: Sequence[Calibration],
    recovery: Recovery | None,
) -> list[Light]:
    """The checks in the order of a page's top."""
    return [
        _convergence(fits),
        _comparison(conclusions),
        _predictive(fits, replicated),
        _sensitivity(sensitivities),
        _calibration(calibrations),
        _recovery(recovery),
    ]


def worst(states: Sequence[str]) -> str:
    """The worst of several states; "not run" where there is none."""
    return min(states, key=ORDER.index, default=NOT_RUN)


def _convergence(fits: Sequence[Fit]) -> Light:
    """A failure that the study expects is amber: it is known, and its numbers are left out."""
    failed = [fit for fit in fits if fit.failed]
    unexpected = any(fit.surprising for fit in failed)
    passed = sum(not fit.failed and fit.verdict == "pass" for fit in fits)
    words = _passing(passed, len(fits), "fit")
    if failed:
        words += f", {len(failed)} failed" + ("" if unexpected else " as expected")
    state = "fail" if unexpected else "pass" if passed == len(fits) else "warn"
    return Light("Convergence", state, words, "convergence")


def _comparison(conclusions: Sequence[Conclusion]) -> Light:
    tones = [conclusion.tone for conclusion in conclusions]
    tone = min(tones, key=lambda tone: ORDER.index(TONES[tone]), default=None)
    if tone is None:
        return Light("Comparison", NOT_RUN, "nothing is compared", "comparison")
    several = f" ({tones.count(tone)} of {counted(len(tones), 'comparison')})" if len(tones) > 1 else ""
    return Light("Comparison", TONES[tone], FOUND[tone] + several, "comparison")


def _predictive(fits: Sequence[Fit], replicated: Sequence[PredictiveChecks]) -> Light:
    """Amber where more quantities are extreme than correct models would have on average, or where
    LOO-PIT leaves its band; it names their models."""
    looked, extreme = sum(each.looked for each in replicated), sum(each.extreme for each in replicated)
    if not looked:
        return Light("Predictive checks", NOT_RUN, "no test quantities", "predictive")
    state = "warn" if extreme > 2 * TAIL * looked else "pass"
    models = [fit.label for fit, each in zip(fits, replicated, strict=True) if each.extreme]
    of = f" for {first_of(models, NAMED)}" if models else ""
    chance = f"at most {number(2 * TAIL * looked, 1)} expected by chance"
    words = f"{extreme} of {counted(looked, 'check')} extreme{of} ({chance})"
    off = [fit.label for fit in fits if not fit.failed and (outside_band(fit) or (0, ""))[0]]
    if off:
        return Light(
            "Predictive checks", "warn", f"{words}; LOO-PIT leaves its band for {first_of(off, NAMED)}", "predictive"
        )
    return Light("Predictive checks", state, words, "predictive")


def _sensitivity(sensitivities: Sequence[Sensitivity]) -> Light:
    """Parameters of no pooling do not count: they depend on their priors by design."""
    known = [each for each in sensitivities if not each.reason]
    read = [each for each in known if not each.by_design]
    if not read:
        return Light("Prior sensitivity", NOT_RUN, "no diagnosis", "sensitivity")
    moved, total = sum(len(each.rows) for each in read), sum(len(each.rows) + each.rest for each in read)
    beside = "" if len(read) == len(known) else ", no pooling not counted"
    left = sum(len(each.not_scaled) for each in read)
    beside += f", {counted(left, 'prior')} not scaled" if left else ""
    words = f"{moved} of {counted(total, 'parameter')} sensitive to the priors{beside}"
    return Light("Prior sensitivity", "warn" if moved else "pass", words, "sensitivity")


def _calibration(calibrations: Sequence[Calibration]) -> Light:
    if not calibrations:
        return Light("Calibration", NOT_RUN, "no model was calibrated", "calibration")
    passed = sum(each.verdict == "pass" for each in calibrations)
    words = calibrations[0].finding if len(calibrations) == 1 else _passing(passed, len(calibrations), "calibration")
    return Light("Calibration", worst([each.verdict for each in calibrations]), words, "calibration")


def _passing(passed: int, total: int, noun: str) -> str:
    return f"{passed} of {counted(total, noun)} {'passes' if 1 in (passed, total) else 'pass'}"


def _recovery(recovery: Recovery | None) -> Light:
    """Amber where a fit is further from a true value than chance would bring it."""
    if recovery is None:
        return Light("Recovery", NOT_RUN, "no true values are known", "recovery")
    sound = [each for each in recovery.fits if not each.fit.failed and len(each.counted)]
    if not sound:
        return Light("Recovery", "fail", "no fit has usable numbers", "recovery")
    far = [each.fit.label for each in sound if each.far]
    if far:
        return Light("Recovery", "warn", f"far from a true value: {first_of(far, NAMED)}", "recovery")
    covered, total = sum(each.covered for each in sound), sum(len(each.counted) for each in sound)
    return Light("Recovery", "pass", f"{covered} of {counted(total, 'true value')} covered", "recovery")
