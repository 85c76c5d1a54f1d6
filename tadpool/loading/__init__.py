"""A study's data: loaded, simulated or read from a described table, and checked."""
