"""Plug-ins: a file in `datasets/` or `models/` is a dataset or a model; its name is the file's.

Files are found in the package and, beside it, in the working directory. What the Snakefile needs to know of a
plug-in (its hyperparameters, its tables) is read from the syntax tree: a dry run imports neither it nor NumPyro.
"""

import ast
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tadpool import ROOT
from tadpool.errors import UserError, describe_error, did_you_mean, with_line
from tadpool.files import plugin_imports

PACKAGE = ROOT / "tadpool"
BUILT_IN_DATA = ROOT / "data"
REQUIRED = object()


@dataclass(frozen=True)
class Signature:
    """A model's arguments as written.

    variables: positional arguments without a default (dataset variables, and sizes named `n_<dim>`).
    outcomes: positional arguments whose default is None (observed sites).
    hyperparameters: keyword-only arguments with their defaults.
    designed: whether it is a rung of the pooling ladder, whose one positional argument is a design
        (`tadpool.modelling.design`).
    """

    variables: tuple[str, ...]
    outcomes: tuple[str, ...]
    hyperparameters: dict[str, float | int | bool | str]
    designed: bool = False


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
    """Import a plug-in from its file, once. Raises UserError where its import fails."""
    file = Path(path)
    where = f"{file.parent.name}/{file.name}"
    spec = importlib.util.spec_from_file_location(f"tadpool_plugin_{file.parent.name}.{file.stem}", path)
    module = importlib.util.module_from_spec(spec)
    if PACKAGE not in file.parents:
        plugin_imports.prepare(where, file, spec.parent)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        fix = "install what it needs, or correct the file" if isinstance(error, ImportError) else "correct the file"
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
        raise UserError(f"{path.name} cannot be read as Python: {error}") from error


def _function(path: Path, name: str) -> ast.FunctionDef:
    for node in parse(path).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    raise UserError(f"{path.name} has no function {name}(...); add it")


def has_function(path: Path, name: str) -> bool:
    """Whether a plug-in defines a function of that name."""
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in parse(path).body)


def defaults(path: Path, function: str) -> dict[str, Any]:
    """Arguments of a function with their defaults: REQUIRED for those without, None for those that are no literal.

    `**options` stands under its name with the stars.
    """
    arguments = _function(path, function).args
    positional = arguments.posonlyargs + arguments.args
    nodes = [*[REQUIRED] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
    nodes += [REQUIRED if node is None else node for node in arguments.kw_defaults]
    names = [argument.arg for argument in positional + arguments.kwonlyargs]
    found = {name: _literal(node) for name, node in zip(names, nodes, strict=True)}
    return found | ({f"**{arguments.kwarg.arg}": None} if arguments.kwarg else {})


def _literal(node: Any) -> Any:
    try:
        return node if node is REQUIRED else ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def signature(path: Path, function: str = "model") -> Signature:
    """Read a model's arguments. Raises UserError for one that says not what it is: data, an outcome or a hyperparameter."""
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
            raise UserError(f"{path.name}: hyperparameter {name} needs a number, true/false or a string as default")
    return Signature(tuple(name for name in positional if name not in outcomes), outcomes, hyperparameters, designed)


def _check_arguments(path: Path, function: str, outcomes: tuple[str, ...]) -> None:
    """Raise UserError for arguments that are neither data nor an outcome nor a hyperparameter, and where no outcome is."""
    node = _function(path, function)
    arguments, where = node.args, f"{path.name}, line {node.lineno}"
    for stars, extra in (("*", arguments.vararg), ("**", arguments.kwarg)):
        if extra:
            fix = "name each column that it needs as an argument"
            raise UserError(f"{where}: {function}() takes {stars}{extra.arg}; {fix}")
    if arguments.posonlyargs:
        names = ", ".join(argument.arg for argument in arguments.posonlyargs)
        raise UserError(f"{where}: {function}() takes {names} by position alone; remove the / from its arguments")
    positional = [argument.arg for argument in arguments.args]
    for name, node in zip(reversed(positional), reversed(arguments.defaults), strict=False):
        if not (isinstance(node, ast.Constant) and node.value is None):
            rule = "an outcome has None, data have no default, and a hyperparameter stands after a *"
            raise UserError(f"{where}: the argument {name} has the default {ast.unparse(node)}; {rule}")
    if not outcomes:
        fix = "write y=None for an outcome y"
        raise UserError(f"{where}: no argument has the default None, so that nothing is observed; {fix}")


def sites(path: Path) -> list[str] | None:
    """Names of the sites that a model samples or computes; None where they cannot be read from its source alone."""
    names, imports = [], False
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) in ("sample", "deterministic"):
            names.append(node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None)
        elif isinstance(node, ast.ImportFrom):
            imports |= (node.module or "").split(".")[0] not in ("numpyro", "jax")
    return None if imports or None in names else [str(name) for name in names]


def figures() -> dict[str, Path]:
    """Kinds of figures: name -> file."""
    found = {path.stem: path for path in sorted((PACKAGE / "figures").glob("*.py")) if not path.stem.startswith("_")}
    return {name: path for name, path in found.items() if has_function(path, "draw")}


def tables(dataset: str) -> dict[str, Path]:
    """The tables that a dataset reads: its `TABLES`, from `data/` of the working directory or of the package.

    Raises UserError for a table that is missing, or that has the name of a built-in one.
    """
    path = find("datasets", dataset)
    wanted = _names(path, "TABLES")
    if wanted is None:
        raise UserError(f"{path.name}: TABLES needs names of files in data/; write for example TABLES = ('mine.csv',)")
    return {table: _table(table) for table in wanted}


def reparametrizable(path: Path) -> tuple[str, ...]:
    """The sites that a model names in `REPARAMETRIZE`, which may be sampled as distances from their mean.

    Raises UserError where it is no list of names, or names a site that the model's source has not.
    """
    named, known = _names(path, "REPARAMETRIZE"), sites(path)
    if named is None:
        raise UserError(
            f"{path.name}: REPARAMETRIZE needs names of sites; write for example REPARAMETRIZE = ('theta',)"
        )
    for name in named:
        if known is not None and name not in known:
            raise UserError(f"{path.name}: REPARAMETRIZE names {name!r}, which is no site{did_you_mean(name, known)}")
    return named


def _names(path: Path, constant: str) -> tuple[str, ...] | None:
    """The texts that a constant of a plug-in holds: none where it is not there, None where it is something else."""
    values = _assigned(path, constant)
    found = values[0] if values else ()
    return tuple(found) if isinstance(found, (tuple, list)) and all(isinstance(name, str) for name in found) else None


def _assigned(path: Path, constant: str) -> list[Any]:
    """What a plug-in assigns to a name, None where it is no literal."""
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
