"""What is fixed when a rung is bound to data: as a whole it decides the program that is compiled."""

from dataclasses import dataclass

# What a rung takes beside its variables and hyperparameters; no column can have such a name.
RUNG, FORM = "ladder:rung", "ladder:form"
SCALES, CELL, FIRST = "ladder:scales", "ladder:cell", "ladder:first"


@dataclass(frozen=True)
class Predictor:
    """A predictor. levels: of a categorical or ordered one, else 0."""

    name: str
    kind: str
    levels: int = 0


@dataclass(frozen=True)
class Form:
    """A design bound to data; the fields that it shares with the design are explained in `tadpool.modelling.design`.

    per: role (trials, exposure and so on) or predictor -> `<group>_index` of those with one value per member. rows: size of the
    unit. members: size of each group. levels: of an ordered outcome. means: the predictors with a group mean. latent: those
    of them whose means are latent. non_centred: the effects that are sampled as standardized distances. collapsed: whether
    the likelihood is computed from sums over cells.
    """

    family: str
    outcome: str
    unit: str
    groups: tuple[str, ...]
    predictors: tuple[Predictor, ...]
    slopes: tuple[str, ...]
    trials: str | None
    exposure: str | None
    offset: str | None
    standard_error: str | None
    per: tuple[tuple[str, str], ...]
    rows: int
    members: tuple[int, ...]
    levels: int
    means: tuple[str, ...]
    latent: tuple[str, ...]
    non_centred: frozenset[str]
    collapsed: bool

    @property
    def group(self) -> str:
        """The group that the rung is about."""
        return self.groups[0]

    def size(self, group: str) -> int:
        return self.members[self.groups.index(group)]

    def row_index(self, name: str) -> str | None:
        """The variable that spreads one with a value per member of a group over the rows."""
        return dict(self.per).get(name)


def effect(group: str, of: str | None = None, first: bool = True) -> str:
    """Name of a varying effect: intercepts of the first group, deviations of a further one, or slopes `of` a predictor."""
    if of:
        return f"beta_{of}_{group}"
    return f"alpha_{group}" if first else f"delta_{group}"


def latent_mean(predictor: str, group: str) -> str:
    """Name of the latent group means of a predictor."""
    return f"mean_{predictor}_{group}"
