"""A mean or median of draws with its 89 % interval, in words."""

import numpy as np

from tadpool.files.results import StudyResults
from tadpool.formatting import decimals_for, number
from tadpool.intervals import HIGH, LOW
from tadpool.modelling.references import design_of, formula_of, reference
from tadpool.reliable_means import mean_is_reliable

NORMAL_WIDTH = 3.2
"""Standard deviations in the 89 % interval of a normal distribution."""


def has_expectation(results: StudyResults, entry: str) -> bool:
    """Whether predicted outcomes are known to have one: not where they are exponentials of the
    effect of a new member of a group, whose standard deviation is uncertain."""
    model = reference(results.config, entry)
    design = formula_of(model) or design_of(model)
    return not (results.config["predictions"][entry]["group"] and design and design.family.link.name == "log")


def interval(values: np.ndarray, units: str | None = None, exponential: bool = False) -> str:
    """`1.2 log-odds (89 % interval 0.4 to 2.1)`: mean and equal-tailed interval of draws.

    exponential: whether the draws are exponentials of others. Their expectation need not exist,
    since the posterior of a standard deviation has no light tail, and a mean of draws would depend
    on the largest few. Then, and where the draws themselves have such a tail, the median stands in
    its place: `1.2 (median, 89 % interval ...)`.
    """
    low, middle, high = np.quantile(values, [LOW, 0.5, HIGH])
    if exponential or not mean_is_reliable(values):
        # Two digits of the narrower side, so that neither end is 0 where the other one is far.
        decimals = decimals_for(min(middle - low, high - middle) or middle, 2)
        return _words(middle, units, "median, ", low, high, decimals)
    return _words(values.mean(), units, "", low, high, decimals_for(values.std(), 2))


def _words(value: float, units: str | None, which: str, low: float, high: float, decimals: int) -> str:
    value, low, high = (number(each, decimals) for each in (value, low, high))
    return f"{value}{f' {units}' if units else ''} ({which}89 % interval {low} to {high})"
