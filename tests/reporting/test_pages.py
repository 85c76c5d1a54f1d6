"""Pages say what the result files say, mark failures everywhere, and let no user text become
markup."""

import base64
import hashlib
import json
import re
import runpy
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tadpool import ROOT, config, formatting
from tadpool.evaluation import rmse
from tadpool.evaluation.prior_sensitivity import CONDITIONAL
from tadpool.files import contracts, io
from tadpool.files.results import StudyResults
from tadpool.reporting import fit_view
from tadpool.reporting.html import docstrings, markup, scripts
from tadpool.reporting.html.environment import TEMPLATES
from tadpool.reporting.pages.index import index_page
from tadpool.reporting.sections import comparison, conclusions, contributions, estimates, outcomes, predictions
from tadpool.reporting.sections import data as section_data
from tests.made.page import Page, render, section, without_machine
from tests.made.results import EXPLORED, MODEL, PROVENANCE, SVG, explore, history, quantities, sensitive


def test_a_clear_winner_is_named_with_its_margin(make):
    words = Page(render(make())).words
    assert "Of these models, the first model predicts held-out rows best: its elpd is 9.0 ± 2.0 above second." in words
    assert "about equally well" not in words
    assert "too close to call (" not in words


def test_a_small_difference_is_about_equal(make):
    words = Page(render(make(difference=(-1.5, 1.0, True)))).words
    assert "Of these models, the first and second models predict held-out rows about equally well" in words
    assert "best:" not in words


def test_an_uncertain_difference_is_too_close_to_call(make):
    words = Page(render(make(difference=(-9.0, 6.0, True)))).words
    assert (
        "first and second are too close to call in how well they predict held-out rows (the elpd of first is "
        "9.0 ± 6.0 (1.5 standard errors) above second)" in words
    )
    assert "about equally well" not in words


@pytest.mark.parametrize(
    ("target", "groups", "words"),
    [
        ("unit", ["county"], "held-out houses"),
        ("unit", ["house"], "new houses"),
        ("house", ["house"], "new houses"),
        ("county", ["county"], "new counties"),
        ("county", ["house", "county"], "new counties"),
    ],
)
def test_what_is_predicted_in_words(target, groups, words):
    results = StudyResults("radon", {"unit": "house", "groups": groups}, Path())
    assert comparison.target_words(results, target) == words


def test_bad_pareto_k_withdraws_the_conclusion(make):
    results = make(doubtful=5)
    words = Page(render(results)).words
    assert "Which model predicts best is not settled" in words
    assert (
        "Unreliable (Pareto k too high, or a refit whose chains disagree): 5 of 12 scores of first and 5 of 12" in words
    )
    assert "The comparison of tiny is not settled" in Page(index_page([results])).words


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
    assert "Of the fits that did not fail, the first model predicts held-out rows" in page.words
    card = text.split('id="model-second"')[1].split("</article>")[0]
    assert "notice fail" in card
    assert "badge fail" in card
    assert "badge pass" not in card
    for place in ("convergence", "comparison"):
        (row,) = re.findall(r'<tr class="failed">.*?</tr>', text.split(f'<section id="{place}">')[1], flags=re.DOTALL)[
            :1
        ]
        assert "second" in row
        assert "badge fail" in row
    assert "No rank: its fit failed" in page.words
    assert "1 of 3 fits failed: tiny/second. Its estimates must not be used." in index.words
    assert '<div class="conclusion fail">' in index_page([results])
    assert index.words.index("tiny / second") < index.words.index("tiny / first")


def test_no_model_is_best_where_the_first_failed(make):
    words = Page(render(make({"first": "stuck", "second": "ok", "third": "ok"}))).words
    assert "No model can be called best: first has the largest elpd, but its fit failed." in words
    assert "predicts held-out rows" not in words


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
    assert "Observations are weighted" not in Page(render(results)).words
    results.config["models"]["first"]["weights"] = {"y": "visits"}
    words = Page(render(results)).words
    assert "the log likelihood of each y times visits" in words
    assert "Observations are weighted: in every score each one counts with its weight" in words


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
    assert "Of these models, the first model predicts held-out rows best: its elpd is 9.0 ± 2.0 above second." in words
    assert "Second failed its check; it is ranked because the study says so, and the score may be wrong." in words
    assert "No rank: its fit failed" not in words
    section = text.split('<section id="comparison">')[1]
    row, *_ = re.findall(r'<tr class="failed">.*?</tr>', section, flags=re.DOTALL)
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
    assert "At face value, the elpd is largest, −50.0 ± 2.0, at scale = 2" in words
    assert "At that point the scores of 3 of 12 units are unreliable" in words
    assert re.search(r"Mean SD 1 7\.\d+ \S+ to \S+ 7\.[45]\d", words)
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


