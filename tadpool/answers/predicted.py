"""Expected and future outcomes of one fit at changed rows, averaged over a named target.

The targets are those of marginaleffects and brms under their own names: the observed rows with
their members' effects (`observed`), each member at typical values of everything else (`members`),
a member whose effects are at their mean (`typical`), one new member, whose effects are drawn
(`new`), and the mean over new members (`population`).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
import xarray as xr
from numpyro import handlers

from tadpool import seeds
from tadpool.answers.programs import Program, Target, base_distribution, parts
from tadpool.engine import batches
from tadpool.errors import UserError, did_you_mean
from tadpool.fitting.prediction import typical_row
from tadpool.modelling import group_means
from tadpool.modelling.binding import Bound, relations
from tadpool.modelling.entry import Entry

MOST_VALUES = 4_000_000
"""Rows times draws of one prediction: beyond it fewer draws are used, equally spaced."""
FEWEST_DRAWS = 400
NEW_MEMBERS = 200
"""Over how many new members at least each draw of a population is averaged."""
STEP = 1e-4
"""Step of the numerical derivative of a slope, as a share of the predictor's range."""
SAMPLE = ("chain", "draw")


@dataclass(frozen=True)
class Fitted:
    """A fit as predictions need it. posterior: (chain, draw, ...) of all its latent sites."""

    bound: Bound
    entry: Entry
    posterior: xr.Dataset
    _moments: dict[Target, list[xr.DataArray]] = field(default_factory=dict, repr=False, compare=False)
    _programs: dict[Any, batches.OverLanes] = field(default_factory=dict, repr=False, compare=False)

    def predicted(self, target: Target, settings: Sequence[Mapping[str, Any]]) -> list[xr.DataArray]:
        """Draws (chain, draw, ...) of the target at each setting, a mapping from predictors to the
        values that rows have in place of their own; all from the same random numbers. Where a
        setting changes something, rows count in which no imputed predictor is missing: elsewhere it
        would change that too.

        Raises:
            UserError: A setting names what the model does not look at, or the target has no meaning
                for this model; in words that follow the name of the answer.
        """
        rows, cells = self._rows(target)
        rows = self._with_means(rows, [name for setting in settings for name in setting])
        at_rows = [self._bound_at(self._set(rows, setting)) for setting in settings]
        replaced = self._replaced(target, at_rows[0])
        kept = self._kept(rows.sizes[self.entry.unit])
        counts = self._counts(target, rows) * self._known(rows, settings)
        repeats = self._repeats(target, at_rows[0])
        lanes = self._lanes(at_rows[0], replaced, kept, target)
        found = []
        for each in at_rows:  # which share a program where their data are alike
            data = _shared(each, self.entry)
            kinds = tuple((name, str(np.asarray(value).dtype), np.shape(value)) for name, value in data.items())
            program = Program(each, self.entry.unit, target, frozenset(replaced), cells, counts, repeats)
            found.append(self._programs.setdefault((target, kinds), batches.OverLanes(program))(lanes, data))
        return [self._labelled(each, at_rows[0], target, cells, kept) for each in found]

    def moments(self, target: Target) -> list[xr.DataArray]:
        """Draws (chain, draw) of the variance over the target's rows of expected outcomes, and of
        the mean variance of outcomes around them."""
        if target not in self._moments:
            self._moments[target] = self._variances(target)
        return self._moments[target]

    def _variances(self, target: Target) -> list[xr.DataArray]:
        rows, _ = self._rows(target)
        at_rows = self._bound_at(rows)
        replaced, kept = self._replaced(target, at_rows), self._kept(self.bound.dataset.sizes[self.entry.unit])
        program = Program(
            at_rows, self.entry.unit, target, frozenset(replaced), None, self._counts(target, rows), variances=True
        )
        lanes = self._lanes(at_rows, replaced, kept, target)
        found = batches.map_lanes(program, lanes, _shared(at_rows, self.entry))
        return [self._labelled(found[..., i], at_rows, target, None, kept) for i in range(2)]

    def sd(self, predictor: str) -> float:
        """The standard deviation of a predictor over the observed rows."""
        return float(np.std(self._numbers(predictor), ddof=1))

    def span(self, predictor: str) -> float:
        """The range of a predictor over the observed rows."""
        return float(np.ptp(self._numbers(predictor)))

    def levels(self, predictor: str) -> list[Any]:
        """The levels of a predictor, in order: labels, or the values of a number."""
        dataset = self.bound.dataset
        if f"{predictor}_index" in dataset:
            return dataset[predictor].values.tolist()
        return np.unique(self._numbers(predictor)).tolist()

    def _numbers(self, predictor: str) -> np.ndarray:
        dataset = self.bound.dataset
        if predictor not in dataset.data_vars or dataset[predictor].dtype.kind not in "iufb":
            raise UserError(self._unknown(predictor))
        values = dataset[predictor].values.astype(float)
        return values[np.isfinite(values)]

    def _unknown(self, name: str) -> str:
        known = [each.removesuffix("_index") for each in self.bound.inputs if each in self.bound.dataset]
        return f"the model of {self.entry.entry} does not look at {name!r}{did_you_mean(name, known)}"

    def _rows(self, target: Target) -> tuple[xr.Dataset, np.ndarray | None]:
        """The rows of a target, and of each its cell where averages are kept apart."""
        dataset, unit = self._without_outcomes(), self.entry.unit
        if target.over != "members" or target.group == unit:
            by = target.by or (target.group if target.over == "members" else None)
            return dataset, self._index(dataset, by) if by else None
        group = target.group
        size = dataset.sizes[group]
        rows = dataset.isel({unit: np.zeros(size, int)}).assign_coords({unit: np.arange(1, size + 1)})
        typical, own = typical_row(self.bound) or self._typical(), f"{group}_index"
        rows = self._set(rows, {name: value for name, value in typical.items() if name != group})
        rows = rows.assign({own: (unit, np.arange(size))})
        return self._with_means(rows, typical), np.arange(size)

    def _with_means(self, rows: xr.Dataset, changed: Iterable[str]) -> xr.Dataset:
        """Rows whose groups keep the means that they have in the data, of predictors that are
        changed."""
        return group_means.hold(rows, self.bound.dataset, changed, self.entry.groups, self.entry.unit)

    def _without_outcomes(self) -> xr.Dataset:
        """Where a model observes something that the study does not predict, with all that it
        observes."""
        own = set(self.bound.outcomes) <= set(self.entry.outcomes)
        dataset = self.bound.dataset
        return dataset.drop_vars([name for name in self.bound.outcomes if name in dataset]) if own else dataset

    def _index(self, dataset: xr.Dataset, group: str) -> np.ndarray:
        if group == self.entry.unit:
            return np.arange(dataset.sizes[group])
        if f"{group}_index" not in dataset:
            raise UserError(f"{group!r} is not a group of the data")
        return dataset[f"{group}_index"].values

    def _typical(self) -> dict[str, Any]:
        """Medians of what differs between rows, and most frequent members, for a model's file."""
        unit, found = self.entry.unit, {}
        for name in (name for name in self.bound.inputs if name in self.bound.dataset):
            variable = self.bound.dataset[name]
            if variable.dims == (unit,):
                if name.endswith("_index"):
                    label = name.removesuffix("_index")
                    found[label] = self.bound.dataset[label].values[np.bincount(variable.values).argmax()]
                else:
                    found[name] = np.quantile(variable.values, 0.5, method="lower").item()
        return found

    def _set(self, rows: xr.Dataset, setting: Mapping[str, Any]) -> xr.Dataset:
        """Rows with other values of some predictors; a callable maps the old values to new
        ones."""
        changed = {}
        for name, value in setting.items():
            index = f"{name}_index"
            if index in rows and (index in self.bound.inputs or name not in rows.data_vars):
                changed[index] = (rows[index].dims, np.full(rows[index].shape, _member(rows[name], value)))
            elif name in rows.data_vars and name in self.bound.inputs | dict.fromkeys(self.bound.data, 0):
                changed[name] = (rows[name].dims, _values(name, rows[name], value), rows[name].attrs)
            else:
                raise UserError(self._unknown(name))
        return rows.assign(changed)

    def _bound_at(self, rows: xr.Dataset) -> Bound:
        return self.bound.rebind(rows)

    def _replaced(self, target: Target, at_rows: Bound) -> list[str]:
        """The latent sites of members other than the ones in the data."""
        before, after = self.bound.dataset.sizes, at_rows.dataset.sizes
        resized = {dim for dim in after if before.get(dim) != after[dim]}
        groups = {target.group} if target.group else set(self.entry.groups)
        if target.over == "members":
            groups = set(self.entry.groups) - {target.group}
        elif target.over == "observed":
            groups = set()
        dims = {site: set(parts(at_rows.dims.get(site, ()))) for site in self.bound.latents}
        replaced = [site for site in self.bound.latents if (groups | resized) & dims[site]]
        if target.over in ("typical", "new", "population"):
            self._require_population(replaced, target)
        return replaced

    def _require_population(self, replaced: Sequence[str], target: Target) -> None:
        """Members without a common distribution say nothing about another one."""
        latents = set(self.bound.latents)
        parents = relations(self.bound)["sample_sample"] if replaced else {}
        for site in replaced:
            standardized = self.bound.dims[site] and _is_standard_normal(self.bound, site)
            if not standardized and not _ancestors(site, parents) & latents:
                raise UserError(f"{site} of {self.entry.entry} has no distribution that is learnt from the members")
        if not replaced and self.entry.groups:
            known = [site for site in self.bound.latents if set(self.entry.groups) & set(self.bound.dims[site])]
            if known:
                raise UserError(f"no parameter of {self.entry.entry} belongs to {target.group}")

    def _counts(self, target: Target, rows: xr.Dataset) -> np.ndarray:
        """How often each row counts: not where its outcome is not observed by design."""
        gate, size = self.entry.observed_where.get(target.outcome), rows.sizes[self.entry.unit]
        if gate is None or target.over == "members":
            return np.ones(size)
        return (self.bound.dataset[gate].values != 0).astype(float)

    def _known(self, rows: xr.Dataset, settings: Sequence[Mapping[str, Any]]) -> np.ndarray | float:
        """1 of each row that counts where settings change something, else 0."""
        known = [np.isfinite(rows[name].values) for name in self.bound.partly_observed if any(settings)]
        return np.all(known, axis=0).astype(float) if known else 1.0

    def _kept(self, rows: int) -> np.ndarray:
        chains, length = (self.posterior.sizes[dim] for dim in SAMPLE)
        most = max(FEWEST_DRAWS, MOST_VALUES // max(rows, 1)) // chains
        return np.arange(length)[:: max(1, math.ceil(length / max(most, 1)))]

    def _repeats(self, target: Target, at_rows: Bound) -> int:
        if target.over != "population":
            return 1
        groups = [target.group] if target.group else self.entry.groups
        members = min((at_rows.dataset.sizes[group] for group in groups), default=NEW_MEMBERS)
        return max(1, math.ceil(NEW_MEMBERS / members))

    def _lanes(self, at_rows: Bound, replaced: Sequence[str], kept: np.ndarray, target: Target) -> dict[str, Any]:
        chains = self.posterior.sizes["chain"]
        key = jax.random.wrap_key_data(seeds.key(**self.entry.address, role="answers"))
        keys = [jax.random.split(jax.random.fold_in(key, chain), len(kept)) for chain in range(chains)]
        given = [name for name in self.bound.latents if name not in replaced]
        return {
            "draws": {name: self.posterior[name].transpose(*SAMPLE, ...).values[:, kept] for name in given},
            "keys": np.stack([np.asarray(jax.random.key_data(each)) for each in keys]),
            "arguments": {name: np.full(chains, value) for name, value in at_rows.hyperparameters.items()},
        }

    def _labelled(
        self, values: np.ndarray, at_rows: Bound, target: Target, cells: np.ndarray | None, kept: np.ndarray
    ) -> xr.DataArray:
        dims = [dim for dim in at_rows.dims[target.outcome] if dim != self.entry.unit]
        group = target.by or target.group
        leading = [group] if cells is not None else []
        dims = [] if values.ndim == 2 + len(leading) else dims
        coords = {"draw": self.posterior["draw"].values[kept], "chain": self.posterior["chain"].values}
        coords |= {dim: at_rows.dataset[dim].values for dim in (*leading, *dims) if dim in at_rows.dataset.coords}
        return xr.DataArray(values, dims=(*SAMPLE, *leading, *dims), coords=coords)


def _member(labels: xr.DataArray, value: Any) -> int:
    found = np.flatnonzero(labels.values.astype(str) == str(value))
    if not len(found):
        hint = did_you_mean(str(value), [str(each) for each in labels.values])
        raise UserError(f"{value!r} is not a level of {labels.name}{hint}")
    return int(found[0])


def _values(name: str, variable: xr.DataArray, value: Any) -> np.ndarray:
    old = variable.values
    if callable(value):
        return np.asarray(value(old.astype(float)))
    if isinstance(value, str):
        meanings = str(variable.attrs.get("flag_meanings", "")).split()
        if value not in meanings:
            raise UserError(f"{value!r} is not a value of {name}{did_you_mean(value, meanings)}")
        value = meanings.index(value)
    try:
        made = np.broadcast_to(np.asarray(value, float), old.shape)
    except ValueError:
        raise UserError(f"{value!r} does not have the shape of a row of {name}") from None
    return made.astype(old.dtype) if np.array_equal(made, made.astype(old.dtype)) else made


def _shared(bound: Bound, entry: Entry) -> dict[str, Any]:
    return {name: value for name, value in bound.data.items() if name not in entry.outcomes}


def _is_standard_normal(bound: Bound, site: str) -> bool:
    """Whether a site is standardized, its scale being learnt elsewhere: Normal(0, 1) as such."""
    with handlers.block():
        arguments = {**bound.data, **bound.hyperparameters}
        function = handlers.seed(bound.function, jax.random.key(0))
        fn = base_distribution(handlers.trace(function).get_trace(**arguments)[site]["fn"])
    loc, scale = getattr(fn, "loc", None), getattr(fn, "scale", None)
    return isinstance(fn, dist.Normal) and bool(np.all(np.asarray(loc) == 0) and np.all(np.asarray(scale) == 1))


def _ancestors(name: str, parents: Mapping[str, Sequence[str]]) -> set[str]:
    direct = set(parents.get(name, ()))
    return direct.union(*(_ancestors(parent, parents) for parent in direct))


def shifted(step: float) -> Any:
    """A setting: every row's own value and `step`."""
    return lambda old: old + step
