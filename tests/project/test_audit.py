"""`make lint` fails on a known vulnerability, and says where none could be looked up."""

import json

import pytest

from tests import audit

GOOD = {"name": "good", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([GOOD, UNKNOWN], 0, "1 of 2 packages looked up, 0 known vulnerabilities"),
        ([GOOD, BAD], 1, "bad 1: PYSEC-1; mended in 2"),
        ([UNKNOWN], 0, "not audited, the database of vulnerabilities cannot be reached from here"),
    ],
)
def test_what_is_found_decides(monkeypatch, capsys, packages, status, words):
    monkeypatch.setattr(audit, "audited", lambda lock: json.dumps({"dependencies": packages}))
    assert audit.main() == status
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("says", "status"), [("requests.exceptions.ConnectionError: no route", 0), ("bad lock file", 1)]
)
def test_no_database_is_said_and_a_broken_audit_fails(monkeypatch, capsys, says, status):
    class Done:
        stdout, stderr, returncode = "", says, 1

    monkeypatch.setattr(audit.subprocess, "run", lambda *arguments, **options: Done)
    assert audit.main() == status