def test_data_of_an_explorer_stand_in_the_page_and_end_nothing(make):
    results = make()
    explore(results)
    page = Page(render(results))
    (data,) = page.data
    assert json.loads(data) == EXPLORED
    assert "<" not in data
    (section,) = [each for tag, each in page.tags if each.get("class") == "explorer"]
    assert "hidden" in section
    assert "figures/data_plot.json" in page.links
    assert (TEMPLATES / "explorer.js").read_text() in page.scripts


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
    lacking = re.search(r"Not part of this study: (.*?)\.", words)[1].split("; ")
    assert {"comparison", "sweeps", "predictions", "references", "figures of the study"} <= set(lacking)


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


def row(entry, difference, dse, units=100, weight=0.5, **changes):
    tie = difference < 0 and difference > -2 * max(dse, 2)
    numbers = {"elpd": -50.0 + difference, "elpd_diff": difference, "dse": dse, "tie": tie, "n_units": units}
    numbers |= {"rank": 1 if difference == 0 else 2, "weight": weight}
    return comparison.Row(entry, entry, "pass", numbers, 0, None, **changes)


def said(table, target="new tanks"):
    found = conclusions.conclude(table, target)
    return found.tone, [words.replace("\N{NO-BREAK SPACE}", " ") for words in found.sentences]


def test_many_ties_and_a_follower_read_well():
    table = [row("a", 0.0, 0.0), row("b", -1.0, 1.0), row("c", -2.0, 1.5), row("d", -30.0, 3.0)]
    tone, (first, second) = said(table)
    assert tone == "equal"
    assert first == (
        "Of these models, the a, b and c models predict new tanks about equally well "
        "(the elpd of a is 1.0 ± 1.0 above b and 2.0 ± 1.5 above c)."
    )
    assert second == "The elpd is lower by 30.0 ± 3.0 for d."


def test_two_differences_near_two_standard_errors_are_told_by_their_number():
    tone, (first, second) = said([row("a", 0.0, 0.0), row("b", -7.2, 4.0), row("c", -9.4, 4.6)])
    assert tone == "uncertain"
    assert "7.2 ± 4.0 (1.8 standard errors) above b" in first
    assert second == "The elpd is lower by 9.4 ± 4.6 (2.0 standard errors) for c."


@pytest.mark.parametrize(
    ("units", "words"),
    [(5, "5 tanks are too few for standard errors and P(worse) to be trusted."), (48, "48 tanks are few: below 100")],
)
def test_few_units_are_said(units, words):
    table = [row("a", 0.0, 0.0, units), row("b", -30.0, 3.0, units)]
    assert any(each.startswith(words) for each in said(table)[1])
    assert not any("few" in each for each in said([row("a", 0.0, 0.0), row("b", -30.0, 3.0)])[1])


def test_weights_against_the_ranking_are_explained_and_those_of_few_units_left_out():
    light, heavy = row("a", 0.0, 0.0, weight=0.0), row("b", -30.0, 3.0, weight=1.0)
    assert any(
        words.startswith("Stacking gives b more weight (1.00) than a (0.00)") for words in said([light, heavy])[1]
    )
    agreeing = [row("a", 0.0, 0.0, weight=0.7), row("b", -30.0, 3.0, weight=0.3)]
    assert not any("Stacking" in words for words in said(agreeing)[1])
    few = [row("a", 0.0, 0.0, 5, weight=0.0), row("b", -30.0, 3.0, 5, weight=1.0)]
    assert not any("Stacking" in words for words in said(few)[1])
    assert not comparison.weighted(few)
    assert comparison.weighted([light, heavy])


def test_a_prediction_from_the_prior_alone_is_no_rival():
    alone = row("c", -187.0, 16.0, prior_alone=True)
    _, sentences = said([row("a", 0.0, 0.0), row("b", -45.0, 10.0), alone])
    assert sentences[0] == "Of these models, the a model predicts new tanks best: its elpd is 45.0 ± 10.0 above b."
    assert sentences[1] == "C has nothing but its prior to predict new tanks with, so its elpd says little."


