"""Where results are: the files of a run, by study and entry."""

from collections.abc import Mapping
from pathlib import Path

from tadpool.config import Config
from tadpool.files import plugins
from tadpool.loading import sources
from tadpool.workflow.sharing import Sharing


class Paths(Sharing):
    """The result files of a run, relative to its working directory."""

    config: Config

    def tables(self, study: str) -> list[Path]:
        """The tables that the study's dataset reads."""
        return sources.tables(self.config.studies[study].source())

    def comparisons(self, study: str) -> list[str]:
        return [f"results/{study}/comparisons/{name}.csv" for name in self.config.studies[study].comparisons]

    def predictions(self, study: str) -> list[str]:
        return [f"results/{study}/{name}/predictions.nc" for name in self.config.studies[study].predictions]

    def answers(self, study: str) -> list[str]:
        return [f"results/{study}/answers.nc"] if self.config.studies[study].answers else []

    def drawn_answers(self, study: str) -> list[str]:
        """The answers, where a figure of the study shows some."""
        shown = any(figure.kind == "answer" for figure in self.config.studies[study].figures.values())
        return self.answers(study) if shown else []

    def calibrations(self, study: str) -> list[str]:
        return [f"results/{study}/calibration/{name}.nc" for name in self.config.studies[study].calibration]

    def recoveries(self, study: str) -> list[str]:
        recovery = self.config.studies[study].recovery
        return [
            f"results/{study}/recovery/{name}/{entry}.nc"
            for name, chosen in recovery.items()
            for entry in chosen.entries
        ]

    def everything(self) -> list[str]:
        """Every result file that a run leaves, so that one that was deleted is made again."""
        found = self.results()
        for study, content in self.config.studies.items():
            places = [*content.models, *(f"sweeps/{sweep}" for sweep in content.sweeps)]
            names = ("check.json",) if study in self.summarised() else ("fit.nc", "check.json")
            found += [f"results/{study}/{place}/{name}" for place in places for name in names]
            found += [f"results/{study}/sweeps/{sweep}/loo.nc" for sweep in content.sweeps]
            found += [f"results/{study}/data.nc", f"results/{study}/figures", *self.comparisons(study)]
        return found

    def summarised(self) -> list[str]:
        """The studies whose draws are removed when all that is made of them is there."""
        return [study for study, content in self.config.studies.items() if content.storage.keep == "summaries"]

    def has_own_model(self, study: str, entry: str) -> bool:
        """Whether the model of an entry is the user's own."""
        return plugins.is_own(plugins.find("models", self.config.studies[study].models[entry].model))

    def temporary_fits(self) -> list[str]:
        """The files of their entries' draws, which stay until the page of all studies has been made
        of them too."""
        return [
            f"results/{study}/{entry}/fit.nc"
            for study in self.summarised()
            for entry in self.config.studies[study].models
        ]

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
        further = (
            self.sensitivities,
            self.predictions,
            self.answers,
            self.group_scores,
            self.calibrations,
            self.recoveries,
        )
        return found + [path for study in self.config.studies for each in further for path in each(study)]

    def may_have_failed(self) -> list[str]:
        """What there is beside the fits and their checks, and says so where its job failed."""
        found = self.results()
        for study, content in self.config.studies.items():
            places = [f"results/{study}/sweeps/{sweep}" for sweep in content.sweeps]
            found += [f"{place}/{name}" for place in places for name in ("check.json", "loo.nc")]
            found += [*self.comparisons(study), f"results/{study}/figures"]
        return found

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
            place = ("calibration", wildcards["calibration"])
        elif "comparison" in wildcards:
            place = ("comparisons", wildcards["comparison"])
        elif "recovery" in wildcards:
            place = ("recovery", wildcards["recovery"], *place)
        name = f"{rule}_{wildcards['group']}" if "group" in wildcards else rule
        return Path("results", wildcards.get("study", ""), *place, f"{name}.crashes.json")
