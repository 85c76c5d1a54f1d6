"""Batches of chains as one compiled program, with checkpoints and a cache of compiled programs."""
