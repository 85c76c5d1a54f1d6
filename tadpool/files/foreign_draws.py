"""Draws that other programs made: NetCDF of ArviZ, CSV of CmdStan, tables with one row for each
draw.

What is read has the groups posterior, with the dims chain and draw, and as far as the files hold
them sample_stats, log_likelihood, log_prior, posterior_predictive and observed_data, under ArviZ's
names.
"""

import io as text_io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.errors import UserError

STATS = {
    "accept_stat__": "acceptance_rate",
    "stepsize__": "step_size",
    "treedepth__": "tree_depth",
    "n_leapfrog__": "n_steps",
    "divergent__": "diverging",
    "energy__": "energy",
    "lp__": "lp",
}
"""Names of CmdStan, and of ArviZ."""
OTHER_NAMES = {
    "acceptance_rate": ("accept_prob", "mean_tree_accept"),
    "n_steps": ("num_steps",),
    "diverging": ("divergent",),
}
"""Names of ArviZ, and those that libraries have for the same."""
CHAIN, ITERATION, DRAW = (
    (".chain", "chain", "chain__"),
    (".iteration", "iteration", "iter__"),
    (".draw", "draw", "draw__"),
)
GROUPS = ("log_likelihood", "log_prior", "posterior_predictive", "observed_data")
ELEMENT = re.compile(r"(?P<name>[^\[]+)\[(?P<labels>.+)\]")
MAX_DEPTH = 10
"""Of CmdStan, where its comments do not say it."""


def read(paths: Sequence[str | Path]) -> list[tuple[str, xr.DataTree]]:
    """Read fits: each file is one, but CmdStan's CSV files together are the chains of one.

    Args:
        paths: The files.

    Returns:
        Name and draws of each fit.

    Raises:
        UserError: A file cannot be read, or holds no draws.
    """
    files = [Path(path) for path in paths]
    for path in files:
        if not path.is_file():
            raise UserError(f"{path} does not exist; name files with draws")
    stan = [path for path in files if path.suffix.lower() == ".csv" and _is_stan(path)]
    fits = [(_together(stan), _stan(stan))] if stan else []
    return fits + [(str(path), _file(path)) for path in files if path not in stan]


