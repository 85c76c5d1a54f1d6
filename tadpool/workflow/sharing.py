"""Into how many jobs the work of one is split, from what is known before the run.

The number decides no byte of a result. `auto` goes by an estimate from iterations and rows that is the same on every machine.
Jobs of less than ten minutes stay whole: a start takes seconds, and a cluster likes jobs that take minutes.
"""

from collections.abc import Mapping
from itertools import pairwise
from math import ceil

from tadpool.config import Config
from tadpool.config.schema.run import Sampler
from tadpool.config.schema.types import MOST_CHUNKS
from tadpool.workflow.resources import refitting_seconds, sampling_seconds

SECONDS = 600
"""Of one core, as estimated, of each job that `auto` makes."""


class Sharing:
    """How many jobs share the work of a rule's job."""

    config: Config

    def shares(self, rule: str, wildcards: Mapping[str, str]) -> list[str]:
        """The files of the jobs that sample a part of the lanes of a rule's job; none where one does it all."""
        study, sweep, model = wildcards["study"], wildcards.get("sweep"), wildcards.get("model")
        place = f"sweeps/{sweep}" if sweep else f"recovery/{wildcards.get('recovery')}" if rule == "recover" else model
        name = {"cross_validate": "loo", "recover": model}.get(rule, "fit")
        name = f"logo_{wildcards['group']}" if "group" in wildcards else name
        count = getattr(self, f"_shares_of_{rule}")(**wildcards)
        files = [f"results/{study}/{place}/{name}.share-{number + 1}of{count}.npz" for number in range(count)]
        return files if count > 1 else []

    def ranges(self, study: str, calibration: str) -> list[tuple[int, int]]:
        """First and stop of the simulations of each job of a calibration."""
        chosen = self.config.studies[study].calibration[calibration]
        sampler = self.config.sampler(study, chosen.entry, chosen.sampler)
        count = min(self._count(study, chosen.chunks, chosen.simulations, sampler), chosen.simulations)
        ends = [chosen.simulations * i // count for i in range(count + 1)]
        return list(pairwise(ends))

    def _shares_of_fit(self, study: str, model: str) -> int:
        return self._count(study, self.config.studies[study].models[model].chunks, 1, self.config.sampler(study, model))

    def _shares_of_sweep(self, study: str, sweep: str) -> int:
        chosen = self.config.studies[study].sweeps[sweep]
        return self._count(study, chosen.chunks, len(chosen.points()), self.config.sampler(study, chosen.entry))

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
