"""The scores of a sweep's points side by side: which is best, and which predict about as well."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tadpool.evaluation.comparison import TIE_DSE, TIE_ELPD, WORSE, standing
from tadpool.evaluation.elpd import total_error
from tadpool.sweep_axes import Over, axes, dim

TIE = f"less than {TIE_ELPD:.0f} nats, or {TIE_DSE:.0f} standard errors of the difference, behind"


def table(loo: xr.Dataset, over: Over, points: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per point that has scores: what varies, elpd with its errors, the difference to the
    best, whether it is a tie.

    points: of the sweep's check; one whose verdict is fail is neither the best nor a tie. A
    difference is a tie where it is small or uncertain, as between models (`comparison.standing`).
    """
    names, along = axes(over), dim(over)
    (unit,) = [other for other in loo["elpd"].dims if other != along]
    pointwise = loo["elpd"].transpose(along, unit).values
    failed_at = {tuple(point[axis] for axis in names) for point in points if point["verdict"] == "fail"}
    frame = pd.DataFrame({axis: loo[axis].values for axis in names})
    failed = np.array([row in failed_at for row in frame.itertuples(index=False, name=None)])
    total = pointwise.sum(axis=1)
    best = int(np.where(failed & ~failed.all(), -np.inf, total).argmax())
    paired = pointwise - pointwise[best]
    difference, dse = paired.sum(axis=1), np.array([total_error(each) for each in paired])
    level = [standing(each, error) != WORSE for each, error in zip(difference, dse, strict=True)]
    tie = ~failed & np.array(level)
    totals = {name: loo[f"total_{name}"].values for name in ("se", "mcse")}
    columns = {"elpd": total, **totals, "elpd_diff": difference, "dse": dse, "tie": tie, "failed": failed}
    columns |= {"untrusted": loo["total_doubtful"].values, "elpd_psis": loo["elpd_psis"].sum(unit).values}
    return frame.assign(**columns, n_units=pointwise.shape[1], best=np.arange(len(frame)) == best)
