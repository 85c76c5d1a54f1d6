"""Plug-ins: a file in `datasets/` or `models/` is a dataset or a model with the name of the file.

Files are found in the package and in the working directory. What the Snakefile needs from a
plug-in, such as its hyperparameters and tables, is read from the syntax tree, so a dry run imports
neither the plug-in nor NumPyro.
"""

import ast
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tadpool import PACKAGE, ROOT
from tadpool.errors import UserError, describe_error, did_you_mean, with_line
from tadpool.files import plugin_imports

BUILT_IN_DATA = ROOT / "data"
REQUIRED = object()


@dataclass(frozen=True)
class Signature:
    """The arguments of a model.

    Attributes:
        variables: Positional arguments without a default: variables of the data, and sizes named
            `n_<dim>`.
        outcomes: Positional arguments whose default is None: observed sites.
        hyperparameters: Keyword-only arguments with their defaults.
        designed: Whether the model is a rung of the pooling ladder, whose only positional argument
            is the rung at work (`tadpool.ladder.rung`).
    """

    variables: tuple[str, ...]
    outcomes: tuple[str, ...]
    hyperparameters: dict[str, float | int | bool | str]
    designed: bool = False


def names(kind: str) -> list[str]:
    """All plug-ins of a kind ("datasets", "models"), built-in and in the working directory."""
    return sorted({path.stem for folder in _folders(kind) for path in folder.glob("*.py") if path.stem != "__init__"})


def find(kind: str, name: str) -> Path:
    """The file of a plug-in. Raises UserError if there is none, or if a user's file has the name of
    a built-in one."""
    files = [folder / f"{name}.py" for folder in _folders(kind) if (folder / f"{name}.py").is_file()]
    if not files:
        folders = " or ".join(["tadpool/" + kind, kind])
        raise UserError(f"no file {name}.py in {folders}{did_you_mean(name, names(kind))}")
    if len(files) > 1:
        raise UserError(f"{kind}/{name}.py has the name of a built-in file of tadpool/{kind}; rename yours")
    return files[0]


def is_own(file: Path) -> bool:
    """Whether a plug-in, or a file that it imports, is the user's own."""
    return PACKAGE not in file.parents


def _folders(kind: str) -> list[Path]:
    built_in, own = PACKAGE / kind, Path.cwd() / kind
    return [built_in] if own.resolve() == built_in or not own.is_dir() else [built_in, own]


def load(kind: str, name: str) -> ModuleType:
    """Import a plug-in. Raises UserError where its import fails."""
    return load_file(str(find(kind, name)))


@cache
def load_file(path: str) -> ModuleType:
    """Import a plug-in from its file, once. Raises UserError where its import fails."""
    file = Path(path)
    where = f"{file.parent.name}/{file.name}"
    spec = importlib.util.spec_from_file_location(f"tadpool_plugin_{file.parent.name}.{file.stem}", path)
    module = importlib.util.module_from_spec(spec)
    if is_own(file):
        plugin_imports.prepare(where, file, spec.parent)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        fix = "install what it imports, or correct the file" if isinstance(error, ImportError) else "correct the file"
        raise UserError(
            f"{with_line(where, error)}: the file cannot be imported: {describe_error(error)}; {fix}"
        ) from error
    return module


def parse(path: Path) -> ast.Module:
    """The syntax tree of a plug-in. Raises UserError where it is not Python in UTF-8."""
    try:
        return ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise UserError(f"{path.name}, line {error.lineno}: {error.msg}; correct the file") from error
    except (ValueError, OSError, RecursionError) as error:
        raise UserError(f"{path.name} cannot be read as Python ({error}); correct the file") from error


def _function(path: Path, name: str) -> ast.FunctionDef:
    for node in parse(path).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    raise UserError(f"{path.name} has no function {name}(...); add it")


def has_function(path: Path, name: str) -> bool:
    """Whether a plug-in defines a function of that name."""
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in parse(path).body)


