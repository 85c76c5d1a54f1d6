"""Start a study: write a commented study file, a model and a table that run as they are, to be
replaced by your own.

`python -m tadpool.workflow.new NAME [--folder FOLDER]`, `make new NAME=... FOLDER=...` or `tadpool
new NAME`. With `--table` the study is written from a table (`tadpool.workflow.table_study`).
"""

import argparse
import re
import shlex
import sys
from pathlib import Path

from tadpool import INSTALLED, PACKAGE, ROOT
from tadpool.config.reading import BUILT_IN, CONFIG, OWN
from tadpool.config.schema.types import RESERVED, SLUG
from tadpool.errors import UserError
from tadpool.files import plugins

TO_CORRECT = "To correct: "
"""How a sentence begins that keeps a new study from running."""
SKELETON = PACKAGE / "workflow" / "skeleton"


def write(name: str, folder: Path) -> list[Path]:
    """Write the three files of a new study.

    Args:
        name: Name of the study and of its files.
        folder: Where to write them; it is created if needed.

    Returns:
        The files.

    Raises:
        UserError: The name is not valid or taken, or nothing can be written.
    """
    _check(name)
    sources = {
        folder / OWN / f"{name}.yaml": "study.yaml",
        folder / "models" / f"{name}.py": "model.py",
        folder / "data" / f"{name}.csv": "table.csv",
    }
    for path in sources:
        if path.exists() or path.is_symlink():
            raise UserError(f"{path} exists and is not overwritten; choose another name, or move the file")
    _check_built_in(name)
    schema = (ROOT / "config" / "study.schema.json").resolve().as_uri()
    try:
        for path, source in sources.items():
            text = (SKELETON / source).read_text(encoding="utf-8").replace("NAME", name).replace("SCHEMA", schema)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}; choose a folder that is writable") from error
    return list(sources)


def _check(name: str) -> None:
    if not re.fullmatch(SLUG, name):
        rule = "a name has at most 64 characters, letters, digits, _ and -, and starts with a letter or digit"
        raise UserError(f"{name!r} is not a valid name: {rule}; choose another name")
    if name.lower() in RESERVED:
        raise UserError(f"the name {name!r} is reserved for a folder of results; choose another name")


def _check_built_in(name: str) -> None:
    """Refuse names of built-in files. Case is ignored, as on many disks."""
    folders = {BUILT_IN: ".yaml", plugins.PACKAGE / "models": ".py", plugins.BUILT_IN_DATA: ".csv"}
    for path in (path for folder, ending in folders.items() for path in folder.glob(f"*{ending}")):
        if path.stem.lower() == name.lower():
            shown = path.relative_to(PACKAGE.parent if path.suffix == ".py" else ROOT)
            raise UserError(f"{name!r} is the name of a built-in file, {shown}; choose another name")


def main(arguments: list[str]) -> int:
    """Write the files and print what to do next; returns the exit status."""
    given = parser().parse_args(arguments)
    sentences: list[str] = []
    try:
        if given.table is None:
            if given.outcome or given.group or given.formula or given.kind:
                raise UserError("--outcome, --group, --kind and --formula speak of a table; name it with --table")
            written = write(given.name, given.folder)
        else:
            written, sentences = _from_table(given)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(["Written:", *(f"  {path}" for path in written), ""]))
    if sentences:
        print("\n".join(["To look at:", *(f"  {sentence}" for sentence in sentences), ""]))
    wrong = any(sentence.startswith(TO_CORRECT) for sentence in sentences)
    print("\n".join(_next(given.name, given.folder, wrong)))
    return 0


def parser() -> argparse.ArgumentParser:
    """The arguments of `tadpool new`."""
    parser = argparse.ArgumentParser(prog="tadpool new", description="Start a study with files that run as they are.")
    parser.add_argument("name", help="name of the study and of its files")
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="where to write them; by default the current folder"
    )
    parser.add_argument("--table", type=Path, help="write the study from this table")
    parser.add_argument("--outcome", help="the column to explain")
    parser.add_argument("--group", action="append", default=[], help="a column that names groups of rows (repeatable)")
    parser.add_argument(
        "--kind", action="append", default=[], metavar="COLUMN=KIND", help="what a column holds (repeatable)"
    )
    parser.add_argument("--formula", help="the model, as in lme4: 'y ~ x + (1 | group)'")
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing: take what is likelier, and write down the questions"
    )
    return parser


def _from_table(given: argparse.Namespace) -> tuple[list[Path], list[str]]:
    """Write the study of a table; asks on a terminal what can be read in two ways."""
    from tadpool.workflow import table_study

    _check(given.name)
    _check_built_in(given.name)
    kinds = table_study.kinds_given(given.kind)
    chosen = table_study.Chosen(given.outcome, tuple(given.group) or None, kinds, given.formula)
    ask = table_study.ask_on_terminal if sys.stdin.isatty() and not given.yes else None
    return table_study.written(given.name, given.folder, given.table, chosen, ask)


def _next(name: str, folder: Path, wrong: bool) -> list[str]:
    """What to type next."""
    if folder.resolve() == ROOT.resolve():
        commands = [f"make STUDY={name}"]
    else:
        enter = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
        alone = f" --config 'studies=[{name}]'" if (folder / CONFIG).exists() else ""
        commands = [*enter, ("tadpool" if INSTALLED else shlex.quote(str(ROOT / "bin" / "tadpool"))) + alone]
    first = "Correct that first. Then run it" if wrong else "Run it"
    return [f"{first}, and open results/index.html:", *(f"  {command}" for command in commands)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
