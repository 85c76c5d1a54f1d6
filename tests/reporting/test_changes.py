"""Two runs beside each other: what changed, what did not, and why nothing can be said."""

import copy
import math

import numpy as np
import pytest

from tadpool import config
from tadpool.config import reading
from tadpool.files import io, provenance
from tadpool.reporting.html.tables import Table
from tadpool.reporting.pages.index import index_page
from tadpool.reporting.pages.study import study_record
from tadpool.reporting.sections import changes, run_record
from tadpool.workflow.specs import Specs
from tests.made.page import Page, render, section
from tests.made.tables import texts


def record(results):
    return study_record(results, "d" * 64, 1, dict.fromkeys(results.entries, config.Sampler().model_dump()))


@pytest.fixture
def pair(make, tmp_path):
    """pair(change): the results of a run, and its changes against a run whose record `change`
    altered."""
    results = make()
    here = record(results)

    def paired(change=lambda there: None):
        there = copy.deepcopy(here)
        change(there)
        io.write_json(tmp_path / "before/tiny/run.json", there)
        return results, changes.changes(here, str(tmp_path / "before"))

    return paired


def shown(results, found):
    return section(render(results, found), "changes")


def test_the_same_run_has_no_changes(pair):
    results, found = pair()
    assert found.nothing
    compared = 2 * 2 * 15 + 2  # mean and SD of 15 parameters of 2 fits, and 2 elpds
    assert found.compared == compared
    sentence = f"Nothing changed: config, data, code, versions, verdicts and {compared} estimates are the same."
    assert sentence in shown(results, found)
    assert sentence in Page(index_page([results], changes={"tiny": found})).words


def test_config_that_differs_is_listed_with_both_values(pair):
    def change(there):
        there["config"]["models"]["first"]["hyperparameters"] = {"sigma_rate": 2.0}
        there["config"]["run"]["seed"] = 7
        there["config"]["title"] = "<b>Old</b>"

    results, found = pair(change)
    rows = {key: (there, here) for key, there, here in found.config}
    assert rows["models.first.hyperparameters.sigma_rate"] == ("2.0", "—")
    assert rows["run.seed"] == ("7", "1")
    assert set(rows) == {"title", "models.first.hyperparameters.sigma_rate", "run.seed"}
    text = render(results, found)
    assert "<b>Old</b>" in Page(text).words
    assert "<b>Old" not in text
    assert "Changed: 3 config keys." in shown(results, found)


def test_estimates_count_as_moved_beyond_three_combined_monte_carlo_errors(pair):
    def change(there):
        mean, mcse, sd, mcse_sd = there["estimates"]["first"]["mu"]
        there["estimates"]["first"]["mu"] = [
            mean - 2.9 * math.hypot(mcse, mcse),
            mcse,
            sd - 5 * math.hypot(mcse_sd, mcse_sd),
            mcse_sd,
        ]
        there["scores"]["main"]["second"][0] += 1.0

    results, found = pair(change)
    moved = texts(found.moved_table)
    assert [row[0] for row in moved] == ["second: elpd in main", "first: SD of mu"]
    assert moved[1][-1] == "5.0"
    elpd = moved[0]
    assert elpd[1:] == ["−58.000", "−59.000", "−1.000", "0.042", "23.6"]
    words = shown(results, found)
    assert "Changed: 2 of 62 estimates." in words
    assert "more than 3 times the combined Monte Carlo error" in words
    assert f"{found.by_chance:.2f} of 62 estimates would be expected to move that far by chance" in words
    assert found.by_chance == pytest.approx(62 * 0.0026998, rel=1e-4)


def test_by_chance_as_many_move_as_is_stated():
    """400,000 pairs of estimates of the same: within 4 standard errors of the stated share (false
    alarms: 1 in 16,000)."""
    rng = np.random.default_rng(3)
    there, here = rng.normal(0, 0.3, 400_000), rng.normal(0, 0.4, 400_000)
    share = np.mean(np.abs(there - here) > changes.MULTIPLE * np.hypot(0.3, 0.4))
    assert abs(share - changes.BY_CHANCE) < 4 * math.sqrt(changes.BY_CHANCE / 400_000)


def test_an_estimate_without_an_error_moves_where_it_differs(pair):
    def change(there):
        there["estimates"]["first"]["mu"] = [0.0, 0.0, 1.0, None]

    def without(there):
        there["estimates"]["first"]["mu"] = [None, None, None, None]

    assert pair(change)[1].compared == 61
    assert pair(without)[1].compared == 60
    none = {"estimates": {"a": {"c": [1.0, 0.0, None, None]}}, "scores": {}}
    other = {"estimates": {"a": {"c": [2.0, 0.0, None, None]}}, "scores": {}}
    moved, _ = changes._moved(none, other)
    rows = texts(Table(changes.ESTIMATE_COLUMNS, moved))
    assert rows == [["a: mean of c", "1.0", "2.0", "1.0", "0.0", "no error"]]


