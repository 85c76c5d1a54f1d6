"""What a page says of simulation-based calibrations and of recovery over grids."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.calibration import recovery_table as recoveries
from tadpool.calibration.sbc_verdict import ALPHA, FAILED, FLAGGED, IMPOSSIBLE, OK
from tadpool.convergence.sentences import kind as kind_of
from tadpool.files.results import StudyResults
from tadpool.formatting import MISSING, counted, decimals_for, general, listed, measured, number, sentence, whole
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
WHY_COLUMNS = (Column("Reason", itemgetter(0), number=False), Column("Fits", itemgetter(1)))


def _with_error(row: Mapping[str, Any], key: str) -> str:
    """With two decimals, or the digits that the error does not change where units are small or
    large."""
    error = row[f"{key}_mcse"]
    own = decimals_for(error, 2)
    decimals = own if own < 0 or own > 4 else 2
    return f"{number(row[key], decimals)} ± {number(error, decimals)}" if row["n"] else MISSING


GRID_COLUMNS = (
    Column("Bias ± its error", lambda row: _with_error(row, "bias")),
    Column("RMSE ± its error", lambda row: _with_error(row, "rmse")),
    Column("Coverage ± its error", lambda row: _with_error(row, "coverage")),
    Column("Fits", lambda row: whole(row["n"])),
    Column("Flagged", lambda row: whole(row[FLAGGED])),
    Column("Failed", lambda row: whole(row[FAILED])),
    Column("Impossible", lambda row: whole(row[IMPOSSIBLE])),
)


@dataclass(frozen=True)
class Calibration:
    """One calibration: its verdict, what it shows in sentences, and one row per quantity, the worst
    first."""

    name: str
    label: str
    verdict: str
    reasons: list[dict[str, Any]]
    sentences: list[str]
    table: Table
    why: Table


@dataclass(frozen=True)
class Recovery:
    """One recovery study: what it shows in sentences, and one row per entry, parameter and cell."""

    name: str
    over: list[str]
    sentences: list[str]
    table: Table


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
    return Calibration(name, label, verdict, reasons, _sentences(simulations, quantities), Table(COLUMNS, rows), why)


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
        f"The ranks of {bad} of {counted(len(p), 'quantity')} are not uniform: the sampler is not calibrated for this model."
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


def recovery(results: StudyResults, name: str) -> Recovery:
    """The recovery study of that name, read from its files."""
    config = results.config["recovery"][name]
    over = list(config["over"])
    frames, crashed = [], []
    for entry in config["entries"]:
        tree = results.recovery(name, entry)
        if tree.attrs["status"] != "ok":
            crashed.append(f"{results.label(entry)} has no numbers: {tree.attrs['reason']}.")
            continue
        frames.append(recoveries.grid(tree).to_dataframe().reset_index().assign(label=results.label(entry)))
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    columns = (
        Column("Model", itemgetter("label"), number=False),
        Column("Parameter", itemgetter("parameter"), number=False),
        *(Column(axis, lambda row, axis=axis: general(row[axis]), own=True) for axis in over),
        *GRID_COLUMNS,
    )
    sentences = [*_read(table, over, config["replicates"]), *crashed]
    return Recovery(name, over, sentences, Table(columns, table.to_dict("records")))


def _read(table: pd.DataFrame, over: list[str], replicates: int) -> list[str]:
    if table.empty or not table["n"].any():
        return []
    sentences = [f"Each cell of the grid over {listed(over)} is {counted(replicates, 'simulated data set')}."]
    for parameter, part in table[table["n"] > 0].groupby("parameter", sort=False):
        by_label = part.groupby("label", sort=False)
        worst = {label: own.loc[own["bias"].abs().idxmax()] for label, own in by_label}
        order = sorted(worst, key=lambda label: abs(worst[label]["bias"]))
        words = [
            f"{measured(worst[label]['bias'], 2)} in {label} "
            f"({listed([f'{name} {general(worst[label][name])}' for name in over])})"
            for label in order
        ]
        sentences.append(f"The largest bias of {parameter} in any cell is {listed(words)}.")
        covered = {label: float((own["coverage"] * own["n"]).sum() / own["n"].sum()) for label, own in by_label}
        shares = [
            f"{number(100 * covered[label], 0)} % in {label}" for label in sorted(covered, key=lambda x: -covered[x])
        ]
        sentences.append(f"Over all cells the 89 % intervals of {parameter} cover the truth in {listed(shares)}.")
    return sentences
