"""Fit one entry, with the remedies that it is allowed, or over a sweep, and write fit.nc."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import xarray as xr

from tadpool import sweep_axes
from tadpool.convergence.remedies import Step, first_step, hopeless, next_step, record, words
from tadpool.engine import compile_cache, lanes, progress
from tadpool.files import contracts, io, plugins
from tadpool.files import data_file as datasets
from tadpool.fitting import sampling
from tadpool.fitting import storage as storing
from tadpool.loading import simulation
from tadpool.loading.truth import aligned
from tadpool.modelling import binding
from tadpool.modelling.design import Reference


def fit(
    output: str,
    provenance: str,
    data: str,
    threads: int,
    *,
    seed: int,
    study: str,
    entry: str,
    model: Reference,
    hyperparameters: Mapping[str, Any],
    outcomes: Sequence[str],
    unit: str,
    sampler: Mapping[str, Any],
    observed_where: Mapping[str, str],
    remedies: Sequence[str] = (),
    verdict: Mapping[str, float] | None = None,
    by: str | None = None,
    over: sweep_axes.Over | None = None,
    points: Sequence = (),
    dataset: str | None = None,
    arguments: Mapping[str, Any] = MappingProxyType({}),
    storage: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Sample the posterior and everything derived from its draws into `output` (contracts.FIT, or SWEEP with `over`).

    by: fit the model to each member of this group alone. over, points: fit it at each point of a sweep, see
    `binding.swept`. dataset, arguments: the simulator, where the sweep goes over its arguments.
    storage: what the file keeps of the draws, see `tadpool.fitting.storage`.
    sampler: the keys of `config.Sampler`. remedies: what may be tried where the check finds something, of
    `tadpool.convergence.remedies`. verdict: thresholds of that check that are not the defaults. The attribute `attempts` lists
    every sampling, the last one being that of the draws in the file.
    Raises UserError where model and data do not fit together; a fit that fails numerically is written all the same, with
    status "failed" and the reason.
    """
    lanes.start(threads, sampler["precision"], sampler.get("platform", "cpu"))
    address = {"seed": seed, "study": study, "entry": entry, "role": "fit"}
    with compile_cache.active():
        tree, bound = binding.open_bound(data, model, hyperparameters, observed_where)
        several = None
        if over:
            simulated = _simulated(dataset, arguments, outcomes, study, seed, over, points) if dataset else []
            bound, several = binding.swept(bound, over, points, [datasets.merged(each) for each in simulated])
            tree = datasets.stacked(simulated, several.dim, several.coords) if simulated else tree
        if by:
            bound, several = binding.separated(bound, by, unit)
        elif "truth" in tree.children and not over:
            _check_truth(tree["truth"].to_dataset(), bound)
        sampled, attempts = tried(bound, address, sampler, several, remedies, judged=not over, verdict=verdict)
        result = sampling.derived(sampled, outcomes, unit, storage.get("every", 1))
    if by:
        dataset = datasets.merged(tree)
        for name in {"log_likelihood", "posterior_predictive"} & set(result.groups):
            result.groups[name] = result.groups[name].assign_coords({unit: dataset[unit]})
    for name, group in result.groups.items():
        tree[name] = group
    tree.attrs = {
        "provenance": provenance,
        "status": result.status,
        "reason": result.reason,
        "attempts": io.canonical(attempts),
        **({"facts": io.canonical(bound.facts)} if bound.facts else {}),
        **({"over": sweep_axes.dim(over) if over else by} if over or by else {}),
    }
    tree = storing.stored(tree, storage, sweep_axes.dim(over) if over else by, whole=by is not None, own=verdict)
    io.write(output, tree, contracts.SWEEP if over else contracts.FIT)


