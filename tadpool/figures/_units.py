"""An outcome unit by unit: what was observed, blocks of units, colours by a variable."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from tadpool.errors import UserError
from tadpool.figures import _style

MARKERS = ("o", "s", "^", "D")
MOST_LABELLED = 60


def variable(data: xr.Dataset, name: str) -> xr.DataArray:
    """A variable of the dataset as it is shown, ordered levels from 1. Raises UserError where there
    is none of that name."""
    if name not in data.variables:
        raise UserError(f"figures: the dataset has no variable {name!r}; it has {', '.join(map(str, data.data_vars))}")
    found = data[name]
    return (found + _style.first_level(found)).assign_attrs(found.attrs) if _style.first_level(found) else found


def share(data: xr.Dataset, outcome: str, trials: str | None) -> tuple[xr.DataArray, str]:
    """The outcome, as a share where there are trials, and its axis label."""
    observed = variable(data, outcome)
    if trials is None:
        return observed, _style.quantity(observed)
    total = variable(data, trials)
    names = [part.attrs.get("long_name", str(part.name)) for part in (observed, total)]
    return (observed / total).rename(outcome), f"{names[0]} / {names[1]}"


def categories(data: xr.Dataset, name: str | None) -> list[tuple[str, np.ndarray, str, str]]:
    """Each value of a variable, or member of a group: label, which units have it, colour, marker.

    One category without a label where name is None.
    """
    if name is None:
        return [("", np.ones(1, bool), _style.OBSERVED, "o")]
    indexed = f"{name}_index" in data
    chosen = variable(data, f"{name}_index" if indexed else name)
    title = chosen.attrs.get("long_name", name)
    found = dict(enumerate(data[name].values.tolist())) if indexed else _style.meanings(chosen)
    # Colours from the end of the palette: entries have theirs from its start.
    colours, markers = reversed(_style.PALETTE), MARKERS
    return [
        (f"{title} {text}", chosen.values == value, shade, marker)
        for (value, text), shade, marker in zip(found.items(), colours, markers, strict=False)
    ]


def draw_blocks(axes: Axes, data: xr.Dataset, name: str | None, labelled: bool = True) -> None:
    """Lines where a variable changes from one unit to the next, with its values above."""
    if name is None:
        return
    blocks = variable(data, name)
    starts = [0, *(np.flatnonzero(np.diff(blocks.values)) + 1), len(blocks)]
    for start, end in pairwise(starts):
        if start:
            axes.axvline(start + 0.5, color=_style.REFERENCE, linewidth=0.8, linestyle="dotted")
        if labelled:
            text = f"{blocks.attrs.get('long_name', name)} {blocks.values[start]}"
            axes.annotate(
                text,
                ((start + end + 1) / 2, 1.01),
                xycoords=("data", "axes fraction"),
                ha="center",
                va="bottom",
                fontsize=8,
            )


def draw_unit_axis(axes: Axes, observed: xr.DataArray) -> None:
    """Units at 1, 2, ...; their own labels where these are few and not just numbers."""
    (unit,) = observed.dims
    labels = observed[unit].values if unit in observed.coords else np.arange(1, len(observed) + 1)
    axes.set_xlabel(_style.quantity(observed[unit]) if unit in observed.coords else unit)
    axes.set_xlim(0.2, len(observed) + 0.8)
    if labels.dtype.kind not in "iuf" and len(labels) <= MOST_LABELLED:
        axes.set_xticks(range(1, len(labels) + 1), labels, rotation=90 if len(labels) > 12 else 0)


def draw_group_axis(axes: Axes, at: np.ndarray, labels: Sequence[str], title: str) -> None:
    """Groups at 0, 1, ...: their names where they are few, else evenly chosen ones; long names
    stand upright."""
    step = 1 if len(labels) <= MOST_LABELLED else -(-len(labels) // 20)
    upright = len(labels) > 15 or sum(map(len, labels)) > 90
    axes.set_xticks(at[::step], labels[::step], rotation=90 if upright else 0)
    axes.set_xlim(-0.8, len(labels) - 0.2)
    axes.set_xlabel(title)


def values_by_group(data: xr.Dataset, name: str, by: str) -> Mapping[str, np.ndarray]:
    """The values of a variable by group: by a dim with an index variable `<by>_index`, or by the
    values of a variable."""
    values = variable(data, name).values
    if f"{by}_index" in data:
        members = data[by].values if by in data.coords else np.arange(data.sizes[by])
        return {str(member): values[data[f"{by}_index"].values == i] for i, member in enumerate(members)}
    chosen = variable(data, by)
    return {text: values[chosen.values == value] for value, text in _style.meanings(chosen).items()}


def group_title(data: xr.Dataset, by: str) -> str:
    return _style.quantity(data[f"{by}_index"] if f"{by}_index" in data else variable(data, by))
