"""The results of one study, read from their files when they are asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from tadpool.files import checksums, contracts, io
from tadpool.files.data_file import merged


@dataclass(frozen=True)
class StudyResults:
    """One study's results. config: the validated study as a plain mapping. folder: results/{study}."""

    study: str
    config: Mapping[str, Any]
    folder: Path
    _trees: dict[str, xr.DataTree] = field(default_factory=dict, repr=False, compare=False)

    @property
    def entries(self) -> list[str]:
        return list(self.config["models"])

    def label(self, entry: str) -> str:
        """The entry's name in figures and tables."""
        return self.config["models"][entry]["label"] or entry.replace("_", " ")

    @property
    def keeps_draws(self) -> bool:
        """Whether the files of fits and sweeps stay when all that is made of them is there."""
        return (self.config.get("storage") or {}).get("keep") != "summaries"

    @cached_property
    def data(self) -> xr.Dataset:
        """Outcomes and all other variables of the dataset."""
        return merged(self._read("data.nc", contracts.DATA))

    @property
    def table(self) -> dict[str, Any] | None:
        """How the study's described table was read (`loading.described_table`); None where a dataset file gave the data."""
        how = self._read("data.nc", contracts.DATA).attrs.get("table")
        return json.loads(how) if how else None

    @cached_property
    def truth(self) -> xr.Dataset | None:
        """The values that the data were simulated with, by site; None where the data are observed."""
        tree = self._read("data.nc", contracts.DATA)
        return tree["truth"].to_dataset() if "truth" in tree.children else None

    def prior(self, entry: str) -> xr.DataTree:
        return self._read(f"{entry}/prior.nc", contracts.PRIOR)

    def fit(self, entry: str) -> xr.DataTree:
        return self._read(f"{entry}/fit.nc", contracts.FIT)

    def loo(self, entry: str, target: str = "unit") -> xr.DataTree:
        """Scores of the entry on units, or on members of the group `target`."""
        whole = target in ("unit", self.config["unit"])
        return self._read(f"{entry}/{'loo' if whole else f'logo_{target}'}.nc", contracts.LOO)

    @property
    def groups_left_out(self) -> list[str]:
        """Groups that a comparison has as its target, other than the unit itself."""
        targets = dict.fromkeys(comparison["target"] for comparison in self.config["comparisons"].values())
        return [target for target in targets if target not in ("unit", self.config["unit"])]

    def loo_of_group(self, entry: str, group: str) -> xr.DataTree | None:
        """Scores of the entry on members of the group; None where no comparison asks for them."""
        asked = [each["entries"] for each in self.config["comparisons"].values() if each["target"] == group]
        return self.loo(entry, group) if any(entry in entries for entries in asked) else None

    def sensitivity(self, entry: str) -> xr.DataTree:
        return self._read(f"{entry}/sensitivity.nc", contracts.SENSITIVITY)

    def check(self, entry: str) -> dict:
        return io.read_json(self.folder / entry / "check.json")

    def predictions(self, entry: str) -> xr.DataTree:
        return self._read(f"{entry}/predictions.nc", contracts.PREDICTIONS)

    def sweep_fit(self, sweep: str) -> xr.DataTree:
        return self._read(f"sweeps/{sweep}/fit.nc", contracts.SWEEP)

    def sweep_loo(self, sweep: str) -> xr.DataTree:
        return self._read(f"sweeps/{sweep}/loo.nc", contracts.LOO)

    def sweep_check(self, sweep: str) -> dict:
        return io.read_json(self.folder / "sweeps" / sweep / "check.json")

    def comparison(self, name: str) -> pd.DataFrame:
        path = self.folder / "comparisons" / f"{name}.csv"
        checksums.require_intact(path)
        return pd.read_csv(path)

    def calibration(self, name: str) -> xr.DataTree:
        return self._read(f"calibration/{name}.nc", contracts.CALIBRATION)

    def recovery(self, name: str, entry: str) -> xr.DataTree:
        return self._read(f"recovery/{name}/{entry}.nc", contracts.RECOVERY)

    def usable(self, entry: str) -> bool:
        """Whether the entry's fit has numbers at all (its verdict may still be fail)."""
        return self.fit(entry).attrs["status"] == "ok"

    def _read(self, name: str, contract: contracts.Contract) -> xr.DataTree:
        if name not in self._trees:
            self._trees[name] = io.read(self.folder / name, contract)
        return self._trees[name]
