"""An edit re-runs exactly the jobs that depend on it; a touch, a comment or a docstring re-runs
none.

Snakemake runs a job whose params changed, and what reads its files. So for most edits the params of
all jobs are asked for directly, in one process that sees the edited copy, and a few edits are put
to Snakemake itself.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter

import pytest

from tests.made.workflows import copy_to, started

PAGES = {"draw_figures": 1, "render_report": 1, "render_index": 1, "gate": 1}
DERIVED = {"check": 1, "assess_sensitivity": 1, "cross_validate": 1, "cross_validate_group": 1, "predict": 1}
UNPOOLED = {"sample_prior": 1, "fit": 1, **DERIVED, "compare": 2, "answer": 1}
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
    "answer": 1,
}
EVERYTHING = {"prepare_data": 1, **FITS, **SWEEP, **PAGES}
REFITTED = {rule: count for rule, count in EVERYTHING.items() if rule not in ("prepare_data", "sample_prior")}

EDITS = {
    "a model": ("tadpool/models/cookies_unpooled.py", "(lam_shape,", "(1.0 * lam_shape,", UNPOOLED | SWEEP | PAGES),
    "a hyperparameter": ("config/studies/small.yaml", "{lam_shape: 2.0}", "{lam_shape: 3.0}", UNPOOLED | SWEEP | PAGES),
    "a sweep": ("config/studies/small.yaml", "values: [1.0, 2.0]", "values: [1.0, 3.0]", SWEEP | PAGES),
    "an answer": (
        "config/studies/small.yaml", "lam[1]", "lam[2]", {"answer": 1, "render_report": 1, "render_index": 1, "gate": 1}
    ),
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
PUT_TO_SNAKEMAKE = ("a hyperparameter", "the verdicts' module")

PARAMS = """
import json, sys
from tadpool.config import read
from tadpool.workflow.specs import Specs

jobs = json.loads(sys.stdin.readline())
for _ in sys.stdin:
    for module in [module for name, module in sys.modules.items() if name.startswith("tadpool")]:
        for kept in vars(module).values():
            getattr(kept, "cache_clear", int)()
    specs = Specs(read({}))
    print(json.dumps([[specs.spec(*job), specs.digest(*job)] for job in jobs]), flush=True)
"""


def names_of_params(folder):
    """Rule -> what its params are asked for as, its own name or that of the rule that it goes back
    to."""
    rules = "".join(path.read_text() for path in sorted(folder.glob("*.smk")))
    blocks = re.findall(r"^(?:rule|use rule (\w+) as) (\w+)(?: with)?:\n((?:(?:    .*)?\n)*)", rules, re.MULTILINE)
    found = {name: re.search(r"spec=spec\(\"(\w+)\"\)", text) for _, name, text in blocks}
    named = {name: match[1] for name, match in found.items() if match}
    return named | {name: named[original] for original, name, _ in blocks if name not in named and original in named}


class Params:
    """All jobs of the small study, and the params that they would have now, asked of one process
    that stays."""

    def __init__(self, workflow, process):
        self.workflow, self.process, self.jobs = workflow, process, workflow.jobs()
        named = names_of_params(workflow.source / "rules")
        self._tell(json.dumps([[named[job.rule], job.wildcards] for job in self.jobs]))
        self.before = self.now()

    def _tell(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def now(self):
        self._tell("now")
        return json.loads(self.process.stdout.readline())

    def to_run(self):
        """How many jobs of each rule have other params than before, or read what such a job
        makes."""
        after = self.now()
        found = [job for job, old, new in zip(self.jobs, self.before, after, strict=True) if old != new]
        for job in found:  # grows
            found += [each for each in self.jobs if each not in found and set(each.reads) & set(job.makes)]
        return Counter(job.rule for job in found)


@pytest.fixture(scope="module")
def params(tmp_path_factory):
    workflow = copy_to(tmp_path_factory.mktemp("params") / "tadpool")
    options = {"cwd": workflow.folder, "text": True, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with started([sys.executable, "-c", PARAMS], **options) as process:
        yield Params(workflow, process)


def without_zero(counts):
    return {rule: count for rule, count in counts.items() if count}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_reruns_what_depends_on_it(params, edit):
    name, old, new, expected = EDITS[edit]
    path = params.workflow.source / name
    before = path.read_text()
    assert old in before
    try:
        path.write_text(before.replace(old, new, 1))
        assert params.to_run() == expected
    finally:
        path.write_text(before)
    assert params.now() == params.before


@pytest.fixture
def edited(finished, tmp_path):
    """A copy of the finished study that a test may edit."""
    return finished.copy(tmp_path / "tadpool")


@pytest.mark.parametrize("edit", PUT_TO_SNAKEMAKE)
def test_snakemake_reruns_what_depends_on_an_edit(edited, edit):
    name, old, new, expected = EDITS[edit]
    path = edited.source / name
    path.write_text(path.read_text().replace(old, new, 1))
    assert without_zero(edited.plan()) == expected


def test_a_table_replaced_by_an_older_file_counts(edited):
    path = edited.source / "data" / "cookies.csv"
    path.write_text(path.read_text().replace("1,12\n", "1,14\n", 1))
    os.utime(path, (1e9, 1e9))
    assert without_zero(edited.plan()) == EVERYTHING


def test_touches_rerun_nothing(edited):
    for name in ("scripts/fit.py", "tadpool/engine/lanes.py", "tadpool/models/cookies_pooled.py", "data/cookies.csv"):
        os.utime(edited.source / name, (time.time(), time.time() + 100))
    assert without_zero(edited.plan()) == {}


def test_a_deleted_result_is_made_again(edited):
    (edited.folder / "results" / "small" / "unpooled" / "prior.nc").unlink()
    (edited.folder / "results" / "small" / "pooled" / "loo.nc").unlink()
    again = edited.plan()
    assert (again["sample_prior"], again["cross_validate"], again["fit"]) == (1, 1, 0)
