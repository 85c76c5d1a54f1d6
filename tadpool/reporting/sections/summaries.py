"""What the closed sections of a page say of themselves, and which sections a study lacks."""

from collections.abc import Mapping, Sequence
from typing import Any

from tadpool.files.results import StudyResults
from tadpool.formatting import counted, first_of, listed
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.html.figures import Figures
from tadpool.reporting.sections.answers import TOP
from tadpool.reporting.sections.changes import Changes
from tadpool.reporting.sections.checklist import REPORTED, Point
from tadpool.reporting.sections.overview import Light

RESULTS = {
    "answers": "Answers in full",
    "pooling": "How much to pool",
    "comparison": "Comparison",
    "story": "Figures of the study",
    "predictions": "Predictions",
    "limits": "Limits",
}
APPENDIX = {
    "claims": "What the sources say",
    "data": "Data",
    "models": "Models",
    "prior": "Prior predictive",
    "convergence": "Convergence",
    "estimates": "Estimates",
    "recovery": "Parameter recovery",
    "accuracy": "Accuracy",
    "sweeps": "Sweeps",
    "predictive": "Posterior predictive",
    "sensitivity": "Prior sensitivity",
    "calibration": "Calibration",
    "changes": "Compared with an earlier run",
    "checklist": "Reporting checklist",
    "references": "References",
    "provenance": "Provenance",
    "run_time": "Run time",
    "downloads": "Files",
    "glossary": "Glossary",
}
ANSWERED_BY_LIGHTS = ("convergence", "predictive", "sensitivity", "calibration", "recovery")
MOST = 3


def summaries(
    results: StudyResults,
    fits: Sequence[Fit],
    lights: Sequence[Light],
    points: Sequence[Point],
    shown: Mapping[str, Any],
) -> dict[str, str]:
    """Anchor -> what its section found, in a few words. shown: by section, what it shows, for the
    others."""
    units = counted(results.data.sizes[results.config["unit"]], results.config["unit"])
    groups = [
        counted(results.data.sizes[each], each) for each in results.config["groups"] if each in results.data.sizes
    ]
    groups = [words for words in groups if words != units]
    found = {
        "data": f"{units}{' in ' + listed(groups) if groups else ''}",
        "models": first_of([fit.label for fit in fits], MOST),
        "prior": "what the models predict before they see data",
        "estimates": f"parameters of {counted(len(fits), 'fit')}",
        "checklist": f"{sum(point.state == REPORTED for point in points)} of {counted(len(points), 'point')} reported",
        "claims": f"{counted(len(results.config['claims']), 'conclusion')}, with what is found here",
        "references": counted(len(results.config["references"]), "reference"),
        "provenance": "seed, versions and digests",
        "run_time": "time and memory of each job",
        "downloads": "all results as files",
        "glossary": "statistics that this page names",
        "accuracy": "root mean square errors, in sample and left out",
        "sweeps": listed([f"{sweep.over} of {sweep.entry_label}" for sweep in shown["sweeps"]]),
        "changes": _changed(shown["changes"]),
    }
    found |= {light.anchor: light.words for light in lights if light.anchor in ANSWERED_BY_LIGHTS}
    if shown["grids"] and not results.config["calibration"]:
        found["calibration"] = f"recovery over {listed([axis for each in shown['grids'] for axis in each.over])}"
    return found


def _changed(changes: Changes | None) -> str:
    if changes is None:
        return ""
    return "no comparison was possible" if changes.reason else changes.summary


def absent(
    results: StudyResults,
    figures: Figures,
    shown: Mapping[str, Any],
) -> dict[str, str]:
    """Anchor -> title of the sections that this study has nothing for."""
    drawn = {figure.section for figure in figures.all if figure is not figures.hero}
    there = {
        "answers": bool(shown["answers"][TOP:]) or any(each.table for each in shown["answers"]),
        "comparison": bool(results.config["comparisons"]) or "comparison" in drawn,
        "story": bool("story" in drawn or shown["unlisted"]),
        "predictions": bool(results.config["predictions"]) or "prediction" in drawn,
        "prior": "prior" in drawn,
        "recovery": shown["recovery"] is not None,
        "accuracy": shown["accuracies"] is not None,
        "sweeps": bool(shown["sweeps"]) or "sweep" in drawn,
        "predictive": "predictive" in drawn or any(each.shown for each in shown["replicated"].values()),
        "sensitivity": bool(shown["sensitivities"]) or "sensitivity" in drawn,
        "calibration": bool(results.config["calibration"] or shown["grids"]) or "calibration" in drawn,
        "changes": shown["changes"] is not None,
        "pooling": shown["pooling"] is not None,
        "claims": bool(results.config["claims"]),
        "references": bool(results.config["references"]),
    }
    titles = RESULTS | APPENDIX | {"accuracy": "Accuracy (of numeric outcomes)"}
    return {anchor: title for anchor, title in titles.items() if not there.get(anchor, True)}


def unfit(lacking: Mapping[str, str]) -> list[str]:
    """The titles of what a study may have and lacks; how much to pool is a question of the ladder's
    models alone."""
    return [title for anchor, title in lacking.items() if anchor not in ("pooling", "claims")]