def defaults(path: Path, function: str) -> dict[str, Any]:
    """The arguments of a function and their defaults.

    Args:
        path: The plug-in's file.
        function: Name of the function.

    Returns:
        Name -> default: REQUIRED if there is none, None if it is not a literal. `**options` keeps
            its stars in the name.

    Raises:
        UserError: There is no such function.
    """
    arguments = _function(path, function).args
    positional = arguments.posonlyargs + arguments.args
    nodes = [*[REQUIRED] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
    nodes += [REQUIRED if node is None else node for node in arguments.kw_defaults]
    names = [argument.arg for argument in positional + arguments.kwonlyargs]
    values = {name: _literal(node) for name, node in zip(names, nodes, strict=True)}
    return values | ({f"**{arguments.kwarg.arg}": None} if arguments.kwarg else {})


def _literal(node: Any) -> Any:
    try:
        return node if node is REQUIRED else ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def signature(path: Path, function: str = "model") -> Signature:
    """Read the arguments of a model. Raises UserError for one that is neither data nor an outcome
    nor a hyperparameter."""
    arguments = _function(path, function).args
    known = defaults(path, function)
    designed = bool(_assigned(path, "DESIGNED"))
    positional = [argument.arg for argument in arguments.posonlyargs + arguments.args]
    outcomes = tuple(name for name in positional if known[name] is None)
    if not designed:
        _check_arguments(path, function, outcomes)
    hyperparameters = {argument.arg: known[argument.arg] for argument in arguments.kwonlyargs}
    for name, default in hyperparameters.items():
        if not isinstance(default, (bool, int, float, str)):
            raise UserError(f"{path.name}: hyperparameter {name} needs a number, true/false or text as its default")
    return Signature(tuple(name for name in positional if name not in outcomes), outcomes, hyperparameters, designed)


def _check_arguments(path: Path, function: str, outcomes: tuple[str, ...]) -> None:
    """Raise UserError for an argument that is neither data nor an outcome nor a hyperparameter, or
    if there is no outcome."""
    node = _function(path, function)
    arguments, where = node.args, f"{path.name}, line {node.lineno}"
    for stars, extra in (("*", arguments.vararg), ("**", arguments.kwarg)):
        if extra:
            fix = "name each variable that it needs as an argument"
            raise UserError(f"{where}: {function}() takes {stars}{extra.arg}; {fix}")
    if arguments.posonlyargs:
        names = ", ".join(argument.arg for argument in arguments.posonlyargs)
        raise UserError(f"{where}: {function}() takes {names} by position alone; remove the / from its arguments")
    positional = [argument.arg for argument in arguments.args]
    for name, node in zip(reversed(positional), reversed(arguments.defaults), strict=False):
        if not (isinstance(node, ast.Constant) and node.value is None):
            rule = "outcomes have the default None, data have none, and hyperparameters come after a *"
            raise UserError(f"{where}: the argument {name} has the default {ast.unparse(node)}; {rule}")
    if not outcomes:
        fix = "write y=None for an outcome y"
        raise UserError(f"{where}: no argument has the default None, so nothing is observed; {fix}")


def sites(path: Path) -> list[str] | None:
    """The names of the sites that a model samples or computes; None if its source alone does not
    tell."""
    names, imports = [], False
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) in ("sample", "deterministic"):
            names.append(node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None)
        elif isinstance(node, ast.ImportFrom):
            imports |= (node.module or "").split(".")[0] not in ("numpyro", "jax")
    return None if imports or None in names else [str(name) for name in names]


def figures() -> dict[str, Path]:
    """Kinds of figures: name -> file."""
    files = {path.stem: path for path in sorted((PACKAGE / "figures").glob("*.py")) if not path.stem.startswith("_")}
    return {name: path for name, path in files.items() if has_function(path, "draw")}


def tables(dataset: str) -> dict[str, Path]:
    """The tables that a dataset reads: its `TABLES`, from `data/` in the working directory or in
    tadpool's folder.

    Raises UserError for a table that is missing, or that has the name of a built-in one.
    """
    path = find("datasets", dataset)
    files = _names(path, "TABLES")
    if files is None:
        raise UserError(f"{path.name}: TABLES needs names of files in data/; write for example TABLES = ('mine.csv',)")
    return {file: _table(file) for file in files}


def reparametrizable(path: Path) -> tuple[str, ...]:
    """The sites that a model names in `REPARAMETRIZE`, which may be sampled as standardized
    distances from their location.

    Raises UserError if it is not a list of names, or names something that is not a site of the
    model.
    """
    names, known = _names(path, "REPARAMETRIZE"), sites(path)
    if names is None:
        raise UserError(
            f"{path.name}: REPARAMETRIZE needs names of sites; write for example REPARAMETRIZE = ('theta',)"
        )
    for name in names:
        if known is not None and name not in known:
            raise UserError(
                f"{path.name}: REPARAMETRIZE names {name!r}, which is not a site{did_you_mean(name, known)}"
            )
    return names


def _names(path: Path, constant: str) -> tuple[str, ...] | None:
    """The list of texts that a plug-in assigns to a constant; empty if there is none, None if it is
    something else."""
    values = _assigned(path, constant)
    names = values[0] if values else ()
    return tuple(names) if isinstance(names, (tuple, list)) and all(isinstance(name, str) for name in names) else None


def _assigned(path: Path, constant: str) -> list[Any]:
    """The values that a plug-in assigns to a name; None for one that is not a literal."""
    return [
        _literal(node.value)
        for node in parse(path).body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == constant for t in node.targets)
    ]


def _table(name: str) -> Path:
    own, built_in = Path("data") / name, BUILT_IN_DATA / name
    if own.is_file() and built_in.is_file() and own.resolve() != built_in.resolve():
        raise UserError(f"data/{name} has the name of a built-in table; rename yours")
    for table in (own, built_in):
        if table.is_file():
            return table
    raise UserError(f"data/{name} does not exist; put the table there")
