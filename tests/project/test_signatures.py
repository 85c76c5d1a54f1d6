"""Public functions stay readable at their calls: what travels together is one record."""

import ast

import pytest

from tadpool import ROOT

MOST = 8
# Their arguments are keys that a user writes: variables and hyperparameters, arguments of a dataset, options of a figure.
PLUGINS = {"models": "model", "datasets": "simulate", "figures": "draw"}
MODULES = sorted((ROOT / "tadpool").rglob("*.py"))


def public_functions(path):
    """Public functions of a module and methods of its public classes, each with its number of parameters without `self`."""

    def inside(node, prefix, bound):
        for each in node.body:
            if isinstance(each, ast.ClassDef) and not each.name.startswith("_"):
                yield from inside(each, f"{each.name}.", 1)
            elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and not each.name.startswith("_"):
                given = each.args
                static = any(getattr(name, "id", "") == "staticmethod" for name in each.decorator_list)
                count = len([*given.posonlyargs, *given.args, *given.kwonlyargs]) - (0 if static else bound)
                yield f"{prefix}{each.name}", count

    yield from inside(ast.parse(path.read_text(encoding="utf-8")), "", 0)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "tadpool")))
def test_no_public_function_has_more_than_eight_parameters(path):
    found = dict(public_functions(path))
    found.pop(PLUGINS.get(path.parent.name), None)
    assert {name: count for name, count in found.items() if count > MOST} == {}


def test_parameters_are_counted(tmp_path):
    """Keyword-only ones too, and those of methods without the object itself."""
    text = (
        "def f(a, /, b, *, c=1): ...\ndef _g(a): ...\nclass A:\n    def h(self, a, *, b): ...\n    def _i(self): ...\n"
    )
    (tmp_path / "made.py").write_text(text)
    assert list(public_functions(tmp_path / "made.py")) == [("f", 3), ("A.h", 2)]
