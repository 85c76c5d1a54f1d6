"""Separation, and predictors that never occur together or determine each other, are found where
they are and not elsewhere."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tadpool.files.results import StudyResults
from tadpool.reporting.sections.group_remarks import remarks


class Made(StudyResults):
    """Results that are a data set."""

    @property
    def data(self):
        return self.config["data"]


def study(outcome, index, **columns):
    variables = {"y": ("row", np.asarray(outcome)), "group_index": ("row", np.asarray(index))}
    variables |= {name: ("row", np.asarray(values)) for name, values in columns.items()}
    data = xr.Dataset(variables, {"group": ["a", "b", "c"]})
    config = {"data": data, "unit": "row", "groups": ["group"], "outcomes": ["y"], "observed_where": {}}
    return Made("made", config, Path())


def test_members_whose_outcomes_are_all_alike_are_counted():
    (found,) = remarks(study([0, 0, 1, 1, 1, 0, 1], [0, 0, 1, 1, 1, 2, 2]))
    assert found.startswith(
        "2 of 3 groups with at least 2 rows have values of y that are all 0 or all 1 (5 of 7 rows)."
    )
    assert "(separation)" in found


@pytest.mark.parametrize(
    ("outcome", "index"),
    [
        ([0, 1, 1, 0, 1, 0], [0, 0, 1, 1, 2, 2]),
        ([0, 1, 1, 0, 1], [0, 0, 1, 1, 2]),  # one row is alike by itself
        ([3, 3, 1, 0, 2, 2], [0, 0, 1, 1, 2, 2]),  # counts
    ],
)
def test_without_separation_nothing_is_said(outcome, index):
    assert remarks(study(outcome, index)) == []


def test_predictors_that_never_occur_together():
    mixed, index = [0, 1, 1, 0, 1, 0], [0, 0, 1, 1, 2, 2]
    (found,) = remarks(study(mixed, index, action=[1, 1, 0, 0, 0, 0], contact=[0, 0, 1, 1, 0, 0]))
    assert found.startswith("action and contact are never both 1: ")
    assert remarks(study(mixed, index, action=[1, 1, 0, 0, 0, 0], contact=[1, 0, 1, 1, 0, 0])) == []


def test_predictors_that_determine_each_other():
    mixed, index = [0, 1, 1, 0, 1, 0], [0, 0, 1, 1, 2, 2]
    length = np.array([1.0, 2.0, 3.5, 4.0, 5.0, 7.0])
    (found,) = remarks(study(mixed, index, inches=length, cm=-2.54 * length))
    assert found.startswith("inches and cm determine each other: ")
    assert remarks(study(mixed, index, inches=length, cm=np.add(length, [0, 0, 0, 0, 0, 1.0]))) == []
    assert remarks(study(mixed, index, inches=length, cm=np.full(6, 2.0))) == []
