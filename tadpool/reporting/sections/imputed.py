"""Predictors that a formula imputes: what is missing, what that assumes, and complete cases beside
it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tadpool.formatting import counted, scaled
from tadpool.loading.sources import COMPLETE
from tadpool.modelling.formula_design import imputation_of
from tadpool.modelling.references import formula_of
from tadpool.reporting.fit_view import Fit, sites
from tadpool.reporting.html.tables import Column, Table

AT_RANDOM = (
    "Values are taken to be missing at random: whether one is missing may depend on the outcome, the other predictors "
    "and the groups, but, given these, not on the value itself. The data cannot tell whether that is so."
)
SCORES = (
    "Scores are of the outcome of a row, given the predictors that are known in it; a missing one has its distribution "
    "without that outcome."
)
COLUMNS = (
    Column("Parameter", lambda row: row["parameter"], number=False),
    Column("Mean", lambda row: scaled(row["mean"], row["sd"])),
    Column("SD", lambda row: scaled(row["sd"], row["sd"])),
    Column("Mean, complete cases", lambda row: scaled(row["complete"]["mean"], row["complete"]["sd"])),
    Column("SD, complete cases", lambda row: scaled(row["complete"]["sd"], row["complete"]["sd"])),
)


@dataclass(frozen=True)
class Imputed:
    """What a page says of the imputed predictors of an entry. table: its estimates beside those
    from complete cases, if an entry has these."""

    sentences: list[str]
    table: Table | None = None


def imputed(fit: Fit, all_fits: list[Fit]) -> Imputed:
    """The imputed predictors of an entry; no sentences where it has none, or is the fit of the
    complete cases itself."""
    known = (fit.facts or {}).get("imputed", {})
    if not known or COMPLETE in fit.weights.values():
        return Imputed([])
    unit = fit.results.config["unit"]
    rows = fit.results.data.sizes[unit]
    complete = int((fit.results.data[COMPLETE].values != 0).sum())
    beside = next((each for each in all_fits if _is_of_complete_cases(each, fit)), None)
    sentences = [*_missing(known, rows, unit), f"Complete cases are {complete} of {counted(rows, unit)}."]
    sentences += [AT_RANDOM, SCORES]
    if beside is None:
        weights = f"weights: {{{fit.results.config['outcomes'][0]}: {COMPLETE}}}"
        words = f"To see what complete cases alone say, add an entry with the same formula and {weights}."
        return Imputed([*sentences, words])
    if fit.failed or beside.failed:
        return Imputed(sentences)
    return Imputed(sentences, Table(COLUMNS, list(_beside(fit, beside, known))))


def _missing(known: Mapping[str, Any], rows: int, unit: str) -> Iterator[str]:
    for name, each in known.items():
        what = (
            f"{name} is missing in {each['missing']} of {counted(rows, unit)} and has a model of its own inside the fit"
        )
        if each["binary"]:
            yield f"{what}: both values count there, by their probabilities."
        else:
            yield f"{what}: each missing value is a parameter, an element of {imputation_of(name)}."


def _is_of_complete_cases(other: Fit, fit: Fit) -> bool:
    alike = formula_of(other.reference) == formula_of(fit.reference)
    alike &= other.config["hyperparameters"] == fit.config["hyperparameters"]
    return alike and list(other.weights.values()) == [COMPLETE]


def _beside(fit: Fit, beside: Fit, known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The parameters of the outcome's model without those of single members, in both fits."""
    others = {row["parameter"]: row for row in beside.parameters}
    own, groups = [imputation_of(name) for name in known], set(fit.results.config["groups"])
    of_members = {
        name
        for name, site in sites(fit.results, fit.entry).items()
        if groups & {p for d in site.dims for p in d.split(":")}
    }
    for row in fit.parameters:
        of_imputed = any(each in row["site"] for each in own)
        if not of_imputed and row["site"] not in of_members and row["parameter"] in others:
            yield {**row, "complete": others[row["parameter"]]}
