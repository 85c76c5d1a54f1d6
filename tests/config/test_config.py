"""Config and study files: what is read, and the one sentence that each mistake gives."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import chdir
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tadpool import ROOT, config
from tadpool.config import generated_docs, messages, reading
from tadpool.config.schema import answers
from tadpool.config.schema.answers import Answer
from tadpool.config.schema.run import Verdict
from tadpool.config.schema.table import RESERVED
from tadpool.files import contracts, plugins
from tadpool.workflow.specs import Specs
from tests.made.config import STUDY, assert_one, problems, study, write

# What is read


def test_defaults_where_there_is_no_config(folder):
    read = config.read()
    assert read.settings == config.Settings()
    assert {"reedfrogs", "cookies"} <= set(read.studies)


def test_an_empty_config_file_means_defaults(folder):
    write("config/config.yaml", "# nothing yet\n")
    assert config.read().settings == config.Settings()


def test_own_studies_are_the_default_where_there_are_any(folder):
    write("config/studies/mine.yaml", study())
    assert list(config.read().studies) == ["mine"]


def test_own_plugins_and_tables_are_found(folder):
    write("models/own_model.py", "def model(n_cookie, chips=None, *, scale=1.0): ...\n")
    write("datasets/own_data.py", "TABLES = ('own.csv',)\ndef load(tables, *, limit=3): ...\n")
    write("data/own.csv", "chips\n1\n")
    lines = study("dataset: own_data\narguments: {limit: 2}\nmodels: {m: {model: own_model}}", "models")
    write("config/studies/mine.yaml", lines)
    assert config.read().studies["mine"].models["m"].model == "own_model"
    assert Specs(config.read()).has_own_model("mine", "m")  # what looks at it comes before all fits
    assert not plugins.is_own(plugins.find("models", "cookies_pooled"))


def test_the_overlay_lies_over_the_file_key_by_key(folder):
    write("config/config.yaml", "seed: 3\nsampler: {draws: 50, chains: 2}\n")
    overlay = {"seed": 5, "sampler": {"draws": 60}, "studies": ["cookies"]}
    read = config.read(overlay)
    assert (read.settings.seed, read.settings.sampler.draws, read.settings.sampler.chains) == (5, 60, 2)
    assert list(read.studies) == ["cookies"]
    assert overlay == {"seed": 5, "sampler": {"draws": 60}, "studies": ["cookies"]}


def test_the_entry_has_its_sampler_over_the_study_s_over_the_run_s(folder):
    write("config/config.yaml", "sampler: {draws: 50, chains: 2, warmup: 70}\n")
    text = "sampler: {draws: 60, target_accept: 0.9}\nmodels: {a: {model: cookies_pooled, sampler: {draws: 80}}}"
    write("config/studies/mine.yaml", study(text, "models"))
    assert config.read().sampler("mine", "a") == config.Sampler(draws=80, chains=2, warmup=70, target_accept=0.9)


def test_thresholds_are_those_of_the_entry_over_the_study_s_over_the_run_s(folder):
    """Only those that differ from the defaults are told to jobs."""
    write("config/config.yaml", "verdict: {rhat_fail: 1.2, ess_warn: 50, bfmi_warn: 0.3}\n")
    entries = "{a: {model: cookies_pooled, verdict: {rhat_fail: 1.05}}, b: {model: cookies_pooled}}"
    text = f"verdict: {{ess_warn: 400}}\nmodels: {entries}"
    write("config/studies/mine.yaml", study(text, "models"))
    read = config.read()
    assert [read.thresholds("mine", name) for name in "ab"] == [{"ess_warn": 400}, {"ess_warn": 400, "rhat_fail": 1.2}]
    specs = Specs(read)
    for rule in ("fit", "check"):
        assert json.loads(specs.spec(rule, {"study": "mine", "model": "a"}))["verdict"] == {"ess_warn": 400}


CONTRADICTING = [
    ("ess_fail: 200", "ess_fail", "200 is above ess_warn, which is 100; set ess_fail to at most ess_warn"),
    ("ess_warn: 20", "ess_warn", "20 is below ess_fail, which is 25; set ess_fail to at most ess_warn"),
    ("bfmi_warn: 0.2, bfmi_fail: 0.3", "bfmi_fail", "0.3 is above bfmi_warn, which is 0.2"),
    ("rhat_warn: 1.1", "rhat_warn", "1.1 is above rhat_fail, which is 1.05; set rhat_fail to at least rhat_warn"),
]


@pytest.mark.parametrize(("thresholds", "key", "words"), CONTRADICTING)
def test_a_fit_has_to_warn_where_it_fails(folder, thresholds, key, words):
    write("config/studies/mine.yaml", study("models: {a: {model: cookies_pooled}}"))
    assert_one(
        problems({"verdict": yaml.safe_load(f"{{{thresholds}}}")}), "--config or --configfile", f"verdict.{key}", words
    )
    write("config/config.yaml", f"verdict: {{{thresholds}}}\n")
    assert_one(problems(), "config/config.yaml", f"verdict.{key}", words)
    write("config/config.yaml", "")
    write("config/studies/mine.yaml", study(f"verdict: {{{thresholds}}}"))
    assert_one(problems(), "config/studies/mine.yaml", f"verdict.{key}", words)
    write("config/studies/mine.yaml", study(f"models: {{a: {{model: cookies_pooled, verdict: {{{thresholds}}}}}}}"))
    assert_one(problems(), "config/studies/mine.yaml", f"models.a.verdict.{key}", words)


def test_thresholds_contradict_what_lies_below_them(folder):
    write("config/config.yaml", "verdict: {ess_warn: 400}\n")
    write("config/studies/mine.yaml", study("verdict: {ess_fail: 200}"))
    assert config.read().thresholds("mine", "pooled") == {"ess_warn": 400, "ess_fail": 200}
    write("config/config.yaml", "")
    words = "200 is above ess_warn, which is 100"
    assert_one(problems(), "config/studies/mine.yaml", "verdict.ess_fail", words)


def test_the_examples_of_thresholds_are_valid_together_and_alone(folder):
    """As config/README.md shows them."""
    write("config/studies/mine.yaml", study())
    examples = {key: field.examples[0] for key, field in Verdict.model_fields.items()}
    for chosen in (examples, *({key: value} for key, value in examples.items())):
        config.read({"verdict": chosen})


WEIGHTED = "weights: {chips: w}\nmodels: {a: {model: cookies_pooled}, b: {model: cookies_pooled, weights: {}}}\n"


def test_weights_are_those_of_the_entry_or_the_study(folder):
    write("config/studies/mine.yaml", study(WEIGHTED, "models"))
    specs = Specs(config.read())
    for rule in ("sample_prior", "fit", "cross_validate", "assess_sensitivity"):
        found = [json.loads(specs.spec(rule, {"study": "mine", "model": name}))["model"] for name in "ab"]
        assert found == [{"name": "cookies_pooled", "weights": {"chips": "w"}}, "cookies_pooled"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("comparisons: {c: {entries: [a, b]}}", "comparisons.c: a and b have different observation weights, so their "
         "scores cannot be compared; give both the same weights, or compare them separately"),
        ("calibration: {c: {entry: a}}", "calibration.c.entry: 'a' has observation weights, but data simulated from its model "
         "have none; choose an entry with `weights: {}`"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_together_are_refused(folder, text, sentence):
    write("config/studies/mine.yaml", study(WEIGHTED + text, "models"))
    with pytest.raises(config.ConfigErrors) as caught:
        config.read()
    assert caught.value.problems == [f"config/studies/mine.yaml: {sentence}"]


def test_remedies_are_those_of_the_entry_or_the_study_or_the_run(folder):
    models = (
        "{a: {model: cookies_pooled, remedies: none}, b: {model: cookies_pooled, remedies: [reparametrize, draws]}}"
    )
    models = models[:-1] + ", c: {model: cookies_pooled}}"
    write("config/studies/mine.yaml", study(f"models: {models}", "models"))
    read = config.read()
    assert [read.remedies("mine", name) for name in "abc"] == [
        [],
        ["draws", "reparametrize"],
        ["draws", "target_accept", "reparametrize"],
    ]
    assert config.read({"remedies": "none"}).remedies("mine", "c") == []
    write("config/studies/mine.yaml", study(f"remedies: [draws]\nmodels: {models}", "models"))
    assert config.read({"remedies": "none"}).remedies("mine", "c") == ["draws"]


def test_whole_numbers_are_numbers(folder):
    sweep = "{entry: pooled, over: rate_rate, values: {from: 1, to: 5, n: 5}}"
    write("config/studies/mine.yaml", study(f"sweeps: {{s: {sweep}}}"))
    assert config.read().studies["mine"].sweeps["s"].points() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_the_shipped_config_states_the_defaults():
    shipped = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    defaults = config.Settings().model_dump()
    assert shipped["sampler"].items() <= defaults["sampler"].items()
    assert shipped["seed"] == defaults["seed"]


# Mistakes in config.yaml: text, field, words of the sentence

SETTINGS = [
    ("sampler: {draws: 0}", "sampler.draws", "0 is too small", "at least 10"),
    ("sampler: {chains: 1}", "sampler.chains", "1 is too small", "at least 2"),
    ("sampler: {target_accept: 1.2}", "sampler.target_accept", "1.2 is too large", "less than 1"),
    ("sampler: {target_accept: 0}", "sampler.target_accept", "0 is too small", "more than 0"),
    ("sampler: {max_tree_depth: 16}", "sampler.max_tree_depth", "16 is too large", "at most 15"),
    ("sampler: {target_accept: .nan}", "sampler.target_accept", ".nan is not a finite number", "give a finite number"),
    ("sampler: {draws: .inf}", "sampler.draws", ".inf is not a finite number", "give a finite number"),
    (
        "remedies: all",
        "remedies",
        "'all' is not a valid value",
        "auto, none or a list of draws, target_accept, reparametrize",
    ),
    ("remedies: [draws, luck]", "remedies", "['draws', 'luck'] is not a valid value", "auto, none or a list"),
    ("remedies: [draws, draws]", "remedies", "'draws' is given twice", "give each value once"),
    ("sampler: {draws: 10.5}", "sampler.draws", "10.5 (a number) is not a whole number", "`draws: 4000`"),
    ("sampler: {draws: 50.0}", "sampler.draws", "50.0 (a number) is not a whole number", "write 50"),
    ("sampler: {draws: 1e3}", "sampler.draws", "'1e3' (text) is not a whole number", "write 1000"),
    ("sampler: {target_accept: 9e-1}", "sampler.target_accept", "'9e-1' (text) is not a number", "write 0.9"),
    ("sampler: {target_accept: 1e-5}", "sampler.target_accept", "'1e-5' (text) is not a number", "write 1.0e-05"),
    ("sampler: {draws: yes}", "sampler.draws", "true (true/false) is not a whole number", "`draws: 4000`"),
    ("sampler: {draws: }", "sampler.draws", "nothing (empty) is not a whole number", "give a value or remove the key"),
    ("sampler: {precision: float16}", "sampler.precision", "'float16' is not one of the choices", "'float64'"),
    (
        "sampler: {precision: flot64}",
        "sampler.precision",
        "'flot64' is not one of the choices",
        "did you mean 'float64'?",
    ),
    ("sampler: [1, 2]", "sampler", "[1, 2] (a list) is not a set of `key: value` lines", "`sampler: {draws: 2000}`"),
    ("sampler:", "sampler", "nothing (empty)", "give a value or remove the key"),
    ("sampler: {drawz: 10}", "sampler.drawz", "there is no such key", "did you mean 'draws'?"),
    ("sead: 1", "sead", "there is no such key", "did you mean 'seed'?"),
    ("seed: -1", "seed", "-1 is too small", "at least 0"),
    ("seed: 1e-3", "seed", "'1e-3' (text) is not a whole number", "`seed: 2`"),
    ("seed: 9007199254740992", "seed", "is too large", "less than 9007199254740992"),
    ("seed: 99999999999999999999", "seed", "is too large", "18 digits"),
    ("seed: 0x" + "f" * 6000, "seed", "is too large", "18 digits"),
    ("seed: 2024-01-01", "seed", "2024-01-01 (a date) is not allowed", "put it in quotes"),
    ("studies: cookies", "studies", "'cookies' (text) is not a list", "write ['cookies']"),
    ("studies: []", "studies", "[] has too few items", "at least 1"),
    ("studies: [1]", "studies.0", "1 (a whole number) is not text", "put it in quotes"),
    ("studies: [no]", "studies.0", "false (true/false) is not text", "put it in quotes"),
    ("studies: [cookies, cookies]", "studies", "'cookies' is given twice", "once"),
    ("studies: [cookeis]", "studies", "'cookeis'", "config/studies/cookeis.yaml", "did you mean 'cookies'?"),
    ("studies: [../cookies]", "studies.0", "'../cookies' is not a valid name", "use letters, digits, _ and -"),
    ("studies: [logs]", "studies", "'logs' is reserved", "choose another name"),
    ("studies: [Benchmarks]", "studies", "'Benchmarks' is reserved", "choose another name"),
    ("studies: [verify]", "studies", "'verify' is reserved", "choose another name"),
    ("compile_cache: 'no'", "compile_cache", "'no' (text) is not true or false", "write true or false"),
    ("__use_yte__: true", "__use_yte__", "templates run code", "remove the key"),
    ("sampler: {__use_yte__: true}", "sampler.__use_yte__", "templates run code", "remove the key"),
    ("no: 1", "false", "the key false (true/false) is not text", "put it in quotes"),
    ("1: 1", "1", "the key 1 (a whole number) is not text", "put it in quotes"),
    ('seed: "\\ud800"', "seed", "half a character", "type the text again"),
]


@pytest.mark.parametrize(("text", "field", "words"), [(text, field, words) for text, field, *words in SETTINGS])
def test_a_mistake_in_the_config_is_one_sentence(folder, text, field, words):
    write("config/config.yaml", text)
    assert_one(problems(), "config/config.yaml", field, *words)


# Files that are not config files: bytes, words of the sentence

LAUGHS = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdefghi"))
FILES = [
    (b"\xff\xfes\x00e\x00", "not text in UTF-8", "save it as UTF-8"),
    (b"seed: 1\n\x00\x01\x02", "characters that are not text", "save it again as text"),
    (os.urandom(500) + b"\xff", "not text in UTF-8", "save it as UTF-8"),
    (b"- seed\n- 1\n", "contains a list", "`key: value` lines"),
    (b"seed", "contains one value", "`key: value` lines"),
    (b"sampler:\n\tdraws: 5\n", "line 2", "indent with spaces, not tabs"),
    (b"seed: [1\n", "line 2", "correct the YAML"),
    (
        b"seed: 1\nsampler: {draws: 100}\nseed: 2\n",
        "line 3: the key 'seed' is given twice, first in line 1",
        "remove one",
    ),
    (b"sampler: {draws: 100, draws: 100}\n", "line 1: the key 'draws' is given twice", "remove one"),
    (b"seed: *nothing\n", "line 1", "undefined alias", "correct the YAML"),
    (b"seed: !!python/object:os.system {}\n", "line 1", "could not determine a constructor", "correct the YAML"),
    (b"seed: !!int x\n", "line 1: 'x' is not readable as int", "quotes"),
    (b"seed: 3:20\n", "line 1: 3:20 is a number to base 60 in YAML", "digits alone"),
    (b"seed: 010\n", "line 1: 010 is a number to base 8 in YAML", "without the 0 in front"),
    (b"seed: 1\n---\nseed: 2\n", "line 2: a second document begins here", "correct the YAML"),
    (b"seed: 2024-13-45\n", "line 1: '2024-13-45' is not readable as timestamp", "quotes"),
    (b"? [a, b]\n: 1\n", "line 1", "unhashable", "correct the YAML"),
    (
        b"sampler: &a {draws: 100}\nother: {<<: *a}\n",
        "line 2: merge keys (<<) are not allowed here",
        "write the keys out",
    ),
    (b"a: &a [*a]\n", "an alias (*) is used inside the value that it repeats", "write the value out"),
    (LAUGHS.encode(), "more than 20,000 values", "shorten it"),
    (b"a: " + b"[" * 40 + b"]" * 40, "nested more than 30 levels", "reduce the nesting"),
    (b"a: " + b"[" * 2000, "nested too deeply", "reduce the nesting"),
    (b"a: '" + b"x" * 300_000 + b"'", "more than 200,000 bytes", "shorten it"),
]


@pytest.mark.parametrize(("content", "words"), [(content, words) for content, *words in FILES])
def test_a_file_that_is_no_config_is_one_sentence(folder, content, words):
    write("config/config.yaml", content)
    assert_one(problems(), "config/config.yaml", "", *words)


@pytest.mark.parametrize(("content", "words"), [(content, words) for content, *words in FILES[:6]])
def test_a_study_file_that_is_no_study_is_one_sentence(folder, content, words):
    write("config/studies/mine.yaml", content)
    assert_one(problems(), "config/studies/mine.yaml", "", *words)


def test_an_empty_study_is_one_sentence(folder):
    write("config/studies/mine.yaml", "")
    assert_one(problems(), "config/studies/mine.yaml", "", "it is empty", "config/README.md")


@pytest.mark.parametrize("file", ["config/config.yaml", "config/studies/mine.yaml"])
def test_a_folder_in_place_of_a_file(folder, file):
    Path(file).mkdir()
    assert_one(problems(), file, "", "it is a folder", "put a YAML file in its place")


def test_a_link_to_nothing(folder):
    Path("config/config.yaml").symlink_to("nowhere.yaml")
    assert_one(problems(), "config/config.yaml", "", "not a file", "put a YAML file in its place")


def test_a_file_that_may_not_be_read(folder, monkeypatch):
    write("config/config.yaml", "seed: 1")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    assert_one(problems({"studies": []})[:1], "config/config.yaml", "", "Permission denied", "check the file")


@pytest.mark.parametrize("file", ["config/config.yml", "config/studies/mine.yml"])
def test_a_file_with_another_ending(folder, file):
    write(file, "seed: 1")
    assert_one(problems(), file, "", "end in .yaml", "rename it")


# Mistakes in a study: changed lines, field, words of the sentence

STUDIES = [
    ("title: no", "title", "false (true/false) is not text", "put it in quotes if you mean the word"),
    ("title: ''", "title", "'' is empty", "write some text"),
    ("outcomes: chips", "outcomes", "'chips' (text) is not a list", "write ['chips']"),
    ("outcomes: [chip]", "models.pooled.model", "'chip' is not an observed site of cookies_pooled", "'chips'"),
    ("groups: [location, location]", "groups", "'location' is given twice", "once"),
    ("dataset: cookie", "dataset", "'cookie'", "no file cookie.py", "did you mean 'cookies'?"),
    ("dataset: ../x", "dataset", "'../x' is not a valid name", "use letters"),
    ("arguments: {rows: 3}", "arguments", "'rows' is not an argument of load() in cookies.py", "there are none"),
    ("sampler: {drawz: 3}", "sampler.drawz", "there is no such key", "did you mean 'draws'?"),
    ("sampler: {draws: 3}", "sampler.draws", "3 is too small", "at least 10"),
    ("sampels: {}", "sampels", "there is no such key", "did you mean 'sampler'?"),
    ("models: {}", "models", "{} has too few items", "at least 1"),
    (
        "models: [cookies_pooled]",
        "models",
        "(a list) is not ladder or a set of `name: {model: ...}` lines",
        "`models: {",
    ),
    ("models: {pooled: cookies_pooled}", "models.pooled", "'cookies_pooled' (text) is not a set", "key: value"),
    ("models: {p: {modl: cookies_pooled, model: cookies_pooled}}", "models.p.modl", "no such key", "'model'"),
    ("models: {p: {}}", "models.p.model", "missing", "`model: frogs_fixed_sigma`"),
    ("models: {p: {model: cookie_pooled}}", "models.p.model", "'cookie_pooled'", "no file", "'cookies_pooled'"),
    ("models: {a b: {model: cookies_pooled}}", "models.a b", "'a b' is not a valid name", "use letters"),
    ("models: {no: {model: cookies_pooled}}", "models.false", "the key false (true/false) is not text", "in quotes"),
    ("models: {../x: {model: cookies_pooled}}", "models.../x", "'../x' is not a valid name", "use letters"),
    ("models: {sweeps: {model: cookies_pooled}}", "models.sweeps", "'sweeps' is reserved", "choose another name"),
    ("models: {Figures: {model: cookies_pooled}}", "models.Figures", "'Figures' is reserved", "choose another name"),
    ("models: {p: {model: cookies_pooled}, P: {model: cookies_pooled}}", "models", "'p' and 'P' differ", "rename one"),
    (
        "models: {p: {model: cookies_pooled, hyperparameters: {rate: 1.0}}}",
        "models.p.hyperparameters",
        "'rate' is not a hyperparameter of cookies_pooled",
        "did you mean 'rate_rate'?",
    ),
    (
        "models: {p: {model: cookies_pooled, hyperparameters: {rate_rate: 1e-3}}}",
        "models.p.hyperparameters.rate_rate",
        "'1e-3' (text) is not a number",
        "write 0.001",
    ),
    (
        "models: {p: {model: cookies_pooled, hyperparameters: {rate_rate: yes}}}",
        "models.p.hyperparameters.rate_rate",
        "true (true/false) is not a number",
        "the default is 0.2",
    ),
    (
        "models: {p: {model: cookies_pooled, hyperparameters: {rate_rate: [1.0]}}}",
        "models.p.hyperparameters.rate_rate",
        "[1.0] (a list) is not a number, true/false or text",
        "give one",
    ),
    (
        "models: {p: {model: cookies_pooled, hyperparameters: {rate_rate: .inf}}}",
        "models.p.hyperparameters.rate_rate",
        ".inf is not a finite number",
        "give a finite number",
    ),
    (
        "models: {p: {model: cookies_pooled, expect: {verdict: pass, because: x}}}",
        "models.p.expect.verdict",
        "'pass' is not one of the choices",
        "give 'warn' or 'fail'",
    ),
    ("comparisons: {m: {entries: [pooled, x]}}", "comparisons.m.entries", "'x' is not an entry", "pooled"),
    ("comparisons: {m: {entries: []}}", "comparisons.m.entries", "[] has too few", "at least 1"),
    ("comparisons: {m: {entries: [pooled, pooled]}}", "comparisons.m.entries", "'pooled' is given twice", "once"),
    (
        "comparisons: {m: {entries: [pooled, hierarchical], target: locatio}}",
        "comparisons.m.target",
        "'locatio' is not unit or one of the study's groups",
        "did you mean 'location'?",
    ),
    ("predictions: {hierarchcal: {group: location}}", "predictions", "'hierarchcal' is not an entry", "'hierarchical'"),
    (
        "predictions: {pooled: {group: loc}}",
        "predictions.pooled.group",
        "'loc' is not one of the study's groups",
        "location",
    ),
    (
        "predictions: {pooled: {group: location, rows: [{x: 1}]}}",
        "predictions.pooled.rows.0",
        "'x' is not a variable that the model needs",
        "there are none",
    ),
    ("figures: {f: {kind: nothing_such, caption: x}}", "figures.f.kind", "'nothing_such' is not a kind", "known: "),
    ("figures: {f: {kind: [1], caption: x}}", "figures.f.kind", "[1] (a list) is not text", "`kind: causal_graph`"),
    ("references: [{a: 1}]", "references.0", "(a set of keys) is not text", "give one"),
    ("figures: {f: {__use_yte__: true, kind: x}}", "figures.f.__use_yte__", "templates run code", "remove the key"),
]


@pytest.mark.parametrize(("lines", "field", "words"), [(lines, field, words) for lines, field, *words in STUDIES])
def test_a_mistake_in_a_study_is_named(folder, lines, field, words):
    write("config/studies/mine.yaml", study(lines))
    found = [problem for problem in problems() if problem.startswith(f"config/studies/mine.yaml: {field}: ")]
    assert_one(found[:1], "config/studies/mine.yaml", field, *words)
    assert len(found) == 1 or "outcomes" in lines


@pytest.mark.parametrize("key", ["title", "question", "dataset", "outcomes", "unit", "models"])
def test_a_missing_key_is_one_sentence_with_an_example(folder, key):
    write("config/studies/mine.yaml", study("", key))
    assert_one(problems(), "config/studies/mine.yaml", key, "missing", f"`{key}: ")


# Mistakes in a sweep over cookies_pooled: the sweep, field below it, words of the sentence

SWEEPS = [
    ("{entry: pool, over: rate_rate, values: [1.0]}", "entry", "'pool' is not an entry", "did you mean 'pooled'?"),
    ("{entry: pooled, over: rate, values: [1.0]}", "over", "'rate' is not a hyperparameter", "did you mean 'rate_"),
    ("{entry: pooled, values: [1.0]}", "over", "missing", "`over: sigma`"),
    (
        "{entry: pooled, over: rate_rate, values: 5}",
        "values",
        "5 (a whole number) is not a list or {from, to, n}",
        "n: 20",
    ),
    ("{entry: pooled, over: rate_rate, values: []}", "values", "[] has too few items", "at least 1"),
    ("{entry: pooled, over: rate_rate, values: [1.0, 1]}", "values", "1.0 is given twice", "once"),
    ("{entry: pooled, over: rate_rate, values: [1.0, a]}", "values.1", "'a' (text) is not a number", "give one"),
    ("{entry: pooled, over: rate_rate, values: [1e-3]}", "values.0", "'1e-3' (text) is not a number", "write 0.001"),
    ("{entry: pooled, over: rate_rate, values: [yes]}", "values.0", "true (true/false) is not a number", "give one"),
    ("{entry: pooled, over: rate_rate, values: [.nan]}", "values.0", ".nan is not a finite number", "finite number"),
    ("{entry: pooled, over: rate_rate, values: {from: 1, to: 2}}", "values.n", "missing", "`n: 20`"),
    ("{entry: pooled, over: rate_rate, values: {from: 1, to: 2, n: 1}}", "values.n", "1 is too small", "at least 2"),
    (
        "{entry: pooled, over: rate_rate, values: {from: 1, to: 2, n: 3, by: 1}}",
        "values.by",
        "no such key",
        "from, n, spacing, to",
    ),
    (
        "{entry: pooled, over: rate_rate, values: {from: 1, to: 1, n: 3}}",
        "values",
        "are not distinct, finite numbers",
        "differ more",
    ),
    (
        "{entry: pooled, over: rate_rate, values: [1.0], overlay: {entry: x, site: rate}}",
        "overlay.entry",
        "'x' is not an entry",
        "hierarchical",
    ),
    (
        "{entry: pooled, over: rate_rate, values: [1.0], overlay: {entry: hierarchical, site: sigm}}",
        "overlay.site",
        "'sigm' is not a parameter of cookies_hierarchical",
        "did you mean 'sigma'?",
    ),
    (
        "{entry: pooled, over: rate_rate, values: {from: 0, to: 1, n: 3, spacing: log}}",
        "values",
        "cannot have equal ratios",
        "above 0",
    ),
    ("{entry: pooled, over: {rate_rate: [1.0], sampler.warmup: [20]}, values: [1]}", "", "remove `values`"),
    ("{entry: pooled, over: {rate_rate: [1.0]}}", "over", "too few items", "at least 2"),
    ("{entry: pooled, over: {rate_rate: {from: 1, to: 2}}}", "over.rate_rate.n", "missing", "for example `n: 20`"),
    ("{entry: pooled, over: [rate_rate, sampler.warmup], values: [1, 2]}", "", "two names, but `values` has no pairs"),
    ("{entry: pooled, over: rate_rate, values: [[1, 2]]}", "", "one name, but `values` has pairs"),
    ("{entry: pooled, over: [rate_rate, sampler.warmup], values: [[1, 20], [1, 20]]}", "", "given twice"),
    ("{entry: pooled, over: 5, values: [1.0]}", "over", "5 (a whole number) is not a name, two names"),
    ("{entry: pooled, over: warmup, values: [20]}", "over", "'warmup' is not a hyper", "write sampler.warmup"),
    ("{entry: pooled, over: sampler.draws, values: [20]}", "over", "'draws' decides the shape", "target_accept"),
    ("{entry: pooled, over: sampler.warmpu, values: [20]}", "over", "not a setting of the", "did you mean 'warmup'?"),
    ("{entry: pooled, over: sampler.warmup, values: [20.5]}", "over", "20.5 is not a whole number"),
    ("{entry: pooled, over: sampler.target_accept, values: [2]}", "over", "target_accept = 2.0", "less than 1"),
    ("{entry: pooled, over: arguments.size, values: [2]}", "over", "the data of cookies are not simulated"),
    ("{entry: pooled, over: data.size, values: [2]}", "over", "cannot sweep over 'data.size'", "arguments.size"),
]
SIMULATED = [
    (
        "over: arguments.spred, values: [1]",
        "'spred' is not an argument of simulate() in d.py",
        "did you mean 'spread'?",
    ),
    ("over: arguments.kind, values: [1]", "'kind' is text in the simulator", "`recovery`"),
    ("over: arguments.rows, values: [1.5]", "arguments.rows = 1.5 is not a whole number"),
    ("over: spread, values: [1]", "'spread' is not a hyperparameter of m", "write arguments.spread"),
    (
        "over: k, values: [1]",
        "'k' is a whole number in the model",
        "may change the shapes of arrays",
        "an entry for each value",
    ),
]


@pytest.mark.parametrize(("sweep", "field", "words"), [(sweep, field, words) for sweep, field, *words in SWEEPS])
def test_a_mistake_in_a_sweep_is_one_sentence(folder, sweep, field, words):
    write("config/studies/mine.yaml", study(f"sweeps: {{s: {sweep}}}"))
    assert_one(problems(), "config/studies/mine.yaml", f"sweeps.s.{field}".rstrip("."), *words)


@pytest.mark.parametrize(("sweep", "words"), [(sweep, words) for sweep, *words in SIMULATED])
def test_what_a_simulator_and_a_model_cannot_vary_is_one_sentence(folder, sweep, words):
    write(
        "models/m.py",
        "import numpyro\ndef model(y=None, *, k=3): mu = numpyro.sample('mu', 1); numpyro.sample('y', mu)",
    )
    write("datasets/d.py", "def simulate(rng, *, rows=3, spread=1.0, kind='a'): ...")
    lines = f"dataset: d\noutcomes: [y]\nmodels: {{m: {{model: m}}}}\nsweeps: {{s: {{entry: m, {sweep}}}}}"
    write("config/studies/mine.yaml", study(lines, "dataset", "outcomes", "models"))
    assert_one(problems(), "config/studies/mine.yaml", "sweeps.s.over", *words)


POINTS = [
    ("over: sigma, values: {from: 1, to: 100, n: 3, spacing: log}", [1.0, 10.0, 100.0]),
    ("over: {sigma: [1, 2], sampler.warmup: [20, 30]}", [[1.0, 20.0], [1.0, 30.0], [2.0, 20.0], [2.0, 30.0]]),
    ("over: [sigma, sampler.warmup], values: [[1, 20], [2, 30]]", [[1.0, 20.0], [2.0, 30.0]]),
]


@pytest.mark.parametrize(("lines", "points"), POINTS)
def test_the_points_of_a_sweep(lines, points):
    found = config.Sweep.model_validate(yaml.safe_load(f"{{entry: e, {lines}}}")).points()
    assert np.array(found) == pytest.approx(np.array(points), rel=1e-12)


CALIBRATIONS = [
    ("calibration: {c: {entry: poold}}", "calibration.c.entry", "'poold' is not an entry", "did you mean 'pooled'?"),
    (
        "calibration: {c: {entry: pooled, hyperparameters: {rate: 1.0}}}",
        "calibration.c.hyperparameters",
        "'rate' is not a hyperparameter of cookies_pooled",
    ),
    ("calibration: {c: {entry: pooled, simulations: 5}}", "calibration.c.simulations", "too small", "at least 20"),
    (
        "recovery: {r: {entries: [pooled], over: {k: [1.0]}, sites: [rate]}}",
        "recovery.r",
        "the dataset cookies is not simulated",
    ),
    (
        "recovery: {r: {entries: [pooled], over: {a: [1], b: [1], c: [1]}, sites: [rate]}}",
        "recovery.r.over",
        "too many items",
        "give at most 2",
    ),
]
GRIDS = [
    ("entries: [m], over: {n: [1, 2]}, sites: [mu]", "over", "'n' is not an argument of simulate() in d.py"),
    ("entries: [m], over: {rows: [1.5]}, sites: [mu]", "over.rows", "1.5 (a number) is not a whole number"),
    ("entries: [m], over: {rows: [3]}, sites: [nu]", "sites", "'nu' is not a parameter of m"),
    ("entries: [m, o], over: {rows: [3]}, sites: [mu]", "entries", "'o' is not an entry of this study"),
]


@pytest.mark.parametrize(("line", "field", "words"), [(line, field, words) for line, field, *words in CALIBRATIONS])
def test_a_mistake_in_a_calibration_is_named(folder, line, field, words):
    write("config/studies/mine.yaml", study(line))
    found = [problem for problem in problems() if field in problem]
    assert found
    assert all(word in found[0] for word in words)


@pytest.mark.parametrize(("grid", "field", "words"), [(grid, field, words) for grid, field, *words in GRIDS])
def test_a_mistake_in_a_grid_is_one_sentence(folder, grid, field, words):
    write("models/m.py", "import numpyro\ndef model(y=None): mu = numpyro.sample('mu', 1); numpyro.sample('y', mu)")
    write("datasets/d.py", "def simulate(rng, *, rows=3): ...")
    lines = f"dataset: d\noutcomes: [y]\nmodels: {{m: {{model: m}}}}\nrecovery: {{r: {{{grid}}}}}"
    write("config/studies/mine.yaml", study(lines, "dataset", "outcomes", "models"))
    assert_one(problems(), "config/studies/mine.yaml", f"recovery.r.{field}", *words)


@pytest.mark.parametrize(("chunks", "count"), [(1, 0), (3, 3), (50, 20), ("auto", 0)])
def test_no_more_jobs_share_a_calibration_than_it_has_simulations(folder, chunks, count):
    write(
        "config/studies/mine.yaml", study(f"calibration: {{c: {{entry: pooled, simulations: 20, chunks: {chunks}}}}}")
    )
    found = Specs(config.read()).shares("calibrate", {"study": "mine", "calibration": "c"})
    assert found == [f"results/mine/calibration/c.share-{number + 1}of{count}.npz" for number in range(count)]


@pytest.mark.parametrize(
    ("result", "rule", "wildcards", "inputs"),
    [
        ("pooled/fit", "fit", {"model": "pooled"}, {"data"}),
        ("sweeps/s/fit", "sweep", {"sweep": "s"}, {"data"}),
        ("pooled/loo", "cross_validate", {"model": "pooled"}, {"data", "fit"}),
        ("sweeps/s/loo", "cross_validate", {"sweep": "s"}, {"data", "fit"}),
        ("pooled/logo_place", "cross_validate", {"model": "pooled", "group": "place"}, {"data", "fit"}),
        ("calibration/c", "calibrate", {"calibration": "c"}, {"data"}),
        ("recovery/r/pooled", "recover", {"recovery": "r", "model": "pooled"}, set()),
    ],
)
def test_a_share_belongs_to_the_job_that_makes_its_result(folder, result, rule, wildcards, inputs):
    write("config/studies/mine.yaml", study(""))
    specs = Specs(config.read())
    assert specs.shared("mine", result) == (rule, {"study": "mine", **wildcards})
    assert set(specs.shared_inputs("mine", result)) == inputs


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("values: [1.0, 2.0]", 0),
        ("values: [1.0, 2.0], chunks: 3", 3),
        ("values: {from: 1, to: 2, n: 1000}", 3),  # 1000 x 4 x 1300 iterations
        ("values: {from: 1, to: 2, n: 1000}, chunks: 1", 0),
    ],
)
def test_a_sweep_is_split_by_its_size_or_as_it_says(folder, lines, count):
    write("config/studies/mine.yaml", study(f"sweeps: {{s: {{entry: pooled, over: rate_rate, {lines}}}}}"))
    found = Specs(config.read()).shares("sweep", {"study": "mine", "sweep": "s"})
    assert found == [f"results/mine/sweeps/s/fit.share-{number + 1}of{count}.npz" for number in range(count)]


def test_chunks_are_auto_or_a_number(folder):
    write("config/studies/mine.yaml", study("calibration: {c: {entry: pooled, chunks: many}}"))
    assert_one(
        problems(), "config/studies/mine.yaml", "calibration.c.chunks", "'many' is not a valid value", "auto or a whole"
    )


# Plug-ins of the user: files, changed lines of the study, field, words of the sentence

PLUGINS = [
    ("models/m.py", "def model(chips=None, *, k=3): ...", "sweeps.s.over", "'k' is a whole number", "decimal number"),
    ("models/m.py", "def model(chips=None, *, k=None): ...", "models.m.model", "m.py: hyperparameter k needs a number"),
    ("models/m.py", "def model(chips=None, *, k): ...", "models.m.model", "m.py: hyperparameter k needs a number"),
    ("models/m.py", "def mdoel(): ...", "models.m.model", "m.py has no function model(...)", "add it"),
    ("models/m.py", "def model(:", "models.m.model", "m.py, line 1", "correct the file"),
    ("models/m.py", b"\x00\xff", "models.m.model", "m.py", "correct the file"),
    ("models/cookies_pooled.py", "", "models.pooled.model", "has the name of a built-in", "rename yours"),
    ("datasets/cookies.py", "", "dataset", "has the name of a built-in", "rename yours"),
    ("data/cookies.csv", "", "dataset", "data/cookies.csv has the name of a built-in table", "rename yours"),
    (
        "datasets/d.py",
        "TABLES = ('x.csv',)\ndef load(tables): ...",
        "dataset",
        "data/x.csv does not exist",
        "put the table",
    ),
    ("datasets/d.py", "TABLES = f()\ndef load(tables): ...", "dataset", "TABLES needs names of files", "write"),
    (
        "datasets/d.py",
        "def laod(tables): ...",
        "dataset",
        "d.py has no function load(tables) or simulate(rng)",
        "add one",
    ),
    ("datasets/d.py", "def simulate(rng, *, n): ...", "arguments.n", "missing", "without a default"),
]


@pytest.mark.parametrize(
    ("file", "code", "field", "words"), [(f, code, field, words) for f, code, field, *words in PLUGINS]
)
def test_a_mistake_in_a_plugin_is_one_sentence(folder, file, code, field, words):
    write(file, code)
    lines = {
        "datasets/d.py": "dataset: d",
        "models/m.py": "sweeps: {s: {entry: m, over: k, values: [1.0]}}\nmodels: {m: {model: m}}",
    }
    write("config/studies/mine.yaml", study(lines.get(file, ""), *(["models"] if file == "models/m.py" else [])))
    assert_one(problems(), "config/studies/mine.yaml", field, *words)


def test_a_broken_file_that_a_plugin_imports_is_one_sentence(folder):
    write("models/helper.py", "def f(:")
    write("models/m.py", "import helper\ndef model(chips=None): ...")
    write("config/studies/mine.yaml", study("models: {m: {model: m}}"))
    words = ("a file that m.py imports is not Python", "correct the file")
    assert_one(problems(), "config/studies/mine.yaml", "models.m.model", *words)


# A study that describes its table: columns, further keys of the study, field, words of the sentence

TABLE = "place,chips,n,x\n1,3,4,0.5\n2,0,4,1.5\n"
CHIPS = "chips: {kind: count}"
PLACE = "location: {kind: group, column: place}"


def tabled(columns=f"{CHIPS}, {PLACE}", table="data/t.csv", keys="", **changes):
    """The text of a study with a described table."""
    fields = {"models": "{p: {model: cookies_pooled}}", "outcomes": "[chips]", "unit": "cookie", "groups": "[location]"}
    lines = [f"dataset: {{table: {table}, columns: {{{columns}}}{keys}}}"]
    lines += [f"{key}: {value}" for key, value in (fields | changes).items()]
    return "\n".join([STUDY["title"], STUDY["question"], *lines]) + "\n"


TABLES = [
    ({"table": "data/tt.csv"}, "dataset.table", "there is no file 'data/tt.csv'", "did you mean 'data/t.csv'?"),
    (
        {"table": "/data/t.csv"},
        "dataset.table",
        "'/data/t.csv' is an absolute path",
        "relative to the working directory",
    ),
    ({"table": "data/t.parquet"}, "dataset.table", "there is no file 'data/t.parquet'", ""),
    ({"table": "data/t.xlsx"}, "dataset.table", "'data/t.xlsx' cannot be read as a table", ".csv, .tsv, .txt, .nc"),
    ({"keys": ", sep: comma"}, "dataset.sep", "there is no such key", "known: "),
    ({"keys": ", separator: ';'"}, "dataset.separator", "';' is not one of the choices", "'semicolon'"),
    ({"keys": ", missing_values: [no]"}, "dataset.missing_values.0", "false (true/false) is not text or", "in quotes"),
    ({"keys": ", missing_values: [0.5]"}, "dataset.missing_values.0", "0.5 (a number) is not text or", "in quotes"),
    ({"columns": ""}, "dataset.columns", "{} has too few items", "at least 1"),
    ({"columns": "chips: {kind: counts}"}, "dataset.columns.chips.kind", "'counts' is not one of", "'count'"),
    ({"columns": "chips: {}"}, "dataset.columns.chips.kind", "missing", "`kind: count`"),
    ({"columns": "chips: count"}, "dataset.columns.chips", "'count' (text) is not a set of", "give one"),
    (
        {"columns": "chips: {kind: count, missing: no}"},
        "dataset.columns.chips.missing",
        "false is not one of the choices",
        "give 'fail', 'drop', 'mask' or 'impute'",
    ),
    (
        {"columns": f"chips: {{kind: count, missing: mask}}, {PLACE}"},
        "dataset.columns.chips.missing",
        "chips is an outcome, which every row needs",
        "write `missing: drop`",
    ),
    (
        {"columns": f"{CHIPS}, location: {{kind: group, missing: mask}}"},
        "dataset.columns.location.missing",
        "a group column cannot be masked, only number, integer or count",
        "a separate level",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: number, missing: mask}}, x_known: {{kind: number}}"},
        "dataset.columns",
        "both x and x_known would be called 'x_known'",
        "rename one",
    ),
    (
        {"columns": f"{CHIPS}, chip size: {{kind: number}}"},
        "dataset.columns.chip size",
        "cannot be the name",
        "`column`",
    ),
    (
        {"columns": f"{CHIPS}, a_index: {{kind: number}}"},
        "dataset.columns.a_index",
        "'a_index' is reserved",
        "choose another",
    ),
    (
        {"columns": f"{CHIPS}, class: {{kind: number}}"},
        "dataset.columns.class",
        "a word of the language Python",
        "as `column`",
    ),
    ({"columns": f"{CHIPS}, self: {{kind: number}}"}, "dataset.columns.self", "cannot be the name", "`column`"),
    (
        {"columns": f"{CHIPS}, {PLACE}, n: {{kind: number}}", "outcomes": "[chip]"},
        "outcomes",
        "'chip' is not one of the described columns",
        "did you mean 'chips'?",
    ),
    (
        {"columns": "chips: {kind: group}, " + PLACE},
        "outcomes",
        "'chips' is a group column",
        "number, integer, count, binary or ordered column",
    ),
    (
        {"columns": "chips: {kind: count, per: location}, " + PLACE},
        "outcomes",
        "'chips' has one value per location",
        "remove `per`",
    ),
    ({"groups": "[place]"}, "groups", "'place' is not one of the described columns", "location"),
    (
        {"columns": f"{CHIPS}, location: {{kind: number}}"},
        "groups",
        "'location' is a number column",
        "name a group column",
    ),
    ({"columns": CHIPS}, "groups", "'location' is not one of the described columns", "describe it as group"),
    ({"unit": "chips"}, "unit", "'chips' is a count column", "give the unit another name"),
    ({"unit": "a cookie"}, "unit", "'a cookie' cannot be the name of a dim", "use letters"),
    (
        {"columns": f"{CHIPS}, {PLACE}, cookie: {{kind: group, within: location}}"},
        "unit",
        "'cookie' cannot be nested in location",
        "remove its `within`",
    ),
    ({"arguments": "{a: 1}"}, "arguments", "a described table takes no arguments", "remove them"),
    (
        {"columns": f"chips: {{kind: count, trials: m}}, n: {{kind: count}}, {PLACE}"},
        "dataset.columns.chips.trials",
        "'m' is not one of the described columns",
        "n",
    ),
    (
        {"columns": f"chips: {{kind: count, trials: chips}}, {PLACE}"},
        "dataset.columns.chips.trials",
        "chips names itself",
        "another",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: number, trials: chips}}"},
        "dataset.columns.x.trials",
        "a number column cannot have `trials`",
        "only count columns can",
    ),
    (
        {"columns": f"chips: {{kind: count, exposure: x}}, {PLACE}, x: {{kind: number, per: location}}"},
        "dataset.columns.chips.exposure",
        "x and chips do not have the same `per`",
        "give both the same",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: number, levels: [1, 2]}}"},
        "dataset.columns.x.levels",
        "a number column cannot have `levels`",
        "binary, ordered or categorical",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: ordered}}"},
        "dataset.columns.x.levels",
        "missing",
        "lowest to highest",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: binary, levels: [1, 2, 3]}}"},
        "dataset.columns.x.levels",
        "2 levels, not 3",
        "name two",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: binary, levels: [no, yes]}}"},
        "dataset.columns.x.levels.0",
        "false (true/false) is not text or a whole number",
        "put it in quotes",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: binary, at_least: 0}}"},
        "dataset.columns.x.at_least",
        "a binary column cannot have `at_least`",
        "number, integer or count",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: number, at_least: 2, at_most: 1}}"},
        "dataset.columns.x",
        "at_least (2) is above at_most (1)",
        "swap them",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: number, per: cookie}}, cookie: {{kind: group}}"},
        "dataset.columns.x.per",
        "cookie is the unit of the study",
        "group with several rows",
    ),
    (
        {"columns": f"{CHIPS}, {PLACE}, x: {{kind: ordered, levels: [a, b]}}, x_level: {{kind: number}}"},
        "dataset.columns",
        "both x and x_level would be called 'x_level'",
        "rename one",
    ),
    (
        {"columns": CHIPS, "groups": "[]", "models": "{p: {model: cookies_unpooled}}"},
        "models.p.model",
        "cookies_unpooled needs 'location_index', 'n_location', which the table does not provide",
        "chips",
    ),
    (
        {"recovery": "{r: {entries: [p], over: {k: [1.0]}, sites: [rate]}}"},
        "recovery.r",
        "the table data/t.csv is not simulated",
        "whose true values are known",
    ),
]


@pytest.mark.parametrize(("changes", "field", "words"), [(given, field, words) for given, field, *words in TABLES])
def test_a_mistake_in_a_described_table_is_named(folder, changes, field, words):
    write("data/t.csv", TABLE)
    write("config/studies/mine.yaml", tabled(**changes))
    found = [problem for problem in problems() if problem.startswith(f"config/studies/mine.yaml: {field}: ")]
    assert_one(found, "config/studies/mine.yaml", field, *words)


def test_a_parquet_table_without_polars_is_named(folder, monkeypatch):
    write("data/t.parquet", "read by the job, not here")
    write("config/studies/mine.yaml", tabled(table="data/t.parquet"))
    config.read()
    monkeypatch.setitem(sys.modules, "polars", None)
    words = ("polars, which is not installed in ", f"run `make parquet` in {ROOT}")
    assert_one(problems(), "config/studies/mine.yaml", "dataset.table", *words)


def test_a_mistaken_column_is_told_once_and_not_for_every_model_that_lacks_it(folder):
    """What models lack is told once the columns are right: f lacks two columns here."""
    write("data/t.csv", TABLE)
    columns = f"chips: {{kind: count, trials: m}}, {PLACE}, x: {{kind: number}}"
    models = "{p: {model: cookies_pooled}, f: {model: frogs_multilevel}}"
    write("config/studies/mine.yaml", tabled(columns, models=models, groups="[]"))
    found = [
        problem for problem in problems() if "not one of the described columns" in problem or "does not give" in problem
    ]
    assert_one(found, "config/studies/mine.yaml", "dataset.columns.chips.trials", "describe it as count")


def test_groups_nested_in_each_other_are_named(folder):
    write("data/t.csv", TABLE)
    columns = f"{CHIPS}, {PLACE}, n: {{kind: group, within: x}}, x: {{kind: group, within: n}}"
    write("config/studies/mine.yaml", tabled(columns))
    found = problems()
    assert [each.split(": ")[1] for each in found] == ["dataset.columns.n.within", "dataset.columns.x.within"]
    assert all("is nested in itself; name an outer group" in each for each in found)


def test_a_dataset_is_a_name_or_a_table(folder):
    write("config/studies/mine.yaml", study("dataset: 5"))
    words = ("5 (a whole number) is not the name of a dataset or the keys of a table", "`dataset: reedfrogs`")
    assert_one(problems(), "config/studies/mine.yaml", "dataset", *words)


def test_the_content_of_a_described_table_decides_a_re_run_of_its_data(folder):
    write("data/t.csv", TABLE)
    write("config/studies/mine.yaml", tabled())
    job = ("prepare_data", {"study": "mine"})
    made = Specs(config.read())
    before = made.digest(*job), made.spec(*job), made.digest("render_report", {"study": "mine"})
    assert made.tables("mine") == [Path("data/t.csv")]
    write("data/t.csv", TABLE + "1,2,4,0.5\n")
    again = Specs(config.read())
    assert again.digest(*job) != before[0]
    assert (again.spec(*job), again.digest("render_report", {"study": "mine"})) == before[1:]
    write("config/studies/mine.yaml", tabled(keys=", missing_values: ['?']"))
    assert Specs(config.read()).spec(*job) != before[1]
    assert json.loads(before[1])["dataset"]["unit"] == "cookie"
    assert "seed" not in json.loads(before[1])


# Names of studies, several files, the overlay


@pytest.mark.parametrize(
    ("file", "start", "words"),
    [
        ("my study", "config/studies/my study.yaml", ["'my study' is not a valid name", "rename the file"]),
        ("cookies", "config/config.yaml: studies", ["has the name of a built-in study", "rename yours"]),
        ("Cookies", "config/config.yaml: studies", ["differ only in upper and lower case", "rename one"]),
        ("sweeps", "config/config.yaml: studies", ["'sweeps' is reserved", "choose another name"]),
    ],
)
def test_names_of_studies(folder, file, start, words):
    write(f"config/studies/{file}.yaml", study())
    assert_one(problems(), start, "", *words)


def test_mistakes_in_keys_and_values_of_all_files_are_listed_together(folder):
    write("config/config.yaml", "seed: x\nsampler: {draws: 0}\nstudies: [mine, other, cookeis]\n")
    write("config/studies/mine.yaml", study("title: no\ncomparisons: {m: {entries: [x, pooled]}}", "title", "unit"))
    write("config/studies/other.yaml", "a: [")
    found = problems({"compile_cach": True})
    starts = [
        "config/config.yaml: seed",
        "config/config.yaml: sampler.draws",
        "--config or --configfile: compile_cach",
        "config/studies/mine.yaml: title",
        "config/studies/mine.yaml: unit",
        "config/studies/other.yaml: line 1",
        "config/config.yaml: studies: 'cookeis'",
    ]
    assert len(found) == len(starts), found
    for start in starts:
        assert [problem for problem in found if problem.startswith(start)], start


def test_what_a_study_refers_to_is_checked_once_its_keys_and_values_are_right(folder):
    """Each study is judged by its own mistakes: the references of one do not wait for the keys of
    another."""
    lines = "comparisons: {m: {entries: [x, pooled]}}\n"
    write("config/studies/mine.yaml", study(lines + "titel: x"))
    write("config/studies/other.yaml", study(lines))
    starts = ["config/studies/mine.yaml: titel: ", "config/studies/other.yaml: comparisons.m.entries: 'x' is not an"]
    assert [found.startswith(start) for found, start in zip(problems(), starts, strict=True)] == [True, True]
    write("config/studies/mine.yaml", study(lines))
    assert len(problems()) == 2


OVERLAYS = [
    (
        {"sampler": {"draws": "500"}},
        "sampler.draws",
        "'500' (text) is not a whole number",
        "pass that with --configfile",
    ),
    ({"sampler": "draws=500"}, "sampler", "'draws=500' (text) is not a set of", "`sampler: {draws: 2000}`"),
    ({"compile_cache": "false"}, "compile_cache", "'false' (text) is not true or false", "write compile_cache=False"),
    ({"seed": None}, "seed", "nothing (empty) is not a whole number", "give a value or remove the key"),
    ({"seed": float("nan")}, "seed", ".nan is not a finite number", "finite number"),
    ({"sead": 2}, "sead", "there is no such key", "did you mean 'seed'?"),
    ({"studies": "cookies"}, "studies", "'cookies' (text) is not a list", "write ['cookies']"),
    ({"studies": ["cookeis"]}, "studies", "'cookeis'", "did you mean 'cookies'?"),
    ({"__use_yte__": True}, "__use_yte__", "templates run code", "remove the key"),
]


@pytest.mark.parametrize(
    ("overlay", "field", "words"), [(overlay, field, words) for overlay, field, *words in OVERLAYS]
)
def test_a_mistake_on_the_command_line_names_the_option(folder, overlay, field, words):
    assert_one(problems(overlay), "--config or --configfile", field, *words)


# Whatever is written, the answer is a Config or sentences

KEYS = sorted(
    {key for model in generated_docs.SECTIONS.values() for key in model.model_fields} | {"__use_yte__", "from"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.binary(max_size=3)
    | st.sampled_from([*KEYS, "cookies", "cookies_pooled", "pooled", "1e-3", "unit", 10**400])
)
NAMES = st.sampled_from(KEYS) | st.text(max_size=4) | st.integers() | st.booleans() | st.none()
CONTENT = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
MAPPINGS = st.dictionaries(NAMES, CONTENT, max_size=5)


def answer(overlay, files):
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for file, content in files.items():
            write(file, content)
        try:
            found = []
            for each in config.read(overlay).studies.values():
                json.dumps(each.model_dump(by_alias=True), allow_nan=False)
                assert all(sweep.points() for sweep in each.sweeps.values())
        except config.ConfigErrors as errors:
            found = errors.problems
            assert found
    assert all(problem.strip() and "\n" not in problem for problem in found)


@settings(max_examples=80, deadline=None)
@given(overlay=st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), CONTENT, max_size=4), file=CONTENT)
def test_any_content_of_the_settings(overlay, file):
    answer(overlay, {"config/config.yaml": yaml.dump(file), "config/studies/mine.yaml": study()})


@settings(max_examples=100, deadline=None)
@given(
    changes=MAPPINGS, key=st.sampled_from(["models", "sweeps", "comparisons", "predictions", "figures"]), named=MAPPINGS
)
def test_any_content_of_a_study(changes, key, named):
    valid = {k: v for k, v in yaml.safe_load(study()).items() if k != key}
    sections = {"models": {"pooled": {"model": "cookies_pooled"}, **(named if key == "models" else {})}}
    answer({}, {"config/studies/mine.yaml": yaml.dump({**valid, **sections, key: {"x": named, **named}, **changes})})


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60) | st.text("-:{}[]&*!|>'\"#%@`,? \t\nab1.<~", max_size=40).map(str.encode))
def test_any_bytes(content):
    answer({}, {"config/config.yaml": content, "config/studies/mine.yaml": study().encode() + content})


def test_every_type_of_error_has_its_own_sentence():
    """A type of pydantic error without a sentence would show pydantic's words."""
    known = {"extra_forbidden", "missing", "string_pattern_mismatch", "too_short", "string_too_short", "literal_error"}
    known |= {"rule", "finite_number", "invalid_key", *messages.RANGES, *messages.WANTED}
    for model in (config.Settings, config.Study):
        for value in (None, 1, 0.5, "x", True, [], {}, -1, 10**9, "", [1], {"x": 1}, float("nan")):
            for key in (field.alias or name for name, field in model.model_fields.items()):
                with pytest.raises(reading.ValidationError) as caught:
                    model.model_validate({key: value, "unknown": 1})
                assert {detail["type"] for detail in caught.value.errors()} <= known


