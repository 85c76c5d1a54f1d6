"""What the Tab key offers after `tadpool` in bash, zsh and fish, by argcomplete.

`tadpool completion bash` prints what makes a shell ask. It then runs `tadpool` itself, which reads
the line typed so far from its environment.
"""

import argparse
import os
from collections.abc import Callable, Mapping

import argcomplete

from tadpool.errors import UserError
from tadpool.workflow.targets import COMMANDS

ASKED = "_ARGCOMPLETE"
"""The variable that is set where a shell asks."""
SHELLS = ("bash", "zsh", "fish")


def main(arguments: list[str]) -> int:
    """Print the code for a shell; returns the exit status."""
    parser().parse_args(arguments)
    print(argcomplete.shellcode(["tadpool"], shell=arguments[0]))
    return 0


def parser() -> argparse.ArgumentParser:
    """The arguments of `tadpool completion`."""
    description = 'Print the code for completion in a shell: eval "$(tadpool completion bash)"'
    found = argparse.ArgumentParser(prog="tadpool completion", description=description)
    found.add_argument("shell", choices=SHELLS)
    return found


def complete() -> None:
    """Answer the shell that asks, and exit."""
    typed = os.environ["COMP_LINE"][: int(os.environ["COMP_POINT"])].split(" ")
    command = typed[1] if len(typed) > 2 else ""
    if command in COMMANDS:
        os.environ[ASKED] = "2"  # the command takes the place of the program's name
    argcomplete.autocomplete(
        parser_of(command, any(word.startswith("-") for word in typed)), always_complete_options=False
    )


def parser_of(command: str, options: bool) -> argparse.ArgumentParser:
    """The arguments that follow a command. options: whether one of them is an option, since the
    list of Snakemake's takes a second to make."""
    if command in OWN:
        return OWN[command]()
    if options:
        from snakemake.cli import get_argument_parser

        found = get_argument_parser()
        (targets,) = (action for action in found._actions if action.dest == "targets")
    else:
        found = argparse.ArgumentParser(add_help=False)
        targets = found.add_argument("targets", nargs="*")
    targets.completer = studies if command == "report" else made if command in COMMANDS else begun
    return found


def studies(**_: object) -> list[str]:
    """The names of the studies in this folder and of the built-in ones."""
    from tadpool.config.reading import BUILT_IN, OWN

    return sorted({path.stem for folder in (OWN, BUILT_IN) for path in folder.glob("*.yaml")})


def made(prefix: str, **_: object) -> list[str]:
    """The files that a run makes, down to the next folder below what was typed."""
    from tadpool import config
    from tadpool.workflow.specs import Specs

    if not "results/".startswith(prefix[:8]):
        return []
    try:
        specs = Specs(config.read())
    except UserError:
        return []
    paths = [path for path in [*specs.everything(), *specs.pages()] if path.startswith(prefix)]
    below = len(prefix.rpartition("/")[0]) + 1 if "/" in prefix else 0
    return sorted({path[:below] + "".join(path[below:].partition("/")[:2]) for path in paths})


def begun(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The commands in the first place, and the files that a run makes."""
    first = COMMANDS if not parsed_args.targets else ()
    return [*first, *(made(prefix) if prefix.startswith("r") else [])]


def _plan() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="tadpool plan", add_help=False)
    found.add_argument("studies", nargs="*").completer = studies
    return found


def _new() -> argparse.ArgumentParser:
    from tadpool.workflow import new

    return new.parser()


def _judge() -> argparse.ArgumentParser:
    from tadpool.reporting import judge

    return judge.parser()


def _doctor() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog="tadpool doctor")


OWN: Mapping[str, Callable[[], argparse.ArgumentParser]] = {
    "plan": _plan,
    "new": _new,
    "judge": _judge,
    "doctor": _doctor,
    "completion": parser,
}
"""The commands whose arguments are not Snakemake's."""
