"""Test quantities of observed data against those of data sets that the fitted model replicates.

Gelman, Meng and Stern (1996), Statistica Sinica 6:733-807. The data were used to fit the model, so
tail probabilities of a correct model gather around one half: an extreme one tells more than a
middling one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats

from tadpool.intervals import HIGH, LOW

YES_NO, LEVELS, COUNTS, NUMBERS = "yes or no", "levels", "counts", "numbers"
# Both ends of what chance explains, for one quantity.
TAIL = 0.025
# Fewest rows of a member whose standard deviation says something.
SD_ROWS = 5
MOST_CELLS = 2_000_000
# Means of equal values may differ in the last digits.
TIES = 1e-10

Statistic = Callable[[np.ndarray, np.ndarray], np.ndarray]


def kind(distribution: str, observed: np.ndarray) -> str:
    """Which sort of outcome it is: YES_NO, LEVELS (of an ordered or an unordered scale), COUNTS or
    NUMBERS.

    distribution: NumPyro's name of it, "" where unknown.
    """
    if observed.dtype.kind not in "iub":
        return NUMBERS
    if distribution.startswith(("Ordered", "Categorical")):
        return LEVELS
    unknown = distribution == "" and np.isin(observed, (0, 1)).all()
    return YES_NO if distribution.startswith("Bernoulli") or unknown else COUNTS


@dataclass(frozen=True)
class Outcome:
    """One outcome, observed (units,) and replicated (chain, draw, units).

    counted, counted_replicated: which values count, (units,) and (chain, draw, units) or
    broadcastable to them; all of them where they are None. members: group -> the position of each
    unit's member (units,). first_level: what the value 0 is called where it is a level.
    """

    name: str
    kind: str
    observed: np.ndarray
    replicated: np.ndarray
    counted: np.ndarray | None = None
    counted_replicated: np.ndarray | None = None
    members: Mapping[str, np.ndarray] = field(default_factory=dict)
    first_level: int = 0


def table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """One row per quantity of each outcome.

    outcome, quantity; group: "" or the group whose members were looked at. members: how many were.
    observed: of the data, or how many members lie outside their 95 % intervals. mean, sd, median,
    eti50_low, ... eti89_high: of replicated data sets. tail_probability: P(T(replicated) >
    T(observed)) + P(=) / 2. mcse: its Monte Carlo standard error. replicates: how many data sets
    were replicated. extreme: whether chance hardly explains it. That fewer members than expected
    lie outside is no such case: a model that fits each member reproduces it.
    """
    return pd.DataFrame([row for outcome in outcomes for row in _rows(outcome)])


def tail_probability(replicated: np.ndarray, observed: float) -> tuple[float, float]:
    """P(T(replicated) > T(observed)) + P(=) / 2, the mid-p convention, and its Monte Carlo standard
    error.

    replicated: T of each replicated data set, (chain, draw). Where no draw, or hardly one, is
    beyond, the error is that of one draw more.
    """
    sizes = np.abs(replicated[np.isfinite(replicated)])
    near = TIES * max(abs(observed), float(np.median(sizes)) if sizes.size else 0.0)
    beyond = np.where(np.abs(replicated - observed) <= near, 0.5, replicated > observed)
    p, size = float(beyond.mean()), beyond.size
    # The error of dependent draws, and never below that of a share whose next draw went the other
    # way.
    lowest = (min(p, 1 - p) * size + 1) / (size + 2)
    errors = [np.sqrt(lowest * (1 - lowest) / size)]
    if np.ptp(beyond) > 0:
        errors.append(float(array_stats.mcse(beyond, method="mean")))
    return p, float(np.nanmax(errors))


def _rows(outcome: Outcome) -> Iterator[dict]:
    chains, draws, units = outcome.replicated.shape
    observed = outcome.observed.reshape(1, units)
    replicated = outcome.replicated.reshape(-1, units)
    counted = np.ones((1, units), bool) if outcome.counted is None else outcome.counted.reshape(1, units)
    if outcome.counted_replicated is None:
        kept = np.broadcast_to(counted, replicated.shape)
    else:
        kept = np.broadcast_to(outcome.counted_replicated, outcome.replicated.shape).reshape(-1, units)
    for name, statistic in _statistics(outcome).items():
        seen = float(statistic(observed, counted)[0])
        if np.isfinite(seen):
            found = _blockwise(statistic, replicated, kept).reshape(chains, draws)
            yield _row(outcome.name, name, "", 0, seen, found)
    for group, position in outcome.members.items():
        index = np.unique(position, return_inverse=True)[1]
        for name, statistic in _member_statistics(outcome.kind, index).items():
            found = _blockwise(statistic, replicated, kept)
            seen = statistic(observed, counted)[0]
            known = np.isfinite(seen) & np.isfinite(found).any(axis=0)
            if known.any():
                outside, beyond = outside_intervals(found[:, known], seen[known])
                count = outside.sum(axis=1).reshape(chains, draws).astype(float)
                yield _row(outcome.name, name, group, int(known.sum()), float(beyond.sum()), count)


def _row(outcome: str, quantity: str, group: str, members: int, observed: float, replicated: np.ndarray) -> dict:
    p, mcse = tail_probability(replicated, observed)
    values = replicated[np.isfinite(replicated)]
    quantiles = np.quantile(values, [LOW, 0.25, 0.5, 0.75, HIGH]) if values.size else np.full(5, np.nan)
    names = ("eti89_low", "eti50_low", "median", "eti50_high", "eti89_high")
    return {
        "outcome": outcome,
        "quantity": quantity,
        "group": group,
        "members": members,
        "observed": observed,
        "mean": float(values.mean()) if values.size else np.nan,
        "sd": float(values.std()) if values.size else np.nan,
        **dict(zip(names, quantiles.tolist(), strict=True)),
        "tail_probability": p,
        "mcse": mcse,
        "replicates": replicated.size,
        "extreme": p < TAIL or (p > 1 - TAIL and not group),
    }


def outside_intervals(replicated: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which members lie outside their 95 % predictive intervals: of each draw (draws, members), and
    observed (members,).

    replicated (draws, members), observed (members,): one number per member, NaN in draws where it
    has none. The ends of intervals are values that were replicated, so that the share outside of
    discrete quantities is known.
    """
    ends = np.nanquantile(replicated, [TAIL, 1 - TAIL], axis=0, method="inverted_cdf")
    near = TIES * np.abs(ends).max(axis=0)
    low, high = ends[0] - near, ends[1] + near
    return (replicated < low) | (replicated > high), (observed < low) | (observed > high)


