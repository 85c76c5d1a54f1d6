"""What a page says of simulation-based calibrations and of recovery over grids."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.calibration.sbc_verdict import ALPHA, FAILED, FLAGGED, IMPOSSIBLE, OK
from tadpool.convergence.sentences import kind as kind_of
from tadpool.files.results import StudyResults
from tadpool.formatting import (
    counted,
    first_of,
    general,
    listed,
    measured,
    number,
    sentence,
)
from tadpool.reporting.html.tables import Column, Table


def p_value(p: float) -> str:
    """Three decimals, or that it is below what they show."""
    return "< 0.001" if p < 0.001 else number(p, 3)


COLUMNS = (
    Column("Quantity", itemgetter("quantity"), number=False),
    Column("p-value", lambda row: p_value(row["p_value"])),
    Column("50 % coverage", lambda row: number(100 * row["coverage_50"], 1) + " %"),
    Column("89 % coverage", lambda row: number(100 * row["coverage_89"], 1) + " %"),
    Column("Contraction", lambda row: number(row["contraction"], 2)),
    Column("Mean z", lambda row: number(row["z_mean"], 2)),
    Column("SD of z", lambda row: number(row["z_sd"], 2)),
)
MARKED = 0.2
FEWEST, NAMED = 10, 3
WHY_COLUMNS = (Column("Reason", itemgetter(0), number=False), Column("Fits", itemgetter(1)))


@dataclass(frozen=True)
class Calibration:
    """One calibration: its verdict, what it shows in sentences and in a few words (`finding`),
    whether flagged fits are like the fit to the data (`where`), whether ranks are not uniform
    (`uneven`), and one row per quantity, the worst first."""

    name: str
    label: str
    verdict: str
    reasons: list[dict[str, Any]]
    sentences: list[str]
    table: Table
    why: Table
    finding: str = "no numbers"
    where: str = ""
    uneven: bool = True


def calibration(results: StudyResults, name: str) -> Calibration:
    """The calibration of that name, read from its file."""
    config, tree = results.config["calibration"][name], results.calibration(name)
    attributes = tree.attrs
    verdict = attributes.get("verdict", "fail")
    crashed = {"severity": "fail", "code": "status", "values": {k: attributes[k] for k in ("status", "reason")}}
    reasons = json.loads(attributes["reasons"]) if "reasons" in attributes else [crashed]
    label = sentence(results.label(config["entry"]))
    if config["hyperparameters"]:
        changed = listed([f"{key} = {general(value)}" for key, value in config["hyperparameters"].items()])
        label = f"{label}, with {changed}"
    if attributes["status"] != "ok":
        return Calibration(name, label, verdict, reasons, [], Table(COLUMNS, []), Table(WHY_COLUMNS, []))
    simulations, quantities = tree["simulations"].to_dataset(), tree["quantities"].to_dataset()
    order = np.argsort(quantities["p_value"].values, kind="stable")
    rows = quantities.isel(quantity=order).to_dataframe().reset_index().to_dict("records")
    why = _why(simulations["reason"].values[simulations["outcome"].values != OK])
    where = _where_flagged(results, config["entry"], simulations)
    told = [*_sentences(simulations, quantities), *where]
    told += _other_parametrization(results, config)
    found = _finding(simulations, quantities, results.named)
    uneven = bool(_uneven(quantities))
    return Calibration(name, label, verdict, reasons, told, Table(COLUMNS, rows), why, found, " ".join(where), uneven)


def _other_parametrization(results: StudyResults, config: Mapping[str, Any]) -> list[str]:
    """That the fit of the page was sampled with other hyperparameters than the calibrated one."""
    own = results.config["models"][config["entry"]]["hyperparameters"]
    other = [key for key, value in config["hyperparameters"].items() if own.get(key) != value]
    if not other:
        return []
    return [
        f"The calibrated fits differ from the fit of {results.label(config['entry'])} on this page in {listed(other)}. If that "
        "only changes how the model is sampled, its posterior is calibrated all the same."
    ]


def _finding(simulations: xr.Dataset, quantities: xr.Dataset, named: Callable[[str], str]) -> str:
    """What it found in a few words. named: a quantity, in the words of its study."""
    outcome, p = simulations["outcome"].values, quantities["p_value"].values
    bad, flagged = int((~(p >= ALPHA / len(p))).sum()), int((outcome == FLAGGED).sum())
    ranks = (
        f"ranks of {bad} of {len(p)} quantities not uniform: {_uneven(quantities, named)}"
        if bad
        else f"ranks uniform for {len(p)} of {len(p)}"
    )
    return ranks + (f", {flagged} of {len(outcome)} fits flagged" if flagged else "")


def _uneven(quantities: xr.Dataset, named: Callable[[str], str] = str) -> str:
    """The quantities whose ranks are not uniform, the worst first."""
    worst = quantities.sortby("p_value")
    names = worst["quantity"].values[~(worst["p_value"].values >= ALPHA / worst.sizes["quantity"])]
    return first_of([named(str(name)) for name in names], NAMED)


def _where_flagged(results: StudyResults, entry: str, simulations: xr.Dataset) -> list[str]:
    """Whether fits with warnings are like the fit to the data: how many are flagged among
    simulations whose true value lies in the 89 % interval of the fit, and among the others.

    It is said for the parameter by which these shares differ most, where they differ by more than
    MARKED and both are of at least FEWEST simulations.
    """
    outcome = simulations["outcome"].values
    flagged, known = outcome == FLAGGED, (outcome == FLAGGED) | (outcome == OK)
    if not flagged.any() or results.check(entry)["verdict"] == "fail":
        return []
    own = {row["parameter"]: row for row in results.check(entry).get("parameters", [])}
    found = []
    for name in simulations["quantity"].values:
        row = own.get(str(name))
        if row is None or row.get("eti89_low") is None:
            continue
        truth = simulations["truth"].sel(quantity=name).values
        inside = (row["eti89_low"] <= truth) & (truth <= row["eti89_high"])
        near, far = flagged[known & inside], flagged[known & ~inside]
        if min(near.size, far.size) >= FEWEST:
            found.append((far.mean() - near.mean(), str(name), near, far, row))
    most = max(found, key=lambda each: abs(each[0]), default=None)
    if most is None or abs(most[0]) < MARKED:
        return []
    _, name, near, far, row = most
    low, high = (measured(row[key], 2) for key in ("eti89_low", "eti89_high"))
    return [
        f"Of the {near.size} data sets whose true {name} lies where the data of this study put it ({low} to {high}), "
        f"{int(near.sum())} were flagged; of the other {far.size}, {int(far.sum())}."
    ]


def _why(reasons: np.ndarray) -> Table:
    """Reasons without the numbers of one fit, each with the number of fits that have it, the most
    frequent first."""
    parts = [part for reason in reasons.tolist() for part in dict.fromkeys(map(kind_of, json.loads(reason)))]
    found = pd.Series(parts, dtype=object).value_counts()
    rows = [(words, str(count)) for words, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))]
    return Table(WHY_COLUMNS, rows)


def _sentences(simulations: xr.Dataset, quantities: xr.Dataset) -> list[str]:
    outcome = simulations["outcome"].values
    counts = {kind: int((outcome == kind).sum()) for kind in (OK, FLAGGED, FAILED, IMPOSSIBLE)}
    ranked = counts[OK] + counts[FLAGGED]
    total, p = len(outcome), quantities["p_value"].values
    sentences = [
        f"{counted(total, 'data set')} {'was' if total == 1 else 'were'} simulated from the model and its prior."
    ]
    if not ranked:
        return [*sentences, "None of them could be fitted."]
    worst, threshold = int(np.nanargmin(p)), ALPHA / len(p)
    names = quantities["quantity"].values
    bad = int((p < threshold).sum())
    stands = (
        f"The ranks of {bad} of {counted(len(p), 'quantity')} are not uniform ({_uneven(quantities)}): their intervals do not "
        "cover as they say, at least for some data."
        if bad
        else f"The ranks of all {len(p)} quantities are consistent with a calibrated sampler."
    )
    sentences.append(
        f"{stands} The smallest p-value is {p_value(p[worst])} ({names[worst]}); the threshold is {threshold:.2g} "
        f"({ALPHA:g}, Bonferroni-corrected for {counted(len(p), 'test')})."
    )
    inside = quantities["coverage_89"].values
    sentences.append(
        f"Of the 89 % intervals, {number(100 * inside.mean(), 1)} % cover the truth on average over the quantities "
        f"({number(100 * inside.min(), 1)} % to {number(100 * inside.max(), 1)} %), and of the 50 % intervals "
        f"{number(100 * quantities['coverage_50'].values.mean(), 1)} %."
    )
    if counts[FLAGGED]:
        share = number(100 * counts[FLAGGED] / ranked, 1)
        sentences.append(
            f"{counts[FLAGGED]} of {ranked} fits ({share} %) did not pass the convergence check; their ranks are counted "
            "all the same, because leaving them out would hide where the sampler has trouble."
        )
    for kind, words in (
        (FAILED, "failed and have no ranks"),
        (IMPOSSIBLE, "contained impossible values (overflow, or outside the outcome's support) and were skipped"),
    ):
        if counts[kind]:
            sentences.append(f"{counted(counts[kind], 'data set')} {words}.")
    mixed = float(quantities["poorly_mixed"].max())
    if mixed > 0:
        where = names[int(quantities["poorly_mixed"].values.argmax())]
        sentences.append(
            f"In up to {number(100 * mixed, 1)} % of fits ({where}) the effective sample size is below the number of draws "
            "among which the truth is ranked, so ranks are more extreme than they should be."
        )
    return sentences
