"""Made-up result files of a study: healthy fits, and every way in which one can fail."""

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tadpool import config
from tadpool.convergence import verdicts as checks
from tadpool.evaluation import predictive_checks
from tadpool.figures import _explore
from tadpool.files import contracts, io, provenance
from tadpool.files.results import StudyResults

HOSTILE = "<script>alert(1)</script> {{ 7*7 }} & \"quoted\" 'text'"
CHAINS, DRAWS, UNITS = 4, 250, 12
PROVENANCE = provenance.record({"seed": 1}, "c" * 64)
MODEL = r'''r"""A model of <script>alert(2)</script> $\alpha < 3$.

$$
\begin{aligned}
y_i &\sim \mathrm{Normal}(\mu, \sigma) \\
\sigma &\sim \mathrm{Exponential}(1)
\end{aligned}
$$

Here $\mu$ is {{ 7*7 }} and <b>not bold</b>.
"""

def model(x, group_index, n_group, y=None, *, sigma_rate=1.0, scale=2):
    """No body."""
'''
DATASET = '"""Twelve <i>rows</i> (made up)."""\n\ndef load(tables):\n    """Nothing."""\n'
SVG = """<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 300 200" onload="alert(3)">
 <metadata>made by a machine</metadata><style>* {fill: red}</style><script>alert(4)</script>
 <defs><clipPath id="clip"><rect id="r" width="1" height="1" style="fill: #ffffff"/></clipPath></defs>
 <g clip-path="url(#clip)" style="fill: #000000; stroke: #d62728"><use xlink:href="#r"/><use xlink:href="http://evil/x#r"/>
 <text onclick="alert(5)">a &lt;script&gt; label</text><a xlink:href="javascript:alert(6)"><text>link</text></a>
 <foreignObject><p>html</p></foreignObject></g></svg>"""


def fit(rng, kind):
    """A fit.nc: healthy draws, chains apart ("stuck"), not finite ("failed"), or none
    ("crashed")."""
    attributes = {"provenance": PROVENANCE, "attempts": "[]", "reason": "", "status": "ok"}
    if kind == "crashed":
        crashed = attributes | {"status": "crashed", "reason": "the process was ended by SIGKILL"}
        return xr.DataTree(xr.Dataset(attrs=crashed)), contracts.CRASHED
    draws = rng.normal(3.0, 0.5, (CHAINS, DRAWS))
    if kind == "stuck":
        draws += 10.0 * np.arange(CHAINS)[:, None]
    if kind == "failed":
        draws[:] = np.nan
        attributes |= {"status": "failed", "reason": "the posterior is not finite"}
    sample = ("chain", "draw")
    stats = {name: (sample, np.zeros((CHAINS, DRAWS))) for name in contracts.STATS}
    stats |= {
        "energy": (sample, rng.normal(size=(CHAINS, DRAWS))),
        "diverging": (sample, np.zeros((CHAINS, DRAWS), bool)),
    }
    posterior = {"mu": (sample, draws), "theta": ((*sample, "row"), rng.normal(size=(CHAINS, DRAWS, 14)))}
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(posterior, coords={"row": range(14)}),
            "sample_stats": xr.Dataset(stats),
            "observed_data": xr.Dataset({"y": ("row", np.zeros(UNITS))}),
        }
    )
    tree.attrs.update(attributes)
    return tree, contracts.FIT


def loo(elpd, bad, status="ok"):
    """A loo.nc whose first `bad` units have a Pareto k that is too high."""
    tree = xr.DataTree(xr.Dataset(attrs={"provenance": PROVENANCE, "status": status, "reason": ""}))
    if status == "ok":
        k = np.where(np.arange(UNITS) < bad, 0.9, 0.1)
        point = {
            "elpd": np.full(UNITS, elpd / UNITS),
            "mcse": np.full(UNITS, 0.01),
            "pareto_k": k,
            "p_loo": np.ones(UNITS),
            "elpd_psis": np.full(UNITS, elpd / UNITS),
            "rhat": np.full(UNITS, np.nan),
            "diverging": np.zeros(UNITS, int),
        }
        totals = {"elpd": elpd, "se": 2.0, "p_loo": 2.0, "mcse": 0.03, "good_k": 0.7, "doubtful": bad, "n_units": UNITS}
        values = {name: ("row", value) for name, value in point.items()} | {"method": ("row", np.full(UNITS, "psis"))}
        tree["loo"] = xr.Dataset(values | {f"total_{name}": value for name, value in totals.items()})
    return tree


