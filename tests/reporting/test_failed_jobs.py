"""A job that fails costs what it makes alone: the page is there and says so, and the gate stops the
run."""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tadpool import ROOT, config
from tadpool.errors import UserError
from tadpool.figures import drawing
from tadpool.files import failures, io
from tadpool.files.results import StudyResults
from tadpool.reporting.pages.index import index_page
from tadpool.workflow import child_process, failed_results, unmade
from tests.made.page import Page, render
from tests.made.results import PROVENANCE

CAUSE = "RuntimeError: planted (log: results/tiny/logs/planted.log)"
ENTRIES = ["first", "second", "third"]
SPEC = {"study": "tiny", "entries": ENTRIES, "target": "unit", "over": "scale", "by": None}
MORE = {
    "calibration": {"one": {"entry": "first"}, "two": {"entry": "second"}},
    "recovery": {"grid": {"entries": ["first", "second"], "over": {"n": [1, 2]}, "sites": ["mu"]}},
}
BY_FIT = {
    "fit": ["first/fit.nc", "second/fit.nc", "third/fit.nc"],
    "check": ["first/check.json", "second/check.json", "third/check.json"],
}
BESIDE = {
    "prior": ["first/prior.nc", "second/prior.nc", "third/prior.nc"],
    "score": ["first/loo.nc", "second/loo.nc", "third/loo.nc"],
    "sensitivity": ["first/sensitivity.nc", "second/sensitivity.nc", "third/sensitivity.nc"],
    "prediction": ["first/predictions.nc"],
    "sweep": ["sweeps/grid/check.json"],
    "score of a sweep": ["sweeps/grid/loo.nc"],
    "comparison": ["comparisons/main.csv"],
    "calibration": ["calibration/one.nc", "calibration/two.nc"],
    "recovery": ["recovery/grid/first.nc", "recovery/grid/second.nc"],
    "figures": ["figures"],
}
CASES = [(kind, paths) for kind, every in (BY_FIT | BESIDE).items() for paths in (every[:1], every)[: len(every)]]


def fail(results, path):
    """Leave the result that a job leaves which fails."""
    target = str(results.folder / path)
    if path.endswith(".nc"):
        failed_results.write_crashed(target, PROVENANCE, CAUSE)
    else:
        failed_results.write(target, SPEC | {"entry": path.partition("/")[0]}, CAUSE)


def gated(results):
    """What the gate says."""
    reports = [str(results.folder / entry / "check.json") for entry in results.entries]
    paths = [str(path) for path in results.may_have_failed()]
    main = runpy.run_path(str(ROOT / "scripts" / "gate.py"))["main"]
    with pytest.raises(UserError) as caught:
        main(reports, paths, str(results.folder / "gate.json"), {}, False)
    return str(caught.value)


@pytest.mark.parametrize(("kind", "paths"), CASES, ids=lambda it: it if isinstance(it, str) else str(len(it)))
def test_a_failed_job_is_said_on_the_page_on_the_index_and_by_the_gate(make, kind, paths):
    made = make(dict.fromkeys(ENTRIES, "ok"))
    study = {name: made.config[name] for name in ("title", "question", "dataset", "outcomes", "unit")}
    full = config.Study(**study, models={entry: {"model": "tiny"} for entry in ENTRIES}, **MORE).model_dump(
        by_alias=True
    )
    chosen = {name: full[name] for name in MORE if any(path.startswith(name) for path in paths)}
    results = StudyResults("tiny", made.config | chosen | {"sensitivity": kind == "sensitivity"}, made.folder)
    if chosen:
        paths = BESIDE[kind]  # there is no result of any other in this made-up study
    for path in paths:
        fail(results, path)
        if path.endswith("fit.nc"):
            fail(results, path.replace("fit.nc", "check.json"))
            fail(results, path.replace("fit.nc", "loo.nc"))
    page, index, said = Page(render(results)).words, Page(index_page([results])).words, gated(results)
    assert CAUSE in page
    for path in paths:
        told = str(results.folder / path) if kind in BESIDE else f"results/tiny/{path.partition('/')[0]}"
        assert told in said
        assert told in page or kind in BY_FIT
    assert said.count("planted (log") == len(paths)
    if kind in BESIDE:
        assert f"{len(paths)} result" in page
        assert "could not be made. Everything else is shown; the next run tries again." in page
        assert "of tiny could not be made." in index
    else:
        assert f"{len(paths)} of 3 fits failed" in index
        assert "could not be made" not in page


WHY = "prepare_data failed: data/t.csv, line 3, column y: 'oops' <b> (log: results/lost/logs/prepare_data.log)"


