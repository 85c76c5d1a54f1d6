"""Quantities that answer a study's question: predictions, comparisons, ranks, probabilities and
decisions, computed from the draws of its fits."""
