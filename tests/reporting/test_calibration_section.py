"""What a page says of a calibration, with and without findings."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tadpool.calibration import sbc_verdict
from tadpool.convergence.sentences import sentence
from tadpool.files import io
from tadpool.files.results import StudyResults
from tadpool.intervals import wilson
from tadpool.reporting.html.tables import Table
from tadpool.reporting.sections import recovery_grids
from tadpool.reporting.sections.calibration import _where_flagged, calibration
from tests.made.calibration import write_calibration

CONFIG = {
    "outcomes": ["chips"],
    "unit": "cookie",
    "models": {"first": {"label": "first", "model": "cookies_pooled", "hyperparameters": {}}},
    "calibration": {"many": {"entry": "first", "hyperparameters": {}}},
}

PARAMETERS = [{"parameter": "sigma", "eti89_low": 1.0, "eti89_high": 2.0}]


@pytest.mark.parametrize("right", [True, False])
def test_findings_are_those_of_the_file(tmp_path, right):
    (tmp_path / "calibration").mkdir()
    write_calibration(tmp_path, np.random.default_rng(1), right)
    io.write_json(tmp_path / "first/check.json", {"verdict": "pass", "parameters": PARAMETERS})
    found = calibration(StudyResults("tiny", CONFIG, tmp_path), "many")
    assert (found.verdict == "pass", found.reasons == [], found.why.rows == []) == (right, right, right)
    assert all(sentence(reason).endswith(".") for reason in found.reasons)
    assert len(found.table.rows) == 4


@pytest.mark.parametrize(("flagged_outside", "told"), [(True, True), (False, False)])
def test_flags_are_told_by_whether_the_data_put_the_parameter_there(tmp_path, flagged_outside, told):
    """Half of the simulations have a sigma as in the data; where flags are as frequent among the
    others, nothing is said."""
    io.write_json(tmp_path / "first/check.json", {"verdict": "pass", "parameters": PARAMETERS})
    truth = np.repeat([1.5, 0.2], 20)
    marked = (np.arange(40) >= 20) if flagged_outside else (np.arange(40) % 2 == 0)
    outcome = np.where(marked, sbc_verdict.FLAGGED, sbc_verdict.OK)
    simulations = xr.Dataset(
        {"truth": (("simulation", "quantity"), truth[:, None]), "outcome": ("simulation", outcome)},
        {"quantity": ["sigma"]},
    )
    found = _where_flagged(StudyResults("tiny", CONFIG, tmp_path), "first", simulations)
    assert found == (
        [
            "Of the 20 data sets whose true sigma lies where the data of this study put it (1.00 to 2.00), 0 were flagged; of "
            "the other 20, 20."
        ]
        if told
        else []
    )


def test_shares_of_few_are_no_points():
    """Wilson's interval by hand: 0 and 5 of 5 reach 0.43 from their end; nothing says nothing."""
    assert wilson(0, 5) == pytest.approx((0.0, 0.4345), abs=1e-4)
    assert wilson(5, 5) == pytest.approx((0.5655, 1.0), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert recovery_grids.Coverage.of(0.0, 5).words == "0 of 5 (0.00 to 0.43)"


def test_cells_without_the_effect_are_not_averaged_in():
    cells = [(scale, groups) for scale in (0.0, 1.5) for groups in (10, 30)]
    table = pd.DataFrame(cells, columns=["confound_scale", "groups"])
    table = table.assign(label="naive", parameter="beta", n=5, bias_mcse=0.1, bias=[0.0, 0.0, 0.5, 0.7])
    table = table.assign(coverage=[1.0, 1.0, 0.0, 0.2])
    kept, zero = recovery_grids._with_effect(table, ["confound_scale", "groups"])
    words = " ".join(recovery_grids._read(recovery_grids._found(kept), zero))
    assert "The mean bias of beta over the cells where confound_scale is not 0 is 0.60 ± 0.07 in naive." in words
    assert "where confound_scale is not 0 in 1 of 10 (0.02 to 0.40) in naive" in words
    assert "0.00 ± 0.00" not in words
    kept, zero = recovery_grids._with_effect(table[table["confound_scale"] > 0], ["confound_scale", "groups"])
    assert not any("not 0" in each for each in recovery_grids._read(recovery_grids._found(kept), zero))


def test_models_that_recover_a_parameter_as_well_are_named():
    grid = recovery_grids.Recovery("grid", [], [], Table((), []), {"beta": {
        "latent": recovery_grids.Recovered(0.19, 0.06, recovery_grids.Coverage.of(17, 20)),
        "mean": recovery_grids.Recovered(-0.07, 0.07, recovery_grids.Coverage.of(17, 20)),
        "narrow": recovery_grids.Recovered(0.01, 0.07, recovery_grids.Coverage.of(16, 20)),
        "naive": recovery_grids.Recovered(0.9, 0.1, recovery_grids.Coverage.of(18, 20)),
    }}, {})  # fmt: skip
    assert grid.rivals("beta", "latent") == [
        "Over the simulated data of Calibration the bias of beta by latent (0.19 ± 0.06) is no smaller than that by mean "
        "(−0.07 ± 0.07)."
    ]
    assert grid.rivals("beta", "mean") == grid.rivals("alpha", "latent") == grid.rivals("beta", "other") == []
