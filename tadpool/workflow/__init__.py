"""What Snakemake sees: specs, paths, resources, child processes, the commands new and plan."""
