"""Start a study: write a commented study file, a model and a table that run as they are, to be
replaced by your own.

`python -m tadpool.workflow.new NAME [--folder FOLDER]`, `make new NAME=... FOLDER=...` or `tadpool
new NAME`.
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
    parser = argparse.ArgumentParser(prog="tadpool new", description="Start a study with files that run as they are.")
    parser.add_argument("name", help="name of the study and of its files")
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="where to write them; by default the current folder"
    )
    given = parser.parse_args(arguments)
    try:
        written = write(given.name, given.folder)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(["Written:", *(f"  {path}" for path in written), "", *_next(given.name, given.folder)]))
    return 0


def _next(name: str, folder: Path) -> list[str]:
    """What to type next."""
    if folder.resolve() == ROOT.resolve():
        commands = [f"make STUDY={name}"]
    else:
        enter = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
        alone = f" --config 'studies=[{name}]'" if (folder / CONFIG).exists() else ""
        commands = [*enter, ("tadpool" if INSTALLED else shlex.quote(str(ROOT / "bin" / "tadpool"))) + alone]
    return ["Run it, and open results/index.html:", *(f"  {command}" for command in commands)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
