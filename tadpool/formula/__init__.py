"""Models that are a formula: what it means, its design on a dataset, and the model at work."""
