"""From R-hat, effective sample sizes and the rest to a verdict, its remedies and the gate. Free of
JAX."""
