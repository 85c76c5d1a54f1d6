"""The command `tadpool`, which runs the workflow in the current folder: words of its own, or
options and targets of Snakemake."""

import importlib.util
import itertools
import os
import re
import sys
from pathlib import Path

from tadpool import INSTALLED, ROOT
from tadpool.workflow import fork_server
from tadpool.workflow.targets import PAGES

HELP = """\
tadpool                 run the studies in this folder and write results/index.html; `tadpool run` is the same
tadpool quick           the same with short chains, for a first look
tadpool -n              show what would run, or mistakes in the config
tadpool report [STUDY]  make the pages again from the results that are there, without sampling
tadpool plan [STUDY]    show what a run would take: jobs, memory, storage, time
tadpool new NAME        start a study: a study file, a model and a table that run as they are
tadpool new NAME --table FILE   write the study of a table, and ask what can be read in two ways
tadpool verify          compare with exact values, and plant errors that the checks must find
tadpool judge FILE...   judge draws from elsewhere: ArviZ's NetCDF, CSV of CmdStan, tables of draws
tadpool doctor          show what this machine has for a run, and what is missing
tadpool completion bash   print what completes words and files in bash; likewise zsh and fish
tadpool --version       show the version
Everything else is passed to Snakemake, as in `tadpool -c4 --config seed=2`. Its options: snakemake --help."""
# Options that set how many jobs run in parallel.
CORES = ("-c", "--cores", "-j", "--jobs", "-e", "--executor", "--profile")
# Only that a job is done; `tadpool -n` and `tadpool --quiet host` show its files and why it runs.
BRIEF = ("--quiet", "host", "rules", "reason")
# Options with which a run on this machine surely starts jobs, if there are any to do.
RUNNING = re.compile(r"-[cj]\d*|-[CkfFR]|--(cores|jobs|config|configfile|keep-going|force|forceall|forcerun)(=.*)?|--")


def misplaced(arguments: list[str]) -> str | None:
    """The first argument that `--config` would take although it is no `key=value`: most often a
    target."""
    taken = False
    for argument in arguments:
        if argument.startswith("-"):
            taken = argument in ("--config", "-C")
        elif taken and "=" not in argument:
            return argument
    return None


def without_study(arguments: list[str]) -> str | None:
    """What to do where there is no study in the current folder and the arguments name none."""
    words = [each for each in arguments if not each.startswith(CORES) and not each.isdigit()]
    named = not set(words) <= {"run", "quick", "report", "-n", "--dry-run", "all"}
    here = (
        Path.cwd() == ROOT or Path("config", "config.yaml").is_file() or any(Path("config", "studies").glob("*.yaml"))
    )
    if named or here:
        return None
    examples = ", ".join(sorted(path.stem for path in (ROOT / "config" / "studies").glob("*.yaml")))
    return (
        "No study is here: config/studies/ has none. `tadpool new NAME --table FILE` writes one for a table of yours; "
        f"`tadpool --config 'studies=[cookies]'` runs one of those that come with tadpool ({examples})."
    )


def command(arguments: list[str]) -> list[str]:
    """The command that runs Snakemake with tadpool's rules and profile, on all cores unless the
    arguments say otherwise.

    `--profile slurm` names a profile of tadpool, unless there is such a folder here.
    """
    brief = BRIEF if runs_jobs(arguments) else ()  # an option has to follow, which ends its list
    snakemake = [sys.executable, "-P", "-m", "snakemake", *brief, "--snakefile", str(ROOT / "Snakefile")]
    snakemake += ["--workflow-profile", str(ROOT / "profiles" / "default")]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, targets = [*arguments[:end]], arguments[end:]
    if options[:1] == ["run"]:
        options = options[1:]
    if report := options[:1] == ["report"]:
        options = options[1:]
    if options[:1] == ["quick"]:
        options = [*options[1:], "--configfile", str(ROOT / "config" / "quick.yaml")]
    if report:
        options, targets = pages_alone(options)
    for position, option in enumerate(options[:-1]):
        if option == "--profile" and not Path(options[position + 1]).exists():
            own = ROOT / "profiles" / options[position + 1]
            options[position + 1] = str(own) if own.is_dir() else options[position + 1]
    given = any(option.startswith(CORES) for option in options)
    return [*snakemake, *options, *([] if given else ["--cores", "all"]), *targets]


def pages_alone(options: list[str]) -> tuple[list[str], list[str]]:
    """Options and targets of a run that makes nothing but pages: of the studies that come first, or
    of all."""
    studies = [*itertools.takewhile(lambda option: not option.startswith("-"), options)]
    pages = [f"results/{study}/index.html" for study in studies] or ["results/index.html"]
    # A rule without wildcards that is forced would be made even where another page is wanted.
    forced = ["render_report"] if studies else ["render_report", "render_index"]
    return [*options[len(studies) :], "--allowed-rules", *PAGES, "--forcerun", *forced], ["--", *pages]


def runs_jobs(arguments: list[str]) -> bool:
    """Whether what jobs import may be imported while Snakemake is still reading the workflow."""
    return all(RUNNING.fullmatch(argument) for argument in arguments if argument.startswith("-"))


def main(arguments: list[str]) -> int:
    """Run a command and return its exit status; Snakemake instead replaces this process."""
    if arguments[:1] in (["-h"], ["--help"], ["help"]):
        print(HELP)
        return 0
    if "_ARGCOMPLETE" in os.environ:
        from tadpool import completion

        completion.complete()
    if arguments[:1] == ["completion"]:
        from tadpool import completion

        return completion.main(arguments[1:])
    if arguments[:1] == ["new"]:
        from tadpool.workflow import new

        return new.main(arguments[1:])
    if arguments[:1] == ["--version"]:
        from tadpool.files import provenance

        print(f"tadpool {provenance.own_version()}")
        return 0
    if arguments[:1] == ["judge"]:
        from tadpool.reporting import judge

        return judge.main(arguments[1:])
    if arguments[:1] == ["doctor"]:
        from tadpool.workflow import doctor

        return doctor.main(arguments[1:])
    if importlib.util.find_spec("snakemake") is None:
        fix = "install tadpool again" if INSTALLED else f"run `make setup` in {ROOT}"
        print(f"Snakemake is not installed in {sys.prefix}; {fix}.", file=sys.stderr)
        return 1
    if arguments[:1] == ["plan"]:
        from tadpool.workflow import plan

        return plan.main(arguments[1:])
    if (advice := without_study(arguments)) is not None:
        print(advice, file=sys.stderr)
        return 2
    if (target := misplaced(arguments)) is not None:
        print(f"--config takes `key=value`, not {target}; put targets first, or after `--`", file=sys.stderr)
        return 2
    run = command(arguments)
    forks = fork_server.launched() if runs_jobs(arguments) else {}
    os.execve(run[0], run, {**os.environ, **forks})  # noqa: S606 (our own interpreter)


def command_line() -> None:
    """What the installed command runs."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    command_line()
