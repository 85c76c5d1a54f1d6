"""The columns of a formula on a dataset, by `formulae`: evaluated on the study's data, whose
levels, knots and constants stay when other rows are looked at."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from formulae.environment import Environment
from formulae.terms import Intercept, Model
from formulae.transforms import ThinPlateRegressionSpline

from tadpool.errors import UserError
from tadpool.formula import syntax
from tadpool.formula.syntax import Formula, Smooth
from tadpool.modelling.design import Predictor
from tadpool.modelling.formula_design import FormulaDesign
from tadpool.modelling.group_means import held_mean

FUNCTIONS = {name: getattr(np, name) for name in syntax.TRANSFORMS if name != "I"}
OFFSET = "offset"


@dataclass(frozen=True)
class Term:
    """Columns of one term.

    Attributes:
        name: The term, without spaces.
        labels: What tells its columns apart; () where it has one that needs no label.
        values: The columns (rows, columns).
        scales: Of each column, the product of the standard deviations of its numbers: 1 of one that
            is 0 and 1 for a level, whose effect is that of a whole step.
        by_levels: Whether all columns are of the latter kind.
        imputed: The imputed columns of the table that it is a product of, whose values `values` do
            not contain.
    """

    name: str
    labels: tuple[str, ...]
    values: np.ndarray
    scales: tuple[float, ...]
    by_levels: bool
    imputed: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """A name for each column."""
        return [f"{self.name}.{label}" for label in self.labels] or [self.name]


@dataclass(frozen=True)
class Curve:
    """Columns of a smooth: `linear` (rows,), of mean 0 and standard deviation 1, and `curved`
    (rows, columns), whose coefficients have a common standard deviation, in units in which it is
    the typical size of the curve."""

    name: str
    linear: np.ndarray
    curved: np.ndarray


@dataclass(frozen=True)
class Columns:
    """A formula's columns on some rows.

    Attributes:
        intercept: Whether it has one.
        terms: Its common terms.
        offset: What is added (rows,), or 0.
        curves: Its smooths.
        effects: Of each of its group terms, what varies: a Term, or None for the intercept.
    """

    intercept: bool
    terms: tuple[Term, ...]
    offset: np.ndarray | float
    curves: tuple[Curve, ...]
    effects: tuple[tuple[Term | None, ...], ...]


@dataclass
class Matrices:
    """A formula that remembers the data on which it was evaluated first.

    Attributes:
        formula: The formula.
        kinds: Kind of each column that it looks at.
        where: Its place, as messages name it.
        imputed: Imputed column -> standard deviation of what is known of it. The table has 1 in
            each of its rows.
    """

    formula: Formula
    kinds: Mapping[str, str]
    where: str
    imputed: Mapping[str, float] = field(default_factory=dict)
    _common: Model | None = field(default=None, repr=False)
    _groups: list[Model] = field(default_factory=list, repr=False)
    _smooths: list[Callable[[pd.DataFrame], tuple[np.ndarray, np.ndarray]]] = field(default_factory=list, repr=False)
    _frame: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    def __call__(self, frame: pd.DataFrame) -> Columns:
        """The columns on the rows of a table.

        Raises:
            UserError: A term cannot be computed from the rows.
        """
        try:
            with np.errstate(all="ignore"):  # what is no finite number is refused below
                return self._evaluated(frame)
        except (ValueError, TypeError, KeyError, np.linalg.LinAlgError) as error:
            raise UserError(f"{self.where}: the formula cannot be computed: {error}") from error

    def _evaluated(self, frame: pd.DataFrame) -> Columns:
        self._frame = frame
        if self._common is None:
            self._fit(frame)
            return self._columns(frame, lambda term: term.data)
        return self._columns(frame, lambda term: term.eval_new_data(frame))

    def _fit(self, frame: pd.DataFrame) -> None:
        for column, level in self.formula.levels:
            known = (
                frame[column].astype(str).unique()
                if self.kinds[column] != "categorical"
                else frame[column].cat.categories
            )
            if level not in list(known):
                what = f"{self.where}: {level!r} is not a level of {column}"
                raise UserError(f"{what}; write one of {', '.join(map(repr, known[:20]))}")
        environment = Environment([FUNCTIONS | {syntax.GROUP_MEAN: self._group_mean}])
        self._smooths = [_smooth(each, frame, environment, self.where) for each in self.formula.smooths]
        self._groups = [syntax.model(each.left) for each in self.formula.groups]
        for model in self._groups:
            model.eval(frame, environment)
        self._common = syntax.model(self.formula.common)
        self._common.eval(frame, environment)

    def _group_mean(self, values: pd.Series, members: pd.Series) -> np.ndarray:
        """Of each row, the mean of the values in the rows of its member, or what stands in for it
        (rows,)."""
        held = held_mean(str(values.name), str(members.name))
        if held in self._frame:
            return self._frame[held].to_numpy()
        return values.groupby(members, observed=True).transform("mean").to_numpy()

    def _columns(self, frame: pd.DataFrame, read: Callable[[Any], np.ndarray]) -> Columns:
        offset: np.ndarray | float = 0.0
        terms, intercept = [], False
        for term in self._common.common_terms:
            if isinstance(term, Intercept):
                intercept = True
            elif term.kind == OFFSET:
                offset = offset + np.asarray(read(term), float).reshape(len(frame))
            else:
                terms.append(self._term(term, read(term)))
        curves = tuple(
            Curve(smooth.name, *evaluated(frame))
            for smooth, evaluated in zip(self.formula.smooths, self._smooths, strict=True)
        )
        effects = tuple(self._effects(model, read) for model in self._groups)
        return Columns(intercept, tuple(terms), offset, curves, effects)

    def _effects(self, model: Model, read: Callable) -> tuple[Term | None, ...]:
        return tuple(None if isinstance(t, Intercept) else self._term(t, read(t)) for t in model.common_terms)

    def _term(self, term: Any, values: np.ndarray) -> Term:
        values = np.asarray(values, float).reshape(len(values), -1)
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values).all(1))[0]) + 1
            what = f"{self.where}: the term {term.name} is not finite in row {row}"
            raise UserError(
                f"{what}, such as log(0), or poly() of fewer values than its degree; correct the formula or the table"
            )
        labels, scales = zip(*(self._of_columns(component) for component in term.components), strict=True)
        crossed = [":".join(filter(None, each)) for each in itertools.product(*labels)]
        products = tuple(float(np.prod(each)) for each in itertools.product(*scales))
        steps = all(each.kind == "categoric" or self.kinds.get(str(each.name)) == "binary" for each in term.components)
        imputed = tuple(name for each in term.components if (name := str(each.name)) in self.imputed)
        labels_of_columns = tuple(crossed) if any(crossed) else ()
        return Term(syntax.term_name(term), labels_of_columns, values, products, steps, imputed)

    def _of_columns(self, component: Any) -> tuple[list[str], list[float]]:
        """What tells the columns of one factor of a term apart, "" for one that has but one number,
        and their scales."""
        if component.kind == "categoric":
            labels = list(map(str, component.contrast_matrix.labels))
            return labels, [1.0] * len(labels)
        columns = np.asarray(component.value, float).reshape(len(component.value), -1)
        wide = [""] if np.ndim(component.value) == 1 else [str(i) for i in range(1, columns.shape[1] + 1)]
        if self.kinds.get(str(component.name)) == "binary":
            return wide, [1.0]
        if str(component.name) in self.imputed:
            return wide, [self.imputed[str(component.name)]]
        return wide, [float(sd) or 1.0 for sd in columns.std(0)]


def _smooth(smooth: Smooth, frame: pd.DataFrame, environment: Environment, where: str) -> Callable:
    """A smooth, fitted to a column: penalized by its curvature, as a straight line and deviations
    that share a standard deviation (Wood 2017, Generalized Additive Models, section 5.8)."""
    (term,) = syntax.model(smooth.of).common_terms
    term.set_type(frame, environment)
    term.set_data(False)
    values, spline = np.asarray(term.data, float), ThinPlateRegressionSpline()
    if (different := len(np.unique(values))) <= smooth.size:
        what = f"{smooth.name} has {smooth.size} coefficients and its variable {different} different values"
        raise UserError(f"{where}: {what}; write a k below these, or the variable alone")
    spline(values, df=smooth.size, center=True)
    basis = spline.to_random()
    size = np.sqrt((basis[:, 1:] ** 2).sum(1).mean())

    def evaluated(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        found = spline.to_random(spline.eval(np.asarray(term.eval_new_data(rows), float)))
        return found[:, 0], found[:, 1:] / size

    return evaluated


def frame(design: FormulaDesign, dataset: xr.Dataset) -> pd.DataFrame:
    """The columns that a formula's terms look at, with one row for each unit: numbers, categories
    in the order of their levels, whose first one is the reference, and what stands in for group
    means."""
    columns = {each.name: _column(each, dataset, design.unit) for each in design.predictors}
    held = [held_mean(one.name, other.name) for one, other in itertools.permutations(design.predictors, 2)]
    columns |= {name: dataset[name].values for name in held if name in dataset}
    return pd.DataFrame(columns, index=range(dataset.sizes[design.unit]))


def _column(predictor: Predictor, dataset: xr.Dataset, unit: str) -> Any:
    values = by_row(dataset, predictor.variable, unit)
    if predictor.levels_dim is None:
        return values.astype(float)
    labels = dataset[predictor.levels_dim].values if predictor.levels_dim in dataset.coords else range(values.max() + 1)
    return pd.Categorical.from_codes(values.astype(int), [str(each) for each in labels], ordered=True)


def by_row(dataset: xr.Dataset, name: str, unit: str) -> np.ndarray:
    """A variable with one value for each row, of one with a value for each row or each member of a
    group."""
    if name == f"{unit}_index":
        return np.arange(dataset.sizes[unit])
    variable = dataset[name]
    (dim,) = variable.dims
    return variable.values if dim == unit else variable.values[dataset[f"{dim}_index"].values]


def members(factors: Sequence[str], dataset: xr.Dataset, unit: str) -> tuple[np.ndarray, list[str]]:
    """The member of each row (rows,), and the names of members: of one group those of its dim, of a
    combination of groups those that occur."""
    codes = [by_row(dataset, f"{each}_index", unit) for each in factors]
    labels = [dataset[each].values for each in factors]
    if len(factors) == 1:
        return codes[0], [str(each) for each in labels[0]]
    found, index = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
    return index.reshape(-1), [":".join(str(label[i]) for label, i in zip(labels, row, strict=True)) for row in found]
