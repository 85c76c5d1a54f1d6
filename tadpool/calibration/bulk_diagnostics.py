"""R-hat and ESS of very many quantities at once, as `tadpool.convergence.verdicts` has them of one
fit.

ArviZ takes about a millisecond for each quantity, which is most of the time of a calibration; the
same numbers come from NumPyro's functions, which take arrays, of rank-normalized split chains.
"""

import numpy as np
from numpyro.diagnostics import effective_sample_size, gelman_rubin
from scipy import stats


def joint(draws: np.ndarray) -> dict[str, np.ndarray]:
    """Rank-normalized split R-hat (the larger of location and scale) and bulk ESS of draws
    (quantity, chain, draw).

    Each has the shape (quantity,). R-hat of a quantity that never moved is NaN. Vehtari et al.
    (2021), Bayesian Analysis 16:667-718.
    """
    half = draws.shape[-1] // 2
    split = np.concatenate([draws[..., :half], draws[..., -half:]], axis=1)
    normal = _normal_scores(split)
    distance = _normal_scores(np.abs(split - np.median(split, axis=(1, 2), keepdims=True)))
    with np.errstate(divide="ignore", invalid="ignore"):
        rhat = np.maximum(*(gelman_rubin(np.moveaxis(scores, 0, -1)) for scores in (normal, distance)))
        ess = effective_sample_size(np.moveaxis(normal, 0, -1))
    return {"rhat": rhat, "ess_bulk": ess}


def _normal_scores(values: np.ndarray) -> np.ndarray:
    """Normal quantiles of the ranks of each quantity's draws over all chains (quantity, chain,
    draw)."""
    flat = values.reshape(len(values), -1)
    ranks = stats.rankdata(flat, axis=1)
    return stats.norm.ppf((ranks - 0.375) / (flat.shape[1] + 0.25)).reshape(values.shape)
