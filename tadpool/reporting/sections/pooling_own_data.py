"""What the data of each group say by themselves, before any model: the numbers that stand beside
its estimates."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from tadpool.formatting import MISSING, decimals_for, general, number
from tadpool.ladder.data_facts import by_row
from tadpool.modelling.design import Design
from tadpool.modelling.families import LOGIT
from tadpool.reporting.sections.data import levels


def own_data(design: Design, data: xr.Dataset) -> list[str]:
    """The rows of each member of the design's first group in a few words, in the order of the
    members.

    `r/n` of successes and trials; `sum/exposure` of counts with one; the median level of an ordered
    outcome; else the mean, with its standard error where the standard errors of rows are known and
    weigh them, or with the number of rows.
    """
    rows = by_row(design, data)
    index, outcome = rows[f"{design.group}_index"], rows[design.outcome]
    members = [np.flatnonzero(index == member) for member in range(data.sizes[design.group])]
    return [_words(design, rows, of, levels(data[design.outcome]), outcome.std()) for of in members]


def _words(
    design: Design,
    rows: Mapping[str, np.ndarray],
    of: Sequence[int],
    names: Mapping[int, str],
    spread: float,
) -> str:
    """Of the rows `of`. names: of the levels. spread: standard deviation of all outcomes, which
    gives the decimals."""
    outcome, link = rows[design.outcome][of], design.family.link
    if not len(of):
        return MISSING
    if link == LOGIT:
        trials = rows[design.trials][of].sum() if design.trials else len(of)
        return f"{general(outcome.sum().item())}/{general(int(trials))}"
    if design.exposure:
        return f"{general(outcome.sum().item())}/{general(rows[design.exposure][of].sum().item())}"
    if link.cutpoints:
        median = np.quantile(outcome, 0.5, method="lower").item()
        return (
            f"{names.get(median, general(median))} ({len(of)} rows)" if len(of) > 1 else names.get(median, str(median))
        )
    if design.standard_error:
        return _weighted(outcome, rows[design.standard_error][of])
    if len(of) == 1:
        return general(outcome.item())
    return f"{number(outcome.mean(), decimals_for(spread / np.sqrt(len(of)), 2))} ({len(of)} rows)"


def _weighted(outcome: np.ndarray, errors: np.ndarray) -> str:
    """The mean by inverse variances and its standard error; of one row both as they stand in the
    table."""
    if len(outcome) == 1:
        return f"{general(outcome.item())} ± {general(errors.item())}"
    precision = errors**-2.0
    error = precision.sum() ** -0.5
    mean, error = (
        number(each, decimals_for(error, 2)) for each in ((precision * outcome).sum() / precision.sum(), error)
    )
    return f"{mean} ± {error}"
