"""The prior, the posterior and the predictions of one entry."""

LOG_LIKELIHOOD_BYTES = 1e9
"""A log likelihood that takes more is not kept. It stands here because what estimates memory
imports no JAX."""
