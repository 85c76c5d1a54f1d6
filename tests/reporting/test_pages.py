"""Pages say what the result files say, mark failures everywhere, and let no user text become markup."""

import base64
import hashlib
import json
import re
import runpy
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tadpool import ROOT, config, formatting
from tadpool.convergence import verdicts as checks
from tadpool.evaluation import predictive_checks, rmse
from tadpool.files import contracts, io, provenance
from tadpool.files.results import StudyResults
from tadpool.reporting import fit_view
from tadpool.reporting.html import compact_svg, docstrings, markup, scripts
from tadpool.reporting.html.environment import TEMPLATES
from tadpool.reporting.pages import study
from tadpool.reporting.pages.index import index_page
from tadpool.reporting.pages.study import study_page, study_record
from tadpool.reporting.sections import comparisons

HOSTILE = "<script>alert(1)</script> {{ 7*7 }} & \"quoted\" 'text'"
CHAINS, DRAWS, UNITS = 4, 250, 12
PROVENANCE = provenance.record({"seed": 1}, "c" * 64)
VOID = {"meta", "br", "hr", "img", "input", "link", "col", "wbr"}

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


class Page(HTMLParser):
    """A page as lists of what a reader or a browser follows; raises where elements do not nest."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags, self.headings, self.text = [], [], [], [], []
        self.header_cells, self.scripts, self.data, self.open = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.text += [] if attributes.get("class") == "term" else [" "]
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.header_cells += [attributes.get("scope")] if tag == "th" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"
        self.text += [] if tag == "a" else [" "]

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            (self.data if self.tags[-1][1].get("type") == "application/json" else self.scripts).append(data)
        elif self.open[-1:] != ["style"]:
            self.text.append(data)

    @property
    def words(self):
        """The text, with a space between elements, but for links of the glossary, which stand within words."""
        return " ".join("".join(self.text).split())


def fit(rng, kind):
    """A fit.nc: healthy draws, chains apart ("stuck"), not finite ("failed"), or none ("crashed")."""
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
    """A comparison's CSV. numbers: by entry, (elpd, difference, dse, tie), None where it failed or crashed."""
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
    columns = (
        "model target rank elpd se mcse elpd_diff dse tie p_loo weight doubtful n_units rows_psis rows_refit rows_kfold"
    )
    return pd.DataFrame(rows).reindex(columns=[*columns.split(), "verdict"])


@pytest.fixture
def make(tmp_path, monkeypatch):
    """make(kinds, difference, doubtful): a study's results, see `made`."""
    monkeypatch.chdir(tmp_path)
    return partial(made, tmp_path)


def made(folder, kinds=None, difference=(-9.0, 2.0, False), doubtful=0, **changes):
    """A study's results; kinds of fits by entry, the two healthy ones this far apart. folder: where its plug-ins stand too."""
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


def write_results(results, kinds, difference, doubtful):
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


def render(results, changes=None):
    """The page of a study as text, written with the index of that study alone."""
    samplers = dict.fromkeys(results.entries, config.Sampler().model_dump())
    io.write_json(results.folder / "run.json", study_record(results, "d" * 64, 1, samplers))
    text = study_page(results, "d" * 64, 1, samplers, changes=changes)
    io.write_text(results.folder / "index.html", text)
    io.write_text(results.folder.parent / "index.html", index_page([results]))
    return text


def without_machine(text):
    """A page without what the machine decides: a section of a study's page, a column of the index."""
    sections = re.sub(r'<section id="machine">.*?</section>', "", text, flags=re.DOTALL)
    return re.sub(r'<td class="number machine">.*?</td>', "", sections)


def test_a_clear_winner_is_named_with_its_margin(make):
    words = Page(render(make())).words
    assert "First predicts a row that was left out best: its elpd is 9.0 ± 2.0 above second." in words
    assert "A tie" not in words


def test_a_tie_is_called_a_tie(make):
    words = Page(render(make(difference=(-1.5, 2.0, True)))).words
    assert "A tie: second cannot be told from first" in words
    assert "best:" not in words


@pytest.mark.parametrize(
    ("target", "groups", "words"),
    [
        ("unit", ["county"], "a house that was left out"),
        ("unit", ["house"], "a new house"),
        ("house", ["house"], "a new house"),
        ("county", ["county"], "a new county"),
        ("county", ["house", "county"], "a new county"),
    ],
)
def test_what_is_predicted_in_words(target, groups, words):
    results = StudyResults("radon", {"unit": "house", "groups": groups}, Path())
    assert comparisons.target_words(results, target) == words


def test_bad_pareto_k_withdraws_the_conclusion(make):
    results = make(doubtful=5)
    words = Page(render(results)).words
    assert "Which model predicts best is not settled" in words
    assert "a Pareto k that is too high or a refit whose chains disagree: 5 of 12 scores of first and 5 of 12" in words
    assert "The comparison of tiny cannot be trusted" in Page(index_page([results])).words


