"""What a result was made from: digests of code and config, and versions.

The digest of code is of its content: the syntax trees, without docstrings, of a file and of
everything that it imports from tadpool or from its own folder. So editing a comment or docstring,
or touching a file, re-runs nothing.
"""

import ast
import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from tadpool import INSTALLED, PACKAGE, ROOT
from tadpool.errors import UserError
from tadpool.files import io

RUN = "run.json"
"""The record of a study's run, written with its page, with which a later run can be compared."""
IDENTITY = (
    *("study", "entry", "model", "hyperparameters", "outcomes", "unit", "observed_where", "by", "seed"),
    *("sampler", "simulations", "replicates", "scored_group"),
)
"""What results that belong together have in common of their specs."""
VERSIONED = ("numpyro", "jax", "jaxlib", "arviz-base", "arviz-stats", "xarray", "numpy")


def sha256(*parts: str | bytes) -> str:
    """One digest of several texts, which also depends on where each of them ends."""
    hasher = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()


def digest(code: Iterable[Path] = (), files: Iterable[Path] = ()) -> str:
    """One sha256 of code files with their import closures (by syntax tree) and of other files (by
    bytes)."""
    modules = {path for start in code for path in closure(start)}
    return sha256(
        *(part for pair in sorted((path.name, _code(path)) for path in modules) for part in pair),
        *(part for path in files for part in (path.name, path.read_bytes())),
    )


def run_digest(folder: str | Path, study: str) -> str | None:
    """sha256 of the record of a study's run in a results folder; None if there is no record that
    can be read."""
    try:
        return hashlib.sha256((Path(folder) / study / RUN).read_bytes()).hexdigest()
    except OSError:
        return None


def closure(start: Path) -> set[Path]:
    """A Python file and all files that it imports, at any depth, from the tadpool package or from
    its own folder.

    For a user's plug-in also those from the working directory, the folder above its own.
    """
    start = start.resolve()
    roots = (start.parent,) if PACKAGE in start.parents else (start.parent, start.parent.parent)
    files, waiting = set(), [start]
    while waiting:
        path = waiting.pop()
        if path not in files:
            files.add(path)
            waiting.extend(_imports(path, roots))
    return files


@cache
def _statements(path: Path) -> tuple[ast.Module, list[ast.AST]]:
    """The syntax tree of a file without docstrings, and all its statements."""
    tree = ast.parse(path.read_text(encoding="utf-8"), path.name)
    statements, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        statements.append(node)
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field, None)
            if isinstance(inner, list):
                if field == "body" and inner and _is_docstring(inner[0]):
                    del inner[0]
                waiting.extend(inner)
    return tree, statements


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def _code(path: Path) -> str:
    return sha256(ast.dump(_statements(path)[0]))


@cache
def _imports(path: Path, roots: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(
        file
        for node in _statements(path)[1]
        for level, name in _imported(node)
        if name
        for file in _files(name, (path.parents[level - 1],) if level else (path.parent, *roots))
    )


def _imported(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The number of leading dots and the name of each imported module; a name imported from a
    module may be one too."""
    if isinstance(node, ast.Import):
        yield from ((0, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.level, node.module or ""
        yield from ((node.level, f"{node.module or ''}.{alias.name}".strip(".")) for alias in node.names)


@cache
def _files(module: str, folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files of a module and, outside tadpool, of the packages around it."""
    parts = module.split(".")
    if parts[0] == "tadpool":
        folders, names = (PACKAGE.parent,), [parts]
    else:
        names = [parts[: length + 1] for length in range(len(parts))]
    stems = [folder.joinpath(*name) for folder in folders for name in names]
    candidates = [file for stem in stems for file in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py")]
    return tuple(path.resolve() for path in candidates if path.is_file())


def record(spec: dict, digest: str, data: Path | None = None) -> str:
    """The provenance attribute of a result: canonical JSON without times, host names or paths.

    Args:
        spec: What the rule uses of the config.
        digest: Digest of the code and other files that the rule uses.
        data: The data.nc that the result was made from.
    """
    return io.canonical(
        {
            "config": config_digest(spec),
            "code": digest,
            "data": sha256(Path(data).read_bytes()) if data else None,
            "seed": spec.get("seed"),
            "spec": spec,
            "versions": versions(),
            "architecture": platform.machine().lower().replace("amd64", "x86_64"),
        }
    )


def config_digest(spec: Mapping[str, Any]) -> str:
    """sha256 of what a job uses of the config."""
    return sha256(io.canonical(json.loads(io.canonical(spec))))


def require_same_data(trees: Mapping[str, Any]) -> None:
    """Raise UserError if results, path -> tree, were made from different data.nc and so cannot be
    compared."""
    digests = {path: json.loads(tree.attrs["provenance"]).get("data") for path, tree in trees.items()}
    first, *others = digests
    for path in others:
        if digests[path] != digests[first]:
            raise UserError(f"{path} and {first} were made from different data; delete both and run again")


def require_made_for(path: str | Path, record: str, spec: Mapping[str, Any], data: str | None = None) -> None:
    """Compare what a result says that it was made for with what the job that reads it expects.

    Args:
        path: The result, for the message.
        record: Its provenance.
        spec: What the reader uses of the config, as far as it is known; only keys of IDENTITY that
            both have are compared.
        data: sha256 of the data.nc that the reader goes by, if it does.

    Raises:
        UserError: The result is that of another study, entry or data.
    """
    made = json.loads(record)
    own, wanted = {**made.get("spec", {})}, json.loads(io.canonical(dict(spec)))
    if "budget" in own:  # of scores, on units or on members of a group
        own["scored_group"] = own.get("group")
    for name in IDENTITY:
        if name in own and name in wanted and own[name] != wanted[name]:
            words = name.replace("_", " ")
            found = f"made with {words} {io.canonical(own[name])}, but {io.canonical(wanted[name])} is expected here"
            raise UserError(f"{path}: {found}; it is the result of something else: delete it and run again")
    if data and made.get("data") and made["data"] != data:
        raise UserError(f"{path}: made from data other than this study's data.nc; delete it and run again")


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages on which numbers depend."""
    versions = {"python": platform.python_version(), "tadpool": own_version()}
    for package in VERSIONED:
        with suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions


def own_version() -> str:
    """The version of tadpool: of the installed wheel, or the one that a working copy will be."""
    if INSTALLED:
        return metadata.version("tadpool")
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return project["tool"]["hatch"]["version"]["raw-options"]["fallback_version"]
