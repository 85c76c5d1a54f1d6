"""Fit one entry, once or over a sweep, and write fit.nc."""

from collections.abc import Mapping, Sequence
from typing import Any

from tadpool import binding, compile_cache, contracts, io, lanes, progress, sampling


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
    over: str | None = None,
    points: Sequence[float] = (),
) -> None:
    """Sample the posterior and everything derived from its draws into `output` (contracts.FIT, or SWEEP with `over`).

    sampler: the keys of `config.Sampler`. Raises UserError where model and data do not fit together; a fit that fails
    numerically is written all the same, with status "failed" and the reason.
    """
    lanes.start(threads, sampler["precision"])
    settings = lanes.Sampler(**{key: sampler[key] for key in lanes.Sampler.__dataclass_fields__})
    chains = sampler["chains"]
    address = {"seed": seed, "study": study, "entry": entry, "role": "fit", "attempt": 0}
    iterations = chains * (settings.warmup + settings.draws) * (len(points) or 1)
    with compile_cache.used(), progress.bar(f"{study}/{entry}", iterations) as advance:
        tree, bound = binding.open_bound(data, model, hyperparameters)
        result = sampling.posterior(
            bound, address, chains, settings, outcomes=outcomes, unit=unit, over=over, points=points, progress=advance
        )
    for name, group in result.groups.items():
        tree[name] = group
    attempt = {"attempt": 0, "seed": seed, "settings": dict(sampler), "status": result.status, "reason": result.reason}
    tree.attrs = {
        "provenance": provenance,
        "status": result.status,
        "reason": result.reason,
        "attempts": io.canonical([attempt]),
        **({"over": over} if over else {}),
    }
    io.write(output, tree, contracts.SWEEP if over else contracts.FIT)