@pytest.mark.parametrize(
    ("kind", "word"),
    [("crashed", "crashed"), ("failed", "could not be sampled"), ("stuck", "failed its convergence check")],
)
def test_a_failure_is_marked_wherever_the_fit_appears(make, kind, word):
    results = make({"first": "ok", "second": kind, "third": "ok"})
    text = render(results)
    page, index = Page(text), Page(index_page([results]))
    assert f"Second {word}. Its numbers must not be used." in page.words
    assert "Second failed its check and has no rank." in page.words
    assert "Among the fits that did not fail, first predicts a row" in page.words
    card = text.split('id="model-second"')[1].split("</article>")[0]
    assert "notice fail" in card
    assert "badge fail" in card
    assert "badge pass" not in card
    for section in ("convergence", "comparison"):
        (row,) = re.findall(
            r'<tr class="failed">.*?</tr>', text.split(f'<section id="{section}">')[1], flags=re.DOTALL
        )[:1]
        assert "second" in row
        assert "badge fail" in row
    assert "No rank: its fit failed" in page.words
    assert "1 of 3 fits failed: tiny/second. Nothing may be concluded from it." in index.words
    assert '<div class="conclusion fail">' in index_page([results])
    assert index.words.index("tiny / second") < index.words.index("tiny / first")


def test_no_model_is_best_where_the_first_failed(make):
    words = Page(render(make({"first": "stuck", "second": "ok", "third": "ok"}))).words
    assert "No model can be called best: first has the largest elpd, but its fit failed." in words
    assert "predicts a row" not in words


def test_a_study_whose_fits_all_crashed_still_has_a_page(make):
    results = make({"first": "crashed", "second": "crashed"})
    page = Page(render(results))
    assert "No model can be compared: no fit has usable numbers." in page.words
    assert "There are no predictions from a failed fit." in page.words
    assert "2 of 2 fits failed" in Page(index_page([results])).words


def test_an_expected_failure_says_why_and_stays_a_failure(make):
    results = make(
        {"first": "ok", "second": "stuck"}, second={"expect": {"verdict": "fail", "because": "it has a funnel"}}
    )
    text = render(results)
    assert "it has a funnel" in Page(text).words
    index = index_page([results])
    assert "1 of 2 fits failed as expected: tiny/second." in Page(index).words
    assert '<div class="conclusion warn">' in index


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


def test_what_was_tried_is_shown(make):
    results = make()
    history(results, "first")
    page = Page(render(results))
    assert "Attempt 1, as configured: ✗ fail 9 of 4000 transitions diverged." in page.words
    assert (
        "Attempt 2, target acceptance 0.95 with 2,000 warm-up iterations (because: 9 of 4000 transitions diverged): "
        "✗ fail 4 of 4000 transitions diverged."
    ) in page.words
    assert "Attempt 3, reparametrized theta (because: 4 of 4000 transitions diverged): ✓ pass" in page.words
    assert "after 2 remedies" in Page(index_page([results])).words


def test_a_verdict_under_own_thresholds_does_not_look_like_one_under_the_defaults(make):
    results = make()
    path = results.folder / "first" / "check.json"
    io.write_json(path, io.read_json(path) | {"thresholds": {"rhat_fail": 1.2}})
    for page in (Page(render(results)), Page(index_page([results]))):
        assert "✓ pass, own thresholds" in page.words
        assert "own thresholds" not in re.sub("✓ (convergence: )?pass, own thresholds", "", page.words)


def test_observation_weights_are_said_with_the_model_and_with_its_scores(make):
    results = make()
    assert "Observations are weighted here" not in Page(render(results)).words
    results.config["models"]["first"]["weights"] = {"y": "visits"}
    words = Page(render(results)).words
    assert "the log likelihood of each y times visits" in words
    assert "Observations are weighted here: every score is a sum in which each one counts with its weight" in words


def test_settings_are_those_of_the_last_attempt(make):
    results = make()
    history(results, "first")
    (fit, _) = fit_view.all_fits(results, {entry: config.Sampler().model_dump() for entry in results.entries})
    assert fit.reparametrized == ["theta"]
    assert dict(fit.settings)["target acceptance"] == 0.8
    fit.check["attempts"] = fit.attempts[:2]
    assert dict(fit.settings)["target acceptance"] == 0.95
    assert dict(fit.settings)["warm-up iterations"] == 2000


def test_a_failure_says_what_was_tried(make):
    results = make({"first": "ok", "second": "stuck"})
    history(results, "second", last="fail")
    words = Page(render(results)).words
    assert "Tried without success: target acceptance 0.95 with 2,000 warm-up iterations; reparametrized theta." in words


