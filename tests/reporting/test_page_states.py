"""The top of a page, its checklist and its provenance: a state for whatever is there, missing,
doubtful or failed."""

import json
import re
import subprocess
from html import unescape

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tadpool import ROOT
from tadpool.files import contracts, io
from tadpool.files.results import StudyResults
from tadpool.reporting import fit_view
from tadpool.reporting.html.environment import environment
from tadpool.reporting.pages import study
from tadpool.reporting.pages.index import index_page
from tadpool.reporting.sections import checklist, overview, run_time
from tadpool.reporting.sections.conclusions import comparisons
from tests.made.page import Page, render, section
from tests.made.results import HOSTILE, MODEL, quantities, sensitive

TEMPLATES = ROOT / "report"


def lights(results):
    """State and words of each check over all models, by name."""
    all_fits = fit_view.all_fits(results, {})
    found = study.lights(all_fits, comparisons(results), results)
    return {light.name: (light.state, light.words, light.anchor) for light in found}


def grid(text):
    """Role, and state and words of each check, by model."""
    table = re.search(r'<table class="grid".*?</table>', text, flags=re.DOTALL)[0]
    names = re.findall(r"<th scope=\"col\">(.*?)</th>", table)[2:]
    names = [re.sub("<.*?>", "", name) for name in names]
    rows = {}
    for muted, label, role, rest in re.findall(
        r'<tr( class="muted")?><th scope="row">(.*?)</th><td>(.*?)</td>(.*?)</tr>', table, flags=re.DOTALL
    ):
        cells = re.findall(r'<td class="([\w-]+)">(.*?)</td>', rest, flags=re.DOTALL)
        checks = {
            name: (state, Page(f"<p>{words}</p>").words) for name, (state, words) in zip(names, cells, strict=True)
        }
        rows[label] = (role, bool(muted), checks)
    return rows


def points(text):
    """State and link of each point of the checklist."""
    part = re.search(r'<section id="checklist">.*?</section>', text, flags=re.DOTALL)[0]
    rows = re.findall(r"</span> <b>(.*?)</b>: (.*?),", part)
    return {name: (re.sub(r"<.*?>", "", cell), (re.findall(r'href="#(\w+)"', cell) or [""])[0]) for name, cell in rows}


def verdict(results, entry, word, **changes):
    path = results.folder / entry / "check.json"
    io.write_json(path, io.read_json(path) | {"verdict": word} | changes)


def test_checks_say_state_and_word_and_lead_to_their_sections(make):
    results = make()
    text = render(results)
    found = lights(results)
    assert list(found) == [
        "Convergence", "Comparison", "Predictive checks", "Prior sensitivity", "Calibration", "Recovery",
    ]  # fmt: skip
    assert found["Convergence"] == ("pass", "2 of 2 fits pass", "convergence")
    assert found["Comparison"] == ("pass", "one model predicts best", "comparison")
    for name in ("Predictive checks", "Prior sensitivity", "Calibration", "Recovery"):
        assert found[name][0] == "not run"
    shown = grid(text)
    assert shown == {
        "first": ("best", False, {"Convergence": ("pass", "✓ pass"), "Scores": ("pass", "✓ pass: 0 of 12 unreliable")}),
        "second": (
            "baseline",
            True,
            {"Convergence": ("pass", "✓ pass"), "Scores": ("pass", "✓ pass: 0 of 12 unreliable")},
        ),
    }
    assert "Not part of this study: story" not in Page(text).words
    lacking = re.search(r"Not part of this study: (.*?)\.", Page(text).words)[1]
    assert {"posterior predictive", "prior sensitivity", "calibration", "parameter recovery"} <= set(
        lacking.split("; ")
    )
    assert 'id="calibration"' not in text


def test_a_warning_is_amber(make):
    results = make()
    reason = {"severity": "warn", "code": "rhat", "values": {"value": 1.02, "limit": 1.01}, "site": "mu", "labels": []}
    verdict(results, "second", "warn", reasons=[reason])
    text = render(results)
    assert lights(results)["Convergence"][:2] == ("warn", "1 of 2 fits passes")
    assert "R-hat of mu is 1.020, above 1.01" in section(text, "models")
    assert "1 fit with warnings: tiny/second." in Page(index_page([results])).words


