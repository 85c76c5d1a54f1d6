"""Which units a difference between two models comes from, where these are few or unequal."""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from tadpool.evaluation.comparison import TIE_ELPD
from tadpool.evaluation.elpd import total_error
from tadpool.files.results import StudyResults
from tadpool.formatting import counted, difference, number, plural, sentence
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.sections.comparison import Row

FEW = 20
UNEQUAL = 5
"""Groups differ much in size where the largest has so many times the rows of the smallest."""
LARGE_SHARE = 0.25
"""A unit that makes up this share of a difference is named."""


def told(results: StudyResults, rows: Sequence[Row], target: str) -> list[str]:
    """What lies behind the differences to the first row, in sentences; none where units are many
    and of one size."""
    ranked = [row for row in rows if row.ranked]
    scores = {row.entry: _scores(results, row.entry, target) for row in ranked}
    if len(ranked) < 2 or any(score is None for score in scores.values()):
        return []
    unit = results.config["unit"] if target == "unit" else target
    sizes = _sizes(results, unit) if unit != results.config["unit"] else None
    words = list(_without_failed(results, ranked, scores))
    uneven = sizes is not None and max(sizes.values()) >= UNEQUAL * min(sizes.values())
    if not uneven and len(scores[ranked[0].entry]) >= FEW:
        return words
    if uneven:
        low, high = min(sizes.values()), max(sizes.values())
        words.append(
            f"{plural(unit).capitalize()} have {low} to {counted(high, results.config['unit'])} and count by the sum "
            "over these, so a few large ones can decide."
        )
    for row in ranked[1:]:
        if abs(row.numbers["elpd_diff"]) >= TIE_ELPD and not row.prior_alone:
            words += _parts(ranked[0], row, scores, unit)
    return words


def _scores(results: StudyResults, entry: str, target: str) -> xr.DataArray | None:
    tree = results.loo(entry, target)
    return tree["loo"]["elpd"] if "loo" in tree.children else None


def _sizes(results: StudyResults, group: str) -> dict[str, int] | None:
    """Member -> its number of rows."""
    if f"{group}_index" not in results.data or group not in results.data.coords:
        return None
    counts = np.bincount(results.data[f"{group}_index"].values.ravel(), minlength=results.data.sizes[group])
    return dict(zip(map(str, results.data[group].values), map(int, counts), strict=True))


def _parts(best: Row, row: Row, scores: dict[str, xr.DataArray], unit: str) -> list[str]:
    """In how many units the first is ahead of another, and which unit makes up most of the
    difference."""
    apart = scores[best.entry] - scores[row.entry]
    (dim,) = apart.dims
    ahead, largest = int((apart.values > 0).sum()), int(apart.values.argmax())
    words = f"{best.label} is ahead of {row.label} in {ahead} of {counted(apart.size, unit)}"
    if apart.values[largest] >= LARGE_SHARE * apart.values.sum():
        member = apart[dim].values[largest] if dim in apart.coords else largest
        words += (
            f"; {number(apart.values[largest], 1)} of the difference of {number(apart.values.sum(), 1)} comes from "
            f"{unit} {member}"
        )
    return [f"{sentence(words)}."]


def _without_failed(results: StudyResults, ranked: Sequence[Row], scores: dict[str, xr.DataArray]) -> Iterator[str]:
    """What differences over rows are without those of members whose separate fits failed."""
    best = ranked[0]
    for row in ranked[1:]:
        fit = Fit(results, row.entry, {})
        apart, failed = scores[best.entry] - scores[row.entry], fit.failed_members
        if not failed or apart.dims != (results.config["unit"],) or f"{fit.by}_index" not in results.data:
            continue
        members = results.data[fit.by].values.astype(str)[results.data[f"{fit.by}_index"].values]
        kept = apart.values[~np.isin(members, failed)]
        if len(kept) < 2:
            continue
        gap, ahead = difference(abs(kept.sum()), total_error(kept)), "ahead of" if kept.sum() > 0 else "behind"
        yield (
            f"Without the {counted(len(failed), fit.by)} whose fit failed, {best.label} is {gap} {ahead} {row.label}."
        )
