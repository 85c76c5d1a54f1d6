"""What draws of quantities say: a value with its interval and Monte Carlo error, probabilities of
statements, ranks, decisions, and how far the prior moves them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats
from scipy.stats import rankdata

from tadpool import expressions
from tadpool.answers.quantities import NEUTRAL, Quantities
from tadpool.errors import UserError
from tadpool.evaluation import power_scaling
from tadpool.evaluation.elpd import good_k
from tadpool.intervals import HIGH, LOW
from tadpool.magnitude import power_of_two
from tadpool.reliable_means import mean_is_reliable

COLUMNS = (
    *("answer", "quantity", "model", "role", "is", "value", "sd", "eti89_low", "eti89_high", "mcse", "draws"),
    *("line", "probability", "probability_mcse", "decision", "because", "truth"),
    *("rank", "rank_low", "rank_high", "p_best", "p_worst", "p_top"),
    *("prior", "weaker", "probability_weaker", "reason"),
)
"""Of answers.csv and of the group answers: one row for each quantity and model."""
NUMBERS = (
    "value",
    "sd",
    "eti89_low",
    "eti89_high",
    "mcse",
    "draws",
    "line",
    "truth",
    "probability",
    "probability_mcse",
)
NUMBERS += ("rank", "rank_low", "rank_high", "p_best", "p_worst", "p_top", "prior", "weaker", "probability_weaker")
HALF = 0.5
"""The power of the priors under which quantities are shown beside their own."""


def threshold(given: Any) -> float:
    """A number of a study, or an expression of numbers such as `log(4)`."""
    if isinstance(given, str):
        expression = expressions.parsed(given)
        if expression.names:
            raise UserError(f"{given!r} names {expression.names[0]}; write a number, or an expression of numbers")
        functions = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": abs}
        try:
            given = expression.value({}, lambda *_: None, functions)
        except KeyError as error:
            raise UserError(f"{error} cannot stand in a number") from None
    return float(given)


def summary(
    name: str, answer: Mapping[str, Any], found: Quantities, log_prior: xr.DataArray | None = None
) -> pd.DataFrame:
    """A row for each quantity of one fit, with the columns `value` to `probability_weaker`.

    log_prior: (chain, draw) of the priors that are scaled; None where prior sensitivity is not
    wanted. The column `probability` is about the statement that is asked or, of a comparison, about
    lying above no change.
    """
    draws = found.draws.values
    held, line = _statement(answer, found)
    rows = []
    for i, quantity in enumerate(found.names):
        row = {"answer": name, "quantity": quantity, **_value(draws[i], found)}
        if held is not None:
            row |= {"line": line, "probability": held[i].mean(), "probability_mcse": _mcse(held[i])}
        rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    if answer["rank"] is not None:
        table = table.assign(**_ranks(draws, answer["best"] == "highest", answer["top"]))
    if log_prior is not None:
        table = table.assign(**_by_prior(found.draws, held, table["is"].to_numpy(), log_prior))
    return table


def _statement(answer: Mapping[str, Any], found: Quantities) -> tuple[np.ndarray | None, float]:
    """Whether what is asked holds at each draw (quantity, chain, draw), and the line that decides
    it; NaN where that is a range."""
    draws = found.draws.values
    if answer["above"] is not None:
        line = threshold(answer["above"])
        return (draws > line).astype(float), line
    if answer["below"] is not None:
        line = threshold(answer["below"])
        return (draws < line).astype(float), line
    if answer["within"] is not None:
        low, high = map(threshold, answer["within"])
        return ((draws >= low) & (draws <= high)).astype(float), float("nan")
    measure = answer["pairs"] or (answer["measure"] if answer["compare"] is not None else None)
    if measure:
        line = NEUTRAL[measure] if not answer["transform"] else float("nan")
        return ((draws > line).astype(float), line) if line == line else (None, line)
    return None, float("nan")


def _value(draws: np.ndarray, found: Quantities) -> dict[str, Any]:
    low, middle, high = np.quantile(draws, [LOW, 0.5, HIGH])
    measured = {"sd": draws.std(ddof=1), "eti89_low": low, "eti89_high": high, "draws": draws.size}
    if found.statement:
        return {"is": "probability", "value": draws.mean(), "mcse": _mcse(draws), "draws": draws.size}
    if found.ratios or not mean_is_reliable(draws):
        return {"is": "median", "value": middle, "mcse": _mcse(draws, "median"), **measured}
    return {"is": "mean", "value": draws.mean(), "mcse": _mcse(draws), **measured}


def _mcse(draws: np.ndarray, method: str = "mean") -> float:
    if np.ptp(draws) == 0:
        return 0.0
    unit = power_of_two(draws.std())
    return float(unit * array_stats.mcse(draws / unit, chain_axis=0, draw_axis=1, method=method))


def _ranks(draws: np.ndarray, highest: bool, top: int) -> dict[str, np.ndarray]:
    """Rank 1 is the best member. Members with equal values share the mean of their ranks, and a
    probability in equal parts."""
    members = len(draws)
    flat = draws.reshape(members, -1) * (-1 if highest else 1)
    ranks = rankdata(flat, axis=0)
    lowest = flat.min(0) == flat
    largest = flat.max(0) == flat
    within = np.clip(top + 0.5 - ranks + 0.5, 0.0, 1.0)
    return {
        "rank": ranks.mean(1),
        "rank_low": np.quantile(ranks, LOW, axis=1, method="inverted_cdf"),
        "rank_high": np.quantile(ranks, HIGH, axis=1, method="inverted_cdf"),
        "p_best": (lowest / lowest.sum(0)).mean(1),
        "p_worst": (largest / largest.sum(0)).mean(1),
        "p_top": within.mean(1),
    }


def above_each_other(draws: np.ndarray) -> np.ndarray:
    """The probability that a member (first axis) lies above another one (second axis); draws
    (member, chain, draw)."""
    flat = draws.reshape(len(draws), -1)
    higher = np.array([(one > flat).mean(1) + 0.5 * (one == flat).mean(1) for one in flat])
    return np.where(np.eye(len(flat), dtype=bool), np.nan, higher)


def _by_prior(
    draws: xr.DataArray, held: np.ndarray | None, kinds: np.ndarray, log_prior: xr.DataArray
) -> dict[str, np.ndarray]:
    """How sensitive each quantity is to the priors, and its value and probability if the priors had
    half their weight; NaN where importance sampling cannot tell."""
    own = log_prior.sel(draw=draws["draw"]) if "draw" in draws.coords else log_prior
    named = xr.DataArray(draws.values, dims=("parameter", "chain", "draw"))
    found = {"prior": power_scaling.sensitivity(named, own.drop_vars(("chain", "draw"), errors="ignore"))}
    nothing = np.full(len(draws), np.nan)
    found |= {"weaker": nothing, "probability_weaker": nothing}
    log_weights, k = ((1 - HALF) * own).azstats.psislw(dim=["chain", "draw"])
    if float(k) <= good_k(own.size):
        weights = np.exp(log_weights.values - log_weights.values.max()).ravel()
        flat = draws.values.reshape(len(draws), -1)
        means = flat @ weights / weights.sum()
        medians = np.array([_weighted_median(each, weights) for each in flat])
        found["weaker"] = np.where(kinds == "median", medians, means)
        if held is not None:
            found["probability_weaker"] = held.reshape(len(draws), -1) @ weights / weights.sum()
    return found


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    shares = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(shares, shares[-1] / 2)])


def decided(table: pd.DataFrame, answer: Mapping[str, Any]) -> pd.DataFrame:
    """The decision of each quantity of the answer's own model: `yes` where its probability is above
    that of `decide`, `no` where it is below, and `undecided` with the reason where two Monte Carlo
    errors, priors of half the weight, or another model of the study move it over the line.

    table: rows of all models, see `summary`.
    """
    line = answer["decide"]
    if line is None:
        return table.assign(decision="", because="")
    probability = table["probability"].where(table["is"] != "probability", table["value"])
    weaker = table["probability_weaker"].where(table["is"] != "probability", table["weaker"])
    error = table["probability_mcse"].where(table["is"] != "probability", table["mcse"])
    said = np.where(probability > line, "yes", "no")
    others = {
        quantity: set(np.where(own > line, "yes", "no"))
        for quantity, own in probability[table["role"] == "other"].groupby(table["quantity"])
    }
    reasons = []
    for i, quantity in enumerate(table["quantity"]):
        why = [] if abs(probability.iloc[i] - line) > 2 * error.iloc[i] else ["Monte Carlo error"]
        moved = weaker.iloc[i]
        why += ["prior"] if not np.isnan(moved) and (moved > line) != (probability.iloc[i] > line) else []
        own = table["role"].iloc[i] == "own"
        why += ["models"] if own and others.get(quantity, {said[i]}) != {said[i]} else []
        reasons.append(", ".join(why))
    because = np.array(reasons, dtype=object)
    return table.assign(decision=np.where(because != "", "undecided", said), because=because)
