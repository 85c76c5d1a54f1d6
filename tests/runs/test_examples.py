"""The notebook and the Quarto document in docs/examples run against the results of a small run.

Quarto itself is not run: the code of its document is, in the order of the document.
"""

import os
import re
import subprocess
import sys

import nbformat
import pytest

from tadpool import ROOT
from tests.made import workflows

EXAMPLES = ROOT / "docs" / "examples"
EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": "."}}).execute()
nbformat.write(notebook, "executed.ipynb")
"""


@pytest.fixture
def folder(finished, tmp_path, monkeypatch):
    """Results in the current folder: the small study stands for the one of the examples, whose
    names it shares."""
    place = tmp_path / "results" / "cookies"
    workflows.stand_in(finished.folder / "results" / "small", place, {"hierarchical": "unpooled"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_notebook_runs(folder):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", EXECUTE, str(EXAMPLES / "cookies.ipynb")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    cells = [cell for cell in nbformat.read("executed.ipynb", as_version=4).cells if cell.cell_type == "code"]
    shown = ["".join(str(each.get("data", each.get("text", ""))) for each in cell.outputs) for cell in cells]
    assert all(shown)
    assert "Does it run?" in shown[0]
    assert "lam[1]" in shown[2]
    assert 0 <= float(re.search(r"'text/plain': '([\d.]+)'", shown[3])[1]) <= 1
    assert "image/svg+xml" in shown[4]


def test_the_notebook_holds_no_outputs():
    cells = [cell for cell in nbformat.read(EXAMPLES / "cookies.ipynb", as_version=4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def test_the_code_of_the_quarto_document_runs(folder):
    text = (EXAMPLES / "cookies.qmd").read_text()
    names = {}
    for block in re.findall(r"^```\{python\}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        exec(compile(block, "cookies.qmd", "exec"), names)
    inline = re.findall(r"`\{python\} ([^`]+)`", text)
    values = [str(eval(each, names)) for each in inline]
    assert len(values) == 7
    assert values[0] == "Does it run?"
    assert float(values[3]) < float(values[4])
    assert "pooled pass" in values[6]
