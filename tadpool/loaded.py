"""Results in Python and notebooks: `tadpool.load("results")`.

Studies are attributes and items of what is loaded, entries those of a study. Results are read when
they are asked for, checked against their contracts, and are ArviZ's DataTrees, xarray's Datasets
and pandas' DataFrames.
"""

import html
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from tadpool.convergence import sentences
from tadpool.errors import UserError, did_you_mean
from tadpool.files import contracts, draws_tables, io
from tadpool.files.data_file import merged

NOT_ENTRIES = ("sweeps", "comparisons", "calibration", "recovery", "figures", "logs", "benchmarks")
STATISTICS = ("mean", "sd", "eti89_low", "median", "eti89_high", "rhat", "ess_bulk", "ess_tail", "mcse_mean")


class _Named(Mapping):
    """Results by name: items, attributes, and what the Tab key offers."""

    _what = "result"

    @abstractmethod
    def _names(self) -> list[str]:
        """The names of what there is."""

    @abstractmethod
    def _get(self, name: str) -> Any:
        """What has a name."""

    def __getitem__(self, name: str) -> Any:
        if name not in self._names():
            known = self._names()
            hint = did_you_mean(name, known) or f"; there are {', '.join(known) or 'none'}"
            raise KeyError(f"no {self._what} is named {name!r} in {self.folder}{hint}")
        return self._get(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._names():
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return self._get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._names() if name.isidentifier())]

    def _ipython_key_completions_(self) -> list[str]:
        return self._names()


