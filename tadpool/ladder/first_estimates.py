"""A quick look at how much a group's own rows say: one step of iteratively reweighted least squares
from the overall mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tadpool.modelling.design import Design
from tadpool.modelling.families import Family

SWEEPS = 20
"""Times that the means of several groups are taken off in turn."""


@dataclass(frozen=True)
class Working:
    """Working residuals on the scale of the link and their weights (rows,), with no predictor's
    part left in them.

    known_dispersion: whether 1 / weight is the variance of a residual; otherwise it is so up to a
    factor.
    """

    residuals: np.ndarray
    weights: np.ndarray
    known_dispersion: bool

    @classmethod
    def of_measurements(cls, values: np.ndarray) -> "Working":
        return cls(values - values.mean(), np.ones(len(values)), False)

    def means(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each group's mean and its squared standard error, (groups,) each."""
        total = np.bincount(index, self.weights)
        means = _ratio(np.bincount(index, self.weights * self.residuals), total, 0.0)
        dispersion = self._dispersion(self.residuals - means[index], int((total > 0).sum()))
        return means, _ratio(dispersion, total, np.inf)

    def errors_apart(self, index: Sequence[np.ndarray], sizes: Sequence[int]) -> list[np.ndarray]:
        """The squared standard errors of the means of several groups, by the variance that is left
        when all of them are taken off: of each group (members,), infinite without rows."""
        left = self.residuals
        for _ in range(SWEEPS):
            for each in index:
                total = np.bincount(each, self.weights)
                left = left - _ratio(np.bincount(each, self.weights * left), total, 0.0)[each]
        dispersion = self._dispersion(left, 1 + sum(size - 1 for size in sizes))
        totals = [np.bincount(each, self.weights, size) for each, size in zip(index, sizes, strict=True)]
        return [_ratio(dispersion, total, np.inf) for total in totals]

    def slopes(self, index: np.ndarray, predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each group's slope and its squared standard error, infinite where the predictor does not
        vary in the group."""
        total = np.bincount(index, self.weights)
        apart = predictor - _ratio(np.bincount(index, self.weights * predictor), total, 0.0)[index]
        residuals = self.residuals - self.means(index)[0][index]
        squares = np.bincount(index, self.weights * apart**2)
        varies = squares > 1e-9 * max(squares.max(), 1e-300)
        squares = np.where(varies, squares, 0.0)
        slopes = _ratio(np.bincount(index, self.weights * apart * residuals), squares, 0.0)
        dispersion = self._dispersion(residuals - slopes[index] * apart, len(total) + int(varies.sum()))
        return slopes, _ratio(dispersion, squares, np.inf)

    def _dispersion(self, residuals: np.ndarray, parameters: int) -> float:
        """Infinite where no row is left to estimate it from."""
        if self.known_dispersion:
            return 1.0
        left = np.count_nonzero(self.weights) - parameters
        return float((self.weights * residuals**2).sum() / left) if left > 0 else np.inf


def working(design: Design, rows: Mapping[str, np.ndarray], columns: Sequence[np.ndarray]) -> Working:
    """Working residuals of an outcome. Levels of an ordered one count as numbers: only shares of
    variance are asked for.

    Args:
        design: The design.
        rows: Its variables (rows,) by name.
        columns: What its predictors are made of, (rows,) each, beside an intercept.

    Returns:
        The residuals, with no predictor's part left in them, and their weights.

    Raises:
        KeyError: The link of the family has no first estimates.
    """
    outcome, family = rows[design.outcome].astype(float), design.family
    offset = rows[design.offset].astype(float) if design.offset else np.zeros(len(outcome))
    match family.link.name:
        case "log":
            exposure = np.exp(offset) * (rows[design.exposure] if design.exposure else 1.0)
            response, weights = _logs(family, outcome, exposure)
        case "logit":
            trials = rows[design.trials].astype(float) if design.trials else np.ones(len(outcome))
            share = (outcome.sum() + 0.5) / (trials.sum() + 1)
            weights = trials * share * (1 - share)
            response = _ratio(outcome - trials * share, weights, 0.0)
        case "tan_half":
            centre = np.arctan2(np.sin(outcome).mean(), np.cos(outcome).mean())
            slope = 0.5 / max(np.cos(centre / 2) ** 2, 1e-3)
            response, weights = slope * np.sin(outcome - centre), np.ones(len(outcome))
        case "identity" | "ordered" | "ordered_probit":
            weights = rows[design.standard_error] ** -2.0 if design.standard_error else np.ones(len(outcome))
            response = outcome - offset
        case link:
            raise KeyError(f"no first estimates for the link {link!r} of the family {family.name!r}")
    root = np.sqrt(weights)[:, None]
    columns = np.column_stack([np.ones(len(outcome)), *columns])
    found = np.linalg.lstsq(columns * root, response * root[:, 0], rcond=None)[0]
    return Working(response - columns @ found, weights, family.known_variance or design.standard_error is not None)


def informative(family: Family, outcome: np.ndarray) -> np.ndarray:
    """Where an outcome has information about the linear predictor, bool (rows,)."""
    above = outcome > 0
    return above if family.zeros_apart and above.any() else np.ones(len(outcome), bool)


def _logs(family: Family, outcome: np.ndarray, exposure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Working response and weights (rows,) of a log link: the variance of counts is as their mean,
    that of measured outcomes as its square."""
    present = informative(family, outcome)
    if family.link.multiplied == "median":
        return np.log(np.where(present, outcome, 1.0) / exposure), present.astype(float)
    smallest = 0.5 if family.counted else 0.0
    mean = max(outcome[present].sum(), smallest) / exposure[present].sum() * exposure
    return (outcome - mean) / mean, present * (mean if family.counted else 1.0)


def _ratio(above: np.ndarray | float, below: np.ndarray, otherwise: float) -> np.ndarray:
    return np.divide(above, below, out=np.full(len(below), otherwise), where=below > 0)


def columns_of(design: Design, rows: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """What the predictors of a design are made of, (rows,) each."""
    columns = []
    for each in design.predictors:
        if each.kind == "categorical":
            index = rows[each.variable]
            columns += [(index == level).astype(float) for level in range(1, int(index.max()) + 1)]
        else:
            values = rows[each.name].astype(float)
            columns.append((values - values.mean()) / (values.std() or 1.0))
    return columns
