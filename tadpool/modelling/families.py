r"""The families of outcomes, one record each: whatever depends on a family reads its record, and
its likelihood alone stands elsewhere (`tadpool.ladder.likelihoods`).

A new family is a record here, a likelihood there, and what the tests of the ladder need to check
it.

No JAX and no NumPy here: the Snakefile's process reads config with it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NUMBERS = ("number", "integer", "count")
_BOUNDED = ("offset", "censored", "interval_end")
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
_LOGS = {"axis": "log of the mean", "differences": "logs", "multiplied": "mean"}
_MEDIAN = {"axis": "log of the median", "differences": "logs", "multiplied": "median"}
_RATE = {"axis": "log of the rate", "differences": "logs", "multiplied": "rate"}
_MEAN_ODDS = {"axis": "logit of the mean", "differences": "logits", "multiplied": "odds of the mean"}
IDENTITY = Link("identity", "\\mu_i", "{outcome}")
LOGIT = Link("logit", "\\mathrm{logit}(p_i)", "probability of {outcome}", **_ODDS)
LOGIT_MEAN = Link("logit", "\\mathrm{logit}(\\mu_i)", "mean {outcome}", **_MEAN_ODDS)
LOGIT_BETWEEN = Link("logit", "\\mathrm{logit}(\\mu_i)", "mean {outcome} between 0 and 1", **_MEAN_ODDS)
LOG = Link("log", "\\log(\\lambda_i)", "mean {outcome}{per}", **_LOGS)
LOG_MEDIAN = Link("log", "\\mu_i", "median {outcome}", **_MEDIAN)
LOG_RATE = Link("log", "\\log(\\lambda_i)", "mean {outcome}{per} without the added zeros", **_RATE)
LOG_UNTRUNCATED = Link("log", "\\log(\\lambda_i)", "rate of {outcome}{per} above 0", **_RATE)
LOG_ABOVE = Link("log", "\\mu_i", "median {outcome} above 0", **_MEDIAN)
TAN_HALF = Link(
    "tan_half", "\\tan(\\mu_i / 2)", "mean direction of {outcome}", "tangent of half the mean direction", units=False
)
ORDERED = Link("ordered", "\\eta_i", "log-odds", **_ODDS, cutpoints=True)
ORDERED_PROBIT = Link("ordered_probit", "\\eta_i", "probits", "probits", "probits", units=False, cutpoints=True)
LEVELS = Link("levels", "\\eta_{ik}", "log-odds of a level against the first", **_ODDS)


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


def _not_positive(values: Any) -> str:
    return "not above 0" if values.min() <= 0 else ""


def _negative(values: Any) -> str:
    if values.min() < 0:
        return "not 0 or more"
    return "nowhere above 0" if values.max() <= 0 else ""


def _no_shares(values: Any) -> str:
    return "not between 0 and 1, both excluded" if values.min() <= 0 or values.max() >= 1 else ""


def _no_shares_or_ends(values: Any) -> str:
    return "not between 0 and 1" if values.min() < 0 or values.max() > 1 else ""


def _no_angles(values: Any) -> str:
    return "not angles between -pi and pi (radians)" if abs(values).max() > math.pi else ""


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
        predictors: How many linear predictors an outcome has: 1, or 0, one fewer than it has
            levels, which no model of the ladder has.
        zeros_apart: Whether a 0 has no information about the linear predictor.
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
    predictors: int = 1
    zeros_apart: bool = False

    def refused_offset(self, values: Any) -> str:
        """What is wrong with the values of an offset, in words that follow its name; "" where
        nothing is."""
        if self.link == IDENTITY or abs(values).max() <= LARGEST_OFFSET:
            return ""
        where = f"the logarithm of the {self.link.multiplied}" if self.link.name == "log" else self.link.axis
        return f"has values beyond {LARGEST_OFFSET}, and an offset is added to {where}"

    @property
    def bounded(self) -> bool:
        """Whether it has a distribution function, so that outcomes may be censored or truncated."""
        return "censored" in self.roles

    @property
    def counted(self) -> bool:
        """Whether outcomes are counts, whose units are not written behind their means."""
        return self.columns == ("count",)


_SIGMA = Parameter("sigma", "\\sigma", "", (("sigma_scale", 1.0),))
_NU = Parameter("nu", "\\nu", "Gamma", (("nu_shape", 2.0), ("nu_rate", 0.1)))
_OVERDISPERSION = Parameter(
    "overdispersion", "\\phi^{-1/2}", "HalfNormal", (("overdispersion_scale", 1.0),), derived="phi", power=-2.0
)
_VARIATION = Parameter("variation", "k^{-1/2}", "HalfNormal", (("variation_scale", 1.0),), derived="shape", power=-2.0)
_LOG_SCALE = Parameter("variation", "k^{-1}", "HalfNormal", (("variation_scale", 1.0),), derived="shape", power=-1.0)
_DISPERSION = Parameter(
    "dispersion", "\\phi^{-1/2}", "HalfNormal", (("dispersion_scale", 0.5),), derived="phi", power=-2.0
)
_SPREAD = Parameter("spread", "\\kappa^{-1/2}", "HalfNormal", (("spread_scale", 1.0),), derived="kappa", power=-2.0)
_ZI = Parameter("zi", "\\pi", "Beta", (("zi_a", 1.0), ("zi_b", 1.0)), link="logit")
_HU = Parameter("hu", "\\pi", "Beta", (("hu_a", 1.0), ("hu_b", 1.0)), link="logit")
_CUTPOINTS = Parameter("cutpoints", "c_k", "Increasing", (("cutpoint_scale", 1.5),), link="identity", elements=0)
_ENDS = Parameter("cutpoints", "c_k", "Increasing", (("cutpoint_scale", 3.0),), link="identity", elements=2)
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
            roles=(*_BOUNDED, "standard_error"),
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
            roles=_BOUNDED,
            parameters=(_SIGMA, _NU),
            aliases=("t", "student_t", "studentt", "student-t"),
            free_scale=True,
        ),
        Family(
            "lognormal",
            LOG_MEDIAN,
            outcomes="numbers above 0",
            mean="the linear predictor, of its logarithm",
            columns=NUMBERS,
            latex="\\mathrm{LogNormal}(\\mu_i, \\sigma)",
            roles=_BOUNDED,
            parameters=(_SIGMA,),
            aliases=("log_normal", "log-normal"),
            refused=_not_positive,
            free_scale=True,
        ),
        Family(
            "gamma",
            LOG,
            outcomes="numbers above 0",
            mean="its exponential function",
            columns=NUMBERS,
            latex="\\mathrm{Gamma}(k, k / \\lambda_i)",
            roles=_BOUNDED,
            parameters=(_VARIATION,),
            refused=_not_positive,
            free_scale=True,
        ),
        Family(
            "exponential",
            LOG,
            outcomes="numbers above 0",
            mean="its exponential function",
            columns=NUMBERS,
            latex="\\mathrm{Exponential}(1 / \\lambda_i)",
            roles=_BOUNDED,
            aliases=("exp",),
            refused=_not_positive,
            known_variance=True,
        ),
        Family(
            "weibull",
            LOG,
            outcomes="numbers above 0",
            mean="its exponential function",
            columns=NUMBERS,
            latex="\\mathrm{Weibull}(k, \\lambda_i / \\Gamma(1 + 1 / k))",
            roles=_BOUNDED,
            parameters=(_LOG_SCALE,),
            refused=_not_positive,
            free_scale=True,
        ),
        Family(
            "hurdle_lognormal",
            LOG_ABOVE,
            outcomes="numbers from 0",
            mean="the linear predictor, of its logarithm where it is above 0",
            columns=NUMBERS,
            latex="\\pi \\, \\delta_0 + (1 - \\pi) \\, \\mathrm{LogNormal}(\\mu_i, \\sigma)",
            parameters=(_SIGMA, _HU),
            zeros_apart=True,
            refused=_negative,
            free_scale=True,
        ),
        Family(
            "beta",
            LOGIT_MEAN,
            outcomes="numbers between 0 and 1",
            mean="its logistic function",
            columns=("number",),
            latex="\\mathrm{Beta}(\\mu_i \\phi, (1 - \\mu_i) \\phi)",
            parameters=(_DISPERSION,),
            aliases=("beta_regression", "betareg"),
            refused=_no_shares,
            free_scale=True,
        ),
        Family(
            "ordered_beta",
            LOGIT_BETWEEN,
            outcomes="numbers from 0 to 1",
            mean="its logistic function, of those between",
            columns=("number",),
            latex="\\mathrm{OrderedBeta}(\\mu_i, \\phi, c)",
            parameters=(_DISPERSION, _ENDS),
            aliases=("ordbeta", "ordbetareg", "zero_one_inflated_beta", "zoib"),
            refused=_no_shares_or_ends,
            free_scale=True,
        ),
        Family(
            "von_mises",
            TAN_HALF,
            outcomes="angles from -pi to pi, few near these ends",
            mean="twice its arc tangent",
            columns=("number",),
            latex="\\mathrm{VonMises}(\\mu_i, \\kappa)",
            parameters=(_SPREAD,),
            aliases=("vonmises", "circular"),
            refused=_no_angles,
            free_scale=True,
            mean_is_number=False,
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
            "beta_binomial",
            LOGIT,
            outcomes="counts out of `trials`",
            mean="trials times its logistic function",
            columns=("count",),
            latex="\\mathrm{BetaBinomial}(<trials>, p_i \\phi, (1 - p_i) \\phi)",
            roles=("trials", "offset"),
            required=("trials",),
            parameters=(_DISPERSION,),
            aliases=("betabinomial", "beta-binomial"),
            refused=_no_counts,
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
            "zero_inflated_poisson",
            LOG_RATE,
            outcomes="counts, some zeros added",
            mean="(1 - zi) times exposure times its exponential function",
            columns=("count",),
            latex="\\pi \\, \\delta_0 + (1 - \\pi) \\, \\mathrm{Poisson}(\\lambda_i)",
            roles=("exposure", "offset"),
            parameters=(_ZI,),
            aliases=("zip", "zeroinflatedpoisson", "zeroinfl"),
            refused=_no_counts,
        ),
        Family(
            "zero_inflated_negative_binomial",
            LOG_RATE,
            outcomes="counts, some zeros added",
            mean="(1 - zi) times exposure times its exponential function",
            columns=("count",),
            latex="\\pi \\, \\delta_0 + (1 - \\pi) \\, \\mathrm{NegativeBinomial}(\\lambda_i, \\phi)",
            roles=("exposure", "offset"),
            parameters=(_OVERDISPERSION, _ZI),
            aliases=("zinb", "zeroinflatednegativebinomial", "zero_inflated_negbinomial"),
            refused=_no_counts,
        ),
        Family(
            "hurdle_poisson",
            LOG_UNTRUNCATED,
            outcomes="counts, zeros apart",
            mean="(1 - hu) times the mean of a Poisson count above 0, whose rate is exposure times its exponential function",
            columns=("count",),
            latex="\\pi \\, \\delta_0 + (1 - \\pi) \\, \\mathrm{Poisson}^{+}(\\lambda_i)",
            roles=("exposure", "offset"),
            parameters=(_HU,),
            zeros_apart=True,
            aliases=("hurdlepoisson",),
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
        Family(
            "ordered_probit",
            ORDERED_PROBIT,
            outcomes="levels from lowest to highest",
            mean="cut points on the scale of a standard normal variable",
            columns=("ordered",),
            latex="\\mathrm{OrderedProbit}(\\eta_i, c)",
            parameters=(_CUTPOINTS,),
            aliases=("cumulative_probit", "probit", "ordinal_probit"),
            refused=_no_counts,
            mean_is_number=False,
        ),
        Family(
            "categorical",
            LEVELS,
            outcomes="levels in any order, the first one the reference",
            mean="log-odds of each level against the first",
            columns=("ordered",),
            latex="\\mathrm{Categorical}(\\mathrm{softmax}(0, \\eta_i))",
            aliases=("multinomial", "multinomial_logit", "softmax"),
            refused=_no_counts,
            mean_is_number=False,
            predictors=0,
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
