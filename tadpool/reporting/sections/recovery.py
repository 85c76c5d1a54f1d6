"""How well the fits of a simulated study recover the values that it was simulated with."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from tadpool.calibration import recovery_table
from tadpool.files.results import StudyResults
from tadpool.formatting import counted, first_of, general, listed, number, scaled, sentence
from tadpool.reporting.fit_view import Fit, draws, families, sites
from tadpool.reporting.html.tables import Column, Table, of_texts
from tadpool.reporting.sections.prior_only import find_prior_only

NAMED = 6
CHANCE = 0.05
"""How often the furthest of the true values may be told to be far from correct posteriors."""
POSITIVE = frozenset({"Exponential", "Gamma", "HalfCauchy", "HalfNormal", "HalfStudentT", "InverseGamma", "LogNormal"})

EDGE, PRIOR = "at the edge", "returns its prior"
COLUMNS = (
    Column("Parameter", itemgetter("named"), number=False),
    Column("Truth", lambda row: general(float(row["truth"]), 4)),
    Column("Mean", lambda row: scaled(row["mean"], row["sd"])),
    Column("SD", lambda row: scaled(row["sd"], row["sd"])),
    Column(
        "89 % interval", lambda row: " to ".join(scaled(row[key], row["sd"]) for key in ("eti89_low", "eti89_high"))
    ),
    Column("Covered", lambda row: row["uncounted"] or ("✓ yes" if row["covered"] else "✗ no")),
    Column("z", lambda row: "" if row["uncounted"] else number(row["z"], 1)),
)


@dataclass(frozen=True)
class Recovered:
    """One fit beside the truth. counted: rows of `recovery.table` that are counted; table: all of
    them.

    A row's `uncounted` says why it is not counted, "" where it is.
    """

    fit: Fit
    counted: pd.DataFrame
    table: Table

    @property
    def covered(self) -> int:
        return int(self.counted["covered"].sum())

    @property
    def worst(self) -> pd.Series:
        """The row that is furthest from the truth, in posterior standard deviations."""
        return self.counted.loc[self.counted["z"].abs().idxmax()]

    @property
    def far(self) -> bool:
        """Whether that row is further away than chance would bring the furthest of so many values,
        were their posteriors normal and correct."""
        return bool(abs(self.worst["z"]) > norm.isf(CHANCE / 2 / len(self.counted)))

    @property
    def words(self) -> str:
        """How many true values its intervals contain, and the furthest of those that they do
        not."""
        found = f"{self.covered} of {len(self.counted)} inside intervals"
        row = self.worst
        return found if row["covered"] else f"{found}; {row['named']} is off by {number(abs(row['z']), 1)} SDs"


@dataclass(frozen=True)
class Recovery:
    """All fits beside the truth. across: a row per parameter and a column per usable fit, where
    there are several."""

    fits: list[Recovered]
    across: Table | None
    sentences: list[str]
    edges: bool


def recovered(results: StudyResults, all_fits: Sequence[Fit]) -> Recovery | None:
    """Every fit that has numbers beside the truth; None where the data are not simulated."""
    truth = results.truth
    if truth is None:
        return None
    found = [_recovered(results, fit, truth) for fit in all_fits if fit.usable]
    found = [each for each in found if each.table.rows]
    sound = [each for each in found if not each.fit.failed and len(each.counted)]
    across = _across(sound) if len(sound) > 1 else None
    edges = any(row["uncounted"] == EDGE for each in found for row in each.table.rows)
    return Recovery(found, across, [*_sentences(sound), *_unknown(results, all_fits, truth)], edges)


def _unknown(results: StudyResults, all_fits: Sequence[Fit], truth: xr.Dataset) -> list[str]:
    """A sentence on true values that no model has a parameter for; none where a model without
    numbers might have it."""
    if not all(fit.usable for fit in all_fits):
        return []
    known = {site for fit in all_fits for site in sites(results, fit.entry)}
    names = [str(name) for name in truth.data_vars if name not in known]
    if not names:
        return []
    return [
        f"The simulator's truth names {listed(names)}, which no model here has as a site: name true values as their sites."
    ]


def _recovered(results: StudyResults, fit: Fit, truth: xr.Dataset) -> Recovered:
    posterior = draws(results, fit.entry, "posterior", list(map(str, truth.data_vars)))
    table = recovery_table.table(posterior, truth)
    kinds = families(results, fit.entry)
    edge = (table["truth"] == 0) & table["site"].map(lambda site: kinds.get(site, "") in POSITIVE).astype(bool)
    prior = table["parameter"].isin(find_prior_only(fit).parameters)
    table["named"] = table["parameter"].map(results.named)
    table["uncounted"] = np.select([prior, edge], [PRIOR, EDGE], "")
    return Recovered(fit, table[table["uncounted"] == ""], Table(COLUMNS, table.to_dict("records")))


def _across(sound: Sequence[Recovered]) -> Table:
    """Whether each fit covers each true value, with its z."""
    order = list(dict.fromkeys(name for each in sound for name in each.counted["parameter"]))
    tables = [each.counted.set_index("parameter") for each in sound]
    rows = []
    for name in order:
        known = next(table.loc[name] for table in tables if name in table.index)
        cells = [_cell(table.loc[name]) if name in table.index else "" for table in tables]
        rows.append([sound[0].fit.results.named(name), general(float(known["truth"]), 4), *cells])
    return of_texts(["Parameter", "Truth", *(each.fit.label for each in sound)], rows)


def _cell(row: pd.Series) -> str:
    return f"{'✓' if row['covered'] else '✗'} {number(row['z'], 1)}"


def _sentences(sound: Sequence[Recovered]) -> list[str]:
    if not sound:
        return ["No fit has usable numbers to compare with the truth."]
    shared = set.intersection(*(set(each.counted["parameter"]) for each in sound))
    if any(set(each.counted["parameter"]) != shared for each in sound):
        return [*_of_shared(sound, shared), *_disagreements(sound), *_distances(sound)]
    first, *others = sound
    shares = [
        f"{first.covered} of {counted(len(first.counted), 'true value')} lie in the 89 % intervals of {first.fit.label}",
        *(f"{each.covered} in those of {each.fit.label}" for each in others),
    ]
    sentences = [f"{sentence(listed(shares))}."]
    return [*sentences, *_disagreements(sound), *_distances(sound)]


def _of_shared(sound: Sequence[Recovered], shared: set[str]) -> list[str]:
    """How many of the true values that all fits have a parameter for lie in their intervals."""
    if not shared:
        return []
    parts = []
    for each in sound:
        rows = each.counted[each.counted["parameter"].isin(shared)]
        parts.append(f"{int(rows['covered'].sum())} for {each.fit.label}")
    names = first_of(sorted(shared), NAMED)
    return [
        f"Of the {counted(len(shared), 'true value')} that all fits estimate ({names}), in intervals: {listed(parts)}."
    ]


def _disagreements(sound: Sequence[Recovered]) -> list[str]:
    """One sentence for all parameters that the same fits cover and the same fits miss."""
    tables = {each.fit.label: each.counted.set_index("parameter") for each in sound}
    patterns: dict[tuple, list[str]] = {}
    for name in dict.fromkeys(name for table in tables.values() for name in table.index):
        having = {label: bool(table.loc[name, "covered"]) for label, table in tables.items() if name in table.index}
        cover = tuple(label for label, covered in having.items() if covered)
        miss = tuple(label for label, covered in having.items() if not covered)
        if miss and len(having) > 1:
            patterns.setdefault((cover, miss), []).append(name)
    sentences = []
    for (cover, miss), names in patterns.items():
        distances = [float(tables[label].loc[names, "z"].abs().max()) for label in miss]
        missed = [f"{label} (by up to {number(most, 1)} SDs)" for label, most in zip(miss, distances, strict=True)]
        sentences.append(_disagreement(cover, missed, names))
    return sentences


def _disagreement(cover: Sequence[str], miss: Sequence[str], names: Sequence[str]) -> str:
    """cover, miss: fits, those that miss with their largest distance in posterior standard
    deviations."""
    verb, what = ("is", "The true value") if len(names) == 1 else ("are", "The true values")
    of = f"{what} of {first_of(names, NAMED)} {verb}"
    if not cover:
        return f"{of} missed by {listed(miss)}."
    return f"{of} covered by {listed(cover)}, but not by {listed(miss)}."


def _distances(sound: Sequence[Recovered]) -> list[str]:
    far = [each for each in sound if each.far]
    sentences = [
        f"{sentence(each.fit.label)} is off by up to {number(abs(each.worst['z']), 1)} posterior standard deviations, at "
        f"{each.worst['parameter']} (truth {general(float(each.worst['truth']), 4)}, posterior mean "
        f"{scaled(each.worst['mean'], each.worst['sd'])})."
        for each in far
    ]
    near = [each for each in sound if each not in far]
    if near:
        most = max(abs(each.worst["z"]) for each in near)
        names = listed([each.fit.label for each in near])
        verb = "is" if len(near) == 1 else "are"
        sentences.append(
            f"{sentence(names)} {verb} within {number(most, 1)} posterior standard deviations of every true value."
        )
    return sentences