def test_a_failed_fit_is_ranked_where_the_study_says_so(make):
    results = make({"first": "ok", "second": "stuck"})
    results.config["comparisons"]["main"]["rank_failed"] = True
    text = render(results)
    words = Page(text).words
    assert "First predicts a row that was left out best: its elpd is 9.0 ± 2.0 above second." in words
    assert "Second failed its check; it is ranked because the study says so, and the score may be wrong." in words
    assert "No rank: its fit failed" not in words
    section = text.split('<section id="comparison">')[1]
    (row,) = re.findall(r'<tr class="failed">.*?</tr>', section, flags=re.DOTALL)
    assert "badge fail" in row
    assert '<td class="number">2</td>' in row


def test_a_changed_number_shows(make):
    results = make()
    path = results.folder / "comparisons/main.csv"
    before = render(results)
    io.write_csv(path, pd.read_csv(path).replace({-50.0: -51.23}))
    after = render(results)
    assert "−51.23" not in before
    assert "−51.23" in after


def test_sweep_prediction_and_figures_are_shown(make):
    words = Page(render(make())).words
    assert "largest elpd on the grid, −50.0 ± 2.0, is that of scale = 2" in words
    assert "The scores of 3 of 12 units there cannot be trusted" in words
    assert re.search(r"89 % interval 1 7\.[45]\d", words)
    assert "The drawing lost is missing" in words
    assert "Further figures" in words


def test_user_text_stays_text(make):
    text = render(make())
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"em", "i", "metadata", "foreignobject", "iframe"}
    assert "{{ 7*7 }}" in page.words
    assert "49" not in page.words.split("Data")[0]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.words
    own = {path.read_text() for path in TEMPLATES.glob("*.js")}
    assert set(page.scripts) <= own
    assert set(Page(index_page([make()])).scripts) <= own


def test_a_name_cannot_turn_the_text_after_it(make):
    results = make()
    results.config["title"] = "\u05d0\u200f\u202egnihton"
    for text in (render(results), index_page([results])):
        assert "\u05d0\u200f\ufffdgnihton" in text
        assert "\u202e" not in text


def test_the_policy_names_the_scripts_of_the_page_and_no_others(make):
    for text in (render(make()), index_page([make()])):
        page = Page(text)
        (policy,) = [each["content"] for tag, each in page.tags if each.get("http-equiv") == "Content-Security-Policy"]
        hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in page.scripts]
        assert hashes
        assert f"script-src {' '.join(f"'sha256-{each}'" for each in hashes)};" in policy
        assert policy.startswith("default-src 'none';")
        assert "unsafe-eval" not in policy


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
EXPLORED = {
    "kind": "groups",
    "members": {"group": {"name": HOSTILE, "labels": NAMES, "facts": FACTS}},
    "views": [{"site": "mu", "by": "group", "axis": {"label": HOSTILE, "observed": None}, "entries": [ESTIMATED]}],
}


def explore(results, content=EXPLORED):
    """Give the first figure an explorer."""
    path = results.folder / "figures/figures.json"
    listed = json.loads(path.read_text())
    listed[0]["explorer"] = content["kind"]
    io.write_json(path, listed)
    io.write_text(results.folder / f"figures/{listed[0]['name']}.json", json.dumps(content))


def test_data_of_an_explorer_stand_in_the_page_and_end_nothing(make):
    results = make()
    explore(results)
    page = Page(render(results))
    (data,) = page.data
    assert json.loads(data) == EXPLORED
    assert "<" not in data
    (section,) = [each for tag, each in page.tags if each.get("class") == "explorer"]
    assert "hidden" in section
    assert section["data-kind"] == "groups"
    assert "figures/data_plot.json" in page.links
    shared, own = ((TEMPLATES / f"{name}.js").read_text() for name in ("explorer", "explore_groups"))
    assert page.scripts.index(shared) < page.scripts.index(own)
    assert (TEMPLATES / "explore_sweep.js").read_text() not in page.scripts


def test_figures_without_explorers_need_no_script(make):
    page = Page(render(make()))
    assert not page.data
    assert (TEMPLATES / "explorer.js").read_text() not in page.scripts


@pytest.mark.parametrize("text", ['"</SCRIPT>"', "1 <!-- 2"])
def test_a_script_that_would_end_its_element_is_refused(tmp_path, text):
    path = tmp_path / "odd.js"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"odd\.js cannot stand in a page"):
        scripts.script(path)


def test_pages_load_nothing_from_elsewhere(make):
    text = render(make())
    assert not [link for link in Page(text).links if re.match(r"[a-z]+:|//", link)]
    assert "url(http" not in text


def test_links_and_anchors_lead_somewhere(make):
    results = make()
    render(results)
    for path in (results.folder / "index.html", results.folder.parent / "index.html"):
        page = Page(path.read_text())
        assert len(page.ids) == len(set(page.ids))
        for link in page.links:
            address, _, anchor = link.partition("#")
            target = (path.parent / unquote(address)) if address else path
            assert target.is_file(), link
            assert not anchor or anchor in Page(target.read_text()).ids, link


