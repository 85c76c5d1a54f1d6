"""What a formula takes from the data before anything is sampled."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tadpool import ROOT
from tests.made.formulas import bound

DATA = ROOT / "tests" / "formula" / "data"
NUMBER, GROUP = {"kind": "number"}, {"kind": "group"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()


def facts(table, columns, formula):
    shutil.copy(DATA / f"{table}.csv", "data/table.csv")
    return bound("data/table.csv", columns, {"formula": formula}).facts


SLEEP = {"reaction": NUMBER, "days": NUMBER, "subject": GROUP}


@pytest.mark.parametrize(
    ("terms", "aliased"),
    [
        ("days", []),
        ("days + I(days ** 2) + poly(days, 3)", ["poly(days,3).1", "poly(days,3).2"]),
        ("days + I(3 - 2 * days)", ["I(3-2*days)"]),
        ("0 + days + I(3 - 2 * days)", []),
        ("subject + days + (1 | subject)", []),
    ],
)
def test_columns_that_others_determine_are_found(place, terms, aliased):
    assert facts("sleepstudy", SLEEP, f"reaction ~ {terms}")["aliased"] == aliased


def test_variances_of_nested_groups_are_told_apart(place):
    """Means of batches vary because their casks do: most of that is not a variance of batches."""
    columns = {"strength": NUMBER, "batch": GROUP, "cask": GROUP}
    effects = facts("pastes", columns, "strength ~ 1 + (1 | batch/cask)")["effects"]
    assert not effects["alpha_batch"]["centred"]
    assert effects["delta_batch:cask"]["centred"]
    # The moment estimates of a balanced nested design, 10 batches of 3 casks of 2 rows.
    table = pd.read_csv(DATA / "pastes.csv")
    cask = table.groupby(["batch", "cask"]).strength.mean()
    within = cask.groupby("batch").var().mean()
    batches = cask.groupby("batch").mean().var() - within / 3
    np.testing.assert_allclose(effects["alpha_batch"]["between"], batches, rtol=0.35)


def test_crossed_groups_are_independent_in_a_balanced_design(place):
    columns = {"diameter": NUMBER, "plate": GROUP, "sample": GROUP}
    effects = facts("penicillin", columns, "diameter ~ 1 + (1 | plate) + (1 | sample)")["effects"]
    # REML: 0.85 and 1.93.
    np.testing.assert_allclose(np.sqrt(effects["delta_sample"]["between"]), 1.93, rtol=0.1)
