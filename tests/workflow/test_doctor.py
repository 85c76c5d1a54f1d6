"""`tadpool doctor`: what it says is missing, and what it only notes."""

import os

import pytest

from tadpool.workflow import doctor
from tadpool.workflow.doctor import Finding


def said(capsys, *found):
    status = doctor.main([], lambda folder: iter(found))
    return status, capsys.readouterr().out.splitlines()


def test_here_a_run_can_start(capsys):
    assert doctor.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "A run can start."
    assert any(line.split()[:2] == ["ok", "packages"] for line in lines)


def test_what_a_run_needs_decides_the_status_and_the_rest_is_noted(capsys):
    noted = Finding("free memory", "1.0 GB", "close other programs", needed=False)
    assert said(capsys, noted) == (0, ["note    free memory  1.0 GB; close other programs", "A run can start."])
    status, lines = said(capsys, noted, Finding("jax", "not installed", "install it"))
    assert (status, lines[-1]) == (1, "A run needs what is missing: jax.")
    assert lines[1] == "MISSING jax          not installed; install it"


@pytest.mark.parametrize(
    ("version", "words"), [(None, "not installed"), ("0.1", "0.1, but >=0.22 is needed"), ("0.30", None)]
)
def test_a_package_that_is_absent_or_too_old_is_named(version, words, monkeypatch):
    known = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: version if name == "numpyro" else known(name))
    wrong = {each.what: each for each in doctor._packages() if each.fix}
    assert {name: each.found for name, each in wrong.items()} == ({"numpyro": words} if words else {})
    assert all(each.needed for each in wrong.values())


def test_a_blank_in_the_path_of_python_is_told(monkeypatch, tmp_path):
    """A job that is not forked would not start: Snakemake does not quote the path."""
    assert "Python's path" not in {each.what for each in doctor.findings(tmp_path)}
    monkeypatch.setattr("sys.executable", "/opt/my tools/python")
    found = {each.what: each for each in doctor.findings(tmp_path)}
    assert found["Python's path"].needed
    assert "no blank" in found["Python's path"].fix


def test_a_folder_that_cannot_be_written_to_is_missing(tmp_path):
    if os.geteuid() == 0:
        place = tmp_path / "file"
        place.write_text("")
    else:
        place = tmp_path
        place.chmod(0o500)
    found = doctor._writable("this folder", place)
    assert found.needed
    assert found.fix == "choose a folder that is writable"
    assert doctor._writable("temporary folder", tmp_path.parent).found.endswith("GB free")