def _simulated(
    dataset: str,
    arguments: Mapping[str, Any],
    outcomes: Sequence[str],
    study: str,
    seed: int,
    over: sweep_axes.Over,
    points: Sequence,
) -> list[xr.DataTree]:
    """The data at each point, from the same random numbers: at the study's own arguments they are the study's own data."""
    defaults = plugins.defaults(plugins.find("datasets", dataset), "simulate")

    def at(point) -> xr.DataTree:
        own = sweep_axes.values(over, point, sweep_axes.ARGUMENTS)
        whole = {name: int(value) if isinstance(defaults[name], int) else value for name, value in own.items()}
        return simulation.simulate(dataset, {**arguments, **whole}, outcomes, study, seed)

    return [at(point) for point in points]


def _check_truth(truth: xr.Dataset, bound: binding.Bound) -> None:
    """Raise UserError where true values cannot be set beside the site of their name."""
    for name in [name for name in truth.data_vars if name in bound.dims]:
        aligned(truth[name], bound.dims[name], bound.sizes[name])


def tried(
    bound: binding.Bound,
    address: Mapping[str, Any],
    sampler: Mapping[str, Any],
    points: binding.Points | None,
    allowed: Sequence[str],
    judged: bool = True,
    verdict: Mapping[str, float] | None = None,
) -> tuple[sampling.Sampled, list[dict[str, Any]]]:
    """Sample, check, and sample again with the next remedy, until nothing is wrong or left to try.

    Returns the last sampling and a record of each. judged: whether each is checked at all. verdict: as in `fit`.
    """
    sites = binding.reparametrizable(bound) if "reparametrize" in allowed else []
    binding.reparametrized(bound, sites)  # a site that cannot be is a mistake to hear of before sampling
    step, sampled, attempts = first_step(sampler), None, []
    while step:
        sampled = _sampled(bound, address, step, points, sampled, keep_state="draws" in allowed)
        report = _checked(sampled, step.settings, verdict) if judged else None
        reason = sampled.reason
        attempts.append(record(step, address["seed"], "failed" if reason else "ok", reason, report))
        step = next_step(step, _reasons(report), sampler, allowed, sites) if report and not reason else None
    return sampled, attempts


def _sampled(
    bound: binding.Bound,
    address: Mapping[str, Any],
    step: Step,
    points: binding.Points | None,
    before: sampling.Sampled | None,
    keep_state: bool,
) -> sampling.Sampled:
    """The lanes of a step: those before with more draws, or new ones."""
    settings, chains = step.settings, step.settings["chains"]
    fits = len(points.labels) if points else 1
    done = before.sampler.draws if step.remedy == "draws" else -settings["warmup"]
    name = f"{address['study']}/{address['entry']}" + (f", {words(vars(step))}" if step.remedy else "")
    with progress.bar(name, fits * chains * (settings["draws"] - done)) as advance:
        if step.remedy == "draws":
            return sampling.continued(before, settings["draws"], advance)
        return sampling.sample(
            bound,
            {**address, "attempt": step.attempt},
            chains,
            lanes.Sampler.of(settings),
            points=points,
            reparametrized=settings["reparametrized"],
            keep_state=keep_state,
            progress=advance,
        )


def _checked(
    sampled: sampling.Sampled, settings: Mapping[str, Any], verdict: Mapping[str, float] | None
) -> dict[str, Any]:
    """What the check of the finished file will say."""
    from tadpool.convergence import verdicts

    tree = xr.DataTree.from_dict(sampled.groups)
    reason = sampled.reason
    attempts = io.canonical([{"settings": dict(settings)}])
    tree.attrs = {"status": "failed" if reason else "ok", "reason": reason, "attempts": attempts}
    if sampled.points is None:
        return verdicts.check(tree, verdict)
    return verdicts.check_points(tree, sampled.points.dim, whole=True, own=verdict)


def _reasons(report: Mapping[str, Any]) -> list[dict[str, str]]:
    """The findings of a fit, or of those of its separate fits that a remedy may help."""
    parts = [point["reasons"] for point in report.get("points", [])] or [report["reasons"]]
    return [reason for reasons in parts if len(parts) == 1 or not hopeless(reasons) for reason in reasons]
