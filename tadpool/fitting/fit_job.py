"""Fit one entry, with the remedies that it is allowed, or over a sweep, and write fit.nc."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import xarray as xr

from tadpool import seeds, sweep_axes
from tadpool.convergence.remedies import Step, first_step, hopeless, longer, next_step, record
from tadpool.engine import compile_cache, lanes, progress
from tadpool.engine.checkpoints import CheckpointStore
from tadpool.files import contracts, io, plugins
from tadpool.files import data_file as datasets
from tadpool.fitting import sampling
from tadpool.fitting import storage as storing
from tadpool.fitting.job import Job
from tadpool.loading import simulation
from tadpool.loading.truth import aligned
from tadpool.modelling import batched_fits, binding, prior_checks
from tadpool.modelling.entry import Entry

# A longer check is not kept, since all that read a fit's file read its attributes.
CHECK_BYTES = 1e6


@dataclass(frozen=True)
class Sweep:
    """What a sweep varies.

    over, points: see `batched_fits.sweep_points`. dataset, arguments: the simulator, where the
    sweep goes over these.
    """

    over: sweep_axes.Over
    points: Sequence
    dataset: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


def fit(
    job: Job,
    entry: Entry,
    sampler: Mapping[str, Any],
    *,
    remedies: Sequence[str] = (),
    verdict: Mapping[str, float] | None = None,
    sweep: Mapping[str, Any] | None = None,
    storage: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write the posterior and everything derived from its draws into `job.output` (contracts.FIT,
    or SWEEP with `sweep`).

    The attribute `attempts` lists every sampling; the draws in the file are from the last one, and
    `check` is what was found of them to choose remedies, unless that is very long.
    A fit that fails numerically is written too, with status "failed" and the reason. A job that
    samples only a share of the lanes writes no result.

    Args:
        job: Reads `data`.
        entry: What is fitted; with `by`, to each member of that group alone.
        sampler: The keys of the config's `sampler`.
        remedies: What may be tried where the check finds something, of
            `tadpool.convergence.remedies`.
        verdict: Thresholds of that check that are not the defaults.
        sweep: The fields of `Sweep`, to fit the model at each of its points.
        storage: What the file keeps of the draws, see `tadpool.fitting.storage`.

    Raises:
        UserError: The model and the data do not fit together.
    """
    lanes.start(job.threads, sampler["precision"], sampler.get("platform", "cpu"))
    varied, by = Sweep(**sweep) if sweep else None, entry.by
    with compile_cache.active():
        tree, bound = binding.open_bound(job.data, entry)
        prior_checks.check(bound, seeds.key(**entry.address, role="prior"))
        several = None
        if varied:
            simulated = _simulated(varied, entry) if varied.dataset else []
            data = [datasets.merged(each) for each in simulated]
            bound, several = batched_fits.sweep_points(bound, varied.over, varied.points, data)
            tree = datasets.stacked(simulated, several.dim, several.coords) if simulated else tree
        if by:
            bound, several = batched_fits.group_points(bound, by, entry.unit)
        elif "truth" in tree.children and not varied:
            _check_truth(tree["truth"].to_dataset(), bound)
        address = {**entry.address, "role": "fit"}
        sampled, attempts, report = sample_with_remedies(
            bound,
            address,
            sampler,
            several,
            remedies,
            judged=not varied,
            verdict=verdict,
            store=job.store,
        )
        if sampled is None:
            return
        result = sampling.fit_from_draws(sampled, entry.outcomes, entry.unit, storage.get("every", 1))
    if by:
        labels = datasets.merged(tree)[entry.unit]
        for name in {"log_likelihood", "posterior_predictive"} & set(result.groups):
            result.groups[name] = result.groups[name].assign_coords({entry.unit: labels})
    for name, group in result.groups.items():
        tree[name] = group
    along = sweep_axes.dim(varied.over) if varied else by
    tree.attrs = {
        "provenance": job.provenance,
        "status": result.status,
        "reason": result.reason,
        "attempts": io.canonical(attempts),
        **({"facts": io.canonical(bound.facts)} if bound.facts else {}),
        **({"over": along} if along else {}),
    }
    if report and len(found := io.canonical(report)) <= CHECK_BYTES:
        tree.attrs["check"] = found
    tree = storing.stored(tree, storage, along, whole=by is not None, own=verdict)
    io.write(job.output, tree, contracts.SWEEP if varied else contracts.FIT)


