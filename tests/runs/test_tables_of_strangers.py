"""Tables of strangers, run to the page from their folders as they stand: words that a program
might take for its own, rows that say nothing, and empty cells."""

import csv
import html
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tadpool import ROOT

CASES = ROOT / "tests" / "made" / "cases"
FOLDERS = ("dollars", "unit-called-sample", "zero-trials")
EMPTY_CELLS = """
title: Hours that were not written down
question: What does an hour gain?
dataset:
  table: data/empty_cells.csv
  columns:
    gain: {kind: number}
    hours: {kind: number, missing: impute}
    school: {kind: group}
outcomes: [gain]
unit: pupil
groups: [school]
models: {main: {formula: "gain ~ hours + (1 | school)"}}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results of all studies of these folders, in one quick run."""
    folder = tmp_path_factory.mktemp("strangers")
    for name in FOLDERS:
        shutil.copytree(CASES / name, folder, dirs_exist_ok=True)
    rng = np.random.default_rng(3)
    hours, school = rng.normal(4, 1, 120), np.repeat(np.arange(12), 10)
    gain = 2 * hours + rng.normal(0, 1, 12)[school] + rng.normal(0, 1, 120)
    table = pd.DataFrame({"gain": gain, "hours": np.where(np.arange(120) % 4, hours, np.nan), "school": school})
    table.to_csv(folder / "data" / "empty_cells.csv", index=False)
    (folder / "config" / "studies" / "empty_cells.yaml").write_text(EMPTY_CELLS)
    run = subprocess.run([ROOT / "bin" / "tadpool", "quick"], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    return folder / "results"


def words(path):
    """The text of a page, without its tags and scripts."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", path.read_text(), flags=re.S)
    return html.unescape(re.sub(r"<[^>]*>", "", text))


@pytest.mark.parametrize(("study", "table", "column"), [("incomes", "incomes", "income"), ("bands", "bands", "band")])
def test_labels_are_on_the_page_and_in_the_tables_letter_by_letter(results, study, table, column):
    labels = set(pd.read_csv(CASES / "dollars" / "data" / f"{table}.csv", keep_default_na=False)[column])
    page = words(results / study / "index.html")
    assert "&amp;" not in page
    with (results / study / "figures" / "partial-forest.csv").open(newline="") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    for label in labels:
        assert label in page
        assert any(label in cell for cell in cells), label


def test_a_unit_called_sample_is_scored(results):
    loo = xr.load_datatree(results / "lakes_by_sample" / "partial" / "loo.nc")["loo"]
    assert loo["elpd"].dims == ("sample",)
    assert "Algae in lakes" in words(results / "lakes_by_sample" / "index.html")


def test_a_tray_without_seeds_keeps_its_prior_and_scores_0(results):
    loo = xr.load_datatree(results / "zero_trials" / "partial" / "loo.nc")["loo"]
    assert abs(float(loo["elpd"].sel(tray="T9"))) < 1e-9
    assert "A tray in which nothing was sown" in words(results / "zero_trials" / "index.html")


def test_empty_cells_that_are_imputed_are_counted_and_every_row_is_scored(results):
    study = results / "empty_cells"
    page = " ".join(words(study / "index.html").split())
    assert "hours is missing in 30 of 120 pupils and has a model of its own inside the fit" in page
    loo = xr.load_datatree(study / "main" / "loo.nc")["loo"]
    assert loo["elpd"].shape == (120,)
    assert np.isfinite(loo["elpd"]).all()
    draws = xr.load_datatree(study / "main" / "fit.nc")["posterior"]["imputed_hours"]
    assert draws.mean(["chain", "draw"]).size == 30
