"""Into how many jobs the work of one is split, from what is known before the run.

The number decides no byte of a result. `auto` goes by an estimate from iterations and rows that is the same on every machine.
Jobs of less than ten minutes stay whole: a start takes seconds, and a cluster likes jobs that take minutes.
"""

import re
from collections.abc import Mapping
from math import ceil

from tadpool.config import Config
from tadpool.config.schema.run import Sampler
from tadpool.config.schema.types import MOST_CHUNKS
from tadpool.workflow.resources import refitting_seconds, sampling_seconds

SECONDS = 600
"""Of one core, as estimated, of each job that `auto` makes."""


RESULTS = (
    ("sweep", "sweeps/{sweep}/fit"),
    ("cross_validate", "sweeps/{sweep}/loo"),
    ("calibrate", "calibration/{calibration}"),
    ("recover", "recovery/{recovery}/{model}"),
    ("fit", "{model}/fit"),
    ("cross_validate", "{model}/loo"),
    ("cross_validate", "{model}/logo_{group}"),
)
"""The rules whose jobs may be split, and what they make in the folder of the study, without its suffix."""
NAME = re.compile(r"\{(\w+)\}")


class Sharing:
    """How many jobs share the work of a rule's job."""

    config: Config

    def shares(self, rule: str, wildcards: Mapping[str, str]) -> list[str]:
        """The files of the jobs that sample a part of the lanes of a rule's job; none where one does it all."""
        own = {name: value for name, value in wildcards.items() if name != "study"}
        (result,) = [
            made.format(**own) for name, made in RESULTS if name == rule and set(NAME.findall(made)) == set(own)
        ]
        count = getattr(self, f"_shares_of_{rule}")(**wildcards)
        files = [f"results/{wildcards['study']}/{result}.share-{number + 1}of{count}.npz" for number in range(count)]
        return files if count > 1 else []

    def shared(self, study: str, result: str) -> tuple[str, dict[str, str]]:
        """The rule that makes a result of a study, with its wildcards.

        Args:
            study: Name of the study.
            result: Path of the result in the study's folder, without its suffix.
        """
        for rule, made in RESULTS:
            if found := re.fullmatch(NAME.sub(r"(?P<\1>[^/]+)", made), result):
                return rule, {"study": study, **found.groupdict()}
        raise ValueError(f"no rule whose jobs may be split makes {result}")

    def shared_inputs(self, study: str, result: str) -> dict[str, str]:
        """The files, by name, that a job reads which samples a share of what a result of a study needs; see `shared`."""
        rule, _ = self.shared(study, result)
        data = {} if rule == "recover" else {"data": f"results/{study}/data.nc"}
        fit = f"results/{study}/{result.rpartition('/')[0]}/fit.nc"
        return data | ({"fit": fit} if rule == "cross_validate" else {})

    def _shares_of_fit(self, study: str, model: str) -> int:
        return self._count(study, self.config.studies[study].models[model].chunks, 1, self.config.sampler(study, model))

    def _shares_of_sweep(self, study: str, sweep: str) -> int:
        chosen = self.config.studies[study].sweeps[sweep]
        return self._count(study, chosen.chunks, len(chosen.points()), self.config.sampler(study, chosen.entry))

    def _shares_of_calibrate(self, study: str, calibration: str) -> int:
        chosen = self.config.studies[study].calibration[calibration]
        sampler = self.config.sampler(study, chosen.entry, chosen.sampler)
        return min(self._count(study, chosen.chunks, chosen.simulations, sampler), chosen.simulations)

    def _shares_of_recover(self, study: str, recovery: str, model: str) -> int:
        chosen = self.config.studies[study].recovery[recovery]
        fits = chosen.replicates
        for values in chosen.over.values():
            fits *= len(values)
        return self._count(study, chosen.chunks, fits, self.config.sampler(study, model, chosen.sampler))

    def _shares_of_cross_validate(self, study: str, model: str = "", sweep: str = "", group: str = "") -> int:
        content = self.config.studies[study]
        chunks = content.sweeps[sweep].chunks if sweep else content.models[model].chunks
        return _jobs(refitting_seconds(self.config, study)) if chunks == "auto" else chunks

    def _count(self, study: str, chunks: int | str, fits: int, sampler: Sampler) -> int:
        """Jobs for `fits`, as many as are known before the run."""
        if chunks != "auto":
            return chunks
        return _jobs(sampling_seconds(self.config, study, fits * sampler.chains * (sampler.warmup + sampler.draws)))


def _jobs(seconds: float) -> int:
    return min(MOST_CHUNKS, max(1, ceil(seconds / SECONDS)))