def test_provenance_of_every_file_is_listed(make):
    text = render(make())
    assert json.loads(PROVENANCE)["code"][:12] in text
    assert {"data.nc", "first/fit.nc", "sweeps/grid/loo.nc"} <= set(
        re.findall(r'<th scope="row">([^<]+\.nc)</th>', text)
    )


def test_templates_name_no_number_of_a_result():
    folder = ROOT / "report"
    for path in folder.rglob("*.html"):
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
    runpy.run_path(str(scripts / "render_index.py"))["main"](str(index), {"tiny": results.config}, quick=True)
    words = Page(index.read_text()).words
    assert words.startswith("All studies")
    assert "A quick look" not in page.read_text()
    assert io.read_json(run)["study"] == "tiny"
    assert page.read_text() == render(results)
    assert "Chains are short and nothing was refitted: draw no conclusions from these pages." in words


def test_separate_fits_are_summed_up_and_listed(grouped):
    text = render(grouped)
    words = section(text, "convergence")
    assert "5 of 6 groups pass every check; 1 fails." in words
    assert "Those that do not pass have 7 rows each, those that pass 1 to 7 rows (median 3)." in words
    assert "3 transitions diverged, in 1 of 6 groups. They are in f (3, 7 rows)." in words
    assert "6 separate fits" in words
    worst = r"worst first .* f ✗ fail 7 [\d.]+ ✗ \(fail\) \d+ .* 3 [!✗] \((warn|fail)\) .*R-hat of alpha is"
    assert re.search(worst, words)
    assert (
        "Alone: 1 of 6 separate fits failed the convergence check. Their numbers must not be used." in Page(text).words
    )
    assert "alpha[f] (its fit failed)" in section(text, "estimates")


