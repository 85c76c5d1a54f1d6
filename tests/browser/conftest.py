"""Pages of small made-up results, rendered once, and a headless Chromium without a network to open them in."""

import copy
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import test_figures
import test_reporting as made
from playwright.sync_api import sync_playwright

from tadpool import contracts, io
from tadpool.reporting.changes import changes
from tadpool.reporting.index import index_page
from tadpool.reporting.verification import table, verification_page
from tadpool.verification.findings import Detection, compared

HOSTILE = f"{made.HOSTILE} \N{RIGHT-TO-LEFT OVERRIDE}right to left\N{POP DIRECTIONAL FORMATTING} {{{{7*7}}}}"
GRAPH = {"jobs": {"fit": 3, "check": 3, "render_report": 1}, "edges": [["fit", "check"], ["check", "render_report"]]}
PAGES = ("index.html", "tiny/index.html", "groups/index.html", "verify.html")


def pytest_collection_modifyitems(items):
    """One worker runs all tests of this folder: they share a browser and its pages."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of all PAGES: a study whose every name is hostile, with fits that failed, and one of separate fits."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
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
        groups = made.made_of_groups(folder)
        changed = changed_since(tiny, folder / "before")
        made.render(tiny, changed)
        made.render(groups)
        io.write_text(folder / "results/index.html", index_page([tiny, groups], True, GRAPH, {"tiny": changed}))
    values = [compared(HOSTILE, "sigma", 1.0, 1.1, 0.1), compared("oracle", "tau", 1.0, 2.0, 0.1)]
    detections = [Detection(HOSTILE, "R-hat", "largest", 1.01, True, "near 1", 1.5, 1.0, "Chains disagree.")]
    io.write_csv(folder / "results/verify/values.csv", table(values))
    io.write_text(folder / "results/verify.html", verification_page(values, detections))
    return folder / "results"


def calibrated(results):
    """Give the study two calibrations of one entry."""
    test_figures.write_calibration(results.folder, np.random.default_rng(3))
    shutil.copy(results.folder / "calibration/many.nc", results.folder / "calibration/again.nc")
    part = {"entry": "first", "hyperparameters": {}}
    results.config["calibration"] = {"many": part, "again": part | {"hyperparameters": {"scale": 3}}}


def changed_since(results, before):
    """What changed since a run whose title, verdicts and means were others."""
    made.render(results)
    record = io.read_json(results.folder / "run.json")
    there = copy.deepcopy(record)
    there["config"]["title"] = HOSTILE[::-1]
    there["fits"]["first"] = "fail"
    for numbers in there["estimates"]["first"].values():
        numbers[0] += 1
    io.write_json(before / "tiny/run.json", there)
    return changes(record, str(before))


@pytest.fixture(scope="session")
def chromium():
    """The browser. A machine without one fails these tests: what they look at is not looked at elsewhere."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, (
        "No browser to test pages in: install Chromium, so that `chromium` can be run (apt-get install chromium)."
    )
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, site):
    """visit(name, **options of the context): a page, opened without a network; what goes wrong in it fails the test."""
    wrong, contexts = [], []

    def visited(name, before="", **options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith("file:") or wrong.append(f"request: {request.url}"))
        page.add_init_script(before)
        page.goto((site / name).as_uri())
        return page

    yield visited
    for context in contexts:
        context.close()
    assert wrong == []
