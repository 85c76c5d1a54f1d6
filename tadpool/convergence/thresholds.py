"""What a verdict holds a fit against: the thresholds of the check, their defaults, and what it means to loosen one.

Defaults follow Vehtari et al. (2021), Bayesian Analysis 16:667-718 (R-hat, ESS) and Betancourt (2016), arXiv:1604.00695
(E-BFMI).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Thresholds:
    """Beyond `warn` a finding is a warning, beyond `fail` a failure. ess: for each chain. diverging, tree_depth: shares."""

    rhat_warn: float = 1.01
    rhat_fail: float = 1.05
    ess_warn: float = 100
    ess_fail: float = 25
    diverging_fail: float = 0.005
    tree_depth_warn: float = 0.01
    bfmi_warn: float = 0.3
    bfmi_fail: float = 0.1


DEFAULTS = Thresholds()
WORDS = {
    "rhat_warn": "R-hat that warns",
    "rhat_fail": "R-hat that fails",
    "ess_warn": "ESS per chain that warns",
    "ess_fail": "ESS per chain that fails",
    "diverging_fail": "share of divergences that fails",
    "tree_depth_warn": "share of largest trees that warns",
    "bfmi_warn": "E-BFMI that warns",
    "bfmi_fail": "E-BFMI that fails",
}
LEAST = ("ess_warn", "ess_fail", "bfmi_warn", "bfmi_fail")
"""Thresholds that a fit has to reach; it has to stay below the others."""


def changed(thresholds: Mapping[str, Any]) -> dict[str, float]:
    """Those that are not the defaults."""
    return {name: value for name, value in thresholds.items() if value != getattr(DEFAULTS, name)}


def loosened(thresholds: Thresholds) -> Iterator[str]:
    """Words on each threshold that lets through what the default does not."""
    for name, value in asdict(thresholds).items():
        default = getattr(DEFAULTS, name)
        if value < default if name in LEAST else value > default:
            yield f"{WORDS[name]} {value:g} (default {default:g})"
