"""The page of one study."""

from collections.abc import Mapping, Sequence
from typing import Any

from tadpool.evaluation.comparison import TIE_ELPD, WORSE
from tadpool.evaluation.cross_validation import EXACT_K
from tadpool.files.results import StudyResults
from tadpool.formatting import counted, listed
from tadpool.reporting import fit_view
from tadpool.reporting.html.environment import rendered
from tadpool.reporting.html.figures import Figures
from tadpool.reporting.sections import (
    accuracy,
    answers,
    calibration,
    checklist,
    claims,
    convergence,
    convergence_by_group,
    data,
    estimates,
    group_remarks,
    imputed,
    limits,
    model_checks,
    outcomes,
    overview,
    pooling,
    predictions,
    predictive,
    prior_only,
    provenance,
    recovery,
    recovery_grids,
    run_record,
    run_time,
    sensitivity,
    summaries,
    sweeps,
)
from tadpool.reporting.sections.changes import MULTIPLE, Changes, differences
from tadpool.reporting.sections.conclusions import Comparison, Conclusion, comparisons


def headline(
    compared: Sequence[Comparison], all_fits: Sequence[fit_view.Fit], pooled: pooling.Pooling | None = None
) -> Conclusion:
    """The study's verdict: how much to pool, else its first comparison, else its fits where nothing
    is compared."""
    if pooled and any(answer.tone != "none" for answer in pooled.answers):
        return pooled.headline
    if compared:
        return compared[0].conclusion
    failed = [fit.label for fit in all_fits if fit.failed]
    if failed:
        return Conclusion("fail", [f"{listed(failed)} failed: nothing may be concluded from a failed fit."])
    if pooled:
        return pooled.headline
    return Conclusion("none", [f"No fit failed ({counted(len(all_fits), 'fit')}); this study compares no models."])


def lights(
    all_fits: Sequence[fit_view.Fit], compared: Sequence[Comparison], results: StudyResults
) -> list[overview.Light]:
    """The checks at the top of the page."""
    return overview.overview(
        all_fits,
        [comparison.conclusion for comparison in compared],
        [predictive.read_checks(fit) for fit in all_fits],
        sensitivity.sensitivities(all_fits),
        [calibration.calibration(results, name) for name in results.config["calibration"]],
        recovery.recovered(results, all_fits),
    )


def study_record(
    results: StudyResults, digest: str, seed: int, samplers: Mapping[str, Mapping[str, Any]], quick: bool = False
) -> dict[str, Any]:
    """The record of the study's run, for a later run to be compared with; arguments as of
    `study_page`."""
    all_fits, compared = fit_view.all_fits(results, samplers), comparisons(results)
    return run_record.record(
        results,
        {"seed": seed, "quick": quick, "samplers": samplers},
        all_fits,
        {comparison.name: comparison.rows for comparison in compared},
        [calibration.calibration(results, name) for name in results.config["calibration"]],
        lights(all_fits, compared, results),
        headline(compared, all_fits, pooling.pooling(results, all_fits)).sentences[0],
        provenance.provenance(results, seed, digest),
    )


