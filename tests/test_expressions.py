"""Expressions over draws: what they are worth, and the sentence of each that is none."""

import numpy as np
import pytest

from tadpool import expressions
from tadpool.errors import UserError

SITES = {
    "a": np.array([1.0, 2.0, 3.0]),
    "b": np.array([3.0, 2.0, 1.0]),
    "lam": {"5": np.ones(3), "ST LOUIS": np.zeros(3)},
}
FUNCTIONS = {"exp": np.exp, "log": np.log, "abs": abs}


def value(text):
    return expressions.parsed(text).value(SITES, lambda _, site, labels: site[", ".join(labels)], FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b", [-2, 0, 2]),
        ("-a ** 2 / 2", [-0.5, -2, -4.5]),
        ("exp(log(a)) + pi - pi", [1, 2, 3]),
        ("a > b", [0, 0, 1]),
        ("1 < a <= 3", [0, 1, 1]),
        ("a > 2 or b > 2", [1, 0, 1]),
        ("not (a > 2)", [1, 1, 0]),
        ("not a > 2 and b >= 2", [1, 1, 0]),
        ("lam[5] - lam['ST LOUIS']", [1, 1, 1]),
        ("abs(a - 2)", [1, 0, 1]),
    ],
)
def test_values(text, expected):
    np.testing.assert_allclose(np.asarray(value(text), float), expected)


def test_names_and_statements():
    assert expressions.parsed("lam[5] - pi * a").names == ("lam", "a")
    statements = {"a > b": True, "a": False, "not a": True, "a > 1 and b > 1": True, "-(a > b)": False}
    assert {text: expressions.parsed(text).statement for text in statements} == statements


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a +", "is not an expression"),
        ("", "is not an expression"),
        ("a == 1", "cannot stand in an expression"),
        ("a.b", "'a.b' cannot stand in an expression"),
        ("__import__('os')", "__import__() in"),
        ("exp(a, b)", "cannot stand in an expression"),
        ("exp(x=a)", "cannot stand in an expression"),
        ("expp(a)", "did you mean 'exp'?"),
        ("(lambda: 1)()", "cannot stand in an expression"),
        ("[x for x in a]", "cannot stand in an expression"),
        ("a if b else a", "cannot stand in an expression"),
        ("'text'", "cannot stand in an expression"),
        ("True", "cannot stand in an expression"),
        ("lam[a > 1]", "put it in quotes"),
        ("lam[1:2]", "put it in quotes"),
        ("lam[5][6]", "cannot stand in an expression"),
        ("a @ b", "cannot stand in an expression"),
        ("(a := 1)", "cannot stand in an expression"),
        ("f'{a}'", "cannot stand in an expression"),
        ("a" * 501, "501 characters"),
        ("(" * 240 + "a" + ")" * 240, "is not an expression"),
    ],
)
def test_what_is_no_expression_is_told(text, words):
    with pytest.raises(UserError) as told:
        expressions.parsed(text)
    assert words in str(told.value)
    assert "\n" not in str(told.value)
