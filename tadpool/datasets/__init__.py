"""Datasets, one in each file: `load(tables, **arguments)` or `simulate(rng, **arguments)`; see
CONTRIBUTING.md."""