def _simulated(varied: Sweep, entry: Entry) -> list[xr.DataTree]:
    """The data at each point, from the same random numbers: at the study's own arguments they are
    the study's own data."""
    defaults = plugins.defaults(plugins.find("datasets", varied.dataset), "simulate")

    def at(point) -> xr.DataTree:
        own = sweep_axes.values(varied.over, point, sweep_axes.ARGUMENTS)
        whole = {name: int(value) if isinstance(defaults[name], int) else value for name, value in own.items()}
        arguments = {**varied.arguments, **whole}
        return simulation.simulate(varied.dataset, arguments, entry.outcomes, entry.study, entry.seed)

    return [at(point) for point in varied.points]


def _check_truth(truth: xr.Dataset, bound: binding.Bound) -> None:
    """Raise UserError where true values cannot be set beside the site of their name."""
    for name in [name for name in truth.data_vars if name in bound.dims]:
        aligned(truth[name], bound.dims[name], bound.sizes[name])


def sample_with_remedies(
    bound: binding.Bound,
    address: Mapping[str, Any],
    sampler: Mapping[str, Any],
    points: batched_fits.Points | None,
    allowed: Sequence[str],
    *,
    judged: bool = True,
    verdict: Mapping[str, float] | None = None,
    store: CheckpointStore | None = None,
) -> tuple[sampling.Sampled | None, list[dict[str, Any]], dict[str, Any] | None]:
    """Sample, check, and sample again with the next remedy, until nothing is wrong or left to try.

    Args:
        bound: The model bound to its data.
        address: seed, study, entry and role, see `tadpool.seeds`.
        sampler: The keys of the config's `sampler`; where a sampling is judged, its chains go on
            until they have `until_ess`, unless a remedy starts new ones.
        points: The points of a sweep, or of separate fits.
        allowed: The remedies that may be tried.
        judged: Whether a sampling is checked at all.
        verdict: Thresholds of the check that are not the defaults.
        store: Where what is sampled is kept.

    Returns:
        The last sampling, a record of each, and the check of the last one, if it is `judged`; None,
            no record and None in a job that samples only a share of the lanes.
    """
    sites = binding.reparametrizable(bound) if "reparametrize" in allowed else []
    binding.reparametrized(bound, sites)  # a site that cannot be is a mistake to hear of before sampling
    step, sampled, attempts, report = first_step(sampler), None, [], None
    until_ess = sampler.get("until_ess") if judged else None
    store = store or CheckpointStore()
    while step:
        sampled = _sampled(bound, address, step, points, sampled, "draws" in allowed or bool(until_ess), store)
        if sampled is None:
            return None, [], None
        report = _checked(sampled, step.settings, verdict) if judged else None
        reason, following = sampled.reason, None
        if report and not reason:
            following = next_step(step, _reasons(report), sampler, allowed, sites)
            starts_again = following is not None and following.attempt != step.attempt
            more = longer(step, report, sampler["draws"], until_ess) if until_ess and not starts_again else None
            if more is not None:
                step = more
                continue
        attempts.append(record(step, address["seed"], "failed" if reason else "ok", reason, report))
        step = following
    return sampled, attempts, report


def _sampled(
    bound: binding.Bound,
    address: Mapping[str, Any],
    step: Step,
    points: batched_fits.Points | None,
    before: sampling.Sampled | None,
    keep_state: bool,
    store: CheckpointStore,
) -> sampling.Sampled | None:
    """The lanes of a step: those before with more draws, or new ones."""
    settings, chains = step.settings, step.settings["chains"]
    fits = len(points.labels) if points else 1
    goes_on = before is not None and before.address["attempt"] == step.attempt
    done = before.sampler.draws if goes_on else -settings["warmup"]
    name = f"{address['study']}/{address['entry']}" + (f", remedy {step.remedy}" if step.remedy else "")
    with progress.bar(name, fits * chains * (settings["draws"] - done)) as advance:
        execution = lanes.Execution(store, advance)
        if goes_on:
            return sampling.continue_sampling(before, settings["draws"], execution)
        return sampling.sample(
            bound,
            {**address, "attempt": step.attempt},
            chains,
            lanes.Sampler.from_settings(settings),
            points=points,
            reparametrized=settings["reparametrized"],
            keep_state=keep_state,
            execution=execution,
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
