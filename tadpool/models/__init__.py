"""Models, one per file: `model(<variables>, <outcomes>=None, *, <hyperparameters>)`; see
CONTRIBUTING."""