def test_a_coefficient_of_nothing_but_zeros_returns_its_prior(grouped):
    words = section(render(grouped), "estimates")
    assert (
        "1 of 6 values of beta returns its prior, because x is 0 or missing in every row that concerns it: beta[c]."
        in words
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
    assert re.search(r"\d of 7 true values lie in the 89 % intervals of shared\.", words)
    assert re.search(
        r"Shared is off by up to 1\d\.\d posterior standard deviations, at alpha \(truth 2, posterior mean 3\.\d+\)",
        words,
    )
    assert re.search(r"alpha 2 3\.\d+ 0\.\d+ 2\.8\d+ to 3\.1\d+ ✗ no \d+", words)
    assert re.search(r"scale 0 0\.\d+ .*? at the edge", words)
    assert "it is shown but not counted" in words
    assert "Alone: estimates and true values (failed fit, for diagnosis only)" in words
    assert re.search(r"\d of 7 inside intervals", Page(re.findall(r"<header>.*?</header>", text, re.DOTALL)[0]).words)


def test_a_parameter_that_returns_its_prior_is_not_counted_as_recovered(grouped):
    grouped.config["models"]["shared"]["returns_prior"] = {"beta": ["a"]}
    words = section(render(grouped), "recovery")
    assert re.search(r"\d of 6 true values lie in the 89 % intervals of shared\.", words)
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
    assert re.search(r"7 in those of right\.", words)
    assert re.search(
        r"The true values? of alpha.*? covered by right, but not by shared \(by up to \d+\.\d SDs\) and again "
        r"\(by up to \d+\.\d SDs\)",
        words,
    )
    assert re.search(r"alpha 2 ✗ 1\d\.\d ✗ 1\d\.\d ✓ 0\.0", words)


def test_without_simulated_data_there_is_no_recovery(make):
    words = Page(render(make())).words
    assert re.search("Not part of this study: .*parameter recovery", words)


def test_root_mean_square_errors(grouped):
    words = section(render(grouped), "accuracy")
    observed = grouped.data["y"].values
    found = re.search(r"shared y (\S+) ± (\S+) (\S+) ± (\S+) (\S+) \((\S+) to (\S+)\) 0 of 12 500", words)
    assert abs(float(found[1]) - observed.std()) < 4 * float(found[2]) + 0.01
    assert abs(float(found[3]) - observed.std()) < 4 * float(found[4]) + 0.01
    share = 1 - float(found[3]) ** 2 / observed.var()
    assert float(found[6].replace("−", "-")) < share < float(found[7])
    assert abs(float(found[5].replace("−", "-")) - share) < 0.05
    assert "alone (1 of 6 separate fits failed) y" in words
    assert "(y in m)" in words


def test_an_error_smaller_than_its_monte_carlo_error_is_not_known(grouped, monkeypatch):
    monkeypatch.setattr(rmse, "root_mean_square_error", lambda *_: rmse.Error(2.0, 92.0, 24))
    words = section(render(grouped), "accuracy")
    assert "In-sample RMSE of y could not be computed for shared" in words
    assert "shared y unstable unstable" in words
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
    (found,) = conclusions.comparisons(results)
    assert found.conclusion.sentences[-1] == (
        "3 of the 10 members of group, chosen at random, were held out, in 2 fits."
    )


def test_outcomes_without_a_numeric_mean_have_no_accuracy(make):
    text = render(make())
    assert re.search(r"Not part of this study: .*accuracy \(of numeric outcomes\)", Page(text).words)
    assert 'id="accuracy"' not in text


def test_stated_rows_name_groups_and_variables(grouped):
    words = section(render(grouped), "predictions")
    assert "Chosen rows, by shared" in words
    assert re.search(
        r"Mean of y predicted by shared, with 89 % intervals for single rows: [34]\.\d+ m \(.*\) for group b, x 0\.",
        words,
    )
    assert re.search(r"row group x Median 89 % interval Mean SD 1 b 0 [34]\.\d+ \S+ to \S+ [34]\.\d+ [01]\.\d+", words)


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


def test_paths_have_two_decimals_and_ids_that_nothing_refers_to_are_left_out():
    drawn = markup.svg('<svg viewBox="0 0 9 9"><path id="lost" d="M 0 0 \nL 1.23456 2 \nL 3 -4.500"/></svg>', "p-", "")
    assert 'd="M 0 0  L 1.23 2  L 3 -4.5"' in drawn
    assert "lost" not in drawn


@pytest.mark.parametrize(("noun", "words"), [("county", "2 counties"), ("day", "2 days"), ("class", "2 classes")])
def test_plurals(noun, words):
    assert formatting.counted(2, noun) == words
    assert formatting.counted(1, noun) == f"1 {noun}"


def test_long_lists_are_cut():
    assert formatting.first_of(["a", "b", "c"], 2) == "a, b and 1 more"
    assert formatting.first_of(["a", "b"], 2) == "a and b"


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
        "Potential prior-data conflict for mu: its prior moves mu and 2 values of theta (sensitivity up to 0.35), and the"
        " mean of mu lies 3.7 prior standard deviations from its prior mean. The prior of tau moves tau "
        "(sensitivity up to 0.20), and power-scaling of the data hardly does. Potential prior-data conflict for nu: its "
        "prior moves nu (sensitivity up to 0.08), and the data move it too. The priors of mu, tau and nu were scaled. The "
        "density of z "
        "was not scaled: it is that of standardized effects of a group. Importance sampling is unreliable for 1 parameter"
        " (Pareto k too high), and so is the diagnosis there. 1 constant cannot be assessed."
    ) in words
    assert "theta[4] 0.90 0.20 0.5 mu unreliable" in words
    assert "mu 0.35 0.04 −3.7 mu potential prior-data conflict" in words
    assert "2 other parameters are not sensitive to the priors" in words
    assert (
        "No parameter of second is sensitive to the priors: of 1 parameter, mu has the largest sensitivity, 0.012"
        in words
    )
    assert "that were scaled" not in words
    kept = json.dumps({"tau": CONDITIONAL})
    io.write(results.folder / "second/sensitivity.nc", sensitive(quiet, kept), contracts.SENSITIVITY)
    page = render(StudyResults(results.study, results.config, results.folder))  # which reads its files again
    assert "No parameter of second is sensitive to the priors that were scaled: of 1 parameter" in section(
        page, "sensitivity"
    )


def test_sensitivities_of_what_failed_are_not_read(make):
    results = make({"first": "stuck", "second": "crashed"})
    rows = {"mu": (0.353, 0.04, -3.7, "mu", "conflict", 0.1, "")}
    io.write(results.folder / "first/sensitivity.nc", sensitive(rows), contracts.SENSITIVITY)
    crashed = xr.DataTree(xr.Dataset(attrs={"provenance": PROVENANCE, "status": "crashed", "reason": "of SIGKILL"}))
    io.write(results.folder / "second/sensitivity.nc", crashed, contracts.SENSITIVITY)
    words = section(render(results), "sensitivity")
    assert "No diagnosis: its fit failed the convergence check." in words
    assert "No diagnosis: of SIGKILL." in words
    assert "conflict" not in words