def test_a_failure_is_red_unless_the_study_expects_it(make):
    kinds = {"first": "ok", "second": "stuck", "third": "ok"}
    assert lights(make(kinds))["Convergence"][:2] == ("fail", "2 of 3 fits pass, 1 failed")
    known = make(kinds, second={"expect": {"verdict": "fail", "because": "it has a funnel"}})
    assert lights(known)["Convergence"][:2] == ("warn", "2 of 3 fits pass, 1 failed as expected")
    assert lights(known)["Comparison"][:2] == ("warn", "failed fits are left out")
    role, muted, checks = grid(render(known))["second"]
    assert (role, muted, checks["Convergence"]) == ("expected to fail", True, ("fail", "✗ fail"))
    role, muted, _ = grid(render(make(kinds)))["second"]
    assert (role, muted) == ("failed", False)


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({"difference": (-1.5, 1.0, True)}, "pass", "models predict about equally well"),
        ({"difference": (-1.5, 3.0, True)}, "pass", "too close to call"),
        ({"doubtful": 5}, "warn", "too many unreliable scores"),
        ({"kinds": {"first": "crashed", "second": "crashed"}}, "fail", "no model can be called best"),
    ],
)
def test_whether_a_comparison_is_to_be_trusted(make, changes, state, words):
    found = lights(make(**changes))["Comparison"]
    assert found[0] == state
    assert words in found[1]


def test_a_study_that_compares_nothing_says_so(make):
    results = make()
    content = results.config | {"sweeps": {}, "comparisons": {}, "predictions": {}}
    text = render(StudyResults("tiny", content, results.folder))
    assert lights(StudyResults("tiny", content, results.folder))["Comparison"][:2] == ("not run", "nothing is compared")
    assert points(text)["Criteria"] == ("does not apply", "")
    assert points(text)["To hyperparameters"] == ("not reported here", "")


def test_quantities_in_a_tail_and_priors_that_matter_are_amber(make):
    results = make()
    table = quantities(results, "first")
    rows = {
        "mu": (0.353, 0.04, -3.7, "mu", "conflict", 0.1, ""),
        "theta": (0.01, 0.2, 0.5, "", "none", 0.1, ""),
    }
    io.write(results.folder / "first/sensitivity.nc", sensitive(rows), contracts.SENSITIVITY)
    found = lights(results)
    extreme = int(table["extreme"].sum())
    chance = f"at most {0.05 * len(table):.1f} expected by chance"
    assert found["Predictive checks"][:2] == (
        "warn",
        f"{extreme} of {len(table)} checks extreme for first ({chance})",
    )
    assert found["Prior sensitivity"][:2] == ("warn", "1 of 2 parameters sensitive to the priors")


def test_a_true_value_that_is_missed_far_is_amber(grouped):
    state, words, link = lights(grouped)["Recovery"]
    assert (state, link) == ("warn", "recovery")
    assert "far from a true value: shared" in words


def test_the_worst_state_counts():
    assert overview.worst(["pass", "warn"]) == "warn"
    assert overview.worst(["not run", "fail", "pass"]) == "fail"
    assert overview.worst([]) == "not run"


def test_ticks_follow_the_results(make):
    results = make()
    found = points(render(results))
    assert found["Goals of the analysis"] == ("reported", "question")
    assert found["Convergence of the chains"] == ("reported", "estimates")
    assert found["Formal specification"] == ("reported", "models")
    assert found["Prior distributions"] == ("not reported here", "")  # there is no prior.nc
    assert found["To the priors"] == ("not reported here", "")
    assert found["Posterior predictive check"] == ("not reported here", "")
    path = results.folder / "first/check.json"
    report = io.read_json(path)
    report["parameters"][0]["rhat"] = None
    io.write_json(path, report)
    quantities(results, "first")
    found = points(render(results))
    assert found["Convergence of the chains"] == ("partly reported", "estimates")
    assert found["Posterior predictive check"] == ("partly reported", "predictive")


