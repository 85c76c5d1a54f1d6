"""Plug-ins: a file in `datasets/` or `models/` is a dataset or a model; its name is the file's.

Files are found in the package and, beside it, in the working directory. What the Snakefile needs to know of a plug-in
(its hyperparameters, its tables) is read from the syntax tree, so that a dry run imports neither NumPyro nor the plug-in.
"""

import ast
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from tadpool.errors import UserError, did_you_mean

PACKAGE = Path(__file__).parent
BUILT_IN_DATA = PACKAGE.parent / "data"


@dataclass(frozen=True)
class Signature:
    """A model's arguments as written.

    variables: positional arguments without a default (dataset variables, and sizes named `n_<dim>`).
    outcomes: positional arguments whose default is None (observed sites).
    hyperparameters: keyword-only arguments with their defaults.
    """

    variables: tuple[str, ...]
    outcomes: tuple[str, ...]
    hyperparameters: dict[str, float | int | bool | str]


def names(kind: str) -> list[str]:
    """All plug-ins of a kind ("datasets", "models"), built-in and in the working directory."""
    return sorted({path.stem for folder in _folders(kind) for path in folder.glob("*.py") if path.stem != "__init__"})


def find(kind: str, name: str) -> Path:
    """The file of a plug-in. Raises UserError where there is none, or where a user's file shadows a built-in one."""
    found = [folder / f"{name}.py" for folder in _folders(kind) if (folder / f"{name}.py").is_file()]
    if not found:
        folders = " or ".join(["tadpool/" + kind, kind])
        raise UserError(f"no file {name}.py in {folders}{did_you_mean(name, names(kind))}")
    if len(found) > 1:
        raise UserError(f"{kind}/{name}.py has the name of a built-in of tadpool/{kind}; rename yours")
    return found[0]


def _folders(kind: str) -> list[Path]:
    built_in, own = PACKAGE / kind, Path.cwd() / kind
    return [built_in] if own.resolve() == built_in or not own.is_dir() else [built_in, own]


def load(kind: str, name: str) -> ModuleType:
    """Import a plug-in. Raises UserError where its import fails."""
    return load_file(str(find(kind, name)))


@cache
def load_file(path: str) -> ModuleType:
    """Import a file under a name of its own, once. Raises UserError where its import fails."""
    spec = importlib.util.spec_from_file_location(f"tadpool_plugin_{Path(path).parent.name}_{Path(path).stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"{Path(path).name} cannot be imported: {type(error).__name__}: {error}") from error
    return module


def parse(path: Path) -> ast.Module:
    """The syntax tree of a plug-in. Raises UserError with the line where it is not Python."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UserError(f"{path.name}, line {error.lineno}: {error.msg}") from error


def signature(path: Path, function: str = "model") -> Signature:
    """Read the arguments of `function` from a plug-in's source."""
    for node in parse(path).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            break
    else:
        raise UserError(f"{path.name} has no function {function}(...)")
    arguments = node.args
    positional = [argument.arg for argument in arguments.posonlyargs + arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    outcomes = tuple(
        name
        for name, default in zip(with_default, arguments.defaults, strict=True)
        if isinstance(default, ast.Constant) and default.value is None
    )
    hyperparameters = {
        argument.arg: _constant(default, path, argument.arg)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }
    return Signature(tuple(name for name in positional if name not in outcomes), outcomes, hyperparameters)


def _constant(node: ast.expr | None, path: Path, name: str):
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise UserError(
            f"{path.name}: hyperparameter {name} needs a number, true/false or a string as default"
        ) from error


def module_constant(path: Path, name: str, default: object) -> object:
    """The value of a top-level `NAME = literal` in a plug-in's source."""
    for node in parse(path).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return ast.literal_eval(node.value)
    return default


def tables(dataset: str) -> dict[str, Path]:
    """The tables that a dataset reads: its `TABLES`, from `data/` of the working directory or of the package."""
    wanted = module_constant(find("datasets", dataset), "TABLES", ())
    return {table: _table(table) for table in wanted}


def _table(name: str) -> Path:
    for folder in (Path("data"), BUILT_IN_DATA):
        if (folder / name).is_file():
            return folder / name
    raise UserError(f"data/{name} does not exist; put the table there")


def has_function(path: Path, name: str) -> bool:
    """Whether a plug-in defines a function at its top level."""
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in parse(path).body)
