"""Small made-up results and their pages: a study whose every name is hostile, one of separate fits,
and verification."""

import copy
import shutil

import numpy as np

from tadpool.files import contracts, io
from tadpool.reporting.pages.index import index_page
from tadpool.reporting.pages.verification import table, verification_page
from tadpool.reporting.sections.changes import changes
from tadpool.verification.findings import Detection, compared
from tests.made import page
from tests.made import results as made
from tests.made.calibration import write_calibration

HOSTILE = f"{made.HOSTILE} \N{RIGHT-TO-LEFT OVERRIDE}right to left\N{POP DIRECTIONAL FORMATTING} {{{{7*7}}}}"
PAGES = ("index.html", "tiny/index.html", "groups/index.html", "verify.html")


def write_pages(folder):
    """Write PAGES to folder/results. folder: the working directory, where the studies' plug-ins are
    written too."""
    tiny, groups = hostile(folder), made.made_of_groups(folder)
    changed = changed_since(tiny, folder / "before")
    page.render(tiny, changed)
    page.render(groups)
    io.write_text(folder / "results/index.html", index_page([tiny, groups], True, {"tiny": changed}))
    values = [compared(HOSTILE, "sigma", 1.0, 1.1, 0.1), compared("oracle", "tau", 1.0, 2.0, 0.1)]
    detections = [Detection(HOSTILE, "R-hat", "largest", 1.01, True, "near 1", 1.5, 1.0, "Chains disagree.")]
    io.write_csv(folder / "results/verify/values.csv", table(values))
    io.write_text(folder / "results/verify.html", verification_page(values, detections))


def hostile(folder):
    """Four fits, two of which failed, with everything that a page can show of them."""
    labels = {entry: {"label": f"{entry} {HOSTILE}"} for entry in ("first", "second", "third")}
    tiny = made.made(folder, {"first": "ok", "second": "stuck", "third": "crashed", "fourth": "ok"}, **labels)
    tiny.config["title"] = HOSTILE
    sensitivity = {
        "mu": (0.353, 0.04, -3.7, "mu", "conflict", 0.1, ""),
        HOSTILE: (0.2, 0.01, 0.5, "mu", "none", 0.1, ""),
    }
    io.write(tiny.folder / "first/sensitivity.nc", made.sensitive(sensitivity), contracts.SENSITIVITY)
    made.quantities(tiny, "first")
    made.history(tiny, "first")
    made.explore(tiny)
    io.write_text(tiny.folder / "benchmarks/fourth/fit.tsv", "s\tmax_rss\tcpu_time\n1003.2\t-\t20.5\n")
    calibrated(tiny)
    return tiny


def calibrated(results):
    """Give the study two calibrations of one entry."""
    write_calibration(results.folder, np.random.default_rng(3))
    shutil.copy(results.folder / "calibration/many.nc", results.folder / "calibration/again.nc")
    part = {"entry": "first", "hyperparameters": {}}
    results.config["calibration"] = {"many": part, "again": part | {"hyperparameters": {"scale": 3}}}


def changed_since(results, before):
    """What changed since a run whose title, verdicts and means were others."""
    page.render(results)
    record = io.read_json(results.folder / "run.json")
    there = copy.deepcopy(record)
    there["config"]["title"] = HOSTILE[::-1]
    there["fits"]["first"] = "fail"
    for numbers in there["estimates"]["first"].values():
        numbers[0] += 1
    io.write_json(before / "tiny/run.json", there)
    return changes(record, str(before))
