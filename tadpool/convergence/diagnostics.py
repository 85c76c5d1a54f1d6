"""The diagnostics of a fit: one record each, from which all that judges or shows a fit is made.

Config keys, verdicts, remedies, the gate, calibrations and the table of the page read these
records. A new diagnostic is a record here and, where nothing computes it yet, its computation in
`tadpool.convergence.verdicts`. Sentences are in `tadpool.convergence.sentences`, so that rewording
them runs nothing again.

Thresholds follow Vehtari et al. (2021), Bayesian Analysis 16:667-718 (R-hat, ESS) and Betancourt
(2016), arXiv:1604.00695 (E-BFMI).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Limits:
    """The thresholds of a quantity, which several diagnostics may share.

    Attributes:
        name: Config keys are `<name>_warn` and `<name>_fail`.
        label: The quantity and its unit, in words that a key's description begins with.
        at_least: Whether a fit has to reach the thresholds; otherwise it has to stay below them.
        warn: Default beyond which a fit warns; None where it never only warns.
        fail: Default beyond which a fit fails; None where it never fails.
        per: What a threshold is multiplied by, "chains" or "transitions" of a fit, or "".
        fixed: Which of "warn" and "fail" is no config key.
        bounds: What pydantic accepts, such as {"ge": 0}.
        examples: Of the config keys, as far from the default as makes sense.
    """

    name: str
    label: str
    at_least: bool
    warn: float | None
    fail: float | None
    bounds: Mapping[str, float]
    examples: Mapping[str, float]
    per: str = ""
    fixed: tuple[str, ...] = ()

    @property
    def keys(self) -> dict[str, str]:
        """Severity -> config key."""
        found = {"warn": self.warn, "fail": self.fail}
        return {
            severity: f"{self.name}_{severity}"
            for severity, default in found.items()
            if default is not None and severity not in self.fixed
        }

    def beyond(self, value: float, limit: float) -> bool:
        """Whether a value is on the wrong side of a limit; NaN is beyond every limit."""
        return not (value >= limit if self.at_least else value <= limit)


@dataclass(frozen=True)
class Diagnostic:
    """Something that a check may find, and what follows from it.

    Attributes:
        code: Name of the finding in `check.json`.
        label: Name in sentences.
        heading: Of the page's column of the worst value; "" where there is no column.
        worst: Key of the worst value among a check's `diagnostics`.
        decimals: Of the value.
        limits: Thresholds; None where the finding has none.
        per_parameter: Whether it is judged for each parameter, by its statistic of the name `code`.
        remedies: Of `remedies.REMEDIES`, those that may help.
        hopeless: Whether no remedy is tried for a fit with this finding, because it would hide what
            is wrong.
        further: Numbers of the check that its sentence needs besides its value.
        concerns: Code of the diagnostic in whose column a page marks this finding; "" is its own.
    """

    code: str
    label: str = ""
    heading: str = ""
    worst: str = ""
    decimals: int = 0
    limits: Limits | None = None
    per_parameter: bool = False
    remedies: tuple[str, ...] = ()
    hopeless: bool = False
    further: tuple[str, ...] = ()
    concerns: str = ""


RHAT = Limits(
    "rhat",
    label="R-hat",
    at_least=False,
    warn=1.01,
    fail=1.05,
    bounds={"gt": 1, "le": 10},
    examples={"warn": 1.02, "fail": 1.1},
)
ESS = Limits(
    "ess",
    label="Effective draws for each chain",
    at_least=True,
    warn=100,
    fail=25,
    bounds={"ge": 0},
    examples={"warn": 400, "fail": 100},
    per="chains",
)
DIVERGING = Limits(
    "diverging",
    label="Share of divergent transitions",
    at_least=False,
    warn=0.0,
    fail=0.005,
    bounds={"ge": 0, "le": 1},
    examples={"fail": 0.0},
    per="transitions",
    fixed=("warn",),
)
TREE_DEPTH = Limits(
    "tree_depth",
    label="Share of trajectories of the largest tree depth",
    at_least=False,
    warn=0.01,
    fail=None,
    bounds={"ge": 0, "le": 1},
    examples={"warn": 0.05},
    per="transitions",
)
BFMI = Limits(
    "bfmi",
    label="E-BFMI of a chain",
    at_least=True,
    warn=0.3,
    fail=0.1,
    bounds={"ge": 0, "le": 2},
    examples={"warn": 0.4, "fail": 0.2},
)

DIAGNOSTICS = (
    Diagnostic(
        "rhat",
        label="R-hat",
        heading="R-hat, largest",
        worst="rhat_max",
        decimals=3,
        limits=RHAT,
        per_parameter=True,
        remedies=("draws", "reparametrize"),
    ),
    Diagnostic(
        "ess_bulk",
        label="Bulk ESS",
        heading="Bulk ESS, smallest",
        worst="ess_bulk_min",
        limits=ESS,
        per_parameter=True,
        remedies=("draws", "reparametrize"),
    ),
    Diagnostic(
        "ess_tail",
        label="Tail ESS",
        heading="Tail ESS, smallest",
        worst="ess_tail_min",
        limits=ESS,
        per_parameter=True,
        remedies=("draws", "reparametrize"),
    ),
    Diagnostic(
        "diverging",
        label="Divergences",
        heading="Divergences",
        worst="diverging",
        limits=DIVERGING,
        remedies=("target_accept", "reparametrize"),
    ),
    Diagnostic(
        "tree_depth",
        label="Tree depth",
        heading="At largest tree depth",
        worst="reached_max_treedepth",
        limits=TREE_DEPTH,
    ),
    Diagnostic(
        "bfmi",
        label="E-BFMI",
        heading="E-BFMI, smallest",
        worst="bfmi_min",
        decimals=2,
        limits=BFMI,
        remedies=("reparametrize",),
        further=("bfmi_low",),
    ),
    Diagnostic("acceptance_rate", label="Acceptance rate", heading="Acceptance", worst="acceptance_rate", decimals=2),
    Diagnostic("modes", concerns="rhat", hopeless=True),
    Diagnostic("finite", hopeless=True),
    Diagnostic("constant"),
    Diagnostic("identical_chains", hopeless=True),
    Diagnostic("one_chain", hopeless=True),
    Diagnostic("missing", hopeless=True),
    Diagnostic("status", hopeless=True),
    Diagnostic("thresholds"),
    Diagnostic("points"),
)
"""In the order in which a page shows them, and in which a remedy is chosen. Those without a label
have no value."""

BY_CODE = {diagnostic.code: diagnostic for diagnostic in DIAGNOSTICS}
SHOWN = tuple(diagnostic for diagnostic in DIAGNOSTICS if diagnostic.heading)
"""Columns of the page's table."""

