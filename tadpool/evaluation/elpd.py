"""Expected log predictive densities of what was left out, with their Monte Carlo errors."""

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from scipy.optimize import brentq
from scipy.special import expit, logsumexp

from tadpool.errors import UserError
from tadpool.evaluation.psis import psislw

FAR = 50.0
DOUBTFUL_RHAT = 1.05


def good_k(draws: int) -> float:
    """The largest Pareto k at which PSIS is reliable, given the number of draws (Vehtari et al.
    2024, JMLR 25(72))."""
    return min(1 - 1 / np.log10(draws), 0.7)


def psis(log_likelihood: xr.DataArray, relative_efficiency: float) -> xr.Dataset:
    """PSIS-LOO per unit from the log likelihood (chain, draw, unit) of some or all units.

    Returns elpd, mcse, pareto_k, p_loo and method (unit), elpd_psis, which stays where a unit is
    scored otherwise, and rhat and diverging, which say how the fit without the unit went. mcse is
    the delta-method Monte Carlo error of each elpd. Raises UserError where the log likelihood is
    not finite.
    """
    if not np.isfinite(log_likelihood.values).all():
        raise UserError("the log likelihood is not finite everywhere; look at the model and the data of this fit")
    unit = next(dim for dim in log_likelihood.dims if dim not in ("chain", "draw"))
    wide = log_likelihood.astype(np.float64).transpose(unit, "chain", "draw").values
    flat = wide.reshape(len(wide), -1)
    log_weights, pareto_k = psis_weights(flat, relative_efficiency)
    elpd = np.where(np.ptp(flat, axis=1) > 0, logsumexp(log_weights + flat, axis=1), flat[:, 0])
    mcse = np.sqrt(np.sum((np.exp(log_weights) * np.expm1(flat - elpd[:, None])) ** 2, axis=1) / relative_efficiency)
    values = {"elpd": elpd, "mcse": mcse, "pareto_k": pareto_k, "p_loo": lppd(flat) - elpd}
    values |= {"method": np.full(len(elpd), "psis", dtype="<U5"), "elpd_psis": elpd.copy()}
    values |= {"rhat": np.full(len(elpd), np.nan), "diverging": np.zeros(len(elpd), int)}
    return xr.Dataset({name: (unit, value) for name, value in values.items()}, coords={unit: log_likelihood[unit]})


def psis_weights(log_likelihood: np.ndarray, relative_efficiency: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Normalized log weights (unit, draw) of the draws without each unit, and its Pareto k (unit).

    A unit whose log likelihood (unit, draw) is the same at all draws, such as one of weight 0 or
    without trials, says nothing: its weights are equal, and its k is 0. PSIS finds no tail there.
    """
    moving = np.ptp(log_likelihood, axis=1) > 0
    log_weights = np.full(log_likelihood.shape, -np.log(log_likelihood.shape[1]))
    pareto_k = np.zeros(len(log_likelihood))
    if moving.any():
        smoothed, pareto_k[moving] = psislw(log_likelihood[moving], relative_efficiency)
        log_weights[moving] = smoothed - logsumexp(smoothed, axis=1, keepdims=True)
    return log_weights, pareto_k


def relative_efficiency(posterior: xr.Dataset) -> float:
    """Mean ESS over all parameters / draws, as ArviZ takes it."""
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    ess = [
        array_stats.ess(variable.transpose(..., "chain", "draw").values, chain_axis=-2, draw_axis=-1, method="mean")
        for variable in posterior.data_vars.values()
    ]
    return float(np.nanmean(np.concatenate([np.ravel(value) for value in ess])) / draws)


def left_out(without: np.ndarray) -> dict[str, np.ndarray]:
    """elpd and mcse of targets from log likelihoods (target, chain, draw) at draws of fits without
    them."""
    relative = np.exp(without - without.max(axis=(1, 2), keepdims=True))
    return {"elpd": lppd(without), "mcse": _relative_error(relative)}


def bridged(without: np.ndarray, within: np.ndarray) -> dict[str, np.ndarray]:
    """elpd and mcse of targets, each left out alone, from log likelihoods (target, chain, draw) at
    draws of both fits.

    without: at draws of the fit without the target. within: at draws of the fit to everything. The
    predictive density of the target is the ratio of the two fits' normalizing constants, estimated
    from both by the optimal bridge (Bennett 1976, J. Comput. Phys. 22:245; Meng & Wong 1996,
    Statistica Sinica 6:831). The mean likelihood under the first fit alone is off by nats where its
    draws hardly cover values that agree with the target, as with a group's effect drawn from a wide
    population.
    """
    elpd, mcse = np.empty(len(without)), np.empty(len(without))
    for number, (out, full) in enumerate(zip(without, within, strict=True)):
        offset = np.log(full.size / out.size)

        def excess(value, out=out, full=full, offset=offset):
            return expit(out + offset - value).sum() - expit(value - offset - full).sum()

        low, high = min(out.min(), full.min()) - FAR, max(out.max(), full.max()) + FAR
        elpd[number] = brentq(excess, low + offset, high + offset)
        terms = expit(out + offset - elpd[number]), expit(elpd[number] - offset - full)
        mcse[number] = np.hypot(*(_relative_error(term[None])[0] for term in terms))
    return {"elpd": elpd, "mcse": mcse}


def lppd(log_likelihood: np.ndarray) -> np.ndarray:
    """Log of the mean likelihood of each target (target, draws...)."""
    flat = log_likelihood.reshape(len(log_likelihood), -1)
    return logsumexp(flat, axis=1) - np.log(flat.shape[1])


def _relative_error(values: np.ndarray) -> np.ndarray:
    """Monte Carlo error of the mean of values (target, chain, draw), relative to it; 0 where they
    are all the same."""
    error = np.zeros(len(values))
    moving = np.ptp(values, axis=(1, 2)) > 0
    if moving.any():
        error[moving] = array_stats.mcse(values[moving], chain_axis=-2, draw_axis=-1, method="mean")
    return error / values.mean(axis=(1, 2))


def total_error(pointwise: np.ndarray) -> float:
    """Standard error of the sum over targets; NaN for a single one. The variance divides by n - 1,
    which matters where targets are few (groups that are left out)."""
    n = len(pointwise)
    return float(np.sqrt(n * pointwise.var(ddof=1))) if n > 1 else float("nan")


def totals(pointwise: xr.Dataset, draws: int) -> dict[str, float | int]:
    """elpd, its standard error, p_loo, the Monte Carlo error, and how many targets are `doubtful`.

    These are scored by PSIS although their Pareto k is too high, or by a fit whose chains disagree.
    """
    elpd = pointwise["elpd"].values
    threshold = good_k(draws)
    doubtful = (pointwise["pareto_k"] > threshold) & (pointwise["method"] == "psis")
    return {
        "elpd": float(elpd.sum()),
        "se": total_error(elpd),
        "p_loo": float(pointwise["p_loo"].sum()),
        "mcse": float(np.sqrt(np.sum(pointwise["mcse"].values ** 2))),
        "good_k": float(threshold),
        "doubtful": int((doubtful | (pointwise["rhat"] > DOUBTFUL_RHAT)).sum()),
        "n_units": len(elpd),
        "n_samples": int(draws),
    }