def test_structure(make):
    results = make({"first": "ok", "second": "crashed", "third": "ok"})
    for text in (render(results), index_page([results])):
        page = Page(text)
        assert page.headings.count(1) == 1
        steps = np.diff(page.headings)
        assert steps.max() <= 1
        assert set(page.header_cells) <= {"row", "col"}
        assert ("html", {"lang": "en"}) in page.tags
        names = [tag for tag, _ in page.tags]
        assert names.count("table") == names.count("caption")
        images = [attributes for tag, attributes in page.tags if tag == "svg"]
        assert all(image["role"] == "img" and image["aria-label"] for image in images)


def test_two_renderings_differ_where_the_machine_decides_alone(make, monkeypatch):
    results = make()
    first, index = render(results), index_page([results])
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    io.write_text(results.folder / "benchmarks/first/fit.tsv", "s\tmax_rss\n99.9\t1\n")
    second = render(StudyResults(results.study, results.config, results.folder))
    assert first != second
    assert without_machine(first) == without_machine(second)
    assert "12.3" in index
    assert "99.9" in index_page([results])
    assert without_machine(index) == without_machine(index_page([results]))


def test_optional_parts_that_are_missing_say_so(make):
    results = make()
    content = results.config | {"sweeps": {}, "comparisons": {}, "predictions": {}, "references": []}
    for path in (results.folder / "figures").iterdir():
        path.unlink()
    words = Page(render(StudyResults("tiny", content, results.folder))).words
    assert words.count("Not run:") >= 5
    assert "this study compares no models" in words


def test_svg_keeps_shapes_and_drops_the_rest():
    drawn = markup.svg(SVG, "p-", 'a "label"')
    for identified, referring in ((r'<clipPath id="(p-\w+)"', "url(#{})"), (r'<rect id="(p-\w+)"', 'href="#{}"')):
        assert referring.format(re.search(identified, drawn)[1]) in drawn
    assert "fill: currentColor; stroke: #d62728" in drawn
    assert "var(--paper)" in drawn
    for word in ("script>alert", "onload", "onclick", "javascript", "foreignObject", "metadata", "evil", "<style"):
        assert word not in drawn
    assert "a &lt;script&gt; label" in drawn


def test_svg_with_entities_is_refused():
    with pytest.raises(SyntaxError):
        markup.svg('<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "p-", "")


def test_equations_become_mathml_and_broken_ones_stay_text():
    drawn = markup.mathml(r"\begin{aligned} y &\sim \mathrm{Normal}(0, 1) \end{aligned}", "block")
    assert "<mo>∼</mo><mtext>Normal</mtext>" in drawn
    assert 'columnalign="right"' in drawn
    assert markup.mathml(r"\left( <script>", "inline") == r"<code>\left( &lt;script&gt;</code>"
    assert "<script>" not in markup.mathml("a < b <script>", "inline")


def test_docstring_paragraphs(tmp_path):
    path = tmp_path / "tiny.py"
    path.write_text(MODEL)
    first, paragraphs = docstrings.docstring(path)
    assert first.startswith("A model of <script>")
    assert [paragraph.equation for paragraph in paragraphs] == [True, False]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1234.5, 1, "1,234.5"),
        (-0.001, 2, "0.00"),
        (-3.1, 1, "−3.1"),
        (None, 2, "—"),
        (float("nan"), 2, "—"),
        (pd.NA, 2, "—"),
    ],
)
def test_numbers(value, decimals, text):
    assert formatting.number(value, decimals) == text


def test_many_ties_and_a_follower_read_well():
    def row(entry, difference, dse, tie):
        numbers = {"elpd": -50.0 + difference, "elpd_diff": difference, "dse": dse, "tie": tie, "n_units": 100}
        return comparisons.Row(entry, entry, "pass", numbers, 0, None)

    table = [
        row("a", 0.0, 0.0, False),
        row("b", -1.0, 2.0, True),
        row("c", -2.0, 2.0, True),
        row("d", -30.0, 3.0, False),
    ]
    found = comparisons.conclude(table, "a new tank")
    assert found.tone == "tie"
    assert found.sentences[0].replace("\N{NO-BREAK SPACE}", " ") == (
        "A tie: b and c cannot be told from a in how well they predict a new tank "
        "(elpd of a is 1.0 ± 2.0 above b and 2.0 ± 2.0 above c)."
    )
    assert found.sentences[1].replace("\N{NO-BREAK SPACE}", " ") == "D is behind by 30.0 ± 3.0."


def test_provenance_of_every_file_is_listed(make):
    text = render(make())
    assert json.loads(PROVENANCE)["code"][:12] in text
    assert {"data.nc", "first/fit.nc", "sweeps/grid/loo.nc"} <= set(
        re.findall(r'<th scope="row">([^<]+\.nc)</th>', text)
    )


def test_templates_name_no_number_of_a_result():
    folder = ROOT / "report"
    for path in folder.glob("*.html"):
        words = re.sub(r"{[{%].*?[%}]}|<[^>]*>", " ", path.read_text(), flags=re.DOTALL)
        assert not re.findall(r"\d+\.\d+", words), path.name


