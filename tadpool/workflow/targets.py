"""Targets of a run that cannot be made: those that no rule makes, with what was probably meant, and
pages whose results are not there where nothing else may be made."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from os.path import isfile, normpath
from pathlib import PurePath
from typing import Any

from tadpool.formatting import counted
from tadpool.workflow.paths import Paths

COMMANDS = ("run", "quick", "report", "plan", "new", "verify", "judge", "doctor", "completion")
PAGES = ("draw_figures", "render_report", "render_index")
"""The rules that make pages of results, without computing any."""


def impossible(command: Sequence[str], workflow: Any, paths: Paths) -> list[str]:
    """A sentence for each target of a command `snakemake ...` that cannot be made; none of another
    program.

    Args:
        command: The words of the command, which tell the targets before the workflow knows them.
        workflow: Snakemake's workflow, with all its rules.
        paths: The files of the run.
    """
    given = parsed(command)
    if sentences := [*unknown(given.targets, workflow, paths)]:
        return sentences
    only_pages = given.allowed_rules and set(given.allowed_rules) <= set(PAGES)
    return [*without_results(given.targets, paths)] if only_pages else []


def parsed(command: Sequence[str]) -> Namespace:
    """The targets and the allowed rules in a command `snakemake ...`."""
    from snakemake.cli import get_argument_parser

    program, *arguments = command
    if "snakemake" not in program:
        return Namespace(targets=[], allowed_rules=None)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    given = get_argument_parser().parse_args(arguments[:end])
    return Namespace(targets=[*given.targets, *arguments[end + 1 :]], allowed_rules=given.allowed_rules)


def without_results(targets: Sequence[str], paths: Paths) -> Iterator[str]:
    """A sentence for each study whose page is wanted and cannot be made of the results that are
    there."""
    named = {PurePath(target).parent.name for target in targets}
    for study in paths.config.studies:
        if named <= set(paths.config.studies) and study not in named:
            continue
        read = [path for path in [*paths.everything(), *paths.temporary_fits()] if path.startswith(f"results/{study}/")]
        missing = [path for path in read if not isfile(path) and not path.endswith("/figures")]
        if not missing:
            continue
        kept = study in paths.summarised() and set(missing) <= set(paths.temporary_fits())
        why = (
            "its draws are not kept (`keep: summaries`)"
            if kept
            else f"{counted(len(missing), 'result')} of it {'is' if len(missing) == 1 else 'are'} missing"
        )
        yield f"The page of {study} cannot be made: {why}, such as {missing[0]}; `tadpool` makes what is missing"


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
