"""The tests themselves: what several of them need lies in tests/made or in a conftest."""

import ast
import re

import pytest

from tadpool import ROOT
from tests.made import marks, programs


def imported(path):
    """Modules of tests/ that a file imports, `a.b` for `from a import b` too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith(("tests.", ".")))


def test_no_test_imports_from_another_test_or_a_conftest():
    files = sorted((ROOT / "tests").rglob("*.py"))
    found = {path.relative_to(ROOT).as_posix(): list(imported(path)) for path in files}
    assert any("tests.made." in name for names in found.values() for name in names)
    wrong = {
        path: [name for name in names if re.search(r"\.(test_\w+|conftest)\b|^\.", name)]
        for path, names in found.items()
    }
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    "place", sorted({place for places in (*marks.PLACES.values(), marks.FIRST) for place in places})
)
def test_marks_name_tests_that_are_there(place):
    path, _, test = place.partition("::")
    assert (ROOT / path).exists()
    assert not test or re.search(rf"^def {test}", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_a_program_that_is_not_there_skips_a_test_and_fails_it_in_ci(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    words = r"A page needs no-such-program or nor-this; install it: apt-get install chromium\."
    with pytest.raises(pytest.skip.Exception, match=words):
        programs.require("A page", "chromium", "no-such-program", "nor-this")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=words):
        programs.require("A page", "chromium", "no-such-program", "nor-this")
    assert programs.require("A shell", "dash", "no-such-program", "sh").endswith("/sh")
