r"""The families of outcomes, one record each: whatever depends on a family reads its record, and
its likelihood alone stands elsewhere (`tadpool.ladder.likelihoods`).

A new family is a record here, a likelihood there, and what the tests of the ladder need to check
it.

No JAX and no NumPy here: the Snakefile's process reads config with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NUMBERS = ("number", "integer", "count")
LARGEST_OFFSET = 100
"""On the scale of a logarithm: exp(100) is 3e43."""


@dataclass(frozen=True)
class Link:
    r"""How the mean of an outcome follows from the linear predictor.

    Attributes:
        name: Name of the link.
        latex: What the linear predictor is equal to, in LaTeX.
        axis: What the linear predictor is, on an axis; "" where it is the outcome itself.
        effect: What an effect is on the scale of the mean, in words with `{outcome}` and `{per}`
            (of the exposure).
        differences: What differences of the linear predictor are in; "" where they are in units of
            the outcome.
        multiplied: What a difference of the linear predictor multiplies; "" where it is added.
        units: Whether the mean has the units of the outcome.
        cutpoints: Whether cutpoints stand in place of the population intercept.
    """

    name: str
    latex: str
    effect: str
    axis: str = ""
    differences: str = ""
    multiplied: str = ""
    units: bool = True
    cutpoints: bool = False


_ODDS = {"axis": "log-odds", "differences": "log-odds", "multiplied": "odds", "units": False}
IDENTITY = Link("identity", "\\mu_i", "{outcome}")
LOGIT = Link("logit", "\\mathrm{logit}(p_i)", "probability of {outcome}", **_ODDS)
LOG = Link("log", "\\log(\\lambda_i)", "mean {outcome}{per}", "log of the mean", "logs", "mean")
ORDERED = Link("ordered", "\\eta_i", "log-odds", **_ODDS, cutpoints=True)


@dataclass(frozen=True)
class Parameter:
    """A parameter that a family has beside the linear predictor: one number with a prior or, in a
    model that predicts it, the inverse of its link at a linear predictor of its own.

    Attributes:
        name: Name of the site that has the prior.
        latex: The left side of its prior, in LaTeX.
        prior: Name of the distribution whose parameters are the hyperparameters: Gamma (shape,
            rate), Beta, HalfNormal (scale), Increasing (normal numbers in increasing order, scale);
            "" for a standard deviation in units of the outcome, whose prior is of the rung's kind
            (`sd_prior`) and has its one hyperparameter as scale.
        hyperparameters: Names and defaults of the hyperparameters of its prior.
        link: Name of the link of what the likelihood takes: log, logit or identity.
        derived: Name of what the likelihood takes, if that is a power of the site.
        power: The power.
        elements: How many numbers it has: 1; more, in increasing order, none of which is predicted;
            or 0, one fewer than the outcome has levels.
    """

    name: str
    latex: str
    prior: str
    hyperparameters: tuple[tuple[str, float], ...]
    link: str = "log"
    derived: str | None = None
    power: float = 1.0
    elements: int = 1

    @property
    def own(self) -> str:
        """The name under which the likelihood takes it."""
        return self.derived or self.name

    @property
    def predictable(self) -> bool:
        """Whether a linear predictor can stand in its place."""
        return self.elements == 1

    @property
    def prior_latex(self) -> str:
        """The right side of its prior, with `<hyperparameter>` where its value stands; "" for a
        standard deviation."""
        values = ", ".join(f"<{name}>" for name, _ in self.hyperparameters)
        if self.prior == "Increasing":
            return f"\\sim \\mathrm{{Normal}}(0, {values}), \\quad c_1 < c_2 < \\dots"
        return f"\\sim \\mathrm{{{self.prior}}}({values})" if self.prior else ""


def _anything(values: Any) -> str:
    return ""


def _no_counts(values: Any) -> str:
    return "no counts from 0" if values.dtype.kind not in "iub" or values.min() < 0 else ""


@dataclass(frozen=True)
class Family:
    r"""A family of outcomes.

    Attributes:
        name: Name in config.
        link: How the mean follows from the linear predictor.
        outcomes: What outcomes are, for the table of families.
        mean: What their mean is, for the table of families.
        columns: Kinds of columns of a described table that an outcome may be.
        latex: The distribution of an outcome in LaTeX, with `<trials>` where the variable with that
            role stands.
        roles: The roles that other variables can have for it, of `tadpool.loading.sources.ROLES`.
        required: The roles that it cannot do without.
        parameters: What it has beside the linear predictor, in the order in which it is sampled.
        aliases: Names that other programs give it.
        inferred_from: Kinds of columns whose family it is where none is named and the required
            roles are given.
        refused: What is wrong with an array of values that are no outcomes of the family, in words
            that follow "values that are"; "" where nothing is.
        known_variance: Whether the mean alone determines the variance of an outcome.
        free_scale: Whether outcomes vary around their mean by an amount that is estimated from
            them, so that groups of one row each do not differ from noise unless the standard errors
            of rows are known.
        residual_sd: The parameter that is the standard deviation of outcomes around their mean, if
            one is.
        mean_is_number: Whether single outcomes are numbers that can lie near their mean.
    """

    name: str
    link: Link
    outcomes: str
    mean: str
    columns: tuple[str, ...]
    latex: str
    roles: tuple[str, ...] = ("offset",)
    required: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    aliases: tuple[str, ...] = ()
    inferred_from: tuple[str, ...] = ()
    refused: Callable[[Any], str] = _anything
    known_variance: bool = False
    free_scale: bool = False
    residual_sd: str | None = None
    mean_is_number: bool = True

    def refused_offset(self, values: Any) -> str:
        """What is wrong with the values of an offset, in words that follow its name; "" where
        nothing is."""
        if self.link == IDENTITY or abs(values).max() <= LARGEST_OFFSET:
            return ""
        where = "the logarithm of the mean" if self.link == LOG else "log-odds"
        return f"has values beyond {LARGEST_OFFSET}, and an offset is added to {where}"

    @property
    def counted(self) -> bool:
        """Whether outcomes are counts, whose units are not written behind their means."""
        return self.columns == ("count",)


_SIGMA = Parameter("sigma", "\\sigma", "", (("sigma_scale", 1.0),))
_NU = Parameter("nu", "\\nu", "Gamma", (("nu_shape", 2.0), ("nu_rate", 0.1)))
_OVERDISPERSION = Parameter(
    "overdispersion", "\\phi^{-1/2}", "HalfNormal", (("overdispersion_scale", 1.0),), derived="phi", power=-2.0
)
_CUTPOINTS = Parameter("cutpoints", "c_k", "Increasing", (("cutpoint_scale", 1.5),), link="identity", elements=0)
FAMILIES = {
    each.name: each
    for each in (
        Family(
            "normal",
            IDENTITY,
            outcomes="numbers",
            mean="the linear predictor",
            columns=NUMBERS,
            latex="\\mathrm{Normal}(\\mu_i, \\sigma)",
            roles=("offset", "standard_error"),
            parameters=(_SIGMA,),
            aliases=("gaussian", "gauss"),
            inferred_from=("number", "integer"),
            free_scale=True,
            residual_sd="sigma",
        ),
        Family(
            "student",
            IDENTITY,
            outcomes="numbers",
            mean="the linear predictor",
            columns=NUMBERS,
            latex="\\mathrm{StudentT}(\\nu, \\mu_i, \\sigma)",
            parameters=(_SIGMA, _NU),
            aliases=("t", "student_t", "studentt", "student-t"),
            free_scale=True,
        ),
        Family(
            "bernoulli",
            LOGIT,
            outcomes="0 and 1",
            mean="its logistic function",
            columns=("binary",),
            latex="\\mathrm{Bernoulli}(p_i)",
            aliases=("logistic", "logit", "binary", "bernoulli_logit"),
            inferred_from=("binary",),
            refused=_no_counts,
            known_variance=True,
            mean_is_number=False,
        ),
        Family(
            "binomial",
            LOGIT,
            outcomes="counts out of `trials`",
            mean="trials times its logistic function",
            columns=("count",),
            latex="\\mathrm{Binomial}(<trials>, p_i)",
            roles=("trials", "offset"),
            required=("trials",),
            inferred_from=("count",),
            refused=_no_counts,
            known_variance=True,
        ),
        Family(
            "poisson",
            LOG,
            outcomes="counts",
            mean="exposure times its exponential function",
            columns=("count",),
            latex="\\mathrm{Poisson}(\\lambda_i)",
            roles=("exposure", "offset"),
            aliases=("count", "counts", "log_linear"),
            inferred_from=("count",),
            refused=_no_counts,
            known_variance=True,
        ),
        Family(
            "negative_binomial",
            LOG,
            outcomes="counts",
            mean="exposure times its exponential function",
            columns=("count",),
            latex="\\mathrm{NegativeBinomial}(\\lambda_i, \\phi)",
            roles=("exposure", "offset"),
            parameters=(_OVERDISPERSION,),
            aliases=("negbin", "negbinomial", "negativebinomial", "neg_binomial", "nb"),
            refused=_no_counts,
        ),
        Family(
            "ordered",
            ORDERED,
            outcomes="levels from lowest to highest",
            mean="cut points on the logistic scale",
            columns=("ordered",),
            latex="\\mathrm{OrderedLogistic}(\\eta_i, c)",
            parameters=(_CUTPOINTS,),
            aliases=("ordinal", "cumulative", "ordered_logistic", "polr"),
            inferred_from=("ordered",),
            refused=_no_counts,
            mean_is_number=False,
        ),
    )
}


def family(name: str) -> Family:
    """The family of a name.

    Args:
        name: Its name in config.

    Returns:
        Its record.

    Raises:
        KeyError: There is none of that name.
    """
    if name not in FAMILIES:
        raise KeyError(f"no family is named {name!r}; the families are {', '.join(FAMILIES)}")
    return FAMILIES[name]