def test_separate_fits_that_failed_have_no_part_in_the_sensitivities(grouped):
    failed = {point["group"] for point in grouped.check("alone")["points"] if point["verdict"] == "fail"}
    sound = next(point["group"] for point in grouped.check("alone")["points"] if point["verdict"] != "fail")
    assert failed
    rows = {f"mu[{label}]": (0.5, 0.3, 0.0, "mu", "conflict", 0.1, label) for label in [*failed, sound]}
    io.write(grouped.folder / "alone/sensitivity.nc", sensitive(rows), contracts.SENSITIVITY)
    words = section(render(grouped), "sensitivity")
    assert f"moves mu[{sound}] (sensitivity" in words
    assert not any(f"mu[{label}]" in words for label in failed)


def predictive_section(text):
    return text.split('<section id="predictive">')[1].split("</section>")[0]


def test_test_quantities_are_read_from_their_file(make):
    results = make()
    table = quantities(results, "first")
    words = Page(predictive_section(render(results))).words
    assert "The observed mean (6.667) is high: no replicated data set exceeds it" in words
    extreme = int(table["extreme"].sum())
    assert 2 <= extreme < len(table)
    assert f"{len(table)} quantities of 1 fit were checked, and {extreme} of them are extreme" in words
    assert f"at most {0.05 * len(table):.1f} would be expected by chance" in words
    expected = table.loc[("mean", "group"), "mean"]
    assert f"Of 3 groups, 2 have a mean outside the 95 % interval ({expected:.1f} expected), more than" in words
    assert "mean 6.667" in words
    assert "! high" in words
    assert "! too many" in words
    zeros = table.loc[("share of zeros", "")]
    assert f"{zeros['tail_probability']:.3f} ± {zeros['mcse']:.3f}" in words


def test_test_quantities_of_failed_fits_are_not_read_as_good(make):
    results = make({"first": "stuck", "second": "crashed"})
    quantities(results, "first")
    text = predictive_section(render(results))
    assert "Test quantities of the failed fit, for diagnosis only" in text
    assert "is high" not in text
    assert "There are no test quantities: its fit crashed." in text


def pointwise(results, entry, scores):
    tree = results.loo(entry).copy()
    loo = tree["loo"].to_dataset()
    tree["loo"] = loo.assign(elpd=("row", np.asarray(scores, float)))
    io.write(results.folder / entry / "loo.nc", tree, contracts.LOO)


def test_the_unit_that_makes_up_a_difference_is_named(make):
    results = make()
    pointwise(results, "first", [10.0] + [0.0] * 11)
    pointwise(results, "second", [0.0] + [0.1] * 11)
    results = StudyResults("tiny", results.config, results.folder)
    rows = comparison.read_rows(results, "main")
    assert contributions.told(results, rows, "unit") == [
        "First is ahead of second in 1 of 12 rows; 10.0 of the difference of 8.9 comes from row 0."
    ]
    pointwise(results, "first", [1.0] * 12)
    results = StudyResults("tiny", results.config, results.folder)
    assert contributions.told(results, rows, "unit") == ["First is ahead of second in 12 of 12 rows."]


class Separate:
    """A fit of which only the effects of its groups are asked for."""

    def __init__(self, entry, sites, by=None, shared=("beta",)):
        self.entry, self.label, self.by, self.own, self.results = entry, entry, by, sites, {entry: frozenset(shared)}


def test_intercepts_beside_other_effects_of_a_group_are_not_compared(monkeypatch):
    monkeypatch.setattr(estimates, "_grouped", lambda fit: {(site, "group"): {} for site in fit.own})
    monkeypatch.setattr(estimates, "shared_parents", lambda results, entry: results[entry])
    fixed, multilevel, latent = (
        Separate("fixed", ["alpha"]),
        Separate("multi", ["alpha"]),
        Separate("latent", ["alpha", "u"]),
    )
    alone = Separate("alone", ["alpha", "beta", "scale"], by="group")
    assert estimates._alike([fixed, multilevel, latent, alone]) == [fixed, multilevel, alone]
    assert estimates._alike([latent]) == [latent]
    predator = Separate("predator", ["alpha"], shared=("beta", "beta_predator"))
    assert estimates._alike([fixed, multilevel, predator]) == [fixed, multilevel], "less what predators change"


