"""Targets of a run that no rule makes, with what was probably meant."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from os.path import normpath
from typing import Any

from tadpool.workflow.paths import Paths

COMMANDS = ("quick", "new", "plan")


def of_command(command: Sequence[str]) -> list[str]:
    """The targets of a command `snakemake ...`, which its workflow is told once the rules are read;
    none of another program."""
    from snakemake.cli import get_argument_parser

    program, *arguments = command
    if "snakemake" not in program:
        return []
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*get_argument_parser().parse_args(arguments[:end]).targets, *arguments[end + 1 :]]


def unknown(targets: Sequence[str], workflow: Any, paths: Paths) -> Iterator[str]:
    """A sentence for each target that is neither a rule nor a file that a rule makes.

    Args:
        targets: What a run is asked for.
        workflow: Snakemake's workflow, with all its rules.
        paths: The files of the run.
    """
    rules = list(workflow.rules)
    known = [rule.name for rule in rules if not rule.has_wildcards()]
    stored = workflow.modifier.path_modifier.apply_default_storage  # the path itself where results are on a disk
    for target in targets:
        if not workflow.is_rule(target) and not any(rule.is_producer(stored(normpath(target))) for rule in rules):
            close = get_close_matches(target, [*COMMANDS, *known, *paths.pages(), *paths.everything()], n=1)
            fix = f"did you mean {close[0]!r}?" if close else "`tadpool -n` lists the files that a run makes"
            yield f"There is no target {target!r}; {fix}"
