"""What decides each job: its `spec` (the validated config narrowed to what the rule uses) and its
`digest` (of code).

Both are params of every rule, so Snakemake re-runs a job when, and only when, one of them or an
input changed.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tadpool import PACKAGE, ROOT, sweep_axes
from tadpool.config import Config
from tadpool.files import io, plugins, provenance
from tadpool.loading import sources
from tadpool.verification.parts import PARTS
from tadpool.verification.tables import REFERENCE
from tadpool.workflow.arguments import Arguments
from tadpool.workflow.paths import Paths

SHOWN = ("answer", "draw_figures", "render_report", "render_index")
RUNS_MODEL = (
    "sample_prior",
    "fit",
    "sweep",
    "assess_sensitivity",
    "cross_validate",
    "predict",
    "calibrate",
    "recover",
)
SCRIPTS = {"sweep": "fit"}
"""The script of each rule that does not have the name of its rule."""


class Specs(Paths, Arguments):
    """The spec and digest of every job of a run; `wildcards` name the study and, where there is
    one, the entry."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def export(self) -> None:
        """Pass on to jobs what must not decide a re-run, in their environment."""
        os.environ["TADPOOL_COMPILE_CACHE"] = "on" if self.config.settings.compile_cache else "off"

    def spec(self, rule: str, wildcards: Mapping[str, str]) -> str:
        """The rule's arguments as canonical JSON; where they are shown, in the order of the study
        file.

        `<` is written as JSON's \\u003c: Snakemake's own report puts params into a script as they
        are.
        """
        return io.canonical(getattr(self, f"_{rule}")(**wildcards), ordered=rule in SHOWN).replace("<", "\\u003c")

    def _made_with(self, study: str) -> dict[str, dict[str, str]]:
        """Of the data the digest of code and tables too."""
        found = super()._made_with(study)
        found["data.nc"]["code"] = self.digest("prepare_data", {"study": study})
        return found

    def remake_pages(self) -> None:
        """Have the pages made again whose results are those of another config, such as a folder
        that was put back: what reads them says so, but nothing would."""
        for study in self.config.studies:
            path = Path("results", study, provenance.RUN)
            with suppress(OSError, ValueError, KeyError):
                if json.loads(path.read_bytes())["made_with"] != provenance.config_digest(self._made_with(study)):
                    os.utime(path, (1, 1))  # Snakemake takes 0 for no time

    def script(self, rule: str) -> str:
        """Name of the script that a rule's job runs."""
        return SCRIPTS.get(rule, rule)

    def digest(self, rule: str, wildcards: Mapping[str, str]) -> str:
        """sha256 of the script, its imports, the plug-in that it runs and the files that it
        reads."""
        code, files = [ROOT / "scripts" / f"{self.script(rule)}.py"], []
        if rule == "prepare_data":
            source = self.config.studies[wildcards["study"]].source()
            code += sources.code(source)
            files += sources.tables(source)
        elif rule in RUNS_MODEL:
            code.append(plugins.find("models", self._entry(wildcards).model))
            if rule == "recover" or (rule == "sweep" and self._simulates(**wildcards)):
                code += sources.code(self.config.studies[wildcards["study"]].source())
        elif rule == "answer":
            code += self._models(wildcards["study"])
        elif rule == "draw_figures":
            code += (PACKAGE / "figures").glob("*.py")
        elif rule == "verify_part":
            part = PARTS[wildcards["part"]]
            code += [plugins.find("models", name) for name in part.models]
            code += [plugins.find("datasets", name) for name in part.datasets]
            files += [table for name in part.datasets for table in plugins.tables(name).values()]
            files += sorted(REFERENCE.glob("*.csv"))
        elif rule in ("render_report", "render_index", "render_verification"):
            report = ROOT / "report"
            files += sorted([*report.glob("*.*"), *report.glob("sections/*.html")])
        if rule in ("render_report", "draw_figures"):
            models = self._models(wildcards["study"])
            (files if rule == "render_report" else code).extend(models)  # the page shows their docstrings too
        if rule == "render_report":
            files += sources.code(self.config.studies[wildcards["study"]].source())
        return provenance.digest(code, files)

    def crashes(self, rule: str, wildcards: Mapping[str, str]) -> str:
        """Where a rule that runs a model keeps the record of its crashes, and what it says, as
        canonical JSON.

        It decides a re-run, so that a job that crashed is tried again, and is no part of the
        result: that equals one that never crashed.
        """
        record = self._crashes(rule, wildcards)
        return io.canonical({"record": str(record), "earlier": io.read_json(record) if record.is_file() else []})

    def _models(self, study: str) -> list[Path]:
        """The files of the models of a study's entries."""
        return [plugins.find("models", entry.model) for entry in self.config.studies[study].models.values()]

    def _simulates(self, study: str, sweep: str) -> bool:
        """Whether data are simulated for each point of the sweep."""
        return bool(sweep_axes.of_kind(self.config.studies[study].sweeps[sweep].over, sweep_axes.ARGUMENTS))

    def _entry(self, wildcards: Mapping[str, str]):
        study = self.config.studies[wildcards["study"]]
        if "sweep" in wildcards:
            return study.models[study.sweeps[wildcards["sweep"]].entry]
        if "calibration" in wildcards:
            return study.models[study.calibration[wildcards["calibration"]].entry]
        return study.models[wildcards["model"]]
