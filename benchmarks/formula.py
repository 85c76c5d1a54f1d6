"""One formula from a table to its draws and diagnostics: the same formula, family and priors with
bambi and nutpie."""

import shutil
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks import processes
from benchmarks.processes import PEER_PYTHON, ROOT, Variant
from benchmarks.tables import spread, table

TITLE = "One formula, against bambi with nutpie"
FULL = {"rounds": 2, "rows": 200_000, "only": None}
QUICK = {"rounds": 1, "rows": 2_000, "only": ["sleepstudy", "cbpp"]}
TABLES = ROOT / "tests" / "formula" / "data"
NUMBER, COUNT, GROUP = {"kind": "number"}, {"kind": "count"}, {"kind": "group"}
OUR = Variant("tadpool", "formula_tadpool")
PEER = Variant("bambi + nutpie", "formula_bambi", PEER_PYTHON)
# Of each formula the columns, the entry, and the outcome's family, as bambi writes them.
CASES: dict[str, dict[str, Any]] = {
    "sleepstudy": {
        "columns": {"reaction": NUMBER, "days": NUMBER, "subject": GROUP},
        "formula": "reaction ~ days + (days || subject)",
        "bambi": ("reaction ~ days + (days | subject)", "gaussian"),
    },
    "cbpp": {
        "columns": {"herd": GROUP, "incidence": COUNT, "size": COUNT, "period": {"kind": "categorical"}},
        "formula": "prop(incidence, size) ~ period + (1 | herd)",
        "bambi": ("prop(incidence, size) ~ period + (1 | herd)", "binomial"),
    },
    "penicillin": {
        "columns": {"diameter": NUMBER, "plate": GROUP, "sample": GROUP},
        "formula": "diameter ~ 1 + (1 | plate) + (1 | sample)",
        "bambi": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "gaussian"),
    },
    "epil": {
        "columns": {
            "y": COUNT,
            "trt": {"kind": "categorical", "levels": ["placebo", "progabide"]},
            "base": NUMBER,
            "age": NUMBER,
            "V4": {"kind": "binary"},
            "subject": GROUP,
        },
        "formula": "y ~ log(base) * trt + log(age) + V4 + (1 | subject)",
        "family": "negative_binomial",
        "bambi": ("y ~ log(base) * trt + log(age) + V4 + (1 | subject)", "negativebinomial"),
    },
    "trolley": {
        "columns": {
            "response": {"kind": "ordered", "levels": [1, 2, 3, 4, 5, 6, 7]},
            "action": {"kind": "binary"},
            "intention": {"kind": "binary"},
            "contact": {"kind": "binary"},
            "participant": GROUP,
        },
        "formula": "response ~ action + intention + contact + (1 | participant)",
        "bambi": ("response ~ action + intention + contact + (1 | participant)", "cumulative"),
    },
    "200,000 rows": {
        "columns": {"y": NUMBER, "x": NUMBER, "a": GROUP, "b": GROUP},
        "formula": "y ~ x + (1 | a) + (1 | b)",
        "bambi": ("y ~ x + (1 | a) + (1 | b)", "gaussian"),
    },
}


def measure(size: dict[str, Any], threads: int, caches: Path) -> dict[str, Any]:
    """Seconds of each formula from the table to draws and diagnostics, with no programs kept."""
    runs: dict[str, list[processes.Run]] = {}
    for number in range(size["rounds"]):
        for name in size["only"] or CASES:
            folder = caches / f"{name}-{number}"
            _study(folder, name, size["rows"])
            for variant in processes.present({"our": OUR, "peer": PEER}).values():
                arguments = {"folder": folder, "case": name, "threads": threads}
                runs.setdefault(f"{name}: {variant.label}", []).append(processes.run(variant, arguments, caches))
    return {"runs": runs}


def _study(folder: Path, name: str, rows: int) -> None:
    """The folder of a study with the formula as its one model."""
    case = CASES[name]
    (folder / "config" / "studies").mkdir(parents=True)
    (folder / "data").mkdir()
    path = folder / "data" / "table.csv"
    if name == "trolley":
        cases = pd.read_csv(ROOT / "data" / "trolley_cases.csv")
        pd.read_csv(ROOT / "data" / "trolley_responses.csv").merge(cases).to_csv(path, index=False)
    elif name == "200,000 rows":
        _crossed(rows).to_csv(path, index=False)
    else:
        shutil.copy(TABLES / f"{name}.csv", path)
    outcome = case["formula"].split("~")[0].strip().removeprefix("prop(").split(",")[0]
    groups = [column for column, described in case["columns"].items() if described == GROUP]
    entry = {key: case[key] for key in ("formula", "family") if key in case}
    study = {
        "title": name,
        "question": "How long does it take?",
        "dataset": {"table": "data/table.csv", "columns": case["columns"]},
        "outcomes": [outcome],
        "unit": "row",
        "groups": groups,
        "models": {"it": entry},
    }
    (folder / "config" / "studies" / "one.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


def _crossed(rows: int) -> pd.DataFrame:
    """Rows of 500 and 200 members of two crossed groups."""
    rng = np.random.default_rng(1)
    a, b, x = rng.integers(500, size=rows), rng.integers(200, size=rows), rng.normal(size=rows)
    y = 1 + 0.5 * x + rng.normal(size=500)[a] + 0.5 * rng.normal(size=200)[b] + rng.normal(size=rows)
    return pd.DataFrame({"y": y, "x": x, "a": [f"a{i}" for i in a], "b": [f"b{i}" for i in b]})


def to_thousand(run: Mapping[str, Any]) -> float:
    """Seconds of the whole process, in proportion more where the smallest effective sample size is
    below 1,000."""
    return run["seconds"]["whole"] * max(1.0, 1000 / run["seconds"]["ess"])


def render(size: Mapping[str, Any], measured: Mapping[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    rows, ratios = [], []
    for name in size["only"] or CASES:
        found = {each.label: measured["runs"].get(f"{name}: {each.label}") for each in (OUR, PEER)}
        for label, runs in found.items():
            if runs:
                columns = [[run["seconds"][key] for run in runs] for key in ("whole", "cpu", "ess")]
                rows.append([name, label, *map(spread, columns), spread([to_thousand(run) for run in runs])])
        if all(found.values()):
            ours, theirs = (min(map(to_thousand, runs)) for runs in found.values())
            ratios.append(theirs / ours)
            rows[-1].append(f"{theirs / ours:.1f}")
            rows[-2].append("")
    median = [f"Median of the ratios: {statistics.median(ratios):.1f}, smallest {min(ratios):.1f}."] if ratios else []
    head = ["formula", "with", "seconds", "processor seconds", "smallest ESS", "seconds to an ESS of 1,000", "ratio"]
    return [
        "From a CSV to four chains of 1,000 draws with R-hat and effective sample sizes (bulk and tail, of every parameter): "
        "`tadpool results/one/it/check.json`, whose Snakemake and checks of the model and of priors are in its time, against "
        '`bambi.Model(...).fit(inference_method="nutpie")` with the same priors. Whole processes, nothing compiled before; '
        "minimum / median. Where the smallest ESS is below 1,000, the time counts in proportion more. bambi models no "
        "correlation between effects, so sleepstudy has none here either.",
        table(head, [row + [""] * (len(head) - len(row)) for row in rows]),
        *median,
    ]
