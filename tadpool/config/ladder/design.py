"""Complete designs: what a study's table says and its `design` does not, and what of both does not
fit together."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tadpool.config.checks import tables
from tadpool.config.parsed_values import Problem, shown
from tadpool.config.schema.design import BOUNDED, Design
from tadpool.config.schema.study import LADDER, Study
from tadpool.config.schema.table import Column, Table
from tadpool.errors import UserError, did_you_mean
from tadpool.formatting import an
from tadpool.loading.design_rank import DesignRank
from tadpool.loading.sources import KEPT, ROLES
from tadpool.modelling.families import FAMILIES, IDENTITY, NUMBERS, Family

if TYPE_CHECKING:
    import xarray as xr

# Kind of column -> kind of predictor, and those that are predictors where none are named.
KIND = {"number": "number", "integer": "number", "count": "number"}
KIND |= {kind: kind for kind in ("binary", "ordered", "categorical")}
INFERRED = tuple(kind for kind in KIND if kind != "count")
SLOPED = ("number", "binary")


class DesignInference:
    """The design of one entry of the ladder, or of all where `entry` is "".

    design: complete, or None where the study has too many mistakes to know it. problems: what is
    wrong. several: whether its models can have several linear predictors.
    """

    several = False

    def __init__(self, study: Study, entry: str = "") -> None:
        self.study, self.entry = study, entry
        self.own = study.models[entry].design if entry else None
        given = [each.model_dump(exclude_none=True) for each in (study.design, self.own) if each]
        self.given: dict[str, Any] = {key: value for each in given for key, value in each.items()}
        self.columns = study.dataset.columns if isinstance(study.dataset, Table) else None
        self.problems: list[Problem] = []
        self.design: Design | None = None
        if study.outcomes and study.unit is not None and study.groups is not None and study.dataset is not None:
            self._complete()

    def _place(self, key: str) -> tuple:
        """Where the key stands: in the entry's design, or else in the study's."""
        return ("models", self.entry, "design", key) if self.own and getattr(self.own, key) else ("design", key)

    def _wrong(self, place: tuple | str, what: str, fix: str) -> None:
        self.problems.append(Problem(self._place(place) if isinstance(place, str) else place, what, fix))

    def _complete(self) -> None:
        if len(self.study.outcomes) > 1:
            what = f"{shown(self.study.outcomes)} are {len(self.study.outcomes)} outcomes, and a model of the ladder has one"
            self._wrong(("outcomes",), what, "name one")
            return
        (self.outcome,) = self.study.outcomes
        groups = self._groups()
        if self.columns is not None and self.outcome not in self.columns:
            return  # it has its own sentence
        family = self._family()
        if not groups or family is None:
            return
        roles = {key: self._role(key, family) for key in ROLES}
        predictors = self._predictors(groups)
        rank = self._rank(predictors, groups[0])
        slopes = self._slopes(predictors, groups, rank.of_members if rank else [])
        means = self._group_means(predictors, groups[0], rank)
        self._check_outcome(family)
        self._check_offset(family, roles["offset"])
        truncated = self._truncated(family, roles)
        if not self.problems:
            self.design = Design(
                family=family,
                groups=groups,
                predictors=predictors,
                slopes=slopes,
                group_means=means,
                truncated=truncated,
                **roles,
            )

    def _truncated(self, family: str, roles: Mapping[str, str | None]) -> Any:
        """The ends of truncation, where the family can have them."""
        truncated = self.given.get("truncated")
        if truncated and not FAMILIES[family].bounded:
            fix = f"remove it, or choose {_listed(BOUNDED)} as family"
            self._wrong("truncated", f"{family} has no distribution function here", fix)
        if roles["interval_end"] and not roles["censored"]:
            fix = "name the column of kind censoring, or remove it"
            self._wrong("interval_end", "it has no use without `censored`", fix)
        return truncated

    def _groups(self) -> list[str]:
        groups = self.given.get("groups", self.study.groups)
        if not groups:
            self._wrong(("groups",), "none is named", "name the groups that are pooled, for example `groups: [county]`")
        for name in groups:
            if name not in self.study.groups:
                fix = did_you_mean(name, self.study.groups).removeprefix("; ") or "name it in the study's `groups` too"
                self._wrong("groups", f"{shown(name)} is not one of the study's groups", fix)
        return groups

    def _family(self) -> str | None:
        family = self.given.get("family")
        if self.columns is None:
            if family is None:
                fix = "say how the outcome is distributed, for example `family: normal`"
                self._wrong("family", "missing, and a dataset file does not say it", fix)
            return self._with_one_predictor(family)
        column = self.columns[self.outcome]
        if not any(column.kind in each.inferred_from for each in FAMILIES.values()):
            return None  # it has its own sentence
        if family is None:
            return self._inferred(column).name
        if column.kind not in FAMILIES[family].columns:
            known = {name: each for name, each in FAMILIES.items() if each.predictors or self.several}
            fitting = [name for name, each in known.items() if column.kind in each.columns]
            what = (
                f"{family} is for {_listed(FAMILIES[family].columns)}, and {self.outcome} is {an(column.kind)} column"
            )
            self._wrong("family", what, f"choose {_listed(fitting)}, or correct the kind of the column")
            return None
        return self._with_one_predictor(family)

    def _with_one_predictor(self, family: str | None) -> str | None:
        """The family, refused where it needs more than models of the ladder have."""
        if family is None or FAMILIES[family].predictors or self.several:
            return family
        what = f"{family} needs a linear predictor for each level but the first, and models of the ladder have one"
        self._wrong("family", what, "choose another family, or write a formula")
        return None

    def _inferred(self, column: Column) -> Family:
        """The family of a kind of column, one that requires roles before others where these are
        given."""
        given = {role for role in ROLES if role in self.given or getattr(column, role)}
        found = [
            each for each in FAMILIES.values() if column.kind in each.inferred_from and given >= set(each.required)
        ]
        return max(found, key=lambda each: len(each.required))

    def _role(self, key: str, family: str) -> str | None:
        """The variable with a role; refused where the family has none, for what it says would be
        lost."""
        column = self.columns[self.outcome] if self.columns is not None else None
        name = self.given.get(key) or (getattr(column, key) if column else None)
        place = key if key in self.given else ("dataset", "columns", self.outcome, key)
        if name is None and key in FAMILIES[family].required:
            fix = "name the variable that holds them" + (f", here or as `{key}` of {self.outcome}" if column else "")
            self._wrong(key, f"missing: {family} counts successes among {key}", fix)
        elif name is not None and key not in FAMILIES[family].roles:
            having = [name for name, each in FAMILIES.items() if key in each.roles]
            self._wrong(place, f"{family} has no {key}", f"remove it, or choose {_listed(having)} as family")
        elif name is not None and key in self.given and column:
            kinds = ("censoring",) if key == "censored" else NUMBERS
            known = [each for each, other in self.columns.items() if other.kind in kinds]
            fix = did_you_mean(name, known).removeprefix("; ") or "describe it"
            if name not in known:
                what = "a column of kind censoring" if key == "censored" else "a column of numbers"
                self._wrong(key, f"{shown(name)} is not {what}", fix)
        return name

    def _predictors(self, groups: list[str]) -> dict[str, str]:
        """Name -> kind."""
        given = self.given.get("predictors")
        if self.columns is None:
            if isinstance(given, list) and given:
                fix = f"write {{{given[0]}: number}}, or binary, categorical or ordered"
                self._wrong("predictors", "a dataset file does not say of what kind they are", fix)
            predictors = given if isinstance(given, dict) else {}
        elif given is None:
            for name in (name for name, column in self.columns.items() if column.missing == "impute"):
                what, fix = f"no model of the ladder imputes {name}", "write a formula, or `missing: drop`"
                self._wrong(("dataset", "columns", name, "missing"), what, fix)
            kinds = {name: KIND[column.kind] for name, column in self._free()}
            rank = self._rank(kinds)
            return {name: kind for name, kind in kinds.items() if not rank or name not in rank.left_out}
        else:
            predictors = self._described(given)
        rank = self._rank(predictors)
        for name in predictors:
            if rank and name in rank.constant:
                what = f"{shown(name)} has one value in all rows, {rank.constant[name]}, so it explains nothing"
                self._wrong("predictors", what, "leave it out")
            if name == self.outcome:
                self._wrong("predictors", f"{shown(name)} is the outcome", "leave it out")
            elif name in groups or name == self.study.unit:
                self._wrong("predictors", f"{shown(name)} is a group", "leave it out, its members have intercepts")
            elif name in (role := {self.given.get(key): key for key in ROLES}):
                self._wrong("predictors", f"{shown(name)} is named as {role[name]} too", "leave it out in one of them")
        return predictors

    def _free(self) -> Iterator[tuple[str, Column]]:
        """Columns of a kind that predicts which have no other role in the study."""
        named = {getattr(column, key) for column in self.columns.values() for key in ROLES}
        named |= {self.outcome, *(self.given.get(key) for key in ROLES), *(self.study.observed_where or {}).values()}
        named |= set((self.study.weights or {}).values())
        return (
            (name, column)
            for name, column in self.columns.items()
            if column.kind in INFERRED and name not in named and column.missing not in KEPT
        )

    def _described(self, given: list[str] | Mapping[str, str]) -> dict[str, str]:
        known = [name for name, column in self.columns.items() if column.kind in KIND and name != self.outcome]
        predictors = {}
        for name in given:
            kind = KIND.get(self.columns[name].kind) if name in self.columns else None
            missing = self.columns[name].missing if kind is not None else "fail"
            if missing == "mask":
                fix = "leave it out, or write a model that uses its `_known`"
                self._wrong(
                    "predictors", f"{shown(name)} is masked in some rows, which no model of the ladder knows", fix
                )
            elif missing == "impute":
                fix = "write a formula, or `missing: drop` in its column"
                self._wrong("predictors", f"no model of the ladder imputes {shown(name)}", fix)
            elif kind is None:
                fix = did_you_mean(name, known).removeprefix("; ") or "describe it"
                self._wrong("predictors", f"{shown(name)} is not a column that can predict", fix)
            elif isinstance(given, Mapping) and given[name] != kind:
                what = f"{name} is {an(self.columns[name].kind)} column of the table, not {given[name]}"
                self._wrong("predictors", what, "write the names alone as a list, or correct the column")
            else:
                predictors[name] = kind
        return predictors

    def _slopes(self, predictors: Mapping[str, str], groups: list[str], of_members: list[str]) -> list[str]:
        per = {name: column.per for name, column in (self.columns or {}).items()}
        per |= dict.fromkeys(of_members, groups[0])
        if "slopes" not in self.given:
            varying = self.study.models == LADDER and groups[0] != self.study.unit
            return [name for name, kind in predictors.items() if varying and kind in SLOPED and not per.get(name)]
        for name in self.given["slopes"]:
            if self._number("slopes", name, predictors) and per.get(name) == groups[0]:
                what = f"{shown(name)} has one value per {groups[0]}, so its slope cannot differ between them"
                self._wrong("slopes", what, "leave it out")
        return self.given["slopes"]

    def _number(self, key: str, name: str, predictors: Mapping[str, str]) -> bool:
        """Whether a name that a key lists is a predictor with slopes and means; otherwise it is a
        problem."""
        if name not in predictors:
            fix = did_you_mean(name, list(predictors)).removeprefix("; ") or "name it among the predictors"
            self._wrong(key, f"{shown(name)} is not one of the predictors", fix)
        elif predictors[name] not in SLOPED:
            words = f"only {_listed(SLOPED)} have {key.replace('_', ' ')}"
            self._wrong(key, f"{shown(name)} is {predictors[name]}", words)
        return predictors.get(name) in SLOPED

    def _group_means(self, predictors: Mapping[str, str], group: str, rank: DesignRank | None) -> list[str]:
        per = {name: column.per for name, column in (self.columns or {}).items()}
        of_members = [name for name in predictors if per.get(name) == group or (rank and name in rank.of_members)]
        balanced = rank.balanced if rank else []
        if "group_means" not in self.given:
            known = [name for name, kind in predictors.items() if kind in SLOPED and name not in of_members]
            return [name for name in known if name not in balanced]
        for name in self.given["group_means"]:
            if self._number("group_means", name, predictors) and name in {*of_members, *balanced}:
                same = f"has one value per {group}" if name in of_members else f"has the same mean in every {group}"
                self._wrong("group_means", f"{shown(name)} {same}, so its group mean says nothing more", "leave it out")
        return self.given["group_means"]

    def _rank(self, kinds: Mapping[str, str], group: str | None = None) -> DesignRank | None:
        """What the table tells of predictors; None where it cannot be read, which the job that
        prepares the data says."""
        table = self._table() if self.columns is not None else None
        known = {name: kind for name, kind in kinds.items() if name in self.columns} if table is not None else {}
        return DesignRank(table, known, self.study.unit, group) if known else None

    def _table(self) -> "xr.Dataset | None":
        if any(tables.check(self.study)):
            return None  # it has its own sentence
        state = Path(self.study.dataset.table).stat()
        return _read(json.dumps(self.study.source()), state.st_mtime_ns, state.st_size)

    def _check_outcome(self, family: str) -> None:
        table = self._table() if self.columns is not None else None
        if table is not None and FAMILIES[family].link == IDENTITY and np.ptp(table[self.outcome].values) == 0:
            what = f"{shown(self.outcome)} has the same value in all rows, so there is nothing to explain"
            self._wrong(("outcomes",), what, "name another outcome, or correct the table")

    def _check_offset(self, family: str, offset: str | None) -> None:
        table = self._table() if self.columns is not None else None
        if table is not None and offset in table and (wrong := FAMILIES[family].refused_offset(table[offset].values)):
            place = "offset" if "offset" in self.given else ("dataset", "columns", self.outcome, "offset")
            exposure = f"write `exposure: {offset}` if the mean is proportional to it, or "
            fix = f"{exposure if 'exposure' in FAMILIES[family].roles else ''}give it on that scale"
            self._wrong(place, f"{shown(offset)} {wrong}", fix)


@lru_cache(maxsize=8)
def _read(source: str, changed: int, size: int) -> "xr.Dataset | None":
    """The table of a study in memory; None where it cannot be read. changed, size: of its file."""
    from tadpool.loading import described_table  # imports xarray, which studies without it do not need

    try:
        return described_table.load(json.loads(source))[0]
    except UserError:
        return None


def _listed(words: tuple[str, ...] | list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