def test_scripts_write_both_pages(make):
    results = make()
    scripts = ROOT / "scripts"
    page, index = results.folder / "index.html", results.folder.parent / "index.html"
    run = results.folder / "run.json"
    sampler = config.Sampler().model_dump()
    main = runpy.run_path(str(scripts / "render_report.py"))["main"]
    main(str(page), str(run), "d" * 64, "tiny", results.config, 1, dict.fromkeys(results.entries, sampler), quick=False)
    graph = json.dumps({"jobs": {"fit": 2, "check": 2}, "edges": [["fit", "check"]]})
    runpy.run_path(str(scripts / "render_index.py"))["main"](str(index), graph, {"tiny": results.config}, quick=True)
    assert "2 rules with 4 jobs: fit leads to check." in index.read_text()
    words = Page(index.read_text()).words
    assert words.startswith("All studies")
    assert "A quick look" not in page.read_text()
    assert io.read_json(run)["study"] == "tiny"
    assert page.read_text() == render(results)
    assert "Chains are short and nothing was fitted again: conclude nothing from these pages." in words


GROUPS = ["a", "b", "c", "d", "e", "f"]
RELATIONS = {"alpha": "Normal", "beta": "Normal", "scale": "Exponential", "y": "Normal"}


@pytest.fixture
def grouped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return made_of_groups(tmp_path)