def test_predictions_of_whole_numbers_have_no_decimals():
    even = predictions.Row([], np.repeat([4.0, 9.0, 16.0], 100))
    assert (even.interval, even.median) == ("4 to 16", "9")
    assert "." in predictions.Row([], np.repeat([4.5, 9.0, 16.0], 100)).median


def test_levels_are_counted_from_one_and_have_no_dispersion():
    steps = {"units": "steps above the lowest"}
    data = xr.Dataset({"y": ("row", [0, 2, 6, 4], steps), "n": ("row", [0, 2, 6, 4]), "size": ("row", [9, 9, 9, 9])})
    config = {"outcomes": ["y"], "unit": "row", "observed_where": {}}
    made = type("Made", (), {"data": data, "config": config})()
    (row,) = outcomes.outcome_summaries(made).rows
    assert (row.values.min(), row.values.max(), row.mean, row.dispersion) == (1, 7, 4.0, None)
    made.config = config | {"outcomes": ["n"]}
    (row,) = outcomes.outcome_summaries(made).rows
    assert row.dispersion is None, "successes of size trials"
    made.data = data.drop_vars(["size", "y"])
    (row,) = outcomes.outcome_summaries(made).rows
    assert row.dispersion == pytest.approx(np.var([0, 2, 6, 4], ddof=1) / 3)


def test_a_gated_outcome_is_described_where_it_is_defined():
    data = xr.Dataset({"came": ("row", [1, 1, 0, 0]), "bought": ("row", [1, 0, 0, 0])})
    config = {"outcomes": ["came", "bought"], "unit": "row", "observed_where": {"bought": "came"}}
    rows = outcomes.outcome_summaries(type("Made", (), {"data": data, "config": config})()).rows
    assert [(row.name, row.mean, row.values.size) for row in rows] == [
        ("came", 0.5, 4), ("bought where came is not 0", 0.5, 2),
    ]  # fmt: skip
    data["bought"] = ("row", "item"), [[1, 1], [1, 0], [0, 0], [0, 0]]
    rows = outcomes.outcome_summaries(type("Made", (), {"data": data, "config": config})()).rows
    assert (rows[1].mean, rows[1].values.size) == (0.75, 4), "of two items"


def test_settings_are_described_one_by_one():
    values = xr.DataArray([[1.0, 10.0], [3.0, 30.0]], dims=["row", "setting"], coords={"setting": ["pull", "wait"]})
    parts = section_data._parts(values.rename("settings"), "row")
    assert [(part.name, part.mean().item()) for part in parts] == [("settings[pull]", 2.0), ("settings[wait]", 20.0)]
    assert section_data._parts(values.rename("settings"), "run")[0].dims == values.dims


@pytest.mark.parametrize(
    ("behind", "words"),
    [
        (
            {"b": (-1.0, 1.0), "c": (-5.0, 4.0)},
            "Of these models, a and b predict new tanks about equally well; a and c are too close to call (the elpd of a",
        ),
        (
            {"c": (-5.0, 4.0)},
            "Of these models, a and c are too close to call in how well they predict new tanks (the elpd",
        ),
        ({"b": (-1.0, 1.0)}, "Of these models, the a and b models predict new tanks about equally well (the elpd"),
    ],
)
def test_models_that_are_equal_and_models_that_are_not_told_apart_are_two_things(behind, words):
    tone, (first, *_) = said([row("a", 0.0, 0.0), *(row(name, *gap) for name, gap in behind.items())])
    assert first.startswith(words)
    assert tone == ("uncertain" if "c" in behind else "equal")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([row("a", 0.0, 0.0), row("b", -30.0, 3.0)], "a"),
        ([row("a", 0.0, 0.0), row("b", -1.0, 1.0), row("c", -5.0, 4.0)], "a; about equal: b; too close to call: c"),
        ([row("a", 0.0, 0.0)], "none: nothing to compare it with"),
        ([], "none"),
    ],
)
def test_the_index_names_the_best_model_with_what_is_level_with_it(table, words):
    compared = conclusions.Comparison("main", "unit", table, conclusions.conclude(table, "new tanks"))
    assert compared.best == words


def test_tables_of_estimates_have_the_words_of_the_study(make):
    results = make()
    results.config["labels"] = {"mu": "the mean", "theta[3]": "the fourth"}
    words = section(render(results), "estimates")
    assert "the mean (mu)" in words
    assert "the fourth (theta[3])" in words
    assert re.search(r"(?<!\()theta\[2\]", words)
