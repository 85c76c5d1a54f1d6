"""The arguments of each rule's job: the validated config narrowed to what the rule uses."""

from collections.abc import Iterable, Mapping
from typing import Any

from tadpool import sweep_axes
from tadpool.config import Config
from tadpool.config.schema.analyses import LeaveOut
from tadpool.config.schema.run import SamplerChanges, Storage
from tadpool.config.schema.sweep import Sweep
from tadpool.files import provenance
from tadpool.loading import sources

DRAWN = ("sampler", "sweep", "storage", "verdict")
"""What only sampling takes of the arguments of a fit."""


class Arguments:
    """A method for each rule, named after it, from the rule's wildcards to the arguments of its
    script."""

    config: Config

    def _base(self, study: str, entry: str) -> dict[str, Any]:
        chosen = self.config.studies[study].models[entry]
        return {
            "seed": self.config.settings.seed,
            "study": study,
            "entry": entry,
            "model": self.config.studies[study].reference(entry),
            "hyperparameters": chosen.hyperparameters,
        }

    def _scored(self, study: str) -> dict[str, Any]:
        chosen = self.config.studies[study]
        return {"outcomes": chosen.outcomes, "unit": chosen.unit, "observed_where": chosen.observed_where}

    def _prepare_data(self, study: str) -> dict[str, Any]:
        chosen = self.config.studies[study]
        spec = {"study": study, "dataset": chosen.source(), "arguments": chosen.arguments, "outcomes": chosen.outcomes}
        spec["dims"] = list(dict.fromkeys([chosen.unit, *chosen.groups]))
        return spec | ({"seed": self.config.settings.seed} if sources.is_simulated(chosen.source()) else {})

    def _sample_prior(self, study: str, model: str) -> dict[str, Any]:
        observed_where = self.config.studies[study].observed_where
        precision = self.config.sampler(study, model).precision
        return {**self._base(study, model), "observed_where": observed_where, "precision": precision}

    def _fit(self, study: str, model: str) -> dict[str, Any]:
        judged = {"remedies": self.config.remedies(study, model), "verdict": self.config.thresholds(study, model)}
        fit, until_ess = self._posterior(study, model), self.config.until_ess(study, model)
        return {**fit, **judged, "sampler": {**fit["sampler"], **({"until_ess": until_ess} if until_ess else {})}}

    def _sampler(self, study: str, entry: str, *further: SamplerChanges) -> dict[str, Any]:
        """The settings that all jobs which sample have."""
        return self.config.sampler(study, entry, *further).model_dump(exclude={"until_ess"})

    def _posterior(self, study: str, model: str) -> dict[str, Any]:
        sampler = self._sampler(study, model)
        by = self.config.studies[study].models[model].by
        storage = self.config.studies[study].storage.model_dump(exclude={"keep"})
        return {**self._base(study, model), **self._scored(study), "by": by, "sampler": sampler, "storage": storage}

    def _sweep(self, study: str, sweep: str) -> dict[str, Any]:
        chosen = self.config.studies[study].sweeps[sweep]
        fit = self._posterior(study, chosen.entry)
        varied = {"over": _over(chosen), "points": chosen.points()}
        if sweep_axes.of_kind(chosen.over, sweep_axes.ARGUMENTS):
            content = self.config.studies[study]
            varied |= {"dataset": content.dataset, "arguments": content.arguments}
        own = {"entry": f"sweeps/{sweep}", "sweep": varied}
        if fit["storage"] != Storage().model_dump(exclude={"keep"}):  # its check is then made with it
            own["verdict"] = self.config.thresholds(study, chosen.entry)
        return fit | own

    def _check(self, study: str, model: str = "", sweep: str = "") -> dict[str, Any]:
        chosen = self.config.studies[study]
        over = sweep_axes.dim(chosen.sweeps[sweep].over) if sweep else None
        by = chosen.models[model].by if model else None
        own = self.config.thresholds(study, model or chosen.sweeps[sweep].entry)
        return {"study": study, "entry": model or f"sweeps/{sweep}", "over": over, "by": by, "verdict": own}

    def _of_fit(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """What a job that goes on from a fit takes of its spec; how it was sampled stands in the
        fit itself."""
        return {name: value for name, value in spec.items() if name not in DRAWN}

    def _cross_validate(self, study: str, model: str = "", sweep: str = "", group: str = "") -> dict[str, Any]:
        own = self.config.studies[study]
        kept = self._of_fit(self._sweep(study, sweep) if sweep else self._posterior(study, model))
        over = _over(own.sweeps[sweep]) if sweep else None
        budget = {"groups": own.groups, "budget": self.config.refit_budget(study)}
        left_out = own.leave_out.get(group, LeaveOut()).model_dump() | {"group": group} if group else {}
        return {"over": over, **kept, **budget, **left_out}

    def _assess_sensitivity(self, study: str, model: str) -> dict[str, Any]:
        fit = self._posterior(study, model)
        groups, precision = self.config.studies[study].groups, fit["sampler"]["precision"]
        return {**self._of_fit(fit), "groups": groups, "precision": precision}

    def _compare(self, study: str, comparison: str) -> dict[str, Any]:
        return self.config.studies[study].comparisons[comparison].model_dump()

    def _predict(self, study: str, model: str) -> dict[str, Any]:
        prediction = self.config.studies[study].predictions[model].model_dump()
        scored = {k: v for k, v in self._scored(study).items() if k != "outcomes"}
        return {
            **self._base(study, model),
            **prediction,
            **scored,
            "precision": self.config.sampler(study, model).precision,
        }

    def _answer(self, study: str) -> dict[str, Any]:
        content = self.config.studies[study]
        asked = {name: each.model_dump() for name, each in content.answers.items()}
        entries = {
            name: {key: value for key, value in self._base(study, name).items() if key in ("model", "hyperparameters")}
            | ({"by": content.models[name].by} if content.models[name].by else {})
            for name in content.models
        }
        return {
            "seed": self.config.settings.seed,
            "study": study,
            **self._scored(study),
            "groups": content.groups,
            "entries": entries,
            "answers": asked,
            "sensitivity": content.sensitivity,
            "precision": self.config.sampler(study, next(iter(content.models))).precision,
        }

    def _calibrate(self, study: str, calibration: str) -> dict[str, Any]:
        chosen = self.config.studies[study].calibration[calibration]
        base = self._base(study, chosen.entry)
        return {
            **base,
            "hyperparameters": {**base["hyperparameters"], **chosen.hyperparameters},
            "observed_where": self.config.studies[study].observed_where,
            "sampler": self._sampler(study, chosen.entry, chosen.sampler),
            "simulations": chosen.simulations,
        }

    def _recover(self, study: str, recovery: str, model: str) -> dict[str, Any]:
        content = self.config.studies[study]
        chosen = content.recovery[recovery]
        return {
            **self._base(study, model),
            "observed_where": content.observed_where,
            "outcomes": content.outcomes,
            "dataset": content.dataset,
            "arguments": content.arguments,
            "over": chosen.over,
            "replicates": chosen.replicates,
            "sites": chosen.sites,
            "sampler": self._sampler(study, model, chosen.sampler),
        }

    def _draw_figures(self, study: str) -> dict[str, Any]:
        undrawn = dict.fromkeys(
            ("question", "references", "claims", "sampler", "remedies", "verdict", "answers", "hero", "storage"), True
        )
        undrawn |= {"models": {"__all__": {"expect", "sampler", "remedies", "verdict"}}}
        return {"study": study, "config": self._study(study, undrawn)}

    def _render_report(self, study: str) -> dict[str, Any]:
        chosen = self.config.studies[study]
        samplers = {entry: self._fit(study, entry)["sampler"] for entry in chosen.models}
        return {
            "study": study,
            "config": self._study(study),
            "seed": self.config.settings.seed,
            "samplers": samplers,
            "quick": self.config.settings.quick is not None,
            "compare_with": self._other_run([study]),
            "made_with": self._made_with(study),
        }

    def _made_with(self, study: str) -> dict[str, dict[str, str]]:
        """NetCDF result -> what it is made with, as its provenance has it: the digest of its
        arguments."""
        content = self.config.studies[study]
        made = {"data": self._prepare_data(study)}
        for entry in content.models:
            made |= {f"{entry}/prior": self._sample_prior(study, entry), f"{entry}/fit": self._fit(study, entry)}
            made[f"{entry}/loo"] = self._cross_validate(study, entry)
            if content.sensitivity:
                made[f"{entry}/sensitivity"] = self._assess_sensitivity(study, entry)
        for each in content.comparisons.values():
            if content.leaves_out(group := each.target):
                scored = {f"{name}/logo_{group}": name for name in each.entries}
                made |= {path: self._cross_validate(study, name, group=group) for path, name in scored.items()}
        for sweep in content.sweeps:
            made[f"sweeps/{sweep}/fit"] = self._sweep(study, sweep)
            made[f"sweeps/{sweep}/loo"] = self._cross_validate(study, sweep=sweep)
        made |= {f"{entry}/predictions": self._predict(study, entry) for entry in content.predictions}
        if content.answers:
            made["answers"] = self._answer(study)
        made |= {f"calibration/{name}": self._calibrate(study, name) for name in content.calibration}
        for name, chosen in content.recovery.items():
            made |= {f"recovery/{name}/{entry}": self._recover(study, name, entry) for entry in chosen.entries}
        return {f"{path}.nc": {"config": provenance.config_digest(spec)} for path, spec in made.items()}

    def _other_run(self, studies: Iterable[str]) -> dict[str, Any] | None:
        """The results folder to compare with, and digests of its records of the studies."""
        folder = self.config.settings.compare_with
        if folder is None:
            return None
        return {"folder": folder, "digests": {study: provenance.run_digest(folder, study) for study in studies}}

    def _render_index(self) -> dict[str, Any]:
        studies = {name: self._study(name) for name in self.config.studies}
        return {
            "studies": studies,
            "quick": self.config.settings.quick is not None,
            "compare_with": self._other_run(studies),
        }

    def _gate(self) -> dict[str, Any]:
        expected = {
            f"{study}/{entry}": chosen.expect.model_dump()
            for study, content in self.config.studies.items()
            for entry, chosen in content.models.items()
            if chosen.expect
        }
        return {"expected": expected, "quick": self.config.settings.quick is not None}

    def _verify_part(self, part: str) -> dict[str, Any]:
        return {"part": part}

    def _render_verification(self) -> dict[str, Any]:
        return {}

    def _study(self, study: str, exclude: Any = None) -> dict[str, Any]:
        """The study as pages and figures have it, without the number of jobs that share its
        work, which changes no result."""
        split = {kind: {"__all__": {"chunks"}} for kind in ("models", "sweeps", "calibration", "recovery")}
        for kind, left_out in (exclude or {}).items():
            split[kind] = {"__all__": {"chunks", *left_out["__all__"]}} if kind in split else left_out
        return self.config.studies[study].model_dump(by_alias=True, exclude=split)


def _over(sweep: Sweep) -> str | list[str]:
    """What varies, without its values."""
    return sweep.over if isinstance(sweep.over, str) else sweep_axes.axes(sweep.over)
