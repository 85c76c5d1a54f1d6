"""The whole Bayesian workflow for grouped data as one Snakemake workflow."""
