"""One entry of a study, as every job that runs its model is given it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from tadpool.modelling.references import Reference


@dataclass(frozen=True)
class Entry:
    """One entry of a study: a model, its hyperparameters, and how the study's data are used with it.

    seed: of the run. study, entry: their names; with `seed` the address of all random numbers. model: its name or reference.
    hyperparameters: those that differ from the model's defaults. outcomes: the observed sites that are scored. unit: name of
    the dim that is scored one by one. groups: names of the grouping dims. observed_where: outcome -> a variable that is 0
    where the outcome does not count. by: a group, where the model is fitted to each of its members alone.
    """

    seed: int
    study: str
    entry: str
    model: Reference
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Sequence[str] = ()
    unit: str = ""
    groups: Sequence[str] = ()
    observed_where: Mapping[str, str] = field(default_factory=dict)
    by: str | None = None

    @classmethod
    def parse(cls, spec: Mapping[str, Any]) -> tuple["Entry", dict[str, Any]]:
        """Split the spec of a job into the entry and the settings of the job itself.

        Args:
            spec: What the job's rule uses of the config, as `tadpool.workflow.arguments` has it.

        Returns:
            The entry, and the items of the spec that do not belong to it.
        """
        names = {each.name for each in fields(cls)}
        own = {name: value for name, value in spec.items() if name in names}
        return cls(**own), {name: value for name, value in spec.items() if name not in names}

    @property
    def address(self) -> dict[str, Any]:
        """Seed, study and entry, see `tadpool.seeds`."""
        return {"seed": self.seed, "study": self.study, "entry": self.entry}

    @property
    def name(self) -> str:
        """Study and entry, as messages name them."""
        return f"{self.study}/{self.entry}"
