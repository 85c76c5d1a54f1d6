"""What a report of a Bayesian analysis should contain, after Kruschke (2021), and whether a study's
page contains it.

Kruschke, Bayesian Analysis Reporting Guidelines, Nature Human Behaviour 5:1282-1291. Whether a
point is ticked is computed from the results; what the guidelines ask for and no result can show is
left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tadpool.files.results import StudyResults
from tadpool.formatting import counted, listed
from tadpool.reporting.fit_view import Fit, families
from tadpool.reporting.html.figures import Figures
from tadpool.reporting.sections.overview import Light
from tadpool.reporting.sections.predictive import PredictiveChecks
from tadpool.reporting.sections.provenance import Provenance
from tadpool.reporting.sections.sensitivity import Sensitivity

REPORTED, PARTLY, ABSENT, NOT_NEEDED = "reported", "partly reported", "not reported here", "does not apply"


@dataclass(frozen=True)
class Point:
    """One point of the checklist. anchor: of the section that holds it, "" where none does. words:
    what is there."""

    step: str
    name: str
    state: str
    words: str
    anchor: str = ""


def checklist(
    results: StudyResults,
    fits: Sequence[Fit],
    figures: Figures,
    replicated: Sequence[PredictiveChecks],
    sensitivities: Sequence[Sensitivity],
    lights: Sequence[Light],
    provenance: Provenance,
) -> list[Point]:
    """All points, in the order of the guidelines' steps."""
    states = {light.anchor: light for light in lights}
    return [
        *_goals(results),
        *_model(results, fits, figures),
        *_computation(fits),
        *_posterior(fits, replicated, figures),
        *_decisions(results, states["comparison"]),
        *_sensitivity(fits, sensitivities, results),
        *_reproducible(results, provenance),
    ]


def _share(step: str, name: str, found: int, total: int, noun: str, words: str, anchor: str) -> Point:
    """A point of which `found` of `total` things are there."""
    state = REPORTED if found == total and total else PARTLY if found else ABSENT
    return Point(step, name, state, f"{words} {found} of {counted(total, noun)}", anchor if found else "")


def _goals(results: StudyResults) -> Iterator[Point]:
    asked = bool(results.config["question"].strip())
    words = "the question of the study" if asked else "the study has no question"
    yield Point("Goals", "Goals of the analysis", REPORTED if asked else ABSENT, words, "question" if asked else "")


def _model(results: StudyResults, fits: Sequence[Fit], figures: Figures) -> Iterator[Point]:
    step = "Model"
    described = [bool(variable.attrs.get("long_name")) for variable in results.data.data_vars.values()]
    yield _share(step, "Data variables", sum(described), len(described), "variable", "meanings of", "data")
    drawn = {fit.entry: families(results, fit.entry) for fit in fits}
    outcomes = results.config["outcomes"]
    likelihoods = sum(all(outcome in found for outcome in outcomes) for found in drawn.values())
    yield _share(step, "Likelihood and parameters", likelihoods, len(fits), "model", "distributions of", "models")
    priors = sum(any(site not in outcomes for site in found) for found in drawn.values())
    yield _share(step, "Prior distributions", priors, len(fits), "model", "priors of", "models")
    equations = sum(any(paragraph.equation for paragraph in fit.description[1]) for fit in fits)
    yield _share(step, "Formal specification", equations, len(fits), "model", "equations, and source, of", "models")
    predictive = sum(bool(figures.in_section("prior", "entry", fit.entry)) for fit in fits)
    yield _share(step, "Prior predictive check", predictive, len(fits), "model", "figures of", "prior")


def _computation(fits: Sequence[Fit]) -> Iterator[Point]:
    step = "Computation"
    rows = [row for fit in fits if fit.usable for row in fit.parameters if not row.get("constant")]
    for name, keys, words in (
        ("Convergence of the chains", ("rhat",), "R-hat of"),
        ("Resolution of the chains", ("ess_bulk", "ess_tail"), "effective sample sizes of"),
    ):
        found = sum(all(row.get(key) is not None for key in keys) for row in rows)
        yield _share(step, name, found, len(rows), "parameter", words, "estimates")


def _posterior(fits: Sequence[Fit], replicated: Sequence[PredictiveChecks], figures: Figures) -> Iterator[Point]:
    step = "Posterior"
    shown = [figures.in_section("predictive", "entry", fit.entry) for fit in fits]
    found = sum(bool(each.table.rows or drawn) for each, drawn in zip(replicated, shown, strict=True))
    yield _share(
        step, "Posterior predictive check", found, len(fits), "fit", "observed and replicated data of", "predictive"
    )
    rows = [row for fit in fits if fit.usable for row in fit.parameters]
    summed = sum(row["mean"] is not None and row["eti89_low"] is not None for row in rows)
    yield _share(step, "Summaries", summed, len(rows), "parameter", "mean and interval of", "estimates")


def _decisions(results: StudyResults, comparison: Light) -> Iterator[Point]:
    step, several = "Decisions", len(results.config["comparisons"])
    if not several:
        yield Point(step, "Criteria", NOT_NEEDED, "nothing is decided: this study compares no models")
        return
    words = f"when a model is called best, in {counted(several, 'comparison')}; {comparison.words}"
    yield Point(step, "Criteria", REPORTED, words, "comparison")


def _sensitivity(fits: Sequence[Fit], sensitivities: Sequence[Sensitivity], results: StudyResults) -> Iterator[Point]:
    step = "Sensitivity"
    found = sum(not each.reason for each in sensitivities)
    yield _share(step, "To the priors", found, len(fits), "fit", "power-scaling of", "sensitivity")
    swept = list(results.config["sweeps"])
    words = f"sweeps: {listed(swept)}" if swept else "no hyperparameter is swept"
    yield Point(step, "To hyperparameters", REPORTED if swept else ABSENT, words, "sweeps" if swept else "")


def _reproducible(results: StudyResults, provenance: Provenance) -> Iterator[Point]:
    step = "Reproducibility"
    packages = len(provenance.versions)
    state, anchor = (REPORTED, "provenance") if packages else (ABSENT, "")
    yield Point(step, "Software with versions", state, f"versions of {counted(packages, 'package')}", anchor)
    digests = sum(bool(settings and code) for _, _, settings, _, code in provenance.files)
    files = len(provenance.files)
    yield _share(step, "Config and code", digests, files, "file", "digests of", "provenance")
    yield Point(step, "Seed", REPORTED, f"{provenance.seed}", "provenance")
    there = (results.folder / "data.nc").is_file()
    yield Point(step, "Data", REPORTED if there else ABSENT, "as a file", "downloads" if there else "")
    draws = sum(results.keeps_draws and (results.folder / entry / "fit.nc").is_file() for entry in results.entries)
    yield _share(step, "Draws", draws, len(results.entries), "fit", "as files, of", "downloads")
