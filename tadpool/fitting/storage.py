"""What a fit's file keeps of its draws, where a study says that it needs not all of them."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from tadpool.convergence import verdicts
from tadpool.files import io
from tadpool.fitting import sampling

THINNED = ("posterior", "sample_stats", "log_likelihood", "log_prior")


def stored(
    tree: xr.DataTree, storage: Mapping[str, Any], dim: str | None, whole: bool, own: Mapping[str, float] | None
) -> xr.DataTree:
    """The tree as its file keeps it, with the check of all its draws as the attribute `check` where
    it does not keep them.

    storage: the keys of `config.Storage`. dim, whole, own: see `checks.report`.
    """
    every, precision = storage.get("every", 1), storage.get("posterior", "float64")
    if every == 1 and precision == "float64":
        return tree
    report = verdicts.report(tree, dim, whole, own)
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    for name in THINNED:
        if name in groups:
            groups[name] = groups[name].isel(draw=sampling.every_last(groups[name].sizes["draw"], every))
    posterior = groups["posterior"]
    small = {name: site.astype(precision) for name, site in posterior.data_vars.items() if site.dtype.kind == "f"}
    thinned = xr.DataTree.from_dict({**groups, "posterior": posterior.assign(small)})
    thinned.attrs = {**tree.attrs, "check": io.canonical(report)}
    return thinned
