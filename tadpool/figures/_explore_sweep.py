"""Data of the sweep explorer: the posterior of every member at each value of a hyperparameter."""

from typing import Any

import pandas as pd

from tadpool.figures import _explore, _style, _summaries


def sweep(results, name: str, numbers: pd.DataFrame) -> dict[str, Any] | None:
    """numbers: elpd, se and tie at each value. None where the sweep's posterior has no site over the unit or a group."""
    fit, check = results.sweep_fit(name), results.sweep_check(name)
    if fit.attrs["status"] != "ok":
        return None
    posterior, over = fit["posterior"].to_dataset(), fit.attrs["over"]
    if posterior.sizes[over] != len(numbers):
        return None  # some points could not be sampled
    site = _site(results, posterior.isel({over: 0}))
    if site is None:
        return None
    by = _explore.own_dim(posterior[site].isel({over: 0}))
    posterior = posterior[site].transpose(over, *_summaries.SAMPLE, by)
    points = [_explore.estimates(point) for point in posterior]
    return {
        "kind": "sweep",
        "over": over,
        "values": _explore.rounded(numbers[over]),
        "elpd": [round(value, 2) for value in numbers["elpd"]],
        "se": [round(value, 2) for value in numbers["se"]],
        "tie": numbers["tie"].tolist(),
        "failed": [i for i, point in enumerate(check["points"]) if point["verdict"] == "fail"],
        "colour": _style.PALETTE[0],
        "members": _explore.members(results, by),
        "axis": _explore.axis(results, site),
        "estimates": points,
    }


def _site(results, posterior) -> str | None:
    """The site that is shown: one that stands beside what was observed if there is one, else the first that was sampled."""
    choices = _explore.choices(results)
    found = [str(name) for name, site in posterior.data_vars.items() if _explore.own_dim(site) in choices]
    beside = [name for name in found if _explore.axis(results, name)["observed"] is not None]
    sampled = [name for name in _summaries.latents(posterior) if name in found]
    return next(iter([*beside, *sampled]), None)
