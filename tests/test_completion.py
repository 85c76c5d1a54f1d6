"""What the Tab key offers after `tadpool`, asked by the shells themselves."""

import os
import shutil
import subprocess
import sys

import pytest

from tadpool import ROOT
from tadpool.__main__ import HELP, main
from tadpool.completion import OWN, SHELLS
from tadpool.workflow.targets import COMMANDS
from tests.made import programs

BASH = """
source <(tadpool completion bash)
IFS=' ' read -ra COMP_WORDS <<< "$1"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
_python_argcomplete tadpool
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
autoload -U compinit; compinit -u -D
eval "$(tadpool completion zsh)"
_describe() { print -l -- ${(P)2} }
BUFFER=$1 CURSOR=${#1} words=(tadpool)
_python_argcomplete
"""
FISH = "tadpool completion fish | source; complete --do-complete $argv[1]"
PROGRAMS = {"bash": (BASH, ["bash"]), "zsh": (ZSH, ["zsh"]), "fish": (FISH, [])}


@pytest.fixture
def offered(folder):
    """What a shell offers after a line, in a folder with a study of the user's."""
    shutil.copy(ROOT / "config" / "studies" / "cookies.yaml", folder / "config" / "studies" / "bakeries.yaml")
    (folder / "bin").mkdir()
    (folder / "bin" / "tadpool").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tadpool "$@"\n')
    (folder / "bin" / "tadpool").chmod(0o755)
    variables = {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
    }

    def ask(line, shell="bash"):
        path = programs.require(f"Completion in {shell}", shell, shell)
        script, name = PROGRAMS[shell]
        command = [path, "-c", script, *name, line]
        done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=True)
        return {found.partition("\t")[0].partition(":")[0].strip() for found in done.stdout.splitlines()}

    return ask


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_offers_the_commands(offered, shell):
    assert set(COMMANDS) <= offered("tadpool ", shell)
    assert offered("tadpool do", shell) == {"doctor"}


def test_after_a_command_comes_what_it_takes(offered):
    assert {"bakeries", "radon"} <= offered("tadpool report ")
    assert offered("tadpool plan bak") == {"bakeries"}
    assert offered("tadpool completion ") == set(SHELLS)
    assert {"--table", "--outcome", "--group"} <= offered("tadpool new trial --")
    assert "--json" in offered("tadpool judge --")


def test_files_of_a_run_are_offered_folder_by_folder(offered):
    assert "results/bakeries/" in offered("tadpool results/")
    assert {"results/bakeries/data.nc", "results/bakeries/pooled/"} <= offered("tadpool quick results/bakeries/")


def test_options_of_snakemake_are_offered(offered):
    assert "--keep-going" in offered("tadpool -n --keep")
    assert "--keep-going" in offered("tadpool quick --keep")


def test_a_config_with_mistakes_is_no_reason_to_say_anything(offered, folder):
    (folder / "config" / "config.yaml").write_text("sed: 1")
    assert offered("tadpool results/b") <= {""}


def test_every_command_is_in_the_help_and_in_the_docs():
    docs = (ROOT / "docs" / "reference" / "commands.md").read_text()
    for command in COMMANDS:
        assert f"tadpool {command}" in HELP
        assert f"`tadpool {command}" in docs
    assert set(OWN) <= set(COMMANDS)


def test_a_shell_that_is_not_known_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["completion", "csh"])
    assert "invalid choice: 'csh'" in capsys.readouterr().err