@pytest.mark.parametrize(
    ("without", "said", "absent"),
    [
        ({"lost": [WHY]}, ["The page of lost could not be made. ", WHY, "tiny / first"], ["made elsewhere"]),
        ({"lost": [WHY], "tiny": ["b", "c"]}, ["Pages of tiny and lost could not be made.", WHY], ["tiny / first", "0 of 0"]),
        ({}, ["The page of lost could not be made. ", "results/lost/"], [WHY]),
        ({"tiny": ["b"]}, ["Pages of tiny and lost could not be made.", "results/lost/"], ["tiny / first"]),
    ],
)  # fmt: skip
def test_the_index_names_the_studies_whose_page_could_not_be_made(make, without, said, absent):
    tiny = make(dict.fromkeys(ENTRIES, "ok"))
    lost = StudyResults("lost", tiny.config | {"title": "Lost"}, tiny.folder.parent / "lost")
    io.write_text(lost.folder / "index.html", "of an earlier run")
    text = index_page([tiny, lost], unmade=without)
    words = Page(text).words
    assert [each for each in said if each not in words] == []
    assert [each for each in absent if each in words] == []
    assert '<div class="conclusion fail">' in text
    assert words.count("The page of an earlier run") == 1
    with pytest.raises(OSError, match="No such file"):
        index_page([tiny, lost])


LOGS = {
    "a: sentence of one line": ("a: remark\na: sentence\n", "a: remark a: sentence"),
    "traceback": ('Traceback (most recent call last):\n  File "x", line 1\nValueError: no\n', "ValueError: no"),
    "nothing": ("", "its log is empty, so it was ended from outside"),
    "no log": (None, "its log is empty, so it was ended from outside"),
}


@pytest.mark.parametrize(("text", "said"), LOGS.values(), ids=LOGS)
def test_the_end_of_a_log_says_why_its_job_failed(tmp_path, text, said):
    if text is not None:
        (tmp_path / "job.log").write_text(text)
    assert failures.end_of(tmp_path / "job.log").startswith(said)


def job(rule, study="", log="job.log"):
    return SimpleNamespace(rule=SimpleNamespace(name=rule), wildcards={"study": study} if study else {}, log=[log])


WAITING = [job("render_report", "bad"), job("render_report", "other"), job("render_index")]


@pytest.mark.parametrize(
    ("failed", "waiting", "named", "storage"),
    [
        (
            [job("prepare_data", "bad")],
            WAITING,
            {"bad": ["prepare_data failed: why (log: job.log)"], "other": []},
            None,
        ),
        ([SimpleNamespace(jobs=[job("fit", "bad")])], WAITING[::2], {"bad": ["fit failed: why (log: job.log)"]}, None),
        ([job("render_index")], WAITING[2:], {}, None),
        ([job("gate")], [], None, None),
        ([], WAITING, None, None),
        ([job("prepare_data", "bad")], WAITING, None, "s3"),
    ],
)
def test_a_run_that_lacks_a_page_ends_with_the_index(tmp_path, monkeypatch, failed, waiting, named, storage):
    monkeypatch.chdir(tmp_path)
    Path("job.log").write_text("why\n")
    io.write_text(unmade.INDEX, "of an earlier run")
    given = []
    monkeypatch.setattr(runpy, "run_path", lambda path: {"main": lambda *_, unmade: given.append(unmade)})
    workflow = SimpleNamespace(
        dag=SimpleNamespace(needrun_jobs=lambda: waiting),
        scheduler=SimpleNamespace(failed=failed),
        storage_settings=SimpleNamespace(default_storage_provider=storage),
    )
    unmade.write_index(workflow, SimpleNamespace(spec=lambda *_: "{}"))
    assert given == ([] if named is None else [named])
    assert (Path(unmade.INDEX).stat().st_mtime == 1) == (named is not None), "the next run must make it again"


def test_nothing_is_said_where_nothing_failed(make):
    results = make()
    assert results.failures() == {}
    for text in (render(results), index_page([results])):
        assert "could not be made" not in text


def test_a_fit_without_a_score_is_not_called_failed(make):
    results = make(dict.fromkeys(ENTRIES, "ok"))
    path = results.folder / "comparisons/main.csv"
    table = io.read_csv(path).astype(object)
    table.loc[2, ["rank", "elpd", "elpd_diff", "dse", "tie", "weight"]] = None
    io.write_csv(path, table)
    words = Page(render(results)).words
    assert "Third: no predictive score, so no rank." in words
    fail(results, "comparisons/main.csv")
    words = Page(render(results)).words
    assert "No model can be compared: there are no predictive scores." in words
    assert "no fit has usable numbers" not in words