def _statistics(outcome: Outcome) -> dict[str, Statistic]:
    """Quantities of all units. Those of a yes or no all follow from one share; levels begin and end
    with their scale."""
    if outcome.kind == YES_NO:
        return {"share of zeros": _share(0)}
    found: dict[str, Statistic] = {"mean": _mean, "sd": _sd}
    if outcome.kind == LEVELS:
        found["mean"] = lambda values, counted: _mean(values, counted) + outcome.first_level
        levels = range(int(max(outcome.observed.max(), outcome.replicated.max())) + 1)
        return found | {f"share of {level + outcome.first_level}": _share(level) for level in levels}
    if outcome.kind == COUNTS:
        found["share of zeros"] = _share(0)
    return found | {"min": _extreme(np.min, np.inf), "max": _extreme(np.max, -np.inf)}


def _blockwise(statistic: Statistic, values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """The statistic of each row of values (draws, units), of which MOST_CELLS are worked on at a
    time."""
    step = max(1, MOST_CELLS // values.shape[1])
    starts = range(0, len(values), step)
    return np.concatenate([statistic(values[i : i + step], counted[i : i + step]) for i in starts])


def _mean(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    return _ratio(np.where(counted, values, 0).sum(axis=1, dtype=float), counted.sum(axis=1))


def _sd(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    apart = np.where(counted, values - _mean(values, counted)[:, None], 0.0)
    return np.sqrt(_ratio((apart**2).sum(axis=1), counted.sum(axis=1) - 1))


def _share(value: int) -> Statistic:
    return lambda values, counted: _ratio(((values == value) & counted).sum(axis=1), counted.sum(axis=1))


def _extreme(function: Callable, missing: float) -> Statistic:
    return lambda values, counted: function(np.where(counted, values, missing), axis=1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, NaN where nothing counts."""
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)


def _member_statistics(outcome_kind: str, index: np.ndarray) -> dict[str, Statistic]:
    """Quantities of each member: functions that give (draws, members). index (units,): 0, 1, ...
    without gaps."""
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(index.max() + 1))

    def total(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values[:, order], starts, axis=1, dtype=float)

    def mean(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
        return _ratio(total(np.where(counted, values, 0)), total(counted))

    def sd(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
        rows = total(counted)
        apart = np.where(counted, values - mean(values, counted)[:, index], 0.0)
        return np.where(rows >= SD_ROWS, np.sqrt(_ratio(total(apart**2), rows - 1)), np.nan)

    return {"mean": mean} if outcome_kind == YES_NO else {"mean": mean, "sd": sd}
