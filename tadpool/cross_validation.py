"""Leave-one-out cross-validation of a fit, written as loo.nc."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import xarray as xr

from tadpool import comparison, contracts, io

UNITS_PER_BLOCK_BYTES = 250e6


def cross_validate(
    output: str,
    provenance: str,
    data: str,
    fit: str,
    threads: int,
    *,
    seed: int,
    study: str,
    entry: str,
    model: str,
    hyperparameters: Mapping[str, Any],
    outcomes: Sequence[str],
    unit: str,
    only_where: Mapping[str, str],
    precision: str,
    over: str | None,
) -> None:
    """PSIS-LOO of a fit, or of every point of a sweep over `over`, into `output` (contracts.LOO).

    A fit that failed or crashed gives a file without numbers that says so.
    """
    tree = io.read(fit, contracts.SWEEP if over else contracts.FIT)
    status = tree.attrs["status"]
    result = xr.DataTree(xr.Dataset(attrs={"provenance": provenance, "status": status, "reason": tree.attrs["reason"]}))
    if status != "ok":
        io.write(output, result, contracts.LOO)
        return
    posterior = tree["posterior"].to_dataset()

    def blocks(point: Mapping[str, int]) -> Iterator[xr.DataArray]:
        if "log_likelihood" in tree.children:
            (name,) = tree["log_likelihood"].data_vars
            yield tree["log_likelihood"][name].isel(point)
        else:
            from tadpool import binding, lanes, sampling

            lanes.start(threads, precision)
            values = {**hyperparameters, **({over: float(posterior[over][point[over]])} if over else {})}
            _, bound = binding.open_bound(data, model, values, only_where)
            yield from sampling.log_likelihood_blocks(
                bound, posterior.isel(point), outcomes, unit, UNITS_PER_BLOCK_BYTES
            )

    points = [{over: i} for i in range(posterior.sizes[over])] if over else [{}]
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    parts = []
    for point in points:
        pointwise = comparison.psis(blocks(point), posterior.isel(point))
        parts.append(
            pointwise.assign({f"total_{name}": value for name, value in comparison.totals(pointwise, draws).items()})
        )
    result["loo"] = xr.concat(parts, dim=posterior[over]) if over else parts[0]
    io.write(output, result, contracts.LOO)
