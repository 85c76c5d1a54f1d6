"""The rank of a study's design, looked at before anything is sampled: columns that say nothing, or
the same as others, over all rows and within the members of a group.

Every tolerance is relative to the column, so that no unit of measurement changes what is found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from tadpool.formatting import general
from tadpool.loading.remarks import Remark
from tadpool.loading.sources import KEPT, ROLES

if TYPE_CHECKING:
    import xarray as xr

NUMERIC = ("number", "integer", "binary")
LEVELLED = ("ordered", "categorical")
SAME = 1e-12
"""Values are the same if they differ by less than this share of the largest one."""
DEPENDENT = 1e-6
"""A standardized column is a function of others if less than this is left of its standard
deviation."""
NEARLY = 1 / 15
"""It nearly is below this: of two columns the condition number is then above 30 (Belsley, Kuh &
Welsch 1980, Regression Diagnostics, chapter 3)."""
FEW = 5
"""With fewer, a standard deviation rests on its prior (Gelman 2006, Bayesian Anal. 1:515)."""


@dataclass(frozen=True)
class DesignRank:
    """Predictors of a data set, with what their columns can and cannot tell.

    Args:
        dataset: A described table as a dataset.
        kinds: Name of each predictor -> number, integer, count, binary, ordered or categorical.
        unit: Dim of the rows.
        group: The group that slopes and group means are about; None looks at all rows only.
    """

    dataset: "xr.Dataset"
    kinds: Mapping[str, str]
    unit: str
    group: str | None = None
    rows: dict[str, np.ndarray] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", {name: self._values(name) for name in self.kinds})

    def _values(self, name: str) -> np.ndarray:
        """One value for each row, (rows,)."""
        variable = self.dataset[f"{name}_index" if self.kinds[name] == "categorical" else name]
        (dim,) = variable.dims
        return variable.values if dim == self.unit else variable.values[self.dataset[f"{dim}_index"].values]

    @cached_property
    def index(self) -> np.ndarray | None:
        """The member of each row, (rows,); None without a group, or where each row is a member."""
        name = f"{self.group}_index"
        return self.dataset[name].values if self.group != self.unit and name in self.dataset else None

    @cached_property
    def numeric(self) -> dict[str, np.ndarray]:
        """The predictors that are numbers or yes/no."""
        return {name: self.rows[name].astype(float) for name, kind in self.kinds.items() if kind not in LEVELLED}

    @cached_property
    def constant(self) -> dict[str, str]:
        """Predictor with one value in all rows -> this value."""
        found = [name for name, values in self.rows.items() if _spread(values) <= SAME * _size(values)]
        return {name: self._label(name, self.rows[name][0]) for name in found}

    def _label(self, name: str, value: Any) -> str:
        coordinate = {"categorical": name, "ordered": f"{name}_level"}.get(self.kinds[name])
        return str(self.dataset[coordinate].values[int(value)]) if coordinate else general(float(value))

    @cached_property
    def of_members(self) -> list[str]:
        """Predictors, numbers or yes/no, with one value in each member, and different ones in
        different members."""
        if self.index is None:
            return []
        first = np.unique(self.index, return_index=True)[1]
        varying = [name for name in self.numeric if name not in self.constant]
        apart = {name: self.numeric[name] - self.numeric[name][first][self.index] for name in varying}
        return [name for name in varying if np.abs(apart[name]).max() <= SAME * _size(self.numeric[name])]

    @cached_property
    def balanced(self) -> list[str]:
        """Predictors, numbers or yes/no, that vary within members and have the same mean in
        each."""
        if self.index is None:
            return []
        count, found = np.bincount(self.index), []
        for name, values in self.numeric.items():
            if name not in self.constant and name not in self.of_members:
                means = np.bincount(self.index, values - values.mean()) / count
                # Means of rounded numbers may differ by the last bits.
                if np.ptp(means) <= DEPENDENT * values.std():
                    found.append(name)
        return found

    @cached_property
    def levels_of_members(self) -> list[str]:
        """Predictors with levels that have one in each member, and different ones in different
        members."""
        if self.index is None:
            return []
        first = np.unique(self.index, return_index=True)[1]
        levelled = [name for name, kind in self.kinds.items() if kind in LEVELLED and name not in self.constant]
        return [name for name in levelled if (self.rows[name] == self.rows[name][first][self.index]).all()]

    def determines(self, outcome: np.ndarray) -> list[str]:
        """The predictors of which an outcome (rows,) is a linear function, none if it is not.

        None too where there are as many coefficients as rows: then any outcome is.
        """
        blocks = {name: block for name, block in self._blocks.items() if name not in self.dependent}
        if not blocks or self.columns >= len(outcome) or _spread(outcome) <= SAME * _size(outcome):
            return []
        x = np.hstack(list(blocks.values()))
        y = (outcome - outcome.mean()) / outcome.std()
        weights = np.linalg.lstsq(x, y, rcond=None)[0]
        owners = np.repeat(list(blocks), [block.shape[1] for block in blocks.values()])
        used = set(owners[np.abs(weights) > 100 * DEPENDENT])
        exact = np.sqrt(((y - x @ weights) ** 2).mean()) < DEPENDENT
        return [name for name in blocks if name in used] if exact else []

    @property
    def columns(self) -> int:
        """How many coefficients the predictors and an intercept have."""
        return 1 + sum(block.shape[1] for block in self._blocks.values())

    @property
    def more_columns_than_rows(self) -> bool:
        """Whether there are more coefficients than rows."""
        return self.columns > self.dataset.sizes[self.unit]

    @cached_property
    def _blocks(self) -> dict[str, np.ndarray]:
        """Predictor that varies -> its standardized columns (rows, columns), one for each level but
        the first of those that have levels."""
        blocks = {}
        for name, values in self.rows.items():
            if name in self.constant:
                continue
            if self.kinds[name] in LEVELLED:
                block = (values[:, None] == np.unique(values)[1:]).astype(float)
            else:
                block = values.astype(float)[:, None] / _size(values)
            block = block - block.mean(0)
            blocks[name] = block / np.sqrt((block**2).mean(0))
        return blocks

    @property
    def dependent(self) -> dict[str, list[str]]:
        """Predictor that is a linear function of those before it -> these.

        None where there are more coefficients than rows: then any column is.
        """
        return self._functions[0]

    @property
    def nearly_dependent(self) -> dict[str, list[str]]:
        """The same of predictors of which next to nothing is left."""
        return self._functions[1]

    @cached_property
    def _functions(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        exact: dict[str, list[str]] = {}
        nearly: dict[str, list[str]] = {}
        kept: dict[str, np.ndarray] = {}
        for name, block in () if self.more_columns_than_rows else self._blocks.items():
            before = np.hstack([*kept.values(), np.zeros((len(block), 0))])
            weights = np.linalg.lstsq(before, block, rcond=None)[0]
            left = np.sqrt(((block - before @ weights) ** 2).mean(0)).max()
            owners = np.repeat(list(kept), [each.shape[1] for each in kept.values()])
            used = set(owners[np.abs(weights).max(1) > max(left, 100 * DEPENDENT)]) if kept else set()
            others = [each for each in kept if each in used]
            if left < NEARLY:
                (exact if left < DEPENDENT else nearly)[name] = others
            if left >= DEPENDENT:
                kept[name] = block
        return exact, nearly

    @cached_property
    def left_out(self) -> set[str]:
        """Predictors that add nothing: constant ones, and functions of those before them."""
        return {*self.constant, *self.dependent}

    @cached_property
    def short(self) -> tuple[list[str], list[str]]:
        """Predictors whose slopes may differ by member, and members whose rows cannot tell these
        and an intercept apart."""
        names = [name for name in self.numeric if name not in {*self.left_out, *self.of_members}]
        if self.index is None or not names:
            return names, []
        order = np.argsort(self.index, kind="stable")
        starts = np.searchsorted(self.index[order], np.arange(1, self.index.max() + 1))
        x = np.hstack([self._blocks[name] for name in names])[order]
        ranks = [np.linalg.matrix_rank(rows - rows.mean(0), tol=DEPENDENT) for rows in np.split(x, starts)]
        labels = self.dataset[self.group].values
        return names, [str(label) for label, rank in zip(labels, ranks, strict=True) if rank < len(names)]


def remarks(
    dataset: "xr.Dataset", table: Mapping[str, Any], outcomes: Sequence[str], dims: Sequence[str]
) -> Iterator[Remark]:
    """What a described table cannot tell.

    Args:
        dataset: The table as a dataset.
        table: Its description; all columns may be predictors if it does not name them.
        outcomes: The study's outcomes.
        dims: The study's unit and groups.
    """
    columns, unit = table["columns"], table["unit"]
    groups = [dim for dim in dims if dim != unit]
    measured = [name for name in outcomes if name in columns and columns[name]["kind"] == "number"]
    for name in outcomes:
        if name in dataset:
            yield from _of_outcome(name, columns[name], dataset)
    possible = table.get("predictors", columns)
    kinds = {name: kind for name, kind in free(columns, outcomes).items() if name in possible}
    rank = DesignRank(dataset, kinds, unit, groups[0] if groups else None)
    yield from (Remark("constant", {"column": name, "value": value}) for name, value in rank.constant.items())
    yield from (Remark("dependent", {"column": name, "others": others}) for name, others in rank.dependent.items())
    nearly = rank.nearly_dependent.items()
    yield from (Remark("nearly_dependent", {"column": name, "others": others}) for name, others in nearly)
    for name in outcomes:
        if name in measured and (others := rank.determines(dataset[name].values)):
            yield Remark("computed_outcome", {"outcome": name, "others": others})
    if measured and rank.columns == dataset.sizes[unit]:
        yield Remark("as_many_columns_as_rows", {"columns": rank.columns})
    if rank.more_columns_than_rows:
        yield Remark("more_columns_than_rows", {"columns": rank.columns, "rows": dataset.sizes[unit]})
    for name, kind in kinds.items():
        if kind in LEVELLED:
            labels = dataset[name if kind == "categorical" else f"{name}_level"].values
            empty = [str(label) for i, label in enumerate(labels) if not (rank.rows[name] == i).any()]
            if empty:
                yield Remark("empty_levels", {"column": name, "levels": empty})
    for group in groups:
        if group in dataset.sizes and dataset.sizes[group] < FEW:
            yield Remark("few_members", {"group": group, "members": dataset.sizes[group]})
    unknown_error = [name for name in measured if not columns[name]["standard_error"]]
    yield from _of_groups(dataset, [group for group in groups if f"{group}_index" in dataset], unknown_error)
    if rank.index is not None and dataset.sizes[groups[0]] > 1:
        yield from _of_group(rank, columns)


def _of_groups(dataset: "xr.Dataset", groups: Sequence[str], measured: Sequence[str]) -> Iterator[Remark]:
    """Groups whose members have one row each, and pairs of groups with the same members.

    measured: The outcomes that are numbers with an unknown error.
    """
    index = {group: dataset[f"{group}_index"].values for group in groups}
    for group, members in index.items():
        if measured and len(members) == dataset.sizes[group] > 1:
            yield Remark("single_rows", {"group": group, "outcome": measured[0]})
    for one, other in combinations(groups, 2):
        pairs = len(set(zip(index[one].tolist(), index[other].tolist(), strict=True)))
        if pairs == dataset.sizes[one] == dataset.sizes[other] > 1:
            yield Remark("same_groups", {"one": one, "other": other})


def _of_outcome(name: str, column: Mapping[str, Any], dataset: "xr.Dataset") -> Iterator[Remark]:
    values, trials = dataset[name].values, dataset.get(column["trials"])
    if trials is not None and not trials.values.any():
        yield Remark("no_trials", {"outcome": name, "trials": column["trials"]})
    elif _spread(values) <= SAME * _size(values):
        value = column["levels"][int(values.flat[0])] if column["levels"] else general(float(values.flat[0]))
        yield Remark("constant_outcome", {"outcome": name, "value": str(value)})
    elif trials is not None and trials.shape == values.shape and (trials.values == values).all():
        yield Remark("all_successes", {"outcome": name, "trials": column["trials"]})


def free(columns: Mapping[str, Mapping[str, Any]], outcomes: Sequence[str]) -> dict[str, str]:
    """The columns that predict unless a design says otherwise, with their kinds."""
    named = {column[role] for column in columns.values() for role in ROLES} | set(outcomes)
    kinds = {name: column["kind"] for name, column in columns.items() if column["missing"] not in KEPT}
    return {name: kind for name, kind in kinds.items() if kind in (*NUMERIC, *LEVELLED) and name not in named}


def _of_group(rank: DesignRank, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Remark]:
    group = rank.group
    for name in rank.of_members:
        if not columns[name]["per"]:
            yield Remark("of_members", {"column": name, "group": group})
    for name in rank.levels_of_members:
        yield Remark("levels_of_members", {"column": name, "group": group})
    yield from (Remark("balanced", {"column": name, "group": group}) for name in rank.balanced)
    names, short = rank.short
    if short:
        of = rank.dataset.sizes[group]
        yield Remark("short_members", {"columns": names, "group": group, "of": of, "members": short})


def _spread(values: np.ndarray) -> float:
    return float(np.ptp(values.astype(float))) if values.size else 0.0


def _size(values: np.ndarray) -> float:
    return float(np.abs(values.astype(float)).max()) or 1.0
