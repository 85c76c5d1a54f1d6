"""Datasets, one per file: `load(tables, **arguments)` or `simulate(rng, **arguments)`; see CONTRIBUTING."""
