"""The main fit of an entry, and what it takes to refit its model without some rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from tadpool import sweep_axes
from tadpool.engine import compile_cache, lanes, progress
from tadpool.evaluation import refits
from tadpool.evaluation.folds import Fold
from tadpool.files.data_file import merged
from tadpool.fitting import sampling
from tadpool.fitting.job import Job
from tadpool.modelling import batched_fits, binding
from tadpool.modelling.entry import Entry

BLOCK_BYTES = 64e6


@dataclass(frozen=True)
class MainFit:
    """A main fit as its file has it.

    tree: the file. job: of the refits; it reads `data`. entry: what was fitted. over: what varies, if it was a sweep.
    """

    tree: xr.DataTree
    job: Job
    entry: Entry
    over: sweep_axes.Over | None = None

    @cached_property
    def posterior(self) -> xr.Dataset:
        return self.tree["posterior"].to_dataset()

    @cached_property
    def dataset(self) -> xr.Dataset:
        return merged(self.tree)

    @cached_property
    def attempts(self) -> list[dict[str, Any]]:
        """Every sampling of the fit; its file holds the draws of the last one."""
        return json.loads(self.tree.attrs["attempts"])

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Sampler settings of the refits."""
        return refits.sampler_settings(self.attempts)

    @cached_property
    def opened(self) -> tuple:
        """The model bound to its data, and the points of a sweep or of separate fits."""
        settings = self.attempts[-1]["settings"]
        lanes.start(self.job.threads, settings["precision"], settings.get("platform", "cpu"))
        _, bound = binding.open_bound(self.job.data, self.entry)
        if self.over:
            differ = any(self.dim in variable.dims for variable in self.dataset.data_vars.values())
            data = [self.data_at(point) for point in self.points] if differ else []
            return batched_fits.sweep_points(bound, self.over, self.labels, data)
        by = self.entry.by
        return batched_fits.group_points(bound, by, self.entry.unit) if by else (bound, None)

    @property
    def dim(self) -> str | None:
        """The dim of a sweep's points."""
        return sweep_axes.dim(self.over) if self.over else None

    @property
    def labels(self) -> list:
        """What varies at each point of a sweep: a number, or one for each name."""
        columns = np.stack([self.posterior[axis].values for axis in sweep_axes.axes(self.over)], axis=-1)
        return (columns[:, 0] if isinstance(self.over, str) else columns).tolist()

    @property
    def points(self) -> list[dict[str, int]]:
        """How each point of a sweep is selected; one empty selection without a sweep."""
        return [{self.dim: i} for i in range(self.posterior.sizes[self.dim])] if self.over else [{}]

    def data_at(self, point: Mapping[str, int]) -> xr.Dataset:
        """The data at a point of a sweep; they differ where the sweep goes over the simulator's arguments."""
        return self.dataset.isel(point, missing_dims="ignore").drop_vars(
            sweep_axes.axes(self.over or []), errors="ignore"
        )

    def settings_at(self, point: Mapping[str, int]) -> dict[str, Any]:
        """Sampler settings of the refits at a point; a swept length of the warm-up does not concern them."""
        changes = sweep_axes.values(self.over, self.labels[point[self.dim]], sweep_axes.SAMPLER) if point else {}
        return {**self.settings, **changes, "warmup": self.settings["warmup"]}

    @property
    def draws(self) -> int:
        return self.posterior.sizes["chain"] * self.posterior.sizes["draw"]

    def alone(self, point: Mapping[str, int]) -> np.ndarray:
        """Whether each unit is all the data of a member of a group: then its own ratios cannot tell what that would be."""
        unit, groups = self.entry.unit, self.entry.groups
        alone = np.full(self.dataset.sizes[unit], unit in groups)
        for group in groups:
            if group != unit:
                index = self.data_at(point)[f"{group}_index"].values
                alone |= np.bincount(index)[index] == 1
        return alone

    def separate(self, rows: np.ndarray) -> np.ndarray:
        """Number of the separate fit that each row is part of; 0 where there is one fit."""
        by = self.entry.by
        return self.dataset[f"{by}_index"].values[rows] if by else np.zeros(len(rows), int)

    def log_likelihood(self, point: Mapping[str, int]) -> Iterator[xr.DataArray]:
        """Blocks (chain, draw, unit) of the units, stored or, where they were too many, computed again."""
        outcomes, unit = self.entry.outcomes, self.entry.unit
        if "log_likelihood" not in self.tree.children:
            bound, _ = self.opened
            bound = bound.rebind(self.data_at(point)) if point else bound
            yield from sampling.log_likelihood_blocks(bound, self.posterior.isel(point), outcomes, unit, BLOCK_BYTES)
            return
        (stored,) = self.tree["log_likelihood"].data_vars.values()
        step = max(1, int(BLOCK_BYTES / (8 * self.draws)))
        for first in range(0, stored.sizes[unit], step):
            yield stored.isel(point).isel({unit: slice(first, first + step)})

    def cost(self, point: Mapping[str, int]) -> float:
        """Cost of one refit: leapfrog steps x rows, with as many steps as the main fit took on average."""
        steps = float(self.tree["sample_stats"]["n_steps"].isel(point).mean())
        settings = self.settings_at(point)
        rows = self.dataset.sizes[self.entry.unit]
        if self.entry.by:
            rows = int(np.bincount(self.dataset[f"{self.entry.by}_index"].values).max())
        return settings["chains"] * (settings["warmup"] + settings["draws"]) * steps * rows

    def refit(self, folds: Sequence[Fold]) -> refits.Refits | None:
        """Fit the model without each fold's rows; None in a job that samples only a share of these refits."""
        settings = self.settings
        iterations = len(folds) * settings["chains"] * (settings["warmup"] + settings["draws"])
        name = f"{self.entry.name} without {len(folds)} parts"
        with compile_cache.active(), progress.bar(name, iterations) as advance:
            bound, points = self.opened
            attempt, execution = self.attempts[-1]["attempt"], lanes.Execution(self.job.store, advance)
            return refits.refit(
                bound, folds, self.entry, settings, self.tree, attempt=attempt, points=points, execution=execution
            )
