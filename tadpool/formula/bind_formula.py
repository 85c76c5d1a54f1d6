"""Bind a formula to a dataset: its columns as arrays, its bound form, and the function of data and
hyperparameters."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from tadpool.errors import UserError
from tadpool.formula import bind_imputation, syntax
from tadpool.formula import matrices as made
from tadpool.formula.bound_formula import (
    BOUND,
    OFFSET,
    SCALES,
    STRETCHES,
    BoundCurve,
    BoundEffect,
    BoundFormula,
    BoundGroup,
    BoundImputation,
    BoundPredictor,
    BoundTerm,
    OfMembers,
)
from tadpool.formula.coordinates import shears, stretches
from tadpool.formula.evaluation import FormulaEvaluation
from tadpool.formula.matrices import Columns, Matrices, Term
from tadpool.formula.syntax import Formula
from tadpool.ladder import cell_sums, data_facts
from tadpool.ladder.bind_rung import Parts, offset_in_cells
from tadpool.ladder.bound_design import CELL, FIRST
from tadpool.ladder.first_estimates import Working, working
from tadpool.modelling.formula_design import FormulaDesign

WHERE = "the formula"
MOST_SUMMED = 12
"""Columns up to which sums of their products over cells are used."""


ALIASED = 1e-9
"""A column is determined by others where what it has beyond them is smaller, as a share of it."""


class Facts(dict):
    """What a formula takes from the study's data and then keeps, as plain numbers, and the matrices
    that remember these data.

    outcome, columns: location and scale that priors are stated in, as in
    `tadpool.ladder.data_facts`. levels: of an ordered outcome. terms: parameter -> term -> labels
    of its columns. groups: members of combinations of groups. within: group -> the groups in which
    it is nested. effects: as there. aliased: columns that others determine. imputed:
    predictors that are missing in some rows (`bind_imputation`).
    """

    def __init__(self, matrices: Mapping[str, Matrices], imputed: Mapping[str, Any]) -> None:
        super().__init__(columns={}, terms={}, groups={}, within={}, effects={}, aliased=[], imputed=dict(imputed))
        self.matrices = matrices
        self.of_members: dict[str, dict[str, np.ndarray]] = {}
        self.labels: dict[str, list] = {}
        self.shears: dict[str, np.ndarray] = {}


def bound(
    model: Callable, design: FormulaDesign, dataset: xr.Dataset, static: Mapping[str, Any], facts: Facts | None
) -> Parts:
    """Bind a formula to a dataset.

    Args:
        model: The `model` of its file.
        design: Its design.
        dataset: The data.
        static: Its hyperparameters that are no floats.
        facts: Those of the study's data; None gathers them from the dataset.

    Returns:
        The function, its arrays and facts, and the labels of its coefficients and of members of
            combinations of groups.

    Raises:
        UserError: The data do not suit the family or the formula.
    """
    first = facts is None
    if first:
        kinds = {each.name: each.kind for each in design.predictors}
        own = dict.fromkeys(_predicted_levels(design, dataset), design.formula)
        texts = {**(own or {"": design.formula}), **dict(design.parameters_of)}
        imputed = bind_imputation.gathered(design, dataset)
        sds = {name: each["scale"] for name, each in imputed.items()}
        facts = Facts({name: Matrices(syntax.read(text), kinds, WHERE, sds) for name, text in texts.items()}, imputed)
    binder = _Binder(design, dataset, facts)
    predictors = [binder.predictor(name, matrices) for name, matrices in facts.matrices.items()]
    imputations = binder.imputations(predictors[0])
    arrays = binder.arrays
    if first:
        binder.gather(static, predictors)
    design = replace(design, offset=OFFSET) if OFFSET in arrays else design
    scales = [facts["outcome"], *(facts["columns"][each] for each in binder.columns)]
    arrays[SCALES] = np.array([[each["location"], each["scale"]] for each in scales])
    for each in predictors:
        arrays |= binder.shears_of(each)
    modelled = [*predictors, *(each.predictor for each in imputations)]
    names = [effect.name for each in modelled for group in each.groups for effect in group.effects]
    effects = dict.fromkeys(names, False) | {name: known["centred"] for name, known in facts["effects"].items()}
    rule = "centred" if design.unpooled else static["parametrization"]
    cutpoints = design.family.link.cutpoints
    stretched = {
        n: s
        for each in predictors
        for n, s in stretches(each, facts["effects"], cutpoints and not each.parameter).items()
    }
    if stretched:
        arrays[STRETCHES] = np.array(list(stretched.values()))
    bound_formula = BoundFormula(
        design=design,
        predictors=tuple(predictors),
        columns=tuple(binder.columns),
        per=tuple(binder.per()),
        rows=dataset.sizes[design.unit],
        levels=facts["levels"],
        non_centred=frozenset(n for n, c in effects.items() if not (c if rule == "auto" else rule == "centred")),
        stretched=tuple(stretched),
        collapsed=CELL in arrays,
        imputations=tuple(imputations),
        products=tuple(binder.products.items()),
    )
    return Parts(partial(_run, **{BOUND: bound_formula}), arrays, facts, binder.coords)


def _run(**arguments: Any) -> None:
    """Call a formula: its bound form, hyperparameters and arrays of the data."""
    formula = arguments.pop(BOUND)
    prior = {name: arguments.pop(name) for name in formula.design.hyperparameters}
    FormulaEvaluation(formula, arguments, prior).observe()


class _Binder:
    """Turns columns into arrays and bound terms. columns: names of those used so far, whose scales
    are among the facts."""

    def __init__(self, design: FormulaDesign, dataset: xr.Dataset, facts: Facts) -> None:
        self.design, self.dataset, self.facts = design, dataset, facts
        self.frame = made.frame(design, dataset)
        self.given = {name: self.frame[name].to_numpy() for name in facts["imputed"]}
        self.frame = self.frame.assign(**dict.fromkeys(self.given, 1.0))
        self.products: dict[str, tuple[str, ...]] = {}
        self.arrays: dict[str, np.ndarray] = {}
        self.columns: list[str] = []
        self.coords: dict[str, Any] = {}
        self.found: dict[str, Columns] = {}

    def predictor(self, parameter: str, matrices: Matrices) -> BoundPredictor:
        """A linear predictor, bound."""
        columns = self.found[parameter] = matrices(self.frame)
        if parameter not in dict(self.design.parameters_of) and np.any(columns.offset):
            own = made.by_row(self.dataset, self.design.offset, self.design.unit) if self.design.offset else 0.0
            self.arrays[OFFSET] = columns.offset + own
        elif np.any(columns.offset):
            raise UserError(f"{WHERE} of {parameter} has an offset; write offset() in the outcome's alone")
        terms = tuple(self._term(each) for each in columns.terms)
        used = [column for term in terms for column in term.columns]
        curves = tuple(self._curve(each) for each in columns.curves)
        centred = columns.intercept and any(self.facts["columns"][each]["location"] for each in used)
        bare = BoundPredictor(parameter, columns.intercept, centred, terms, curves, ())
        groups = list(self._groups(bare, matrices.formula, columns))
        groups = [replace(each, within=self._within(each, groups)) for each in groups]
        return replace(bare, groups=tuple(groups), sheared=self._sheared(bare, groups))

    def _sheared(self, predictor: BoundPredictor, groups: Sequence[BoundGroup]) -> tuple[str, ...]:
        varying = {effect.column for group in groups for effect in group.effects} | self.products.keys()
        found = [c for term in predictor.terms for c in term.columns if c not in varying]
        return (*found, *([""] if predictor.intercept else [])) if found else ()

    def _term(self, term: Term) -> BoundTerm:
        names = tuple(f"formula:{each}" for each in term.columns)
        for name, values, scale in zip(names, term.values.T, term.scales, strict=True):
            self._use(name, values, scale, term)
        if term.labels:
            self.coords[f"{term.name}_effect"] = list(term.labels)
        own = term.name in {each.of for each in self.design.priors}
        return BoundTerm(term.name, names, bool(term.labels), own)

    def _use(self, name: str, values: np.ndarray, scale: float, term: Term) -> None:
        self.arrays[name] = values
        if term.imputed:
            self.products[name] = term.imputed
        if name not in self.columns:
            self.columns.append(name)
        if name not in self.facts["columns"]:
            location = 0.0 if term.by_levels else float(np.nanmean(self._known(name)))
            self.facts["columns"][name] = {"location": location, "scale": scale}

    def _known(self, name: str) -> np.ndarray:
        """The values of a column, nan in rows in which an imputed predictor is missing."""
        return math.prod((self.given[each] for each in self.products.get(name, ())), start=self.arrays[name])

    def _filled(self, name: str) -> np.ndarray:
        """The same with its mean where it is missing."""
        values = self._known(name)
        return np.where(np.isnan(values), np.nanmean(values), values)

    def imputations(self, main: BoundPredictor) -> list[BoundImputation]:
        """The models of imputed predictors, each with the terms of the outcome's that look at none
        but those before it."""
        found, arrays = bind_imputation.bound(self.facts["imputed"], self.given, main, self.products)
        self.arrays |= arrays
        for each in found:
            labels = (
                self.dataset[self.design.unit].values if self.design.unit in self.dataset.coords else self.frame.index
            )
            self.coords |= {each.dim: np.asarray(labels)[arrays[each.missing]]} if each.count else {}
        return found

    def _curve(self, curve: made.Curve) -> BoundCurve:
        linear, curved = f"formula:{curve.name}", [f"formula:{curve.name}.{i}" for i in range(curve.curved.shape[1])]
        self.arrays |= {linear: curve.linear, **dict(zip(curved, curve.curved.T, strict=True))}
        return BoundCurve(curve.name, linear, tuple(curved))

    def _groups(self, predictor: BoundPredictor, formula: Formula, columns: Columns) -> Iterator[BoundGroup]:
        means = {column for each in (*predictor.terms, *predictor.curves) for column in each.columns}
        means |= {""} if predictor.intercept else set()
        taken: dict[str, str] = {}
        for term, varying in zip(formula.groups, columns.effects, strict=True):
            name = ":".join(term.factors)
            size = self._members(term.factors, name)
            effects = []
            for column, label in _flat(varying):
                key = self._varying(column, label) if column else ""
                label = f"{label}_{name}" if column else name
                absorbed = key in means
                means -= {key}
                kind = ("beta" if column else "alpha") if absorbed else "delta"
                site = predictor.site(kind, label)
                if site in taken or predictor.site("sigma", label) in taken.values():
                    what = (
                        f"{WHERE}: the effect {label.removesuffix(f'_{name}') if column else 1} of {name} stands twice"
                    )
                    raise UserError(f"{what}; remove one of them")
                taken[site] = predictor.site("sigma", label)
                effects.append(BoundEffect(site, taken[site], key or None, key if absorbed else None))
            several = term.correlated and len(effects) > 1 and not self.design.unpooled
            correlation = predictor.site("correlation", name).removeprefix("correlation_") if several else None
            own = ()
            if any(each.of == "" for each in effects) and not self.design.unpooled:
                own = tuple(self._of_members(predictor, name, size, means))
                means -= {each.column for each in own}
            yield BoundGroup(name, f"{name}_index", size, tuple(effects), correlation, own)

    def _within(self, group: BoundGroup, groups: Sequence[BoundGroup]) -> frozenset[str]:
        """The groups within whose members those of a group lie, in the study's data."""
        index, known = self.arrays[group.index], self.facts["within"]
        if group.name not in known:
            others = {each.name: self.arrays[each.index] for each in groups if each.name != group.name}
            pairs = {name: np.unique(np.column_stack([index, other]), axis=0) for name, other in others.items()}
            known[group.name] = [name for name, own in pairs.items() if len(own) == len(np.unique(index))]
        return frozenset(known[group.name])

    def _of_members(self, predictor: BoundPredictor, name: str, size: int, left: set[str]) -> Iterator[OfMembers]:
        """The columns that have one value in all rows of each member, which the member's intercept
        then includes."""
        index, place = self.arrays[f"{name}_index"], f"{predictor.parameter}:{name}"
        first = np.zeros(size, int)
        first[index[::-1]] = np.arange(len(index))[::-1]
        known = self.facts.of_members.setdefault(place, {})
        members = self.coords.get(name, self.dataset[name].values if name in self.dataset.coords else range(size))
        same = self.facts.labels.setdefault(name, list(members)) == list(members)
        if not known:
            columns = [column for term in predictor.terms for column in term.columns if column in left]
            columns += [column for each in predictor.curves for column in each.columns if column in left]
            columns = [column for column in columns if column not in self.products]
            constant = [c for c in columns if np.array_equal(self.arrays[c], self.arrays[c][first][index])]
            known |= {column: self.arrays[column][first] for column in constant}
        for column, values in known.items():
            values = values if same else self.arrays[column][first]
            apart = self.arrays[column] - values[index]
            array = f"{column}@{name}"
            self.arrays[array] = values
            if np.any(apart):
                self.arrays[f"{array}:apart"] = apart
            yield OfMembers(column, array, f"{array}:apart" if np.any(apart) else None)

    def _varying(self, term: Term, column: str) -> str:
        at, key = term.columns.index(column), f"formula:{column}"
        self._use(key, term.values[:, at], term.scales[at], term)
        return key

    def _members(self, factors: tuple[str, ...], name: str) -> int:
        """Add the array of the members of a group; how many there are."""
        index, labels = made.members(factors, self.dataset, self.design.unit)
        if len(factors) > 1:
            known = self.facts["groups"].setdefault(name, labels)
            if set(labels) <= set(known):
                index, labels = np.array([known.index(each) for each in labels])[index], known
            elif set(labels) & set(known):
                raise UserError(
                    f"predictions: some rows are of known members of {name} and some are not; predict these apart"
                )
            self.coords[name] = labels
        self.arrays[f"{name}_index"] = index
        size = self.dataset.sizes[name] if len(factors) == 1 else len(labels)
        if "outcome" not in self.facts:
            self._check_members(name, size, index)
        return size

    def _check_members(self, name: str, size: int, index: np.ndarray) -> None:
        """The study's data can tell members apart, and from noise."""
        if size == 1:
            raise UserError(f"{WHERE}: {name} has one member, so nothing varies between members; remove its term")
        noise = self.design.family.free_scale and not self.design.standard_error
        if noise and np.bincount(index).max() == 1:
            what = f"{WHERE}: each row is a member of {name} of its own, which is indistinguishable from noise"
            raise UserError(f"{what}; remove the term, or name the column of known errors, `y | se(column)`")

    def per(self) -> Iterator[tuple[str, str]]:
        for name in self.design.roles.values():
            dim = self.dataset[name].dims[0] if name in self.dataset else self.design.unit
            if dim != self.design.unit and name not in self.arrays:
                yield name, f"{dim}_index"
                self.arrays.setdefault(f"{dim}_index", self.dataset[f"{dim}_index"].values)

    def gather(self, static: Mapping[str, Any], predictors: list[BoundPredictor]) -> None:
        """Facts from the study's data: scale of the outcome, how effects are sampled, and cells."""
        design = replace(self.design, offset=OFFSET) if OFFSET in self.arrays else self.design
        rows = {name: made.by_row(self.dataset, name, design.unit) for name in self.design.roles.values()}
        rows |= self.arrays | {design.outcome: self.dataset[design.outcome].values}
        data_facts.refuse(design, rows, WHERE)
        self.facts["outcome"] = data_facts.outcome_scale(design, rows, True)
        self.facts["levels"] = data_facts.levels(design, self.dataset) if design.family.link.cutpoints else 0
        self.facts["terms"] = {
            name: {term.name: list(term.labels) for term in columns.terms} for name, columns in self.found.items()
        }
        if not design.family.predictors:
            for predictor in predictors:
                self._shears(predictor, np.ones(len(self.frame)))
            return
        common = [self._filled(c) for term in predictors[0].terms for c in term.columns]
        common += [self.arrays[each.linear] for each in predictors[0].curves]
        standardized = [(each - each.mean()) / (each.std() or 1.0) for each in common]
        for predictor in predictors:
            self.facts["aliased"] += self._aliased(predictor)
        work = working(design, rows, standardized)
        for predictor in predictors:
            self._shears(predictor, work.weights)
        for predictor in predictors if not design.unpooled else ():
            self.facts["effects"] |= self._reliabilities(predictor, work)
        if static["collapse"]:
            self._collapse(design, rows, predictors)

    def _shears(self, predictor: BoundPredictor, weights: np.ndarray) -> None:
        """Keep what decorrelates the coefficients of correlated columns and the intercept."""
        terms = [[column for column in term.columns if column in predictor.sheared] for term in predictor.terms]
        columns = [[self._from_middle(predictor, column) for column in term] for term in terms if term]
        columns += [[np.ones(len(weights))]] if predictor.intercept else []
        if predictor.sheared:
            self.facts.shears[predictor.parameter] = shears(columns, weights)

    def shears_of(self, predictor: BoundPredictor) -> dict[str, np.ndarray]:
        """The arrays for this: of columns, and of the members of groups with intercepts."""
        if not predictor.sheared:
            return {}
        found = {predictor.shears: self.facts.shears[predictor.parameter]}
        included = {each.column for group in predictor.groups for each in group.own} | {""}
        for group in (each for each in predictor.groups if any(effect.column is None for effect in each.effects)):
            index = self.arrays[group.index]
            rows = np.maximum(np.bincount(index, minlength=group.size), 1)
            sums = [
                np.bincount(index, 0 * index if c in included else self._from_middle(predictor, c), group.size)
                for c in predictor.sheared
            ]
            found[predictor.shears_of(group)] = np.stack(sums, -1) / rows[:, None]
        return found

    def _from_middle(self, predictor: BoundPredictor, column: str) -> np.ndarray:
        return self.arrays[column] - self.facts["columns"][column]["location"] * predictor.intercept

    def _aliased(self, predictor: BoundPredictor) -> list[str]:
        """The columns that others before them determine, so that their coefficients rest on their
        priors."""
        names = [column for term in predictor.terms for column in term.columns]
        columns = [np.ones(len(self.frame))] if predictor.intercept else []
        columns += [self._filled(each) / (np.abs(self._filled(each)).max() or 1.0) for each in names]
        if not names:
            return []
        apart = np.abs(np.diag(np.linalg.qr(np.column_stack(columns), mode="r")))
        apart = np.append(apart, np.zeros(len(columns) - len(apart)))[len(columns) - len(names) :]
        sizes = np.array([np.linalg.norm(each) for each in columns[len(columns) - len(names) :]])
        return [
            name.removeprefix("formula:")
            for name, one, size in zip(names, apart, sizes, strict=True)
            if one <= ALIASED * size
        ]

    def _reliabilities(self, predictor: BoundPredictor, work: Working) -> dict[str, dict[str, Any]]:
        """How well the rows of members determine their effects."""
        estimates = {}
        for group in predictor.groups:
            index = self.arrays[group.index]
            for effect in group.effects:
                own = work.slopes(index, self._filled(effect.column)) if effect.column else work.means(index)
                filled = [_all(each, group.size, fill) for each, fill in zip(own, (0.0, np.inf), strict=True)]
                estimates[effect.name] = group, effect, *filled
        found = {name: data_facts.reliability(*own[2:]) for name, own in estimates.items()}
        intercepts = [own for own in estimates.values() if own[1].column is None]
        if len(intercepts) > 1:
            found |= self._apart(intercepts, work)
        return {name: each | ({"centred": False} if predictor.parameter else {}) for name, each in found.items()}

    def _apart(self, intercepts: list[tuple], work: Working) -> dict[str, dict[str, Any]]:
        """The same of the intercepts of several groups, in which the mean of a member's rows varies
        with the members of the other groups too, also where all groups that are sampled before it
        are known.

        The variances are non-negative, and their sums, in the shares that rows have, come closest
        to the variances of means.
        """
        from scipy.optimize import nnls

        index = [self.arrays[group.index] for group, *_ in intercepts]
        sizes = [group.size for group, *_ in intercepts]
        shares = [
            [_variance_of_shares(one, size, other) if one is not other else np.ones(size) for other in index]
            for one, size in zip(index, sizes, strict=True)
        ]
        errors = work.errors_apart(index, sizes)
        means = [data_facts.between_groups(own[2], error) for own, error in zip(intercepts, errors, strict=True)]
        between, _ = nnls(np.array([[float(of.mean()) for of in row] for row in shares]), np.array(means))
        found = {}
        for at, (_, effect, *_) in enumerate(intercepts):
            later = [i for i, size in enumerate(sizes) if (size, i) > (sizes[at], at)]  # as BoundPredictor.in_turn
            others = sum(between[i] * shares[at][i] for i in later)
            found[effect.name] = data_facts.reliability_of(float(between[at]), errors[at] + others)
        return found

    def _collapse(
        self, design: FormulaDesign, rows: Mapping[str, np.ndarray], predictors: list[BoundPredictor]
    ) -> None:
        """Add the cells of the rows where sums over them are exact and there are few of them."""
        (main, *others), family = predictors, design.family.name
        numbers = len(self.columns) + sum(len(each.columns) for each in main.curves)
        if others or design.standard_error or design.bounded or family not in cell_sums.SUMMED or self.products:
            return
        names = [group.index for group in main.groups]
        if family in cell_sums.EXPONENTIAL:
            names += [*self.columns, *(column for each in main.curves for column in each.columns)]
            names += offset_in_cells(design)
        elif numbers > MOST_SUMMED:
            return
        cell, first = cell_sums.cells([rows[each] for each in names], self.dataset.sizes[design.unit])
        worthwhile = cell_sums.WORTHWHILE * len(first) <= len(cell)
        self.facts["cells"] = {"rows": len(cell), "cells": len(first), "collapsed": worthwhile}
        if worthwhile:
            self.arrays |= {CELL: cell, FIRST: first}


