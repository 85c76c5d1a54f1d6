"""Predictive comparison by leave-one-out cross-validation (Vehtari, Gelman & Gabry 2017, Statistics and Computing 27:1413)."""

import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats import compare, loo
from arviz_stats.utils import ELPDDataLOO
from scipy.special import logsumexp

from tadpool.errors import UserError

TIE_ELPD = 4.0
TIE_DSE = 2.0


def good_k(draws: int) -> float:
    """The largest Pareto k at which PSIS can be trusted with so many draws (Vehtari et al. 2024, JMLR 25(72))."""
    return min(1 - 1 / np.log10(draws), 0.7)


def psis(blocks: Iterator[xr.DataArray], posterior: xr.Dataset) -> xr.Dataset:
    """PSIS-LOO per unit from log likelihood blocks (chain, draw, unit), each a slice of the units.

    Returns elpd, mcse, pareto_k, p_loo (unit) and method. mcse is the delta-method Monte Carlo error of each elpd with
    the posterior's relative efficiency. Raises UserError where the log likelihood is not finite.
    """
    parts = [_psis_block(block, posterior) for block in blocks]
    return xr.concat(parts, dim=parts[0]["elpd"].dims[0])


def _psis_block(log_likelihood: xr.DataArray, posterior: xr.Dataset) -> xr.Dataset:
    if not np.isfinite(log_likelihood.values).all():
        raise UserError("the log likelihood is not finite everywhere; look at the model and the data of this fit")
    unit = next(dim for dim in log_likelihood.dims if dim not in ("chain", "draw"))
    wide = log_likelihood.astype(np.float64)
    tree = xr.DataTree.from_dict({"posterior": posterior, "log_likelihood": wide.to_dataset(name="unit")})
    reff = _relative_efficiency(posterior)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ArviZ warns of high Pareto k; they are stored, marked and shown
        result = loo(tree, pointwise=True, var_name="unit", reff=reff)
    flat = wide.stack(sample=("chain", "draw")).transpose(unit, "sample").values
    log_weights = result.log_weights.stack(sample=("chain", "draw")).transpose(unit, "sample").values
    weights = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True))
    relative = np.exp(flat - result.elpd_i.values[:, None])
    mcse = np.sqrt(np.sum(weights**2 * (relative - 1.0) ** 2, axis=1) / reff)
    lppd = logsumexp(flat, axis=1) - np.log(flat.shape[1])
    elpd = result.elpd_i.values
    method = np.full(len(elpd), "psis")
    values = {"elpd": elpd, "mcse": mcse, "pareto_k": result.pareto_k.values, "p_loo": lppd - elpd, "method": method}
    return xr.Dataset({name: (unit, value) for name, value in values.items()}, coords={unit: log_likelihood[unit]})


def _relative_efficiency(posterior: xr.Dataset) -> float:
    """Mean ESS over all parameters / draws, as ArviZ takes it."""
    from arviz_stats.base import array_stats

    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    ess = [
        array_stats.ess(variable.transpose(..., "chain", "draw").values, chain_axis=-2, draw_axis=-1, method="mean")
        for variable in posterior.data_vars.values()
    ]
    return float(np.nanmean(np.concatenate([np.ravel(value) for value in ess])) / draws)


def totals(pointwise: xr.Dataset, draws: int) -> dict[str, float | int]:
    """elpd, its standard error, p_loo, the Monte Carlo error, and how many units are above the trusted Pareto k."""
    elpd = pointwise["elpd"].values
    threshold = good_k(draws)
    return {
        "elpd": float(elpd.sum()),
        "se": float(np.sqrt(len(elpd) * elpd.var())),
        "p_loo": float(pointwise["p_loo"].sum()),
        "mcse": float(np.sqrt(np.sum(pointwise["mcse"].values ** 2))),
        "good_k": float(threshold),
        "bad_k": int((pointwise["pareto_k"] > threshold).sum()),
        "n_units": len(elpd),
        "n_samples": int(draws),
    }


def table(
    target: str, pointwise: Mapping[str, xr.Dataset], verdicts: Mapping[str, str], order: Sequence[str]
) -> pd.DataFrame:
    """One row per entry, best first: elpd with its error, difference to the best with its own, weight, methods, verdict.

    pointwise: entry -> the loo group with its totals; entries that are missing here (their fit failed)
    come last without numbers. A difference is a tie where |elpd_diff| < 4 or < 2 dse.
    """
    ranked = {name: _elpd_data(pointwise[name]) for name in order if name in pointwise}
    rows = _compared(ranked) if ranked else []
    for row in rows:
        loos = pointwise[row["model"]]
        row |= {name: loos[f"total_{name}"].item() for name in ("mcse", "bad_k", "n_units")}
        row |= {f"rows_{kind}": int((loos["method"] == kind).sum()) for kind in ("psis", "refit", "kfold")}
    rows += [{"model": name} for name in order if name not in ranked]
    for row in rows:
        row |= {"target": target, "verdict": verdicts[row["model"]]}
    first = ["model", "target", "rank", "elpd", "se", "mcse", "elpd_diff", "dse", "tie", "p_loo", "weight"]
    frame = pd.DataFrame(rows)
    frame = frame.reindex(columns=[*first, *(column for column in frame.columns if column not in first)])
    whole = [c for c in frame.columns if c.startswith("rows_") or c in ("rank", "bad_k", "n_units")]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _compared(ranked: Mapping[str, ELPDDataLOO]) -> list[dict]:
    """ArviZ's comparison, best first; a single entry has nothing to differ from."""
    if len(ranked) == 1:
        ((name, data),) = ranked.items()
        columns = {"elpd": data.elpd, "se": data.se, "p": data.p, "elpd_diff": 0.0, "dse": 0.0, "weight": 1.0}
        frame = pd.DataFrame(columns, index=[name])
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = compare(dict(ranked), round_to="none")
    rows = []
    for rank, (name, row) in enumerate(frame.iterrows(), start=1):
        difference, dse = float(row["elpd_diff"]), float(row["dse"])
        tie = rank > 1 and (abs(difference) < TIE_ELPD or abs(difference) < TIE_DSE * dse)
        numbers = {"elpd": row["elpd"], "se": row["se"], "p_loo": row["p"], "weight": row["weight"]}
        rows.append({"model": name, "rank": rank, "elpd_diff": difference, "dse": dse, "tie": tie, **numbers})
    return rows


def _elpd_data(pointwise: xr.Dataset) -> ELPDDataLOO:
    total = {
        str(name).removeprefix("total_"): pointwise[name].item() for name in pointwise if str(name).startswith("total_")
    }
    return ELPDDataLOO(
        elpd=total["elpd"],
        se=total["se"],
        p=total["p_loo"],
        n_samples=total["n_samples"],
        n_data_points=total["n_units"],
        scale="log",
        warning=bool(total["bad_k"]),
        good_k=total["good_k"],
        elpd_i=pointwise["elpd"],
        pareto_k=pointwise["pareto_k"],
    )