def test_a_figure_that_cannot_be_drawn_costs_that_figure_alone(make, monkeypatch, capsys):
    own = {"kind": "histogram", "variable": "y", "caption": "A."}
    figures = {
        "well": own,
        "wrong_option": own | {"colour": "red"},
        "wrong_caption": own | {"caption": "{nothing}"},
        "raises": own | {"kind": "violins", "by": "group"},
    }

    def draw(results, *, variable, by):
        raise ZeroDivisionError("planted")

    kind = drawing._kind
    monkeypatch.setattr(drawing, "_kind", lambda name: draw if name == "violins" else kind(name))
    monkeypatch.setattr(drawing, "standard", dict)
    made = make()
    results = StudyResults("tiny", made.config | {"figures": figures}, made.folder)
    log = "results/tiny/logs/draw_figures.log"
    failed = drawing.draw_all(results, results.folder / "figures", log)
    assert failed["raises"] == f"ZeroDivisionError: planted (log: {log})"
    assert sorted(failed) == ["raises", "wrong_caption", "wrong_option"]
    assert "ZeroDivisionError: planted" in capsys.readouterr().err
    drawn = {path.stem for path in (results.folder / "figures").glob("*.svg")}
    assert "well" in drawn
    assert not drawn & set(failed)
    assert [figure["name"] for figure in io.read_json(results.folder / "figures/figures.json")] == ["well"]
    page = Page(render(results)).words
    for name, why in failed.items():
        assert f"{results.folder / 'figures' / name} could not be drawn: {why}" in page
    assert "3 results of this study could not be made." in page


@pytest.mark.parametrize(
    ("script", "output", "inputs", "spec"),
    [
        ("check", "first/check.json", {"fit": "lost.nc"}, {"study": "s", "entry": "e", "over": None, "by": None}),
        ("check", "sweeps/g/check.json", {"fit": "lost.nc"}, {"study": "s", "entry": "e", "over": "x", "by": None}),
        ("compare", "comparisons/main.csv", {"loos": ["lost/loo.nc"], "checks": []}, {"entries": ["lost"], "target": "unit"}),
        ("draw_figures", "figures", {}, {"study": "s", "config": {}}),
    ],
)  # fmt: skip
def test_a_job_that_runs_no_model_leaves_a_failed_result_and_a_record(
    tmp_path, monkeypatch, script, output, inputs, spec
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)  # what the log takes
    record = Path(f"{script}.crashes.json")
    for count in (1, 2):
        earlier = io.read_json(record) if record.exists() else []
        given = {
            "input": SimpleNamespace(**inputs),
            "output": type("Output", (list,), dict.fromkeys(("check", "table", "figures"), output))([output]),
            "params": SimpleNamespace(
                spec=json.dumps(spec), digest="d", crashes=json.dumps({"record": str(record), "earlier": earlier})
            ),
            "log": ["job.log"],
            "resources": {"runtime": 5, "attempt": 1},
        }
        path = str(ROOT / "scripts" / f"{script}.py")
        runpy.run_path(path, init_globals={"snakemake": SimpleNamespace(**given)}, run_name="__main__")
        ((_, why),) = failures.told(output).items()
        assert "(log: job.log)" in why
        assert ("Traceback" in Path("job.log").read_text()) == ("does not exist" not in why)
        assert len(io.read_json(record)) == count, "another failure is another record, so the next run tries again"


KILLED = """
import os, signal
def main(output, study, entry, over, by):
    os.kill(os.getpid(), getattr(signal, entry))
"""


@pytest.mark.parametrize(("name", "tried"), [("SIGKILL", True), ("SIGSEGV", False)])
def test_a_job_that_runs_no_model_and_is_killed_says_so(tmp_path, monkeypatch, name, tried):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(child_process.RETRIES, "1")
    Path("script.py").write_text(KILLED)
    spec = json.dumps({"study": "s", "entry": name, "over": None, "by": None})
    params = SimpleNamespace(spec=spec, crashes=json.dumps({"record": "check.crashes.json", "earlier": []}))

    def attempt(number):
        child_process.run_plain(
            "script.py", {"output": "check.json"}, ["check.json"], params, ["job.log"], {"attempt": number}
        )

    if tried:
        with pytest.raises(SystemExit):
            attempt(1)
        assert not Path("check.json").exists()
    attempt(2)
    (why,) = failures.told("check.json").values()
    assert f"the process was ended by {name}" in why


@pytest.mark.parametrize("cause", ["results/s/p/fit.nc: the disk is full", "the disk is full"])
def test_the_terminal_names_the_file_once(cause, monkeypatch, tmp_path):
    with (tmp_path / "terminal").open("wb") as terminal:
        monkeypatch.setenv("TADPOOL_TERMINAL", str(terminal.fileno()))
        failed_results.say("results/s/p/fit.nc", cause)
    assert (tmp_path / "terminal").read_text() == "results/s/p/fit.nc: the disk is full\n"
