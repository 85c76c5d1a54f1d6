"""What a page says of sweeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from tadpool.comparison import TIE_ELPD
from tadpool.reporting import fits
from tadpool.reporting.formatting import counted, difference, general, listed, number, scaled
from tadpool.results import StudyResults


@dataclass(frozen=True)
class Sweep:
    """A sweep: its verdict, one row of text per point, and what it shows in sentences."""

    name: str
    over: str
    entry_label: str
    check: Mapping[str, Any]
    points: list[dict[str, Any]]
    sentences: list[str]
    doubtful: bool


def sweep(results: StudyResults, name: str) -> Sweep:
    """The sweep of that name, read from its check.json and loo.nc."""
    config = results.config["sweeps"][name]
    check, tree = results.sweep_check(name), results.sweep_loo(name)
    loo = tree["loo"].to_dataset() if "loo" in tree.children else None
    points = [_point(point, config["over"], loo, i) for i, point in enumerate(check["points"])]
    sentences, doubtful = _best(points, config["over"], loo)
    if overlay := config["overlay"]:
        sentences += _overlay(results, overlay)
    return Sweep(name, config["over"], results.label(config["entry"]), check, points, sentences, doubtful)


def _point(point: Mapping[str, Any], over: str, loo: xr.Dataset | None, position: int) -> dict[str, Any]:
    row = {"value": point[over], "verdict": point["verdict"], "reasons": point["reasons"], "cells": fits.cells(point)}
    if loo is None or point["verdict"] == "fail":
        return row | {"elpd": None, "se": None, "mcse": None, "unreliable": 0, "units": 0}
    here = loo.isel({over: position})
    unreliable = ((here["pareto_k"] > here["total_good_k"]) & (here["method"] == "psis")).sum()
    totals = {key: here[f"total_{key}"].item() for key in ("elpd", "se", "mcse")}
    return row | totals | {"unreliable": int(unreliable), "units": here["pareto_k"].size}


def _best(points: list[dict[str, Any]], over: str, loo: xr.Dataset | None) -> tuple[list[str], bool]:
    usable = [point for point in points if point["elpd"] is not None]
    if not usable:
        return [f"No value of {over} can be called best: no point has usable numbers."], True
    best = max(usable, key=lambda point: point["elpd"])
    near = [point["value"] for point in usable if best["elpd"] - point["elpd"] < TIE_ELPD]
    doubtful = best["unreliable"] > 0
    words = "The largest elpd" if not doubtful else "At face value the largest elpd"
    sentences = [
        f"{words} on the grid, {difference(best['elpd'], best['se'])}, is that of {over} = {general(best['value'], 4)}; "
        f"values from {general(min(near), 4)} to {general(max(near), 4)} are within {general(TIE_ELPD)} of it."
    ]
    if doubtful:
        good_k = number(loo["total_good_k"].values.flat[0], 2)
        sentences.append(
            f"Pareto k is above {good_k} for {best['unreliable']} of {counted(best['units'], 'unit')} there: "
            "the PSIS numbers are unreliable, and so is the place of the optimum."
        )
    failed = [general(point["value"], 4) for point in points if point["verdict"] == "fail"]
    if failed:
        sentences.append(f"The fits at {over} = {listed(failed)} failed and are left out.")
    return sentences, doubtful


def _overlay(results: StudyResults, overlay: Mapping[str, str]) -> list[str]:
    check = results.check(overlay["entry"])
    row = next((row for row in check["parameters"] if row["parameter"] == overlay["site"]), None)
    label, site = results.label(overlay["entry"]), overlay["site"]
    if row is None or check["verdict"] == "fail":
        return [f"{label} has no usable posterior of {site} to compare with."]
    mean, low, high = (scaled(row[key], row["sd"]) for key in ("mean", "eti89_low", "eti89_high"))
    return [f"The posterior of {site} in {label} has mean {mean} and 89 % interval {low} to {high}."]
