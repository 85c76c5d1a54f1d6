"""Estimates: a table of every parameter of a fit, and sentences on how far fits move the members of
a group."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from tadpool.elements import element_name
from tadpool.formatting import MISSING, counted, listed, measured, member, number, plural, scaled, whole
from tadpool.intervals import HIGH, LOW
from tadpool.reliable_means import mean_is_reliable
from tadpool.reporting.fit_view import Fit, draws, shared_parents, sites
from tadpool.reporting.html.tables import Column, Table
from tadpool.reporting.interval_words import NORMAL_WIDTH

LONG_SITE = 12
FEWEST = 5
"""Fewest members of a group whose spread is worth a sentence."""


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['named']} ({row['mark']})" if row["mark"] else row["named"]


def _interval(row: Mapping[str, Any]) -> str:
    ends = [scaled(row[key], row.get("scale", row["sd"])) for key in ("eti89_low", "eti89_high")]
    return MISSING if MISSING in ends else " to ".join(ends)


COLUMNS = (
    Column("Parameter", _name, number=False),
    Column("Mean", lambda row: scaled(row["mean"], row["sd"])),
    Column("SD", lambda row: scaled(row["sd"], row["sd"])),
    Column("89\N{NO-BREAK SPACE}%\N{NO-BREAK SPACE}interval", _interval),
    Column("MCSE", lambda row: scaled(row.get("mcse_mean"), row.get("mcse_mean"))),
    Column("Bulk ESS", lambda row: whole(row.get("ess_bulk"))),
    Column("Tail ESS", lambda row: whole(row.get("ess_tail"))),
    Column("R-hat", lambda row: number(row.get("rhat"), 3)),
)
"""What is shown of each parameter; a row is one of `parameters` in check.json."""


@dataclass(frozen=True)
class Estimates:
    """The tables of one fit. short: all sites of few elements. long: the others, each by its
    name."""

    short: Table
    long: dict[str, Table]

    @property
    def sites(self) -> dict[str, Table]:
        """A table of each site, the short ones first."""
        short = groupby(self.short.rows, key=lambda row: row["site"])
        return {site: Table(COLUMNS, list(rows)) for site, rows in short} | self.long


def estimates(fit: Fit, marks: Mapping[str, str]) -> Estimates:
    """The estimates of one fit.

    Args:
        fit: The fit.
        marks: By parameter, a remark that is shown with its name.

    Returns:
        Its parameters in the order of its check, without those of auxiliary sites.
    """
    named = fit.results.named
    rows = [
        {**row, "named": named(row["parameter"]), "mark": marks.get(row["parameter"], "")} for row in fit.parameters
    ]
    by_site = {site: list(own) for site, own in groupby(rows, key=lambda row: row["site"])}
    short_sites = [site for site, own in by_site.items() if len(own) <= LONG_SITE]
    posterior = draws(fit.results, fit.entry, "posterior", short_sites) if fit.usable else {}
    for site in (site for site in short_sites if site in posterior):
        values = posterior[site].transpose("chain", "draw", ...).values
        elements = values.reshape(values.shape[0] * values.shape[1], -1).T
        if len(elements) == len(by_site[site]):
            by_site[site] = [_told(row, own) for row, own in zip(by_site[site], elements, strict=True)]
    short = [row for own in by_site.values() if len(own) <= LONG_SITE for row in own]
    long = {site: Table(COLUMNS, own) for site, own in by_site.items() if len(own) > LONG_SITE}
    return Estimates(Table(COLUMNS, short), long)


def _told(row: dict[str, Any], values: np.ndarray) -> dict[str, Any]:
    """A row without mean and standard deviation, and with the median, where a few of the draws
    (draws,) decide the mean: its expectation need not exist, as of a ratio."""
    if row["mean"] is None or not np.isfinite(values).all() or mean_is_reliable(values):
        return row
    low, middle, high = np.quantile(values, [LOW, 0.5, HIGH])
    scale = (high - low) / NORMAL_WIDTH
    mark = f"median {scaled(middle, scale)}; a few draws decide its mean, which is left out"
    marks = "; ".join(filter(None, [row["mark"], mark]))
    return {**row, "mark": marks, "mean": None, "sd": None, "mcse_mean": None, "scale": scale}


def spreads(all_fits: Sequence[Fit], silent: Mapping[str, frozenset[str]]) -> list[str]:
    """Say how much the members of a group differ in each fit, and which member moves most between
    the extremes.

    Args:
        all_fits: Every fit of the study.
        silent: By entry, names of parameters that return their prior and say nothing.

    Returns:
        Sentences, none where no two fits have estimates of the same members.
    """
    means: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for fit in _alike(all_fits):
        for (site, group), rows in _grouped(fit).items():
            kept = {
                label: mean
                for label, mean in rows.items()
                if element_name(site, [label]) not in silent.get(fit.entry, ())
            }
            if len(kept) >= FEWEST:
                means.setdefault((site, group), {})[fit.label] = kept
    most = {group: max(len(found) for (_, own), found in means.items() if own == group) for _, group in means}
    return [
        words
        for (site, group), found in means.items()
        if len(found) == most[group]  # others are steps on the way to these
        for words in _spread(all_fits, site, group, found)
    ]


def _alike(all_fits: Sequence[Fit]) -> list[Fit]:
    """The most fits whose outcomes depend on the same parameters, of members and shared, with all
    that are fitted apart: with another effect beside it, of each member or of a predictor, an
    intercept is another quantity, and its change is no shrinkage."""
    together = [fit for fit in all_fits if not fit.by]
    kinds: dict[tuple, list[str]] = {}
    for fit in together:
        if own := frozenset(_grouped(fit)):
            kinds.setdefault((own, shared_parents(fit.results, fit.entry)), []).append(fit.entry)
    kept = max(kinds.values(), key=len, default=[])
    return [fit for fit in all_fits if fit.by or fit.entry in kept]


def _grouped(fit: Fit) -> dict[tuple[str, str], dict[str, float]]:
    """(site, group) -> label -> posterior mean, of sites with one value per member; separate fits
    that failed are left out."""
    if not fit.usable or (fit.failed and not fit.by):
        return {}
    failed = set(fit.failed_members)
    groups = set(fit.results.config["groups"])
    own = {
        name: str(site.dims[0])
        for name, site in sites(fit.results, fit.entry).items()
        if len(site.dims) == 1 and site.dims[0] in groups
    }
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in fit.parameters:
        if row["site"] in own and row["mean"] is not None:
            (label,) = row["labels"]
            if label not in failed:
                found.setdefault((row["site"], own[row["site"]]), {})[label] = row["mean"]
    return found


def _spread(all_fits: Sequence[Fit], site: str, group: str, found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    if len(found) < 2:
        return
    shared = [label for label in next(iter(found.values())) if all(label in rows for rows in found.values())]
    if len(shared) < FEWEST:
        return
    sds = {name: float(np.std([rows[label] for label in shared], ddof=1)) for name, rows in found.items()}
    order = sorted(sds, key=lambda name: -sds[name])
    words = [f"{measured(sds[name])} in {name}" for name in order]
    yield f"Across {len(shared)} {plural(group)}, the posterior means of {site} have a standard deviation of {listed(words)}."
    wide, narrow = found[order[0]], found[order[-1]]
    fit = next(fit for fit in all_fits if fit.label == order[0])
    own = " A separate fit is shrunk by its own priors, and part of this undoes that." if fit.by else ""
    label = max(shared, key=lambda label: abs(wide[label] - narrow[label]))
    moved = f"{member(group, str(label))}{_size(fit, group, label)}"
    yield (
        f"From {order[0]} to {order[-1]}, {moved} moves most, from {measured(wide[label])} to {measured(narrow[label])}.{own}"
    )


def _size(fit: Fit, group: str, label: str) -> str:
    data: Any = fit.results.data
    if f"{group}_index" not in data or group not in data.coords:
        return ""
    position = int(np.flatnonzero(data[group].values.astype(str) == label)[0])
    return f" ({counted(int((data[f'{group}_index'].values == position).sum()), fit.results.config['unit'])})"
