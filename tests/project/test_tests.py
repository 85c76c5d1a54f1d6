"""The tests themselves: what several of them need lies in tests/made or in a conftest."""

import ast
import re

from tadpool import ROOT


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
