"""How a variable of the dataset is distributed, as a whole and by group."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tadpool.figures import Drawn, _style, _units
from tadpool.formatting import measured

COLUMNS = 3


def draw(results, *, variable: str, by: str | None = None) -> Drawn:
    """by: a grouping dim or a variable; one more panel for each of its values, all on the same
    axis."""
    chosen = _units.variable(results.data, variable)
    parts = {"all": chosen.values.ravel()} | (dict(_units.values_by_group(results.data, variable, by)) if by else {})
    columns = min(COLUMNS, len(parts))
    rows = -(-len(parts) // columns)
    figure, axes = _style.panels(
        rows, columns, height=0.4 + (2.6 if rows == 1 else 2.1 * rows), sharex=True, width=_style.WIDTH if by else 5.0
    )
    edges = _edges(chosen.values)
    frames = []
    for axis, (name, values) in zip(axes.flat, parts.items(), strict=False):
        frames.append(_bars(axis, values, edges, discrete=chosen.dtype.kind in "iub").assign(part=name))
        title = "" if not by else "all\n" if name == "all" else f"{_units.group_title(results.data, by)} {name}\n"
        axis.set_title(
            f"{title}mean {measured(values.mean(), 2)}, variance {measured(_variance(values), 2)}", fontsize=8
        )
    for axis in axes.flat[len(parts) :]:
        axis.set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel(_style.quantity(chosen))
    for axis in axes[:, 0]:
        axis.set_ylabel(f"number of {chosen.dims[0]}s")
    sentences = [
        f"{name}: {len(values)} values, mean {measured(values.mean(), 2)}, variance {measured(_variance(values), 2)}, "
        f"from {values.min():.3g} to {values.max():.3g}."
        for name, values in parts.items()
    ]
    whole = parts["all"]
    shown = {
        "mean": float(whole.mean()),
        "variance": _variance(whole),
        "n": len(whole),
        "smallest": whole.min(),
        "largest": whole.max(),
    }
    title = f"Distribution of {_style.quantity(chosen)}" + (f" by {_units.group_title(results.data, by)}" if by else "")
    return Drawn(figure, pd.concat(frames, ignore_index=True), title, " ".join(sentences), values=shown)


def _variance(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _edges(values: np.ndarray) -> np.ndarray:
    """One bar per whole number, or a few of them; for other numbers the rule of Freedman and
    Diaconis."""
    if values.dtype.kind not in "iub":
        return np.histogram_bin_edges(values[np.isfinite(values)], "fd")
    low, high = int(values.min()), int(values.max())
    step = -(-(high - low + 1) // 60)
    return np.arange(low, high + step + 1, step) - 0.5


def _bars(axes: Axes, values: np.ndarray, edges: np.ndarray, discrete: bool) -> pd.DataFrame:
    counts, _ = np.histogram(values, edges)
    centres = (edges[:-1] + edges[1:]) / 2
    axes.bar(centres, counts, width=np.diff(edges) * (0.85 if discrete else 1.0), color=_style.REFERENCE, linewidth=0)
    axes.axvline(values.mean(), color=_style.OBSERVED, linewidth=1, linestyle="dashed")
    return pd.DataFrame(
        {"from": edges[:-1], "to": edges[1:], "count": counts, "mean": values.mean(), "variance": _variance(values)}
    )
