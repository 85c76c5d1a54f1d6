"""What a page says of how far priors and data move the posteriors."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import pandas as pd

from tadpool.evaluation.prior_sensitivity import CONDITIONAL
from tadpool.files import io
from tadpool.formatting import counted, first_of, general, listed, number, sentence
from tadpool.modelling.rungs import RUNGS
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.html.tables import Column, Table
from tadpool.reporting.sections.prior_only import find_prior_only

NAMED = 4
READINGS = {"conflict": "potential prior-data conflict", "strong prior": "strong prior or weak data"}
COLUMNS = (
    Column("Parameter", itemgetter("parameter"), number=False),
    Column("Priors", lambda row: number(row["prior"], 2)),
    Column("Data", lambda row: number(row["likelihood"], 2)),
    Column("Prior SDs from the prior mean", lambda row: number(row["prior_sds"], 1)),
    Column("Moved most by the prior of", itemgetter("moved_by"), number=False),
    Column("Reading", lambda row: "unreliable" if row["unreliable"] else READINGS[row["diagnosis"]], number=False),
)


@dataclass(frozen=True)
class Sensitivity:
    """One fit. rows: the parameters that depend on the priors. rest: how many do not. reason: why
    there are none.

    note: what is shown, with the thresholds that its file names. not_scaled: sites whose priors
    were not scaled although they are no effects of groups.
    """

    fit: Fit
    sentences: list[str]
    rows: list[dict[str, Any]]
    rest: int
    reason: str = ""
    note: str = ""
    not_scaled: Sequence[str] = ()

    def table(self, first: int = 0, end: int | None = None) -> Table:
        """The parameters that depend on the priors, from one row to before another."""
        return Table(COLUMNS, self.rows[first:end])

    @property
    def by_design(self) -> str:
        """Without pooling the group whose members have a prior each, on which they depend by
        design; "" of other fits."""
        design = self.fit.design
        return design.group if design and RUNGS[self.fit.config["model"]].pooling == "none" else ""


def sensitivities(all_fits: Sequence[Fit]) -> list[Sensitivity]:
    """The sensitivities of every fit, in the order of the study."""
    wanted = [fit for fit in all_fits if fit.results.config["sensitivity"]]
    return [sensitivity(fit) for fit in wanted if (fit.results.folder / fit.entry / "sensitivity.nc").is_file()]


def sensitivity(fit: Fit) -> Sensitivity:
    """Of separate fits those that failed are left out, and so are parameters that return their
    prior; of any other failed fit there is nothing to say."""
    path = fit.results.folder / fit.entry / "sensitivity.nc"
    attributes = io.attributes(path)
    if attributes["status"] != "ok":
        return Sensitivity(fit, [], [], 0, attributes["reason"] or "its fit failed")
    if fit.failed and not fit.failed_members:
        return Sensitivity(fit, [], [], 0, "its fit failed the convergence check")
    found = fit.results.sensitivity(fit.entry)["sensitivity"].to_dataset()
    table = found.to_dataframe().reset_index()
    silent = find_prior_only(fit).parameters
    table = table[~table["member"].isin(fit.failed_members) & ~table["parameter"].isin(silent)]
    table["unreliable"] = table[["prior_pareto_k", "likelihood_pareto_k"]].max(axis=1) > found.attrs["good_k"]
    moved = table[table["diagnosis"] != "none"].sort_values("prior", ascending=False, kind="stable")
    sentences = [*_sentences(fit, table, moved, found.attrs), _scaled(found.attrs), *_doubts(table)]
    rows, rest = moved.to_dict("records"), len(table) - len(moved)
    return Sensitivity(fit, sentences, rows, rest, note=_note(found.attrs), not_scaled=_not_scaled(found.attrs))


def _not_scaled(attributes: Mapping[str, Any]) -> list[str]:
    return [site for site, reason in json.loads(attributes["unscaled"]).items() if reason == CONDITIONAL]


def _note(attributes: Mapping[str, Any]) -> str:
    threshold, far = general(float(attributes["sensitive"])), general(float(attributes["far"]))
    return (
        "Sensitivity is how far a posterior moves when its priors, or the data, are made a little stronger or weaker "
        f"(power-scaling); from {threshold} on, the posterior counts as sensitive. A posterior that is sensitive to both "
        f"priors and data, or that is sensitive to the priors and has its mean more than {far} prior standard deviations from "
        "the prior mean, shows a potential prior-data conflict. Where it is sensitive to the priors alone, the prior is "
        "strong, the data are weak, or the parameter is that of a population, which data move through the effects of its "
        "groups: scaling the data does not show that. Each prior is also scaled alone, to find the one that moves a "
        "parameter most."
    )


def _sentences(fit: Fit, table: pd.DataFrame, moved: pd.DataFrame, attributes: Mapping[str, Any]) -> Iterator[str]:
    reliable = moved[~moved["unreliable"]]
    known = table.dropna(subset=["prior"])
    if moved.empty and len(known):
        most, threshold = known.loc[known["prior"].idxmax()], general(float(attributes["sensitive"]))
        those = " that were scaled" if _not_scaled(attributes) else ""
        yield (
            f"No parameter of {fit.label} is sensitive to the priors{those}: of {counted(len(known), 'parameter')}, "
            f"{most['parameter']} has the largest sensitivity, {number(most['prior'], 3)}, which is below {threshold}."
        )
    order = reliable.groupby("moved_by")["prior"].max().sort_values(ascending=False, kind="stable")
    for site in order.index:
        yield _of_prior(str(site), reliable[reliable["moved_by"] == site], float(attributes["far"]))


def _of_prior(site: str, moved: pd.DataFrame, distance: float) -> str:
    """What the prior of one site does to the parameters that it moves most."""
    own = moved[moved["site"] == site]
    far = own[own["prior_sds"].abs() > distance]
    moves = f"moves {_counted(moved)} (sensitivity up to {number(moved['prior'].max(), 2)})"
    if len(far):
        worst = far.loc[far["prior_sds"].abs().idxmax()]
        place = f"lies {number(abs(worst['prior_sds']), 1)} prior standard deviations from its prior mean"
        return f"Potential prior-data conflict for {site}: its prior {moves}, and the mean of {worst['parameter']} {place}."
    if ((own if len(own) else moved)["diagnosis"] == "conflict").mean() >= 0.5:
        return f"Potential prior-data conflict for {site}: its prior {moves}, and the data move {_these(moved)} too."
    return f"The prior of {site} {moves}, and power-scaling of the data hardly does."


def _these(moved: pd.DataFrame) -> str:
    conflicts = int((moved["diagnosis"] == "conflict").sum())
    if conflicts == len(moved):
        return "it" if len(moved) == 1 else "them"
    return f"{conflicts} of them"


def _counted(moved: pd.DataFrame) -> str:
    """The parameters by site: the name of one, the number of many."""
    sites = moved.groupby("site", sort=False)["parameter"].agg(list)
    words = [names[0] if len(names) == 1 else f"{len(names)} values of {site}" for site, names in sites.items()]
    return first_of(words, NAMED)


def _scaled(attributes: Mapping[str, Any]) -> str:
    """Which densities were scaled, and which not and why."""
    scaled, left = json.loads(attributes["scaled"]), json.loads(attributes["unscaled"])
    reasons: dict[str, list[str]] = {}
    for site, reason in left.items():
        reasons.setdefault(reason, []).append(site)
    priors, were = ("prior", "was") if len(scaled) == 1 else ("priors", "were")
    first = f"The {priors} of {listed(scaled)} {were} scaled."
    parts = [f"The density of {listed(sites)} was not scaled: {reason}." for reason, sites in reasons.items()]
    return " ".join([first if scaled else "There was no prior to scale.", *parts])


def _doubts(table: pd.DataFrame) -> Iterator[str]:
    count = int(table["unreliable"].sum())
    if count:
        yield sentence(
            f"importance sampling is unreliable for {counted(count, 'parameter')} (Pareto k too high), and so is the "
            "diagnosis there."
        )
    missing = int(table["prior"].isna().sum())
    if missing:
        yield sentence(f"{counted(missing, 'constant')} cannot be assessed.")
