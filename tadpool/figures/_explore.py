"""What the data of all explorers share: members with what is known of them, views of their
estimates, rounded numbers.

An explorer is the interactive form of a figure, drawn by `report/explorer.js` from a mapping that
the kind of figure makes with `explorer`: plain lists and text, None where there is no number,
floats with four significant digits.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tadpool.figures import _style, _summaries, _units
from tadpool.formatting import plural, sentence

DIGITS = 4
MOST_MEMBERS = 400


def explorer(
    hint: str,
    members: Mapping[str, Mapping[str, Any]],
    views: Sequence[Mapping[str, Any]],
    choice: str = "",
    start: int = 0,
    curve: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The data of an explorer.

    Args:
        hint: What a reader can do, in a sentence.
        members: By dim, what `members` returns.
        views: What is shown of the members, each with `name`, `words` that the sentence of a member
            begins with, `by` (a key of `members`), `entries` and either `axis` (of intervals:
            `mean`, `low` and `high` of an entry are lists over the members) or `arrows`, `names`,
            `returns_prior`, `predictor`, `points` and `outcome` (of arrows and lines: they are
            lists over the members of lists over the predictor's grid).
        choice: What views differ in.
        start: Position of the view that is shown first.
        curve: `label`, and `values`, `elpd` and `se` of each view, positions of those that
            `failed`, and a `colour`.

    Returns:
        What goes to the figure's JSON and into the page.
    """
    return {"hint": hint, "members": members, "views": views, "choice": choice, "start": start, "curve": curve}


def rounded(values: Iterable[float], digits: int = DIGITS) -> list[float | int | None]:
    """Each number with that many significant digits; None for what is not finite."""
    flat = np.ravel(np.asarray(values))
    if flat.dtype.kind in "iub":
        return flat.tolist()
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in flat.tolist()]


def estimates(site: xr.DataArray) -> dict[str, list]:
    """Posterior mean and 89 % interval of each element of a site with one dim besides chain and
    draw."""
    frame = _summaries.summary(_summaries.draws(site))
    columns = {"mean": "mean", "low": "eti89_low", "high": "eti89_high"}
    return {name: rounded(frame[column]) for name, column in columns.items()}


def own_dim(site: xr.DataArray) -> str | None:
    """The one dim that a site has besides chain and draw; None where it has none or several."""
    found = _summaries.dims(site)
    return found[0] if len(found) == 1 else None


def choices(results) -> list[str]:
    """Dims whose members can be chosen: the study's unit and groups, where they are not too
    many."""
    dims = [results.config["unit"], *results.config["groups"]]
    return [dim for dim in dict.fromkeys(dims) if 1 < results.data.sizes.get(dim, 0) <= MOST_MEMBERS]


def members(results, by: str) -> dict[str, Any]:
    """name, labels and facts of the members of a dim.

    facts: `{name, values}` each, a value for every member. Of units they are the variables of the
    dataset; of a group they are how many units each member has, the means of their outcomes, and
    its own variables.
    """
    data, unit = results.data, results.config["unit"]
    labels = data[by].values if by in data.coords else np.arange(1, data.sizes[by] + 1)
    facts = [_fact(data, variable) for variable in data.data_vars.values() if variable.dims == (by,)]
    if by != unit and f"{by}_index" in data:
        parts = _units.values_by_group(data, f"{by}_index", by)
        facts.insert(0, {"name": sentence(plural(unit)), "values": [len(part) for part in parts.values()]})
        for position, outcome in enumerate(results.config["outcomes"]):
            if data[outcome].dims == (unit,):
                means = [
                    part.mean() if len(part) else np.nan for part in _units.values_by_group(data, outcome, by).values()
                ]
                name = f"Mean {_style.quantity(data[outcome])}"
                facts.insert(1 + position, {"name": name, "values": rounded(means)})
    name = data[by].attrs.get("long_name", by) if by in data.coords else by
    return {"name": name, "labels": [str(label) for label in labels], "facts": facts}


def _fact(data: xr.Dataset, variable: xr.DataArray) -> dict[str, Any]:
    """A variable with words for its values where it has some: the labels of a group, or
    flag_meanings."""
    name = str(variable.name)
    group = name.removesuffix("_index")
    if group != name and group in data.coords:
        values = [str(label) for label in data[group].values[variable.values]]
        return {"name": sentence(variable.attrs.get("long_name", group)), "values": values}
    if "flag_meanings" in variable.attrs:
        words = _style.meanings(variable)
        values = [words[value].replace("_", " ") for value in variable.values.tolist()]
        return {"name": sentence(variable.attrs.get("long_name", name.replace("_", " "))), "values": values}
    shown = _units.variable(data, name)
    values = rounded(shown.values) if shown.dtype.kind in "iufb" else [str(value) for value in shown.values]
    return {"name": sentence(_style.quantity(variable)), "values": values}


def axis(results, site: str) -> dict[str, Any]:
    """label and observed of a site: the figure of kind estimates_by_unit that shows it says what it
    stands beside.

    observed: a value for every unit, or None where no figure says what was observed on the scale of
    the site.
    """
    for figure in results.config["figures"].values():
        if figure["kind"] == "estimates_by_unit" and figure["site"] == site:
            observed, text = _units.share(results.data, figure["outcome"], figure.get("trials"))
            return {"label": figure.get("label") or text, "observed": rounded(observed.values)}
    return {"label": site, "observed": None}


def failed(results, entry: str, by: str) -> list[bool]:
    """Which members' own fits failed, where the entry was fitted to each alone; none of them where
    it is one fit."""
    labels = [str(label) for label in results.data[by].values] if by in results.data.coords else []
    points: list[Mapping] = results.check(entry).get("points", [])
    verdicts = {str(point[by]): point["verdict"] for point in points if by in point}
    return [verdicts.get(label) == "fail" for label in labels]


def entry(results, name: str, by: str) -> dict[str, Any]:
    """label, colour and failed members of an entry."""
    shown = {"label": _style.label(results, name), "colour": _style.colour(results, name)}
    return shown | {"failed": [i for i, bad in enumerate(failed(results, name, by)) if bad]}
