"""The size of numbers, as a power of two."""

import numpy as np


def power_of_two(sizes: np.ndarray | float) -> np.ndarray:
    """The power of two next above each size, by which numbers can be divided without rounding.

    ArviZ takes numbers for constant whose range is below 1e-15, so it gets them divided by theirs.

    Args:
        sizes: Numbers of 0 or more.

    Returns:
        An array of the same shape; 1 where a size is 0 or not finite.
    """
    _, exponents = np.frexp(np.where(np.isfinite(sizes) & (np.asarray(sizes) > 0), sizes, 1.0))
    return np.ldexp(1.0, exponents)
