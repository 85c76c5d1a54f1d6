"""What a page says of sweeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from tadpool.comparison import TIE_ELPD
from tadpool.reporting import fits
from tadpool.reporting.formatting import counted, difference, general, listed, number, scaled, whole
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
    points = [_point(point, config["over"], loo) for point in check["points"]]
    sentences, doubtful = _best(points, config["over"])
    sentences += _refitted(config["over"], loo) if loo is not None else []
    if overlay := config["overlay"]:
        sentences += _overlay(results, overlay)
    return Sweep(name, config["over"], results.label(config["entry"]), check, points, sentences, doubtful)


def _point(point: Mapping[str, Any], over: str, loo: xr.Dataset | None) -> dict[str, Any]:
    row = {"value": point[over], "verdict": point["verdict"], "reasons": point["reasons"], "cells": fits.cells(point)}
    if loo is None or point["verdict"] == "fail" or point[over] not in loo[over]:
        return row | {"elpd": None, "se": None, "mcse": None, "unreliable": 0, "units": 0}
    here = loo.sel({over: point[over]})
    totals = {key: here[f"total_{key}"].item() for key in ("elpd", "se", "mcse")}
    return row | totals | {"unreliable": here["total_doubtful"].item(), "units": here["pareto_k"].size}


def _best(points: list[dict[str, Any]], over: str) -> tuple[list[str], bool]:
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
        sentences.append(
            f"The scores of {best['unreliable']} of {counted(best['units'], 'unit')} there cannot be trusted, and so "
            "neither can the place of the optimum."
        )
    failed = [general(point["value"], 4) for point in points if point["verdict"] == "fail"]
    if failed:
        sentences.append(f"The fits at {over} = {listed(failed)} failed and are left out.")
    return sentences, doubtful


def _refitted(over: str, loo: xr.Dataset) -> list[str]:
    """Where PSIS alone would have put the optimum."""
    refits = int((loo["method"] != "psis").sum())
    if not refits:
        return []
    psis = loo["elpd_psis"].sum([dim for dim in loo["elpd_psis"].dims if dim not in loo["total_elpd"].dims])
    at = psis[over][int(psis.values.argmax())].item()
    excess = float((psis - loo["total_elpd"]).max())
    return [
        f"{counted(refits, 'score')} of {whole(loo['pareto_k'].size)} come from fits without the unit. Importance sampling "
        f"alone (PSIS) would be too high by up to {number(excess, 1)} and would put the optimum at {general(at, 4)}."
    ]


def _overlay(results: StudyResults, overlay: Mapping[str, str]) -> list[str]:
    check = results.check(overlay["entry"])
    row = next((row for row in check["parameters"] if row["parameter"] == overlay["site"]), None)
    label, site = results.label(overlay["entry"]), overlay["site"]
    if row is None or check["verdict"] == "fail":
        return [f"{label} has no usable posterior of {site} to compare with."]
    mean, low, high = (scaled(row[key], row["sd"]) for key in ("mean", "eti89_low", "eti89_high"))
    return [f"The posterior of {site} in {label} has mean {mean} and 89 % interval {low} to {high}."]
