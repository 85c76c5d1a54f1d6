"""A formula bound to data: what is fixed then, and as a whole decides the program that is
compiled."""

from dataclasses import dataclass

from tadpool.modelling.formula_design import FormulaDesign, missing_of

# What the model takes beside its variables and hyperparameters; no column can have such a name.
BOUND, SCALES, OFFSET = "formula:bound", "formula:scales", "formula:offset"
STRETCHES, SHEARS = "formula:stretches", "formula:shears"


@dataclass(frozen=True)
class BoundTerm:
    """A common term. columns: names of its arrays. labelled: whether its coefficients have labels,
    so that they are an array. own_prior: whether they have a prior of their own, in the units of
    the outcome."""

    name: str
    columns: tuple[str, ...]
    labelled: bool
    own_prior: bool


@dataclass(frozen=True)
class BoundCurve:
    """A smooth. linear, curved: names of its arrays."""

    name: str
    linear: str
    curved: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return (self.linear, *self.curved)


@dataclass(frozen=True)
class BoundEffect:
    """An effect of the members of a group.

    Attributes:
        name: Name of its site.
        sd: Name of the site of its standard deviation.
        column: The array that it is multiplied by; None of an intercept.
        of: The common column whose coefficient is its mean, "" of the intercept; None where its
            mean is 0.
    """

    name: str
    sd: str
    column: str | None
    of: str | None


@dataclass(frozen=True)
class OfMembers:
    """A common column that has one value for each member of a group: the member's intercept
    includes its part of the linear predictor.

    Attributes:
        column: The column.
        values: The array of the members' values.
        apart: The array of what rows have beyond their member's value, in rows that were not
            sampled from; None where that is nothing.
    """

    column: str
    values: str
    apart: str | None


@dataclass(frozen=True)
class BoundGroup:
    """A group term.

    Attributes:
        name: Name of the group, and of its dim.
        index: The array with the member of each row.
        size: Number of members.
        effects: Its effects.
        correlation: What stands behind `correlation_` in the names of its sites; None where its
            effects are not correlated.
        own: The columns whose part its intercepts include.
        within: The groups of which all rows of a member have one member.
    """

    name: str
    index: str
    size: int
    effects: tuple[BoundEffect, ...]
    correlation: str | None
    own: tuple[OfMembers, ...] = ()
    within: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BoundPredictor:
    """One linear predictor: of the outcome, or of a further parameter of its family.

    Attributes:
        parameter: Name of the parameter; "" for the outcome.
        intercept: Whether it has one.
        centred: Whether some column has a mean that is not 0, so that the intercept at the means is
            not that at 0.
        terms, curves, groups: What it is the sum of.
        sheared: The columns whose coefficients do not vary between members, and "" for the
            intercept, in the order of the arrays `shears` and `shears_of`.
    """

    parameter: str
    intercept: bool
    centred: bool
    terms: tuple[BoundTerm, ...]
    curves: tuple[BoundCurve, ...]
    groups: tuple[BoundGroup, ...]
    sheared: tuple[str, ...] = ()

    @property
    def shears(self) -> str:
        """Name of the array of what their coefficients take off each other."""
        return f"{SHEARS}:{self.parameter}"

    def shears_of(self, group: BoundGroup) -> str:
        """Name of the array of what they take off the intercepts of members."""
        return f"{self.shears}:{group.name}"

    @property
    def in_turn(self) -> list[BoundGroup]:
        """The groups in the order in which they are sampled: by size where several have effects of
        the same column."""
        columns = [effect.column for group in self.groups for effect in group.effects]
        return sorted(self.groups, key=lambda group: group.size if len(set(columns)) < len(columns) else 0)

    def later(self, effect: BoundEffect) -> list[tuple[BoundGroup, BoundEffect]]:
        """The effects of the same column that are sampled after this one, and their groups."""
        of_column = [(g, each) for g in self.in_turn for each in g.effects if each.column == effect.column]
        return of_column[[each for _, each in of_column].index(effect) + 1 :]

    def site(self, kind: str, of: str = "") -> str:
        """Name of a site, such as `beta_days`, or `beta_sigma_days` in a predictor of sigma."""
        return "_".join(filter(None, (kind, self.parameter, of)))


@dataclass(frozen=True)
class BoundImputation:
    """The model of a predictor that is missing in some rows of the study.

    Attributes:
        name: Name of the predictor.
        binary: Whether it is yes or no, whose missing values are summed out.
        predictor: Its linear predictor.
        scales: The array of its location and scale.
        missing: The array with the rows in which it is missing.
        count: How many these are.
    """

    name: str
    binary: bool
    predictor: BoundPredictor
    scales: str
    missing: str
    count: int

    @property
    def dim(self) -> str:
        """The dim of its missing values."""
        return missing_of(self.name)


@dataclass(frozen=True)
class BoundFormula:
    """A formula bound to data.

    Attributes:
        design: Its design; `offset` is the array that is added, where one is.
        predictors: Its linear predictors, beginning with the one of the outcome.
        columns: Every column of these, in the order of the array `SCALES`.
        per: Variable -> `<group>_index`, of those with one value per member of a group.
        rows: Size of the unit.
        levels: Number of levels of an ordered outcome, else 0.
        non_centred: The effects that are sampled as standardized distances.
        stretched: The effects whose means are stretched, in the order of the array `STRETCHES`.
        collapsed: Whether the likelihood is computed from sums over cells.
        imputations: The models of its imputed predictors, numbers before a yes or no.
        products: Column -> the imputed predictors that its array is to be multiplied by.
    """

    design: FormulaDesign
    predictors: tuple[BoundPredictor, ...]
    columns: tuple[str, ...]
    per: tuple[tuple[str, str], ...]
    rows: int
    levels: int
    non_centred: frozenset[str]
    stretched: tuple[str, ...]
    collapsed: bool
    imputations: tuple[BoundImputation, ...] = ()
    products: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def size(self, group: str) -> int:
        """The number of members of a group."""
        return next(g.size for each in self.predictors for g in each.groups if g.name == group)

    def row_index(self, name: str) -> str | None:
        """The index by which a variable with one value per member of a group is spread over the
        rows; None of others."""
        return dict(self.per).get(name)
