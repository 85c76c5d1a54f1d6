"""What the data of a study say about themselves: members whose outcomes are all the same,
predictors that never occur together, and predictors that others determine."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import xarray as xr

from tadpool.files.results import StudyResults
from tadpool.formatting import counted, plural, whole

FEWEST_ROWS = 2
EXACT = 1 - 1e-9


def remarks(results: StudyResults) -> list[str]:
    """The remarks in sentences, none where there is nothing to remark."""
    return [*_separated(results), *_apart(results)]


def _separated(results: StudyResults) -> Iterator[str]:
    """Members whose yes-or-no outcomes are all 0 or all 1: their own effect has no finite maximum
    of the likelihood (separation)."""
    data, unit = results.data, results.config["unit"]
    for outcome in results.config["outcomes"]:
        values = data[outcome]
        if values.dims != (unit,) or values.dtype.kind not in "iub" or not np.isin(values.values, (0, 1)).all():
            continue
        if outcome in results.config["observed_where"]:
            continue
        for group in _groups(results):
            index = data[f"{group}_index"].values
            rows = np.bincount(index, minlength=data.sizes[group])
            ones = np.bincount(index, values.values, minlength=data.sizes[group])
            alike = (rows >= FEWEST_ROWS) & ((ones == 0) | (ones == rows))
            if alike.any():
                several = counted(int((rows >= FEWEST_ROWS).sum()), group)
                yield (
                    f"{int(alike.sum())} of {several} with at least {FEWEST_ROWS} rows have values of {outcome} that are "
                    f"all 0 or all 1 ({whole(rows[alike].sum())} of {counted(len(index), unit)}). Without pooling, the "
                    f"effect of such {plural(group)} has no finite estimate but what its prior gives (separation)."
                )


def _groups(results: StudyResults) -> list[str]:
    """Groups of the study other than the unit that have an index over its rows."""
    data, unit = results.data, results.config["unit"]
    named = [group for group in results.config["groups"] if group != unit and f"{group}_index" in data]
    return [group for group in named if data[f"{group}_index"].dims == (unit,) and group in data.dims]


def _apart(results: StudyResults) -> Iterator[str]:
    """Pairs of predictors of which one is never 1 where the other is, and pairs that determine each
    other."""
    data, unit = results.data, results.config["unit"]
    used = {*results.config["outcomes"], *results.config["observed_where"].values()}
    columns = {
        str(name): variable
        for name, variable in data.items()
        if variable.dims == (unit,) and variable.dtype.kind in "iufb" and str(name) not in used
        and not str(name).endswith("_index")
    }  # fmt: skip
    for (one, first), (other, second) in combinations(columns.items(), 2):
        if _is_yes_no(first) and _is_yes_no(second) and not (first.values * second.values).any():
            yield (
                f"{one} and {other} are never both 1: the coefficient of each compares its rows with rows that have "
                f"neither, and nothing is known of the two together."
            )
        elif _correlation(first, second) > EXACT:
            yield (
                f"{one} and {other} determine each other: the data do not tell their effects apart, and in a model with "
                "both these rest on their priors."
            )


def _is_yes_no(variable: xr.DataArray) -> bool:
    return np.unique(variable.values).tolist() == [0, 1]


def _correlation(first: xr.DataArray, second: xr.DataArray) -> float:
    """Absolute correlation; 0 where one is constant or has gaps."""
    one, other = (each.values.astype(float) - each.values.astype(float).mean() for each in (first, second))
    scale = np.sqrt((one**2).sum() * (other**2).sum())
    return float(abs((one * other).sum()) / scale) if np.isfinite(scale) and scale > 0 else 0.0
