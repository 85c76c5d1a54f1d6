"""The true values with which the data were simulated, and their estimates by entries."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from tadpool.calibration import recovery_table
from tadpool.evaluation import prior_only
from tadpool.figures import Drawn, NotDrawn, Standard, _style, _summaries

STANDARD = Standard("entry", "posterior", place=2)
CAPTION = (
    "Left: crosses are the true values, with which the data were simulated. Right: the same as errors. About 89 % of true "
    "values should lie within the thin lines: {covered} of {compared} do; the farthest is {worst}, at z = "
    "{worst_z:.1f}.{apart}{silent}"
)
WITHOUT = "has no true value, and returns its prior"
SILENT = "returns the prior in models that leave it out, and is not counted there"
EDGE = "has its true value at the boundary of the parameter space and is not counted, as no interval covers it"


def draw(
    results, *, entry: str | None = None, entries: list[str] | None = None, sites: list[str] | None = None
) -> Drawn:
    """sites: by default all that have true values. A parameter whose true value is NaN is shown and
    not counted.

    Raises NotDrawn where the data are not simulated, or no entry has a site of the truth.
    """
    if results.truth is None:
        raise NotDrawn("the data are not simulated")
    truth = results.truth[sites] if sites else results.truth
    names = _summaries.usable(results, entries or [entry])
    frames = [frame.assign(entry=name) for name in names if (frame := _compared(results, name, truth)) is not None]
    if not any(frame["counted"].any() for frame in frames):
        raise NotDrawn("no entry has a parameter whose true value is known")
    numbers = pd.concat(frames, ignore_index=True)
    names = list(dict.fromkeys(numbers["entry"]))
    rows = list(dict.fromkeys(numbers["parameter"]))
    labels = [_style.wrapped(_row_name(results, numbers, row)) for row in rows]
    each = max(0.17 + 0.07 * (len(names) - 1), 0.14 * max(len(label.splitlines()) for label in labels))
    figure, ((left, right),) = _style.panels(1, 2, height=1.0 + each * max(len(rows), 4), sharey=True)
    _panel(left, results, names, numbers, rows, 0.0)
    _panel(right, results, names, numbers[numbers["truth"].notna()], rows, numbers["truth"])
    known = numbers.drop_duplicates("parameter")
    place = known["parameter"].map(rows.index)
    left.plot(known["truth"], place, "x", color=_style.OBSERVED, markersize=6, label="true value", zorder=3)
    right.axvline(0, color=_style.OBSERVED, linewidth=0.8, linestyle="dotted")
    left.set_yticks(range(len(rows)), labels)
    left.set_ylim(len(rows) - 0.4, -0.6)
    left.set_xlabel("value")
    right.set_xlabel("estimate minus true value")
    _style.legend_above(figure, left)
    title = f"Parameter recovery by {', '.join(_style.label(results, name) for name in names)}"
    return Drawn(figure, numbers, title, _alt(results, numbers), CAPTION, _values(numbers))


def _compared(results, entry: str, truth: xr.Dataset) -> pd.DataFrame | None:
    """Intervals of all sites of the truth, with the truth, z, whether the 89 % interval covers it,
    and whether that counts.

    None where the entry has none of these sites.
    """
    posterior = _summaries.sites(results, entry)
    shared = [str(name) for name in truth.data_vars if name in posterior]
    if not shared:
        return None
    frame = pd.concat([_summaries.site_summary(posterior[name]) for name in shared], ignore_index=True)
    found = recovery_table.table(posterior, truth)[["parameter", "truth", "z"]]
    frame = frame.merge(found, on="parameter", how="left", validate="one_to_one")
    covered = (frame["eti89_low"] <= frame["truth"]) & (frame["truth"] <= frame["eti89_high"])
    prior = _summaries.sites(results, entry, "prior")
    edges = np.concatenate([_on_edge(posterior[name], truth[name], prior.get(name)) for name in shared])
    declared = results.config["models"][entry].get("returns_prior") or {}
    silent = [name for names in prior_only.elements(declared, results.data, posterior).values() for name in names]
    apart = frame["parameter"].isin(silent)
    counts = frame["truth"].notna() & ~edges & ~apart
    return frame.assign(covered=covered, counted=counts, silent=apart & frame["truth"].notna())


def _on_edge(site: xr.DataArray, truth: xr.DataArray, prior: xr.DataArray | None) -> np.ndarray:
    """Which true values lie at the boundary of the parameter space, such as a scale of zero: no
    interval covers these.

    All draws, of the prior and of the posterior, are then on one side of it.
    """
    drawn = _summaries.draws(site)
    at = np.broadcast_to(truth.values, [site.sizes[dim] for dim in _summaries.dims(site)]).reshape(-1, 1)
    before = drawn if prior is None else _summaries.draws(prior)
    return ((drawn > at).all(axis=1) & (before > at).all()) | ((drawn < at).all(axis=1) & (before < at).all())


def _panel(axes: Axes, results, names, numbers: pd.DataFrame, rows: list[str], less: pd.Series | float) -> None:
    """Intervals of the entries within each row, less the true values where these are given."""
    for position, name in enumerate(names):
        part = numbers[numbers["entry"] == name]
        own = less if isinstance(less, float) else less[part.index]
        moved = part.assign(**{column: part[column] - own for column in _summaries.QUANTILES})
        offset = (position - (len(names) - 1) / 2) * 0.6 / max(1, len(names) - 1)
        at = part["parameter"].map(rows.index).to_numpy(float) + offset
        look = {"color": _style.colour(results, name), "label": _style.label(results, name), "markersize": 3.5}
        _style.intervals(axes, at, moved, **look)


def _row_name(results, numbers: pd.DataFrame, row: str) -> str:
    known, name = numbers.loc[numbers["parameter"] == row, "truth"].notna().any(), results.named(row)
    return name if known else f"{name}\n({WITHOUT})"


def _values(numbers: pd.DataFrame) -> dict:
    """covered, compared and so on over all entries, and `<entry>_covered` and so on of each."""
    values = {}
    for name, part in [("", numbers), *numbers.groupby("entry", sort=False)]:
        known = part[part["counted"]]
        if known.empty:
            continue
        worst = known.loc[known["z"].abs().idxmax()]
        found = {
            "covered": int(known["covered"].sum()),
            "compared": len(known),
            "worst": worst["parameter"],
            "worst_z": float(worst["z"]),
            "worst_mean": float(worst["mean"]),
            "worst_truth": float(worst["truth"]),
            "error": float(np.sqrt(((known["mean"] - known["truth"]) ** 2).mean())),
        }
        values |= {f"{name}_{key}" if name else key: value for key, value in found.items()}
    without = list(dict.fromkeys(numbers.loc[numbers["truth"].isna(), "parameter"]))
    on_edge = numbers["truth"].notna() & ~numbers["counted"] & ~numbers["silent"]
    edge = list(dict.fromkeys(numbers.loc[on_edge, "parameter"]))
    silent = list(dict.fromkeys(numbers.loc[numbers["silent"], "parameter"]))
    values["apart"] = f" {', '.join(without)} {WITHOUT}." if without else ""
    values["apart"] += f" {', '.join(edge)} {EDGE}." if edge else ""
    values["silent"] = f" {', '.join(silent)} {SILENT}." if silent else ""
    return values


def _alt(results, numbers: pd.DataFrame) -> str:
    sentences = []
    for name, part in numbers.groupby("entry", sort=False):
        values = {"covered": 0, "compared": 0} | _values(part)
        rows = "; ".join(
            f"{row['parameter']}: {_summaries.in_words(row)}, "
            + (f"truth {row['truth']:.3g}" if pd.notna(row["truth"]) else WITHOUT)
            for _, row in part.iterrows()
        )
        found = f"{values['covered']} of {values['compared']} true values inside the 89 % intervals. "
        sentences.append(f"{_style.label(results, name)}: {found}{rows}.")
    return " ".join(sentences)
