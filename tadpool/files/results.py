"""The results of one study, read from their files on demand."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.errors import UserError
from tadpool.files import checksums, contracts, failures, io, provenance
from tadpool.files.data_file import merged

DRAWN_FROM = "drawn_from.json"
"""Beside figures: which results they are of."""


@dataclass(frozen=True)
class StudyResults:
    """The results of one study.

    Attributes:
        study: Its name.
        config: The validated study as a plain mapping.
        folder: Its folder, results/{study}.
        seed: Of the run; None where it is not compared with the seed of results.
        samplers: Entry -> the sampler settings of its fit, where these are compared.
        made_with: NetCDF result in the folder -> what its provenance has to say of it (`config`,
            `code`), where this is compared.
    """

    study: str
    config: Mapping[str, Any]
    folder: Path
    seed: int | None = None
    samplers: Mapping[str, Any] = field(default_factory=dict)
    made_with: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    _trees: dict[str, xr.DataTree] = field(default_factory=dict, repr=False, compare=False)

    @property
    def entries(self) -> list[str]:
        """The names of the entries."""
        return list(self.config["models"])

    def label(self, entry: str) -> str:
        """The entry's name in figures and tables, on one line."""
        return " ".join((self.config["models"][entry]["label"] or entry.replace("_", " ")).split())

    def named(self, parameter: str) -> str:
        """A parameter in tables and figures: `site` or `site[label]`, behind the study's words for
        it where there are some."""
        labels = self.config.get("labels", {})
        words = labels.get(parameter, labels.get(parameter.partition("[")[0]))
        return f"{words} ({parameter})" if words else parameter

    @property
    def keeps_draws(self) -> bool:
        """Whether the files of fits and sweeps are kept once all results that need them are
        done."""
        return (self.config.get("storage") or {}).get("keep") != "summaries"

    @cached_property
    def data(self) -> xr.Dataset:
        """Outcomes and all other variables of the dataset."""
        return merged(self._read("data.nc", contracts.DATA))

    @property
    def table(self) -> dict[str, Any] | None:
        """How the study's described table was read (`loading.described_table`); None for a dataset
        file."""
        how = self.data_attributes.get("table")
        return json.loads(how) if how else None

    @property
    def data_attributes(self) -> dict[str, Any]:
        """The attributes of data.nc."""
        return self._read("data.nc", contracts.DATA).attrs

    @cached_property
    def truth(self) -> xr.Dataset | None:
        """The true values of simulated data, by site; None for observed data."""
        tree = self._read("data.nc", contracts.DATA)
        return tree["truth"].to_dataset() if "truth" in tree.children else None

    def prior(self, entry: str) -> xr.DataTree:
        """Draws from the entry's prior and prior predictive distribution."""
        return self._read(f"{entry}/prior.nc", contracts.PRIOR)

    def fit(self, entry: str) -> xr.DataTree:
        """The entry's posterior."""
        return self._read(f"{entry}/fit.nc", contracts.FIT)

    def loo(self, entry: str, target: str = "unit") -> xr.DataTree:
        """Scores of the entry on units, or on members of the group `target`."""
        of_units = target in ("unit", self.config["unit"])
        return self._read(f"{entry}/{'loo' if of_units else f'logo_{target}'}.nc", contracts.LOO)

    @property
    def groups_left_out(self) -> list[str]:
        """Groups other than the unit that are the target of a comparison."""
        targets = dict.fromkeys(comparison["target"] for comparison in self.config["comparisons"].values())
        return [target for target in targets if target not in ("unit", self.config["unit"])]

    def loo_of_group(self, entry: str, group: str) -> xr.DataTree | None:
        """Scores of the entry on members of the group; None if no comparison needs them."""
        compared = [each["entries"] for each in self.config["comparisons"].values() if each["target"] == group]
        return self.loo(entry, group) if any(entry in entries for entries in compared) else None

    def sensitivity(self, entry: str) -> xr.DataTree:
        """Power-scaling sensitivity of the entry's parameters."""
        return self._read(f"{entry}/sensitivity.nc", contracts.SENSITIVITY)

    def check(self, entry: str) -> dict:
        """The entry's verdict, with the numbers that it is made of."""
        return self._judged(entry)

    def predictions(self, entry: str) -> xr.DataTree:
        """The entry's predictions."""
        return self._read(f"{entry}/predictions.nc", contracts.PREDICTIONS)

    def answers(self) -> xr.DataTree:
        """The answers to the study's question, with their draws."""
        return self._read("answers.nc", contracts.ANSWERS)

    def sweep_fit(self, sweep: str) -> xr.DataTree:
        """The posteriors of a sweep."""
        return self._read(f"sweeps/{sweep}/fit.nc", contracts.SWEEP)

    def sweep_loo(self, sweep: str) -> xr.DataTree:
        """The scores of a sweep."""
        return self._read(f"sweeps/{sweep}/loo.nc", contracts.LOO)

    def sweep_check(self, sweep: str) -> dict:
        """The verdicts of a sweep."""
        return self._judged(f"sweeps/{sweep}")

    def comparison(self, name: str) -> pd.DataFrame:
        """The ranking of a comparison, best entry first."""
        return io.read_csv(self.folder / "comparisons" / f"{name}.csv")

    def _require_own_ranking(self, name: str) -> None:
        """Raise UserError where a ranking is not of the comparison's entries and their scores."""
        path, chosen = self.folder / "comparisons" / f"{name}.csv", self.config["comparisons"][name]
        table = io.read_csv(path)
        own = set(table["model"]) == set(chosen["entries"]) and set(table["target"]) <= {chosen["target"]}
        if not own or not all(self._scored(row, chosen["target"]) for row in table.to_dict("records")):
            what = "its entries, target or scores are not those of this study"
            raise UserError(f"{path}: {what}; it is the result of something else: delete it and run again")

    def _scored(self, row: Mapping[str, Any], target: str) -> bool:
        """Whether a row of a ranking has the score of its entry, or none."""
        if pd.isna(row["elpd"]):
            return True
        tree = self.loo(row["model"], target)
        return "loo" in tree.children and np.isclose(row["elpd"], tree["loo"]["total_elpd"].item(), rtol=1e-9, atol=0)

    def drawn_from(self) -> dict[str, str]:
        """What figures are made of: the study, and digests of its data and fits."""
        paths = [
            checksums.checksum_path(self.folder / name) for name in ("data.nc", *map("{}/fit.nc".format, self.entries))
        ]
        return {
            "study": self.study,
            **{path.parent.name + path.name: path.read_text() for path in paths if path.is_file()},
        }

    def require_own(self) -> None:
        """Raise UserError that names every result that was made for something else."""
        checks = [partial(self._require_own_file, name) for name in self.made_with]
        checks += [partial(self._require_own_ranking, name) for name in self.config["comparisons"]]
        problems = []
        for check in [*checks, self._require_own_figures]:
            try:
                with suppress(OSError):  # not there, or damaged: reading it says so
                    check()
            except UserError as error:
                problems.append(str(error))
        if problems:
            raise UserError("\n".join(dict.fromkeys(problems)))

    def _require_own_file(self, name: str) -> None:
        self._require_own(name, io.made_from(self.folder / name))

    def _require_own_figures(self) -> None:
        record = self.folder / "figures" / DRAWN_FROM
        if record.is_file() and io.read_json(record) != self.drawn_from():
            raise UserError(f"{record.parent}: drawn from other results; delete it and run again")

    def calibration(self, name: str) -> xr.DataTree:
        """The results of a calibration."""
        return self._read(f"calibration/{name}.nc", contracts.CALIBRATION)

    def recovery(self, name: str, entry: str) -> xr.DataTree:
        """The results of an entry in a recovery study."""
        return self._read(f"recovery/{name}/{entry}.nc", contracts.RECOVERY)

    def may_have_failed(self) -> list[Path]:
        """What there is beside the fits and their checks, and says so where its job failed."""
        config = self.config
        sweeps, named = (
            [f"sweeps/{sweep}" for sweep in config["sweeps"]],
            ("prior", "loo", "sensitivity", "predictions"),
        )
        names = [f"{entry}/{name}.nc" for entry in self.entries for name in named]
        names += [f"{entry}/logo_{group}.nc" for entry in self.entries for group in self.groups_left_out]
        names += [f"{sweep}/{name}" for sweep in sweeps for name in ("check.json", "loo.nc")]
        names += [f"comparisons/{name}.csv" for name in config["comparisons"]]
        names += ["answers.nc"] if config.get("answers") else []
        names += [f"calibration/{name}.nc" for name in config["calibration"]]
        names += [
            f"recovery/{name}/{entry}.nc" for name, chosen in config["recovery"].items() for entry in chosen["entries"]
        ]
        return [self.folder / name for name in [*names, "figures"]]

    def failures(self) -> dict[str, str]:
        """What is missing because its own job failed, beside the fits: path -> what and why."""
        judged = [*self.entries, *(f"sweeps/{sweep}" for sweep in self.config["sweeps"])]
        failed = [self.folder / name for name in judged if self.check(name)["verdict"] == "fail"]
        return failures.independent(self.may_have_failed(), failed)

    def usable(self, entry: str) -> bool:
        """Whether the entry's fit produced numbers (its verdict may still be fail)."""
        return self.fit(entry).attrs["status"] == "ok"

    def _read(self, name: str, contract: contracts.Contract) -> xr.DataTree:
        if name not in self._trees:
            tree = io.read(self.folder / name, contract)
            self._require_own(name, tree.attrs["provenance"])
            self._trees[name] = tree
        return self._trees[name]

    def _judged(self, place: str) -> dict:
        report = io.read_json(self.folder / place / "check.json")
        self._require_own(f"{place}/check.json", report.get("provenance", "{}"))
        return report

    def _require_own(self, name: str, record: str) -> None:
        """Raise UserError where a result is not of this study, its entry and its data."""
        place = name.rpartition("/")[0]
        file = name.rpartition("/")[2].removesuffix(".nc")
        expected = {"study": self.study, "outcomes": self.config["outcomes"], "unit": self.config["unit"]}
        if place in self.config["models"]:
            expected |= {"entry": place, "hyperparameters": self.config["models"][place]["hyperparameters"]}
            expected |= {"sampler": self.samplers[place]} if place in self.samplers else {}
        elif place.startswith("sweeps/"):
            expected |= {"entry": place}
        elif place == "calibration":
            expected |= _chosen(self.config["calibration"][file], "entry", "simulations")
        elif place.startswith("recovery/"):
            expected |= {"entry": file} | _chosen(self.config["recovery"][place.split("/")[1]], "replicates")
        if file == "loo" or file.startswith("logo_"):
            expected |= {"scored_group": file.removeprefix("logo_") if file != "loo" else None}
        expected |= {"seed": self.seed} if self.seed is not None else {}
        provenance.require_made_for(self.folder / name, record, expected, self._data_digest)
        made, own = json.loads(record), self.made_with.get(name.replace("check.json", "fit.nc"), {})
        for key, what in {"config": "another config than that of this run", "code": "other tables or code"}.items():
            if key in made and key in own and made[key] != own[key]:
                raise UserError(f"{self.folder / name}: made with {what}; delete it and run again")

    @cached_property
    def _data_digest(self) -> str | None:
        path = self.folder / "data.nc"
        return provenance.sha256(path.read_bytes()) if path.is_file() else None


def _chosen(keys: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: keys[name] for name in names if name in keys}
