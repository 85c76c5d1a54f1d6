"""The intervals that results and pages state: of a posterior, central with equal tails; of a share
that was counted, Wilson's."""

import math

LEVEL = 0.89
LOW, HIGH = 0.055, 0.945
"""Quantiles at its ends."""
Z_95 = 1.959963984540054


def wilson(successes: float, total: float) -> tuple[float, float]:
    """The 95 % interval of a share of which `successes` of `total` were seen; it is no point where
    all or none were (Wilson 1927, J. Am. Stat. Assoc. 22:209-212)."""
    if not total:
        return 0.0, 1.0
    share, square = successes / total, Z_95**2 / total
    middle = (share + square / 2) / (1 + square)
    half = Z_95 * math.sqrt(share * (1 - share) / total + square / (4 * total)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