def _together(paths: Sequence[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _file(path: Path) -> xr.DataTree:
    match path.suffix.lower():
        case ".nc":
            return _netcdf(path)
        case ".csv":
            return _table(path, pd.read_csv(path))
        case ".parquet" | ".pq":
            return _table(path, _parquet(path))
    raise UserError(f"{path}: draws are read from .nc (ArviZ), .csv (CmdStan, or a table) or .parquet; convert it")


def _netcdf(path: Path) -> xr.DataTree:
    try:
        tree = xr.load_datatree(path, engine="netcdf4")
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{path} cannot be read as NetCDF ({error}); save it again") from error
    if "posterior" not in tree.children:
        found = ", ".join(tree.children) or "none"
        raise UserError(f"{path} has no group posterior, but {found}; save it with ArviZ's to_netcdf")
    posterior = tree["posterior"].to_dataset()
    lacking = [name for name, variable in posterior.data_vars.items() if not {"chain", "draw"} <= set(variable.dims)]
    if lacking or not posterior.data_vars:
        raise UserError(
            f"{path}: {lacking[0] if lacking else 'posterior'} has no dims chain and draw; save it with ArviZ"
        )
    groups = {name: tree[name].to_dataset() for name in GROUPS if name in tree.children}
    if "sample_stats" in tree.children:
        groups["sample_stats"] = _renamed(tree["sample_stats"].to_dataset())
    return xr.DataTree.from_dict({"posterior": posterior, **groups})


def _renamed(stats: xr.Dataset) -> xr.Dataset:
    for name, others in OTHER_NAMES.items():
        found = [other for other in others if other in stats and name not in stats]
        stats = stats.rename({found[0]: name}) if found else stats
    return stats


def _is_stan(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        first = next((line for line in file if line.strip()), "")
    return first.startswith(("#", "lp__,"))


def _stan(paths: Sequence[Path]) -> xr.DataTree:
    chains = [_chain(path) for path in paths]
    first = chains[0][0]
    for path, (chain, _) in zip(paths, chains, strict=True):
        if list(chain) != list(first) or len(chain) != len(first):
            raise UserError(f"{path} and {paths[0]} differ in columns or rows; name the chains of one fit")
    every = list(zip(paths, (chain for chain, _ in chains), strict=True))
    columns = {name: np.stack([_numbers(path, chain, name) for path, chain in every]) for name in first}
    stats = {STATS[name]: columns.pop(name) for name in STATS if name in columns}
    if "diverging" in stats:
        stats["diverging"] = stats["diverging"] > 0
    if "tree_depth" in stats:
        deepest = np.array([depth for _, depth in chains])[:, None]
        stats["reached_max_treedepth"] = stats["tree_depth"] >= deepest
    named = {_bracketed(name): values for name, values in columns.items() if not name.endswith("__")}
    return _tree(paths[0], named, stats)


def _chain(path: Path) -> tuple[pd.DataFrame, int]:
    """The draws of a chain without its warm-up, and its largest tree depth."""
    text = path.read_text(encoding="utf-8", errors="replace")
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    settings = dict(re.findall(r"^#\s*(\w+) = (\w+)", comments, re.MULTILINE))
    try:
        table = pd.read_csv(text_io.StringIO(text), comment="#")
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(f"{path} cannot be read as CSV of CmdStan ({error}); run the chain again") from error
    if settings.get("save_warmup", "0") in ("1", "true"):
        table = table.iloc[-(-int(settings["num_warmup"]) // int(settings.get("thin", 1))) :]
    return table, int(settings.get("max_depth", MAX_DEPTH))


def _numbers(path: Path, table: pd.DataFrame, name: str) -> np.ndarray:
    try:
        return table[name].to_numpy(float)
    except ValueError as error:
        raise UserError(f"{path}, column {name}: {error}; run the chain again, or leave the column out") from error


def _bracketed(name: str) -> str:
    """theta.1.2 as theta[1,2]; a part of a tuple, theta:1, keeps its name."""
    head, *places = name.split(".")
    return f"{head}[{','.join(places)}]" if places else head


def _parquet(path: Path) -> pd.DataFrame:
    try:
        import polars
    except ImportError as error:
        raise UserError(f"{path}: Parquet is read with the package polars, which is not installed") from error
    return pd.DataFrame(polars.read_parquet(path).to_dict(as_series=False))


def _table(path: Path, table: pd.DataFrame) -> xr.DataTree:
    """A table with one row for each draw, and a column that says of which chain."""
    chain, iteration, draw = (
        next((name for name in names if name in table), None) for names in (CHAIN, ITERATION, DRAW)
    )
    if chain is None:
        fix = "add a column .chain with the number of each row's chain"
        raise UserError(f"{path} has no column .chain, chain or chain__; {fix}")
    table = table.sort_values([name for name in (chain, iteration or draw) if name], kind="stable")
    sizes = table[chain].value_counts()
    if sizes.nunique() > 1:
        raise UserError(f"{path}: chains have {sizes.min()} to {sizes.max()} draws; give all of them as many")
    columns = {}
    for name in table.columns.difference([each for each in (chain, iteration, draw) if each], sort=False):
        columns[str(name)] = _numbers(path, table, name).reshape(len(sizes), -1)
    stats = {STATS[name]: columns.pop(name) for name in STATS if name in columns}
    named = {name: values for name, values in columns.items() if not name.endswith("__")}
    return _tree(path, named, stats)


def _tree(path: Path, columns: Mapping[str, np.ndarray], stats: Mapping[str, np.ndarray]) -> xr.DataTree:
    """Elements (chain, draw) by name, such as theta[1,2], as variables; log_lik is the log
    likelihood."""
    if not columns:
        raise UserError(f"{path} has no column of a parameter; name a file with draws")
    sites: dict[str, dict[str, np.ndarray]] = {}
    for name, values in columns.items():
        parts = ELEMENT.fullmatch(name)
        sites.setdefault(parts["name"] if parts else name, {})[parts["labels"] if parts else ""] = values
    variables = {site: _variable(site, elements) for site, elements in sites.items()}
    groups = {"posterior": xr.Dataset({name: each for name, each in variables.items() if name != "log_lik"})}
    if "log_lik" in variables:
        groups["log_likelihood"] = xr.Dataset({"log_lik": variables["log_lik"]})
    if stats:
        groups["sample_stats"] = xr.Dataset({name: (("chain", "draw"), values) for name, values in stats.items()})
    return xr.DataTree.from_dict(groups)


def _variable(site: str, elements: Mapping[str, np.ndarray]) -> xr.DataArray:
    labels: Iterable[str] = elements
    values = np.stack([*elements.values()], axis=-1)
    if list(labels) == [""]:
        return xr.DataArray(values[..., 0], dims=("chain", "draw"))
    dim = f"{site}_element"
    return xr.DataArray(values, dims=("chain", "draw", dim), coords={dim: [*elements]})
