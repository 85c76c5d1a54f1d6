"""What a page says of a calibration, with and without findings."""

import numpy as np
import pytest

from tadpool.convergence.sentences import sentence
from tadpool.files.results import StudyResults
from tadpool.reporting.sections.calibration import calibration
from tests.made.calibration import write_calibration

CONFIG = {
    "outcomes": ["chips"],
    "unit": "cookie",
    "models": {"first": {"label": "first", "model": "cookies_pooled", "hyperparameters": {}}},
    "calibration": {"many": {"entry": "first", "hyperparameters": {}}},
}


@pytest.mark.parametrize("right", [True, False])
def test_findings_are_those_of_the_file(tmp_path, right):
    (tmp_path / "calibration").mkdir()
    write_calibration(tmp_path, np.random.default_rng(1), right)
    found = calibration(StudyResults("tiny", CONFIG, tmp_path), "many")
    assert (found.verdict == "pass", found.reasons == [], found.why.rows == []) == (right, right, right)
    assert all(sentence(reason).endswith(".") for reason in found.reasons)
    assert len(found.table.rows) == 4