def compared(names, numbers, verdicts, doubtful=0):
    """A comparison's CSV. numbers: by entry, (elpd, difference, dse, tie), None where it failed or
    crashed."""
    rows = []
    for rank, name in enumerate(names, start=1):
        row = {"model": name, "target": "unit", "verdict": verdicts[name]}
        if numbers[name]:
            elpd, difference, dse, tie = numbers[name]
            row |= {
                "rank": rank,
                "elpd": elpd,
                "se": 2.0,
                "mcse": 0.03,
                "elpd_diff": difference,
                "dse": dse,
                "tie": tie,
                "p_worse": None if rank == 1 else 0.75,
                "diag_diff": "" if rank == 1 else "N < 100",
            }
            row |= {
                "p_loo": 2.0,
                "weight": 0.5,
                "doubtful": doubtful,
                "n_units": UNITS,
                "rows_psis": UNITS,
                "rows_refit": 0,
            }
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=list(contracts.RANKING))


def made(folder, kinds=None, difference=(-9.0, 2.0, False), doubtful=0, **changes):
    """A study's results; kinds of fits by entry, the two healthy ones this far apart. folder: where
    its plug-ins stand too."""
    write_plugins(folder)
    kinds = kinds or {"first": "ok", "second": "ok"}
    study = {
        "title": HOSTILE, "question": "Does it <em>work</em>?", "dataset": "tinydata", "outcomes": ["y"], "unit": "row",
        "groups": ["group"], "models": {name: {"model": "tiny"} for name in kinds}, "references": ["A & B <1999>"],
        "comparisons": {"main": {"entries": list(kinds)}}, "predictions": {"first": {"group": "group"}},
        "sweeps": {"grid": {"entry": "first", "over": "scale", "values": [1.0, 2.0]}},
    }  # fmt: skip
    content = config.Study(**study).model_dump(by_alias=True)
    for entry, change in changes.items():
        content["models"][entry] |= change
    results = StudyResults("tiny", content, folder / "results" / "tiny")
    write_results(results, kinds, difference, doubtful)
    return results


def write_plugins(folder):
    for kind, text in {"models/tiny": MODEL, "datasets/tinydata": DATASET}.items():
        io.write_text(folder / f"{kind}.py", text)


