"""Fit one entry, once or over a sweep, and write fit.nc."""

from collections.abc import Mapping, Sequence
from typing import Any

from tadpool import binding, compile_cache, contracts, io, lanes, progress, sampling
from tadpool import data as datasets


def fit(
    output: str,
    provenance: str,
    data: str,
    threads: int,
    *,
    seed: int,
    study: str,
    entry: str,
    model: str,
    hyperparameters: Mapping[str, Any],
    outcomes: Sequence[str],
    unit: str,
    sampler: Mapping[str, Any],
    only_where: Mapping[str, str],
    by: str | None = None,
    over: str | None = None,
    points: Sequence[float] = (),
) -> None:
    """Sample the posterior and everything derived from its draws into `output` (contracts.FIT, or SWEEP with `over`).

    by: fit the model to each member of this group alone. over, points: fit it at each value of a hyperparameter.
    sampler: the keys of `config.Sampler`. Raises UserError where model and data do not fit together; a fit that fails
    numerically is written all the same, with status "failed" and the reason.
    """
    lanes.start(threads, sampler["precision"])
    settings = lanes.Sampler(**{key: sampler[key] for key in lanes.Sampler.__dataclass_fields__})
    chains = sampler["chains"]
    address = {"seed": seed, "study": study, "entry": entry, "role": "fit", "attempt": 0}
    with compile_cache.used():
        tree, bound = binding.open_bound(data, model, hyperparameters, only_where)
        several = binding.swept(over, points) if over else None
        if by:
            bound, several = binding.separated(bound, by, unit)
        fits = len(several.labels) if several else 1
        with progress.bar(f"{study}/{entry}", fits * chains * (settings.warmup + settings.draws)) as advance:
            result = sampling.posterior(
                bound, address, chains, settings, outcomes=outcomes, unit=unit, points=several, progress=advance
            )
    if by:
        dataset = datasets.merged(tree)
        for name in {"log_likelihood", "posterior_predictive"} & set(result.groups):
            result.groups[name] = result.groups[name].assign_coords({unit: dataset[unit]})
    for name, group in result.groups.items():
        tree[name] = group
    attempt = {"attempt": 0, "seed": seed, "settings": dict(sampler), "status": result.status, "reason": result.reason}
    tree.attrs = {
        "provenance": provenance,
        "status": result.status,
        "reason": result.reason,
        "attempts": io.canonical([attempt]),
        **({"over": over or by} if over or by else {}),
    }
    io.write(output, tree, contracts.SWEEP if over else contracts.FIT)
