"""The rungs of the pooling ladder, a record each: what its members of groups have for themselves,
and when it does not apply.

What a rung does when it is evaluated stands in its file, `tadpool/models/<rung>.py`.

No JAX here: the Snakefile's process reads config with it.
"""

from dataclasses import dataclass
from typing import Literal

from tadpool.modelling.design import Design


@dataclass(frozen=True)
class RungType:
    """One rung of the ladder.

    Attributes:
        name: Name of the model's file.
        label: Name of its entry in figures and tables.
        pooling: Whether members of groups are pooled completely, not at all or partially.
        slopes: Whether the slopes of a design vary between members.
        group_means: Whether the group means of predictors are predictors too.
        latent_means: Whether these are latent, of predictors that are numbers.
    """

    name: str
    label: str
    pooling: Literal["complete", "none", "partial"]
    slopes: bool = False
    group_means: bool = False
    latent_means: bool = False

    @property
    def partial(self) -> bool:
        """Whether effects of members have a common distribution."""
        return self.pooling == "partial"

    def groups(self, design: Design) -> tuple[str, ...]:
        """The groups whose members have something for themselves."""
        return design.groups if self.partial else design.groups[: self.pooling == "none"]

    def latent(self, design: Design) -> tuple[str, ...]:
        """The predictors whose group means are latent: numbers that differ between the rows of a
        group."""
        return tuple(each.name for each in design.within if each.kind == "number") if self.latent_means else ()

    def observed(self, design: Design) -> tuple[str, ...]:
        """The observed sites: the outcome, and the predictors whose group means are latent."""
        return (*self.latent(design), design.outcome)

    def variables(self, design: Design) -> tuple[str, ...]:
        """The variables of the dataset that it needs, without those that it observes."""
        needed = [each.variable for each in design.predictors]
        needed += [f"{group}_index" for group in self.groups(design) if group != design.unit]
        needed += design.roles.values()
        return tuple(each for each in dict.fromkeys(needed) if each not in self.observed(design))

    def sites(self, design: Design) -> list[str]:
        """Names of all sites but the observed ones; one that two of them would share is there
        twice."""
        names = [each.name for each in design.parameters]
        names += [each.derived for each in design.parameters if each.derived]
        if self.pooling != "none" and not design.family.link.cutpoints:
            names.append("alpha")
        slopes = design.slopes if self.slopes else ()
        for each in design.predictors:
            if self.pooling != "none" or each.name not in slopes:
                names.append(f"beta_{each.name}")
            if each.kind == "ordered":
                names += [f"range_{each.name}", f"shares_{each.name}"]
        for number, group in enumerate(self.groups(design)):
            names.append(f"{'delta' if number else 'alpha'}_{group}")
            names += [f"sigma_{group}"] if self.partial else []
            names += [f"beta_{name}_{group}" for name in slopes if not number]
        if self.partial and slopes:
            names += [f"correlation_{design.group}", f"partial_correlations_{design.group}"]
            names += [f"sigma_{name}_{design.group}" for name in slopes]
        if self.group_means:
            names += [f"beta_mean_{each.name}" for each in design.within]
        for name in self.latent(design):
            names += [f"mean_{name}", f"sigma_between_{name}", f"sigma_within_{name}", f"mean_{name}_{design.group}"]
        return names

    def inapplicable(self, design: Design) -> str | None:
        """Why it does not apply to a design.

        Returns:
            The reason in words that follow the rung's name; None where it applies.
        """
        if not design.family.predictors:
            return (
                f"has one linear predictor, and the family {design.family.name} needs one for each level but the first"
            )
        if self.pooling == "complete":
            return None
        if not design.groups:
            return "needs a group"
        group = design.group
        if design.rows_are_members and design.family.free_scale and not design.standard_error:
            mend = f"`standard_error` of {design.outcome} names the column with the known error of each row"
            what = f"needs several rows to each {group}, or their errors, to tell differences of {group} from noise"
            return f"{what} ({mend})"
        if self.partial and self.slopes and not design.slopes:
            return f"needs a predictor whose slope varies by {group} (`slopes`)"
        if self.group_means and design.rows_are_members:
            return f"needs several rows to each {group}, but {group} is the unit"
        if self.group_means and not (self.latent(design) if self.latent_means else design.within):
            kinds = "a number" if self.latent_means else "a number or yes/no"
            what = f"needs a predictor, {kinds}, that varies within {group}"
            return f"{what} and whose mean differs by {group}"
        return None


POOLED = "pooled"
UNPOOLED = "unpooled"
PARTIAL = "partial"
PARTIAL_SLOPES = "partial_slopes"
RUNGS = {
    each.name: each
    for each in (
        RungType(POOLED, "complete pooling", "complete"),
        RungType(UNPOOLED, "no pooling", "none", slopes=True),
        RungType(PARTIAL, "partial pooling", "partial"),
        RungType(PARTIAL_SLOPES, "partial pooling, slopes too", "partial", slopes=True),
        RungType("mundlak", "partial pooling with group means", "partial", group_means=True),
        RungType(
            "latent_mundlak",
            "partial pooling with latent group means",
            "partial",
            group_means=True,
            latent_means=True,
        ),
    )
}
