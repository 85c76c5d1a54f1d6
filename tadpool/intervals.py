"""The interval that results and pages state of a posterior: central, with equal tails."""

LEVEL = 0.89
LOW, HIGH = 0.055, 0.945
"""Quantiles at its ends."""
