"""An edit re-runs exactly the jobs that depend on it; a touch, a comment or a docstring re-runs none."""

import os
import time

import pytest

PAGES = {"draw_figures": 1, "render_report": 1, "render_index": 1, "gate": 1}
DERIVED = {"check": 1, "assess_sensitivity": 1, "cross_validate": 1, "cross_validate_group": 1, "predict": 1}
UNPOOLED = {"sample_prior": 1, "fit": 1, **DERIVED, "compare": 2}
SWEEP = {"sweep": 1, "check_sweep": 1, "cross_validate_sweep": 1}
FITS = {
    "sample_prior": 2,
    "fit": 2,
    "check": 2,
    "assess_sensitivity": 2,
    "cross_validate": 2,
    "cross_validate_group": 2,
    "compare": 2,
    "predict": 1,
}
EVERYTHING = {"prepare_data": 1, **FITS, **SWEEP, **PAGES}
REFITTED = {rule: count for rule, count in EVERYTHING.items() if rule not in ("prepare_data", "sample_prior")}

EDITS = {
    "a model": ("tadpool/models/cookies_unpooled.py", "(lam_shape,", "(1.0 * lam_shape,", UNPOOLED | SWEEP | PAGES),
    "a hyperparameter": ("config/studies/small.yaml", "{lam_shape: 2.0}", "{lam_shape: 3.0}", UNPOOLED | SWEEP | PAGES),
    "a sweep": ("config/studies/small.yaml", "values: [1.0, 2.0]", "values: [1.0, 3.0]", SWEEP | PAGES),
    "an expectation": (
        "config/studies/small.yaml", "{model: cookies_pooled}", "{model: cookies_pooled, expect: {verdict: warn, because: x}}",
        {"render_report": 1, "render_index": 1, "gate": 1},
    ),
    "a table": ("data/cookies.csv", "1,12\n", "1,13\n", EVERYTHING),
    "the seed": ("config/config.yaml", "seed: 1", "seed: 2", {k: v for k, v in EVERYTHING.items() if k != "prepare_data"}),
    "the draws": ("config/config.yaml", "draws: 300", "draws: 310", REFITTED),
    "the verdicts' module": (
        "tadpool/convergence/verdicts.py", "ACCEPTANCE_SHORTFALL = 0.1", "ACCEPTANCE_SHORTFALL = 0.2",
        REFITTED,  # a verdict decides whether a remedy is tried
    ),
    "the comparison's module": (
        "tadpool/evaluation/comparison.py", "TIE_ELPD = 4.0", "TIE_ELPD = 3.0",
        {"compare": 2, **PAGES},
    ),
    "a figure": ("tadpool/figures/drawing.py", "import", "ADDED = 1\nimport", PAGES),
    "the style sheet": ("report/style.css", "body", "body ", {"render_report": 1, "render_index": 1, "gate": 1}),
    "a comment": ("tadpool/engine/lanes.py", "import enum\n", "import enum  # names for codes\n", {}),
    "a docstring": ("tadpool/seeds.py", '"""A NumPy generator', '"""Makes a NumPy generator', {}),
}  # fmt: skip


def without_zero(counts):
    return {rule: count for rule, count in counts.items() if count}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_reruns_what_depends_on_it(finished, edit):
    name, old, new, expected = EDITS[edit]
    path = finished.source / name
    before, times = path.read_text(), (path.stat().st_atime, path.stat().st_mtime)
    assert old in before
    try:
        path.write_text(before.replace(old, new, 1))
        assert without_zero(finished.plan()) == without_zero(expected)
    finally:
        path.write_text(before)
        os.utime(path, times)


def test_a_table_replaced_by_an_older_file_counts(finished):
    path = finished.source / "data" / "cookies.csv"
    before, times = path.read_text(), (path.stat().st_atime, path.stat().st_mtime)
    try:
        path.write_text(before.replace("1,12\n", "1,14\n", 1))
        os.utime(path, (1e9, 1e9))
        assert without_zero(finished.plan()) == EVERYTHING
    finally:
        path.write_text(before)
        os.utime(path, times)


@pytest.mark.parametrize(
    "name", ["scripts/fit.py", "tadpool/engine/lanes.py", "tadpool/models/cookies_pooled.py", "data/cookies.csv"]
)
def test_a_touch_reruns_nothing(finished, name):
    path = finished.source / name
    times = (path.stat().st_atime, path.stat().st_mtime)
    try:
        os.utime(path, (time.time(), time.time() + 100))
        assert without_zero(finished.plan()) == {}
    finally:
        os.utime(path, times)


def test_a_deleted_result_is_made_again(finished, tmp_path):
    workflow = finished.copy(tmp_path / "tadpool")
    (workflow.folder / "results" / "small" / "unpooled" / "prior.nc").unlink()
    (workflow.folder / "results" / "small" / "pooled" / "loo.nc").unlink()
    again = workflow.plan()
    assert (again["sample_prior"], again["cross_validate"], again["fit"]) == (1, 1, 0)