def test_ticks_lead_to_sections_that_are_there(grouped):
    text = render(grouped)
    anchors = {anchor for state, anchor in points(text).values() if state.endswith("reported")}
    assert len(anchors) > 4
    assert anchors <= set(Page(text).ids)
    assert points(text)["Prior distributions"] == ("reported", "models")
    assert points(text)["Data variables"] == ("not reported here", "")  # no variable has a long_name
    assert {state for state, _ in points(text).values()} <= {
        checklist.REPORTED, checklist.PARTLY, checklist.ABSENT, checklist.NOT_NEEDED,
    }  # fmt: skip


def test_the_source_of_a_model_stands_in_its_card_as_text(make):
    text = render(make())
    card = text.split('id="model-first"')[1].split("</article>")[0]
    shown = unescape(re.search(r"<pre[^>]*><code>(.*?)</code></pre>", card, flags=re.DOTALL)[1])
    assert shown == MODEL.strip()
    assert "<script>" not in card


def test_time_and_memory_of_every_job_are_shown(make):
    results = make()
    for place in ("first/fit", "sweeps/grid/sweep.share-1of2"):
        io.write_text(results.folder / f"benchmarks/{place}.tsv", "s\tmax_rss\tcpu_time\n30.0\t300\t4.0\n")
    words = section(render(results), "run_time")
    assert "first/fit 30.0 300.0" in words
    assert "sweeps/grid/sweep.share-1of2 30.0 300.0" in words
    assert "with the workflow at commit" in words


def git(folder, *arguments):
    options = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_of_the_workflow_and_whether_it_was_changed(tmp_path):
    assert run_time.commit(tmp_path).startswith("not known")
    git(tmp_path, "init", "-q")
    (tmp_path / "Snakefile").write_text("")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    assert re.fullmatch(r"[0-9a-f]{40}, clean", run_time.commit(tmp_path))
    (tmp_path / "Snakefile").write_text("rule all:\n")
    assert run_time.commit(tmp_path).endswith("with changes in 1 of its files")


def test_a_folder_inside_another_repository_is_not_taken_for_its_commit(tmp_path):
    git(tmp_path, "init", "-q")
    inner = tmp_path / "workflow"
    inner.mkdir()
    (inner / "Snakefile").write_text("")
    assert run_time.commit(inner).startswith("not known")


def test_every_file_can_be_downloaded(make):
    results = make()
    files = section(render(results), "downloads").split()
    made = [path for path in results.folder.rglob("*") if path.suffix in (".nc", ".csv", ".json", ".svg")]
    assert len(made) > 15
    assert not [path for path in made if not {path.name, path.relative_to(results.folder).as_posix()} & set(files)]


# Every number is read from a file: one that is altered there is altered in the page.


def in_csv(path, column, value):
    table = pd.read_csv(path)
    table[column] = table[column].astype(object)
    table.loc[0, column] = value
    io.write_csv(path, table)


def in_check(path, value, *keys):
    report = io.read_json(path)
    inner = report
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    io.write_json(path, report)


def in_netcdf(path, contract, group, name, value):
    tree = io.read(path, contract)
    changed = tree[group].to_dataset()
    changed[name] = xr.full_like(changed[name], value)
    tree[group] = changed
    io.write(path, tree, contract)


