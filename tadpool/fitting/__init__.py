"""The prior, the posterior and the predictions of one entry."""