def study_page(
    results: StudyResults,
    digest: str,
    seed: int,
    samplers: Mapping[str, Mapping[str, Any]],
    quick: bool = False,
    changes: Changes | None = None,
) -> str:
    """The page as HTML. digest: of the code that makes the page. samplers: sampler settings by
    entry.

    quick: whether this was a quick look, which the page then says. changes: against another run,
    where one is named.
    """
    all_fits = fit_view.all_fits(results, samplers)
    compared, pooled = comparisons(results), pooling.pooling(results, all_fits)
    owners = {
        "entry": results.entries,
        "sweep": list(results.config["sweeps"]),
        "comparison": [c.name for c in compared],
        "calibration": list(results.config["calibration"]),
        "recovery": list(results.config["recovery"]),
    }
    figures = Figures(results.folder / "figures", results.config["hero"])
    checked = {fit.entry: predictive.read_checks(fit) for fit in all_fits}
    sensitive, origin = sensitivity.sensitivities(all_fits), provenance.provenance(results, seed, digest)
    seen, answered = lights(all_fits, compared, results), answers.answers(results, all_fits)
    truths = recovery.recovered(results, all_fits)
    grids = [recovery_grids.recovery(results, name) for name in results.config["recovery"]]
    judged = [calibration.calibration(results, name) for name in results.config["calibration"]]
    checks = model_checks.grid(
        all_fits,
        compared,
        checked,
        sensitive,
        {chosen["entry"]: each for each, chosen in zip(judged, results.config["calibration"].values(), strict=True)},
        grids,
        truths.fits if truths else [],
    )
    points = checklist.checklist(results, all_fits, figures, list(checked.values()), sensitive, seen, origin)
    shown = {
        "sweeps": [sweeps.sweep(results, name) for name in results.config["sweeps"]],
        "grids": grids,
        "changes": changes,
        "unlisted": figures.unlisted(owners),
        "recovery": truths,
        "accuracies": accuracy.accuracies(all_fits),
        "sensitivities": sensitive,
        "pooling": pooled,
        "replicated": checked,
        "answers": answered,
    }
    for each in compared:
        first, target = each.rows[0], results.config["comparisons"][each.name]["target"]
        rivals = [row.entry for row in each.rows if row.standing == WORSE and not row.prior_alone]
        words = accuracy.other_best(shown["accuracies"], [first.entry, *rivals], first.entry, target)
        each.conclusion.sentences.extend([words] if words and first.ranked else [])
    lacking = summaries.absent(results, figures, shown)
    quiet = {fit.entry: prior_only.find_prior_only(fit) for fit in all_fits}
    return rendered(
        "study.html",
        results=results,
        quick=quick,
        config=results.config,
        headline=headline(compared, all_fits, pooled),
        compared_only=bool(compared) and not pooled,
        grid=checks,
        limits=limits.limits(checks, {each.entry for each in answered}),
        found=summaries.summaries(results, all_fits, seen, points, shown),
        in_results={anchor: title for anchor, title in summaries.RESULTS.items() if anchor not in lacking},
        appendix={anchor: title for anchor, title in summaries.APPENDIX.items() if anchor not in lacking},
        missing_sections=summaries.unfit(lacking),
        claims=claims.claims(results, answered, compared),
        caveats=lambda shown: answers.caveats(shown, checks, grids),
        top=answers.TOP,
        fits=all_fits,
        failed=[fit for fit in all_fits if fit.failed],
        missing=results.failures(),
        convergence=convergence,
        separate={fit.entry: convergence_by_group.separate(fit) for fit in all_fits},
        estimates={fit.entry: estimates.estimates(fit, prior_only.remarks(fit, quiet[fit.entry])) for fit in all_fits},
        silent=quiet,
        imputed={fit.entry: imputed.imputed(fit, all_fits) for fit in all_fits},
        spreads=estimates.spreads(all_fits, {entry: found.parameters for entry, found in quiet.items()}),
        checklist=points,
        changes_between=differences,
        multiple=MULTIPLE,
        tie_elpd=TIE_ELPD,
        refitted_above=EXACT_K,
        looks=predictive.overall_words(list(checked.values())),
        dataset=data,
        outcomes=outcomes,
        noted=group_remarks.remarks(results),
        comparisons=compared,
        predictions=[predictions.prediction(results, entry) for entry in results.config["predictions"]],
        calibrations=judged,
        figures=figures,
        owners=owners,
        provenance=origin,
        kept=provenance.storage_words(results),
        keeps_draws=results.keeps_draws,
        run_time=run_time.run_time(results),
        downloads=provenance.downloads(results),
        figure_files=provenance.figure_files(results),
        **shown,
    )
