"""What formulas mean, and the one sentence that each mistake in one gives; nothing in a formula is
evaluated before it is checked."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from formulae.environment import Environment
from formulae.terms.call_resolver import LazyCall

from tadpool import config
from tadpool.errors import FormulaError, UserError
from tadpool.formula import syntax
from tadpool.formula.matrices import Matrices
from tadpool.loading import described_table
from tadpool.modelling import binding
from tests.made import formulas
from tests.made.config import assert_one, problems, write

KNOWN = ["y", "k", "n", "x", "z", "a", "b", "g", "h"]
TABLE = """y,k,n,x,z,a,g,h,one
0.5,3,4,1.5,2,u,p,1,q
0.7,1,4,2.0,2,v,p,2,q
1.1,2,4,4.5,1,u,q,1,q
1.5,0,4,2.5,3,v,q,2,q
1.2,4,4,3.0,5,u,r,1,q
1.9,3,4,6.5,3,v,r,2,q
"""
COLUMNS = {
    "y": {"kind": "number"},
    "k": {"kind": "count"},
    "n": {"kind": "count"},
    "x": {"kind": "number"},
    "z": {"kind": "number"},
    "a": {"kind": "categorical"},
    "g": {"kind": "group"},
    "h": {"kind": "group"},
    "one": {"kind": "group"},
}
PLACE = "config/studies/one.yaml"


def terms(text):
    """Names of the common terms, with their intercept."""
    return [each.name for each in syntax.model(syntax.read(text, KNOWN).common).common_terms]


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ("1", ["Intercept"]),
        ("x", ["Intercept", "x"]),
        ("0 + x", ["x"]),
        ("x - 1", ["x"]),
        ("-1 + x", ["x"]),
        ("(0 + x)", ["x"]),
        ("x - 0", ["Intercept", "x"]),
        ("0 + x + 1", ["x", "Intercept"]),
        ("(x + z) + a", ["Intercept", "x", "z", "a"]),
        ("x * z", ["Intercept", "x", "z", "x:z"]),
        ("x:z", ["Intercept", "x:z"]),
        ("a/x", ["Intercept", "a", "a:x"]),
        ("(x + z + a) ** 2", ["Intercept", "x", "z", "a", "x:z", "x:a", "z:a"]),
        ("x * z - x:z", ["Intercept", "x", "z"]),
        ("x + x", ["Intercept", "x"]),
        ("log(x) + I(x ** 2)", ["Intercept", "log(x)", "I(x ** 2)"]),
        ("{x / z}", ["Intercept", "I(x / z)"]),
        ("offset(log(x)) + z", ["Intercept", "offset(log(x))", "z"]),
        ("`x` + z", ["Intercept", "x", "z"]),
    ],
)
def test_terms(right, expected):
    assert terms(f"y ~ {right}") == expected


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ("(1 | g)", [(["Intercept"], ("g",), True)]),
        ("(x | g)", [(["Intercept", "x"], ("g",), True)]),
        ("(1 + x || g)", [(["Intercept", "x"], ("g",), False)]),
        ("(0 + x | g)", [(["x"], ("g",), True)]),
        ("(x - 1 | g)", [(["x"], ("g",), True)]),
        ("(-1 + x | g)", [(["x"], ("g",), True)]),
        ("((x | g))", [(["Intercept", "x"], ("g",), True)]),
        ("(x * z | g)", [(["Intercept", "x", "z", "x:z"], ("g",), True)]),
        ("(poly(x, 2) | g)", [(["Intercept", "poly(x, 2)"], ("g",), True)]),
        ("(1 | g/h)", [(["Intercept"], ("g",), True), (["Intercept"], ("g", "h"), True)]),
        ("(1 | g:h)", [(["Intercept"], ("g", "h"), True)]),
        ("(1 | g + h)", [(["Intercept"], ("g",), True), (["Intercept"], ("h",), True)]),
        ("(1 | g * h)", [(["Intercept"], (each,), True) for each in "gh"] + [(["Intercept"], ("g", "h"), True)]),
        ("(1 | g/h/a)", [(["Intercept"], tuple("gha"[:n]), True) for n in (1, 2, 3)]),
        ("(1 | g:g)", [(["Intercept"], ("g",), True)]),
    ],
)
def test_group_terms(right, expected):
    found = syntax.read(f"y ~ z + {right}", KNOWN, ["g", "h", "a"])
    groups = [
        ([t.name for t in syntax.model(each.left).common_terms], each.factors, each.correlated) for each in found.groups
    ]
    assert groups == expected
    assert terms(f"y ~ z + {right}") == ["Intercept", "z"]


def test_columns_are_those_that_terms_look_at():
    found = syntax.read("y ~ x + log(z) + T(a, 'u') + s(b) + (I(x * k) | g/h)", KNOWN)
    assert found.columns == ("x", "z", "a", "b", "k")
    assert found.computed == {"z": "log", "b": "s", "x": "I", "k": "I"}
    assert found.levels == (("a", "u"),)
    assert syntax.terms(found) == ["x", "log(z)", "T(a,'u')"]


@pytest.mark.parametrize(
    ("left", "outcome", "roles"),
    [
        ("y", "y", {}),
        ("(`y`)", "y", {}),
        ("k | trials(n)", "k", {"trials": "n"}),
        ("prop(k, n)", "k", {"trials": "n"}),
        ("proportion(k, n)", "k", {"trials": "n"}),
        ("p(k, n)", "k", {"trials": "n"}),
        ("k | rate(x)", "k", {"exposure": "x"}),
        ("y | se(x)", "y", {"standard_error": "x"}),
        ("k | trials(n) + rate(x)", "k", {"trials": "n", "exposure": "x"}),
    ],
)
def test_outcomes(left, outcome, roles):
    found = syntax.read(f"{left} ~ 1", KNOWN)
    assert (found.outcome, dict(found.roles)) == (outcome, roles)


def test_smooths():
    found = syntax.read("y ~ x + s(z) + s(log(x), k=5)", KNOWN)
    assert [(each.name, each.size) for each in found.smooths] == [("s(z)", 10), ("s(log(x),k=5)", 5)]
    assert terms("y ~ x + s(z)") == ["Intercept", "x"]


def test_a_formula_of_a_further_parameter_has_no_outcome():
    assert syntax.read("~ x", KNOWN).outcome == ""


def test_names_need_no_table():
    """A dataset that is computed has its names only at binding."""
    assert syntax.read("q ~ w + (w | v)").columns == ("w",)


def study(formula, outcome="y", **entry):
    """A study of one formula as text, which is in the folder with its table."""
    write("data/t.csv", TABLE)
    text = yaml.safe_load(formulas.study("data/t.csv", COLUMNS, {"formula": f"{outcome} ~ 1"}))
    write(PLACE, yaml.safe_dump(text | {"models": {"it": {"formula": formula, **entry}}}))


# A formula, and words of its sentence: what is wrong, and the fix.
WRONG = [
    # names
    ("y ~ xx", "'xx' is not a column of the study", "did you mean 'x'?"),
    ("y ~ weight", "'weight' is not a column of the study; its columns are a, g, h, k"),
    ("y ~ X", "'X' is not a column"),
    ("yy ~ x", "'yy' is not a column of the study; did you mean 'y'?"),
    ("y ~ (1 | gg)", "'gg' is not a column of the study; did you mean 'g'?"),
    ("y ~ (1 | x)", "'x' stands right of a bar and is not a group", "write one of a, g, h, one"),
    ("k ~ x", "the outcome 'k' is not one of the study's", "name it in `outcomes`, or write y ~ ..."),
    # brackets, signs, words
    ("y ~ x + (1 | g", "the bracket ) is missing"),
    ("y ~ x + 1 | g)", "the bracket ( is missing"),
    ("y ~ poly(x, 2", "the bracket ) is missing"),
    ("y ~ {x", "the bracket } is missing"),
    ("y ~ x | g", "'|' cannot stand where it does; put the group term in brackets, `(x | group)`"),
    ("y ~ (1 | g | h)", "has two bars; write (x | group), or (x || group) without correlations"),
    ("y ~ (1 ||| g)", "something is missing between '||' and '|'"),
    ("y", "there is no ~; write `outcome ~ predictors`"),
    ("y = x", "there is no ~"),
    ("y ~ x = z", "= stands outside a function"),
    ("y ~ x ~ z", "there is more than one ~"),
    ("y ~", "nothing follows ~; write at least 1, for an intercept alone"),
    ("~ x", "nothing stands left of ~; write the outcome there"),
    ("y ~ x +", "it ends too early; write what follows +"),
    ("y ~ x + + z", "the + in +z is one too many"),
    ("y ~ * x", "something is missing between '+' and '*'"),
    ("y ~ x z", "'z' cannot stand behind 'x'; write + - * / : between them"),
    ("y ~ x, z", "',' cannot stand behind 'x'"),
    ("y ~ x == 2", "'==' cannot stand behind 'x'"),
    ("y ~ x ^ 2", "'^' has no meaning in a formula; write I(x ** 2) for a power"),
    ("y ~ x ** 2", "x ** 2 is not a term; write I(x ** 2) for a power"),
    ("y ~ (x + z) ** 50", "(x + z) ** 50 is not a term", "interactions of up to 5 columns"),
    ("y ~ `x", "a backquote is not closed; write the second one"),
    ("y ~ T(a, 'u)", "a text in quotes does not end"),
    ("y ~ x # days", "'#' has no meaning in a formula; remove it"),
    ("y ~ .", "'.' does not stand for all columns here; write their names"),
    # what is not a term
    ("y ~ x + 2", "the number 2 is not a term", "offset() for what is added"),
    ("y ~ 2:x", "the number 2 is not a term", "I(2 * x) for a multiple"),
    ("y ~ 'x'", "the text 'x' is not a term"),
    ("y ~ True", "the number True is not a term"),
    ("y ~ -x", "the - in -x is one too many", "I(-x)"),
    ("y ~ x - z", "z is subtracted and is not among the terms before it; remove it, or write I(a - b) for a difference"),
    ("y ~ 0", "nothing is left right of ~; write at least 1"),
    ("y ~ 1 - 1", "nothing is left right of ~"),
    ("y ~ x > 2", "'>' cannot stand behind 'x'"),
    ("y ~ a['u']", "a term is 'a[u]'; write the name of a column there"),
    ("y ~ x[0]", "square brackets stand in it; write the name of the column alone"),
    # the outcome
    ("y ~ x + y", "y stands on both sides of ~; remove it from the right side"),
    ("y ~ log(y)", "y stands on both sides of ~"),
    ("y ~ x + (y | g)", "y stands on both sides of ~"),
    ("log(y) ~ x", "the outcome log(y) is not a column", "lognormal"),
    ("y + k ~ x", "the outcome is 'y + k'; write the name of a column there"),
    ("cbind(k, n) ~ x", "cbind() cannot be an outcome; write prop(successes, trials)"),
    ("prop(k) ~ x", "prop(k) has not two columns; write prop(successes, trials)"),
    ("k | trials(10) ~ x", "trials() is '10'; write the name of a column there"),
    ("y | weights(n) ~ x", "weights() cannot follow the outcome; write the study's or the entry's `weights`"),
    ("y | foo(n) ~ x", "foo(n) cannot follow the outcome; after `outcome |` stands one of trials(column)"),
    ("k | trials(n) + trials(k) ~ x", "the outcome has two columns of trials; remove one of them"),
    ("Surv(y, k) ~ x", "Surv() cannot be an outcome; write the time as outcome"),
    # group terms
    ("y ~ (0 | g)", "nothing varies in (0 | g); write (1 | group)", "(0 + x | group) for a slope alone"),
    ("y ~ (1 - 1 | g)", "nothing varies in (1 - 1 | g)"),
    ("y ~ x * (1 | g)", "the group term 1 | g is part of another term; write it as one of a sum"),
    ("y ~ x - (1 | g)", "1 | g is subtracted; remove it instead"),
    ("y ~ (s(x) | g)", "s(x) stands in a group term; write poly(x, 2) or bs(x, df=4) there"),
    ("y ~ (offset(x) | g)", "offset(x) stands in a group term; remove it"),
    ("y ~ (1 | gr(g, by = a))", "gr(g, by=a) stands right of a bar; write a group, a:b or a/b there"),
    ("y ~ (x | 1)", "1 stands right of a bar"),
    # functions and what stands in them
    ("y ~ lg(x)", "lg() may not be called; did you mean 'log'?"),
    ("y ~ factor(a)", "factor() is not a function of formulas here; write C(column)"),
    ("y ~ ns(x, 3)", "ns() is not a function of formulas here; write bs(x, df=4)"),
    ("y ~ te(x, z)", "no smooth of two variables is available"),
    ("y ~ log()", "log() begins with no argument; write log(column)"),
    ("y ~ log(x, 2)", "'2' cannot stand in log(x, 2); log() takes one argument"),
    ("y ~ log(a)", "'a' is not a number and stands in log(); write a alone, or describe its column as a number"),
    ("y ~ poly(g, 2)", "'g' is not a number and stands in poly()"),
    ("y ~ s(a)", "'a' is not a number and stands in s()"),
    ("y ~ poly(x, 0)", "'0' cannot stand in poly(x, 0); degree is a whole number from 1 to 20"),
    ("y ~ poly(x, x)", "'x' cannot stand in poly(x, x)"),
    ("y ~ bs(x)", "bs(x) has no df, or one below its degree", "bs(x, df=4)"),
    ("y ~ bs(x, df=2)", "bs(x, df=2) has no df, or one below its degree"),
    ("y ~ bs(x, knots=3)", "'knots=3' cannot stand in bs(x, knots=3); bs() takes a column and df"),
    ("y ~ s(x, z)", "s(x, z) is a smooth of 2 variables; write one"),
    ("y ~ s(x, k=2)", "'k=2' cannot stand in s(x, k=2); k is a whole number from 3"),
    ("y ~ s(x, by=a)", "'by=a' cannot stand in s(x, by=a)"),
    ("y ~ s(x):a", "s(x) is part of another term"),
    ("y ~ log(s(x))", "s() stands inside log(); inside a function, use log"),
    ("y ~ C(x + z)", "the argument of C() is 'x + z'; write the name of a column there"),
    ("y ~ C(a, Treatment('u'))", "C(column), T(column, 'level') with a reference level"),
    ("y ~ T(a, u)", "'u' cannot stand in T(a, u); ref is a level in quotes"),
    ("y ~ offset(x):z", "offset(x) is part of another term; write it as one of a sum"),
    ("y ~ " + " + ".join(["x"] * 300), "parts, more than 500; leave some out"),
]  # fmt: skip
INJECTED = [
    ("y ~ __import__('os').system('touch pwned')", "'_' has no meaning in a formula"),
    ("y ~ os.system('touch pwned')", "os.system() may not be called"),
    ("y ~ x.__class__", "'x.__class__' is not a column of the study; write names of columns only"),
    ("y ~ I(x.__class__)", "'x.__class__' is not a column of the study"),
    ("y ~ I(x.to_csv('pwned'))", "x.to_csv() may not be called"),
    ("y ~ np.log(x)", "np.log() may not be called; did you mean 'log'?"),
    ("y ~ log.__class__(x)", "log.__class__() may not be called"),
    ("y ~ C(a, __import__('os'))", "'_' has no meaning in a formula"),
    ("y ~ C(a, os.getcwd())", "'os.getcwd()' cannot stand in C(a, os.getcwd())"),
    ("y ~ 'log'(x)", "'log'() may not be called"),
    ("y ~ (log)(x)", "(log)() may not be called"),
    ("y ~ log(x)(z)", "log(x)() may not be called"),
    ("y ~ `log`(x)", "log() may not be called"),
    ("y ~ `__import__('os').system('touch pwned')`", "is not a column of the study; write names of columns only"),
    ("y ~ (lambda: 1)()", "may not be called"),
    ("y ~ I(lambda x: x)", "'x' cannot stand behind 'lambda'"),
    ("y ~ eval('1')", "eval() may not be called; the functions are log,"),
    ("y ~ I(eval('1'))", "eval() may not be called"),
    ("y ~ log(log(exec('1')))", "exec() may not be called"),
    ("y ~ getattr(x, 'to_csv')", "getattr() may not be called"),
    ("y ~ open('pwned', 'w')", "open() may not be called"),
    ("y ~ f'{open}'", "cannot stand behind 'f'"),
    ("y ~ {eval('1')}", "eval() may not be called"),
    ("y ~ [x for x in z]", "something is missing between '+' and '['"),
    ("y ~ x if 1 else z", "'if' cannot stand behind 'x'"),
    ("y ~ x; import os", "';' has no meaning in a formula"),
    ("y ~ x := z", "something is missing between ':' and '='"),
    ("y ~ log(x, out=x)", "'out=x' cannot stand in log(x, out=x)"),
    ("y ~ log(x, dtype='object')", "\"dtype='object'\" cannot stand in"),
    ("y ~ log(x, where=eval('1'))", "cannot stand in log(x, where=eval('1'))"),
    ("y ~ poly(x, degree=eval('2'))", "cannot stand in poly(x, degree=eval('2'))"),
    ("y ~ scale(x, center=eval)", "'center=eval' cannot stand in scale(x, center=eval)"),
    ("y ~ offset(eval('x'))", "eval() may not be called"),
    ("y ~ (eval('x') | g)", "eval() may not be called"),
    ("y ~ (x | eval('g'))", "eval('g') stands right of a bar"),
    ("y ~ (1 | g.__class__)", "'g.__class__' is not a column of the study"),
    ("eval('y') ~ x", "the outcome eval('y') is not a column"),
    ("y.__class__ ~ x", "'y.__class__' is not a column of the study"),
    ("prop(k, eval('n')) ~ x", "prop() is \"eval('n')\""),
    ("k | trials(eval('n')) ~ x", "trials() is \"eval('n')\""),
    ("y ~ FUNCTIONS", "'FUNCTIONS' is not a column of the study"),
    ("y ~ I('a' * 1000000000)", "'a' cannot stand in I()"),
    ("y ~ I(10 ** 10 ** 10)", "10 ** 10 is a power of numbers alone; write its value"),
    ("y ~ I(x * 10 ** 999999999)", "10 ** 999999999 is a power of numbers alone"),
    ("y ~ I(x * 99999999999999999999)", "99999999999999999999 cannot stand in I()"),
    ("y ~ I(x * (9 ** 9) ** 9)", "is a power of numbers alone"),
    ("y ~ (x + z) ** 99999999", "(x + z) ** 99999999 is not a term"),
    ("y ~ bs(x, df=1000000000)", "'df=1000000000' cannot stand in bs(x, df=1000000000)"),
    ("y ~ poly(x, 1000000000)", "'1000000000' cannot stand in poly(x, 1000000000)"),
    ("y ~ s(x, k=1000000000)", "'k=1000000000' cannot stand in s(x, k=1000000000)"),
    ("y ~ " + "9" * 5000, "a number in it cannot be read"),
    ("y ~ \u00b2", "a number in it cannot be read"),
    ("y ~ " + "(" * 220 + "x" + ")" * 220, "its brackets are nested too deeply; write fewer of them"),
    ("y ~ I(True)", "True cannot stand in I()"),
    ("y ~ I(None)", "None cannot stand in I()"),
]  # fmt: skip


@pytest.fixture
def nothing_is_evaluated(monkeypatch, tmp_path):
    """What code in a formula could reach raises, and the folder stays as it was."""

    def refuse(*arguments, **named):
        raise AssertionError("something was evaluated")

    for owner, name in ((Environment, "__init__"), (LazyCall, "eval"), (os, "system"), (pd.Series, "to_csv")):
        monkeypatch.setattr(owner, name, refuse)
    yield
    assert not Path("pwned").exists()


@pytest.mark.parametrize(("formula", "what", "fix"), [(*each, "")[:3] for each in (*WRONG, *INJECTED)])
def test_a_mistake_has_one_sentence_before_anything_is_evaluated(folder, nothing_is_evaluated, formula, what, fix):
    outcome = "k" if formula.startswith(("k |", "prop(", "p(", "cbind(")) else "y"
    study(formula, outcome)
    found = problems()
    assert_one(found, PLACE, "models.it.formula", what, fix)
    assert "; " in found[0]
    assert len(found[0]) < 700 + len(formula)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("parameters", {"sigma": "~ xx"}, ("models.it.parameters.sigma", "'xx' is not a column", "did you mean 'x'?")),
        ("parameters", {"sigma": "x"}, ("models.it.parameters.sigma", "there is no ~")),
        ("parameters", {"sigma": "y ~ x"}, ("models.it.parameters.sigma", "an outcome stands left of ~", "`~ x`")),
        ("parameters", {"sigma": "~ y"}, ("models.it.parameters.sigma", "the outcome y predicts sigma")),
        ("parameters", {"sigma": "~ log(a)"}, ("models.it.parameters.sigma", "'a' is not a number and stands in log()")),
        ("parameters", {"sigma": "~ eval('x')"}, ("models.it.parameters.sigma", "eval() may not be called")),
        ("parameters", {"phi": "~ x"}, ("models.it.parameters.phi", "normal has no parameter 'phi'; known: sigma")),
        ("priors", {"x": "normal(0)"}, ("models.it.priors", "does not have the arguments of normal")),
        ("priors", {"x": "normal(0, -1)"}, ("models.it.priors", "the scale in 'normal(0, -1)' is -1")),
        ("priors", {"x": "gamma(1, 1)"}, ("models.it.priors", "cannot be the prior of x; write one of normal")),
        ("priors", {"x": "normal(0, inf)"}, ("models.it.priors", "the scale in 'normal(0, inf)' is inf")),
        ("priors", {"sd": "normal(0, 1)"}, ("models.it.priors", "cannot be the prior of sd", "exponential(rate)")),
        ("priors", {"sd": "__import__('os')"}, ("models.it.priors", "cannot be the prior of sd")),
        ("priors", {"zz": "normal(0, 1)"}, ("models.it.priors", "'zz' is neither a class of parameters nor a term")),
        ("priors", {"x*z": "normal(0, 1)"}, ("models.it.priors", "'x*z' is neither a class of parameters", "'x:z'")),
        ("priors", {"g": "normal(0, 1)"}, ("models.it.priors", "'g' is neither a class of parameters nor a term")),
        ("family", "norml", ("models.it.family", "'norml' is not one of the choices")),
        ("family", "binomial", ("models.it.family", "binomial is for count, and y is a number column")),
        ("by", "g", ("models.it.by", "write (1 | g), or g among the terms")),
        ("model", "partial", ("models.it.formula", "the entry has a `model` too")),
    ],
)  # fmt: skip
def test_a_mistake_beside_the_formula_has_one_sentence(folder, nothing_is_evaluated, key, value, words):
    study("y ~ x * z + (1 | g)", **{key: value})
    place, *rest = words
    assert_one(problems(), PLACE, place, *rest)


@pytest.mark.parametrize("of", ["x:z", "poly(x, 2)", "poly(x,2)", "I(x / z)", "T(a, 'u')"])
def test_a_term_may_have_a_prior_of_its_own(folder, of):
    study("y ~ x * z + poly(x, 2) + I(x / z) + T(a, 'u')", priors={of: "normal(0, 3)"})
    (read,) = config.read().studies.values()
    chosen = {each["of"] for each in read.reference("it")["design"]["priors"]}
    assert of.replace(" ", "").replace("/", "÷") in chosen


def bound():
    (read,) = config.read().studies.values()
    dataset = described_table.load(json.loads(json.dumps(read.source())))[0]
    return binding.bind(read.reference("it"), dataset, read.models["it"].hyperparameters)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ (x | g) + (1 | g)", ("the effect 1 of g stands twice; remove one of them",)),
        ("y ~ (1 | g) + (1 | g/h)", ("the effect 1 of g stands twice",)),
        ("y ~ log(x - 2)", ("the term log(x - 2) is not finite in row 1", "log(0)")),
        ("y ~ sqrt(1 - x)", ("the term sqrt(1 - x) is not finite in row 1",)),
        ("y ~ exp(1000 * x)", ("the term exp(1000 * x) is not finite in row 1",)),
        ("y ~ T(a, 'w')", ("'w' is not a level of a; write one of 'u', 'v'",)),
        ("y ~ S(a, 'w')", ("'w' is not a level of a; write one of 'u', 'v'",)),
        ("y ~ s(x, k=9)", ("s(x,k=9) has 9 coefficients and its variable 6 different values", "write a k below")),
        ("y ~ (1 | one)", ("one has one member", "remove its term")),
        ("y ~ (1 | g:one)", ()),
        ("k ~ (1 | row)", ()),
        (
            "y ~ (1 | g:h)",
            ("each row is a member of g:h of its own, which is indistinguishable from noise", "se(column)"),
        ),
        ("y ~ (1 | row)", ("each row is a member of row of its own",)),
    ],
)
def test_a_mistake_that_only_the_data_show_has_one_sentence(folder, formula, words):
    study(formula, formula[0])
    if not words:
        assert bound().latents
        return
    with pytest.raises(UserError) as caught:
        bound()
    for word in ("the formula", *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_in_a_formula_changes_the_table(folder):
    study("y ~ log(x) + I(z ** 2) + poly(x, 2) + scale(z)")
    (read,) = config.read().studies.values()
    dataset = described_table.load(json.loads(json.dumps(read.source())))[0]
    before = dataset.copy(deep=True)
    binding.bind(read.reference("it"), dataset)
    assert before.identical(dataset)


def test_functions_see_the_allowed_names_alone():
    """Names that the syntax tree does not catch are none that formulae finds: neither those of this
    module nor of tadpool."""
    frame = pd.DataFrame({"x": np.arange(4.0)})
    made = Matrices(syntax.read("~ log(x + 1)"), {"x": "number"}, "here")
    np.testing.assert_allclose(made(frame).terms[0].values[:, 0], np.log1p(np.arange(4.0)))
    with pytest.raises(FormulaError, match="may not be called"):
        syntax.read("~ frame(x)")