def test_verdicts_that_changed(pair):
    def change(there):
        there["headline"] = "A tie."
        there["fits"]["second"] = "warn"
        there["standings"]["main"]["second"] = "tie"
        there["checks"]["Convergence"] = "warn"
        there["sweeps"]["grid"] = "fail"

    results, found = pair(change)
    assert found.verdicts[1:] == [
        ("check Convergence", "warn", "pass"), ("fit second", "warn", "pass"), ("sweep grid", "fail", "pass"),
        ("comparison main: second", "tie", "worse"),
    ]  # fmt: skip
    words = shown(results, found)
    assert "verdict of the study A tie. Of these models, the first model predicts held-out rows best" in words
    assert "Changed: 5 verdicts." in words


def test_entries_of_one_run_alone_are_named_once(pair):
    def change(there):
        there["config"]["models"]["old"] = there["config"]["models"].pop("second")
        there["config"]["run"]["samplers"]["old"] = there["config"]["run"]["samplers"].pop("second")
        for kind in ("fits", "estimates"):
            there[kind]["old"] = there[kind].pop("second")

    results, found = pair(change)
    assert (found.only_here, found.only_there, found.config) == (["second"], ["old"], [])
    assert "Only in this run: second. Only in the earlier run: old." in shown(results, found)


def test_data_code_and_versions_that_differ(pair):
    def change(there):
        there["data"]["y"] = "0" * 64
        there["code"]["first/fit.nc"] = "0" * 64
        there["versions"]["jax"] = "0.1"

    results, found = pair(change)
    words = shown(results, found)
    assert "Variables that differ in the data: y." in words
    assert "Files made by different code: first/fit.nc." in words
    assert "Changed: 1 variable of the data, the code of 1 file and the versions of 1 package." in words


def test_data_are_told_apart_by_their_values(make):
    first = record(make())["data"]
    results = make()
    assert record(results)["data"] == first
    changed = results.data.copy(deep=True)
    changed["y"][0] += 1
    assert run_record._digest(changed["y"]) != first["y"]
    assert run_record._digest(changed["group"]) == first["group"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "has no study tiny"),
        ("", "cannot be read; copy it again"),
        ("{}", "was written by another version of tadpool"),
        ('{"format": 99}', "was written by another version of tadpool"),
        ("[1]", "was written by another version of tadpool"),
    ],
)
def test_a_run_that_cannot_be_compared_leaves_one_sentence_on_the_page(make, tmp_path, content, words):
    results = make()
    if content is not None:
        io.write_text(tmp_path / "before/tiny/run.json", content)
    found = changes.changes(record(results), str(tmp_path / "before"))
    assert words in shown(results, found)
    assert shown(results, found).count("The two runs cannot be compared") == 1
    assert words in Page(index_page([results], changes={"tiny": found})).words


def test_a_folder_of_a_run_that_did_not_end(make, tmp_path):
    (tmp_path / "before/tiny").mkdir(parents=True)
    found = changes.changes(record(make()), str(tmp_path / "before"))
    assert "that run did not end" in found.reason


def test_without_another_run_the_page_says_so(make):
    results = make()
    text = render(results)
    assert "; compared with an earlier run" in Page(text).words
    assert 'id="changes"' not in text
    assert 'id="changes"' not in index_page([results])


def test_the_other_run_is_part_of_what_makes_the_pages(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    io.write_text("before/cookies/run.json", "{}")
    chosen = {"studies": ["cookies"], "compare_with": "before"}

    def specs():
        made = Specs(config.read(chosen))
        return made.spec("render_report", {"study": "cookies"}), made.spec("render_index", {})

    first = specs()
    assert provenance.run_digest("before", "cookies") in first[0]
    assert provenance.run_digest("before", "radon") is None
    assert specs() == first
    io.write_text("before/cookies/run.json", "{} ")
    assert not set(specs()) & set(first)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("nowhere", "there is no folder 'nowhere'; give the results folder of another run, or remove the key"),
        ("results", "'results' is the folder that this run writes; copy it before the run and name the copy"),
    ],
)
def test_a_folder_that_cannot_be_meant_is_refused(tmp_path, monkeypatch, value, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    with pytest.raises(reading.ConfigErrors) as caught:
        config.read({"studies": ["cookies"], "compare_with": value})
    assert caught.value.problems == [f"--config or --configfile: compare_with: {words}"]
