"""A design bound to data: what is fixed then, and as a whole decides the program that is
compiled."""

from dataclasses import dataclass

from tadpool.modelling.design import Design

# What a rung takes beside its variables and hyperparameters; no column can have such a name.
MODEL, DESIGN = "ladder:model", "ladder:design"
SCALES, CELL, FIRST = "ladder:scales", "ladder:cell", "ladder:first"


@dataclass(frozen=True)
class BoundDesign:
    """A design bound to data.

    Attributes:
        design: The design.
        per: Variable of the design -> `<group>_index`, of those with one value per member of a
            group.
        rows: Size of the unit.
        members: Size of each group.
        predictor_levels: Number of levels of each predictor, 0 of those that have none.
        levels: Number of levels of an ordered outcome, else 0.
        means: The predictors with a group mean.
        latent: Those of them whose group means are latent.
        non_centred: The effects that are sampled as standardized distances.
        collapsed: Whether the likelihood is computed from sums over cells.
    """

    design: Design
    per: tuple[tuple[str, str], ...]
    rows: int
    members: tuple[int, ...]
    predictor_levels: tuple[int, ...]
    levels: int
    means: tuple[str, ...]
    latent: tuple[str, ...]
    non_centred: frozenset[str]
    collapsed: bool

    def size(self, group: str) -> int:
        """The number of members of a group."""
        return self.members[self.design.groups.index(group)]

    def row_index(self, name: str) -> str | None:
        """The index by which a variable with one value per member of a group is spread over the
        rows; None of others."""
        return dict(self.per).get(name)


def effect(group: str, of: str | None = None, first: bool = True) -> str:
    """Name of a varying effect: intercepts of the first group, deviations of a further one, or
    slopes `of` a predictor."""
    if of:
        return f"beta_{of}_{group}"
    return f"alpha_{group}" if first else f"delta_{group}"


def latent_mean(predictor: str, group: str) -> str:
    """Name of the latent group means of a predictor."""
    return f"mean_{predictor}_{group}"
