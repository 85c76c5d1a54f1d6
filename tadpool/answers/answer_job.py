"""Answer the questions of a study from the draws of its fits, written as answers.nc and
answers.csv."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.answers.predicted import Fitted
from tadpool.answers.quantities import Quantities, quantities, true_values
from tadpool.answers.summaries import COLUMNS, NUMBERS, above_each_other, decided, summary
from tadpool.engine import compile_cache, lanes
from tadpool.errors import UserError
from tadpool.evaluation.prior_sensitivity import of_members, scaled_priors
from tadpool.files import contracts, io, provenance
from tadpool.fitting.job import Job
from tadpool.modelling.binding import open_bound
from tadpool.modelling.entry import Entry

MOST_COMPARED = 50
"""Largest number of members for which pairwise probabilities are stored."""


@dataclass(frozen=True)
class Source:
    """A fit that answers may come from. truth: of simulated data. reason: why there is none, ""
    where there is."""

    fitted: Fitted | None
    log_prior: xr.DataArray | None = None
    truth: xr.Dataset | None = None
    reason: str = ""


def answer(
    job: Job,
    entries: Mapping[str, Mapping[str, Any]],
    answers: Mapping[str, Mapping[str, Any]],
    sensitivity: bool,
    precision: str,
    **common: Any,
) -> None:
    """Write the study's answers into `job.output` (contracts.ANSWERS) and, as a table, beside it.

    Args:
        job: Reads `data`, and what the entries' folders beside `output` hold: fits, priors, checks.
        entries: Entry -> its fields of `tadpool.modelling.entry.Entry`.
        answers: Answer -> what is asked, as in config.
        sensitivity: Whether to assess how sensitive the answers are to the priors.
        precision: "float64" or "float32".
        common: The fields that the entries share.
    """
    lanes.start(job.threads, precision)
    folder, tables, groups = Path(job.output).parent, [], {}
    with compile_cache.active():
        sources = {
            name: _source(folder, job, Entry(entry=name, **own, **common), sensitivity) for name, own in entries.items()
        }
        for name, asked in answers.items():
            table, found = _answered(name, asked, sources)
            tables.append(table)
            if found is not None:
                groups[name] = found
    rows = pd.concat([pd.DataFrame(columns=list(COLUMNS)), *(_typed(each) for each in tables)], ignore_index=True)
    tree = xr.DataTree(xr.Dataset(attrs={"provenance": job.provenance, "status": "ok", "reason": ""}))
    tree["answers"] = xr.Dataset({column: ("row", _column(rows[column])) for column in COLUMNS})
    for name, group in groups.items():
        tree[name] = group
    io.write(job.output, tree, contracts.ANSWERS)
    io.write_csv(Path(job.output).with_suffix(".csv"), rows)


def _source(folder: Path, job: Job, entry: Entry, sensitivity: bool) -> Source:
    """One entry's fit, or why it has no numbers that may be used."""
    path = folder / entry.entry
    tree = io.read(path / "fit.nc", contracts.FIT)
    provenance.require_made_for(str(path / "fit.nc"), tree.attrs["provenance"], {"entry": entry.entry})
    if tree.attrs["status"] != "ok" or io.read_json(path / "check.json")["verdict"] == "fail":
        return Source(None, reason="its fit failed")
    if entry.by is not None:
        return Source(None, reason=f"it is fitted separately for each {entry.by}")
    data, bound = open_bound(job.data, entry)
    truth = data["truth"].to_dataset() if "truth" in data.children else None
    posterior, log_prior = tree["posterior"].to_dataset(), None
    if sensitivity and "log_prior" in tree.children:
        prior_tree = io.read(path / "prior.nc", contracts.PRIOR)
        if prior_tree.attrs["status"] == "ok":
            own = tree["log_prior"].to_dataset()
            priors, _ = scaled_priors(prior_tree, posterior, own, of_members(entry))
            log_prior = sum(priors.values()) if priors else None
    return Source(Fitted(bound, entry, posterior), log_prior, truth)


def _answered(
    name: str, asked: Mapping[str, Any], sources: Mapping[str, Source]
) -> tuple[pd.DataFrame, xr.Dataset | None]:
    """The rows of one answer, its own model before the others, and its draws."""
    own = sources[asked["entry"]]
    try:
        if own.fitted is None:
            raise UserError(own.reason)
        found = quantities(asked, own.fitted)
        table = summary(name, asked, found, own.log_prior)
        tables = [table.assign(model=asked["entry"], role="own", truth=true_values(asked, found, own.truth))]
    except UserError as error:
        nothing = {"answer": name, "quantity": "", "model": asked["entry"], "role": "own", "reason": str(error)}
        found, tables = None, [pd.DataFrame([nothing]).reindex(columns=list(COLUMNS))]
    for other in _others(asked, sources):
        try:
            theirs = quantities(asked, sources[other].fitted)
        except UserError:
            continue  # another model need not have it
        if found is None or set(theirs.names) & set(found.names):
            tables.append(summary(name, asked, theirs, None).assign(model=other, role="other"))
        if found is None and len(tables) == 2:
            tables[0]["truth"] = (
                true_values(asked, theirs, sources[other].truth)[0] if len(theirs.names) == 1 else np.nan
            )
    table = pd.concat([_typed(each) for each in tables], ignore_index=True)
    if found is None:
        return table, None
    return decided(table, asked), _drawn(asked, found)


def _others(asked: Mapping[str, Any], sources: Mapping[str, Source]) -> list[str]:
    wanted = sources if asked["also"] is None else asked["also"]
    return [name for name in wanted if name != asked["entry"] and sources[name].fitted is not None]


def _drawn(asked: Mapping[str, Any], found: Quantities) -> xr.Dataset:
    """The draws behind an answer, and of ranked members the probability that one lies above
    another."""
    draws = found.draws.transpose("chain", "draw", "quantity")
    variables = {"value": (("chain", "draw", "quantity"), draws.values.astype(np.float32))}
    coords = {"quantity": list(found.names)} | {
        dim: draws[dim].values for dim in ("chain", "draw") if dim in draws.coords
    }
    if asked["rank"] is not None and len(found.names) <= MOST_COMPARED:
        variables["above"] = (("quantity", "other"), above_each_other(found.draws.values))
        coords["other"] = list(found.names)
    return xr.Dataset(variables, coords)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    table = table.reindex(columns=list(COLUMNS))
    texts = [column for column in COLUMNS if column not in NUMBERS]
    return table.astype(dict.fromkeys(NUMBERS, float)).assign(
        **{c: table[c].astype(object).fillna("").astype(str) for c in texts}
    )


def _column(values: pd.Series) -> np.ndarray:
    return values.to_numpy(float) if values.name in NUMBERS else values.to_numpy(str)