# The documents beside the config


def test_the_documents_are_those_of_the_models():
    for name, content in generated_docs.documents().items():
        assert (ROOT / "config" / name).read_text(encoding="utf-8") == content, "run python -m tadpool.config"


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("**/*.yaml")), ids=lambda path: path.stem)
def test_shipped_files_fit_their_schema(file):
    kind = "study" if file.parent.name == "studies" else "config"
    schema = json.loads((ROOT / "config" / f"{kind}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(file.read_text()), schema)
    assert f"{kind}.schema.json" in file.read_text().partition("\n")[0]


def test_the_schema_refuses_what_the_models_refuse():
    schema = json.loads((ROOT / "config" / "study.schema.json").read_text())
    for wrong in (study("titel: x"), study("models: {a b: {model: x}}"), study("sampler: {draws: 1}")):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(wrong), schema)


@pytest.mark.parametrize("model", generated_docs.SECTIONS.values(), ids=lambda model: model.__name__)
def test_every_key_has_a_meaning_and_an_example_that_is_valid(model):
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    assert all(field.description and field.examples for field in fields.values())
    if model is Answer:  # of whose keys not all belong to one answer
        return _check_keys_of_answers(fields)
    for position in range(max(len(field.examples) for field in fields.values())):
        model.model_validate({key: field.examples[position % len(field.examples)] for key, field in fields.items()})


def _check_keys_of_answers(fields):
    """Each key with what it needs beside it."""
    needs = {"decide": {"above": 1}, "pairs": {}}
    for key, field in fields.items():
        kind = key if key in answers.KINDS else answers.BELONGS.get(key, ("value",))[0]
        for example in field.examples:
            base = {"label": "it", "entry": "it", kind: fields[kind].examples[0], **needs.get(key, {})}
            Answer.model_validate(base | {key: example})


def test_reading_the_config_imports_no_sampler():
    """A dry run answers in two seconds."""
    code = (
        "import sys; from tadpool import config; config.read(); print({'jax', 'numpyro', 'arviz'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_text_of_a_study_cannot_end_a_script_of_snakemakes_report(folder):
    write("config/studies/mine.yaml", study("title: '</script><script>alert(1)</script>'"))
    made = Specs(config.read({"studies": ["mine"]}))
    for rule, wildcards in (
        ("render_report", {"study": "mine"}),
        ("draw_figures", {"study": "mine"}),
        ("render_index", {}),
    ):
        spec = made.spec(rule, wildcards)
        assert "<" not in spec
        assert "</script><script>alert(1)</script>" in str(json.loads(spec))


def test_names_of_what_a_file_of_scores_holds_are_reserved():
    """What xarray refuses otherwise, after all fits: a variable and a coordinate of one name."""
    assert set(RESERVED) == {*contracts.LOO.groups["loo"].variables, "elpd_psis", *contracts.SAMPLE}


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.parametrize("line", ["unit: {}", "groups: [{}]"])
def test_a_dim_of_a_reserved_name_is_one_sentence(tmp_path, monkeypatch, line, name):
    monkeypatch.chdir(tmp_path)
    write("config/studies/own.yaml", study(line.format(name)))
    (found,) = (each for each in problems() if "results have" in each)
    assert f"results have something else of the name {name!r}; choose another name" in found