def _predicted_levels(design: FormulaDesign, dataset: xr.Dataset) -> list[str]:
    """The levels of an outcome that have a linear predictor each, of a family with several."""
    if design.family.predictors:
        return []
    dim = f"{design.outcome}_level"
    labels = dataset[dim].values if dim in dataset.coords else range(data_facts.levels(design, dataset))
    return [str(each) for each in labels][1:]


def _flat(effects: tuple[Term | None, ...]) -> Iterator[tuple[Term | None, str]]:
    """What varies, column by column; None for the intercept."""
    for term in effects:
        yield from [(None, "")] if term is None else [(term, column) for column in term.columns]


def _variance_of_shares(index: np.ndarray, size: int, other: np.ndarray) -> np.ndarray:
    """How much the mean of a member's rows varies with the effects of the members of another group,
    beyond the mean of all rows, per unit of their variance: (members,).

    index, other: the member of each row (rows,).
    """
    pairs, counts = np.unique(np.column_stack([index, other]), axis=0, return_counts=True)
    rows = np.bincount(index, minlength=size)
    overall = np.bincount(other) / len(other)
    own = counts / rows[pairs[:, 0]]
    apart = np.bincount(pairs[:, 0], own**2 - 2 * own * overall[pairs[:, 1]], minlength=size)
    return np.maximum(apart + (overall**2).sum(), 0.0) * (rows > 0)


def _all(values: np.ndarray, size: int, fill: float) -> np.ndarray:
    """With a value for members that have no rows."""
    return np.concatenate([values, np.full(size - len(values), fill)])