CRASH = {"severity": "warn", "code": "status", "values": {"status": "crashed", "reason": "8642"}}
ALTERED = {
    "data": (lambda f: in_netcdf(f / "data.nc", contracts.DATA, "observed_data", "y", 8642), "8642"),
    "convergence": (lambda f: in_check(f / "first/check.json", 8642.4, "diagnostics", "ess_bulk_min"), "8,642"),
    "estimates": (lambda f: in_check(f / "first/check.json", 8.642, "parameters", 0, "mean"), "8.642"),
    "models": (
        lambda f: in_check(f / "first/check.json", [CRASH],
                           "reasons"),
        "The job crashed: 8642.",
    ),
    "comparison": (lambda f: in_csv(f / "comparisons/main.csv", "p_loo", 86.42), "86.42"),
    "sweeps": (lambda f: in_check(f / "sweeps/grid/check.json", 86.42, "points", 0, "diagnostics", "bfmi_min"), "86.42"),
    "predictive": (lambda f: in_csv(f / "figures/first-test_quantities.csv", "observed", 86.421), "86.42"),
    "predictions": (
        lambda f: in_netcdf(f / "first/predictions.nc", contracts.PREDICTIONS, "predictions", "y", 86.42), "86.4",
    ),
    "sensitivity": (
        lambda f: in_netcdf(f / "first/sensitivity.nc", contracts.SENSITIVITY, "sensitivity", "prior_sds", -86.4), "−86.4",
    ),
    "provenance": (
        lambda f: io.write(f / "first/prior.nc", prior({"code": "8642" * 16, "versions": {"jax": "86.42"}}), contracts.PRIOR),
        "86.42",
    ),
    "run_time": (lambda f: io.write_text(f / "benchmarks/first/fit.tsv", "s\tmax_rss\tcpu_time\n86.42\t1\t1\n"), "86.4"),
    "story": (
        lambda f: io.write_json(f / "figures/figures.json", [{"name": "a", "section": "story", "caption": "It is 86.42."}]),
        "It is 86.42.",
    ),
}  # fmt: skip


def prior(record):
    empty = xr.Dataset({"y": (("chain", "draw"), np.zeros((1, 2)))})
    tree = xr.DataTree.from_dict({"prior": empty, "prior_predictive": empty, "observed_data": xr.Dataset()})
    tree.attrs.update(provenance=json.dumps(record), status="ok", relations=json.dumps({"sample_dist": {}}))
    return tree


@pytest.mark.parametrize("name", ALTERED)
def test_a_number_that_is_altered_in_its_file_is_altered_in_the_page(make, name):
    alter, words = ALTERED[name]
    results = make()
    quantities(results, "first")
    rows = {"mu": (0.353, 0.04, -3.7, "mu", "conflict", 0.1, "")}
    io.write(results.folder / "first/sensitivity.nc", sensitive(rows), contracts.SENSITIVITY)
    assert words not in section(render(results), name)
    alter(results.folder)
    assert words in section(render(StudyResults(results.study, results.config, results.folder)), name)


CONSTANTS = [  # levels of intervals, facts of arithmetic, a year, a seed, and lengths that the template itself sets
    "89 %", "90 %", "(0 %)", "(100 %)",
    "it is 1 for a Poisson distribution", "a scale of 0", "Kruschke 2021", "sha256", "first 12 digits",
    "fixed settings and seed 1",
]  # fmt: skip


def prose(text):
    """What a template says by itself: its text without markup, and the strings with spaces in its
    expressions."""
    tokens = [(kind, value) for _, kind, value in environment().lex(text)]
    between = "".join(value if kind == "data" else "\0" for kind, value in tokens if kind in ("data", "name"))
    strings = [value[1:-1] for kind, value in tokens if kind == "string" and " " in value]
    return " ".join([*re.sub(r"<[^>]*>", " ", between).replace("\0", "").split(), *strings])


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_type_no_digits_beyond_stated_constants(path):
    words = prose(path.read_text())
    for constant in CONSTANTS:
        words = re.sub(re.escape(constant), " ", words, flags=re.IGNORECASE)
    assert re.findall(r".{0,30}\d.{0,30}", words) == []


def test_hostile_titles_stay_text_in_all_states(make):
    results = make({"first": "crashed", "second": "stuck"}, second={"label": HOSTILE})
    text = render(results)
    assert "<script>alert" not in text
    assert fit_view.all_fits(results, {})[1].label == HOSTILE


def test_an_entry_that_is_compared_with_none_has_its_score(make):
    """A comparison may name one entry, to score it on the target."""
    page = render(make({"first": "ok"}))
    words = section(page, "comparison")
    assert "First is scored on held-out rows; no other model is compared with it." in words
    assert "usable" not in words