def made_of_groups(folder):
    """Simulated rows of six groups: `shared`, a fit to all, and `alone`, a fit to each, of which the last failed.

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


def section(text, name):
    return Page(re.search(rf'<section id="{name}">.*?</section>', text, flags=re.DOTALL)[0]).words


def test_separate_fits_are_summed_up_and_listed(grouped):
    text = render(grouped)
    words = section(text, "convergence")
    assert "5 of 6 groups pass every check; 1 fails." in words
    assert "Those that do not pass have 7 rows each, those that pass 1 to 7 rows (median 3)." in words
    assert "3 transitions diverged, in 1 of 6 groups. They are in f (3, 7 rows)." in words
    assert "6 separate fits" in words
    marked = r"f ✗ fail 7 [\d.]+ ✗ \(fail\) \d+ .* 3 [!✗] \((warn|fail)\)"
    assert re.search(rf"the worst first .* {marked} .*R-hat of alpha is", words)
    assert (
        "Alone: 1 of 6 separate fits failed the convergence check. The numbers of these must not be used."
        in Page(text).words
    )
    assert "alpha[f] (its fit failed)" in section(text, "estimates")


def test_a_coefficient_of_nothing_but_zeros_returns_its_prior(grouped):
    words = section(render(grouped), "estimates")
    assert (
        "1 of 6 values of beta returns its prior, because x is 0 or missing in all that concerns it: beta[c]." in words
    )
    assert words.count("(returns its prior)") == 1


def test_parameters_declared_by_label_return_their_prior(grouped):
    grouped.config["models"]["shared"]["returns_prior"] = {"beta": ["a", "b"], "gamma": "x"}
    assert (
        "2 of 6 values of beta return their prior, because the model leaves them out: beta[a] and beta[b]."
        in section(render(grouped), "estimates")
    )


def test_spread_of_groups_leaves_out_what_says_nothing(grouped):
    grouped.config["models"]["alone"]["returns_prior"] = {}
    words = section(render(grouped), "estimates")
    found = re.search(
        r"Across 5 groups, the posterior means of beta have a standard deviation of (\S+) in alone and (\S+) in", words
    )
    assert float(found[1]) == pytest.approx(2.5 * float(found[2]), rel=0.1)
    assert re.search(r"From alone to shared, group a \(1 row\) moves most, from −[\d.]+ to −0\.\d+", words)


def test_recovery_of_the_truth(grouped):
    text = render(grouped)
    words = section(text, "recovery")
    assert re.search(r"Shared covers \d of 7 true values\.", words)
    assert re.search(
        r"Shared is off by up to 1\d\.\d posterior standard deviations, at alpha \(truth 2, posterior mean 3\.\d+\)",
        words,
    )
    assert re.search(r"alpha 2 3\.\d+ 0\.\d+ 2\.8\d+ to 3\.1\d+ ✗ no \d+", words)
    assert re.search(r"scale 0 0\.\d+ .*? at the edge", words)
    assert "it is shown, but not counted" in words
    assert "Alone beside the truth (failed fit, for diagnosis only)" in words
    assert re.search(r"Shared covers \d of 7", Page(re.findall(r"<header>.*?</header>", text, re.DOTALL)[0]).words)


def test_a_parameter_that_returns_its_prior_is_not_counted_as_recovered(grouped):
    grouped.config["models"]["shared"]["returns_prior"] = {"beta": ["a"]}
    words = section(render(grouped), "recovery")
    assert re.search(r"Shared covers \d of 6 true values\.", words)
    assert re.search(r"beta\[a\] -?−?\S+ .*? returns its prior", words)


def test_fits_that_disagree_about_the_truth_are_named(grouped):
    grouped.config["models"]["again"] = grouped.config["models"]["shared"]
    grouped.config["models"]["right"] = grouped.config["models"]["shared"]
    tree = grouped.fit("shared").copy()
    for entry in ("again", "right"):
        for name in ("check.json", "loo.nc", "prior.nc"):
            path = grouped.folder / entry / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes((grouped.folder / "shared" / name).read_bytes())
    io.write(grouped.folder / "again/fit.nc", tree, contracts.FIT)
    posterior = tree["posterior"].to_dataset()
    truth = io.read(grouped.folder / "data.nc", contracts.DATA)["truth"].to_dataset()
    centred = {
        name: posterior[name] - posterior[name].mean(("chain", "draw")) + truth[name] for name in ("alpha", "beta")
    }
    tree["posterior"] = posterior.assign(centred)
    io.write(grouped.folder / "right/fit.nc", tree, contracts.FIT)
    words = section(render(grouped), "recovery")
    assert re.search(r"right 7 of 7\.", words)
    assert re.search(
        r"The true values? of alpha.*? covered by right, but not by shared \(\d+\.\d SDs\) and again \(\d+\.\d SDs\)",
        words,
    )
    assert re.search(r"alpha 2 ✗ 1\d\.\d ✗ 1\d\.\d ✓ 0\.0", words)


def test_without_simulated_data_there_is_no_recovery(make):
    words = Page(render(make())).words
    assert "Not run: the data are not simulated" in words


def test_root_mean_square_errors(grouped):
    words = section(render(grouped), "accuracy")
    observed = grouped.data["y"].values
    found = re.search(r"shared y (\S+) ± (\S+) (\S+) ± (\S+) 0 of 12 500", words)
    assert abs(float(found[1]) - observed.std()) < 4 * float(found[2]) + 0.01
    assert abs(float(found[3]) - observed.std()) < 4 * float(found[4]) + 0.01
    assert "alone (1 of 6 separate fits failed) y" in words
    assert "(y in m)" in words


def test_an_error_smaller_than_its_monte_carlo_error_is_not_known(grouped, monkeypatch):
    monkeypatch.setattr(rmse, "root_mean_square_error", lambda *_: rmse.Error(2.0, 92.0, 24))
    words = section(render(grouped), "accuracy")
    assert "In sample, y is off by an unknown amount with shared" in words
    assert "shared y not known not known" in words
    assert "92" not in words


def test_a_choice_of_members_that_were_left_out_is_said(make):
    results = make()
    results.config["groups"] = ["group"]
    results.config["comparisons"]["main"]["target"] = "group"
    plan = {"members": 3, "of": 10, "folds": 2}
    for entry in results.entries:
        tree = results.loo(entry).copy()
        tree.attrs["plan"] = json.dumps(plan)
        io.write(results.folder / entry / "logo_group.nc", tree, contracts.LOO)
    (found,) = study.comparisons(results)
    assert found.conclusion.sentences[-1] == (
        "Left out were 3 of the 10 members of group, chosen at random, in 2 fits."
    )


def test_outcomes_without_a_numeric_mean_have_no_accuracy(make):
    assert "Not run: no outcome of a usable fit has a mean on its own scale" in Page(render(make())).words


def test_stated_rows_name_groups_and_variables(grouped):
    words = section(render(grouped), "predictions")
    assert "Stated rows, by shared" in words
    assert re.search(
        r"The mean of y by shared, with the 89 % interval of single rows, is [34]\.\d+ m \(.*\) for group b, x 0\.",
        words,
    )
    assert re.search(r"row group x Mean SD Median 89 % interval 1 b 0 [34]\.\d+ [01]\.\d+", words)


def test_long_tables_are_capped_and_lead_to_all_rows(make):
    results = make()
    path = results.folder / "first/check.json"
    report = json.loads(path.read_text())
    row = report["parameters"][-1]
    report["parameters"] += [row | {"parameter": f"theta[{i}]"} for i in range(14, 400)]
    report["reasons"] = [
        {"severity": "warn", "code": "finite", "values": {}, "site": "theta", "labels": [str(i)]} for i in range(300)
    ]
    report["verdict"] = "warn"
    io.write_json(path, report)
    text = render(results)
    words = Page(text).words
    assert "theta[99]" in words
    assert "theta[100]" not in words
    assert "These are the first 100 of 400; all of them are in check.json" in words
    assert "These are the first 100 of 300; all of them are in check.json" in words
    assert '<a href="first/check.json">check.json</a>' in text


def test_paths_are_written_shorter():
    drawn = markup.svg(
        '<svg viewBox="0 0 9 9"><path id="lost" d="M 0 0 \nL 1.23456 2 \nL 3 -4 \nQ 1 2 3 4 \nL 5 6 \nz"/></svg>',
        "p-",
        "",
    )
    assert 'd="M0 0 1.23 2 3 -4Q1 2 3 4L5 6z"' in drawn
    assert "lost" not in drawn


def test_long_curves_have_one_decimal():
    points = [f"{x}.123 5.678" for x in range(80)]
    assert compact_svg.path("M " + " L ".join(points)).startswith("M0.1 5.7 1.1 5.7 2.1 5.7")
    assert compact_svg.path("M " + " L ".join(points[:2])) == "M0.12 5.68 1.12 5.68"


LINE = '<path d="M 0 {y}\nL 9.00 {y}" clip-path="url(#c)" style="fill: none; stroke: {colour}{more}"/>'
CLIP = '<defs><clipPath id="c"><rect width="9" height="9"/></clipPath></defs>'


def lines(*looks, around="<g>"):
    drawn = "\n".join(f"<g>{LINE.format(y=y, **look)}</g>" for y, look in enumerate(looks))
    return markup.svg(f'<svg viewBox="0 0 9 9">{CLIP}{around}{drawn}</g></svg>', "p-", "")


def test_neighbours_of_one_style_say_it_once():
    red, blue = {"colour": "#d62728", "more": ""}, {"colour": "#0072b2", "more": ""}
    drawn = lines(red, red, blue)
    assert '<path d="M0 0 9 0 M0 1 9 1" style="fill: none; stroke: #d62728" clip-path="url(#p-0)"/>' in drawn
    assert drawn.index("#d62728") < drawn.index("#0072b2")
    assert "<g" not in drawn


def test_translucent_lines_stay_lines_of_their_own():
    faint = {"colour": "#d62728", "more": "; stroke-opacity: 0.3"}
    drawn = lines(faint, faint)
    assert drawn.count("<path") == 2
    assert drawn.count("stroke-opacity") == 1
    whole = {"colour": "#d62728", "more": "; opacity: 0.3"}
    assert lines(whole, whole).count("; opacity: 0.3") == 2
    plain = {"colour": "#d62728", "more": ""}
    assert lines(plain, plain, around='<g style="stroke-opacity: 0.5">').count("<path") == 2


def test_what_is_defined_keeps_its_own_style():
    dots = '<path id="a" d="M 0 0 L 1 1" style="stroke: red"/><path id="b" d="M 0 0 L 2 2" style="stroke: red"/>'
    uses = '<use href="#a" x="1.234" style="fill: blue"/><use href="#b" style="fill: blue"/>'
    drawn = markup.svg(f'<svg viewBox="0 0 9 9"><defs>{dots}</defs><g>{uses}</g></svg>', "p-", "")
    assert drawn.count("stroke: red") == 2
    assert drawn.count("fill: blue") == 1
    assert '<use href="#p-0" x="1.23"/>' in drawn


@pytest.mark.parametrize(("noun", "words"), [("county", "2 counties"), ("day", "2 days"), ("class", "2 classes")])
def test_plurals(noun, words):
    assert formatting.counted(2, noun) == words
    assert formatting.counted(1, noun) == f"1 {noun}"


def test_long_lists_are_cut():
    assert formatting.first_of(["a", "b", "c"], 2) == "a, b and 1 more"
    assert formatting.first_of(["a", "b"], 2) == "a and b"


def sensitive(rows, left='{"z":"it is that of standardized effects of a group"}'):
    """A sensitivity.nc. rows: parameter -> prior, likelihood, prior_sds, moved_by, diagnosis, Pareto k, member."""
    columns = ("prior", "likelihood", "prior_sds", "moved_by", "diagnosis", "prior_pareto_k", "member")
    values = {name: ("parameter", [row[i] for row in rows.values()]) for i, name in enumerate(columns)}
    values["site"] = ("parameter", [name.partition("[")[0] for name in rows])
    values["likelihood_pareto_k"] = ("parameter", np.zeros(len(rows)))
    found = xr.Dataset(values, {"parameter": list(rows)})
    found.attrs = {"sensitive": 0.05, "far": 3.0, "good_k": 0.7, "scaled": '["mu","tau","nu"]', "unscaled": left}
    tree = xr.DataTree.from_dict({"sensitivity": found})
    tree.attrs.update(provenance=PROVENANCE, status="ok", reason="")
    return tree


def test_priors_that_matter_are_named_with_what_they_do(make):
    results = make()
    rows = {
        "mu": (0.353, 0.04, -3.7, "mu", "conflict", 0.1, ""),
        "theta[1]": (0.1, 0.2, 0.1, "mu", "conflict", 0.1, ""),
        "theta[2]": (0.12, 0.2, 0.1, "mu", "conflict", 0.1, ""),
        "tau": (0.2, 0.01, 0.5, "tau", "strong prior", 0.1, ""),
        "nu": (0.08, 0.3, 0.5, "nu", "conflict", 0.1, ""),
        "theta[3]": (0.01, 0.2, 0.5, "", "none", 0.1, ""),
        "theta[4]": (0.9, 0.2, 0.5, "mu", "conflict", 0.9, ""),
        "fixed": (np.nan, np.nan, np.nan, "", "none", 0.1, ""),
    }
    io.write(results.folder / "first/sensitivity.nc", sensitive(rows), contracts.SENSITIVITY)
    quiet = {"mu": (0.012, 0.3, 0.1, "", "none", 0.1, "")}
    io.write(results.folder / "second/sensitivity.nc", sensitive(quiet, "{}"), contracts.SENSITIVITY)
    words = section(render(results), "sensitivity")
    assert (
        "The prior of mu pulls against the data: it moves mu and 2 values of theta (sensitivity up to 0.35), and the mean of "
        "mu lies 3.7 prior standard deviations from the mean of its prior. The prior of tau is strong beside what the data say "
        "of it: it moves tau (sensitivity up to 0.20). The prior of nu may pull against the data: it moves nu (sensitivity up "
        "to 0.08), and the data move it too. Scaled are the priors of mu, tau and nu. The density of z is not scaled: it is "
        "that of standardized effects of a group. The importance sampling cannot be trusted for 1 parameter (Pareto k too "
        "high): there the diagnosis is not reliable. 1 constant cannot be assessed."
    ) in words
    assert "theta[4] 0.90 0.20 0.5 mu not reliable" in words
    assert "mu 0.35 0.04 −3.7 mu prior against data" in words
    assert "2 other parameters do not depend on the priors" in words
    assert (
        "No posterior of second depends much on how strong its priors are: of 1 parameter they move mu most, by 0.012"
        in words
    )


def test_sensitivities_of_what_failed_are_not_read(make):
    results = make({"first": "stuck", "second": "crashed"})
    rows = {"mu": (0.353, 0.04, -3.7, "mu", "conflict", 0.1, "")}
    io.write(results.folder / "first/sensitivity.nc", sensitive(rows), contracts.SENSITIVITY)
    crashed = xr.DataTree(xr.Dataset(attrs={"provenance": PROVENANCE, "status": "crashed", "reason": "of SIGKILL"}))
    io.write(results.folder / "second/sensitivity.nc", crashed, contracts.SENSITIVITY)
    words = section(render(results), "sensitivity")
    assert "There is no diagnosis: its fit failed the convergence check." in words
    assert "There is no diagnosis: of SIGKILL." in words
    assert "pulls against" not in words


def test_separate_fits_that_failed_have_no_part_in_the_sensitivities(grouped):
    failed = {point["group"] for point in grouped.check("alone")["points"] if point["verdict"] == "fail"}
    sound = next(point["group"] for point in grouped.check("alone")["points"] if point["verdict"] != "fail")
    assert failed
    rows = {f"mu[{label}]": (0.5, 0.3, 0.0, "mu", "conflict", 0.1, label) for label in [*failed, sound]}
    io.write(grouped.folder / "alone/sensitivity.nc", sensitive(rows), contracts.SENSITIVITY)
    words = section(render(grouped), "sensitivity")
    assert f"it moves mu[{sound}] (sensitivity" in words
    assert not any(f"mu[{label}]" in words for label in failed)


def quantities(results, entry):
    """The CSV of test quantities: the observed mean and two of three groups are far from what is replicated."""
    y = np.r_[np.full(4, 3), np.full(4, 9), np.full(4, 8)]
    rng = np.random.default_rng(2)
    outcome = predictive_checks.Outcome(
        "y", predictive_checks.COUNTS, y, rng.poisson(4.0, (4, 250, 12)), members={"group": np.repeat([0, 1, 2], 4)}
    )
    table = predictive_checks.table([outcome])
    io.write_csv(results.folder / f"figures/{entry}-test_quantities.csv", table)
    return table.set_index(["quantity", "group"])


def predictive_section(text):
    return text.split('<section id="predictive">')[1].split("</section>")[0]


def test_test_quantities_are_read_from_their_file(make):
    results = make()
    table = quantities(results, "first")
    words = Page(predictive_section(render(results))).words
    assert "The observed mean (6.667) is large: no replicated data set goes beyond it" in words
    extreme = int(table["extreme"].sum())
    assert 2 <= extreme < len(table)
    assert f"{len(table)} quantities of 1 fit were looked at, and {extreme} of them lie in a tail" in words
    assert f"at most {0.05 * len(table):.1f} would on average" in words
    expected = table.loc[("mean", "group"), "mean"]
    assert f"Of 3 groups, 2 have a mean outside the 95 % interval, where {expected:.1f} are expected, which is" in words
    assert "mean 6.667" in words
    assert "! upper tail" in words
    assert "! too many" in words
    zeros = table.loc[("share of zeros", "")]
    assert f"{zeros['tail_probability']:.3f} ± {zeros['mcse']:.3f}" in words


def test_test_quantities_of_failed_fits_are_not_read_as_good(make):
    results = make({"first": "stuck", "second": "crashed"})
    quantities(results, "first")
    text = predictive_section(render(results))
    assert "Test quantities of the failed fit, for diagnosis only" in text
    assert "is large" not in text
    assert "There are no test quantities: its fit crashed." in text