@cache
def _kept():
    folder = tempfile.mkdtemp(prefix="tadpool-made-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def write_results(results, kinds, difference, doubtful):
    """The same arguments make the same files, so what was made once in this process is copied."""
    kept = _kept() / provenance.sha256(json.dumps([kinds, difference, doubtful]))
    if not kept.exists():
        _write_results(StudyResults("tiny", results.config, kept), kinds, difference, doubtful)
    shutil.copytree(kept, results.folder, dirs_exist_ok=True)


def _write_results(results, kinds, difference, doubtful):
    rng = np.random.default_rng(1)
    folder = results.folder
    observed = xr.Dataset({"y": ("row", rng.poisson(5, UNITS), {"units": "eggs"})}, coords={"row": range(UNITS)})
    index = {"x": ("row", np.arange(UNITS) % 2, {"flag_values": [0, 1], "flag_meanings": "no yes"})}
    index["group_index"] = ("row", np.arange(UNITS) % 3)
    constant = xr.Dataset(index, coords={"group": ["a", "b", "<script>c</script>"]})
    data = xr.DataTree.from_dict({"observed_data": observed, "constant_data": constant})
    data.attrs["provenance"] = PROVENANCE
    io.write(folder / "data.nc", data, contracts.DATA)
    verdicts, numbers = {}, {}
    for position, (entry, kind) in enumerate(kinds.items()):
        tree, contract = fit(rng, kind)
        io.write(folder / entry / "fit.nc", tree, contract)
        report = checks.check(tree)
        io.write_json(folder / entry / "check.json", {"study": "tiny", "entry": entry, **report, "attempts": []})
        verdicts[entry] = report["verdict"]
        status = "crashed" if kind in ("failed", "crashed") else "ok"
        io.write(folder / entry / "loo.nc", loo(-50.0, doubtful, status), contracts.LOO)
        numbers[entry] = (
            (-50.0 - 9.0 * position, *(difference if position else (0.0, 0.0, False))) if status == "ok" else None
        )
    order = sorted(kinds, key=lambda entry: numbers[entry] is None)
    io.write_csv(folder / "comparisons" / "main.csv", compared(order, numbers, verdicts, doubtful))
    write_extras(folder, kinds["first"], rng)


def write_extras(folder, kind, rng):
    """A sweep, predictions, a figure with hostile contents, and a benchmark."""
    points = [{"scale": value, **checks.check(fit(rng, "ok")[0])} for value in (1.0, 2.0)]
    sweep = xr.concat([loo(-60.0, 0)["loo"].to_dataset(), loo(-50.0, 3)["loo"].to_dataset()], "scale").assign_coords(
        scale=[1.0, 2.0]
    )
    tree = xr.DataTree.from_dict({"loo": sweep})
    tree.attrs.update(provenance=PROVENANCE, status="ok", reason="")
    io.write(folder / "sweeps/grid/loo.nc", tree, contracts.LOO)
    io.write_json(folder / "sweeps/grid/check.json", {"verdict": "pass", "reasons": [], "points": points})
    usable = kind in ("ok", "stuck")
    new = (
        {"predictions": xr.Dataset({"y": (("chain", "draw", "row"), rng.normal(7.5, 1, (2, 500, 1)))})}
        if usable
        else {}
    )
    predictions = xr.DataTree.from_dict(new)
    predictions.attrs.update(provenance=PROVENANCE, status="ok" if usable else "crashed", reason="")
    io.write(folder / "first/predictions.nc", predictions, contracts.PREDICTIONS)
    owners = {"entry": None, "sweep": None, "comparison": None}
    texts = {"title": HOSTILE, "caption": HOSTILE, "alt": HOSTILE}
    places = [
        ("data", {}),
        ("model", {"entry": "first"}),
        ("sampler", {"entry": "first"}),
        ("comparison", {"comparison": "main"}),
        ("odd", {}),
    ]
    figures = [{"name": f"{section}_plot", "section": section, **owners, **owner, **texts} for section, owner in places]
    figures.append({"name": "lost", "section": "story", **owners, **texts})
    io.write_json(folder / "figures/figures.json", figures)
    for figure in figures[:-1]:
        io.write_text(folder / "figures" / f"{figure['name']}.svg", SVG)
        io.write_text(folder / "figures" / f"{figure['name']}.csv", "a\n1\n")
    io.write_text(folder / "benchmarks/first/fit.tsv", "s\tmax_rss\tcpu_time\n12.34\t-\t20.5\n")


def diverged(count):
    return {"severity": "fail", "code": "diverging", "values": {"value": count, "transitions": 4000, "limit": 0.005}}


def history(results, entry, last="pass"):
    """Give an entry a history: divergences, then a higher target, then other parameters."""
    settings = config.Sampler().model_dump() | {"reparametrized": []}
    changes = [
        ("", None, {}),
        ("target_accept", diverged(9), {"target_accept": 0.95, "warmup": 2000}),
    ]
    changes.append(("reparametrize", diverged(4), {"reparametrized": ["theta"]}))
    attempts = [
        {"attempt": i, "remedy": remedy, "because": because, "settings": settings | change, "status": "ok", "reason": "",
         "verdict": last if i == 2 else "fail", "found": None if i == 2 else diverged(9 - 5 * i)}
        for i, (remedy, because, change) in enumerate(changes)
    ]  # fmt: skip
    path = results.folder / entry / "check.json"
    io.write_json(path, io.read_json(path) | {"attempts": attempts})


ESTIMATED = {
    "label": HOSTILE,
    "colour": "#0072B2",
    "failed": [1],
    "mean": [1.0, 2.0],
    "low": [0.5, 1.5],
    "high": [1.5, 2.5],
}
NAMES = ["</script><script>alert(3)</script>", "\u2028"]
FACTS = [{"name": HOSTILE, "values": [HOSTILE, 3]}]
VIEW = {
    "name": "mu",
    "words": HOSTILE,
    "by": "group",
    "axis": {"label": HOSTILE, "observed": None},
    "entries": [ESTIMATED],
}
EXPLORED = _explore.explorer(HOSTILE, {"group": {"name": HOSTILE, "labels": NAMES, "facts": FACTS}}, [VIEW])


def explore(results, content=EXPLORED):
    """Give the first figure an explorer."""
    path = results.folder / "figures/figures.json"
    listed = json.loads(path.read_text())
    listed[0]["explorer"] = True
    io.write_json(path, listed)
    io.write_text(results.folder / f"figures/{listed[0]['name']}.json", json.dumps(content))


GROUPS = ["a", "b", "c", "d", "e", "f"]
RELATIONS = {"alpha": "Normal", "beta": "Normal", "scale": "Exponential", "y": "Normal"}


def made_of_groups(folder):
    """Simulated rows of six groups: `shared`, a fit to all, and `alone`, a fit to each, of which
    the last failed.

    x is 0 in all rows of group c, so that its beta returns its prior in `alone`.
    """
    write_plugins(folder)
    study = {
        "title": "Groups", "question": "Why?", "dataset": "tinydata", "outcomes": ["y"], "unit": "row", "groups": ["group"],
        "models": {"shared": {"model": "tiny"}, "alone": {"model": "tiny", "by": "group"}},
        "predictions": {"shared": {"rows": [{"x": 0, "group": "b"}]}},
    }  # fmt: skip
    content = config.Study(**study).model_dump(by_alias=True)
    content["models"]["alone"]["returns_prior"] = {"beta": "x"}
    results = StudyResults("groups", content, folder / "results" / "groups")
    rng = np.random.default_rng(2)
    index = np.repeat(np.arange(6), [1, 2, 3, 4, 7, 7])
    x = np.where(index == 2, 0, np.arange(1, 25) % 2)
    effects = np.linspace(-1, 1, 6)
    y = 2.0 + effects[index] * x + rng.normal(0, 0.5, 24)
    data = xr.DataTree.from_dict(
        {
            "observed_data": xr.Dataset({"y": ("row", y, {"units": "m"})}, coords={"row": np.arange(1, 25)}),
            "constant_data": xr.Dataset({"x": ("row", x), "group_index": ("row", index)}, coords={"group": GROUPS}),
            "truth": xr.Dataset({"alpha": 2.0, "beta": ("group", effects), "scale": 0.0}, coords={"group": GROUPS}),
        }
    )
    data.attrs["provenance"] = PROVENANCE
    io.write(results.folder / "data.nc", data, contracts.DATA)
    for entry in results.entries:
        write_grouped(results, entry, y, effects, rng)
    write_prediction(results.folder / "shared/predictions.nc", rng)
    return results


def write_grouped(results, entry, y, effects, rng):
    alone = entry == "alone"
    leading, shape = (("group",), (6,)) if alone else ((), ())
    coords = {"chain": range(CHAINS), "draw": range(DRAWS), "group": GROUPS, "row": np.arange(1, 25)}
    beta = rng.normal(0, 0.1, (CHAINS, DRAWS, 6)) + (effects if alone else 0.4 * effects)
    alpha = rng.normal(2.0 if alone else 3.0, 0.1, (*shape, CHAINS, DRAWS))
    if alone:
        beta, alpha[5] = np.moveaxis(beta, 2, 0), alpha[5] + 5 * np.arange(CHAINS)[:, None]
    diverging = np.zeros((*shape, CHAINS, DRAWS), bool)
    if alone:
        diverging[5, 0, :3] = True
    sample = ("chain", "draw")
    stats = dict.fromkeys(contracts.STATS, ((*leading, *sample), np.ones(diverging.shape)))
    stats |= {
        "reached_max_treedepth": ((*leading, *sample), np.zeros(diverging.shape)),
        "energy": ((*leading, *sample), rng.normal(size=diverging.shape)),
        "diverging": ((*leading, *sample), diverging),
    }
    predicted = rng.normal(y.mean() if not alone else y, 0.5, (CHAINS, DRAWS, 24))
    posterior = {
        "alpha": ((*leading, *sample), alpha, {"site": "latent"}),
        "beta": (("group", *sample) if alone else (*sample, "group"), beta, {"site": "latent"}),
        "scale": ((*leading, *sample), rng.exponential(0.5, alpha.shape), {"site": "latent"}),
    }
    groups = {
        "posterior": posterior,
        "sample_stats": stats,
        "posterior_predictive": {"y": ((*sample, "row"), predicted[:, ::2])},
        "log_likelihood": {"y": ((*sample, "row"), rng.normal(-1, 0.01, (CHAINS, DRAWS, 24)))},
        "observed_data": {"y": ("row", y)},
    }
    tree = xr.DataTree.from_dict(
        {name: xr.Dataset(group).pipe(labelled_with, coords) for name, group in groups.items()}
    )
    tree["posterior_predictive"] = tree["posterior_predictive"].to_dataset().assign_coords(draw=np.arange(0, DRAWS, 2))
    tree.attrs.update(provenance=PROVENANCE, attempts="[]", reason="", status="ok")
    folder = results.folder / entry
    io.write(folder / "fit.nc", tree, contracts.FIT)
    report = checks.check_points(tree, "group", whole=True) if alone else checks.check(tree)
    io.write_json(folder / "check.json", {"study": "groups", "entry": entry, **report, "attempts": []})
    io.write(folder / "loo.nc", loo(-50.0, 0), contracts.LOO)
    empty = xr.Dataset({"y": (("chain", "draw"), np.zeros((1, 2)))})
    prior = xr.DataTree.from_dict({"prior": empty, "prior_predictive": empty, "observed_data": xr.Dataset()})
    prior.attrs.update(provenance=PROVENANCE, status="ok", relations=json.dumps({"sample_dist": RELATIONS}))
    io.write(folder / "prior.nc", prior, contracts.PRIOR)


def labelled_with(dataset, coords):
    return dataset.assign_coords({dim: coords[dim] for dim in dataset.dims if len(coords[dim]) == dataset.sizes[dim]})


def write_prediction(path, rng):
    tree = xr.DataTree.from_dict(
        {
            "predictions": xr.Dataset({"y": (("chain", "draw", "row"), rng.normal(4, 1, (2, 500, 1)))}, {"row": [1]}),
            "predictions_constant_data": xr.Dataset({"x": ("row", [0]), "group_index": ("row", [1])}, {"row": [1]}),
        }
    )
    tree.attrs.update(provenance=PROVENANCE, status="ok", reason="")
    io.write(path, tree, contracts.PREDICTIONS)


def sensitive(rows, left='{"z":"it is that of standardized effects of a group"}'):
    """A sensitivity.nc. rows: parameter -> prior, likelihood, prior_sds, moved_by, diagnosis,
    Pareto k, member."""
    columns = ("prior", "likelihood", "prior_sds", "moved_by", "diagnosis", "prior_pareto_k", "member")
    values = {name: ("parameter", [row[i] for row in rows.values()]) for i, name in enumerate(columns)}
    values["site"] = ("parameter", [name.partition("[")[0] for name in rows])
    values["likelihood_pareto_k"] = ("parameter", np.zeros(len(rows)))
    found = xr.Dataset(values, {"parameter": list(rows)})
    found.attrs = {"sensitive": 0.05, "far": 3.0, "good_k": 0.7, "scaled": '["mu","tau","nu"]', "unscaled": left}
    tree = xr.DataTree.from_dict({"sensitivity": found})
    tree.attrs.update(provenance=PROVENANCE, status="ok", reason="")
    return tree


def quantities(results, entry):
    """The CSV of test quantities: the observed mean and two of three groups are far from what is
    replicated."""
    y = np.r_[np.full(4, 3), np.full(4, 9), np.full(4, 8)]
    rng = np.random.default_rng(2)
    outcome = predictive_checks.Outcome(
        "y", predictive_checks.COUNTS, y, rng.poisson(4.0, (4, 250, 12)), members={"group": np.repeat([0, 1, 2], 4)}
    )
    table = predictive_checks.table([outcome])
    io.write_csv(results.folder / f"figures/{entry}-test_quantities.csv", table)
    return table.set_index(["quantity", "group"])
