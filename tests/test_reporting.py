"""Pages say what the result files say, mark failures everywhere, and let no user text become markup."""

import json
import re
import runpy
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tadpool import checks, config, contracts, io, provenance
from tadpool.reporting import documents, formatting, markup, ranking
from tadpool.reporting.index import index_page
from tadpool.reporting.study import study_page
from tadpool.results import StudyResults

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
        self.header_cells, self.captions, self.open = [], 0, []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.header_cells += [attributes.get("scope")] if tag == "th" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


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
        }
        totals = {"elpd": elpd, "se": 2.0, "p_loo": 2.0, "mcse": 0.03, "good_k": 0.7, "bad_k": bad, "n_units": UNITS}
        values = {name: ("row", value) for name, value in point.items()} | {"method": ("row", np.full(UNITS, "psis"))}
        tree["loo"] = xr.Dataset(values | {f"total_{name}": value for name, value in totals.items()})
    return tree


def compared(names, numbers, verdicts):
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
            row |= {"p_loo": 2.0, "weight": 0.5, "bad_k": 0, "n_units": UNITS, "rows_psis": UNITS, "rows_refit": 0}
        rows.append(row)
    columns = (
        "model target rank elpd se mcse elpd_diff dse tie p_loo weight bad_k n_units rows_psis rows_refit rows_kfold"
    )
    return pd.DataFrame(rows).reindex(columns=[*columns.split(), "verdict"])


@pytest.fixture
def make(tmp_path, monkeypatch):
    """make(kinds, difference, bad_k): a study's results; kinds of fits by entry, the two healthy ones this far apart."""
    monkeypatch.chdir(tmp_path)
    for kind, text in {"models/tiny": MODEL, "datasets/tinydata": DATASET}.items():
        io.write_text(tmp_path / f"{kind}.py", text)

    def made(kinds=None, difference=(-9.0, 2.0, False), bad_k=0, **changes):
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
        results = StudyResults("tiny", content, tmp_path / "results" / "tiny")
        write_results(results, kinds, difference, bad_k)
        return results

    return made


def write_results(results, kinds, difference, bad_k):
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
        io.write(folder / entry / "loo.nc", loo(-50.0, bad_k, status), contracts.LOO)
        numbers[entry] = (
            (-50.0 - 9.0 * position, *(difference if position else (0.0, 0.0, False))) if status == "ok" else None
        )
    order = sorted(kinds, key=lambda entry: numbers[entry] is None)
    io.write_csv(folder / "comparisons" / "main.csv", compared(order, numbers, verdicts))
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


def render(results):
    sampler = config.Sampler().model_dump()
    text = study_page(results, "d" * 64, 1, dict.fromkeys(results.entries, sampler))
    io.write_text(results.folder / "index.html", text)
    io.write_text(results.folder.parent / "index.html", index_page([results]))
    return text


def without_machine(text):
    return re.sub(r'<section id="machine">.*?</section>', "", text, flags=re.DOTALL)


def test_a_clear_winner_is_named_with_its_margin(make):
    words = Page(render(make())).words
    assert "First predicts a row that was left out best: its elpd is 9.0 ± 2.0 above second." in words
    assert "A tie" not in words


def test_a_tie_is_called_a_tie(make):
    words = Page(render(make(difference=(-1.5, 2.0, True)))).words
    assert "A tie: first and second cannot be told apart" in words
    assert "best:" not in words


def test_bad_pareto_k_withdraws_the_conclusion(make):
    results = make(bad_k=5)
    words = Page(render(results)).words
    assert "Which model predicts best is not settled" in words
    assert "Pareto k is above 0.70 for 5 of 12 units of first and 5 of 12 units of second" in words
    assert "The comparison of tiny cannot be trusted yet" in Page(index_page([results])).words


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
    assert "1 of 2 fits failed" in Page(index_page([results])).words


def test_a_changed_number_shows(make):
    results = make()
    path = results.folder / "comparisons/main.csv"
    before = render(results)
    path.write_text(path.read_text().replace("-50.0", "-51.23"))
    after = render(results)
    assert "−51.23" not in before
    assert "−51.23" in after


def test_sweep_prediction_and_figures_are_shown(make):
    words = Page(render(make())).words
    assert "largest elpd on the grid, −50.0 ± 2.0, is that of scale = 2" in words
    assert "Pareto k is above 0.70 for 3 of 12 units there" in words
    assert re.search(r"89 % interval 1 7\.[45]\d", words)
    assert "The drawing lost is missing" in words
    assert "Further figures" in words


def test_user_text_stays_text(make):
    text = render(make())
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "em", "i", "metadata", "foreignobject", "iframe"}
    assert "{{ 7*7 }}" in page.words
    assert "49" not in page.words.split("Data")[0]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.words
    index = Page(index_page([make()]))
    assert "script" not in {tag for tag, _ in index.tags}


def test_pages_load_nothing_from_elsewhere(make):
    text = render(make())
    assert not [link for link in Page(text).links if re.match(r"[a-z]+:|//", link)]
    assert "default-src 'none'" in text
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


def test_two_renderings_differ_in_the_machine_section_alone(make, monkeypatch):
    results = make()
    first, index = render(results), index_page([results])
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    io.write_text(results.folder / "benchmarks/first/fit.tsv", "s\tmax_rss\n99.9\t1\n")
    second = render(StudyResults(results.study, results.config, results.folder))
    assert first != second
    assert without_machine(first) == without_machine(second)
    assert index == index_page([results])


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
    assert 'id="p-clip"' in drawn
    assert "url(#p-clip)" in drawn
    assert 'href="#p-r"' in drawn
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
    first, paragraphs = documents.docstring(path)
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
        return ranking.Row(entry, entry, "pass", numbers, 0, 0.7)

    table = [
        row("a", 0.0, 0.0, False),
        row("b", -1.0, 2.0, True),
        row("c", -2.0, 2.0, True),
        row("d", -30.0, 3.0, False),
    ]
    found = ranking.conclude(table, "a new tank")
    assert found.tone == "tie"
    assert found.sentences[0].replace("\N{NO-BREAK SPACE}", " ") == (
        "A tie: a, b and c cannot be told apart in how well they predict a new tank "
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
    folder = Path(__file__).parent.parent / "report"
    for path in folder.glob("*.html"):
        words = re.sub(r"{[{%].*?[%}]}|<[^>]*>", " ", path.read_text(), flags=re.DOTALL)
        assert not re.findall(r"\d+\.\d+", words), path.name


def test_scripts_write_both_pages(make):
    results = make()
    scripts = Path(__file__).parent.parent / "scripts"
    page, index = results.folder / "index.html", results.folder.parent / "index.html"
    sampler = config.Sampler().model_dump()
    main = runpy.run_path(str(scripts / "render_report.py"))["main"]
    main(str(page), "d" * 64, "tiny", results.config, 1, dict.fromkeys(results.entries, sampler))
    runpy.run_path(str(scripts / "render_index.py"))["main"](str(index), {"tiny": results.config})
    assert page.read_text() == render(results)
    assert Page(index.read_text()).words.startswith("All studies")
