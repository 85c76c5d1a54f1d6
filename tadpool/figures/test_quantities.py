"""Quantities of the observed data compared with data sets replicated by the fitted model."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from tadpool.evaluation import predictive_checks
from tadpool.figures import Drawn, NotDrawn, Standard, _predictive, _style, _summaries
from tadpool.formatting import listed

STANDARD = Standard("entry", "predictive", place=2)
MOST_SDS = 6.0
MOST_LEVELS = 6
MOST_COMBINATIONS = 24
CAPTION = (
    "Each row is a quantity on its own scale: black dots are the observed data, lines are {replicates} data sets replicated "
    "by the model (50 % thick, 89 % thin). The tail probability is the share of replicated data sets with a larger value, "
    "with ties counted half; below 0.025 or above 0.975 the quantity is extreme and has a cross, as {extreme} of {looked} "
    "have (at most {chance:.1f} expected by chance). Members of a group are counted if they lie outside their 95 % "
    "intervals; too many of them are extreme, too few are not."
)


def draw(results, *, entry: str) -> Drawn:
    """Raises NotDrawn where the fit has no posterior predictive draws of an outcome."""
    numbers = predictive_checks.table(outcomes(results, entry))
    if numbers.empty:
        raise NotDrawn(f"{entry} has no predictive draws of an outcome")
    figure, ((axes,),) = _style.panels(height=0.9 + 0.27 * len(numbers))
    _rows(axes, numbers, names(numbers), _style.colour(results, entry))
    _style.legend_above(figure, axes)
    extreme = numbers[numbers["extreme"]]
    values = {
        "replicates": int(numbers["replicates"].iloc[0]),
        "extreme": len(extreme),
        "looked": len(numbers),
        "chance": 2 * predictive_checks.TAIL * len(numbers),
    }
    worst = [
        f"{name} (tail probability {p:.3f})"
        for name, p in zip(names(extreme), extreme["tail_probability"], strict=True)
    ]
    found = f"extreme: {'; '.join(worst)}" if worst else "none is extreme"
    alt = f"{len(numbers)} quantities of {values['replicates']} replicated data sets, compared with the observed data; {found}."
    return Drawn(figure, numbers, f"Test quantities of {_style.label(results, entry)}", alt, CAPTION, values)


def outcomes(results, entry: str) -> list[predictive_checks.Outcome]:
    """Every outcome of the study that the entry predicts, with what counts and the members of the
    study's groups.

    An outcome with further dims than the unit is split into its parts.
    """
    predictive, data = _summaries.sites(results, entry, "posterior_predictive"), results.data
    unit, found = results.config["unit"], []
    for name, outcome, where in _predictive.parts(data, results.config["outcomes"], unit):
        if outcome not in predictive:
            continue
        gate = results.config.get("observed_where", {}).get(outcome)
        observed = data[outcome].isel(where)
        found.append(
            predictive_checks.Outcome(
                name,
                predictive_checks.kind(_summaries.distribution(results, entry, outcome), data[outcome].values),
                observed.values,
                predictive[outcome].isel(where).transpose(*_summaries.SAMPLE, unit).values,
                _counted(data[gate], where) if gate else None,
                _counted(predictive[gate], where) if gate in predictive else None,
                members(results),
                _style.first_level(observed),
            )
        )
    return found


def members(results) -> dict[str, np.ndarray]:
    """What outcomes are looked at by: the study's groups, every other index over the units,
    predictors of at most MOST_LEVELS whole numbers, and the combinations of these where there are
    at most MOST_COMBINATIONS; with the position of each unit's member."""
    data, unit = results.data, results.config["unit"]
    found = {unit: np.arange(data.sizes[unit])} if unit in results.config.get("groups", ()) else {}
    gates = set(results.config.get("observed_where", {}).values())
    for name, variable in data.data_vars.items():
        if variable.dims != (unit,) or variable.dtype.kind not in "iub":
            continue
        if name in results.config["outcomes"] or name in gates:
            continue
        values = variable.values
        if str(name).endswith("_index") or 2 <= len(np.unique(values)) <= MOST_LEVELS:
            found[str(name).removesuffix("_index")] = np.unique(values, return_inverse=True)[1]
    together = {name: found[name] for name in found if name in data.data_vars}
    if len(together) > 1:
        cells = np.unique(np.stack(list(together.values())), axis=1, return_inverse=True)[1]
        if max(map(np.max, together.values())) < cells.max() < MOST_COMBINATIONS:
            found[listed(list(together))] = cells
    return found


def _counted(gate: xr.DataArray, where: dict[str, int]) -> np.ndarray:
    """Where the gate is not 0, (units,) or (chain, draw, units)."""
    chosen = gate.isel({dim: i for dim, i in where.items() if dim in gate.dims})
    return chosen.transpose(*(dim for dim in _summaries.SAMPLE if dim in chosen.dims), ...).values != 0


def names(numbers: pd.DataFrame) -> list[str]:
    """What to call each row of `predictive_checks.table`, with the outcome where there are
    several."""
    several = numbers["outcome"].nunique() > 1
    return [
        (f"{row.outcome}: " if several else "")
        + (f"{row.quantity} by {row.group}, outside of {row.members}" if row.group else row.quantity)
        for row in numbers.itertuples()
    ]


def _rows(axes: Axes, numbers: pd.DataFrame, labels: list[str], colour: str) -> None:
    at = np.arange(len(numbers))[::-1]
    scale = np.where(numbers["sd"] > 0, numbers["sd"], 1.0)
    frame = numbers[list(_summaries.QUANTILES)].sub(numbers["mean"], axis=0).div(scale, axis=0)
    _style.intervals(axes, at, frame, color=colour, label="replicated: median, 50 %, 89 %")
    seen = ((numbers["observed"] - numbers["mean"]) / scale).to_numpy()
    shown, far = np.clip(seen, -MOST_SDS, MOST_SDS), np.abs(seen) > MOST_SDS
    extreme = numbers["extreme"].to_numpy()
    for chosen, marker, size, words in ((~extreme, "o", 5, "observed"), (extreme, "X", 8, "observed, extreme")):
        if chosen.any():
            look = {"color": _style.OBSERVED, "markersize": size, "linestyle": "none"}
            axes.plot(shown[chosen], at[chosen], marker, label=words, **look)
    for i in np.flatnonzero(far):
        axes.annotate(
            f"{seen[i]:+.0f} SDs", (shown[i], at[i]), (-np.sign(seen[i]) * 8, 0), textcoords="offset points",
            fontsize=7, va="center", ha="right" if seen[i] > 0 else "left",
        )  # fmt: skip
    axes.axvline(0, color=_style.REFERENCE, linewidth=0.6, linestyle="dotted", zorder=0)
    axes.set_yticks(at, labels)
    axes.set_ylim(-0.7, len(numbers) - 0.3)
    reach = max(2.7, np.abs(shown).max(), np.abs(frame.clip(-MOST_SDS, MOST_SDS)).to_numpy().max()) + 0.3
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("standard deviations of replicated data sets from their mean")
    right = axes.secondary_yaxis("right")
    right.set_yticks(
        at,
        [
            f"{observed:.4g}, tail {p:.3f}"
            for observed, p in zip(numbers["observed"], numbers["tail_probability"], strict=True)
        ],
    )
    for side in (axes, right):
        side.tick_params(axis="y", length=0)
    right.spines["right"].set_visible(False)
