"""What a refit leaves out."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fold:
    """What one refit leaves out.

    name: what it is, part of the fit's random key. rows: positions along the unit's dim, in the dataset. targets: for
    each row the number of the score, from 0, that its log likelihood counts towards. point: position of the sweep's value.
    """

    name: tuple
    rows: np.ndarray
    targets: np.ndarray
    point: int = 0
