"""What decides each job: its `spec` (the validated config narrowed to what the rule uses) and its `digest` (of code).

Both are params of every rule, so Snakemake re-runs a job when, and only when, one of them or an input changed.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tadpool import io, plugins, provenance, sources
from tadpool.config import Config
from tadpool.config.models import LeaveOut
from tadpool.verification.parts import PARTS, REFERENCE

SHOWN = ("draw_figures", "render_report", "render_index")
RUNS_MODEL = (
    "sample_prior",
    "fit",
    "sweep",
    "assess_sensitivity",
    "cross_validate",
    "predict",
    "calibrate",
    "gather_calibration",
    "recover",
)


class Specs:
    """The spec and digest of every job of a run; `wildcards` name the study and, where there is one, the entry."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def export(self) -> None:
        """Pass on to jobs what must not decide a re-run, in their environment."""
        os.environ["TADPOOL_COMPILE_CACHE"] = "on" if self.config.settings.compile_cache else "off"

    def spec(self, rule: str, wildcards: Mapping[str, str]) -> str:
        """The rule's arguments as canonical JSON; where they are shown, in the order of the study file.

        `<` is written as JSON's \\u003c: Snakemake's own report puts params into a script as they are.
        """
        return io.canonical(getattr(self, f"_{rule}")(**wildcards), ordered=rule in SHOWN).replace("<", "\\u003c")

    def digest(self, rule: str, wildcards: Mapping[str, str]) -> str:
        """sha256 of the script, its imports, the plug-in that it runs and the files that it reads."""
        code, files = [provenance.ROOT / "scripts" / f"{rule}.py"], []
        if rule == "prepare_data":
            source = self.config.studies[wildcards["study"]].source()
            code += sources.code(source)
            files += sources.tables(source)
        elif rule in RUNS_MODEL:
            code.append(plugins.find("models", self._entry(wildcards).model))
            if rule == "gather_calibration":
                code.append(provenance.ROOT / "scripts" / "calibrate.py")
            if rule == "recover":
                code += sources.code(self.config.studies[wildcards["study"]].source())
        elif rule == "draw_figures":
            code += (provenance.ROOT / "tadpool" / "figures").glob("*.py")
        elif rule == "verify_part":
            part = PARTS[wildcards["part"]]
            code += [plugins.find("models", name) for name in part.models]
            code += [plugins.find("datasets", name) for name in part.datasets]
            files += [table for name in part.datasets for table in plugins.tables(name).values()]
            files += sorted(REFERENCE.glob("*.csv"))
        elif rule in ("render_report", "render_index", "render_verification"):
            files += sorted(path for path in (provenance.ROOT / "report").iterdir() if path.is_file())
        if rule in ("render_report", "draw_figures"):
            models = [
                plugins.find("models", entry.model) for entry in self.config.studies[wildcards["study"]].models.values()
            ]
            (files if rule == "render_report" else code).extend(models)  # the page shows their docstrings too
        if rule == "render_report":
            files += sources.code(self.config.studies[wildcards["study"]].source())
        crashes = self._crashes(rule, wildcards)
        return provenance.digest(code, [*files, *([crashes] if crashes.is_file() else [])])

    def crashes(self, rule: str, wildcards: Mapping[str, str]) -> str:
        """Where a rule that runs a model keeps the record of its crashes."""
        return str(self._crashes(rule, wildcards))

    def tables(self, study: str) -> list[Path]:
        """The tables that the study's dataset reads."""
        return sources.tables(self.config.studies[study].source())

    def comparisons(self, study: str) -> list[str]:
        return [f"results/{study}/comparisons/{name}.csv" for name in self.config.studies[study].comparisons]

    def predictions(self, study: str) -> list[str]:
        return [f"results/{study}/{name}/predictions.nc" for name in self.config.studies[study].predictions]

    def calibrations(self, study: str) -> list[str]:
        return [f"results/{study}/calibration/{name}.nc" for name in self.config.studies[study].calibration]

    def calibration_parts(self, study: str, calibration: str) -> list[str]:
        """The files of the jobs that share a calibration's simulations."""
        parts = self.config.studies[study].calibration[calibration].parts()
        return [f"results/{study}/calibration/{calibration}/{chunk}.nc" for chunk in range(len(parts))]

    def recoveries(self, study: str) -> list[str]:
        recovery = self.config.studies[study].recovery
        return [
            f"results/{study}/recovery/{name}/{entry}.nc"
            for name, chosen in recovery.items()
            for entry in chosen.entries
        ]

    def everything(self) -> list[str]:
        """Every result file of a run, so that one that was deleted is made again."""
        found = self.results()
        for study, content in self.config.studies.items():
            places = [*content.models, *(f"sweeps/{sweep}" for sweep in content.sweeps)]
            found += [f"results/{study}/{place}/{name}" for place in places for name in ("fit.nc", "check.json")]
            found += [f"results/{study}/sweeps/{sweep}/loo.nc" for sweep in content.sweeps]
            found += [f"results/{study}/data.nc", f"results/{study}/figures", *self.comparisons(study)]
        return found

    def pages(self) -> list[str]:
        """The page of every study, the one that leads to them, and the gate behind it."""
        return [
            *(f"results/{study}/index.html" for study in self.config.studies),
            "results/index.html",
            "results/gate.json",
        ]

    def results(self) -> list[str]:
        """What there is beside the fits, in files that may say that they have no numbers."""
        entries = [(study, entry) for study, content in self.config.studies.items() for entry in content.models]
        found = [f"results/{study}/{entry}/{name}.nc" for study, entry in entries for name in ("prior", "loo")]
        further = (self.sensitivities, self.predictions, self.group_scores, self.calibrations, self.recoveries)
        return found + [path for study in self.config.studies for each in further for path in each(study)]

    def compared(self, study: str, comparison: str, name: str) -> list[str]:
        """The file of that name of each compared entry."""
        entries = self.config.studies[study].comparisons[comparison].entries
        return [f"results/{study}/{entry}/{name}" for entry in entries]

    def scores(self, study: str, comparison: str) -> list[str]:
        """The scores of each compared entry on the comparison's target."""
        chosen = self.config.studies[study]
        target = chosen.comparisons[comparison].target
        return self.compared(study, comparison, f"logo_{target}.nc" if chosen.leaves_out(target) else "loo.nc")

    def sensitivities(self, study: str) -> list[str]:
        """The prior sensitivity of each entry, where the study wants it."""
        chosen = self.config.studies[study]
        return [f"results/{study}/{entry}/sensitivity.nc" for entry in chosen.models if chosen.sensitivity]

    def group_scores(self, study: str) -> list[str]:
        """The scores on members of a group of all comparisons that have one as their target."""
        chosen = self.config.studies[study]
        named = [name for name, each in chosen.comparisons.items() if chosen.leaves_out(each.target)]
        return list(dict.fromkeys(path for name in named for path in self.scores(study, name)))

    def _crashes(self, rule: str, wildcards: Mapping[str, str]) -> Path:
        place = ("sweeps", wildcards["sweep"]) if "sweep" in wildcards else (wildcards.get("model", ""),)
        if "calibration" in wildcards:
            place = ("calibration", wildcards["calibration"], wildcards.get("chunk", ""))
        elif "recovery" in wildcards:
            place = ("recovery", wildcards["recovery"], *place)
        name = f"{rule}_{wildcards['group']}" if "group" in wildcards else rule
        return Path("results", wildcards.get("study", ""), *place, f"{name}.crashes.json")

    def _entry(self, wildcards: Mapping[str, str]):
        study = self.config.studies[wildcards["study"]]
        if "sweep" in wildcards:
            return study.models[study.sweeps[wildcards["sweep"]].entry]
        if "calibration" in wildcards:
            return study.models[study.calibration[wildcards["calibration"]].entry]
        return study.models[wildcards["model"]]

    def _base(self, study: str, entry: str) -> dict[str, Any]:
        chosen = self.config.studies[study].models[entry]
        return {
            "seed": self.config.settings.seed,
            "study": study,
            "entry": entry,
            "model": chosen.model,
            "hyperparameters": chosen.hyperparameters,
        }

    def _scored(self, study: str) -> dict[str, Any]:
        chosen = self.config.studies[study]
        return {"outcomes": chosen.outcomes, "unit": chosen.unit, "only_where": chosen.only_where}

    def _prepare_data(self, study: str) -> dict[str, Any]:
        chosen = self.config.studies[study]
        spec = {"study": study, "dataset": chosen.source(), "arguments": chosen.arguments, "outcomes": chosen.outcomes}
        spec["dims"] = list(dict.fromkeys([chosen.unit, *chosen.groups]))
        return spec | ({"seed": self.config.settings.seed} if sources.simulated(chosen.source()) else {})

    def _sample_prior(self, study: str, model: str) -> dict[str, Any]:
        only_where = self.config.studies[study].only_where
        precision = self.config.sampler(study, model).precision
        return {**self._base(study, model), "only_where": only_where, "precision": precision}

    def _fit(self, study: str, model: str) -> dict[str, Any]:
        return {**self._posterior(study, model), "remedies": self.config.remedies(study, model)}

    def _posterior(self, study: str, model: str) -> dict[str, Any]:
        sampler = self.config.sampler(study, model).model_dump()
        by = self.config.studies[study].models[model].by
        return {**self._base(study, model), **self._scored(study), "by": by, "sampler": sampler}

    def _sweep(self, study: str, sweep: str) -> dict[str, Any]:
        chosen = self.config.studies[study].sweeps[sweep]
        fit = self._posterior(study, chosen.entry)
        return fit | {"entry": f"sweeps/{sweep}", "over": chosen.over, "points": chosen.points()}

    def _check(self, study: str, model: str = "", sweep: str = "") -> dict[str, Any]:
        chosen = self.config.studies[study]
        over = chosen.sweeps[sweep].over if sweep else None
        by = chosen.models[model].by if model else None
        return {"study": study, "entry": model or f"sweeps/{sweep}", "over": over, "by": by}

    def _of_fit(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """What a job that goes on from a fit takes of its spec; how it was sampled stands in the fit itself."""
        return {name: value for name, value in spec.items() if name not in ("sampler", "points")}

    def _cross_validate(self, study: str, model: str = "", sweep: str = "", group: str = "") -> dict[str, Any]:
        kept = self._of_fit(self._sweep(study, sweep) if sweep else self._posterior(study, model))
        own = self.config.studies[study]
        budget = {"groups": own.groups, "budget": self.config.refit_budget(study)}
        left_out = own.leave_out.get(group, LeaveOut()).model_dump() | {"group": group} if group else {}
        return {"over": None, **kept, **budget, **left_out}

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

    def _calibrate(self, study: str, calibration: str, chunk: str) -> dict[str, Any]:
        first, stop = self.config.studies[study].calibration[calibration].parts()[int(chunk)]
        return {**self._calibration(study, calibration), "first": first, "stop": stop}

    def _gather_calibration(self, study: str, calibration: str) -> dict[str, Any]:
        chosen = self.config.studies[study].calibration[calibration]
        record = {**self._calibration(study, calibration), "simulations": chosen.simulations}
        return {"ranges": chosen.parts(), "record": record}

    def _calibration(self, study: str, calibration: str) -> dict[str, Any]:
        chosen = self.config.studies[study].calibration[calibration]
        base = self._base(study, chosen.entry)
        return {
            **base,
            "hyperparameters": {**base["hyperparameters"], **chosen.hyperparameters},
            "only_where": self.config.studies[study].only_where,
            "sampler": self.config.sampler(study, chosen.entry, chosen.sampler).model_dump(),
        }

    def _recover(self, study: str, recovery: str, model: str) -> dict[str, Any]:
        content = self.config.studies[study]
        chosen = content.recovery[recovery]
        return {
            **self._base(study, model),
            "only_where": content.only_where,
            "outcomes": content.outcomes,
            "dataset": content.dataset,
            "arguments": content.arguments,
            "over": chosen.over,
            "replicates": chosen.replicates,
            "sites": chosen.sites,
            "sampler": self.config.sampler(study, model, chosen.sampler).model_dump(),
        }

    def _draw_figures(self, study: str) -> dict[str, Any]:
        undrawn = dict.fromkeys(("question", "references", "sampler", "remedies"), True)
        undrawn |= {"models": {"__all__": {"expect", "sampler", "remedies"}}}
        return {"study": study, "config": self._study(study, undrawn)}

    def _render_report(self, study: str) -> dict[str, Any]:
        chosen = self.config.studies[study]
        samplers = {entry: self.config.sampler(study, entry).model_dump() for entry in chosen.models}
        return {
            "study": study,
            "config": self._study(study),
            "seed": self.config.settings.seed,
            "samplers": samplers,
            "quick": self.config.settings.quick is not None,
            "compare_with": self._other_run([study]),
        }

    def _other_run(self, studies: Iterable[str]) -> dict[str, Any] | None:
        """The results folder to compare with, and digests of its records of the studies."""
        folder = self.config.settings.compare_with
        if folder is None:
            return None
        return {"folder": folder, "digests": {study: provenance.of_run(folder, study) for study in studies}}

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
        return self.config.studies[study].model_dump(by_alias=True, exclude=exclude)