class Fit:
    """An entry of a study.

    Attributes:
        folder: Where its results are.
        name: Of the entry.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name

    @cached_property
    def check(self) -> dict[str, Any]:
        """The verdict with its reasons and numbers, as in check.json."""
        return io.read_json(self.folder / "check.json")

    @property
    def verdict(self) -> str:
        """pass, warn or fail."""
        return self.check["verdict"]

    @property
    def reasons(self) -> list[str]:
        """Why it is not pass, as sentences."""
        return [sentences.sentence(each) for each in self.check["reasons"]]

    @cached_property
    def tree(self) -> xr.DataTree:
        """All groups of fit.nc, for ArviZ's functions."""
        return io.read(self.folder / "fit.nc", contracts.FIT)

    @property
    def posterior(self) -> xr.Dataset:
        """Draws of the parameters, dims (chain, draw) and those of each parameter."""
        return self._group("posterior")

    @property
    def log_likelihood(self) -> xr.Dataset:
        """Log likelihood of each unit, dims (chain, draw, unit)."""
        return self._group("log_likelihood")

    @property
    def posterior_predictive(self) -> xr.Dataset:
        """Simulated outcomes, dims (chain, draw) and the dims of the outcome."""
        return self._group("posterior_predictive")

    @property
    def prior(self) -> xr.DataTree:
        """Draws from the prior and the prior predictive distribution."""
        return io.read(self.folder / "prior.nc", contracts.PRIOR)

    @property
    def predictions(self) -> xr.DataTree:
        """Predictions for new members or rows."""
        return io.read(self.folder / "predictions.nc", contracts.PREDICTIONS)

    @property
    def sensitivity(self) -> pd.DataFrame:
        """Sensitivity of each parameter to its prior and to the data, by power-scaling."""
        return io.read(self.folder / "sensitivity.nc", contracts.SENSITIVITY)["sensitivity"].to_dataset().to_dataframe()

    @property
    def summary(self) -> pd.DataFrame:
        """Mean, sd, 89 % interval, R-hat, effective sample sizes and MCSE of each parameter, from
        all draws."""
        rows = pd.DataFrame(self.check["parameters"])
        return rows.set_index("parameter")[[name for name in STATISTICS if name in rows]] if len(rows) else rows

    def scores(self, group: str | None = None) -> pd.DataFrame:
        """The score (elpd) of each unit or, held out together, of each member of a group.

        Args:
            group: None for units.

        Returns:
            One row for each unit or member: elpd, mcse, pareto_k, method and the like.

        Raises:
            UserError: The study has no such scores.
        """
        path = self.folder / ("loo.nc" if group is None else f"logo_{group}.nc")
        if not path.is_file():
            there = [each.stem.removeprefix("logo_") for each in sorted(self.folder.glob("logo_*.nc"))]
            raise UserError(f"{path} does not exist; groups with scores: {', '.join(there) or 'none'}")
        tree = io.read(path, contracts.LOO)
        found = tree["loo"].to_dataset()
        kept = [name for name in found.data_vars if found[name].ndim == 1]
        return found[kept].to_dataframe()

    def draws(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Draws as a table in the layout of R's package posterior.

        Args:
            names: Parameters; by default all.

        Returns:
            One row for each draw: elements such as `alpha[north]`, then .chain, .iteration and
                .draw.
        """
        return draws_tables.table(self.posterior, names)

    def write_draws(self, path: str | Path, names: Sequence[str] | None = None) -> Path:
        """Write `draws` as .csv or .parquet.

        Args:
            path: The file.
            names: Parameters; by default all.

        Returns:
            The file.
        """
        return draws_tables.write(path, self.draws(names))

    def _group(self, name: str) -> xr.Dataset:
        if name not in self.tree.children:
            status = self.tree.attrs.get("reason") or "it was not stored"
            raise UserError(f"{self.folder / 'fit.nc'} has no {name}: {status}")
        return self.tree[name].to_dataset()

    def __repr__(self) -> str:
        return f"Fit {self.folder}: {self.verdict}"

    def _repr_html_(self) -> str:
        why = "".join(f"<li>{html.escape(reason)}</li>" for reason in self.reasons[:5])
        return f"<p><b>{_text(self.name)}</b>: {_text(self.verdict)}</p><ul>{why}</ul>{_table(self.summary.head(20))}"


class Study(_Named):
    """A study: its entries by name, its data, comparisons and sweeps.

    Attributes:
        folder: Where its results are.
        name: Of the study.
    """

    _what = "entry"

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name

    def _names(self) -> list[str]:
        """Those that the study had when its page was made: results of entries that were removed
        from a study stay in the folder."""
        found = [path.parent.name for path in sorted(self.folder.glob("*/check.json"))]
        known = self.config["models"] if (self.folder / "run.json").is_file() else found
        return [name for name in found if name not in NOT_ENTRIES and name in known]

    def _get(self, name: str) -> Fit:
        return Fit(self.folder / name)

    @property
    def config(self) -> dict[str, Any]:
        """The study with all defaults, as it was run."""
        return io.read_json(self.folder / "run.json")["config"]

    @property
    def data(self) -> xr.Dataset:
        """Outcomes and all other variables of the dataset."""
        return merged(io.read(self.folder / "data.nc", contracts.DATA))

    @property
    def truth(self) -> xr.Dataset | None:
        """The true values of simulated data; None for observed data."""
        tree = io.read(self.folder / "data.nc", contracts.DATA)
        return tree["truth"].to_dataset() if "truth" in tree.children else None

    @property
    def answers(self) -> pd.DataFrame:
        """The quantities that answer the question, a row for each quantity and model: value,
        interval, probabilities, ranks, decision."""
        return io.read(self.folder / "answers.nc", contracts.ANSWERS)["answers"].to_dataset().to_dataframe()

    def answer_draws(self, name: str) -> xr.DataArray:
        """Draws of an answer by its own model, dims (chain, draw, quantity).

        Raises:
            KeyError: The study has no such answer, or it is not known.
        """
        return io.read(self.folder / "answers.nc", contracts.ANSWERS)[name]["value"]

    @property
    def comparisons(self) -> dict[str, pd.DataFrame]:
        """Name -> the ranking of entries, best first."""
        return {path.stem: io.read_csv(path) for path in sorted(self.folder.glob("comparisons/*.csv"))}

    @property
    def sweeps(self) -> dict[str, xr.DataTree]:
        """Name -> the posteriors at the points of a sweep."""
        paths = sorted(self.folder.glob("sweeps/*/fit.nc"))
        return {path.parent.name: io.read(path, contracts.SWEEP) for path in paths}

    @property
    def figures(self) -> dict[str, Path]:
        """Name -> its SVG file; the numbers in it are in the CSV file of the same name."""
        return {path.stem: path for path in sorted(self.folder.glob("figures/*.svg"))}

    @property
    def verdicts(self) -> pd.DataFrame:
        """One row for each entry: verdict, divergences, the worst R-hat and effective sample
        sizes."""
        columns = ("diverging", "rhat_max", "ess_bulk_min", "ess_tail_min")
        rows = {
            name: {"verdict": fit.verdict, **_some(fit.check["diagnostics"], columns)} for name, fit in self.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def __repr__(self) -> str:
        return f"Study {self.folder}: {', '.join(f'{name} ({fit.verdict})' for name, fit in self.items())}"

    def _repr_html_(self) -> str:
        ranked = "".join(f"<p>{_text(name)}</p>{_table(table)}" for name, table in self.comparisons.items())
        return f"<p><b>{_text(self.name)}</b></p>{_table(self.verdicts)}{ranked}"


class Results(_Named):
    """The results of a run: its studies by name.

    Attributes:
        folder: The results folder.
    """

    _what = "study"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _names(self) -> list[str]:
        return [path.parent.name for path in sorted(self.folder.glob("*/data.nc"))]

    def _get(self, name: str) -> Study:
        return Study(self.folder / name)

    def __repr__(self) -> str:
        return "\n".join([f"Results {self.folder}", *(f"  {study!r}" for study in self.values())])

    def _repr_html_(self) -> str:
        tables = [study.verdicts.assign(study=name) for name, study in self.items()]
        together = pd.concat(tables).reset_index(names="entry") if tables else pd.DataFrame()
        return _table(together.set_index(["study", "entry"]) if tables else together)


def load(folder: str | Path = "results") -> Results:
    """The results in a folder. Raises UserError where there are none."""
    folder = Path(folder)
    results = Results(folder)
    if not len(results):
        raise UserError(f"{folder} has no results of a study; give the folder `results` of a run")
    return results


def _some(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _text(text: str) -> str:
    return html.escape(text)


def _table(table: pd.DataFrame) -> str:
    return table.to_html(float_format=_short, border=0)


_short: Callable[[float], str] = "{:.4g}".format
