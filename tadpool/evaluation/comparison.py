"""Tables that compare models by how well they predict what was left out.

Vehtari, Gelman & Gabry (2017), Statistics and Computing 27:1413; stacking: Yao et al. (2018),
Bayesian Analysis 13:917.
"""

import warnings
from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr
from arviz_stats import compare
from arviz_stats.utils import ELPDDataLOO

from tadpool.files import contracts

TIE_ELPD = 4.0
TIE_DSE = 2.0


def table(
    target: str, pointwise: Mapping[str, xr.Dataset], verdicts: Mapping[str, str], order: Sequence[str]
) -> pd.DataFrame:
    """One row per entry, best first: elpd with its error, difference to the best with its own,
    weight, methods, verdict.

    pointwise: entry -> the loo group with its totals; entries that are missing here (their fit
    failed) come last without numbers. A difference is a tie where |elpd_diff| < 4 or < 2 dse.
    """
    ranked = {name: _elpd_data(pointwise[name]) for name in order if name in pointwise}
    rows = _compared(ranked) if ranked else []
    for row in rows:
        loos = pointwise[row["model"]]
        row |= {name: loos[f"total_{name}"].item() for name in ("mcse", "doubtful", "n_units")}
        row |= {f"rows_{kind}": int((loos["method"] == kind).sum()) for kind in ("psis", "refit", "kfold")}
    rows += [{"model": name} for name in order if name not in ranked]
    for row in rows:
        row |= {"target": target, "verdict": verdicts[row["model"]]}
    frame = pd.DataFrame(rows).reindex(columns=list(contracts.RANKING))
    return frame.astype(dict.fromkeys(contracts.RANKING_COUNTS, "Int64"))


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
        warning=bool(total["doubtful"]),
        good_k=total["good_k"],
        elpd_i=pointwise["elpd"],
        pareto_k=pointwise["pareto_k"],
    )