LIMITS = {each.limits.name: each.limits for each in DIAGNOSTICS if each.limits}
DEFAULTS = {key: getattr(each, severity) for each in LIMITS.values() for severity, key in each.keys.items()}
"""Thresholds that a study may change: config key -> default."""


@dataclass(frozen=True)
class Finding:
    """One finding of a check.

    Attributes:
        severity: "warn" or "fail".
        code: Of DIAGNOSTICS.
        values: What its sentence needs, ready for JSON.
        site: The site that it concerns; "" where it concerns the whole fit.
        labels: Of the element of the site.
    """

    severity: str
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    site: str = ""
    labels: Sequence[str] = ()


def judge(
    code: str,
    value: float | None,
    thresholds: Mapping[str, float] = DEFAULTS,
    scales: Mapping[str, int] | None = None,
) -> tuple[str, float] | None:
    """Judge a value of a diagnostic.

    Args:
        code: Of the diagnostic, which has limits.
        value: None or NaN, which cannot be computed, fails.
        thresholds: By config key.
        scales: Numbers of "chains" and "transitions" of the fit.

    Returns:
        The severity, and the threshold that the value is beyond; None where it is beyond none.
    """
    limits = BY_CODE[code].limits
    scale = (scales or {}).get(limits.per, 1)
    for severity in ("fail", "warn"):
        limit = thresholds.get(f"{limits.name}_{severity}", getattr(limits, severity))
        if limit is not None and (value is None or limits.beyond(value, limit * scale)):
            return severity, limit
    return None


def with_remedy(name: str) -> tuple[str, ...]:
    """Codes of the findings that a remedy may help, in the order of DIAGNOSTICS."""
    return tuple(diagnostic.code for diagnostic in DIAGNOSTICS if name in diagnostic.remedies)


def changed(thresholds: Mapping[str, float]) -> dict[str, float]:
    """Those that are not the defaults."""
    return {key: value for key, value in thresholds.items() if value != DEFAULTS[key]}


def loosened(thresholds: Mapping[str, float]) -> dict[str, float]:
    """Those that let through what the default does not."""
    at_least = {key: each.at_least for each in LIMITS.values() for key in each.keys.values()}
    return {
        key: value
        for key, value in thresholds.items()
        if (value < DEFAULTS[key] if at_least[key] else value > DEFAULTS[key])
    }
