"""Whether a mean of draws says something: not where a few of them decide it."""

from contextlib import suppress

import numpy as np
from arviz_stats.base import array_stats

HEAVY_TAIL = 0.7


def mean_is_reliable(values: np.ndarray) -> bool:
    """Whether a few draws do not decide the mean of all: the Pareto k of no tail is above 0.7
    (Vehtari et al. 2024, J. Mach. Learn. Res. 25:72). A tail of equal values is none."""
    draws, found = values.astype(float).reshape(1, -1), []
    for tail in ("left", "right"):
        with suppress(ValueError):
            found.append(array_stats.pareto_khat(draws, chain_axis=0, draw_axis=1, r_eff=1.0, tail=tail))
    return not any(k > HEAVY_TAIL for k in found)
