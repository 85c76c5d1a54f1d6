"""What results show, in sentences whose every number is read from a result file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tadpool.formatting import counted, listed, number, plural, sentence, whole
from tadpool.reporting.fit_view import Fit, sites

FEWEST = 5
"""Fewest members of a group whose spread is worth a sentence."""


def convergence(all_fits: Sequence[Fit]) -> list[str]:
    """How many fits pass, where R-hat and ESS are worst, divergences, and Monte Carlo errors."""
    passed = sum(_verdict(fit) == "pass" for fit in all_fits)
    others = [f"{fit.label} ({_verdict(fit)})" for fit in all_fits if _verdict(fit) != "pass"]
    first = f"{passed} of {counted(len(all_fits), 'fit')} {'passes' if passed == 1 else 'pass'} every check"
    sentences = [f"{first}; not so {listed(others)}." if others else f"{first}."]
    sentences += _extremes([fit for fit in all_fits if not fit.failed], len(all_fits))
    for fit in all_fits:
        found = fit.check.get("diagnostics", {})
        if found.get("diverging"):
            share = number(100 * found["diverging"] / found["transitions"], 2)
            sentences.append(
                f"{sentence(fit.label)} has {counted(found['diverging'], 'divergent transition')} among "
                f"{whole(found['transitions'])} ({share} %)."
            )
    return sentences


def _verdict(fit: Fit) -> str:
    return "fail" if fit.failed else fit.verdict


def _extremes(sound: Sequence[Fit], count: int) -> Iterator[str]:
    rows = [(fit.label, row) for fit in sound for row in fit.parameters]
    rhats = [(row["rhat"], row["parameter"], label) for label, row in rows if row.get("rhat") is not None]
    sizes = [
        (row[key], row["parameter"], label)
        for label, row in rows
        for key in ("ess_bulk", "ess_tail")
        if row.get(key) is not None
    ]
    errors = [row["mcse_mean"] / row["sd"] for _, row in rows if row.get("mcse_mean") and row.get("sd")]
    if rhats and sizes and errors:
        (rhat, at, label), (size, least, where) = max(rhats), min(sizes)
        those = (
            "In the fit that did not fail, the"
            if len(sound) == 1
            else f"Among the {len(sound)} fits that did not fail, the"
        )
        whose = those if len(sound) < count else "The"
        yield (
            f"{whose} largest R-hat is {number(rhat, 3)} ({at} in {label}) and the smallest effective sample size "
            f"{whole(size)} ({least} in {where}); the Monte Carlo error of a posterior mean is at most "
            f"{number(100 * max(errors), 1)} % of its standard deviation."
        )


def spreads(all_fits: Sequence[Fit], silent: Mapping[str, frozenset[str]]) -> list[str]:
    """How far apart each fit puts the members of a group, and which member moves most between the extremes.

    silent: by entry, names of parameters that return their prior and say nothing.
    """
    means: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for fit in all_fits:
        for (site, group), rows in _grouped(fit).items():
            kept = {label: mean for label, mean in rows.items() if f"{site}[{label}]" not in silent.get(fit.entry, ())}
            if len(kept) >= FEWEST:
                means.setdefault((site, group), {})[fit.label] = kept
    most = {group: max(len(found) for (_, own), found in means.items() if own == group) for _, group in means}
    return [
        words
        for (site, group), found in means.items()
        if len(found) == most[group]  # others are steps on the way to these
        for words in _spread(all_fits[0], site, group, found)
    ]


def _grouped(fit: Fit) -> dict[tuple[str, str], dict[str, float]]:
    """(site, group) -> label -> posterior mean, of sites with one value per member; separate fits that failed are left out."""
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
            label = row["parameter"][len(row["site"]) + 1 : -1]
            if label not in failed:
                found.setdefault((row["site"], own[row["site"]]), {})[label] = row["mean"]
    return found


def _spread(fit: Fit, site: str, group: str, found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    if len(found) < 2:
        return
    shared = [label for label in next(iter(found.values())) if all(label in rows for rows in found.values())]
    if len(shared) < FEWEST:
        return
    sds = {name: float(np.std([rows[label] for label in shared], ddof=1)) for name, rows in found.items()}
    order = sorted(sds, key=lambda name: -sds[name])
    words = [f"{number(sds[name], 3)} in {name}" for name in order]
    yield f"Across {len(shared)} {plural(group)}, the posterior means of {site} have a standard deviation of {listed(words)}."
    wide, narrow = found[order[0]], found[order[-1]]
    label = max(shared, key=lambda label: abs(wide[label] - narrow[label]))
    yield (
        f"From {order[0]} to {order[-1]}, {group} {label}{_size(fit, group, label)} moves most, from {number(wide[label], 3)} "
        f"to {number(narrow[label], 3)}."
    )


def _size(fit: Fit, group: str, label: str) -> str:
    data: Any = fit.results.data
    if f"{group}_index" not in data or group not in data.coords:
        return ""
    position = int(np.flatnonzero(data[group].values.astype(str) == label)[0])
    return f" ({counted(int((data[f'{group}_index'].values == position).sum()), fit.results.config['unit'])})"
