"""Tables that compare models by how well they predict what was left out.

Vehtari, Gelman & Gabry (2017), Statistics and Computing 27:1413; stacking: Yao et al. (2018),
Bayesian Analysis 13:917.
"""

import math
import warnings
from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr
from arviz_stats import compare
from arviz_stats.utils import ELPDDataLOO
from scipy.stats import norm

from tadpool.evaluation.elpd import total_error
from tadpool.files import contracts

TIE_ELPD = 4.0
TIE_DSE = 2.0
EQUAL = "about equal"
UNCERTAIN = "too close to call"
WORSE = "worse"


def standing(difference: float, dse: float) -> str:
    """What a difference in elpd says of the model that is behind.

    "about equal": the difference is small, and known to be: it and two of its standard errors are
    below TIE_ELPD. "too close to call": it is below TIE_DSE of its standard errors. "worse":
    neither.
    """
    if abs(difference) < TIE_ELPD and TIE_DSE * dse < TIE_ELPD:
        return EQUAL
    return WORSE if abs(difference) >= TIE_DSE * dse else UNCERTAIN


def table(
    target: str, pointwise: Mapping[str, xr.Dataset], verdicts: Mapping[str, str], order: Sequence[str]
) -> pd.DataFrame:
    """One row per entry, best first: elpd with its error, difference to the best with its own,
    weight, methods, verdict.

    pointwise: entry -> the loo group with its totals; entries that are missing here (their fit
    failed) come last without numbers. A difference is a tie where its `standing` is not worse.
    p_worse is the normal approximation to the probability that the entry is worse than the first,
    and diag_diff says where ArviZ doubts that approximation (Sivula et al. 2025,
    arXiv:2008.10296: fewer than 100 units, or a difference below 4).
    """
    ranked = {name: _elpd_data(pointwise[name]) for name in order if name in pointwise}
    rows = _compared(ranked, pointwise) if ranked else []
    for row in rows:
        loos = pointwise[row["model"]]
        row |= {name: loos[f"total_{name}"].item() for name in ("mcse", "doubtful", "n_units")}
        row |= {f"rows_{kind}": int((loos["method"] == kind).sum()) for kind in ("psis", "refit", "kfold")}
    rows += [{"model": name} for name in order if name not in ranked]
    for row in rows:
        row |= {"target": target, "verdict": verdicts[row["model"]]}
    frame = pd.DataFrame(rows).reindex(columns=list(contracts.RANKING))
    return frame.astype(dict.fromkeys(contracts.RANKING_COUNTS, "Int64"))


def _compared(ranked: Mapping[str, ELPDDataLOO], pointwise: Mapping[str, xr.Dataset]) -> list[dict]:
    """ArviZ's comparison, best first, with standard errors that divide by n - 1; a single entry has
    nothing to differ from."""
    if len(ranked) == 1:
        ((name, data),) = ranked.items()
        columns = {"elpd": data.elpd, "se": data.se, "p": data.p, "elpd_diff": 0.0, "dse": 0.0, "weight": 1.0}
        columns |= {"diag_diff": ""}
        frame = pd.DataFrame(columns, index=[name])
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = compare(dict(ranked), round_to="none")
    rows, best = [], pointwise[frame.index[0]]["elpd"].values
    for rank, (name, row) in enumerate(frame.iterrows(), start=1):
        difference = float(row["elpd_diff"])
        dse = total_error(pointwise[name]["elpd"].values - best) if rank > 1 else 0.0
        tie = rank > 1 and standing(difference, dse) != WORSE
        numbers = {"elpd": row["elpd"], "se": row["se"], "p_loo": row["p"], "weight": row["weight"]}
        numbers |= {"p_worse": _worse(difference, dse) if rank > 1 else math.nan, "diag_diff": row["diag_diff"]}
        rows.append({"model": name, "rank": rank, "elpd_diff": difference, "dse": dse, "tie": tie, **numbers})
    return rows


def _worse(difference: float, dse: float) -> float:
    """The probability that a model with this difference is worse; a half where all units agree."""
    return float(norm.cdf(-difference / dse)) if dse else 0.5 if not difference else float(difference < 0)


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
        warning=bool(total["doubtful"]),
        good_k=total["good_k"],
        elpd_i=pointwise["elpd"],
        pareto_k=pointwise["pareto_k"],
    )
